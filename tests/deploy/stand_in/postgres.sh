#!/bin/sh
# Does what the image of PostgreSQL does with the same variables.
set -e
export PGDATA=/var/lib/postgresql/data PGHOST=/tmp
if ! [ -e "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --no-sync
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl start --wait --options="-c listen_addresses='' -c unix_socket_directories=/tmp"
  createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl stop
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
