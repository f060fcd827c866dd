package reader

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
)

// open opens what is sealed, and checks that it is a token of this credential.
func (r *Reader) open(value, credential string) *Document {
	if len(r.Keys) == 0 {
		need(strings.HasPrefix(value, "{"), "unknown_key")
		return parse(value, credential)
	}
	part := strings.Split(value, ".")
	need(len(part) == 5 && part[1] == "", "malformed")
	var head map[string]interface{}
	need(json.Unmarshal(decode(part[0]), &head) == nil, "malformed")
	pcx, _ := head["pcx"].(map[string]interface{})
	cred, _ := pcx["cred"].(string)
	gen, _ := pcx["gen"].(float64)
	need(head["alg"] == "dir" && head["enc"] == "A256GCM" && head["crit"] == nil && head["zip"] == nil, "malformed")
	need(head["kid"] != nil && cred != "" && gen == math.Trunc(gen), "malformed")
	nonce, tag := decode(part[2]), decode(part[4])
	need(len(nonce) == 12 && len(tag) == 16, "malformed")
	for _, key := range r.Keys {
		if kid := sha256.Sum256([]byte(`{"k":"` + key + `","kty":"oct"}`)); strict.EncodeToString(kid[:]) == head["kid"] {
			block, err := aes.NewCipher(decode(key))
			need(err == nil, "invalid_argument")
			opener, _ := cipher.NewGCM(block)
			text, err := opener.Open(nil, nonce, append(decode(part[3]), tag...), []byte(part[0]))
			need(err == nil, "tampered")
			need(cred == credential, "other_credential")
			token := parse(string(text), credential)
			need(pcx["family"] == token.Family && gen == float64(*token.Generation), "malformed")
			return token
		}
	}
	panic(&Error{Code: "unknown_key"})
}

func parse(text, credential string) *Document {
	token := &Document{}
	need(json.Unmarshal([]byte(text), token) == nil && token.Generation != nil && !token.ExpiresAt.IsZero(), "malformed")
	need(token.Credential != "" && token.Family != "" && token.AccessToken != "" && token.TokenType != "", "malformed")
	need(token.Credential == credential, "other_credential")
	return token
}

var strict = base64.RawURLEncoding.Strict()

func decode(text string) []byte {
	raw, err := strict.DecodeString(text)
	need(err == nil, "malformed")
	return raw
}
