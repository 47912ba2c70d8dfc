"""What a write's answer changes in what we know, and when the link is still to be looked at."""

from __future__ import annotations

from dataclasses import replace

from connector.model import BaseUpdate, Intent, Link, Observation, RecordKind, Write
from connector.planning.outcome import WriteOutcome, WriteResult, record_outcomes

HELD = Observation(
    RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": "1", "mobile": None}
)
WRITE = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"mobile": "2"}, {"mobile": None}, "1")
SETTLEMENT = BaseUpdate(
    "MobilePhone",
    {"p": ("mobile", "2"), "l": ("MobilePhone", "2")},
    frozenset({"p"}),
)
LINK = Link(
    "a@x.fr",
    plezi=HELD,
    base={"p": {"phone": "1"}, "l": {"Phone": "1"}},
    intent=Intent("i", "r", 0.0, (WRITE,), (SETTLEMENT,)),
    dirty=True,
)


def answered(**values: str) -> Link:
    seen = replace(HELD, version="2", values={"phone": "1", "mobile": "2", **values})
    outcome = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=seen)
    return record_outcomes(LINK, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)


def test_an_answer_that_shows_what_was_written_settles_the_link() -> None:
    after = answered()
    assert not after.dirty
    assert after.base["p"]["mobile"] == "2"


def test_an_answer_that_shows_an_edit_of_another_field_leaves_the_link_to_be_looked_at() -> None:
    after = answered(phone="3")
    assert after.dirty
    assert after.base["p"]["phone"] == "1"


def test_a_value_that_the_side_tidies_is_no_news() -> None:
    after = answered(mobile="02")
    assert not after.dirty
    assert after.base["p"]["mobile"] == "02"


def test_who_was_left_behind_has_agreed_to_nothing_once_the_write_is_done() -> None:
    settlement = replace(SETTLEMENT, invalidated={"l": "Phone"})
    intent = Intent("i", "r", 0.0, (WRITE,), (settlement,))
    for result, kept in ((WriteResult.DONE, False), (WriteResult.REJECTED, True)):
        outcome = WriteOutcome(WRITE, result, "p", 2.0)
        link = replace(LINK, intent=intent)
        after = record_outcomes(link, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)
        assert ("Phone" in after.base["l"]) is kept


LEAD = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 1.0, {"MobilePhone": None})
TO_LEAD = Write(RecordKind.LEAD, "l", "a@x.fr", {"MobilePhone": "2"}, {"MobilePhone": None}, "1")


def after_another_process_read(read: Observation, outcome: WriteOutcome) -> Link:
    """Record an answer on a link that somebody else has read anew meanwhile."""
    settlement = replace(SETTLEMENT, required_writes=frozenset({outcome.write.record_id}))
    intent = Intent("i", "r", 0.0, (outcome.write,), (settlement,))
    link = replace(LINK, intent=intent).with_observation(read)
    return record_outcomes(
        link, "i", {outcome.write.record_id: outcome}, unchanged_since_intent=False, now=2.0
    )


def test_what_was_typed_after_our_write_and_read_by_another_process_is_kept() -> None:
    read = replace(LEAD, version="3", values={"MobilePhone": "3"})
    after = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    assert after.observation("l") == read
    assert after.base["l"]["MobilePhone"] == "2"
    assert after.dirty


def test_an_answer_older_than_what_another_process_read_is_kept_off_it() -> None:
    read = replace(HELD, version="3", values={"phone": "1", "mobile": "3"})
    shown = replace(HELD, version="2", values={"phone": "1", "mobile": "2"})
    after = after_another_process_read(
        read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=shown)
    )
    assert after.observation("p") == read
    assert after.base["p"]["mobile"] == "2"


def test_what_was_typed_on_a_lead_just_made_is_kept() -> None:
    read = replace(LEAD, version="3", values={"MobilePhone": "3"})
    shown = replace(LEAD, version="", values={"MobilePhone": "2"})
    outcome = WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0, created=True, observation=shown)
    assert after_another_process_read(read, outcome).observation("l") == read


def test_without_versions_the_instants_of_reading_tell() -> None:
    for as_of, value in ((1.0, "2"), (3.0, "3")):
        read = replace(HELD, version="", as_of=as_of, values={"phone": "1", "mobile": "3"})
        shown = replace(HELD, version="", values={"phone": "1", "mobile": "2"})
        after = after_another_process_read(
            read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=shown)
        )
        held = after.observation("p")
        assert held is not None
        assert held.values["mobile"] == value
