"""The oracle: no typed value is forgotten, the journal is exact, the bounds of excuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from connector.mapping import ConflictPolicy
from connector.model import JournalKind, MergeRule, Side
from tests.simulation.coverage import missing, table
from tests.simulation.history import excuses
from tests.simulation.history.events import ALL_ACTS, Event, allowed, draw
from tests.simulation.history.oracle import Decision
from tests.simulation.history.reference import Contender, wins
from tests.simulation.watched_person import (
    EMAIL,
    LEAD,
    PERSON,
    Person,
    agreed,
    is_violated,
    mapping,
)

# A value that had arrived is not forgotten


def test_a_value_that_arrived_and_is_undone_later_is_lost() -> None:
    person = agreed()
    person.type(PERSON, phone="2")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="2")
    person.agree()
    person.type(LEAD, Phone="3")
    person.read(PERSON, LEAD)
    person.write(PERSON, phone="3")
    is_violated("7", lambda: person.write(LEAD, Phone="2"))


def test_a_value_typed_over_by_somebody_who_saw_it_is_not_lost() -> None:
    person = agreed()
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.write(PERSON, phone="2")
    assert not person.oracle.excused


def test_an_edit_that_is_taken_back_while_it_travels_is_not_lost() -> None:
    person = agreed()
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="1")
    person.read(LEAD)
    person.type(LEAD, Phone="3")
    person.write(PERSON, phone="2")
    person.read(PERSON)
    person.write(PERSON, phone="1")
    assert not person.oracle.excused


def test_what_was_typed_in_plezi_over_an_edit_that_is_taken_back_is_lost() -> None:
    person = agreed()
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.type(LEAD, Phone="1")
    person.read(LEAD)
    person.type(LEAD, Phone="4")
    person.write(PERSON, phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON)
    is_violated("7", lambda: person.write(PERSON, phone="1"))


def held() -> Person:
    """Return a person with two phones that are held for review."""
    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="1")
    person.type(LEAD, Phone="2")
    person.read(PERSON, LEAD)
    person.lose(PERSON, "1", None, kind=JournalKind.HELD)
    person.lose(LEAD, "2", None, kind=JournalKind.HELD)
    return person


@pytest.mark.parametrize("typed", [None, "4"])
def test_an_admin_may_choose_a_clearing_over_a_value_that_the_hold_does_not_show(
    typed: str | None,
) -> None:
    person = held()
    person.type(LEAD, Phone=typed)
    person.type(LEAD, Phone=None)
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.oracle.decisions.append(Decision("Phone", LEAD, person.oracle.order))
    person.lose(PERSON, "3", None, MergeRule.CHOSEN)
    person.write(PERSON, phone=None)


def test_an_admin_may_not_choose_a_blank_that_nobody_typed() -> None:
    person = Person(mapping(ConflictPolicy.HOLD))
    person.type(PERSON, phone="1")
    person.read(PERSON, LEAD)
    person.oracle.decisions.append(Decision("Phone", LEAD, person.oracle.order))
    person.lose(PERSON, "1", None, MergeRule.CHOSEN)
    is_violated("7", lambda: person.write(PERSON, phone=None))


def test_an_opt_out_that_is_taken_back_is_lost() -> None:
    person = Person(mapping(ConflictPolicy.MOST_RESTRICTIVE))
    person.type(LEAD, newsletter_optout__c=True)
    person.read(PERSON, LEAD)
    person.write(PERSON, newsletter_optout=True)
    person.agree()
    is_violated("7", lambda: person.write(LEAD, newsletter_optout__c=False))


def test_an_e_mail_that_is_written_back_is_lost() -> None:
    person = Person()
    person.agree()
    person.type(LEAD, Email="new@example.com")
    person.read(PERSON, LEAD)
    is_violated("7", lambda: person.write(LEAD, Email=EMAIL))


def test_a_field_that_is_cleared_by_no_user_is_lost() -> None:
    person = agreed()
    is_violated("7", lambda: person.write(LEAD, Phone=None))


def test_a_clearing_may_empty_the_other_side() -> None:
    person = agreed()
    person.type(PERSON, phone=None)
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone=None)


# The journal


@pytest.mark.parametrize(
    "change",
    [
        {"record": PERSON},
        {"before": "9"},
        {"after": "9"},
        {"run": "another run"},
        {"pair": "MobilePhone"},
    ],
)
def test_the_journal_names_the_record_the_field_both_values_and_the_run(
    change: dict[str, str],
) -> None:
    person = agreed()
    person.type(LEAD, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.lose(**{"record": LEAD, "before": "2", "after": "3", **change})  # type: ignore[arg-type]  # texts
    person.write(LEAD, Phone="3")
    is_violated("7", person.oracle.check_journal)
    person.lose(LEAD, "2", "3")
    if change.keys() & {"run", "before"}:
        person.oracle.check_journal()
    else:
        is_violated(
            "38", person.oracle.check_journal
        )  # the wrong entry tells of what never happened


def test_a_journaled_conflict_follows_the_policy() -> None:
    person = agreed(mapping(ConflictPolicy.PLEZI_WINS))
    person.type(LEAD, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", "3", MergeRule.PLEZI_WINS)
    person.write(LEAD, Phone="3")
    person.oracle.check_journal()
    assert person.oracle.checked["8 conflict is journaled"] == 1


@pytest.mark.parametrize("policy", [ConflictPolicy.SALESFORCE_WINS, ConflictPolicy.HOLD])
def test_a_journaled_conflict_against_the_policy_is_a_loss(policy: ConflictPolicy) -> None:
    person = agreed(mapping(policy))
    person.type(LEAD, Phone="2")
    person.type(PERSON, phone="3")
    person.read(PERSON, LEAD)
    person.lose(LEAD, "2", "3", MergeRule.PLEZI_WINS)
    is_violated("7", lambda: person.write(LEAD, Phone="3"))


# The policy table


@pytest.mark.parametrize(
    ("policy", "plezi", "salesforce", "plezi_wins", "salesforce_wins"),
    [
        (ConflictPolicy.NEWEST, ("a", "2"), ("b", "1"), True, False),
        (ConflictPolicy.NEWEST, ("a", "1"), ("b", "1"), False, True),
        (ConflictPolicy.NEWEST, ("a", ""), ("b", "1"), True, True),
        (ConflictPolicy.PLEZI_WINS, ("a", "1"), ("b", "2"), True, False),
        (ConflictPolicy.SALESFORCE_WINS, ("a", "2"), ("b", "1"), False, True),
        (ConflictPolicy.HOLD, ("a", "2"), ("b", "1"), False, False),
        (ConflictPolicy.FILL_BLANK, ("a", "1"), ("b", "2"), False, False),
        (ConflictPolicy.FILL_BLANK, ("a", "1"), ("", "2"), True, False),
        (ConflictPolicy.MOST_RESTRICTIVE, ("yes", "1"), ("", "2"), True, False),
    ],
)
def test_the_reference_is_the_policy_table(
    policy: ConflictPolicy,
    plezi: tuple[str, str],
    salesforce: tuple[str, str],
    *,
    plezi_wins: bool,
    salesforce_wins: bool,
) -> None:
    one = Contender(Side.PLEZI, *plezi)
    two = Contender(Side.SALESFORCE, *salesforce)
    assert wins(policy, one, two) is plezi_wins
    assert (wins(policy, two, one) and bool(two.value)) is salesforce_wins


# The bounds of the excuses, the acts, the coverage


def test_an_excuse_that_spreads_fails_the_run() -> None:
    assert excuses.beyond_limit(Counter({excuses.RACE: 10}), 10) == []
    assert excuses.beyond_limit(Counter({excuses.RACE: 30}), 100) == [excuses.RACE]
    assert excuses.beyond_limit(Counter({"a new excuse": 11}), 100_000) == ["a new excuse"]


def test_an_act_that_is_left_out_is_in_no_history() -> None:
    acts = allowed((), ("edit", "run", "clear_email", "crash"))

    def kinds(events: Iterable[Event]) -> set[str]:
        found = set()
        for event in events:
            found |= {event.kind} | kinds(event.nested)
        return found

    for seed in range(50):
        drawn = draw(seed, acts).events
        assert "clear_email" not in kinds(drawn)
        assert not any(event.value for event in drawn if event.kind == "full_run")
    with pytest.raises(ValueError, match="no acts"):
        allowed(("walk",))


def test_an_act_that_no_history_exercised_is_missing_after_enough_histories() -> None:
    counts = Counter({name: 1 for rows in table(Counter()).values() for name in rows})
    assert missing(Counter(), 10) == []
    assert "What users do: clear_email" in missing(counts, 2000)
    assert missing(counts, 2000, ALL_ACTS - {"edit"}) == []
