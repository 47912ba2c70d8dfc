"""Runs: each ends with a reason, is paused, or queues its own continuation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from connector.connected_systems import ConnectedSystem, save_system
from connector.deadline import DeadlineError
from connector.errors import (
    HaltError,
    RetryError,
    StopReason,
)
from connector.model import (
    Breaker,
    Phase,
    RunKind,
    RunState,
    Side,
    UndoRequest,
    WorkList,
)
from connector.sync.runs import IDLE_MESSAGE, NOT_STARTED_MESSAGE
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    MAPPING,
    OTHER,
    RUN,
    SyncSetup,
    agreed,
    always,
    contact,
    raising,
)
from tests.unit.connector.sync_fixtures_runs import run_phase, setup_with_contact
from tests.unit.connector.sync_fixtures_stores import NOW

USED_UP: Final = "the share of calls is used up"
REFUSED: Final = HaltError(StopReason.LOGIN_REFUSED, "the password was reset")
BUSY: Final = RetryError("the org is busy", reason=StopReason.SALESFORCE_UNAVAILABLE)
LATE: Final = DeadlineError("the time is used up")
FINAL: Final = (
    RunState.DONE,
    RunState.HALTED,
    RunState.FAILED,
    RunState.NOT_STARTED,
    RunState.PAUSED,
)


# The end of a run


def test_a_run_that_is_not_stored_is_over() -> None:
    setup = setup_with_contact()

    assert run_phase(setup) is RunState.DONE
    assert (setup.plezi.calls, setup.queue.messages) == (0, [])


@pytest.mark.parametrize("state", FINAL)
def test_a_run_that_has_ended_is_left_as_it_is(state: RunState) -> None:
    setup = setup_with_contact()
    before = replace(setup.request(), state=state)
    setup.store_run(before)

    assert run_phase(setup) is state
    assert (setup.run(), setup.plezi.calls) == (before, 0)


def test_a_run_of_changes_creates_the_lead_and_is_done() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.plezi.then["read"].append(lambda: setup.clock.advance(5))

    assert run_phase(setup) is RunState.DONE
    run = setup.run()
    assert (run.state, run.reason, run.message) == (RunState.DONE, None, "")
    assert (run.started_at, run.finished_at, run.invocations) == (NOW, NOW + 5, 1)
    assert (run.mapping_version, run.phase) == (MAPPING.version, Phase.READ)
    assert [write.values for write in setup.org.writes] == [{"Email": EMAIL, "Phone": "1"}]
    assert setup.queue.messages == []


def test_the_calls_of_an_invocation_are_counted_by_side() -> None:
    setup = setup_with_contact()
    setup.plezi.calls, setup.org.calls = 7, 11
    setup.request()

    run_phase(setup)

    assert setup.plezi.calls == 8
    assert setup.org.calls == 15
    counts = setup.counts()
    assert (counts["plezi"]["calls"], counts["salesforce"]["calls"]) == (1, 4)
    assert setup.budget.saved == 1


def test_a_run_halts_at_an_error_that_an_admin_must_correct() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.plezi.then["read"].append(raising(REFUSED))

    assert run_phase(setup) is RunState.HALTED
    run = setup.run()
    assert (run.state, run.reason) == (RunState.HALTED, StopReason.LOGIN_REFUSED)
    assert (run.message, run.finished_at) == ("the password was reset", NOW)
    assert setup.counts()["plezi"] == {"calls": 1}
    assert (setup.queue.messages, setup.budget.saved) == ([], 1)


def test_a_run_fails_at_an_error_that_the_next_run_may_not_find() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.plezi.then["read"].append(raising(BUSY))

    assert run_phase(setup) is RunState.FAILED
    run = setup.run()
    assert (run.state, run.reason) == (RunState.FAILED, StopReason.SALESFORCE_UNAVAILABLE)
    assert (run.message, setup.queue.messages) == ("the org is busy", [])


def test_an_unexpected_error_is_raised_and_the_calls_are_counted() -> None:
    setup = setup_with_contact()
    setup.request()
    setup.plezi.then["read"].append(raising(ValueError("no number")))

    with pytest.raises(ValueError, match="no number"):
        run_phase(setup)
    assert (setup.run().state, setup.counts()["plezi"]) == (RunState.RUNNING, {"calls": 1})


# Runs that may not start


def test_a_run_does_not_start_before_synchronization_is_enabled() -> None:
    setup = setup_with_contact()
    setup.ledger.set_enabled(on=False, now=0.0)
    setup.request()

    assert run_phase(setup) is RunState.NOT_STARTED
    run = setup.run()
    assert (run.state, run.reason) == (RunState.NOT_STARTED, StopReason.NOT_STARTED)
    assert (run.message, run.finished_at, run.invocations) == (NOT_STARTED_MESSAGE, NOW, 0)
    assert setup.plezi.calls == 0


def test_a_dry_run_needs_no_permission() -> None:
    setup = setup_with_contact()
    setup.ledger.set_enabled(on=False, now=0.0)
    setup.ledger.open_breaker(Breaker(StopReason.DEFECT, "many errors", NOW))
    setup.request(RunKind.DRY_RUN)

    assert run_phase(setup) is RunState.DONE
    assert setup.org.writes == []
    assert [entry.after for entry in setup.journal.plans] == [EMAIL, "1"]


NAMED: Final = {"emails": (EMAIL,)}
REPAIR: Final = {"emails": (EMAIL,), "repairs": "run-0"}
UNDONE: Final = {"undo": UndoRequest("run-0")}


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (RunKind.CHANGES, {}, StopReason.DEFECT),
        (RunKind.CHANGES, {}, StopReason.FIRST_SYNC),
        (RunKind.CHANGES, {}, StopReason.MASS_CLEARING),
        (RunKind.VERIFY, {}, StopReason.DEFECT),
        (RunKind.SELECTED, REPAIR, StopReason.DEFECT),
    ],
)
def test_an_open_breaker_stops_a_run_until_an_admin_decides(
    kind: RunKind, changes: dict[str, Any], reason: StopReason
) -> None:
    setup = setup_with_contact()
    setup.ledger.open_breaker(Breaker(reason, "decide first", NOW - 9))
    setup.request(kind, **changes)

    assert run_phase(setup) is RunState.HALTED
    run = setup.run()
    assert (run.state, run.reason, run.message) == (RunState.HALTED, reason, "decide first")
    assert (run.invocations, setup.plezi.calls) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (RunKind.CHANGES, {}, StopReason.LOGIN_REFUSED),
        (RunKind.SELECTED, NAMED, StopReason.DEFECT),
        (RunKind.UNDO, UNDONE, StopReason.DEFECT),
    ],
)
def test_a_decision_of_an_admin_or_a_breaker_of_a_login_stops_no_run(
    kind: RunKind, changes: dict[str, Any], reason: StopReason
) -> None:
    setup = setup_with_contact()
    setup.ledger.open_breaker(Breaker(reason, "decide first", NOW))
    setup.request(kind, **changes)

    assert run_phase(setup) is RunState.DONE


# Runs that are paused


def test_a_run_pauses_before_its_first_call_when_the_calls_are_used_up() -> None:
    setup = setup_with_contact()
    setup.budget.reasons = [USED_UP]
    setup.request()

    assert run_phase(setup) is RunState.PAUSED
    run = setup.run()
    assert (run.state, run.reason) == (RunState.PAUSED, StopReason.API_BUDGET)
    assert run.message == (
        "The share of calls is used up. Nothing is lost: the next run continues from here when "
        "calls are free again."
    )
    assert (run.invocations, setup.plezi.calls) == (0, 0)


def test_a_paused_verification_has_no_result_and_says_how_to_request_it_again() -> None:
    setup = setup_with_contact()
    setup.budget.reasons = [USED_UP]
    setup.request(RunKind.VERIFY)

    assert run_phase(setup) is RunState.PAUSED
    assert setup.run().message == (
        "The share of calls is used up. The verification is not complete, and has no result: "
        'request it again (POST /sync with {"kind": "verify"}) when calls are free again.'
    )


def test_a_run_that_uses_up_the_calls_stops_and_is_paused() -> None:
    setup = setup_with_contact()
    setup.plezi.page_size = 1
    setup.plezi.put(contact(OTHER))
    setup.budget.reasons = ["", USED_UP]
    setup.request()

    assert run_phase(setup) is RunState.PAUSED
    assert setup.run().reason is StopReason.API_BUDGET
    assert (setup.plezi.calls, setup.org.calls, setup.queue.messages) == (1, 0, [])


def test_a_run_that_is_complete_is_done_although_the_calls_are_used_up() -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW)
    setup.budget.reasons = ["", *[""] * 3, USED_UP]
    setup.request()

    assert run_phase(setup) is RunState.DONE


# Continuations


def test_a_run_that_is_out_of_time_queues_the_phase_that_is_left() -> None:
    setup = setup_with_contact()
    setup.request(idle=2)

    assert run_phase(setup, out_of_time=always) is RunState.RUNNING
    assert setup.queue.messages == [(RUN, Phase.READ)]
    run = setup.run()
    assert (run.state, run.idle, run.finished_at) == (RunState.RUNNING, 0, 0.0)


def test_a_run_stops_when_the_deadline_of_the_invocation_is_over() -> None:
    setup = setup_with_contact()
    setup.plezi.page_size = 1
    setup.plezi.put(contact(OTHER))
    setup.deadline.start(remaining=100.0, budget=10.0)
    setup.plezi.then["read"].append(lambda: setup.clock.advance(10))
    setup.request()

    assert run_phase(setup) is RunState.RUNNING
    assert (setup.plezi.calls, setup.queue.messages) == (1, [(RUN, Phase.READ)])


def test_the_next_invocation_begins_in_the_phase_that_had_no_time_for_a_call() -> None:
    setup = setup_with_contact()
    setup.request(idle=2)
    setup.org.then["look_up"].append(raising(LATE))

    assert run_phase(setup) is RunState.RUNNING
    assert setup.queue.messages == [(RUN, Phase.RESOLVE)]
    assert (setup.run().idle, setup.counts()["salesforce"]["calls"]) == (0, 3)


def test_an_invocation_without_time_to_begin_keeps_the_place_of_the_run() -> None:
    setup = setup_with_contact()
    place = WorkList(RUN, 3)
    setup.request(idle=1, position=place, visited_lists=4)
    setup.plezi.then["schemas"].append(raising(LATE))

    assert run_phase(setup, Phase.RESOLVE) is RunState.RUNNING
    run = setup.run()
    assert (run.idle, run.position, run.visited_lists) == (2, place, 4)
    assert setup.queue.messages == [(RUN, Phase.RESOLVE)]


def test_the_place_that_an_invocation_reached_is_stored() -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW)
    emails = [f"{number:04}@x.fr" for number in range(1300)]
    setup.store(*(agreed(email, dirty=True) for email in emails), listed=True)
    setup.request()
    setup.list_links(0, *emails[:650])
    setup.list_links(1, *emails[650:])

    assert run_phase(setup, Phase.RESOLVE, always) is RunState.RUNNING
    assert (setup.run().position, setup.run().visited_lists) == (WorkList(RUN, 1), 0)


def test_the_lists_that_were_visited_without_plezi_are_stored() -> None:
    setup = SyncSetup()
    setup.read_all(at=NOW)
    setup.request()
    setup.list_links(0, EMAIL)
    setup.store(agreed(EMAIL, dirty=True), listed=True)

    assert run_phase(setup, Phase.RESOLVE, always) is RunState.RUNNING
    assert setup.queue.messages == [(RUN, Phase.WRITE_PLEZI)]
    assert (setup.run().visited_lists, setup.run().idle) == (1, 0)


def test_a_run_without_progress_in_four_invocations_fails() -> None:
    setup = setup_with_contact()
    setup.request(idle=3)
    setup.plezi.then["schemas"].append(raising(LATE))

    assert run_phase(setup, Phase.RESOLVE) is RunState.FAILED
    run = setup.run()
    assert (run.state, run.reason, run.idle) == (RunState.FAILED, StopReason.OUT_OF_TIME, 4)
    assert run.message == IDLE_MESSAGE.format(number=4, phase="resolve")
    assert setup.queue.messages == []


def test_work_without_progress_counts_as_idle() -> None:
    setup = setup_with_contact()
    setup.request(idle=2)
    setup.plezi.then["read"].append(raising(LATE))

    assert run_phase(setup) is RunState.RUNNING
    assert (setup.run().idle, setup.queue.messages) == (3, [(RUN, Phase.READ)])


def test_links_forget_a_former_system_before_a_run_reads_the_new_one() -> None:
    setup = setup_with_contact()
    setup.store(agreed(OTHER))
    system = ConnectedSystem("plezi-1", forget_since=NOW - 9)
    save_system(setup.ledger, Side.PLEZI, system)
    place = WorkList(RUN, 3)
    setup.request(idle=3, position=place, visited_lists=4)

    assert run_phase(setup, Phase.RESOLVE, always) is RunState.RUNNING
    assert setup.link(OTHER).plezi is None
    run = setup.run()
    assert (run.idle, run.position, run.visited_lists) == (0, place, 4)
    assert (setup.queue.messages, setup.plezi.calls) == ([(RUN, Phase.RESOLVE)], 0)


def test_a_dry_run_does_not_let_the_links_forget_a_former_system() -> None:
    setup = setup_with_contact()
    setup.store(agreed(OTHER))
    system = ConnectedSystem("plezi-1", forget_since=NOW - 9)
    save_system(setup.ledger, Side.PLEZI, system)
    setup.request(RunKind.DRY_RUN)

    assert run_phase(setup) is RunState.HALTED
    assert (setup.run().reason, setup.link(OTHER)) == (
        StopReason.OTHER_TENANT,
        replace(agreed(OTHER), revision=setup.link(OTHER).revision, indexed=agreed(OTHER).names),
    )


def test_a_run_halts_when_the_credentials_lead_to_another_tenant() -> None:
    setup = setup_with_contact()
    save_system(setup.ledger, Side.PLEZI, ConnectedSystem("former"))
    setup.request()

    assert run_phase(setup) is RunState.HALTED
    assert (setup.run().reason, setup.plezi.calls) == (StopReason.OTHER_TENANT, 0)
