"""Which changes of a plan are counted, against the limits of a run and for its announcement."""

from __future__ import annotations

from collections import Counter
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
)
from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Link,
    MergeRule,
    Overwritten,
    RecordKind,
    Side,
    Value,
    Write,
)
from connector.planning.announced_changes import (
    MAX_OVERWRITTEN_OF_LINK,
    ChangeKind,
    ChangeLimits,
    FieldChange,
    changes_of,
    changes_of_write,
    counted_changes,
    overwrites,
    overwrites_many,
)
from connector.planning.participating_records import Match, Participants
from connector.planning.plan import Plan

PHONE = FieldPair("phone", "Phone", Direction.BOTH)
COMPANY = FieldPair("company", "Company", Direction.BOTH, placeholder="[unknown]")
SCORE = FieldPair("behaviour_score", "Score__c", Direction.TO_SALESFORCE)
KEY = "phone>Phone"
CLEARED = FieldChange(Side.SALESFORCE, ChangeKind.CLEARED, "Phone")
OVERWRITTEN = FieldChange(Side.SALESFORCE, ChangeKind.OVERWRITTEN, "Phone")


def bound_pair(pair: FieldPair) -> BoundPair:
    names = {RecordKind.PLEZI_CONTACT: pair.plezi, RecordKind.LEAD: pair.salesforce}
    return BoundPair(pair, {kind: Field(name, FieldKind.TEXT) for kind, name in names.items()})


BOUND = BoundMapping(
    MappingConfig(1, (PHONE, SCORE, COMPANY), None),
    (bound_pair(PHONE), bound_pair(SCORE), bound_pair(COMPANY)),
    (),
)


def write(value: Value, before: Value, *, record: str = "l", field: str = "Phone") -> Write:
    return Write(RecordKind.LEAD, record, "a@x.fr", {field: value}, {field: before}, "1")


def gives_way(
    rule: MergeRule = MergeRule.NEWEST, *, record: str = "l", pair: str = "Phone"
) -> Overwritten:
    return Overwritten(RecordKind.LEAD, record, pair, "1", "2", rule)


def plan_of(*writes: Write, overwritten: tuple[Overwritten, ...] = (), **changes: object) -> Plan:
    plan = Plan(Link("a@x.fr"), Participants(Match.LINKED), writes, overwritten=overwritten)
    return replace(plan, **changes)  # type: ignore[arg-type]  # fields of a plan


def test_an_overwritten_value_is_announced_and_an_edit_that_travels_is_not() -> None:
    written = write("2", "1")

    assert changes_of(plan_of(written, overwritten=(gives_way(),)), BOUND) == Counter([OVERWRITTEN])
    assert not changes_of(plan_of(written), BOUND)
    assert not changes_of(plan_of(written, overwritten=(gives_way(record="other"),)), BOUND)
    assert not changes_of(plan_of(written, overwritten=(gives_way(pair="Score__c"),)), BOUND)


def test_a_value_that_is_cleared_counts_as_cleared_whatever_the_rule_is() -> None:
    written = write(None, "1")

    assert changes_of_write(plan_of(written), written, BOUND) == [CLEARED]
    plan = plan_of(written, overwritten=(gives_way(MergeRule.CHOSEN),))
    assert changes_of_write(plan, written, BOUND) == [CLEARED]


def test_a_blank_a_new_record_and_a_field_without_a_pair_lose_nothing() -> None:
    blank, new = write("2", None), write("2", "1", record=NEW_RECORD)
    unmapped = replace(write("2", "1"), values={"Fax": "2", "Phone": None}, before={"Phone": "1"})

    for each in (blank, new):
        plan = plan_of(each, overwritten=(gives_way(record=each.record_id),))
        assert changes_of_write(plan, each, BOUND) == []
    assert changes_of_write(plan_of(unmapped), unmapped, BOUND) == [CLEARED]
    without_blank = replace(blank, values={"Phone": "2", "Score__c": None}, before={"Score__c": 1})
    [change] = changes_of_write(plan_of(without_blank), without_blank, BOUND)
    assert change.pair == "Score__c"  # a blank before it ends nothing


def test_a_placeholder_is_a_blank() -> None:
    filled = write("Acme", "[unknown]", field="Company")
    cleared = write("[unknown]", "Acme", field="Company")

    plan = plan_of(filled, overwritten=(gives_way(pair="Company"),))
    assert changes_of_write(plan, filled, BOUND) == []
    [change] = changes_of_write(plan_of(cleared), cleared, BOUND)
    assert change.kind is ChangeKind.CLEARED


def test_an_undo_announces_each_value_that_it_overwrites() -> None:
    update = BaseUpdate("Phone", {"l": AgreedValue(KEY, "Phone", "2")}, frozenset({"l"}))
    undone = replace(update, rule=MergeRule.UNDONE)

    assert overwrites(plan_of(write("2", "1"), base_updates=(undone,)), BOUND)
    assert not overwrites(plan_of(write("2", "1"), base_updates=(update,)), BOUND)
    assert not overwrites(plan_of(write(None, "1"), base_updates=(undone,)), BOUND)


@pytest.mark.parametrize(
    ("rule", "announced"),
    [
        (MergeRule.NEWEST, True),
        (MergeRule.JOINED, True),
        (MergeRule.CHOSEN, False),
        (MergeRule.MOST_RESTRICTIVE, False),
        (MergeRule.REPEATED, False),
    ],
)
def test_what_an_admin_chose_a_consent_and_a_repeated_write_are_not_announced(
    rule: MergeRule, *, announced: bool
) -> None:
    plan = plan_of(write("2", "1"), overwritten=(gives_way(rule),))
    assert overwrites(plan, BOUND) is announced


@pytest.mark.parametrize("rule", [MergeRule.ONE_WAY, MergeRule.ENFORCED])
def test_what_the_mapping_overwrites_is_announced_for_a_record_that_never_agreed(
    rule: MergeRule,
) -> None:
    plan = plan_of(write("2", "1"), overwritten=(gives_way(rule),))
    met = replace(plan.link, base={"l": {KEY: "1"}})

    assert overwrites(plan, BOUND)
    assert overwrites(replace(plan, link=replace(plan.link, base={"x": {KEY: "1"}})), BOUND)
    assert not overwrites(replace(plan, link=met), BOUND)


def test_what_plezi_computes_is_not_announced() -> None:
    plan = plan_of(write("2", "1", field="Score__c"), overwritten=(gives_way(pair="Score__c"),))
    assert not overwrites(plan, BOUND)


def overwriting(records: int, *, written: int | None = None) -> Plan:
    """Return a plan that overwrites the phone in some Leads, and writes to some of them."""
    names = [f"l{number}" for number in range(records)]
    writes = [write("2", "1", record=name) for name in names[:written]]
    return plan_of(*writes, overwritten=tuple(gives_way(record=name) for name in names))


def test_a_plan_overwrites_many_beyond_the_records_that_one_person_has() -> None:
    most = MAX_OVERWRITTEN_OF_LINK

    assert not overwrites_many(overwriting(most), BOUND)
    assert overwrites_many(overwriting(most + 1), BOUND)
    assert not overwrites_many(overwriting(most + 1, written=most), BOUND)
    assert not overwrites_many(overwriting(most + 1, written=0), BOUND)


def test_cleared_records_are_not_among_the_overwritten_ones() -> None:
    plan = overwriting(MAX_OVERWRITTEN_OF_LINK + 1)
    cleared = tuple(replace(it, values={"Phone": None}) for it in plan.writes)

    assert not overwrites_many(replace(plan, writes=cleared), BOUND)


def test_a_limit_is_a_number_or_a_share_of_all_people_whichever_is_larger() -> None:
    limits = ChangeLimits(cleared=10, overwritten=20, share=0.05)

    assert limits.number(ChangeKind.CLEARED, 0) == 10
    assert limits.number(ChangeKind.OVERWRITTEN, 0) == 20
    assert limits.number(ChangeKind.CLEARED, 1_019) == 50
    assert limits.number(ChangeKind.OVERWRITTEN, 401) == 20


def test_the_counters_of_a_run_tell_its_changes() -> None:
    counts = {
        "salesforce": {OVERWRITTEN.counter: 3, "updated": 7, "held.Phone": 1},
        "plezi": {"cleared.Account.Name": 2},
    }

    assert counted_changes(counts) == Counter(
        {
            OVERWRITTEN: 3,
            FieldChange(Side.PLEZI, ChangeKind.CLEARED, "Account.Name"): 2,
        }
    )
