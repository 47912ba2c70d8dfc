"""A long text and its digest are the same value in every decision about a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    stored_value,
    stored_values,
)
from connector.model import (
    Hold,
    HoldReason,
    Intent,
    Link,
    LongText,
    Observation,
    RecordKind,
    Side,
    Value,
    Values,
    Write,
)
from connector.planning.announced_changes import changes_of
from connector.planning.observation import apply_observation
from connector.planning.plan import Plan, plan_link
from connector.planning.preflight import expected_refusal
from connector.planning.recovery import recover_intent
from connector.planning.write_loop import is_write_loop, remember_write, undone_writes
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes

OLD = "old " * 1_000
NEW = "new " * 1_000
PAIR = BoundPair(
    FieldPair("notes", "Description", Direction.BOTH),
    {
        RecordKind.PLEZI_CONTACT: Field("notes", FieldKind.TEXT),
        RecordKind.LEAD: Field("Description", FieldKind.TEXT, length=32_000),
    },
)
BOUND = BoundMapping(MappingConfig(0, (PAIR.pair,), None), (PAIR,), ())


def contact(notes: Value) -> Observation:
    return Observation(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "2", "", 2.0, {"notes": notes})


def lead(notes: Value) -> Observation:
    return Observation(RecordKind.LEAD, "l", "a@x.fr", "2", "", 2.0, {"Description": notes})


def agreed(notes: Value) -> Mapping[str, Values]:
    key = PAIR.pair.base_key(RecordKind.LEAD)
    return {"p": {key: notes}, "l": {key: notes}}


def as_stored(link: Link) -> Link:
    """Return a link as the ledger stores it: with digests in place of long texts."""
    return replace(
        link,
        plezi=link.plezi and replace(link.plezi, values=stored_values(link.plezi.values)),
        salesforce=tuple(
            replace(known, values=stored_values(known.values)) for known in link.salesforce
        ),
        base={record: stored_values(values) for record, values in link.base.items()},
        holds={
            key: replace(hold, values=stored_values(hold.values))
            for key, hold in link.holds.items()
        },
    )


CHANGED = Link("a@x.fr", plezi=contact(NEW), salesforce=(lead(OLD),), base=agreed(OLD))


def test_a_plan_from_the_ledger_needs_the_text_and_one_from_a_fresh_read_has_it() -> None:
    fresh = as_stored(CHANGED).with_observation(contact(NEW))

    (stored_write,) = plan_link(as_stored(CHANGED), BOUND, now=0.0).writes
    (fresh_write,) = plan_link(fresh, BOUND, now=0.0).writes

    assert stored_write.needs_text
    assert isinstance(stored_write.values["Description"], LongText)
    assert not fresh_write.needs_text
    assert fresh_write.values["Description"] == NEW.strip()


def test_the_text_of_a_stored_record_is_an_echo() -> None:
    link = as_stored(CHANGED)

    assert apply_observation(link, contact(NEW)) is link
    assert apply_observation(link, contact(NEW + "!")).dirty


@pytest.mark.parametrize("values", [(NEW, NEW), (stored_value(NEW), NEW), (NEW, stored_value(NEW))])
def test_a_text_and_its_digest_agree_and_change_nothing(values: tuple[Value, Value]) -> None:
    plezi, salesforce = values
    link = Link(
        "a@x.fr",
        plezi=contact(plezi),
        salesforce=(lead(salesforce),),
        base=agreed(stored_value(NEW)),
    )

    plan = plan_link(link, BOUND, now=0.0)

    assert plan == Plan(link, plan.participants)
    assert plan.link is link


def test_a_held_text_is_journaled_once_and_its_choice_stays_valid() -> None:
    shown: dict[str, Value] = {"p": stored_value(NEW), "l": stored_value(OLD)}
    hold = Hold(HoldReason.IN_DOUBT, 1.0, shown)
    link = replace(CHANGED, holds={"Description": hold})
    chosen = replace(CHANGED, holds={"Description": replace(hold, chosen="l")})

    assert plan_link(link, BOUND, now=0.0).held == ()
    assert plan_link(link, BOUND, now=0.0).link.holds == {"Description": hold}
    (write,) = plan_link(chosen, BOUND, now=0.0).writes
    assert dict(write.values) == {"notes": OLD.strip()}


def test_an_intent_with_a_digest_is_recovered_as_delivered() -> None:
    plan = plan_link(as_stored(CHANGED), BOUND, now=0.0)
    intent = Intent("i", "r", 0.0, plan.writes, plan.base_updates)
    link = replace(as_stored(CHANGED), intent=intent).with_observation(lead(NEW))

    recovery = recover_intent(link, BOUND, now=0.0)

    assert (recovery.delivered, recovery.held) == (("l",), ())
    assert plan_link(recovery.link, BOUND, now=0.0).writes == ()


def test_the_response_of_another_field_with_a_stored_text_shows_no_edit() -> None:
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "1"})
    intent = Intent("i", "r", 0.0, (write,), ())
    outcome = WriteOutcome(write, WriteResult.DONE, record_id="p", observation=contact(NEW))
    link = replace(as_stored(CHANGED), intent=intent)

    after = record_outcomes(link, "i", {"p": outcome}, unchanged_since_intent=True, now=1.0)

    assert not after.dirty


def test_a_text_written_again_and_again_is_a_loop_whether_stored_or_not() -> None:
    link = remember_write(CHANGED, "Description", "l", NEW, after_undo=False, now=0.0)
    link = remember_write(link, "Description", "l", stored_value(NEW), after_undo=True, now=1.0)
    undone = undone_writes(link, PAIR, Side.SALESFORCE, {"l": OLD}, now=2.0)

    assert all(len(it.value) < 100 for it in link.recent_writes["Description"])
    assert is_write_loop(link, "Description", {"l": NEW}, undone, now=2.0)
    assert is_write_loop(link, "Description", {"l": stored_value(NEW)}, undone, now=2.0)
    assert not is_write_loop(link, "Description", {"l": OLD}, undone, now=2.0)


def test_a_digest_is_not_blank() -> None:
    write = Write(
        RecordKind.LEAD, "l", "a@x.fr", {"Description": stored_value(NEW)}, {"Description": "a"}
    )
    plan = Plan(CHANGED, plan_link(CHANGED, BOUND, now=0.0).participants, (write,))

    assert not changes_of(plan, BOUND)
    assert not PAIR.is_blank(RecordKind.LEAD.side, stored_value(NEW))


@pytest.mark.parametrize(
    ("length", "code"), [(32_000, ""), (4_000, ""), (3_998, "STRING_TOO_LONG")]
)
def test_the_length_of_a_digest_is_checked_before_a_write(length: int, code: str) -> None:
    schema = {"Description": Field("Description", FieldKind.TEXT, length=length)}
    write = Write(RecordKind.LEAD, "l", "a@x.fr", {"Description": stored_value(NEW)})

    refusal = expected_refusal(write, schema)

    assert (refusal.code if refusal else "") == code
