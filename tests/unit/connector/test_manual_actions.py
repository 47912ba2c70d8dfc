"""What an admin decides on a link in the review queue, and which Lead a rule proposes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import StaleError
from connector.model import Hold, HoldReason, Link, Observation, RecordKind
from connector.planning.duplicate_leads import DuplicateLead, PrimaryRule, propose_primary
from connector.planning.manual_actions import choose_value, is_untyped, pick_primary, request_retry

HOLD = Hold(HoldReason.CONFLICT, 1.0, {"p": "1", "l": None}, untyped=frozenset({"l"}))
LINK = Link(
    "a@x.fr",
    Observation(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 0.0, {}),
    (
        Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 0.0, {}),
        Observation(RecordKind.CONTACT, "c", "a@x.fr", "1", "", 0.0, {}),
    ),
    holds={"Phone": HOLD, "Title": HOLD},
    dirty=False,
)


def test_a_value_is_untyped_where_its_hold_says_so() -> None:
    assert is_untyped(LINK, "Phone", "l")
    assert not is_untyped(LINK, "Phone", "p")
    assert not is_untyped(LINK, "Company", "l")


def test_a_choice_marks_its_pair_and_the_link_is_resolved_again() -> None:
    after = choose_value(LINK, "Phone", "p")

    chosen = {"Phone": replace(HOLD, chosen="p"), "Title": HOLD}
    assert after == replace(LINK, holds=chosen, dirty=True)


@pytest.mark.parametrize(("key", "record"), [("Company", "p"), ("Phone", "c")])
def test_what_is_not_held_cannot_be_chosen(key: str, record: str) -> None:
    with pytest.raises(StaleError) as caught:
        choose_value(LINK, key, record)

    assert str(caught.value) == (
        f"{key} is not held with a value of this record: read the list again"
    )


def test_a_retry_resolves_the_link_again() -> None:
    assert request_retry(LINK) == replace(LINK, dirty=True)


def test_a_lead_that_takes_part_can_be_the_primary_one() -> None:
    assert pick_primary(LINK, "l") == replace(LINK, primary_lead="l", dirty=True)


@pytest.mark.parametrize("record", ["x", "c", "deleted"])
def test_another_record_cannot_be_the_primary_lead(record: str) -> None:
    deleted = replace(LINK.salesforce[0], id="deleted", deleted=True)
    link = replace(LINK, salesforce=(*LINK.salesforce, deleted))

    with pytest.raises(StaleError) as caught:
        pick_primary(link, record)

    assert str(caught.value) == "this Lead does not belong to this contact: read the list again"


OLD = DuplicateLead("b", "2024-01-01T00:00:00Z", filled=1, has_user=False)
NEW = DuplicateLead("a", "2025-01-01T00:00:00Z", filled=3, has_user=True)
UNDATED = DuplicateLead("0", "", filled=3, has_user=True)


@pytest.mark.parametrize(
    ("rule", "leads", "proposed"),
    [
        (PrimaryRule.OLDEST, (NEW, OLD, UNDATED), "b"),
        (PrimaryRule.OLDEST, (UNDATED,), "0"),
        (PrimaryRule.MOST_COMPLETE, (OLD, UNDATED, NEW), "a"),
        (PrimaryRule.OWNER, (OLD, UNDATED, NEW), "a"),
        (PrimaryRule.OWNER, (OLD,), ""),
        (PrimaryRule.MOST_COMPLETE, (), ""),
        (PrimaryRule.OLDEST, (NEW, replace(NEW, id="9")), "9"),
    ],
)
def test_a_rule_proposes_the_oldest_lead_that_meets_it(
    rule: PrimaryRule, leads: tuple[DuplicateLead, ...], proposed: str
) -> None:
    assert propose_primary(rule, leads) == proposed
