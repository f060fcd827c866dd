// Package reader reads the access tokens that Perennial keeps fresh, to the contract of docs/reading.md.
package reader

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/redis/go-redis/v9"
)

// Error says why there is no token: Code as in docs/reading.md, and what the status says. It holds no secret.
type Error struct{ Code, Reason, Since string }

func (e *Error) Error() string { return e.Code + " " + e.Reason }

// Document is what stands under an access key (a token) or a status key.
type Document struct {
	Credential, Family, Status, Reason, Since, AccessExpiresAt string
	Generation                                                 *uint64
	AccessToken                                                string    `json:"access_token"`
	TokenType                                                  string    `json:"token_type"`
	ExpiresAt                                                  time.Time `json:"expires_at"`
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
	if value.Err() != nil {
		need(told.Err() == nil, "credential_not_found")
		s := &Document{}
		need(json.Unmarshal([]byte(told.Val()), s) == nil && s.Generation != nil && s.Since != "" && codes[s.Status] != "", "malformed")
		if codes[s.Status] == "token_expired" && s.AccessExpiresAt != "" {
			s.Since = s.AccessExpiresAt
		}
		if s.Reason == "" {
			s.Reason = s.Status
		}
		return nil, &Error{codes[s.Status], s.Reason, s.Since}
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

// open opens a JWE in compact form (RFC 7516), and checks that it is a token of this credential.
func (r *Reader) open(value, credential string) *Document {
	token, text, pcx := &Document{}, []byte(value), map[string]interface{}(nil)
	if len(r.Keys) > 0 {
		sealed, err := jose.ParseEncrypted(value)
		need(err == nil && compact.MatchString(value), "malformed")
		head, extra := sealed.Header, sealed.Header.ExtraHeaders
		pcx, _ = extra["pcx"].(map[string]interface{})
		need(head.Algorithm == "dir" && extra["enc"] == "A256GCM" && extra["crit"] == nil && extra["zip"] == nil, "malformed")
		need(head.KeyID != "" && pcx["cred"] != nil && pcx["gen"] != nil, "malformed")
		for _, key := range r.Keys {
			raw, _ := base64.RawURLEncoding.DecodeString(key)
			// the thumbprint of a key (RFC 7638) is its id
			if id := sha256.Sum256([]byte(`{"k":"` + key + `","kty":"oct"}`)); base64.RawURLEncoding.EncodeToString(id[:]) == head.KeyID {
				text, err = sealed.Decrypt(raw)
				need(err == nil, "tampered")
			}
		}
	}
	need(string(text) != value || len(r.Keys) == 0 && len(value) > 0 && value[0] == '{', "unknown_key")
	need(json.Unmarshal(text, token) == nil && token.Generation != nil && !token.ExpiresAt.IsZero(), "malformed")
	need(token.Credential != "" && token.Family != "" && token.AccessToken != "" && token.TokenType != "", "malformed")
	need(token.Credential == credential && (pcx == nil || pcx["cred"] == credential), "other_credential")
	need(pcx == nil || pcx["family"] == token.Family && pcx["gen"] == float64(*token.Generation), "malformed")
	return token
}

func need(sound bool, code string, why ...string) {
	if !sound {
		why = append(why, "", "")
		panic(&Error{code, why[0], why[1]})
	}
}

var codes = map[string]string{"pending": "token_pending", "reconnect_required": "reconnect_required", "revoked": "credential_revoked",
	"active": "token_expired", "retrying": "token_expired", "expired": "token_expired", "at_risk": "token_expired", "misconfigured": "token_expired"}
var ids = regexp.MustCompile(`^([\w.~@|+=%-]{1,255})/([\w.~@|+=%-]{1,255}/[\w.~@|+=%-]{1,255})$`)
var compact = regexp.MustCompile(`^[\w-]+\.\.[\w-]{16}\.[\w-]*\.[\w-]{22}$`)
