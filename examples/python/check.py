"""Tries the reader on REDIS_URL: `check.py vectors FILE`, or `check.py get ID` and `check.py reject ID GENERATION`, with
PERENNIAL_READER_KEY where tokens are sealed. Prints JSON; of the vectors, an outcome a line."""

import json
import os
import sys

import redis

from perennial_reader import Reader, TokenError, names

# without a name: a reader's user may not send CLIENT SETINFO
connection = redis.Redis.from_url(os.environ["REDIS_URL"], lib_name=None, lib_version=None)


def outcome(reader, credential, min_remaining=0):
    try:
        token = reader.get(credential, min_remaining)
        return {name: token[name] for name in ("access_token", "generation", "family", "token_type", "expires_at")}
    except TokenError as error:
        known = {"error": error.code, "reason": error.reason, "since": error.since}
        return {name: value for name, value in known.items() if value is not None}


def put(credential, stored):
    for key, value in zip(names(credential), (stored.get("access"), stored.get("status"))):
        connection.delete(key) if value is None else connection.set(key, value)


def check_vectors(path):
    with open(path, encoding="utf-8") as file:
        read = json.load(file)
    for vector in read["vectors"]:
        reader, credential = Reader(connection, vector["keys"]), vector["credential"]
        if "before" in vector:
            put(credential, vector["before"])
            reader.get(credential)
        put(credential, vector["stored"])
        yield outcome(reader, credential, vector.get("min_remaining_ms", 0) / 1000)
    for credential in read["no_credentials"]:
        yield {"error": outcome(Reader(connection), credential)["error"]}


command, argument, *more = sys.argv[1:]
if command == "vectors":
    for one in check_vectors(argument):
        print(json.dumps(one))
else:
    key = os.environ.get("PERENNIAL_READER_KEY")
    tokens = Reader(connection, [key] if key else None)
    if command == "reject":
        tokens.reject(argument, int(more[0]))
    else:
        print(json.dumps(outcome(tokens, argument)))
