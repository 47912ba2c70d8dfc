"""The decision table of the three-way merge, and what must hold for any words."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import BoundLine, Direction, Field, FieldKind, Line, Policy
from connector.merge import Rule, Unagreed, Voice, settle
from connector.model import Kind, Value

NEVER = Unagreed.NEVER
WORDS = st.sampled_from([None, "a", "b", "c"])


def line(
    policy: Policy = Policy.NEWEST,
    direction: Direction = Direction.BOTH,
    kind: FieldKind = FieldKind.TEXT,
) -> BoundLine:
    return BoundLine(
        Line("phone", "Phone", direction, policy=policy),
        {
            Kind.PLEZI_CONTACT: Field("phone", kind),
            Kind.LEAD: Field("Phone", kind),
        },
    )


def voices(
    base: Value | Unagreed,
    plezi: Value,
    salesforce: Value,
    direction: Direction = Direction.BOTH,
    *,
    newer: str = "salesforce",
) -> list[Voice]:
    return [
        Voice(
            kind,
            record,
            now,
            base,
            "2026-02" if record == newer else "2026-01",
            speaks=direction.speaks(kind.side),
            listens=direction.listens(kind.side),
        )
        for kind, record, now in (
            (Kind.PLEZI_CONTACT, "plezi", plezi),
            (Kind.LEAD, "salesforce", salesforce),
        )
    ]


@pytest.mark.parametrize(
    ("base", "plezi", "salesforce", "rule", "writes"),
    [
        ("a", "a", "a", Rule.AGREED, {}),
        ("a", "b", "a", Rule.CHANGED, {"salesforce": "b"}),
        ("a", "a", "b", Rule.CHANGED, {"plezi": "b"}),
        ("a", "b", "b", Rule.AGREED, {}),
        ("a", "b", "c", Rule.NEWEST, {"plezi": "c"}),
        ("a", None, "a", Rule.CHANGED, {"salesforce": None}),
        ("a", None, "b", Rule.NEWEST, {"plezi": "b"}),
        (NEVER, "b", None, Rule.CHANGED, {"salesforce": "b"}),
        (NEVER, None, "b", Rule.CHANGED, {"plezi": "b"}),
        (NEVER, "b", "c", Rule.NEWEST, {"plezi": "c"}),
        (NEVER, None, None, Rule.AGREED, {}),
    ],
)
def test_each_row_of_the_decision_table(
    base: Value | Unagreed, plezi: Value, salesforce: Value, rule: Rule, writes: dict[str, Value]
) -> None:
    verdict = settle(line(), voices(base, plezi, salesforce))

    assert (verdict.rule, dict(verdict.writes)) == (rule, writes)


@pytest.mark.parametrize(
    ("policy", "newer", "writes"),
    [
        (Policy.NEWEST, "plezi", {"salesforce": "b"}),
        (Policy.NEWEST, "salesforce", {"plezi": "c"}),
        (Policy.PLEZI_WINS, "salesforce", {"salesforce": "b"}),
        (Policy.SALESFORCE_WINS, "plezi", {"plezi": "c"}),
        (Policy.FILL_BLANK, "plezi", {}),
        (Policy.HOLD, "plezi", {}),
    ],
)
def test_a_conflict_goes_to_the_winner_of_the_policy(
    policy: Policy, newer: str, writes: dict[str, Value]
) -> None:
    verdict = settle(line(policy), voices("a", "b", "c", newer=newer))

    assert dict(verdict.writes) == writes
    assert verdict.held == (policy is Policy.HOLD)


def test_the_loser_of_a_conflict_is_named_with_its_value() -> None:
    verdict = settle(line(), voices("a", "b", "c"))

    assert dict(verdict.losers) == {"plezi": "b"}


def test_an_edit_on_the_side_that_only_listens_is_left_alone() -> None:
    one_way = Direction.TO_SALESFORCE

    verdict = settle(line(direction=one_way), voices("a", "a", "x", one_way))

    assert verdict.rule is Rule.QUIET


def test_an_opt_out_is_never_undone() -> None:
    optout = line(Policy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    verdict = settle(optout, voices(True, False, True))

    assert dict(verdict.writes) == {"plezi": True}


def test_a_consent_in_words_that_nobody_knows_is_held() -> None:
    optout = line(Policy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX)

    verdict = settle(optout, voices(False, "perhaps", False))

    assert verdict.held


def test_a_lead_that_joins_takes_what_was_agreed_and_its_value_is_not_lost_silently() -> None:
    agreed = voices("a", "a", "a")
    newcomer = Voice(Kind.LEAD, "second", "x", NEVER, "2026-09", speaks=True, listens=True)

    verdict = settle(line(), [*agreed, newcomer])

    assert (verdict.rule, dict(verdict.writes)) == (Rule.JOINS, {"second": "a"})
    assert dict(verdict.losers) == {"second": "x"}


@given(st.one_of(WORDS, st.just(NEVER)), WORDS, WORDS, st.sampled_from(Policy))
def test_the_order_of_the_voices_does_not_matter(
    base: Value | Unagreed, plezi: Value, salesforce: Value, policy: Policy
) -> None:
    verdicts = [
        settle(line(policy), order)
        for order in itertools.permutations(voices(base, plezi, salesforce))
    ]

    assert len({repr((v.rule, sorted(v.writes.items()), v.losers)) for v in verdicts}) == 1


@given(st.one_of(WORDS, st.just(NEVER)), WORDS, WORDS, st.sampled_from(list(Policy)))
def test_once_written_there_is_nothing_left_to_do(
    base: Value | Unagreed, plezi: Value, salesforce: Value, policy: Policy
) -> None:
    before = voices(base, plezi, salesforce)
    verdict = settle(line(policy), before)
    if verdict.settles is None:
        return
    after = [
        Voice(
            v.kind,
            v.record,
            verdict.writes.get(v.record, v.now),
            verdict.settles[v.record],
            v.modified,
            speaks=True,
            listens=True,
        )
        for v in before
    ]

    assert not settle(line(policy), after).writes


def test_a_contact_that_disagrees_does_not_keep_a_new_lead_from_joining() -> None:
    bound = line(Policy.NEWEST)
    says = [
        Voice(Kind.PLEZI_CONTACT, "p", "1", "1", "", speaks=True, listens=True),
        Voice(Kind.LEAD, "l1", "1", "1", "", speaks=True, listens=True),
        Voice(Kind.CONTACT, "c", "2", "2", "", speaks=True, listens=False),
        Voice(Kind.LEAD, "l2", "3", NEVER, "", speaks=True, listens=True),
    ]

    verdict = settle(bound, says)

    assert (verdict.rule, verdict.writes, verdict.losers) == (Rule.JOINS, {"l2": "1"}, {"l2": "3"})


def beside_a_lead(contact: Value, base: Value | Unagreed, lead: Value = "b") -> list[Voice]:
    """A Contact that says something, beside a Plezi contact that said `a`, and its Lead."""
    return [
        Voice(Kind.PLEZI_CONTACT, "p", "a", "a", "2026-01", speaks=True, listens=True),
        Voice(Kind.LEAD, "l", lead, "a", "2026-03", speaks=True, listens=True),
        Voice(Kind.CONTACT, "c", contact, base, "2026-02", speaks=True, listens=False),
    ]


def test_a_contact_whose_edit_gives_way_is_named_although_nobody_writes_to_it() -> None:
    verdict = settle(line(), beside_a_lead("c", "a"))

    assert (verdict.rule, dict(verdict.writes)) == (Rule.NEWEST, {"p": "b"})
    assert dict(verdict.losers) == {"c": "c"}


def test_a_contact_that_joins_those_who_agree_on_another_word_is_named() -> None:
    verdict = settle(line(), beside_a_lead("c", NEVER, lead="a"))

    assert (verdict.rule, dict(verdict.writes)) == (Rule.JOINS, {})
    assert dict(verdict.losers) == dict(verdict.settles or {}) == {"c": "c"}


def test_a_contact_and_a_lead_that_join_together_are_both_named() -> None:
    second = Voice(Kind.LEAD, "l2", "d", NEVER, "2026-04", speaks=True, listens=True)

    verdict = settle(line(), [*beside_a_lead("c", NEVER, lead="a"), second])

    assert (verdict.rule, dict(verdict.writes)) == (Rule.JOINS, {"l2": "a"})
    assert dict(verdict.losers) == {"l2": "d", "c": "c"}
    assert (verdict.settles or {})["c"] == "c"


@pytest.mark.parametrize("says", ["a", None])
def test_a_contact_that_joins_and_says_the_same_or_nothing_is_not(says: Value) -> None:
    assert not settle(line(), beside_a_lead(says, NEVER, lead="a")).losers
