"""The plan of an undo: three-way against the journal, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    ValuePair,
)
from connector.model import (
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    LongText,
    MergeRule,
    Observation,
    Overwritten,
    RecordKind,
    Side,
    UndoReason,
    UndoRequest,
    Value,
    Write,
)
from connector.planning.participating_records import select_participants
from connector.planning.plan import NotUndone, Plan, plan_link
from connector.planning.undo import UndoScope, plan_undo
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from connector.sync.journal_entries import outcome_entries

EMAIL: Final = "a@x.fr"
KEY: Final = "phone>Phone"
RECORDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
}
VALUES = st.sampled_from([None, "a", "b", "c"])
EDITS = st.dictionaries(st.sampled_from(sorted(RECORDS)), VALUES)


def bound_with(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
    lead_kind: FieldKind | None = None,
    values: tuple[ValuePair, ...] = (),
) -> BoundMapping:
    pair = FieldPair("phone", "Phone", direction, policy, contact="Phone", values=values)
    fields = {
        RecordKind.PLEZI_CONTACT: Field("phone", kind),
        RecordKind.LEAD: Field("Phone", lead_kind or kind),
        RecordKind.CONTACT: Field("Phone", lead_kind or kind),
    }
    config = MappingConfig(1, (pair,), None, duplicates=DuplicatePolicy.MIRROR)
    return BoundMapping(config, (BoundPair(pair, fields),), ())


BOUND: Final = bound_with()
FILLED: Final = bound_with(ConflictPolicy.FILL_BLANK)
OPT_OUTS: Final = bound_with(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)
OPT_OUTS_IN_TEXT: Final = bound_with(
    ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX, lead_kind=FieldKind.TEXT
)
LISTS: Final = bound_with(kind=FieldKind.PICKLIST, values=(ValuePair("Client", "Customer"),))


def observed(record: str, value: Value) -> Observation:
    kind = RECORDS[record]
    name = "phone" if kind is RecordKind.PLEZI_CONTACT else "Phone"
    return Observation(kind, record, EMAIL, "1", record, 0.0, {name: value})


def agreed_link(value: Value = "a") -> Link:
    return link_with(dict.fromkeys(RECORDS, value))


def link_with(agreed: dict[str, Value]) -> Link:
    """Return a link whose records have the values that they agreed on."""
    link = Link(EMAIL, base={record: {KEY: value} for record, value in agreed.items()})
    return edited(link, agreed)


def edited(link: Link, edits: dict[str, Value]) -> Link:
    for record, value in edits.items():
        link = link.with_observation(observed(record, value))
    return link


def values_of(link: Link) -> dict[str, Value]:
    return {it.id: next(iter(it.values.values())) for it in link.observations()}


def carried_out(
    plan: Plan, run: str, at: float, bound: BoundMapping = BOUND
) -> tuple[Link, list[JournalEntry]]:
    """Return the link after its writes, and the entries that the journal has of them."""
    intent = Intent("i", run, at, plan.writes, plan.base_updates, plan.overwritten)
    link = replace(plan.link, intent=intent)
    outcomes = {
        write.record_id: WriteOutcome(write, WriteResult.DONE, write.record_id, at)
        for write in plan.writes
    }
    after = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=at)
    return after, outcome_entries(EMAIL, intent, outcomes, bound, at)


def run_once(
    link: Link, run: str = "r1", at: float = 1.0, bound: BoundMapping = BOUND
) -> tuple[Link, list[JournalEntry]]:
    return carried_out(plan_link(link, bound, now=at), run, at, bound)


def undo_of(
    link: Link,
    entries: Sequence[JournalEntry],
    run: str = "r1",
    bound: BoundMapping = BOUND,
    former: BoundMapping = BOUND,
    *,
    opt_outs: bool = False,
    both_sides: bool = False,
) -> Plan:
    pairs = {pair.key: pair for pair in former.config.pairs}
    request = UndoRequest(run, opt_outs=opt_outs, both_sides=both_sides)
    return plan_undo(link, bound, entries, UndoScope(request, pairs))


def written(plan: Plan) -> dict[str, Value]:
    return {it.record_id: value for it in plan.writes for value in it.values.values()}


def reasons(plan: Plan) -> dict[str, UndoReason]:
    return {it.record_id: it.reason for it in plan.not_undone}


@given(EDITS, EDITS, st.sampled_from(ConflictPolicy), st.sampled_from(Direction))
def test_only_what_the_run_wrote_and_nobody_changed_gets_the_value_from_before(
    edits: dict[str, Value],
    later: dict[str, Value],
    policy: ConflictPolicy,
    direction: Direction,
) -> None:
    bound = bound_with(policy, direction)
    before = edited(agreed_link(), edits)
    after, entries = run_once(before, bound=bound)
    present = edited(after, later)

    plan = undo_of(present, entries, bound=bound, former=bound)

    wrote = {it.record_id: it for it in entries if it.kind is JournalKind.WRITTEN}
    for record, value in written(plan).items():
        assert value == values_of(before)[record] == wrote[record].before
        assert values_of(present)[record] == values_of(after)[record] == wrote[record].after
    unchanged = {record for record in wrote if values_of(present)[record] == wrote[record].before}
    assert written(plan).keys() | reasons(plan).keys() | unchanged == wrote.keys() | unchanged
    assert written(plan).keys().isdisjoint(reasons(plan))


@given(EDITS, st.sampled_from(list(ConflictPolicy)), st.sampled_from(list(Direction)))
def test_after_an_undo_no_run_has_anything_to_write_and_the_undo_can_be_undone(
    edits: dict[str, Value], policy: ConflictPolicy, direction: Direction
) -> None:
    bound = bound_with(policy, direction)
    after, entries = run_once(edited(agreed_link(), edits), bound=bound)
    undone, more = carried_out(undo_of(after, entries, bound=bound, former=bound), "u", 2.0, bound)

    assert not plan_link(undone, bound, now=3.0).writes
    redone = undo_of(undone, [*entries, *more], "u", bound, bound)
    again, _ = carried_out(redone, "v", 3.0, bound)
    assert values_of(again) == values_of(after)


def test_a_value_that_was_blank_before_is_cleared_again() -> None:
    after, entries = run_once(edited(agreed_link(None), {"p": "b"}))
    assert written(undo_of(after, entries)) == {"l1": None, "l2": None}


def test_of_several_writes_of_one_run_the_first_before_and_the_last_after_count() -> None:
    link, first = run_once(edited(agreed_link(), {"p": "b"}))
    link, second = run_once(edited(link, {"p": "c"}), at=2.0)
    assert written(undo_of(link, [*first, *second])) == {"l1": "a", "l2": "a"}


def test_of_three_writes_of_one_run_the_first_before_counts_too() -> None:
    link, entries = run_once(edited(agreed_link(), {"p": "b"}))
    for at, value in ((2.0, "c"), (3.0, "d")):
        link, more = run_once(edited(link, {"p": value}), at=at)
        entries += more
    assert written(undo_of(link, entries)) == {"l1": "a", "l2": "a"}


def test_a_value_that_was_typed_between_two_writes_of_the_run_is_put_back() -> None:
    link, first = run_once(edited(agreed_link(), {"p": "b"}))
    link, second = run_once(edited(link, {"p": "c", "l1": "b2"}), at=2.0)
    assert values_of(link) == {"p": "c", "l1": "c", "l2": "c"}
    assert written(undo_of(link, [*first, *second])) == {"l1": "b2", "l2": "a"}


def test_if_one_of_several_leads_was_edited_none_gets_the_value_from_before() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    plan = undo_of(edited(after, {"l2": "d"}), entries)
    assert not plan.writes
    assert set(reasons(plan).values()) == {UndoReason.CHANGED_SINCE}
    assert {it.record_id: it.value for it in plan.not_undone} == {"l1": "b", "l2": "d"}


def test_an_edit_of_the_source_since_the_run_keeps_its_value() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    plan = undo_of(edited(after, {"p": "d"}), entries)
    assert set(reasons(plan).values()) == {UndoReason.CHANGED_SINCE}


def test_a_later_run_is_named_even_if_it_wrote_the_same_value_again() -> None:
    link, first = run_once(edited(agreed_link(), {"p": "b"}))
    link, second = run_once(edited(link, {"p": "c"}), "r2", 2.0)
    link, third = run_once(edited(link, {"p": "b"}), "r3", 3.0)
    plan = undo_of(link, [*first, *second, *third])
    assert {(it.reason, it.newer_run) for it in plan.not_undone} == {(UndoReason.NEWER_RUN, "r3")}


def test_a_record_that_another_contact_has_now_is_left_and_the_others_are_undone() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    plan = undo_of(after.without_record("l2"), entries)
    assert written(plan) == {"l1": "a"}
    assert reasons(plan) == {"l2": UndoReason.NO_CONTACT}


def test_a_converted_lead_is_never_written() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    converted = after.with_observation(replace(observed("l2", "b"), converted=True))
    plan = undo_of(converted, entries)
    assert written(plan) == {"l1": "a"}
    assert reasons(plan) == {"l2": UndoReason.NO_RECORD}


def test_a_pair_that_points_at_another_attribute_now_is_left() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    pair = replace(BOUND.config.pairs[0], plezi="mobile")
    former = replace(BOUND, config=replace(BOUND.config, pairs=(pair,)))
    assert set(reasons(undo_of(after, entries, former=former)).values()) == {UndoReason.NO_PAIR}


def test_a_text_of_which_the_journal_has_the_digest_is_left() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    digests = [replace(it, before=LongText(2000, "0" * 64)) for it in entries]
    plan = undo_of(after, digests)
    assert not plan.writes
    assert set(reasons(plan).values()) == {UndoReason.TEXT_NOT_KEPT}


def test_a_value_with_the_digest_that_the_run_wrote_counts_as_unchanged() -> None:
    long = "x" * 2000
    after, entries = run_once(edited(agreed_link(), {"p": long}))
    stored = edited(after, {"l1": BOUND.pairs[0].canonical(Side.SALESFORCE, long)})
    assert written(undo_of(stored, entries)) == {"l1": "a", "l2": "a"}


def test_a_blank_that_the_policy_would_fill_again_is_left() -> None:
    bound = bound_with(ConflictPolicy.FILL_BLANK)
    after, entries = run_once(edited(agreed_link(), {"p": None}), bound=bound)
    assert reasons(undo_of(after, entries, bound=bound)) == {"p": UndoReason.WRITTEN_AGAIN}


def test_a_created_record_is_named_once_and_none_of_its_values_is_written() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    creation = replace(entries[0], field="Email", record_id="l1", before=None, after=EMAIL)
    plan = undo_of(after, [creation, *entries])
    assert reasons(plan)["l1"] is UndoReason.CREATED
    assert written(plan) == {"l2": "a"}


def test_the_writes_of_an_undo_and_of_its_run_are_forgotten_by_the_loop_guard() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    assert [it.value for it in after.recent_writes["Phone"]] == ["b", "b"]
    undone, _ = carried_out(undo_of(after, entries), "u", 2.0)
    assert "Phone" not in undone.recent_writes


@pytest.mark.parametrize("dirty", [True, False])
def test_a_link_stays_dirty_only_where_something_else_waits(*, dirty: bool) -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    plan = undo_of(replace(after, dirty=dirty), entries)
    assert plan.stays_dirty is dirty
    waiting = undo_of(edited(after, {"p": "d"}), entries)
    assert waiting.stays_dirty


def test_the_plan_of_an_undo_in_both_systems_is_one_agreement_and_names_what_a_user_typed() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))

    plan = undo_of(after, entries, both_sides=True)

    agreed = AgreedValue(KEY, "phone", "a"), AgreedValue(KEY, "Phone", "a")
    assert plan == Plan(
        replace(after, recent_writes={}),
        select_participants(after, BOUND.config),
        (
            Write(RecordKind.PLEZI_CONTACT, "p", EMAIL, {"phone": "a"}, {"phone": "b"}, "1"),
            Write(RecordKind.LEAD, "l1", EMAIL, {"Phone": "a"}, {"Phone": "b"}, "1"),
            Write(RecordKind.LEAD, "l2", EMAIL, {"Phone": "a"}, {"Phone": "b"}, "1"),
        ),
        (
            BaseUpdate(
                "Phone",
                {"p": agreed[0], "l1": agreed[1], "l2": agreed[1]},
                frozenset(RECORDS),
                MergeRule.UNDONE,
            ),
        ),
        (Overwritten(RecordKind.PLEZI_CONTACT, "p", "Phone", "b", "a", MergeRule.UNDONE),),
        is_partial=True,
    )


def test_a_person_without_records_has_nothing_to_do_whatever_is_held() -> None:
    _, entries = run_once(edited(agreed_link(), {"p": "b"}))
    link = Link(EMAIL, holds={"Title": Hold(HoldReason.CONFLICT, 0.0, {})})

    assert undo_of(link, entries) == Plan(
        link,
        select_participants(link, BOUND.config),
        is_partial=True,
        not_undone=tuple(
            NotUndone(Side.SALESFORCE, lead, "Phone", UndoReason.NO_CONTACT, None, "a")
            for lead in ("l1", "l2")
        ),
    )


@pytest.mark.parametrize(
    ("bound", "agreed", "edits", "undone"),
    [
        (BOUND, {}, [{"p": "b"}], {"l1": "a", "l2": "a", "p": "a"}),
        (BOUND, {}, [{"p": "b"}, {"p": "c"}], {"l1": "a", "l2": "a", "p": "a"}),
        (BOUND, {}, [{"l1": "b"}], {"p": "a", "l2": "a", "l1": "a"}),
        # The Leads had different values: there is none for Plezi.
        (BOUND, {}, [{"p": "c", "l1": "b"}], {"l1": "b", "l2": "a"}),
        # They were blank: Plezi keeps what filled them.
        (BOUND, dict.fromkeys(RECORDS), [{"p": "b"}], {"l1": None, "l2": None}),
        (BOUND, {}, [{"p": "b"}, {"p": "a"}], {}),
        (
            LISTS,
            {"p": "Client", "l1": "Customer", "l2": "Customer"},
            [{"p": "Prospect"}, {"p": "Lost"}],
            {"l1": "Customer", "l2": "Customer", "p": "Client"},
        ),
        (
            LISTS,
            {"p": "Client", "l1": "Customer", "l2": "Customer"},
            [{"l1": "Prospect"}],
            {"p": "Client", "l1": "Customer", "l2": "Customer"},
        ),
    ],
)
def test_an_undo_in_both_systems_puts_the_one_value_back_that_all_records_had(
    bound: BoundMapping,
    agreed: dict[str, Value],
    edits: Sequence[dict[str, Value]],
    undone: dict[str, Value],
) -> None:
    """The edits are made one after the other, and the run writes after each."""
    link, entries = link_with(agreed or dict.fromkeys(RECORDS, "a")), list[JournalEntry]()
    for at, edit in enumerate(edits, 1):
        link, more = run_once(edited(link, edit), at=float(at), bound=bound)
        entries += more

    plan = undo_of(link, entries, bound=bound, both_sides=True)

    assert (written(plan), plan.not_undone) == (undone, ())


def test_a_text_that_was_not_kept_is_put_back_in_neither_system() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    digests = [replace(it, before=LongText(2000, "0" * 64)) for it in entries]

    plan = undo_of(after, digests, both_sides=True)

    assert (written(plan), set(reasons(plan).values())) == ({}, {UndoReason.TEXT_NOT_KEPT})


@pytest.mark.parametrize(
    ("bound", "ticked", "unticked"), [(OPT_OUTS, True, False), (OPT_OUTS_IN_TEXT, "true", "false")]
)
def test_an_opt_out_is_taken_back_in_all_records_and_only_where_the_request_says_so(
    bound: BoundMapping, ticked: Value, unticked: Value
) -> None:
    agreed = {"p": False, "l1": unticked, "l2": unticked}
    after, entries = run_once(edited(link_with(agreed), {"l1": ticked}), bound=bound)

    left = undo_of(after, entries, bound=bound)
    plan = undo_of(after, entries, bound=bound, opt_outs=True)

    assert (written(left), reasons(left)) == ({}, dict.fromkeys(("p", "l2"), UndoReason.OPT_OUT))
    assert (written(plan), reasons(plan)) == (agreed, {})
    assert plan.overwritten == (
        Overwritten(RecordKind.LEAD, "l1", "Phone", ticked, unticked, MergeRule.UNDONE),
    )


def test_an_opt_out_that_a_contact_has_too_is_left_because_it_would_come_back() -> None:
    """A Contact of Salesforce is never written to."""
    contact = Observation(RecordKind.CONTACT, "c", EMAIL, "1", "c", 0.0, {"Phone": True})
    link = agreed_link(value=False).with_observation(contact)
    after, entries = run_once(replace(link, base={**link.base, "c": {KEY: False}}), bound=OPT_OUTS)

    plan = undo_of(after, entries, bound=OPT_OUTS, opt_outs=True)

    assert written(plan) == {}
    assert reasons(plan) == dict.fromkeys(RECORDS, UndoReason.WRITTEN_AGAIN)


@pytest.mark.parametrize(
    ("bound", "agreed", "edits", "later", "reason"),
    [
        (BOUND, "a", {"p": "b"}, {"l1": "d"}, UndoReason.CHANGED_SINCE),
        (FILLED, "a", {"l1": None, "l2": None}, {}, UndoReason.WRITTEN_AGAIN),
        (OPT_OUTS, False, {"p": True}, {}, UndoReason.OPT_OUT),
    ],
)
def test_a_record_that_is_gone_keeps_its_own_reason_beside_what_is_left(
    bound: BoundMapping,
    agreed: Value,
    edits: dict[str, Value],
    later: dict[str, Value],
    reason: UndoReason,
) -> None:
    after, entries = run_once(edited(agreed_link(agreed), edits), bound=bound)
    present = edited(after.without_record("l2"), later)
    before = edits.get("l1", agreed)

    plan = undo_of(present, entries, bound=bound)

    assert not plan.writes
    assert plan.not_undone == (
        NotUndone(Side.SALESFORCE, "l2", "Phone", UndoReason.NO_CONTACT, None, before),
        NotUndone(Side.SALESFORCE, "l1", "Phone", reason, values_of(present)["l1"], before),
    )


def test_an_undo_in_both_systems_creates_no_record() -> None:
    after, entries = run_once(edited(agreed_link(), {"l1": None, "l2": None}))
    alone = after.without_record("l1").without_record("l2")

    assert written(undo_of(alone, entries, both_sides=True)) == {}
    assert written(undo_of(after, entries, both_sides=True)) == dict.fromkeys(RECORDS, "a")


def test_a_record_that_is_gone_has_its_own_reason_where_others_cannot_be_written() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    unread = after.without_record("l2").with_observation(replace(observed("l1", "b"), values={}))

    assert reasons(undo_of(unread, entries)) == {
        "l1": UndoReason.NOT_WRITABLE,
        "l2": UndoReason.NO_CONTACT,
    }


def test_while_one_value_is_unknown_no_record_of_the_field_is_written() -> None:
    after, entries = run_once(edited(agreed_link(), {"p": "b"}))
    unread = after.with_observation(replace(observed("l1", "b"), values={}))

    plan = undo_of(unread, entries)

    assert not plan.writes
    assert plan.not_undone == tuple(
        NotUndone(Side.SALESFORCE, lead, "Phone", UndoReason.NOT_WRITABLE, None, "a")
        for lead in ("l1", "l2")
    )
