#!/usr/bin/env python3
"""Import lines for Keap from an export of the AWS parameter store.

aws ssm get-parameters-by-path --path /keap --recursive --with-decryption | python3 keap-from-parameter-store.py acme

Takes one parameter for each token (/keap/<account>/access_token, …/refresh_token) and one with the whole token response as
JSON (/keap/<account>). An access token is as old as its parameter, and lives for a day.
"""
import json
import re
import sys
from datetime import datetime, timedelta, timezone

TENANT = sys.argv[1]
CLIENT = sys.argv[2] if len(sys.argv) > 2 else "keap"
TOKENS = ("access_token", "refresh_token")


def written(parameter):
    """The AWS CLI prints ISO 8601 (version 2) or seconds since 1970 (version 1)."""
    at = parameter.get("LastModifiedDate")
    if at is None:
        return None
    if isinstance(at, (int, float)):
        return datetime.fromtimestamp(at, timezone.utc)
    return datetime.fromisoformat(at.replace("Z", "+00:00"))


accounts = {}
for parameter in json.load(sys.stdin)["Parameters"]:
    folder, _, last = parameter["Name"].rpartition("/")
    if last in TOKENS:
        account, tokens = folder.rpartition("/")[2], {last: parameter["Value"]}
    elif parameter["Value"].lstrip().startswith("{"):
        account, tokens = last, json.loads(parameter["Value"])
    else:
        continue  # a client id or another setting
    kept = accounts.setdefault(account, {"expires_in": 86400})
    kept.update({name: tokens[name] for name in (*TOKENS, "expires_in") if tokens.get(name)})
    if "access_token" in tokens:
        kept["written"] = written(parameter)

for account, kept in sorted(accounts.items()):
    at, lives = kept.pop("written", None), timedelta(seconds=int(kept.pop("expires_in")))
    subject = re.sub(r"[^A-Za-z0-9._~@|+=-]", lambda c: "".join(f"%{b:02X}" for b in c.group().encode()), account)
    expires = {} if at is None else {"expires_at": (at + lives).astimezone(timezone.utc).isoformat()}
    print(json.dumps({"credential": f"{TENANT}/{CLIENT}/{subject}", **kept, **expires}))
