"""The decision table of the three-way merge, and what must hold for any words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import BoundPair, ConflictPolicy, Direction, Field, FieldKind, FieldPair
from connector.model import MergeRule, RecordKind, Value
from connector.planning.field_merge import FieldValue, NoBase, resolve

NEVER = NoBase.NO_BASE
WORDS = st.sampled_from([None, "a", "b", "c"])


def line(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
) -> BoundPair:
    return BoundPair(
        FieldPair("phone", "Phone", direction, policy=policy),
        {
            RecordKind.PLEZI_CONTACT: Field("phone", kind),
            RecordKind.LEAD: Field("Phone", kind),
        },
    )


def voices(
    base: Value | NoBase,
    plezi: Value,
    salesforce: Value,
    direction: Direction = Direction.BOTH,
    *,
    newer: str = "salesforce",
) -> list[FieldValue]:
    return [
        FieldValue(
            kind,
            record,
            now,
            base,
            "2026-02" if record == newer else "2026-01",
            can_send=direction.can_send(kind.side),
            can_receive=direction.can_receive(kind.side),
        )
        for kind, record, now in (
            (RecordKind.PLEZI_CONTACT, "plezi", plezi),
            (RecordKind.LEAD, "salesforce", salesforce),
        )
    ]


@pytest.mark.parametrize(
    ("base", "plezi", "salesforce", "rule", "writes"),
    [
        ("a", "a", "a", MergeRule.AGREED, {}),
        ("a", "b", "a", MergeRule.CHANGED, {"salesforce": "b"}),
        ("a", "a", "b", MergeRule.CHANGED, {"plezi": "b"}),
        ("a", "b", "b", MergeRule.AGREED, {}),
        ("a", "b", "c", MergeRule.NEWEST, {"plezi": "c"}),
        ("a", None, "a", MergeRule.CHANGED, {"salesforce": None}),
        ("a", None, "b", MergeRule.NEWEST, {"plezi": "b"}),
        (NEVER, "b", None, MergeRule.CHANGED, {"salesforce": "b"}),
        (NEVER, None, "b", MergeRule.CHANGED, {"plezi": "b"}),
        (NEVER, "b", "c", MergeRule.NEWEST, {"plezi": "c"}),
        (NEVER, None, None, MergeRule.AGREED, {}),
    ],
)
def test_each_row_of_the_decision_table(
    base: Value | NoBase, plezi: Value, salesforce: Value, rule: MergeRule, writes: dict[str, Value]
) -> None:
    verdict = resolve(line(), voices(base, plezi, salesforce))

    assert (verdict.rule, dict(verdict.writes)) == (rule, writes)


@pytest.mark.parametrize(
    ("policy", "newer", "writes"),
    [
        (ConflictPolicy.NEWEST, "plezi", {"salesforce": "b"}),
        (ConflictPolicy.NEWEST, "salesforce", {"plezi": "c"}),
        (ConflictPolicy.PLEZI_WINS, "salesforce", {"salesforce": "b"}),
        (ConflictPolicy.SALESFORCE_WINS, "plezi", {"plezi": "c"}),
        (ConflictPolicy.FILL_BLANK, "plezi", {}),
        (ConflictPolicy.HOLD, "plezi", {}),
    ],
)
def test_a_conflict_goes_to_the_winner_of_the_policy(
    policy: ConflictPolicy, newer: str, writes: dict[str, Value]
) -> None:
    verdict = resolve(line(policy), voices("a", "b", "c", newer=newer))

    assert dict(verdict.writes) == writes
    assert verdict.is_held == (policy is ConflictPolicy.HOLD)


def test_the_loser_of_a_conflict_is_named_with_its_value() -> None:
    verdict = resolve(line(), voices("a", "b", "c"))

    assert dict(verdict.overwritten) == {"plezi": "b"}


def test_an_edit_on_the_side_that_only_listens_is_left_alone() -> None:
    one_way = Direction.TO_SALESFORCE

    verdict = resolve(line(direction=one_way), voices("a", "a", "x", one_way))

    assert verdict.rule is MergeRule.NO_CHANGE


def test_an_opt_out_is_never_undone() -> None:
    optout = line(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    verdict = resolve(optout, voices(True, False, True))

    assert dict(verdict.writes) == {"plezi": True}


def test_a_consent_in_words_that_nobody_knows_is_held() -> None:
    optout = line(ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    verdict = resolve(optout, voices(False, "perhaps", False))

    assert verdict.is_held


def test_a_lead_that_joins_takes_what_was_agreed_and_its_value_is_not_lost_silently() -> None:
    agreed = voices("a", "a", "a")
    newcomer = FieldValue(
        RecordKind.LEAD, "second", "x", NEVER, "2026-09", can_send=True, can_receive=True
    )

    verdict = resolve(line(), [*agreed, newcomer])

    assert (verdict.rule, dict(verdict.writes)) == (MergeRule.JOINED, {"second": "a"})
    assert dict(verdict.overwritten) == {"second": "x"}


@given(st.one_of(WORDS, st.just(NEVER)), WORDS, WORDS, st.sampled_from(ConflictPolicy))
def test_the_order_of_the_voices_does_not_matter(
    base: Value | NoBase, plezi: Value, salesforce: Value, policy: ConflictPolicy
) -> None:
    verdicts = [
        resolve(line(policy), order)
        for order in itertools.permutations(voices(base, plezi, salesforce))
    ]

    assert len({repr((v.rule, sorted(v.writes.items()), v.overwritten)) for v in verdicts}) == 1


@given(st.one_of(WORDS, st.just(NEVER)), WORDS, WORDS, st.sampled_from(list(ConflictPolicy)))
def test_once_written_there_is_nothing_left_to_do(
    base: Value | NoBase, plezi: Value, salesforce: Value, policy: ConflictPolicy
) -> None:
    before = voices(base, plezi, salesforce)
    verdict = resolve(line(policy), before)
    if verdict.new_base is None:
        return
    after = [
        FieldValue(
            v.kind,
            v.record_id,
            verdict.writes.get(v.record_id, v.value),
            verdict.new_base[v.record_id],
            v.modified,
            can_send=True,
            can_receive=True,
        )
        for v in before
    ]

    assert not resolve(line(policy), after).writes


def test_a_contact_that_disagrees_does_not_keep_a_new_lead_from_joining() -> None:
    bound = line(ConflictPolicy.NEWEST)
    says = [
        FieldValue(RecordKind.PLEZI_CONTACT, "p", "1", "1", "", can_send=True, can_receive=True),
        FieldValue(RecordKind.LEAD, "l1", "1", "1", "", can_send=True, can_receive=True),
        FieldValue(RecordKind.CONTACT, "c", "2", "2", "", can_send=True, can_receive=False),
        FieldValue(RecordKind.LEAD, "l2", "3", NEVER, "", can_send=True, can_receive=True),
    ]

    verdict = resolve(bound, says)

    assert (verdict.rule, verdict.writes, verdict.overwritten) == (
        MergeRule.JOINED,
        {"l2": "1"},
        {"l2": "3"},
    )


def beside_a_lead(contact: Value, base: Value | NoBase, lead: Value = "b") -> list[FieldValue]:
    """A Contact that says something, beside a Plezi contact that said `a`, and its Lead."""
    return [
        FieldValue(
            RecordKind.PLEZI_CONTACT, "p", "a", "a", "2026-01", can_send=True, can_receive=True
        ),
        FieldValue(RecordKind.LEAD, "l", lead, "a", "2026-03", can_send=True, can_receive=True),
        FieldValue(
            RecordKind.CONTACT, "c", contact, base, "2026-02", can_send=True, can_receive=False
        ),
    ]


def test_a_contact_whose_edit_gives_way_is_named_although_nobody_writes_to_it() -> None:
    verdict = resolve(line(), beside_a_lead("c", "a"))

    assert (verdict.rule, dict(verdict.writes)) == (MergeRule.NEWEST, {"p": "b"})
    assert dict(verdict.overwritten) == {"c": "c"}


def test_a_contact_that_joins_those_who_agree_on_another_word_is_named() -> None:
    verdict = resolve(line(), beside_a_lead("c", NEVER, lead="a"))

    assert (verdict.rule, dict(verdict.writes)) == (MergeRule.JOINED, {})
    assert dict(verdict.overwritten) == dict(verdict.new_base or {}) == {"c": "c"}


def test_a_contact_and_a_lead_that_join_together_are_both_named() -> None:
    second = FieldValue(
        RecordKind.LEAD, "l2", "d", NEVER, "2026-04", can_send=True, can_receive=True
    )

    verdict = resolve(line(), [*beside_a_lead("c", NEVER, lead="a"), second])

    assert (verdict.rule, dict(verdict.writes)) == (MergeRule.JOINED, {"l2": "a"})
    assert dict(verdict.overwritten) == {"l2": "d", "c": "c"}
    assert (verdict.new_base or {})["c"] == "c"


@pytest.mark.parametrize("says", ["a", None])
def test_a_contact_that_joins_and_says_the_same_or_nothing_is_not(says: Value) -> None:
    assert not resolve(line(), beside_a_lead(says, NEVER, lead="a")).overwritten
