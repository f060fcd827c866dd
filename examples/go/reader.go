// Package reader reads the access tokens that Perennial keeps fresh, to the contract of docs/reading.md.
package reader

import (
	"context"
	"encoding/json"
	"regexp"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Error says why there is no token: Code as in docs/reading.md, and what the status says. It holds no secret.
type Error struct{ Code, Reason, Since string }

func (e *Error) Error() string { return e.Code + " " + e.Reason }

// Document is what stands under an access key (a token) or a status key.
type Document struct {
	Credential, Family, Status, Reason, Since, AccessExpiresAt string

	Generation  *uint64
	AccessToken string    `json:"access_token"`
	TokenType   string    `json:"token_type"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Reader is safe for concurrent use. Keys are the tenants' reader keys, base64url; none where tokens are stored plain.
type Reader struct {
	Redis redis.Cmdable
	Keys  []string
	seen  sync.Map
}

// Get returns the token, valid for minRemaining at least by the clock of Redis. What is refused is an *Error.
func (r *Reader) Get(ctx context.Context, credential string, minRemaining time.Duration) (token *Document, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			token, err = nil, thrown.(*Error)
		}
	}()
	access, status, _ := Names(credential)
	pipe := r.Redis.Pipeline()
	// the status first: a token that is written between the two is found
	told, value, now := pipe.Get(ctx, status), pipe.Get(ctx, access), pipe.Time(ctx)
	if _, err = pipe.Exec(ctx); err != nil && err != redis.Nil {
		return nil, err
	}
	need(value.Err() == nil || told.Err() == nil, "credential_not_found")
	if value.Err() != nil {
		return nil, refusal(told.Val())
	}
	token = r.open(value.Val(), credential)
	last, ok := r.seen.Load(credential)
	need(!ok || last.(*Document).Family != token.Family || *last.(*Document).Generation <= *token.Generation, "rolled_back")
	r.seen.Store(credential, token)
	remaining := token.ExpiresAt.Sub(now.Val())
	need(remaining > 0, "token_expired", "expired", token.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	need(remaining >= minRemaining, "token_expired", "min_remaining", "")
	return token, nil
}

// Names returns the access key, the status key, and the channel for "<client>/<subject> <generation>" after a 401.
func Names(credential string) (access, status, rejected string) {
	part := ids.FindStringSubmatch(credential)
	need(part != nil, "invalid_argument")
	key := part[1] + ":{" + part[2] + "}"
	return "perennial:access:" + key, "perennial:status:" + key, "perennial:rejected:" + part[1]
}

var codes = map[string]string{
	"pending": "token_pending", "reconnect_required": "reconnect_required", "revoked": "credential_revoked", "active": "token_expired",
	"retrying": "token_expired", "expired": "token_expired", "at_risk": "token_expired", "misconfigured": "token_expired"}

func refusal(told string) *Error {
	status := &Document{}
	need(json.Unmarshal([]byte(told), status) == nil && status.Generation != nil && status.Since != "", "malformed")
	code := codes[status.Status]
	need(code != "", "malformed")
	if code == "token_expired" && status.AccessExpiresAt != "" {
		status.Since = status.AccessExpiresAt
	}
	if status.Reason == "" {
		status.Reason = status.Status
	}
	return &Error{code, status.Reason, status.Since}
}

func need(sound bool, code string, why ...string) {
	if !sound {
		why = append(why, "", "")
		panic(&Error{code, why[0], why[1]})
	}
}

var ids = regexp.MustCompile(`^([\w.~@|+=%-]{1,255})/([\w.~@|+=%-]{1,255}/[\w.~@|+=%-]{1,255})$`)
