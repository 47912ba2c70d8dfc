"""The effect of a write response on a link, and when the link stays dirty."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Intent,
    Link,
    MergeRule,
    Observation,
    ProblemCode,
    RecordKind,
    Write,
)
from connector.planning.write_outcome import (
    UNANSWERED_ATTEMPTS,
    WriteOutcome,
    WriteResult,
    record_outcomes,
)

KNOWN = Observation(
    RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": "1", "mobile": None}
)
WRITE = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"mobile": "2"}, {"mobile": None}, "1")
PHONE = "phone>Phone"
MOBILE = "mobile>MobilePhone"
BASE_UPDATE = BaseUpdate(
    "MobilePhone",
    {"p": AgreedValue(MOBILE, "mobile", "2"), "l": AgreedValue(MOBILE, "MobilePhone", "2")},
    frozenset({"p"}),
)
LINK = Link(
    "a@x.fr",
    plezi=KNOWN,
    base={"p": {PHONE: "1"}, "l": {PHONE: "1"}},
    intent=Intent("i", "r", 0.0, (WRITE,), (BASE_UPDATE,)),
    dirty=True,
)


def after_response(**values: str) -> Link:
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2", **values})
    outcome = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    return record_outcomes(LINK, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)


def test_a_response_that_shows_the_written_values_completes_the_link() -> None:
    after = after_response()
    assert not after.dirty
    assert after.base["p"][MOBILE] == "2"


def test_a_response_that_shows_an_edit_of_another_field_keeps_the_link_dirty() -> None:
    after = after_response(phone="3")
    assert after.dirty
    assert after.base["p"][PHONE] == "1"


def test_a_value_that_the_side_reformats_is_not_an_edit() -> None:
    after = after_response(mobile="02")
    assert not after.dirty
    assert after.base["p"][MOBILE] == "02"


def test_the_base_of_an_excluded_lead_is_removed_once_the_write_is_done() -> None:
    base_update = replace(BASE_UPDATE, invalidated={"l": PHONE})
    intent = Intent("i", "r", 0.0, (WRITE,), (base_update,))
    for result, kept in ((WriteResult.DONE, False), (WriteResult.REJECTED, True)):
        outcome = WriteOutcome(WRITE, result, "p", 2.0)
        link = replace(LINK, intent=intent)
        after = record_outcomes(link, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)
        assert (PHONE in after.base["l"]) is kept


LEAD = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 1.0, {"MobilePhone": None})
TO_LEAD = Write(RecordKind.LEAD, "l", "a@x.fr", {"MobilePhone": "2"}, {"MobilePhone": None}, "1")


def after_another_process_read(read: Observation, outcome: WriteOutcome) -> Link:
    """Record a response on a link that another process has read again since the write."""
    base_update = replace(BASE_UPDATE, required_writes=frozenset({outcome.write.record_id}))
    intent = Intent("i", "r", 0.0, (outcome.write,), (base_update,))
    link = replace(LINK, intent=intent).with_observation(read)
    return record_outcomes(
        link, "i", {outcome.write.record_id: outcome}, unchanged_since_intent=False, now=2.0
    )


def test_an_edit_after_our_write_that_another_process_read_is_kept() -> None:
    read = replace(LEAD, version="3", values={"MobilePhone": "3"})
    after = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    assert after.observation("l") == read
    assert after.base["l"][MOBILE] == "2"
    assert after.dirty


def test_a_response_older_than_the_read_of_another_process_is_ignored() -> None:
    read = replace(KNOWN, version="3", values={"phone": "1", "mobile": "3"})
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2"})
    after = after_another_process_read(
        read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == read
    assert after.base["p"][MOBILE] == "2"


def test_a_response_replaces_the_reading_that_the_write_is_based_on_whatever_its_stamp_is() -> None:
    based_on = replace(KNOWN, version="9", values={"phone": "1", "mobile": None})
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2"})
    write = replace(WRITE, version="9")
    after = after_another_process_read(
        based_on, WriteOutcome(write, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == response


def test_an_edit_of_a_lead_that_was_just_created_is_kept() -> None:
    read = replace(LEAD, version="3", values={"MobilePhone": "3"})
    response = replace(LEAD, version="", values={"MobilePhone": "2"})
    outcome = WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0, created=True, observation=response)
    assert after_another_process_read(read, outcome).observation("l") == read


def test_without_versions_the_time_of_the_read_decides() -> None:
    for as_of, value in ((1.0, "2"), (3.0, "3")):
        read = replace(KNOWN, version="", as_of=as_of, values={"phone": "1", "mobile": "3"})
        response = replace(KNOWN, version="", values={"phone": "1", "mobile": "2"})
        after = after_another_process_read(
            read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
        )
        known = after.observation("p")
        assert known is not None
        assert known.values["mobile"] == value


def after_attempts(link: Link, *results: WriteResult) -> Link:
    """Return the link after attempts of the same write, one after the other."""
    for result in results:
        outcome = WriteOutcome(WRITE, result, "p", 2.0)
        link = record_outcomes(
            replace(link, intent=LINK.intent),
            "i",
            {"p": outcome},
            unchanged_since_intent=True,
            now=2.0,
        )
    return link


def test_a_write_that_never_has_a_response_is_shown_and_tried_again() -> None:
    lost = [WriteResult.UNKNOWN] * UNANSWERED_ATTEMPTS
    before = after_attempts(LINK, *lost[1:])
    assert before.quarantine is None
    after = after_attempts(before, lost[0])
    assert after.quarantine is not None
    assert after.quarantine.code == ProblemCode.UNANSWERED
    assert after.quarantine.fields == ("mobile",)
    assert after.dirty
    assert after.intent is not None
    assert after.intent.in_doubt


def test_a_response_ends_the_count_of_the_attempts_without_one() -> None:
    lost = [WriteResult.UNKNOWN] * (UNANSWERED_ATTEMPTS - 1)
    answered = after_attempts(LINK, *lost, WriteResult.DONE)
    assert answered.unanswered == 0
    assert after_attempts(answered, *lost).quarantine is None
    assert after_attempts(LINK, *lost, WriteResult.RETRY).unanswered == UNANSWERED_ATTEMPTS - 1


def test_a_write_that_its_system_always_puts_off_is_shown_with_the_code_and_tried_again() -> None:
    busy = WriteOutcome(WRITE, WriteResult.RETRY, code="LOCKED", remedy="wait", is_own=True)
    link = LINK
    for _ in range(UNANSWERED_ATTEMPTS):
        assert link.quarantine is None
        link = record_outcomes(
            replace(link, intent=LINK.intent),
            "i",
            {"p": busy},
            unchanged_since_intent=True,
            now=2.0,
        )

    assert link.quarantine is not None
    assert (link.quarantine.code, link.quarantine.remedy) == ("LOCKED", "wait")
    assert link.dirty
    assert link.intent is None
    assert after_attempts(link, WriteResult.DONE).quarantine is None


def test_a_value_that_has_reached_one_system_only_stays_an_edit() -> None:
    """Somebody typed in the Plezi contact, so that only the write to the second Lead was done."""
    first, second = (
        Observation(RecordKind.LEAD, record, "a@x.fr", "1", "", 1.0, {"MobilePhone": value})
        for record, value in (("l1", "2"), ("l2", None))
    )
    to_lead = Write(RecordKind.LEAD, "l2", "a@x.fr", {"MobilePhone": "2"}, {"MobilePhone": None})
    agreed = {
        "p": AgreedValue(MOBILE, "mobile", "2"),
        "l1": AgreedValue(MOBILE, "MobilePhone", "2"),
        "l2": AgreedValue(MOBILE, "MobilePhone", "2"),
    }
    update = BaseUpdate("MobilePhone", agreed, frozenset({"p", "l2"}))
    intent = Intent("i", "r", 0.0, (to_lead, WRITE), (update,))
    link = replace(LINK, salesforce=(first, second), intent=intent)
    outcomes = {
        "l2": WriteOutcome(to_lead, WriteResult.DONE, "l2", 2.0),
        "p": WriteOutcome(WRITE, WriteResult.STALE),
    }

    after = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=2.0)

    assert after.base == link.base
    assert after.undelivered == {("l1", MOBILE), ("l2", MOBILE)}

    outcomes["p"] = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0)
    delivered = replace(link, undelivered=after.undelivered)
    delivered = record_outcomes(delivered, "i", outcomes, unchanged_since_intent=True, now=2.0)
    assert delivered.undelivered == frozenset()


@pytest.mark.parametrize("is_refused_at_first", [False, True])
def test_a_new_lead_has_the_opt_out_that_it_was_created_without(
    *, is_refused_at_first: bool
) -> None:
    """An opt-out that is ticked there before the Lead is read is an edit then."""
    opt_out = "newsletter_optout>newsletter_optout__c"
    unsent = BaseUpdate(
        "newsletter_optout__c",
        {NEW_RECORD: AgreedValue(opt_out, "newsletter_optout__c", None)},
        frozenset({NEW_RECORD}),
        rule=MergeRule.AGREED,
    )
    write = Write(RecordKind.LEAD, NEW_RECORD, "a@x.fr", {"LastName": "A"})
    link = replace(LINK, intent=Intent("i", "r", 0.0, (write,), (unsent,)))
    refused = WriteOutcome(
        replace(write, values={"LastName": "A", "Phone": "x"}), WriteResult.REJECTED
    )
    outcome = WriteOutcome(
        write,
        WriteResult.DONE,
        "l2",
        2.0,
        created=True,
        refusal=refused if is_refused_at_first else None,
    )

    after = record_outcomes(link, "i", {NEW_RECORD: outcome}, unchanged_since_intent=True, now=2.0)

    assert after.base["l2"] == {opt_out: None}
