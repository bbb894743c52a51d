"""PostgreSQL away, or the web process killed in mid-turn: a quick refusal, nothing half done, and one answer in the end."""

import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from twilio.request_validator import RequestValidator

from flows.router import Context, route
from service import doorbell, embedded
from service.clinics import add_clinic
from service.demo_data import CLINIC_NUMBER, SITE
from service.migrate import migrate
from service.settings import Settings
from service.store.database import Database, driver_url
from service.web.app import create_app
from service.wiring import open_parts
from tests.end_to_end.chaos import Postgres
from tests.end_to_end.conftest import eventually, free_port, running
from tests.house import MONDAY, House, let_in, serving
from tests.service.signed import text_form

AT_ONCE, QUICK = 40, 4.0  # webhooks together; seconds, where the carrier waits for 15
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]


CLIENT = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0))


def say(settings: Settings, web: str, sid: str, phone: str, body: str = "Does it hurt?") -> tuple[int, float, str]:
    """Post one signed text; returns the status, how long it took, and the answer."""
    form = text_form(sid, body) | {"From": phone}
    address = f"{settings.public_url}/twilio/inbound"
    headers = {
        "X-Twilio-Signature": RequestValidator(settings.twilio_auth_token).compute_signature(address, form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    began = time.monotonic()
    answer = CLIENT.post(f"{web}/twilio/inbound", data=form, headers=headers)
    return answer.status_code, time.monotonic() - began, answer.text


def say_again(settings: Settings, web: str, sid: str, phone: str) -> tuple[int, float, str]:
    """The same, tried up to five times more, as the carrier does."""
    for _ in range(5):
        answer = say(settings, web, sid, phone)
        if answer[0] != 503:
            return answer
    return say(settings, web, sid, phone)


def all_at_once(
    settings: Settings, web: str, prefix: str, post: Callable[..., tuple[int, float, str]] = say
) -> list[tuple[int, float, str]]:
    """Forty texts from forty phones together."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda n: post(settings, web, f"{prefix}{n}", f"+13125550{n:03}"), range(AT_ONCE)))


def slowest(answers: list[tuple[int, float, str]]) -> float:
    """How long the last one waited."""
    return max(seconds for _, seconds, _ in answers)


@contextmanager
def web_on_its_own_database(servers: Settings, folder: Path) -> Iterator[tuple[Settings, Postgres, str]]:
    """A clinic's web door on a PostgreSQL that nobody else uses."""
    folder.mkdir()
    let_in(folder)
    with embedded.postgres(folder / "pg") as url:
        migrate(url)
        settings = servers.model_copy(update={"database_url": url, "migrate_database_url": url})
        parts = open_parts(settings, ring=doorbell.silent)
        add_clinic(parts.database, "Riverside", CLINIC_NUMBER, SITE, keywords="ours", now=MONDAY)
        postgres = Postgres(folder / "pg")
        route("hello", Context())  # as `scanguide serve` does before it answers
        with serving(create_app(parts)) as web:
            try:
                yield settings, postgres, web
            finally:
                parts.database.forget_connections()
                postgres.start()


def test_database_away_is_told_at_once_and_comes_back_by_itself(servers: Settings, tmp_path: Path) -> None:
    with web_on_its_own_database(servers, tmp_path / "own") as (settings, postgres, web):
        assert {status for status, _, _ in all_at_once(settings, web, "SMa", say_again)} == {200}
        postgres.kill()
        away = all_at_once(settings, web, "SMb")
        assert {status for status, _, _ in away} == {503}
        assert slowest(away) < QUICK, sorted(round(s, 1) for _, s, _ in away)
        postgres.start()
        again = all_at_once(settings, web, "SMb", say_again)  # connections of the old server may cost a try each
        assert {status for status, _, _ in again} == {200}
        engine = create_engine(driver_url(settings.owner_url))
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from inbound")).scalar() == 2 * AT_ONCE
            kept = "select count(*), count(distinct message_sid) from inbound where answer is not null"
            assert tuple(connection.execute(text(kept)).one()) == (2 * AT_ONCE, 2 * AT_ONCE)
        engine.dispose()


def test_a_database_that_does_not_even_refuse_is_told_as_quickly(house: House) -> None:
    """A failed host: packets are lost, nothing answers. The pool must not add its patience to the connection's."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(256)  # takes connections and never says a word
        lost = f"postgresql://scanguide@127.0.0.1:{silent.getsockname()[1]}/scanguide"
        parts = open_parts(house.settings, ring=doorbell.silent, now=house.clock)
        away = Database(lost, doorbell.silent)
        app = create_app(dataclasses.replace(parts, database=away))
        app.state.routes[CLINIC_NUMBER] = (house.clinic.clinic_id, house.clinic.sender_id)
        with serving(app) as web:
            answers = all_at_once(house.settings, web, "SMc")
        parts.database.forget_connections()
        assert {status for status, _, _ in answers} == {503}
        assert slowest(answers) < QUICK, sorted(round(s, 1) for _, s, _ in answers)


def test_web_process_killed_in_mid_turn_leaves_nothing_and_the_next_try_gets_one_answer(house: House) -> None:
    house.opt_in()
    port = free_port()
    web = f"http://127.0.0.1:{port}"
    sent = "SM" + "7" * 32
    before = house.rows("select count(*) as n from outbound")[0]["n"]
    holder = create_engine(driver_url(house.settings.owner_url))

    def ready() -> bool:
        try:
            return httpx.get(f"{web}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        with holder.connect() as lock, running("serve", house.settings, "--port", str(port)) as process:
            eventually(ready, "the web process answers", 60)
            lock.execute(text("select * from contact_points for update"))  # the turn will wait in its middle
            lost = threading.Thread(target=_lost, args=(house.settings, web, sent))
            lost.start()
            waits = "select count(*) as n from pg_stat_activity where wait_event_type = 'Lock'"
            eventually(lambda: house.rows(waits)[0]["n"] > 0, "the turn is in its middle")
            process.kill()
            lost.join(30)
            lock.rollback()
        with running("serve", house.settings, "--port", str(port)):
            eventually(ready, "the web process answers again", 60)
            first, again = (say(house.settings, web, sent, "+12125550123") for _ in range(2))
    finally:
        holder.dispose()
    assert first[0] == again[0] == 200
    assert first[2] == again[2]
    assert "does not hurt" in first[2]
    assert house.rows("select count(*) as n from inbound where message_sid = :sid", sid=sent) == [{"n": 1}]
    assert house.rows("select count(*) as n from outbound")[0]["n"] == before + first[2].count("<Message ")


def _lost(settings: Settings, web: str, sid: str) -> None:
    with pytest.raises(httpx.TransportError):
        say(settings, web, sid, "+12125550123")
