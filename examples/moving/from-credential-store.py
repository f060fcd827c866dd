#!/usr/bin/env python3
"""Import lines from the export of a central credential store: many providers, many tenants.

python3 from-credential-store.py clients.json < connections.json

connections.json: a list, or {"connections": [list]}, of connections as such stores give them out:
  {"connection_id": …, "provider_config_key": …, "end_user": {"organization": {"id": …}},
   "connection_config": {…}, "credentials": {"type": "OAUTH2", "access_token": …, "refresh_token": …, "expires_at": …}}
clients.json: {provider_config_key: client of perennial.yaml}, or {"client": …, "parameters": {placeholder: key of
connection_config}} where the provider's endpoint depends on the account.
What is no OAuth 2 connection, or of a provider that is not in clients.json, stays where it is, and is named on stderr.
"""
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    CLIENTS = json.load(file)


def encoded(text):
    return re.sub(r"[^A-Za-z0-9._~@|+=-]", lambda c: "".join(f"%{b:02X}" for b in c.group().encode()), str(text))


exported = json.load(sys.stdin)
for connection in exported["connections"] if isinstance(exported, dict) else exported:
    key, id = connection["provider_config_key"], connection["connection_id"]
    client, credentials = CLIENTS.get(key), connection.get("credentials") or {}
    if client is None or credentials.get("type") != "OAUTH2" or not credentials.get("refresh_token"):
        print(f"left out: {key} {id}", file=sys.stderr)
        continue
    client = {"client": client} if isinstance(client, str) else client
    organization = ((connection.get("end_user") or {}).get("organization") or {}).get("id") or "default"
    line = {"credential": "/".join(encoded(part) for part in (organization, client["client"], id))}
    for name in ("access_token", "refresh_token", "expires_at"):
        if credentials.get(name):
            line[name] = credentials[name]
    if "expires_at" not in line:
        line.pop("access_token", None)  # nobody knows for how long it is good
    config = connection.get("connection_config") or {}
    parameters = {name: config[key] for name, key in client.get("parameters", {}).items() if key in config}
    print(json.dumps({**line, **({"parameters": parameters} if parameters else {})}))
