"""The contact of a form is read again in Plezi, and its link resolved at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.mapping import ReadScope
from connector.model import (
    Breaker,
    ChangeHint,
    Counts,
    Cursor,
    HintResult,
    Intent,
    Link,
    LinkChange,
    LookupResult,
    Observation,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Run,
    RunKind,
    RunState,
    Side,
    Write,
)
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.hint_work import HintWork
from tests.unit.connector.sync_fixtures_limits import (
    BOUND,
    EMAIL,
    NOW,
    Stack,
    SystemInMemory,
    contact,
    lead,
)

FORM: Final = Run("t1", RunKind.FORM, RunState.RUNNING, requested_at=NOW)
SCOPE: Final = BOUND.read_scope


def work(stack: Stack, **hint: Any) -> HintResult:
    run = stack.ledger.load_run("t1") or stack.run(FORM)
    return HintWork(stack.context(), BOUND, run).work(ChangeHint("t1", **hint))


def counts_of(stack: Stack) -> dict[str, dict[str, int]]:
    run = stack.ledger.load_run("t1")
    assert run is not None
    return {side: dict(numbers) for side, numbers in run.counts.items()}


def look_ups(stack: Stack) -> list[tuple[Any, ...]]:
    return [it[1:3] for it in stack.plezi.requests if it[0] == "look_up"]


def synchronized(plezi: Observation, *leads: Observation) -> Link:
    """Return a link whose records agree on their present values."""
    base = {"email>Email": EMAIL, "function>Title": None, "phone>Phone": "1"}
    return Link(EMAIL, plezi, leads, {it.id: base for it in (plezi, *leads)})


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
    stack = Stack([contact(phone="1")], [])

    assert work(stack, **hint) is HintResult.RESOLVED

    assert look_ups(stack) == searched
    assert stack.salesforce.writes == [
        Write(RecordKind.LEAD, "", EMAIL, {"Email": EMAIL, "Phone": "1"})
    ]
    assert counts_of(stack)["plezi"]["seen"] == 1
    assert counts_of(stack)["salesforce"]["created"] == 1
    assert {(it.run_id, it.email) for it in stack.journal.entries()} == {("t1", EMAIL)}


@pytest.mark.parametrize("hint", [{"contact_id": "p9"}, {"email": "b@x.fr"}, {}])
def test_a_contact_that_plezi_does_not_return_is_not_readable(hint: dict[str, str]) -> None:
    stack = Stack([contact()], [])

    assert work(stack, **hint) is HintResult.NOT_READABLE
    assert (stack.salesforce.calls, stack.ledger.all_links()) == (0, [])


def test_the_link_of_another_worker_is_busy_and_waits_for_a_run() -> None:
    stack = Stack([contact(phone="2")], [lead(Phone="1")])
    intent = Intent("i", "r0", NOW - 1, (), ())
    link = replace(synchronized(contact(phone="1"), lead(Phone="1")), intent=intent)
    stack.ledger.save_links([LinkChange(link)], listed=True)

    assert work(stack, contact_id="p") is HintResult.BUSY

    assert stack.salesforce.writes == []
    assert stack.ledger.dirty_emails(9) == [EMAIL]


class BusySystem(SystemInMemory):
    """Answers every write that it cannot be made now."""

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:  # noqa: ARG002  # a port
        for write in writes:
            self.writes.append(write)
            yield WriteOutcome(write, WriteResult.RETRY, code="BUSY")


@pytest.mark.parametrize(("seconds", "attempts"), [(60.0, 3), (0.0, 1)])
def test_a_write_that_cannot_be_made_now_is_tried_while_there_is_time_and_waits_for_a_run(
    seconds: float, attempts: int
) -> None:
    stack = Stack([contact(phone="2")], [])
    stack.salesforce = BusySystem(Side.SALESFORCE, [lead(Phone="1")])
    stack.ledger.save_links([LinkChange(synchronized(contact(phone="1"), lead(Phone="1")))])
    stack.deadline.start(remaining=900.0, budget=seconds)

    assert work(stack, contact_id="p") is HintResult.BUSY

    assert [it.values for it in stack.salesforce.writes] == [{"Phone": "2"}] * attempts
    assert stack.ledger.dirty_emails(9) == [EMAIL]


def test_a_form_that_changes_what_an_admin_must_decide_about_is_stopped() -> None:
    stack = Stack([contact()], [lead(Phone="1")])
    link = synchronized(contact(phone="1"), lead(Phone="1"))
    stack.ledger.save_links([LinkChange(link)])
    stack.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "look", NOW))

    with pytest.raises(HaltError, match="The breaker is open, and this form would clear Phone"):
        work(stack, contact_id="p")

    assert stack.salesforce.writes == []


def test_a_form_that_clears_a_value_is_counted_for_its_day() -> None:
    stack = Stack([contact()], [lead(Phone="1")])
    link = synchronized(contact(phone="1"), lead(Phone="1"))
    stack.ledger.save_links([LinkChange(link)])

    assert work(stack, contact_id="p") is HintResult.RESOLVED

    assert [it.values for it in stack.salesforce.writes] == [{"Phone": None}]
    assert stack.ledger.load_document("form_changes#20833") == {"salesforce": {"cleared.Phone": 1}}


def test_a_contact_with_a_defect_is_in_quarantine_under_the_trace_of_the_form() -> None:
    stack = Stack()
    problem = RecordProblem(RecordKind.PLEZI_CONTACT, "p", EMAIL, ProblemCode.DEFECT, "no form")
    stack.plezi.found = LookupResult(problems=(problem,))

    assert work(stack, contact_id="p") is HintResult.NOT_READABLE

    assert stack.events.of(Event.link_failed) == [
        {"run_id": "t1", "link": f"<{EMAIL}>", "code": "defect", "detail": "no form"}
    ]
    [link] = stack.ledger.all_links()
    assert link.quarantine is not None
    assert stack.ledger.dirty_emails(9) == [EMAIL]


def test_a_contact_that_was_read_long_ago_is_looked_at_before_it_is_written_from() -> None:
    stack = Stack([replace(contact(phone="1"), as_of=NOW - 3600)], [])
    stack.run(FORM)
    cursor = Cursor(RecordKind.PLEZI_CONTACT, "w", completed_at=NOW - 3600, look="k")
    stack.ledger.checkpoint(cursor, "t1", Counts())

    assert work(stack, contact_id="p") is HintResult.RESOLVED

    assert ("recent", "k", SCOPE) in stack.plezi.requests
    assert stack.events.of(Event.page_read)[0]["run_id"] == "t1"
    after = stack.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    assert (after.look, after.looked_at) == ("w", NOW)
