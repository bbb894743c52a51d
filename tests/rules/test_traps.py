"""Twelve traps that others in this field fell into, each with the tests that keep us out of it. A name that is gone fails."""

import ast
from functools import lru_cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TRAPS = {
    "an ambiguous send is sent again": (
        "service/test_delivery_outcomes.py::test_a_text_that_was_never_taken_is_sent_again_only_after_two_look_ups",
        "service/test_delivery_outcomes.py::test_a_claim_whose_worker_died_is_never_resent_blindly",
        "service/test_lookups.py::test_the_same_words_from_another_clinics_number_are_not_taken_for_ours",
    ),
    "one silent call holds up all others": (
        "service/test_carrier_twilio.py::test_a_carrier_that_never_answers_is_not_waited_for_and_leaves_the_outcome_unknown",
        "service/test_told_in_time.py::test_who_stops_us_during_a_slow_batch_gets_nothing_that_was_cleared_before",
        "service/test_web_ops.py::test_the_age_of_the_oldest_due_text_grows_with_the_clock_until_it_is_sent",
    ),
    "something is said before it is kept, or kept open while it is said": (
        "service/test_inbound_broken_turn.py::test_what_a_turn_had_written_before_it_failed_is_rolled_back",
        "end_to_end/test_processes.py::test_a_killed_sender_leaves_a_row_that_is_looked_up_and_sent_once",
        "service/test_two_clinics.py::test_no_connection_is_held_while_the_carrier_is_called",
    ),
    "a repeated webhook passes a check that is not the write": (
        "service/test_inbound_twice.py::test_twins_at_the_same_instant_get_one_row_and_the_same_answer",
        "service/test_inbound_twice.py::test_a_turn_that_waited_for_the_one_before_reads_everything_as_it_is_after_that",
    ),
    "a status goes back": (
        "flows/test_flows_outcomes.py::test_a_status_never_goes_back_whatever_the_order_of_receipts",
        "service/test_receipts.py::test_late_and_repeated_receipts_change_nothing_and_are_kept",
    ),
    "a stop by halves": (
        "flows/test_flows_opt_out.py::test_who_wants_no_texts_gets_none_and_who_asks_is_answered",
        "flows/test_flows_keywords.py::test_the_carriers_start_tag_never_resubscribes",
        "flows/test_flows_keywords.py::test_start_resubscribes_only_from_stopped",
        "service/test_two_clinics.py::test_a_stop_at_one_clinic_leaves_the_other_as_it_was",
        "messages/test_messages_shipped.py::test_no_text_asks_for_a_word_that_the_carrier_takes_for_itself",
    ),
    "an hour in the wrong zone": (
        "flows/test_flows_journey.py::test_wall_times_hold_over_both_changes_of_the_clock",
        "messages/test_messages_speech.py::test_one_instant_is_another_hour_in_another_zone",
    ),
    "a reminder outlives its visit": (
        "service/test_journey_end_to_end_in_process.py::test_a_moved_scan_is_told_once_and_every_later_text_has_the_new_time",
        "simulation/test_rules_can_fail.py::test_a_service_broken_on_purpose_breaks_the_rule",
    ),
    "one row that cannot be read blocks its neighbours": (
        "service/test_poison.py::test_a_poisoned_reminder_is_set_aside_and_its_neighbour_goes_out",
        "service/test_poison.py::test_a_poisoned_text_in_the_outbox_is_refused_alone_and_its_neighbour_goes_out",
        "service/test_two_clinics.py::test_a_clinic_with_hundreds_waiting_holds_up_no_other",
        "flows/test_flows_script.py::test_wrong_data_is_refused_with_its_place",
    ),
    "two machines answer each other": (
        "flows/test_flows_keywords.py::test_a_machine_like_sender_is_not_answered",
        "service/test_inbound_broken_turn.py::test_a_machine_that_answers_the_fallback_is_not_answered_for_ever_and_each_text_is_kept",
    ),
    "a word means too much": (
        "flows/test_flows_safety.py::test_a_carrier_word_counts_only_as_the_whole_text",
        "flows/test_flows_safety.py::test_ordinary_texts_raise_no_alarm",
    ),
    "a running talk is edited, a translation missing": (
        "service/test_published_scripts.py::test_a_conversation_goes_on_in_the_words_it_began_with",
        "service/test_published_scripts.py::test_nobody_is_moved_into_a_question_that_the_new_script_does_not_ask",
        "messages/test_messages_catalog.py::test_every_language_has_every_text",
        "messages/test_messages_sms.py::test_counts_agree_with_the_carriers_own_calculator",
    ),
}


@lru_cache
def names(path: Path) -> frozenset[str]:
    """The functions of a file of tests."""
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


def test_there_are_twelve() -> None:
    assert len(TRAPS) == 12


@pytest.mark.parametrize(("trap", "test"), [(trap, test) for trap, tests in TRAPS.items() for test in tests])
def test_each_trap_has_its_tests(trap: str, test: str) -> None:
    path, _, name = test.partition("::")
    assert name in names(TESTS / path), f"{trap}: {test} is gone"
