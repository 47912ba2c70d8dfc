"""The contact of a form is read again in Plezi, and its link resolved at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.model import (
    Breaker,
    ChangeHint,
    Counts,
    Cursor,
    HintResult,
    Intent,
    Page,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Run,
    RunKind,
    RunState,
    Write,
)
from connector.planning.write_outcome import WriteResult
from connector.sync.hint_work import HintWork
from tests.unit.connector.sync_fixtures import EMAIL, SyncSetup, answer
from tests.unit.connector.sync_fixtures_limits import BOUND, limited, mapped, synchronized
from tests.unit.connector.sync_fixtures_stores import NOW, Clock

FORM: Final = Run("t1", RunKind.FORM, RunState.RUNNING, requested_at=NOW)
SCOPE: Final = BOUND.read_scope


def work(setup: SyncSetup, **hint: Any) -> HintResult:
    run = setup.ledger.load_run("t1") or setup.store_run(FORM)
    return HintWork(setup.context, BOUND, run).work(ChangeHint("t1", **hint))


@pytest.mark.parametrize(
    ("hint", "searched"),
    [
        ({"contact_id": "p"}, [(["p"], [])]),
        ({"email": EMAIL}, [([], [EMAIL])]),
        ({"contact_id": "p", "email": EMAIL}, [(["p"], [])]),
        ({"contact_id": "p9", "email": EMAIL}, [(["p9"], []), ([], [EMAIL])]),
    ],
)
def test_the_contact_is_read_by_its_id_else_by_its_e_mail_and_becomes_a_lead(
    hint: dict[str, str], searched: list[tuple[list[str], list[str]]]
) -> None:
    setup = limited(mapped("p", phone="1"))

    assert work(setup, **hint) is HintResult.RESOLVED

    assert setup.plezi.look_ups == searched
    assert setup.org.writes == [Write(RecordKind.LEAD, "", EMAIL, {"Email": EMAIL, "Phone": "1"})]
    assert setup.counts("t1")["plezi"]["seen"] == 1
    assert setup.counts("t1")["salesforce"]["created"] == 1
    assert {(it.run_id, it.email) for it in setup.journal.entries()} == {("t1", EMAIL)}


@pytest.mark.parametrize("hint", [{"contact_id": "p9"}, {"email": "b@x.fr"}, {}])
def test_a_contact_that_plezi_does_not_return_is_not_readable(hint: dict[str, str]) -> None:
    setup = limited(mapped("p"))

    assert work(setup, **hint) is HintResult.NOT_READABLE
    assert (setup.org.calls, setup.ledger.all_links()) == (0, [])


def test_the_link_of_another_worker_is_busy_and_waits_for_a_run() -> None:
    setup = limited(mapped("p", phone="2"), mapped("l", Phone="1"))
    intent = Intent("i", "r0", NOW - 1, (), ())
    link = replace(synchronized(mapped("p", phone="1"), mapped("l", Phone="1")), intent=intent)
    setup.store(link, listed=True)

    assert work(setup, contact_id="p") is HintResult.BUSY

    assert setup.org.writes == []
    assert setup.ledger.dirty_emails(9) == [EMAIL]


@pytest.mark.parametrize(("seconds", "attempts"), [(60.0, 3), (0.0, 1)])
def test_a_write_that_cannot_be_made_now_is_tried_while_there_is_time_and_waits_for_a_run(
    seconds: float, attempts: int
) -> None:
    setup = limited(mapped("p", phone="2"))
    setup.org.put(mapped("l", Phone="1"))
    setup.org.answers["l"] += [answer(WriteResult.RETRY, code="BUSY")] * 9
    setup.store(synchronized(mapped("p", phone="1"), mapped("l", Phone="1")))
    setup.deadline.start(remaining=900.0, budget=seconds)

    assert work(setup, contact_id="p") is HintResult.BUSY

    assert [it.values for it in setup.org.writes] == [{"Phone": "2"}] * attempts
    assert setup.ledger.dirty_emails(9) == [EMAIL]


def test_a_form_that_changes_what_an_admin_must_decide_about_is_stopped() -> None:
    setup = limited(mapped("p"), mapped("l", Phone="1"))
    link = synchronized(mapped("p", phone="1"), mapped("l", Phone="1"))
    setup.store(link)
    setup.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "look", NOW))

    with pytest.raises(HaltError, match="The breaker is open, and this form would clear Phone"):
        work(setup, contact_id="p")

    assert setup.org.writes == []


def test_a_form_that_clears_a_value_is_counted_for_its_day() -> None:
    setup = limited(mapped("p"), mapped("l", Phone="1"))
    link = synchronized(mapped("p", phone="1"), mapped("l", Phone="1"))
    setup.store(link)

    assert work(setup, contact_id="p") is HintResult.RESOLVED

    assert [it.values for it in setup.org.writes] == [{"Phone": None}]
    assert setup.ledger.load_document("form_changes#20833") == {"salesforce": {"cleared.Phone": 1}}


def test_a_contact_with_a_defect_is_in_quarantine_under_the_trace_of_the_form() -> None:
    setup = limited()
    problem = RecordProblem(RecordKind.PLEZI_CONTACT, "p", EMAIL, ProblemCode.DEFECT, "no form")
    setup.plezi.problems.append(problem)

    assert work(setup, contact_id="p") is HintResult.NOT_READABLE

    assert setup.log.of(Event.link_failed) == [
        {"run_id": "t1", "link": f"name of {EMAIL}", "code": "defect", "detail": "no form"}
    ]
    [link] = setup.ledger.all_links()
    assert link.quarantine is not None
    assert setup.ledger.dirty_emails(9) == [EMAIL]


def test_a_contact_that_was_read_long_ago_is_looked_at_before_it_is_written_from() -> None:
    setup = limited(mapped("p", phone="1"))
    read = [Page((mapped("p", phone="1"),), Cursor(RecordKind.PLEZI_CONTACT, "w"), last=True)]
    setup.plezi.clock = Clock(NOW - 3600)
    setup.plezi.has_change_feed, setup.plezi.changes = True, read
    setup.store_run(FORM)
    cursor = Cursor(RecordKind.PLEZI_CONTACT, "w", completed_at=NOW - 3600, look="k")
    setup.ledger.checkpoint(cursor, "t1", Counts())

    assert work(setup, contact_id="p") is HintResult.RESOLVED

    assert ("recent", "k", SCOPE) in setup.plezi.requests
    assert setup.log.of(Event.page_read)[0]["run_id"] == "t1"
    after = setup.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    assert (after.look, after.looked_at) == ("w", NOW)
