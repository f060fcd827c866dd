#!/usr/bin/env python3
"""Import lines for Auth0 machine-to-machine from the settings of the services that fetched their tokens themselves.

python3 auth0-from-settings.py acme < settings.json            the import lines
python3 auth0-from-settings.py acme --clients < settings.json  the clients for perennial.yaml, no secret in them

settings.json: {"orders-api": {"domain": "acme.eu.auth0.com", "clientId": …, "clientSecret": …, "audience": …}, …}
One client and one audience is one token, whoever reads it: services with the same pair share a line.
"""
import json
import re
import sys

TENANT = sys.argv[1]

clients = {}
for name, service in json.load(sys.stdin).items():
    clients.setdefault((service["clientId"], service["audience"]), (re.sub(r"[^A-Za-z0-9._-]", "-", name), service))

if "--clients" in sys.argv:
    print("clients:")
for name, service in clients.values():
    if "--clients" not in sys.argv:
        print(json.dumps({"credential": f"{TENANT}/{name}/m2m"}))
        continue
    variable = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_SECRET"
    domain = re.sub(r"\.auth0\.com$", "", service["domain"])
    print(f"  {name}:")
    print("    provider: auth0-json")
    print("    variant: machine-to-machine")
    print(f"    parameters: {{ domain: {json.dumps(domain)} }}")
    print(f"    request: {{ audience: {json.dumps(service['audience'])} }}")
    print(f"    clientId: {json.dumps(service['clientId'])}")
    print(f"    clientSecrets: [{{ env: {variable} }}]")
