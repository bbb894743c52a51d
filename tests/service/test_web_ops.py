"""The operators' page and the machines' doors: pause, failed jobs, lateness, and who may call what."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from service.web import access
from service.web.app import create_app
from tests.house import House
from tests.service.signed import INBOUND, browser, post, second_door, text_form

GUARDS = {access.signed_form, access.api_caller, access.staff, access.operator, access.anyone}
PUBLIC = {"/livez", "/readyz", "/metrics"}


@pytest.fixture
def redis(house: House) -> Iterator[Redis]:
    """The house's own Valkey, emptied."""
    client = Redis.from_url(house.settings.redis_url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


def run_jobs(redis: Redis) -> Queue:
    """Work off the queue `sending` in this process."""
    queue = Queue("sending", connection=redis, serializer=JSONSerializer)
    SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    return queue


def failed_job(redis: Redis) -> str:
    """A ring whose job fails; returns its id."""
    queue = Queue("sending", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue_call("operator.truediv", args=(417, 0), description="send")
    run_jobs(redis)
    return str(job.id)


# Pause --------------------------------------------------------------------------------------------------------------


def test_a_pause_holds_automated_texts_until_it_is_lifted(house: House) -> None:
    house.book()
    with browser(house, "ops") as ops:
        assert ops.post("/ops/pause", data={"value": "on"}).status_code == 303
        assert "All sending is paused</strong>, for 0 seconds now." in ops.get("/ops").text
        assert "scanguide_paused 1.0" in house.web.get("/metrics").text
        house.turn()
        assert house.bodies() == []
        assert house.planned()["invite"] == ("planned", "sending is paused")
        ops.post("/ops/pause", data={"value": "off"})
        house.clock.at += timedelta(minutes=2)
        house.turn()
        assert len(house.bodies()) == 1
        assert "Sending runs." in ops.get("/ops").text
    assert [row["action"] for row in house.rows("select action from operator_audit order by id")] == [
        "pause on",
        "pause off",
    ]


def test_while_all_is_paused_the_page_says_so_once_and_nothing_on_it_looks_well(house: House) -> None:
    with browser(house, "ops") as ops:
        assert "on time" in ops.get("/ops").text
        ops.post("/ops/pause", data={"value": "on"})
        house.clock.at += timedelta(minutes=5)
        ops.post("/ops/pause", data={"value": "on"})  # said twice: the first moment counts
        page = ops.get("/ops").text
        assert page.count("All sending is paused") == 1
        assert "paused</strong>, for 5 minutes now" in page
        assert [word for word in ("on time", ">live<", "Sending runs", 'figure good"') if word in page] == []
        assert '<span class="tag waiting">paused</span>' in page


def test_pausing_all_is_asked_for_twice(house: House) -> None:
    with browser(house, "ops") as ops:
        page = ops.get("/ops").text
    asked = page[page.index('<details class="confirm" id="pause">') :]
    assert "Yes, pause all sending</button>" in asked[: asked.index("</details>")]
    assert page.count('value="on">') == 2  # the other one holds a clinic's texts


def test_every_page_of_the_clinic_says_since_when_operators_have_paused_all(house: House) -> None:
    house.opt_in()
    banner = "The operators have paused all sending</strong> since Monday, March 8, 9:00 am"
    with browser(house, "clinic") as staff, browser(house, "ops") as ops:
        pages = ("/clinic", "/clinic/tasks", "/clinic/unanswered", "/clinic/book", "/clinic/scans/S-1")
        assert [path for path in pages if banner in staff.get(path).text] == []
        ops.post("/ops/pause", data={"value": "on"})
        assert [path for path in pages if banner not in staff.get(path).text] == []


def test_a_pause_holds_ordinary_replies_and_raises_a_task(house: House) -> None:
    house.opt_in()
    with browser(house, "ops") as ops:
        ops.post("/ops/pause", data={"value": "on"})
        assert house.text("how do I get ready?") == []
        assert house.tasks() == {"paused_text": "sending is paused"}
        (kept,) = house.rows("select status, reason from outbound where key = 'prep'")
        assert (kept["status"], kept["reason"]) == ("refused", "sending is paused")
        ops.post("/ops/pause", data={"value": "off"})
    assert house.text("how do I get ready?")


def test_a_pause_never_holds_safety_stop_or_help(house: House) -> None:
    house.opt_in()
    with browser(house, "ops") as ops:
        ops.post("/ops/pause", data={"value": "on"})
    assert "988" in house.text("I want to die")[0]
    assert "Help:" in house.text("HELP")[0]
    assert "no more texts" in house.text("STOP")[0]
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": house.clock.at}]


def test_the_switch_knows_only_on_and_off(house: House) -> None:
    with browser(house, "ops") as ops:
        assert ops.post("/ops/pause", data={"value": "maybe"}).status_code == 422
        assert ops.post("/ops/pause").status_code == 422
    assert house.rows("select name from switches") == []


def test_operators_see_which_clinics_are_held_and_can_hold_one_or_let_it_go_on(house: House) -> None:
    path = f"/ops/clinics/{house.clinic.clinic_id}/pause"
    with browser(house, "ops") as ops:
        assert "are held" not in ops.get("/ops").text
        assert ops.post(path, data={"value": "maybe"}).status_code == 422
        assert ops.post("/ops/clinics/999/pause", data={"value": "on"}).status_code == 404
        assert ops.post(path, data={"value": "on"}).status_code == 303
        house.clock.at += timedelta(minutes=5)
        assert "All texts of Riverside are held</strong>, for 5 minutes now." in ops.get("/ops/live").text
        ops.post(path, data={"value": "off"})
        assert "are held" not in ops.get("/ops").text
    assert [row["action"] for row in house.rows("select action from operator_audit order by id")] == [
        "clinic pause on",
        "clinic pause off",
    ]


def test_operators_close_their_own_tasks_only(house: House) -> None:
    house.opt_in()
    house.text("please call me")
    (theirs,) = house.rows("select clinic_id, id from tasks where kind = 'contact_human'")
    with browser(house, "ops") as ops:
        assert ops.post(f"/ops/tasks/{theirs['clinic_id']}/{theirs['id']}/done").status_code == 404
    assert "contact_human" in house.tasks()


# Failed jobs --------------------------------------------------------------------------------------------------------


def test_a_failed_job_is_listed_with_its_error_and_can_be_retried(house: House, redis: Redis) -> None:
    job = failed_job(redis)
    with browser(house, "ops") as ops:
        listed = ops.get("/ops").text
        assert "operator.truediv" in listed
        assert "ZeroDivisionError" in listed
        assert 'scanguide_jobs_failed{queue="sending"} 1.0' in house.web.get("/metrics").text
        assert ops.post(f"/ops/jobs/{job}/retry").status_code == 303
        assert 'data-testid="failed-job"' not in ops.get("/ops").text
        assert 'scanguide_rings_waiting{queue="sending"} 1.0' in house.web.get("/metrics").text
        assert run_jobs(redis).failed_job_registry.count == 1
        assert 'data-testid="failed-job"' in ops.get("/ops/live").text


def test_a_failed_job_can_be_discarded_and_then_is_gone(house: House, redis: Redis) -> None:
    job = failed_job(redis)
    with browser(house, "ops") as ops:
        assert ops.post(f"/ops/jobs/{job}/discard").status_code == 303
        assert 'data-testid="failed-job"' not in ops.get("/ops").text
        assert ops.post(f"/ops/jobs/{job}/discard").status_code == 404
        assert ops.post(f"/ops/jobs/{job}/frame").status_code == 404


def test_while_redis_is_away_the_page_answers_and_says_so_and_texts_are_answered(house: House) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound and not listening
        away = f"redis://127.0.0.1:{holder.getsockname()[1]}/0"
        with browser(house, "ops") as ops, second_door(house, ring=True, redis_url=away) as web:
            web.cookies.set("scanguide", ops.cookies["scanguide"])
            seen = web.get("/ops")
            assert (seen.status_code, "Redis does not answer." in seen.text) == (200, True)
            assert "scanguide_doorbell_up 0.0" in web.get("/metrics").text
            assert "<Message" in post(house, INBOUND, text_form("SM1", "I want to die"), web).text
            assert web.get("/readyz").status_code == 200


# Machines -----------------------------------------------------------------------------------------------------------


def gauge(house: House, name: str) -> float:
    """One number of /metrics."""
    lines = house.web.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"scanguide_{name} ")).split()[1])


def test_a_healthy_house_says_so(house: House) -> None:
    assert house.web.get("/livez").json() == {"status": "alive"}
    ready = house.web.get("/readyz")
    assert ready.status_code == 200
    assert ready.text.startswith("ready (")
    assert gauge(house, "oldest_due_seconds") == 0


def test_the_age_of_the_oldest_due_text_grows_with_the_clock_until_it_is_sent(house: House) -> None:
    house.book()
    ages = []
    for minutes in (0, 2, 10):
        house.clock.at += timedelta(minutes=minutes)
        ages.append(gauge(house, "oldest_due_seconds"))
    assert ages == [0, 120, 720]
    assert gauge(house, "reminders_due") == 1
    with browser(house, "ops") as ops:
        assert "12 minutes" in ops.get("/ops").text
    house.turn()
    assert gauge(house, "oldest_due_seconds") == 0
    assert gauge(house, "since_receipt_seconds") == 0


# Who may call -------------------------------------------------------------------------------------------------------


def routes_of(routes: list[Any]) -> Iterator[APIRoute]:
    """Every route of the application, routers within it included."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        for inner in ("routes", "original_router"):
            nested = getattr(route, inner, None)
            if nested:
                yield from routes_of(list(nested if inner == "routes" else nested.routes))


def guards_of(dependant: Any) -> set[Any]:
    """Everything a route depends on, however deep."""
    return {dependant.call}.union(*(guards_of(inner) for inner in dependant.dependencies))


def test_every_route_declares_who_may_call_it(house: House) -> None:
    found = list(routes_of(create_app(house.parts).routes))
    assert len(found) > 30
    unguarded = {route.path for route in found if not guards_of(route.dependant) & GUARDS}
    assert unguarded == PUBLIC


def test_the_operators_pages_are_for_operators_only(house: House) -> None:
    with browser(house, "clinic") as staff:
        for path in ("/ops", "/ops/live"):
            for answer in (staff.get(path), house.web.get(path)):
                assert (answer.status_code, answer.headers["location"]) == (303, "/ops/login")
        assert staff.post("/ops/pause", data={"value": "on"}).headers["location"] == "/ops/login"
    assert house.rows("select name from switches") == []
