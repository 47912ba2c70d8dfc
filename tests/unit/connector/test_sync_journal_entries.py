"""What the journal has of a link: one entry for each field, with its values and its rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.model import (
    AgreedValue,
    BaseUpdate,
    Counts,
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    RecordKind,
    Side,
    UndoReason,
    Value,
    Write,
)
from connector.planning.participating_records import Match, Participants
from connector.planning.plan import NotUndone, Plan
from connector.planning.recovery import Recovery
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.journal_entries import (
    count_not_undone,
    duplicate_entries,
    held_entries,
    not_undone_entries,
    outcome_entries,
    overwritten_entries,
    recovered_entries,
    without_write,
)
from tests.unit.connector.sync_fixtures import EMAIL
from tests.unit.connector.sync_fixtures_limits import BOUND, mapped
from tests.unit.connector.sync_fixtures_stores import NOW

LEAD_WRITE: Final = Write(
    RecordKind.LEAD, "l", EMAIL, {"Phone": "2", "Title": "Dr"}, {"Phone": "1"}
)
PLEZI_WRITE: Final = Write(RecordKind.PLEZI_CONTACT, "p", EMAIL, {"phone": "2"}, {"phone": "1"})
UPDATE: Final = BaseUpdate(
    "Phone",
    {
        "l": AgreedValue("phone>Phone", "Phone", "2"),
        "p": AgreedValue("phone>Phone", "phone", "2"),
    },
    frozenset({"l", "p"}),
    MergeRule.NEWEST,
)
TYPED: Final = Overwritten(RecordKind.LEAD, "l", "Phone", "1", "2", MergeRule.NEWEST)
INTENT: Final = Intent("i", "r1", NOW - 9, (LEAD_WRITE, PLEZI_WRITE), (UPDATE,), (TYPED,))


def entry(  # noqa: PLR0913  # the parts of an entry, each by its name
    kind: JournalKind,
    record: str,
    field: str,
    before: Value,
    after: Value,
    rule: str,
    *,
    side: Side = Side.SALESFORCE,
    newer_run: str = "",
) -> JournalEntry:
    return JournalEntry(
        EMAIL, NOW, "r1", kind, side, record, field, before, after, rule, newer_run=newer_run
    )


def done(write: Write, record_id: str = "") -> WriteOutcome:
    return WriteOutcome(write, WriteResult.DONE, record_id)


def entries_of(*outcomes: WriteOutcome) -> list[JournalEntry]:
    by_record = {it.write.record_id: it for it in outcomes}
    return outcome_entries(EMAIL, INTENT, by_record, BOUND, NOW)


OVERWRITTEN: Final = entry(JournalKind.OVERWRITTEN, "l", "Phone", "1", "2", MergeRule.NEWEST)
WRITTEN: Final = [
    entry(JournalKind.WRITTEN, "l", "Phone", "1", "2", MergeRule.NEWEST),
    entry(JournalKind.WRITTEN, "l", "Title", None, "Dr", MergeRule.PLACEHOLDER),
]


def test_a_value_that_gives_way_is_named_with_the_one_that_replaces_it() -> None:
    in_plezi = Overwritten(RecordKind.PLEZI_CONTACT, "p", "Title", "Dr", None, MergeRule.CHANGED)

    assert overwritten_entries(EMAIL, [TYPED, in_plezi], "r1", NOW) == [
        OVERWRITTEN,
        entry(
            JournalKind.OVERWRITTEN, "p", "Title", "Dr", None, MergeRule.CHANGED, side=Side.PLEZI
        ),
    ]


def test_values_give_way_without_a_write_where_no_field_of_the_pair_is_agreed() -> None:
    alone = replace(TYPED, pair="Title")
    plan = Plan(
        Link(EMAIL), Participants(Match.LINKED), base_updates=(UPDATE,), overwritten=(TYPED, alone)
    )

    assert without_write(plan) == (alone,)


def test_a_done_write_is_named_field_by_field_and_what_it_replaced_comes_first() -> None:
    assert entries_of(done(LEAD_WRITE), done(PLEZI_WRITE)) == [
        OVERWRITTEN,
        *WRITTEN,
        entry(JournalKind.WRITTEN, "p", "Phone", "1", "2", MergeRule.NEWEST, side=Side.PLEZI),
    ]


def test_the_entry_of_a_created_record_has_its_new_id() -> None:
    created = replace(LEAD_WRITE, record_id="", before={})

    assert [(it.record_id, it.before) for it in entries_of(done(created, "00Q1"))] == [
        ("00Q1", None),
        ("00Q1", None),
    ]


def test_a_field_of_no_pair_is_named_as_the_system_names_it() -> None:
    write = replace(LEAD_WRITE, values={"Extra__c": True}, before={"Extra__c": False})

    assert entries_of(done(write)) == [
        entry(JournalKind.WRITTEN, "l", "Extra__c", False, True, MergeRule.PLACEHOLDER)
    ]


def test_a_write_that_was_not_carried_out_leaves_no_entry() -> None:
    assert (
        entries_of(
            WriteOutcome(LEAD_WRITE, WriteResult.STALE),
            WriteOutcome(PLEZI_WRITE, WriteResult.UNKNOWN),
        )
        == []
    )


def test_a_refused_write_is_named_with_the_code_and_the_fields_of_the_other_system() -> None:
    outcome = WriteOutcome(
        LEAD_WRITE, WriteResult.REJECTED, code="TOO_LONG", fields=("Phone", "Title")
    )

    assert entries_of(outcome) == [
        entry(JournalKind.REFUSED, "l", "Phone,Title", None, None, "TOO_LONG")
    ]


def test_a_write_that_was_done_without_some_fields_names_their_refusal_too() -> None:
    refusal = WriteOutcome(PLEZI_WRITE, WriteResult.REJECTED, code="invalid", fields=("phone",))
    rest = replace(PLEZI_WRITE, values={"function": "Dr"}, before={})

    assert entries_of(replace(done(rest), refusal=refusal)) == [
        entry(
            JournalKind.WRITTEN, "p", "Title", None, "Dr", MergeRule.PLACEHOLDER, side=Side.PLEZI
        ),
        entry(JournalKind.REFUSED, "p", "phone", None, None, "invalid", side=Side.PLEZI),
    ]


def test_a_recovery_names_what_had_been_written_what_gave_way_and_what_is_held() -> None:
    hold = Hold(HoldReason.IN_DOUBT, NOW, {"l": "x"})
    link = Link(EMAIL, holds={"Title": hold, "Email": hold})
    recovery = Recovery(link, held=("Title",), written={"l": LEAD_WRITE}, overwritten=(TYPED,))

    assert recovered_entries(recovery, INTENT, BOUND, NOW) == [
        OVERWRITTEN,
        *WRITTEN,
        entry(JournalKind.HELD, "l", "Title", "x", "x", HoldReason.IN_DOUBT),
    ]


def test_the_values_of_a_held_field_are_named_for_each_record_on_its_side() -> None:
    hold = Hold(HoldReason.CONFLICT, NOW, {"p": "1", "l": "2"})
    link = Link(EMAIL, plezi=mapped("p"), holds={"Phone": hold})

    assert held_entries(link, ["Phone"], "r1", NOW) == [
        entry(JournalKind.HELD, "p", "Phone", "1", "1", HoldReason.CONFLICT, side=Side.PLEZI),
        entry(JournalKind.HELD, "l", "Phone", "2", "2", HoldReason.CONFLICT),
    ]


def test_only_the_leads_that_take_part_are_duplicates() -> None:
    beside = Observation(RecordKind.CONTACT, "c", EMAIL, "1", "c", NOW, {})
    records = (mapped("l1"), replace(mapped("l2"), converted=True), beside, mapped("l3"))

    found = duplicate_entries(Link(EMAIL, salesforce=records), "mirror", "r1", NOW)

    assert found == [
        entry(JournalKind.DUPLICATE, it, "", None, None, "mirror") for it in ("l1", "l3")
    ]


def test_what_an_undo_leaves_is_named_with_the_value_that_is_not_put_back_and_counted() -> None:
    left = [
        NotUndone(Side.PLEZI, "p", "Phone", UndoReason.NEWER_RUN, "3", "1", newer_run="r9"),
        NotUndone(Side.SALESFORCE, "l", "Phone", UndoReason.CREATED),
        NotUndone(Side.SALESFORCE, "l", "Title", UndoReason.HELD, None, "Dr"),
    ]

    entries = not_undone_entries(EMAIL, left, "r1", NOW)

    kind = JournalKind.NOT_UNDONE
    assert entries == [
        entry(kind, "p", "Phone", "3", "1", UndoReason.NEWER_RUN, side=Side.PLEZI, newer_run="r9"),
        entry(kind, "l", "Phone", None, None, UndoReason.CREATED),
        entry(kind, "l", "Title", None, "Dr", UndoReason.HELD),
    ]
    counts = Counts()
    count_not_undone(entries, counts)
    assert dict(counts.numbers) == {
        ("plezi", "not_undone"): 1,
        ("plezi", "not_undone.newer_run"): 1,
        ("salesforce", "not_undone"): 2,
        ("salesforce", "not_undone.created"): 1,
        ("salesforce", "not_undone.held"): 1,
    }
