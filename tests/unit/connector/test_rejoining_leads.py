"""A Lead that took no part while the others agreed on another value takes theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import BoundPair, ConflictPolicy, Direction, Field, FieldKind, FieldPair
from connector.model import MergeRule, RecordKind, Value
from connector.planning.excluded_leads import agree_base, invalidate_base, outdate_base
from connector.planning.field_merge import FieldValue, NoBase, resolve

OLD = "101"
"""What the Lead agreed on before it took no part."""


def pair(policy: ConflictPolicy = ConflictPolicy.SALESFORCE_WINS) -> BoundPair:
    fields = {kind: Field("phone", FieldKind.TEXT) for kind in RecordKind}
    return BoundPair(FieldPair("phone", "Phone", Direction.BOTH, policy), fields)


def value(kind: RecordKind, record: str, shown: Value, base: Value | NoBase) -> FieldValue:
    return FieldValue(kind, record, shown, base, "2026-02", can_send=True, can_receive=True)


def back(*, rejoins: bool, agreed: Value) -> list[FieldValue]:
    lead = value(RecordKind.LEAD, "lead", OLD, NoBase.NO_BASE)
    return [
        value(RecordKind.PLEZI_CONTACT, "plezi", agreed, agreed),
        replace(lead, rejoins=rejoins),
    ]


@pytest.mark.parametrize("agreed", ["102", None])
def test_the_only_lead_takes_what_was_agreed_without_it_also_a_blank(agreed: Value) -> None:
    resolution = resolve(pair(), back(rejoins=True, agreed=agreed))

    assert (resolution.rule, resolution.writes) == (MergeRule.JOINED, {"lead": agreed})
    assert resolution.overwritten == {"lead": OLD}


def test_a_lead_that_never_agreed_meets_plezi_for_the_first_time() -> None:
    resolution = resolve(pair(), back(rejoins=False, agreed="102"))

    assert (resolution.rule, resolution.writes) == (MergeRule.SALESFORCE_WINS, {"plezi": OLD})


def test_a_cleared_value_does_not_come_back_with_one_of_two_leads() -> None:
    other = value(RecordKind.LEAD, "other", None, None)

    resolution = resolve(pair(), [*back(rejoins=True, agreed=None), other])

    assert resolution.writes == {"lead": None}


def test_an_outdated_base_is_kept_until_the_record_agrees_or_nothing_is_known() -> None:
    base: dict[str, dict[str, Value]] = {"lead": {"phone>Phone": OLD}}
    outdate_base(base, {"lead": "phone>Phone", "unknown": "phone>Phone"})
    assert base == {"lead": {"outdated:phone>Phone": OLD}}

    known = {record: dict(values) for record, values in base.items()}
    agree_base(known, "lead", "phone>Phone", "102")
    assert known == {"lead": {"phone>Phone": "102"}}

    invalidate_base(base, {"lead": "phone>Phone"})
    assert base == {"lead": {}}
