"""Outcomes that are recorded on links which another process changes, moves or has records of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from connector.errors import HaltError, StopReason
from connector.model import (
    Hold,
    HoldReason,
    Intent,
    Link,
    LinkChange,
    Observation,
    ProblemCode,
    Write,
)
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.isolation import Fault
from connector.sync.write_stage import StageResult
from tests.unit.connector.sync_fixtures import (
    CONTACT,
    EMAIL,
    LEAD,
    OTHER,
    PHONE_BASE,
    agreed,
    answer,
    contact,
    lead,
)
from tests.unit.connector.sync_fixtures_stores import NOW
from tests.unit.connector.sync_fixtures_writes import NEW, TO_LEAD, Stage, edited

# Links that another process changes


NEW_CONTACT: Final = Link(EMAIL, salesforce=(lead(EMAIL),), dirty=True)
"""A Lead for which a contact is created."""


def touching(stage: Stage, number: int, email: str = EMAIL) -> None:
    """Let another process change a link before each of the next puts."""
    stage.sync.ledger.before_save += [lambda: stage.sync.ledger.touch(email, dirty=True)] * number


@pytest.mark.parametrize("number", [1, 4])
def test_outcomes_are_recorded_on_a_link_that_another_process_changed(number: int) -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))
    touching(stage, number)

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    link = stage.link()
    assert (link.intent, link.dirty, link.base[LEAD][PHONE_BASE]) == (None, True, "2")
    assert stage.link(OTHER).dirty is False
    assert [emails for emails, _ in stage.sync.ledger.saves] == [
        [EMAIL, OTHER],
        *[[EMAIL]] * number,
    ]
    # The outcome is counted once.
    assert stage.numbers == {("salesforce", "updated"): 2}


def test_the_links_of_all_attempts_that_stay_dirty_are_left_to_do() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.intend(edited(OTHER, plezi="2"))
    stage.sync.org.answers["l-b@x.fr"].append(answer(WriteResult.RETRY))
    touching(stage, 1)

    assert stage.work() == StageResult(dirty={EMAIL, OTHER}, wrote=True)


def test_a_creation_on_a_link_that_another_process_changed_is_not_the_end() -> None:
    stage = Stage()
    stage.intend(NEW)
    touching(stage, 1)

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)


@pytest.mark.parametrize("of", [NEW, NEW_CONTACT], ids=["a Lead", "a contact"])
@pytest.mark.parametrize("hook", ["before our link is stored", "after it"])
def test_a_new_record_that_another_process_stores_under_its_next_e_mail_stays_one_person(
    hook: str, of: Link
) -> None:
    stage = Stage()
    stage.intend(of)
    new, system = (lead, stage.sync.org) if of is NEW else (contact, stage.sync.plezi)
    other = new(OTHER, id="new", version="9")

    def create(write: Write) -> WriteOutcome:
        outcome = system.done(write)
        assert outcome.observation is not None
        shown = replace(outcome.observation, id="new")
        return replace(outcome, record_id="new", observation=shown)

    system.answers[EMAIL].append(create)

    def read_under_its_next_e_mail() -> None:
        stage.sync.store(replace(Link(OTHER).with_observation(other), dirty=True))

    ledger = stage.sync.ledger
    is_before = hook == "before our link is stored"
    hooks = ledger.before_save if is_before else ledger.then["owner_emails"]
    hooks.append(read_under_its_next_e_mail)

    stage.work()

    assert set(ledger.load_links([EMAIL, OTHER])) == {OTHER}
    assert stage.link(OTHER).record_ids == {"new", *of.record_ids}


def test_outcomes_are_recorded_where_the_intent_is_although_another_link_has_the_records() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)

    def take_records() -> None:
        stage.sync.ledger.touch(EMAIL, dirty=True)
        records = (contact(OTHER, id=CONTACT), lead(OTHER, id=LEAD))
        stage.sync.store(agreed(OTHER, "1", *records))

    stage.sync.ledger.before_save.append(take_records)

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    assert (stage.link().intent, stage.link().base[LEAD][PHONE_BASE]) == (None, "2")


def test_a_run_halts_when_a_link_changes_again_and_again() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    touching(stage, 5)

    with pytest.raises(
        HaltError, match=r"^the same links keep changing: do two workers write to them\?$"
    ) as raised:
        stage.work()
    assert raised.value.reason is StopReason.CONFLICT


def test_a_link_whose_intent_another_process_recovered_is_left_as_it_is() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.ledger.before_save.append(lambda: stage.sync.ledger.touch(EMAIL, intent=None))

    assert stage.work() == StageResult(wrote=True)
    assert stage.link().base[LEAD][PHONE_BASE] == "1"


def test_a_link_with_the_intent_of_another_run_is_left_as_it_is() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    other = Intent("id-9", "run-9", NOW, (), ())
    stage.sync.ledger.before_save.append(lambda: stage.sync.ledger.touch(EMAIL, intent=other))

    stage.work()

    assert stage.link().intent == other


def moving(stage: Stage, *, with_intent: bool = True) -> Callable[[], object]:
    """Return what moves the link to a new e-mail, as another process does."""

    def move() -> None:
        link = stage.link()
        intent = link.intent if with_intent else None
        moved = replace(link, email="new@x.fr", revision=0, indexed=frozenset(), intent=intent)
        super(type(stage.sync.ledger), stage.sync.ledger).save_links([LinkChange(moved, link)])

    return move


def test_outcomes_follow_a_link_to_its_new_e_mail() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.ledger.before_save.append(moving(stage))

    assert stage.work() == StageResult(dirty={"new@x.fr"}, wrote=True)
    link = stage.link("new@x.fr")
    assert (link.intent, link.dirty, link.base[LEAD][PHONE_BASE]) == (None, True, "2")


def test_a_link_that_moved_and_was_recovered_is_left_as_it_is() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.ledger.before_save.append(moving(stage, with_intent=False))

    assert stage.work() == StageResult(wrote=True)
    assert stage.link("new@x.fr").base[LEAD][PHONE_BASE] == "1"


def test_a_link_that_moved_twice_is_found_each_time() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.ledger.before_save.append(moving(stage))
    touching(stage, 2, "new@x.fr")

    assert stage.work() == StageResult(dirty={"new@x.fr"}, wrote=True)
    assert stage.link("new@x.fr").base[LEAD][PHONE_BASE] == "2"


def test_a_link_that_is_gone_is_left_out() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.intend(edited(OTHER, plezi="2"))
    stage.sync.ledger.before_save.append(lambda: stage.sync.ledger.erase(EMAIL))

    assert stage.work() == StageResult(wrote=True)
    assert stage.sync.ledger.load_links([EMAIL]) == {}


def test_a_link_that_is_too_large_after_its_write_is_put_in_quarantine() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.ledger.too_large = {EMAIL}
    stage.sync.org.answers[LEAD].append(answer(WriteResult.RETRY))

    assert stage.work() == StageResult()
    assert stage.isolation.faults == {EMAIL: Fault(ProblemCode.NOT_STORABLE)}


# Records that a creation finds


def found(record: Observation) -> Callable[[Write], WriteOutcome]:
    return answer(WriteResult.STALE, observation=record)


def test_a_record_that_a_creation_finds_joins_the_link() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.org.answers[EMAIL].append(found(lead(EMAIL, "7")))

    assert stage.work() == StageResult(dirty={EMAIL}, wrote=True)
    link = stage.link()
    assert (set(link.record_ids), link.dirty, dict(link.holds)) == ({CONTACT, LEAD}, True, {})
    assert stage.numbers == {("salesforce", "stale"): 1}


def held_for_use(stage: Stage) -> Hold | None:
    link = stage.link()
    assert set(link.record_ids) == {CONTACT}
    return link.holds.get("Email")


IN_USE: Final = Hold(HoldReason.EMAIL_IN_USE, NOW, {CONTACT: EMAIL})


def test_a_record_of_another_link_is_not_taken_and_the_e_mail_is_held() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.store(agreed(OTHER, "1", contact(OTHER), lead(OTHER, id="l9")))
    stage.sync.org.answers[EMAIL].append(found(lead(EMAIL, id="l9")))

    assert stage.work() == StageResult(dirty={EMAIL})
    assert held_for_use(stage) == IN_USE


def test_the_record_of_an_erased_person_is_not_taken() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.tombstones.names = {"l9"}
    stage.sync.org.answers[EMAIL].append(found(lead(EMAIL, id="l9")))

    assert stage.work() == StageResult(dirty={EMAIL})
    assert held_for_use(stage) == IN_USE


def test_a_record_that_another_link_no_longer_has_is_taken() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.store(agreed(OTHER, "1", contact(OTHER), lead(OTHER, id="l9")))
    # The pointer of a record outlives its place in a link.
    stage.sync.ledger.touch(OTHER, salesforce=())
    stage.sync.org.answers[EMAIL].append(found(lead(EMAIL, id="l9")))

    stage.work()

    assert set(stage.link().record_ids) == {CONTACT, "l9"}


def test_a_record_whose_former_link_is_gone_is_taken() -> None:
    stage = Stage()
    stage.intend(NEW)
    stage.sync.store(agreed(OTHER, "1", contact(OTHER), lead(OTHER, id="l9")))
    stage.sync.ledger.erase(OTHER)
    stage.sync.org.answers[EMAIL].append(found(lead(EMAIL, id="l9")))

    stage.work()

    assert set(stage.link().record_ids) == {CONTACT, "l9"}


def test_a_record_that_changed_since_the_plan_shows_nothing_new_by_itself() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.org.answers[LEAD].append(answer(WriteResult.STALE))

    assert stage.work() == StageResult(dirty={EMAIL})
    assert stage.numbers == {("salesforce", "stale"): 1}


def test_the_record_of_the_link_itself_is_read_again() -> None:
    stage = Stage()
    stage.intend(TO_LEAD)
    stage.sync.org.answers[LEAD].append(found(lead(EMAIL, "8", version="5")))

    stage.work()

    known = stage.link().observation(LEAD)
    assert known is not None
    assert (known.values["Phone"], dict(stage.link().holds)) == ("8", {})
