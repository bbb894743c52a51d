"""Logs hold ids and never words, names or numbers; the command line keeps its contract with other programs."""

import json
import logging
import subprocess
import sys

import pytest

from service.demo_data import PATIENT_NUMBER
from service.settings import Settings
from tests.house import House

CANARY = "canary-4f81"


def test_no_words_names_or_numbers_reach_any_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house.book(given_name=CANARY)
    house.turn()
    for words in ("1", "1", f"{CANARY} does it hurt?", f"{CANARY} I want to die", f"\x00{CANARY}", "STOP"):
        house.text(words)
    house.carrier.faults.plan("500_before")
    house.turn()
    ours = [
        record for record in caplog.records if not record.name.startswith(("simulator", "uvicorn", "httpx", "httpcore"))
    ]
    said = "\n".join(record.getMessage() + str(record.exc_info) for record in ours)
    assert CANARY not in said
    assert PATIENT_NUMBER not in said
    assert PATIENT_NUMBER.removeprefix("+") not in said


def scanguide(*arguments: str, given: str = "", environment: dict[str, str] | None = None) -> str:
    """Run the command; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        input=given, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_route_prints_one_object_a_line_in_order_a_blank_line_too() -> None:
    texts = [
        "Does it hurt?",
        "",
        "stop texting me",
        "I want to die",
        "wrong number",
        "what do my results mean",
        "i am late",
    ]
    printed = [json.loads(line) for line in scanguide("route", "--json", given="\n".join(texts) + "\n").splitlines()]
    assert [set(found) for found in printed] == [{"tier", "topics", "safety", "caution"}] * len(texts)
    assert printed[0] == {"tier": "answer", "topics": ["hurt"], "safety": [], "caution": []}
    assert printed[1] == {"tier": "unknown", "topics": [], "safety": [], "caution": []}
    assert [found["safety"] for found in printed[2:6]] == [["opt_out"], ["crisis"], ["opt_out"], ["results_personal"]]
    assert {found["tier"] for found in printed[2:6]} == {"safety"}
    assert printed[6]["topics"] == ["location_arrival"]


def test_clinic_user_and_key_print_what_they_made_as_json(empty: Settings) -> None:
    from service.embedded import environment

    known = {**environment(empty), "SECRET_KEY": empty.secret_key}
    clinic = json.loads(
        scanguide("clinic", "add", "--name", "North", "--number", "+12125550111", "--json", environment=known)
    )
    assert clinic["live"] is False
    assert "prep" in clinic["missing"]
    fields = [
        "address=1 North St", "phone=+12125550142", "after_hours_phone=+12125550143", "on_call_phone=+12125550144",
        "radiation=Ask us.", "results_timing=Within 2 days.", "terms_url=north.test/t", "prep.Pylarify=Drink water.",
    ]  # fmt: skip
    number = str(clinic["clinic_id"])
    changed = json.loads(scanguide("clinic", "set", number, *fields, "--json", environment=known))
    assert changed == {"clinic_id": clinic["clinic_id"], "live": True, "missing": []}
    user = json.loads(
        scanguide(
            "user", "add", "n@north.test", "--clinic", number, "--password", "long enough", "--json", environment=known
        )
    )
    assert user["role"] == "staff"
    key = json.loads(scanguide("key", "add", "--clinic", number, "--json", environment=known))
    assert key["key"].startswith("sg_")


def test_a_refusal_is_one_line_and_exit_2(empty: Settings) -> None:
    from service.embedded import environment

    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "clinic", "add", "--name", "Prostate Center", "--number", "+12125550111"],
        env=environment(empty), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("scanguide: name: 'Prostate Center' tells what the visit is about")
    assert len(done.stderr.splitlines()) == 1
