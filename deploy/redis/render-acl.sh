#!/bin/sh
# Prints the ACL file: the template with each @name@ replaced by the SHA-256 of the secret of that name.
# usage: render-acl.sh TEMPLATE SECRETS_DIR
set -eu
template=$1
secrets=$2

rules=$(sed -e '/^#/d' "$template")
for name in redis-worker-password redis-reader-password; do
  password=$(cat "$secrets/$name")
  if [ -z "$password" ]; then
    echo "$secrets/$name is empty: whoever says nothing would be let in; run deploy/init.sh" >&2
    exit 1
  fi
  hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
  rules=$(printf '%s\n' "$rules" | sed -e "s/@$name@/$hash/")
done
printf '%s\n' "$rules"
