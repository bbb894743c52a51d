#!/bin/sh
# Run once by the PostgreSQL image: the two roles that row security binds, and the log-in that may act as either.
# NOINHERIT: the log-in can do nothing until it says as which role it acts.
set -eu
password="$(cat /run/secrets/app_database_password)"
test -n "$password"
psql --username postgres --dbname scanguide --set ON_ERROR_STOP=1 --set password="$password" <<'SQL'
create role scanguide_app nologin nobypassrls;
create role scanguide_cross nologin nobypassrls;
create role scanguide_login login noinherit nobypassrls password :'password';
grant scanguide_app, scanguide_cross to scanguide_login;
SQL
