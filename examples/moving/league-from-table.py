#!/usr/bin/env python3
"""Import lines from a table of users, as the database prints it: CSV, or the tab-separated text of mysql --batch.

psql -c "\\copy (SELECT id, access_token, refresh_token, expires FROM oauth_token) TO STDOUT WITH CSV HEADER" \\
  | python3 league-from-table.py acme/shop

Columns: id (or user_id), refresh_token, and where there are any access_token and expires (or expires_at): seconds since
1970 as league/oauth2-client keeps them, or a time in UTC. Rows without a refresh token are left out, and counted.
"""
import csv
import json
import re
import sys

PREFIX = sys.argv[1]  # tenant/client

lines = sys.stdin.read().splitlines(keepends=True)
tabs = bool(lines) and "\t" in lines[0]
rows = csv.DictReader(lines, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL)


def column(row, *names):
    for name in names:
        value = (row.get(name) or "").strip()
        if value not in ("", "NULL", "\\N"):
            return value
    return None


left = 0
for row in rows:
    refresh_token = column(row, "refresh_token")
    if refresh_token is None:
        left += 1
        continue
    user = column(row, "id", "user_id") or ""
    subject = re.sub(r"[^A-Za-z0-9._~@|+=-]", lambda c: "".join(f"%{b:02X}" for b in c.group().encode()), user)
    line = {"credential": f"{PREFIX}/{subject}", "refresh_token": refresh_token}
    access_token, expires = column(row, "access_token"), column(row, "expires", "expires_at")
    # without its end an access token is of no use: the first refresh brings another
    if access_token is not None and expires is not None:
        line["access_token"] = access_token
        line["expires_at"] = int(expires) if expires.isdigit() else expires.replace(" ", "T", 1)
    print(json.dumps(line))
if left:
    print(f"{left} rows have no refresh token and were left out", file=sys.stderr)
