#!/usr/bin/env python3
"""Import lines for Autodesk Platform Services from a MongoDB collection of users.

mongoexport --collection tokens | python3 autodesk-from-mongodb.py acme

Documents (a line each, or --jsonArray): userId or _id, access_token, refresh_token, expires_at; dates and numbers as
mongoexport writes them. Streams: thousands of users, or millions, take no more memory than one.
"""
import json
import re
import sys

TENANT = sys.argv[1]
CLIENT = sys.argv[2] if len(sys.argv) > 2 else "autodesk"


def plain(value):
    """MongoDB Extended JSON: {"$oid": …}, {"$date": …}, {"$numberLong": …}."""
    while isinstance(value, dict):
        value = next(iter(value.values()))
    return value


def seconds_or_text(value):
    value = plain(value)
    if isinstance(value, str) and re.fullmatch(r"\d+", value):
        value = int(value)
    return value


for text in sys.stdin:
    # with --jsonArray the lines stand between brackets
    text = text.strip().lstrip("[").rstrip(",]")
    if not text:
        continue
    document = json.loads(text)
    user = str(plain(document.get("userId", document.get("_id"))))
    subject = re.sub(r"[^A-Za-z0-9._~@|+=-]", lambda c: "".join(f"%{b:02X}" for b in c.group().encode()), user)
    line = {"credential": f"{TENANT}/{CLIENT}/{subject}", "refresh_token": document.get("refresh_token")}
    if document.get("access_token") and document.get("expires_at"):
        line["access_token"] = document["access_token"]
        line["expires_at"] = seconds_or_text(document["expires_at"])
    print(json.dumps(line))
