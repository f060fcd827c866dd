#!/bin/sh
# Creates Temporal's two databases and updates their schema. Connection: SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres-password)
export SQL_PASSWORD

prepare() {
  temporal-sql-tool --database "$1" create-database
  SQL_DATABASE=$1 temporal-sql-tool setup-schema --version 0.0
  SQL_DATABASE=$1 temporal-sql-tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
