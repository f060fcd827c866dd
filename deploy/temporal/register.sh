#!/bin/sh
# Registers the namespace TEMPORAL_NAMESPACE on the server TEMPORAL_ADDRESS, with the search attributes that the
# workflows set. What is there already stays as it is.
set -eu
patience=${PATIENCE_SECONDS:-120}

# a new namespace is known to every part of the server only some seconds later
until_done() {
  deadline=$(($(date +%s) + patience))
  until "$@"; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      echo "gave up after $patience s: $*" >&2
      exit 1
    fi
    sleep 2
  done
}

namespace() {
  temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 3d
}

registered() {
  temporal operator search-attribute list | grep -Eq "^ *$1 +Keyword *$"
}

# one at a time: of several names given with one type, the CLI adds the first and says that all were added
search_attribute() {
  registered "$1" || temporal operator search-attribute create --name "$1" --type Keyword
  registered "$1"
}

until_done namespace
for name in CredentialStatus CredentialProvider CredentialClient CredentialTenant; do
  until_done search_attribute "$name"
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
