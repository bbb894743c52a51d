"""The SQL that walls clinics off from each other, shared by the migrations that create tables.

`scanguide_app` owns nothing and is forced under row security: it sees the rows of the clinic set for its transaction and
no others. `scanguide_cross` may only read, across clinics, the columns granted to it by name.
"""

ROLES = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'scanguide_app') then
    create role scanguide_app nologin nobypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'scanguide_cross') then
    create role scanguide_cross nologin nobypassrls;
  end if;
  -- A log-in that is no superuser may act as the roles that it made (PostgreSQL 16 and later).
  begin
    execute format('grant scanguide_app, scanguide_cross to %I with inherit false, set true', current_user);
  exception when insufficient_privilege then null;  -- made by someone else, who has granted them
  end;
end $$;
"""

# An unset clinic is null, and a comparison with null shows nothing.
_CURRENT = "nullif(current_setting('scanguide.clinic', true), '')::bigint"


def wall_off(table: str, *, column: str = "clinic_id", append_only: bool = False, cross: str = "") -> list[str]:
    """Statements for one clinic table: forced row security, the app's rights, and the columns cross may read."""
    rights = "select, insert" if append_only else "select, insert, update"
    statements = [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy own_clinic on {table} to scanguide_app using ({column} = {_CURRENT})",
        f"grant {rights} on {table} to scanguide_app",
    ]
    if cross:
        statements += [
            f"create policy across on {table} for select to scanguide_cross using (true)",
            f"grant select ({cross}) on {table} to scanguide_cross",
        ]
    return statements


def shared(table: str, *, app: str, cross: str) -> list[str]:
    """Statements for one of the few tables without a clinic."""
    return [
        *([f"grant {app} on {table} to scanguide_app"] if app else []),
        *([f"grant {cross} on {table} to scanguide_cross"] if cross else []),
    ]
