"""A carrier's receipts come late, twice and out of order: a status only rises, and an unknown code asks a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.outcomes import FINAL, FROM_CARRIER, RANK, _table, outcome, rises

KINDS = {"retry", "again", "next_day", "uncertain", "number", "opted_out", "sender", "person"}
CARRIER = {"queued", "sending", "sent", "failed", "delivered", "undelivered", "accepted", "scheduled", "read",
           "partially_delivered", "canceled"}  # fmt: skip
STATUSES = st.sampled_from(sorted(RANK)) | st.text(max_size=12)


@pytest.mark.parametrize("code", sorted(_table()))
def test_every_code_has_a_known_class_and_words_for_staff(code: int) -> None:
    assert outcome(code).kind in KINDS
    assert len(outcome(code).words) > 10


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (20429, "retry"), (21611, "again"), (30001, "again"), (30017, "again"), (30022, "again"), (30500, "again"),
        (20500, "uncertain"), (20503, "uncertain"), (21610, "opted_out"), (21614, "number"), (21211, "number"),
        (30006, "number"), (30005, "number"), (30007, "sender"), (30034, "sender"), (20003, "sender"),
        (30008, "person"), (30003, "person"), (30036, "person"),
    ],
)  # fmt: skip
def test_the_codes_that_matter_are_classed_as_designed(code: int, kind: str) -> None:
    assert outcome(code).kind == kind


# Section 1.6 of the reference, code by code in its order; what differs from it says why.
LISTED = {
    "retry": (20429,),
    "again": (30001, 30017, 30022, 21611, 30500, 30047, 63018),
    "next_day": (30023, 30027),
    "uncertain": (20500, 20503, 30410),
    "number": (21211, 21614, 21217, 21612, 30005, 30006, 21635, 21408, 21268, 63024, 63003),
    "opted_out": (21610, 30004, 63014),
    "sender": (30007, 21618, 30032, 30033, 30034, 30035, 30024, 30450, 30610, 30640, 20003, 20005, 30002, 21606, 21601,
               21703, 21704, 21705, 21910, 21608, 23002, 23003, 23004, 23005),
    # 30008 may have arrived, 30003 and 30036 go to a person at once rather than once more; warnings; one text's own faults.
    "person": (30008, 30003, 30036, 30025, 30026, 21605, 21617, 30009, 30010, 63016, 63032, 21602, 21619),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in LISTED.items() for code in codes])
def test_every_code_of_the_reference_has_its_row_and_its_class(kind: str, code: int) -> None:
    assert code in _table()
    assert outcome(code).kind == kind
    assert str(code) not in outcome(code).words  # words, not numbers, are what staff read


@given(st.none() | st.integers().filter(lambda code: code not in _table()))
def test_an_unknown_code_is_for_a_person_never_retried(code: int | None) -> None:
    assert outcome(code).kind == "person"
    assert str(code) in outcome(code).words


def test_only_what_was_never_processed_is_retried_at_once() -> None:
    assert [code for code in _table() if outcome(code).kind == "retry"] == [20429]


def test_every_word_of_the_carrier_has_a_status_of_ours() -> None:
    assert set(FROM_CARRIER) == CARRIER
    assert set(FROM_CARRIER.values()) <= set(RANK)


@given(st.lists(STATUSES, max_size=12))
def test_a_status_never_goes_back_whatever_the_order_of_receipts(receipts: list[str]) -> None:
    status = "planned"
    for receipt in receipts:
        before = RANK[status]
        status = receipt if rises(status, receipt) else status
        assert RANK[status] >= before
    known = [RANK[receipt] for receipt in receipts if receipt in RANK]
    assert RANK[status] == max([0, *known])


@given(st.lists(STATUSES, max_size=8), st.lists(STATUSES, max_size=8))
def test_once_delivered_it_stays_delivered(before: list[str], after: list[str]) -> None:
    status = "planned"
    for receipt in [*before, "delivered", *after]:
        status = receipt if rises(status, receipt) else status
    assert status == "delivered"


@pytest.mark.parametrize("status", sorted(FINAL - {"delivered"}))
def test_delivered_beats_a_failure_but_a_failure_does_not_beat_delivered(status: str) -> None:
    assert rises(status, "delivered")
    assert not rises("delivered", status)
    assert all(not rises(status, other) for other in set(RANK) - {"delivered"})


@pytest.mark.parametrize("status", sorted(RANK))
def test_the_same_receipt_twice_and_an_unknown_one_change_nothing(status: str) -> None:
    assert not rises(status, status)
    assert not rises(status, "some new word")
