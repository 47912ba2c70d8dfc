"""Writes that a system refuses: what is sent again at once, without the refused fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.mapping import (
    BoundMapping,
    Direction,
    FieldPair,
)
from connector.mapping.model import PLEZI_URL_PAIR
from connector.model import JournalKind, Link, ProblemCode, Side, Write
from connector.planning.field_problem import FieldProblem
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.isolation import Fault
from connector.sync.write_stage import StageResult
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    EMAIL_BASE,
    LEAD,
    MAPPING,
    OTHER,
    RUN,
    after,
    agreed,
    answer,
    bound_to,
    contact,
    lead,
    raising,
)
from tests.unit.connector.sync_fixtures_writes import Stage

NAMES: Final = ("one", "two", "three", "four")
PAIRS: Final = tuple(FieldPair(name, name.title(), Direction.BOTH) for name in NAMES)
BOUND: Final[BoundMapping] = bound_to(*MAPPING.pairs[:1], *PAIRS)
OLD: Final = dict.fromkeys(NAMES, "1")


def values(email: str, **changes: Any) -> dict[str, Any]:
    return {"email": email, **OLD, **changes}


def in_salesforce(of_plezi: dict[str, Any]) -> dict[str, Any]:
    return {name.title(): value for name, value in of_plezi.items()}


def edited(
    email: str = EMAIL, *, side: Side = Side.PLEZI, all_new: bool = False, **changes: Any
) -> Link:
    """Return a link that agreed on all fields; some were changed on one side since."""
    changes |= dict.fromkeys(NAMES, "2") if all_new else {}
    new, old = values(email, **changes), values(email)
    of_plezi, of_salesforce = (new, old) if side is Side.PLEZI else (old, new)
    records = (
        contact(email, values=of_plezi),
        lead(email, values=in_salesforce(of_salesforce)),
    )
    base = {EMAIL_BASE: email, **{f"{name}>{name.title()}": "1" for name in NAMES}}
    return replace(agreed(email, "1", *records), base={it.id: base for it in records}, dirty=True)


def refusal(*fields: str, code: str = "INVALID") -> Callable[[Write], WriteOutcome]:
    return answer(WriteResult.REJECTED, code=code, remedy="correct it", fields=fields)


def sent(stage: Stage, side: Side = Side.SALESFORCE) -> list[dict[str, Any]]:
    system = stage.sync.org if side is Side.SALESFORCE else stage.sync.plezi
    return [dict(write.values) for write in system.writes]


def test_a_refused_field_is_left_out_and_all_others_are_written() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"))
    stage.sync.org.answers[LEAD].append(refusal("One"))

    assert stage.work() == StageResult(wrote=True)
    assert sent(stage) == [{"One": "2", "Two": "2"}, {"Two": "2"}]
    link = stage.link()
    assert link.base[LEAD]["one>One"] == "1"
    assert link.base[LEAD]["two>Two"] == "2"
    assert link.quarantine is not None
    assert (link.quarantine.code, link.quarantine.fields) == ("INVALID", ("One",))
    assert (link.dirty, link.intent) == (False, None)
    assert stage.numbers == {("salesforce", "updated"): 1, ("salesforce", "quarantined"): 1}
    assert stage.entries() == [
        (JournalKind.WRITTEN, LEAD, "Two", "2", "changed"),
        (JournalKind.REFUSED, LEAD, "One", None, "INVALID"),
    ]
    assert stage.sync.log.of(Event.link_quarantined) == [
        {
            "run_id": RUN,
            "link": f"name of {EMAIL}",
            "side": "salesforce",
            "code": "INVALID",
            "field_names": ["One"],
        }
    ]


def test_a_write_without_a_field_that_is_accepted_is_refused_as_a_whole() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2"))
    stage.sync.org.answers[LEAD].append(refusal("One"))

    assert stage.work() == StageResult()
    assert (len(sent(stage)), stage.link().intent, stage.link().dirty) == (1, None, False)
    assert stage.numbers == {("salesforce", "quarantined"): 1}
    assert stage.entries() == [(JournalKind.REFUSED, LEAD, "One", None, "INVALID")]


def test_a_system_may_name_one_refused_field_after_another_three_times() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(all_new=True))
    stage.sync.org.answers[LEAD] += [refusal("One"), refusal("Two"), refusal("Three")]

    assert stage.work() == StageResult(wrote=True)
    assert [sorted(it) for it in sent(stage)] == [
        ["Four", "One", "Three", "Two"],
        ["Four", "Three", "Two"],
        ["Four", "Three"],
        ["Four"],
    ]
    quarantine = stage.link().quarantine
    assert quarantine is not None
    assert quarantine.fields == ("One", "Two", "Three")


def test_a_write_is_not_made_smaller_a_fourth_time() -> None:
    more = (FieldPair("five", "Five", Direction.BOTH),)
    stage = Stage(bound_to(*MAPPING.pairs[:1], *PAIRS, *more))
    link = edited(all_new=True)
    assert link.plezi is not None
    (known,) = link.salesforce
    plezi = replace(link.plezi, values={**link.plezi.values, "five": "2"})
    other = replace(known, values={**known.values, "Five": "1"})
    base = {it: {**of_record, "five>Five": "1"} for it, of_record in link.base.items()}
    stage.intend(replace(link, plezi=plezi, salesforce=(other,), base=base))
    names = ("One", "Two", "Three", "Four")
    stage.sync.org.answers[LEAD] += [refusal(name) for name in names]

    assert stage.work() == StageResult()
    assert len(sent(stage)) == 4


def test_only_refused_writes_are_sent_again() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"))
    stage.intend(edited(OTHER, one="2"))
    stage.sync.org.answers[LEAD].append(refusal("One"))

    assert stage.work() == StageResult(wrote=True)
    assert [write.email for write in stage.sync.org.writes] == [EMAIL, OTHER, EMAIL]


def test_refusals_of_plezi_are_sent_again_while_there_is_time() -> None:
    stage = Stage(BOUND)
    for email in (EMAIL, OTHER):
        stage.intend(edited(email, side=Side.SALESFORCE, one="2", two="2"))
        stage.sync.plezi.answers[f"p-{email}"].append(refusal("one"))

    # There is time after the first write; none after the first write that is sent again.
    result = stage.work(after(1))

    assert result == StageResult(dirty={OTHER}, wrote=True, unsent=True)
    assert sent(stage, Side.PLEZI) == [*[{"one": "2", "two": "2"}] * 2, {"two": "2"}]
    assert stage.link().quarantine is not None
    # What was refused is not known any more: the whole write is tried later.
    assert (stage.link(OTHER).quarantine, stage.link(OTHER).dirty) == (None, True)
    assert stage.numbers == {
        ("plezi", "updated"): 1,
        ("plezi", "quarantined"): 1,
        ("plezi", "retry"): 1,
    }


def test_a_system_that_accepts_no_more_calls_leaves_the_smaller_write_for_later() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"))
    stage.sync.org.answers[LEAD].append(refusal("One"))
    halt = HaltError(StopReason.SALESFORCE_REFUSED, "no more")
    stage.sync.org.then["apply"] += [list, raising(halt)]

    with pytest.raises(HaltError):
        stage.work()

    assert (stage.link().dirty, stage.link().quarantine) == (True, None)
    assert stage.numbers == {("salesforce", "retry"): 1}


def test_a_smaller_write_without_a_response_is_in_doubt() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"))
    stage.sync.org.answers[LEAD] += [refusal("One"), answer(WriteResult.UNKNOWN)]

    assert stage.work() == StageResult(dirty={EMAIL})
    intent = stage.link().intent
    assert intent is not None
    assert [dict(write.values) for write in intent.writes] == [{"Two": "2"}]
    assert stage.counts.get(Side.SALESFORCE, "unknown") == 1


@pytest.mark.parametrize("unanswered", [0, 2])
def test_a_refused_field_is_counted_once_although_the_smaller_write_has_no_response(
    unanswered: int,
) -> None:
    stage = Stage(BOUND)
    stage.intend(replace(edited(one="2", two="2"), unanswered=unanswered))
    stage.sync.org.answers[LEAD] += [refusal("One"), answer(WriteResult.UNKNOWN)]

    stage.work()

    assert stage.counts.get(Side.SALESFORCE, "quarantined") == 1
    assert len(stage.sync.log.of(Event.link_quarantined)) == 1


def test_every_value_of_an_undo_is_counted() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"), is_partial=True)

    stage.work()

    assert stage.counts.get(Side.SALESFORCE, "undone") == 2


def test_a_problem_of_a_value_and_a_refused_field_are_shown_together() -> None:
    problem = FieldProblem(
        "Three", Side.PLEZI, "three", ProblemCode.UNUSABLE_VALUE, "it is too long", "shorten it"
    )
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="2"), problems=(problem,))
    stage.sync.org.answers[LEAD].append(refusal("One"))

    stage.work()

    quarantine = stage.link().quarantine
    assert quarantine is not None
    assert set(quarantine.fields) == {"One", "three"}


def test_an_edit_that_a_response_shows_is_resolved_once_more() -> None:
    stage = Stage(BOUND)
    stage.intend(edited(one="2", two="5", three="1"))

    def update(write: Write) -> WriteOutcome:
        smaller = replace(write, values={"One": "2"})
        outcome = stage.sync.org.done(smaller)
        assert outcome.observation is not None
        shown = {**outcome.observation.values, "Two": "5", "Three": "7"}
        observation = replace(outcome.observation, values=shown)
        return replace(outcome, write=write, observation=observation)

    stage.sync.org.answers[LEAD].append(update)

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)


# Creations

NEW: Final = Link(EMAIL, plezi=contact(EMAIL, values=values(EMAIL)), dirty=True)
WHOLE: Final = in_salesforce(values(EMAIL))
SMALLER: Final = {name: value for name, value in WHOLE.items() if name != "One"}


def test_what_a_smaller_creation_writes_is_stored_before_it_is_sent() -> None:
    stage = Stage(BOUND)
    stage.intend(NEW)
    stage.sync.org.answers[EMAIL].append(refusal("One"))
    stored: list[Link] = []
    stage.sync.org.then["apply"] += [list, lambda: stored.append(stage.link())]

    assert stage.work() == StageResult(wrote=True)
    assert sent(stage) == [WHOLE, SMALLER]
    (during,) = stored
    assert during.intent is not None
    assert [dict(write.values) for write in during.intent.writes] == [SMALLER]
    assert stage.sync.ledger.saves == [([EMAIL], True)] * 2
    # Only the refused field is left: the link waits until somebody corrects it.
    link = stage.link()
    assert (link.dirty, link.intent) == (False, None)
    assert link.quarantine is not None
    assert stage.numbers == {("salesforce", "created"): 1, ("salesforce", "quarantined"): 1}


def test_the_smaller_creation_of_a_form_is_on_no_list() -> None:
    stage = Stage(BOUND, listed=False)
    stage.intend(NEW)
    stage.sync.org.answers[EMAIL].append(refusal("One"))

    stage.work()

    assert stage.sync.ledger.saves == [([EMAIL], False)] * 2


def test_a_creation_is_not_sent_again_when_another_process_changed_the_link() -> None:
    stage = Stage(BOUND)
    stage.intend(NEW)
    stage.intend(edited(OTHER, one="2", two="2"))
    stage.sync.org.answers[EMAIL].append(refusal("One"))
    stage.sync.org.answers["l-b@x.fr"].append(refusal("One"))
    stage.sync.ledger.before_save.append(lambda: stage.sync.ledger.touch(EMAIL, dirty=True))

    result = stage.work()

    assert result == StageResult(dirty={EMAIL}, wrote=True)
    assert [write.email for write in stage.sync.org.writes] == [EMAIL, OTHER, OTHER]
    assert stage.entries(JournalKind.REFUSED) == [
        (JournalKind.REFUSED, "", "One", None, "INVALID"),
        (JournalKind.REFUSED, "l-b@x.fr", "One", None, "INVALID"),
    ]
    assert (stage.link().dirty, stage.link().intent) == (True, None)


def test_a_creation_is_not_sent_again_when_its_link_is_too_large() -> None:
    stage = Stage(BOUND)
    stage.intend(NEW)
    stage.sync.ledger.too_large = {EMAIL}
    stage.sync.org.answers[EMAIL].append(refusal("One"))

    stage.work()

    assert sent(stage) == [WHOLE]
    assert stage.isolation.faults == {EMAIL: Fault(ProblemCode.NOT_STORABLE)}


def test_a_creation_that_is_made_smaller_twice_is_stored_twice() -> None:
    stage = Stage(BOUND)
    stage.intend(NEW)
    stage.sync.org.answers[EMAIL] += [refusal("One"), refusal("Two")]

    assert stage.work() == StageResult(wrote=True)
    assert [sorted(it) for it in sent(stage)] == [
        ["Email", "Four", "One", "Three", "Two"],
        ["Email", "Four", "Three", "Two"],
        ["Email", "Four", "Three"],
    ]
    assert len(stage.sync.ledger.saves) == 3


def test_a_record_that_shows_more_to_write_is_resolved_once_more() -> None:
    stage = Stage(bound_to(*MAPPING.pairs, PLEZI_URL_PAIR))
    values_of_lead = {"Email": EMAIL, "Phone": "1", "plezi_url__c": None}
    stage.intend(Link(EMAIL, salesforce=(lead(EMAIL, values=values_of_lead),), dirty=True))

    def create(write: Write) -> WriteOutcome:
        outcome = stage.sync.plezi.done(write)
        assert outcome.observation is not None
        shown = {**outcome.observation.values, "url": "page"}
        return replace(outcome, observation=replace(outcome.observation, values=shown))

    stage.sync.plezi.answers[EMAIL].append(create)

    # The address of the page is known now, and is still to be written to the Lead.
    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    assert stage.link().dirty
