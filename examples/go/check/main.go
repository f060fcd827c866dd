// Command check tries the reader on REDIS_URL: `check vectors FILE`, or `check get ID` and `check reject ID GENERATION`, with
// PERENNIAL_READER_KEY where tokens are sealed. Prints JSON; of the vectors, an outcome a line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	reader "perennial.example/reader"
)

type stored struct{ Access, Status *string }

var ctx = context.Background()
var client *redis.Client

func main() {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	check(err)
	// a reader's user may not send CLIENT SETINFO
	options.DisableIndentity = true
	client = redis.NewClient(options)
	switch command, argument := os.Args[1], os.Args[2]; command {
	case "vectors":
		vectors(argument)
	case "reject":
		_, _, channel := reader.Names(argument)
		_, rest, _ := strings.Cut(argument, "/")
		check(client.Publish(ctx, channel, rest+" "+os.Args[3]).Err())
	default:
		var keys []string
		if key := os.Getenv("PERENNIAL_READER_KEY"); key != "" {
			keys = append(keys, key)
		}
		print(outcome(&reader.Reader{Redis: client, Keys: keys}, argument, 0))
	}
}

func vectors(path string) {
	var read struct {
		NoCredentials []string `json:"no_credentials"`
		Vectors       []struct {
			Credential     string
			Keys           []string
			Before         *stored
			Stored         stored
			MinRemainingMs int64 `json:"min_remaining_ms"`
		}
	}
	text, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(text, &read))
	for _, vector := range read.Vectors {
		r := &reader.Reader{Redis: client, Keys: vector.Keys}
		if vector.Before != nil {
			put(vector.Credential, *vector.Before)
			_, err := r.Get(ctx, vector.Credential, 0)
			check(err)
		}
		put(vector.Credential, vector.Stored)
		print(outcome(r, vector.Credential, vector.MinRemainingMs))
	}
	for _, credential := range read.NoCredentials {
		print(outcome(&reader.Reader{Redis: client}, credential, 0))
	}
}

func put(credential string, of stored) {
	access, status, _ := reader.Names(credential)
	for key, value := range map[string]*string{access: of.Access, status: of.Status} {
		if value == nil {
			check(client.Del(ctx, key).Err())
		} else {
			check(client.Set(ctx, key, *value, 0).Err())
		}
	}
}

func outcome(r *reader.Reader, credential string, minRemainingMs int64) map[string]interface{} {
	token, err := r.Get(ctx, credential, time.Duration(minRemainingMs)*time.Millisecond)
	if refused, ok := err.(*reader.Error); ok {
		found := map[string]interface{}{"error": refused.Code}
		if refused.Reason != "" {
			found["reason"] = refused.Reason
		}
		if refused.Since != "" {
			found["since"] = refused.Since
		}
		return found
	}
	check(err)
	return map[string]interface{}{
		"access_token": token.AccessToken, "generation": *token.Generation, "family": token.Family,
		"token_type": token.TokenType, "expires_at": token.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
}

func print(value interface{}) {
	text, err := json.Marshal(value)
	check(err)
	fmt.Println(string(text))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
