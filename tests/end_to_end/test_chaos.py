"""Real process chaos: whole journeys while everything is killed, and the carrier's log against the plan afterwards.

`make chaos ROUNDS=5 SEED=3` runs longer and prints the table.
"""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.chaos import chaos
from tests.end_to_end.chaos_accounts import reckon, table
from tests.end_to_end.chaos_journeys import journey, phones_of, settle

PATIENTS, PATIENTS_OF_LONG_RUNS, TEXTS_EACH = 48, 60, 8
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos")]


def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    rounds, seed = int(os.environ.get("CHAOS_ROUNDS", "1")), int(os.environ.get("CHAOS_SEED", "1"))
    patients = PATIENTS_OF_LONG_RUNS if "CHAOS_ROUNDS" in os.environ else PATIENTS
    began = time.monotonic()
    with chaos(tmp_path / "chaos", seed) as house:
        with phones_of(house, seed) as phones:
            for cohort in range(rounds):
                journey(house, phones, cohort, patients)
            settle(house)
        accounts = reckon(house)
        sys.stdout.write(f"\n{table(house, accounts)}\n{time.monotonic() - began:.0f} s\n")
    assert not accounts.absent
    assert not accounts.doubled
    assert not accounts.after_stop
    assert not accounts.uncertain["still open"]
    assert accounts.planned >= TEXTS_EACH * patients * rounds
    assert accounts.received >= accounts.planned * 0.75
