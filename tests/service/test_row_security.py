"""The wall between clinics stands in the database: forgetting the clinic shows nothing, and no ledger can be changed."""

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from service.clinics import AddedClinic, add_clinic
from service.demo_data import SITE
from tests.house import House
from tests.service.signed import browser, stored

# The few tables without a clinic; every other one must be walled off.
SHARED = {"alembic_version", "operators", "switches", "beats", "unrouted_texts", "operator_audit", "scripts"}
LEDGERS = ("audit", "consents", "receipts")


def walled(house: House) -> list[str]:
    """Every table of the clinics."""
    return sorted(set(stored(house)) - SHARED)


def clinic_column(table: str) -> str:
    """The column that says whose a row is."""
    return "id" if table == "clinics" else "clinic_id"


def lived_in(house: House) -> AddedClinic:
    """Fill every table of the first clinic; returns a second one."""
    with browser(house, "clinic"):
        pass
    house.key()
    house.opt_in()
    house.text("please call me")
    house.text("GUIDE")
    return add_clinic(house.parts.database, "Hillside", "+12125550101", SITE, now=house.clock.at)


def test_every_clinic_table_is_forced_under_row_security(house: House) -> None:
    rows = house.rows(
        "select relname, relrowsecurity and relforcerowsecurity as forced from pg_class "
        "where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in rows if not row["forced"]} == SHARED


def test_forgetting_the_clinic_shows_no_row_of_any_clinic_table(house: House) -> None:
    lived_in(house)
    counts = stored(house)
    assert [table for table in walled(house) if not counts[table]] == []  # each one has rows to hide
    with house.parts.database.unscoped() as session:
        seen = {table: session.execute(text(f"select count(*) from {table}")).scalar() for table in walled(house)}
    assert set(seen.values()) == {0}


def test_one_clinic_can_neither_read_nor_change_nor_plant_rows_of_another(house: House) -> None:
    other = lived_in(house)
    for table in walled(house):
        column = clinic_column(table)
        with house.parts.database.clinic(other.clinic_id) as session:
            owners = session.execute(text(f"select distinct {column} from {table}")).scalars().all()
            assert set(owners) <= {other.clinic_id}
            if table in LEDGERS:
                continue
            touched = session.execute(
                text(f"update {table} set {column} = {column} where {column} = :first returning {column}"),
                {"first": house.clinic.clinic_id},
            )
            assert touched.all() == []


def test_a_row_cannot_be_planted_in_or_moved_to_another_clinic(house: House) -> None:
    other = lived_in(house)
    planted = """
        insert into audit (clinic_id, at, actor, action, subject, subject_id, detail)
        values (:first, now(), 'x', 'x', 'x', 1, '{}')
    """
    moved = "update sites set clinic_id = :first"
    for statement in (planted, moved):
        with pytest.raises(ProgrammingError) as refused, house.parts.database.clinic(other.clinic_id) as session:
            session.execute(text(statement), {"first": house.clinic.clinic_id})
        assert isinstance(refused.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize("table", LEDGERS)
@pytest.mark.parametrize("change", ["update {} set clinic_id = clinic_id", "delete from {}", "truncate {}"])
def test_the_app_can_only_append_to_the_ledgers(house: House, table: str, change: str) -> None:
    with (
        pytest.raises(ProgrammingError) as refused,
        house.parts.database.clinic(house.clinic.clinic_id) as session,
    ):
        session.execute(text(change.format(table)))
    assert isinstance(refused.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize("table", ["patients", "scans", "inbound", "outbound", "tasks", "contact_points"])
def test_the_app_can_delete_nothing(house: House, table: str) -> None:
    with (
        pytest.raises(ProgrammingError) as refused,
        house.parts.database.clinic(house.clinic.clinic_id) as session,
    ):
        session.execute(text(f"delete from {table}"))
    assert isinstance(refused.value.orig, InsufficientPrivilege)


@pytest.mark.parametrize(
    "statement",
    [
        "select body from outbound",
        "select phone from outbound",
        "select body from inbound",
        "select phone from inbound",
        "select answer from inbound",
        "select raw from receipts",
        "select phone from contact_points",
        "select given_name from patients",
        "select * from scans",
        "select * from consents",
        "select * from audit",
        "select * from conversations",
        "update outbound set status = 'queued'",
        "update tasks set closed_at = now()",
        "update operator_audit set actor = 'x'",
        "delete from operator_audit",
        "delete from unrouted_texts",
        "insert into clinics (name, created_at) values ('x', now())",
    ],
)
def test_the_role_across_clinics_sees_no_words_and_no_phones_and_changes_nothing(house: House, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused, house.parts.database.cross() as connection:
        connection.execute(text(statement))
    assert isinstance(refused.value.orig, InsufficientPrivilege)


def test_the_setting_of_one_transaction_does_not_reach_the_next(house: House) -> None:
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        assert session.execute(text("select count(*) from sites")).scalar() == 1
    for _ in range(20):  # more than there are pooled connections
        with house.parts.database.unscoped() as session:
            assert session.execute(text("select count(*) from sites")).scalar() == 0
