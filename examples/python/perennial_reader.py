"""Reads the access tokens that Perennial keeps fresh, to the contract of docs/reading.md."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PART = r"[A-Za-z0-9._~@|+=%-]{1,255}"
ENDED = {"pending": "token_pending", "reconnect_required": "reconnect_required", "revoked": "credential_revoked"}
STATUSES = {*ENDED, "active", "retrying", "expired", "at_risk", "misconfigured"}


class TokenError(Exception):
    """Why there is no token: `code` as in docs/reading.md, and what the status says. Holds no secret."""

    def __init__(self, code, reason=None, since=None):
        super().__init__(code, reason)
        self.code, self.reason, self.since = code, reason, since


class Reader:
    def __init__(self, redis, keys=None):
        """`redis` is a client of redis-py, `keys` are reader keys, base64url; None where tokens are stored plain."""
        self.redis, self.seen = redis, {}
        self.keys = None if keys is None else {thumbprint(key): AESGCM(decode(key)) for key in keys}

    def get(self, credential, min_remaining=0):
        """The access document, valid for so many seconds at least by the clock of Redis; raises TokenError."""
        try:
            return self.look(credential, min_remaining)
        except ValueError:
            raise TokenError("malformed") from None

    def look(self, credential, min_remaining):
        access, status, _ = names(credential)
        value, now = self.redis.pipeline(transaction=False).get(access).time().execute()
        if value is None:
            told = self.redis.get(status)
            need(told is not None, "credential_not_found")
            told, error = parse(told), refusal(parse(told))
            # a token may have been written between the two reads
            value = self.redis.get(access) if told["status"] == "active" else None
            if value is None:
                raise error
        token = self.unseal(value.decode(), credential)
        need(shaped(token, "generation", "credential", "family", "access_token", "token_type", "expires_at"))
        ends = seconds(token["expires_at"])
        need(token["credential"] == credential, "other_credential")
        family, generation = self.seen.get(credential, ("", 0))
        need(family != token["family"] or generation <= token["generation"], "rolled_back")
        self.seen[credential] = token["family"], token["generation"]
        remaining = ends - now[0] - now[1] / 1e6
        need(remaining > 0, "token_expired", "expired", token["expires_at"])
        need(remaining >= min_remaining, "token_expired", "min_remaining")
        return token

    def reject(self, credential, generation):
        """Says that this generation was refused (401) before its time; a newer one follows within a second or two."""
        self.redis.publish(names(credential)[2], f"{credential.split('/', 1)[1]} {generation}")

    def unseal(self, value, credential):
        if self.keys is None:
            need(value.startswith("{"), "unknown_key")
            return parse(value)
        parts = value.split(".")
        need(len(parts) == 5 and not parts[1])
        header, nonce, ciphertext, tag = (decode(part) for part in (parts[0], *parts[2:]))
        head = parse(header)
        need(head.get("alg") == "dir" and head.get("enc") == "A256GCM" and not {"crit", "zip"} & head.keys())
        kid, pcx = head.get("kid"), head.get("pcx")
        need(isinstance(kid, str) and isinstance(pcx, dict) and shaped(pcx, "gen", "cred", "family"))
        need(kid in self.keys, "unknown_key")
        need(len(nonce) == 12 and len(tag) == 16)
        try:
            document = parse(self.keys[kid].decrypt(nonce, ciphertext + tag, parts[0].encode()))
        except InvalidTag:
            raise TokenError("tampered") from None
        need(pcx["cred"] == credential == document.get("credential"), "other_credential")
        need((document.get("generation"), document.get("family")) == (pcx["gen"], pcx["family"]))
        return document

def names(credential):
    found = re.fullmatch(f"({PART})/({PART}/{PART})", credential)
    need(found, "invalid_argument", "a credential id has three parts: tenant/client/subject")
    tenant, rest = found.groups()
    return *(f"perennial:{kind}:{tenant}:{{{rest}}}" for kind in ("access", "status")), f"perennial:rejected:{tenant}"

def refusal(told):
    status, since = told.get("status"), told.get("since")
    need(status in STATUSES and shaped(told, "generation", "since"))
    ends = since if status in ENDED else told.get("accessExpiresAt", since)
    return TokenError(ENDED.get(status, "token_expired"), told.get("reason", status), ends)

def need(sound, code="malformed", *why):
    if not sound:
        raise TokenError(code, *why)

def shaped(of, number, *texts):
    return type(of.get(number)) is int and of[number] >= 0 and all(isinstance(of.get(text), str) for text in texts)

def parse(text):
    value = json.loads(text)
    need(isinstance(value, dict))
    return value

def seconds(time):
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()

def decode(text):
    # base64url without padding, in its one canonical spelling
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(urlsafe_b64encode(value).decode().rstrip("=") == text)
    return value

def thumbprint(key):  # RFC 7638
    return urlsafe_b64encode(sha256(f'{{"k":"{key}","kty":"oct"}}'.encode()).digest()).decode().rstrip("=")
