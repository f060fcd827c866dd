#!/bin/sh
# Makes what docker-compose.yml needs and nobody else may know: passwords, sealing keys, deploy/perennial.yaml.
# What is there already stays as it is, so this can be run again.
set -eu
cd "${1:-$(dirname "$0")}"

# Containers run under several user ids and see these files with the modes that they have here, so the files are
# readable; the folder above them is not, and outside a container there is no other way to them.
mkdir -p secrets/clients
chmod 700 secrets
chmod 755 secrets/clients

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

keep() {
  if [ -s "secrets/$1" ]; then return; fi
  printf %s "$2" > "secrets/$1"
  chmod 444 "secrets/$1"
  echo "made deploy/secrets/$1"
}

keep postgres-password "$(random)"
keep redis-worker-password "$(random)"
keep redis-reader-password "$(random)"
keep redis-url "redis://worker:$(cat secrets/redis-worker-password)@redis:6379"
keep grant-key "$(random)"
keep reader-key "$(random)"

if [ ! -e perennial.yaml ]; then
  cp perennial.example.yaml perennial.yaml
  echo 'made deploy/perennial.yaml: put your clients in, and their secrets into deploy/secrets/clients/'
fi
# a checkout made under a strict umask; none of these holds a secret
chmod a+r perennial.yaml redis/* temporal/*
echo 'keep a copy of deploy/secrets/grant-key elsewhere: without it no stored credential can be used again'
