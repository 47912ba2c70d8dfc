"""Planning accepts every link: it decides the same again, and comes to rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hypothesis import assume, given

from connector.mapping import BoundMapping, stored_values
from connector.mapping.values import LONG_TEXT_CHARACTERS
from connector.model import Intent, Link
from connector.planning.announced_changes import changes_of
from connector.planning.field_problem import quarantine_for
from connector.planning.observation import apply_fresh_read, apply_observation, is_possibly_stale
from connector.planning.participating_records import Match
from connector.planning.plan import Plan, plan_link
from connector.planning.preflight import expected_refusal
from connector.planning.recovery import recover_intent
from connector.planning.write_outcome import WriteOutcome, WriteResult, record_outcomes
from tests.property.strategies import RECORDS, SALESFORCE_NAMES, Arbitrary, arbitrary

NOW = 5.0
TRIES: Final = 8
"""Links of which one has a plan of the wanted kind, in nearly every case."""


@given(arbitrary())
def test_every_link_is_planned_and_planned_in_the_same_way_again(build: Arbitrary) -> None:
    link, bound = build.link(), build.bound_mapping()
    plan = plan_link(link, bound, now=NOW)

    assert plan_link(link, bound, now=NOW) == plan
    assert all(number > 0 for number in changes_of(plan, bound).values())
    fields_written = {(write.record_id, name) for write in plan.writes for name in write.values}
    for problem in plan.problems:
        assert all(name != problem.field for record, name in fields_written if record != "")
    unread = link.quarantine
    link = replace(link, quarantine=None)
    quarantine = quarantine_for(plan.problems, link, now=NOW)
    assert (quarantine is None) == (not plan.problems)
    link = replace(link, quarantine=quarantine)
    assert quarantine_for(plan.problems, link, now=NOW + 1) is quarantine
    assert quarantine_for((), replace(link, quarantine=unread), now=NOW) in (unread, None)


def _plan_of(
    build: Arbitrary, bound: BoundMapping, is_wanted: Callable[[Plan], bool]
) -> Plan | None:
    """Return a plan of the wanted kind: most links have none, and several are tried."""
    plans = (plan_link(build.link(), bound, now=NOW) for _ in range(TRIES))
    return next(filter(is_wanted, plans), None)


def _has_nothing_to_write(plan: Plan) -> bool:
    return not plan.writes and plan.participants.match is not Match.NEW


def _has_updates_only(plan: Plan) -> bool:
    return bool(plan.writes) and not any(it.is_create or it.needs_text for it in plan.writes)


@given(arbitrary())
def test_agreements_and_holds_without_writes_are_stored_once(build: Arbitrary) -> None:
    bound = build.bound_mapping()
    plan = _plan_of(build, bound, _has_nothing_to_write)
    assume(plan is not None)
    assert plan is not None

    again = plan_link(plan.link, bound, now=NOW)

    assert again.writes == ()
    assert again.held == ()
    assert again.problems == plan.problems


@given(arbitrary())
def test_a_plan_comes_to_rest_once_its_writes_are_done(build: Arbitrary) -> None:
    bound = build.bound_mapping()
    plan = _plan_of(build, bound, _has_updates_only)
    assume(plan is not None)
    assert plan is not None

    after = _applied(plan)
    again = plan_link(after, bound, now=NOW)

    assert [dict(write.values) for write in again.writes] == []
    assert {problem.pair for problem in again.problems} <= {it.pair for it in plan.problems}


@given(arbitrary())
def test_a_link_and_its_stored_form_have_the_same_plan(build: Arbitrary) -> None:
    link, bound = build.link(), build.bound_mapping()
    assume(not _has_endless_number(link))
    plan = plan_link(link, bound, now=NOW)
    stored = plan_link(_as_stored(link), bound, now=NOW)

    assert [write.record_id for write in stored.writes] == [it.record_id for it in plan.writes]
    assert [write.values.keys() for write in stored.writes] == [
        write.values.keys() for write in plan.writes
    ]
    assert stored.held == plan.held


@given(arbitrary())
def test_every_intent_is_recovered(build: Arbitrary) -> None:
    link, bound = build.link(with_intent=True), build.bound_mapping()
    recovery = recover_intent(link, bound, now=NOW)

    assert recovery.link.intent is None
    plan_link(recovery.link, bound, now=NOW)


@given(arbitrary())
def test_every_outcome_is_recorded(build: Arbitrary) -> None:
    link = build.link(with_intent=True)
    outcomes = {
        write.record_id: WriteOutcome(
            write,
            build.one_of(tuple(WriteResult)),
            record_id=write.record_id or "l1",
            answered_at=NOW,
            created=write.is_create,
            observation=build.observation(write.record_id or "l1") if build.happens(0.5) else None,
        )
        for write in (build.write(), build.write(), build.write())
    }
    unchanged = build.happens(0.5)

    after = record_outcomes(link, "i", outcomes, unchanged_since_intent=unchanged, now=NOW)

    assert (after.intent is not None) == any(
        outcome.result is WriteResult.UNKNOWN for outcome in outcomes.values()
    )


@given(arbitrary())
def test_every_observation_is_applied_once(build: Arbitrary) -> None:
    link, seen = build.link(), build.observation(build.one_of(tuple(RECORDS)))
    after = apply_observation(link, seen)

    assert apply_observation(after, seen) is after
    assert apply_observation(after, replace(seen, values=stored_values(seen.values))) is after
    is_possibly_stale(link, seen)
    apply_fresh_read(link, seen)


@given(arbitrary())
def test_a_refusal_of_every_write_is_predicted_or_not(build: Arbitrary) -> None:
    write, schema = build.write(), {name: build.field(name) for name in SALESFORCE_NAMES}

    refusal = expected_refusal(write, schema)

    assert refusal is None or refusal.code


def _applied(plan: Plan) -> Link:
    """Return the link after all writes of a plan were done."""
    intent = Intent("i", "r", NOW, plan.writes, plan.base_updates)
    outcomes = {
        write.record_id: WriteOutcome(
            write, WriteResult.DONE, record_id=write.record_id, answered_at=NOW
        )
        for write in plan.writes
    }
    return record_outcomes(
        replace(plan.link, intent=intent),
        "i",
        outcomes,
        unchanged_since_intent=True,
        now=NOW,
        problems=plan.problems,
    )


def _has_endless_number(link: Link) -> bool:
    """Whether a record has a number that no answer has: the reader refuses it (`MAX_DIGITS`).

    Its digest is that of a text. A plan would read the text again and find the problem then, where
    the number itself shows it at once.
    """
    return any(
        isinstance(value, int) and value.bit_length() > LONG_TEXT_CHARACTERS
        for record in link.observations()
        for value in record.values.values()
    )


def _as_stored(link: Link) -> Link:
    """Return a link as the ledger stores it."""
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
