"""What a run, an undo and the forms of a day may clear and overwrite without being asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.approved_changes import ApprovedChanges, load_approved, note_people, save_approved
from connector.errors import HaltError, StopReason, UnknownFieldError
from connector.log_events import Event
from connector.mapping import BoundMapping
from connector.model import (
    Breaker,
    Counts,
    Link,
    MergeRule,
    Overwritten,
    ProblemCode,
    RecordKind,
    Run,
    RunKind,
    Side,
    UndoRequest,
    Write,
)
from connector.planning.announced_changes import ChangeLimits
from connector.planning.participating_records import Match, Participants
from connector.planning.plan import Plan
from connector.sync.change_limits import ChangeLimiter, Limit
from connector.sync.isolation import Isolation
from tests.unit.connector.sync_fixtures import SyncSetup
from tests.unit.connector.sync_fixtures_limits import BOUND, FRESH, RUNNING, limited
from tests.unit.connector.sync_fixtures_stores import NOW

LIMIT: Final = 10
"""Records in which a run of the setup may clear one field; it may overwrite 3."""
DAY: Final = 20_833
"""The day of `NOW`, in days since 1970."""
UNDO: Final = UndoRequest("r0")
UNDOING: Final = replace(RUNNING, id="u1", kind=RunKind.UNDO, undo=UNDO)


def clearing(number: int, field: str = "Phone", kind: RecordKind = RecordKind.LEAD) -> list[Plan]:
    """Return plans that clear a field in so many records, one of each person."""
    return [_plan(each, kind, field, None) for each in range(number)]


def overwriting(
    number: int, field: str = "Phone", kind: RecordKind = RecordKind.LEAD
) -> list[Plan]:
    """Return plans that replace a typed value in so many records, one of each person."""
    pair = {"phone": "Phone"}.get(field, field)
    return [
        replace(
            _plan(each, kind, field, "2"),
            overwritten=(Overwritten(kind, f"{each}", pair, "1", "2", MergeRule.NEWEST),),
        )
        for each in range(number)
    ]


def _plan(number: int, kind: RecordKind, field: str, value: str | None) -> Plan:
    email = f"p{number}@x.fr"
    write = Write(kind, f"{number}", email, {field: value}, {field: "1"})
    return Plan(Link(email), Participants(Match.LINKED), (write,))


def check(
    setup: SyncSetup,
    plans: Sequence[Plan],
    run: Run = RUNNING,
    limit: Limit = Limit.RUN,
    bound: BoundMapping = FRESH,
) -> list[Plan]:
    context = setup.context
    return ChangeLimiter(context, bound, run, limit).check(plans, Isolation(context, run.id))


def refusal(
    setup: SyncSetup, plans: Sequence[Plan], run: Run = RUNNING, limit: Limit = Limit.RUN
) -> HaltError:
    with pytest.raises(HaltError) as caught:
        check(setup, plans, run, limit)
    return caught.value


def run_message(changes: str) -> str:
    return (
        f"This run stopped before it would {changes}. Nothing of that was done, and nothing is "
        'lost. To see every record with its old and new value: POST /sync with {"kind": '
        '"dry_run"}, then GET /admin/runs/ID/plan. If that is intended: POST /admin/runs/ID/approve'
        " allows the next run as many as this preview shows. If it is an accident, correct it where"
        ' it happened, then POST /admin/breaker/release with {"intended": false}.'
    )


def counted(number: int, counter: str = "cleared.Phone") -> dict[str, dict[str, int]]:
    return {"salesforce": {counter: number}}


def approve(setup: SyncSetup, number: int = 12, **changes: Any) -> None:
    """Approve the preview `d1`, which clears a field in so many records."""
    approved = ApprovedChanges("d1", NOW + 1, counted(number))
    save_approved(setup.ledger, replace(approved, **changes))


def preview(setup: SyncSetup, **changes: Any) -> None:
    setup.store_run(replace(RUNNING, id="d1", kind=RunKind.DRY_RUN, **changes))


@pytest.mark.parametrize("plans", [clearing(LIMIT), overwriting(3), clearing(0)])
def test_a_run_changes_as_many_records_as_its_limit(plans: list[Plan]) -> None:
    setup = limited()

    assert check(setup, plans) == plans
    assert (setup.ledger.breaker(), setup.log.lines) == (None, [])


def test_a_run_that_would_clear_more_stops_and_opens_the_breaker() -> None:
    setup = limited()

    error = refusal(setup, clearing(LIMIT + 1))

    message = run_message("clear Phone in Salesforce in 11 records or more (limit 10)")
    assert (error.reason, str(error)) == (StopReason.MASS_CLEARING, message)
    assert setup.ledger.breaker() == Breaker(StopReason.MASS_CLEARING, message, NOW)
    assert setup.log.of(Event.breaker_opened) == [{"run_id": "r1", "reason": "mass_clearing"}]


def test_a_run_that_would_overwrite_more_stops_for_that_reason() -> None:
    error = refusal(limited(), overwriting(4))

    message = run_message(
        "overwrite typed values of Phone in Salesforce in 4 records or more (limit 3)"
    )
    assert (error.reason, str(error)) == (StopReason.MASS_OVERWRITING, message)


def test_a_run_that_would_do_both_stops_for_the_cleared_values_and_names_all_fields() -> None:
    plans = [
        *overwriting(4),
        *clearing(11, "Title"),
        *overwriting(5, "phone", RecordKind.PLEZI_CONTACT),
        *clearing(3, "phone", RecordKind.PLEZI_CONTACT),
    ]

    error = refusal(limited(), plans)

    assert error.reason is StopReason.MASS_CLEARING
    assert str(error) == run_message(
        "overwrite typed values of Phone in Plezi in 5 records or more (limit 3); "
        "clear Title in Salesforce in 11 records or more (limit 10); "
        "overwrite typed values of Phone in Salesforce in 4 records or more (limit 3)"
    )


def test_what_earlier_invocations_and_units_did_counts() -> None:
    context = limited().context
    limiter = ChangeLimiter(context, FRESH, replace(RUNNING, counts=counted(4)), Limit.RUN)
    done = Counts()
    done.add(Side.PLEZI, "cleared.Phone", 100)
    done.add(Side.SALESFORCE, "cleared.Phone", 4)
    done.add(Side.SALESFORCE, "cleared.Title", 9)

    limiter.add(done)

    isolation = Isolation(context, "r1")
    assert len(limiter.check(clearing(2), isolation)) == 2
    assert len(limiter.check(clearing(1, "Title"), isolation)) == 1
    with pytest.raises(HaltError, match="clear Phone in Salesforce in 11 records or more"):
        limiter.check(clearing(3), isolation)


def test_the_limit_grows_with_the_people_who_are_synchronized() -> None:
    setup = limited()
    note_people(setup.ledger, {"salesforce": {"people.Lead": 120}})

    assert len(check(setup, clearing(12))) == 12
    assert "in 13 records or more (limit 12)" in str(refusal(setup, clearing(13)))
    assert "in 13 records or more (limit 12)" in str(refusal(setup, overwriting(13)))


@pytest.mark.parametrize(
    ("limits", "plans", "limit"),
    [
        (ChangeLimits(cleared=3, overwritten=10, share=0.1), clearing(4), 3),
        (ChangeLimits(cleared=0, overwritten=0, share=1.0), overwriting(1), 0),
    ],
)
def test_each_kind_of_change_has_its_own_limit_which_may_be_zero(
    limits: ChangeLimits, plans: list[Plan], limit: int
) -> None:
    context = replace(limited().context, change_limits=limits)

    with pytest.raises(HaltError, match=rf"in {limit + 1} records or more \(limit {limit}\)"):
        ChangeLimiter(context, FRESH, RUNNING, Limit.RUN).check(plans, Isolation(context, "r1"))


def test_people_whom_an_admin_named_have_no_limit() -> None:
    plans = clearing(100)
    checked = check(limited(), plans, limit=Limit.NONE, bound=BOUND)
    assert checked == plans
    assert checked is not plans


def test_a_plan_that_cannot_be_checked_is_left_out_and_its_person_has_a_fault() -> None:
    context = limited().context
    isolation = Isolation(context, "r1")
    unreadable: Any = None
    broken = replace(clearing(1)[0], link=Link("b@x.fr"), writes=(unreadable,))
    good = clearing(2)

    plans = ChangeLimiter(context, FRESH, RUNNING, Limit.RUN).check([broken, *good], isolation)

    assert plans == good
    assert {it: fault.code for it, fault in isolation.faults.items()} == {
        "b@x.fr": ProblemCode.DEFECT
    }


@pytest.mark.parametrize("limit", [Limit.RUN, Limit.UNDO])
def test_before_a_field_of_several_people_is_cleared_the_fields_are_described_again(
    limit: Limit,
) -> None:
    plans = [*clearing(7, "Title"), *clearing(6), *clearing(5, "phone", RecordKind.PLEZI_CONTACT)]

    with pytest.raises(UnknownFieldError) as caught:
        check(limited(), plans, UNDOING, limit, BOUND)

    error = caught.value
    assert (error.code, error.remedy) == ("CLEARED_FIELDS", "the fields are described again")
    assert error.fields == ("Phone", "Title")


@pytest.mark.parametrize(
    ("plans", "done"),
    [
        (clearing(5), {}),
        (clearing(4), counted(1)),
        (clearing(1), counted(6)),
        (clearing(0), counted(6)),
        (overwriting(3), counted(5)),
    ],
)
def test_few_cleared_values_and_those_that_follow_need_no_other_description(
    plans: list[Plan], done: dict[str, dict[str, int]]
) -> None:
    assert check(limited(), plans, replace(RUNNING, counts=done), bound=BOUND) == plans


def test_the_sixth_cleared_value_needs_another_description_when_five_were_cleared_before() -> None:
    with pytest.raises(UnknownFieldError):
        check(limited(), clearing(1), replace(RUNNING, counts=counted(5)), bound=BOUND)


def test_an_admin_allows_runs_everything_until_a_time() -> None:
    setup = limited()
    setup.ledger.allow_clearing(NOW + 0.5)
    assert len(check(setup, clearing(100))) == 100

    setup.ledger.allow_clearing(NOW)
    assert refusal(setup, clearing(100)).reason is StopReason.MASS_CLEARING


# Approved previews


def test_an_approved_preview_allows_a_run_as_many_as_it_shows() -> None:
    setup = limited()
    preview(setup)
    approve(setup)
    before = load_approved(setup.ledger)

    assert "in 13 records or more (limit 10)" in str(refusal(setup, clearing(13)))
    assert load_approved(setup.ledger) == before
    assert len(check(setup, clearing(12))) == 12
    assert load_approved(setup.ledger) == replace(before, used_by=("r1",))


def test_only_what_the_preview_does_not_show_stops_a_run() -> None:
    setup = limited()
    preview(setup)
    approve(setup)

    error = refusal(setup, [*clearing(12), *clearing(11, "Title")])

    assert str(error) == run_message("clear Title in Salesforce in 11 records or more (limit 10)")
    assert load_approved(setup.ledger).used_by == ()


def test_a_run_within_its_limit_uses_no_approval() -> None:
    setup = limited()
    preview(setup)
    approve(setup)

    check(setup, clearing(LIMIT))

    assert load_approved(setup.ledger).used_by == ()


def test_an_approval_is_over_at_its_time_but_not_for_a_run_that_began_to_use_it() -> None:
    setup = limited()
    preview(setup)
    approve(setup, until=NOW)
    assert refusal(setup, clearing(11)).reason is StopReason.MASS_CLEARING

    approve(setup, until=NOW - 1, used_by=("r1",))
    assert len(check(setup, clearing(12))) == 12
    assert load_approved(setup.ledger).used_by == ("r1",)


def test_what_other_runs_did_with_an_approval_is_no_longer_allowed() -> None:
    setup = limited()
    preview(setup)
    setup.store_run(replace(RUNNING, id="r0", counts=counted(1)))
    setup.store_run(replace(RUNNING, id="r9", counts=counted(2)))
    setup.store_run(replace(RUNNING, counts=counted(12)))
    approve(setup, 14, used_by=("r0", "gone", "r9"))

    assert refusal(setup, clearing(12)).reason is StopReason.MASS_CLEARING
    assert len(check(setup, clearing(11))) == 11
    assert load_approved(setup.ledger).used_by == ("r0", "gone", "r9", "r1")
    assert len(check(setup, clearing(11))) == 11
    assert load_approved(setup.ledger).used_by == ("r0", "gone", "r9", "r1")


@pytest.mark.parametrize("changes", [None, {"undo": UNDO}])
def test_a_preview_that_is_gone_or_that_of_an_undo_allows_a_run_nothing(
    changes: dict[str, Any] | None,
) -> None:
    setup = limited()
    if changes is not None:
        preview(setup, **changes)
    approve(setup)

    assert refusal(setup, clearing(11)).reason is StopReason.MASS_CLEARING


# Undo


def test_an_undo_that_would_change_more_stops_alone_and_opens_no_breaker() -> None:
    setup = limited()
    setup.ledger.allow_clearing(NOW + 1)

    error = refusal(setup, overwriting(4), UNDOING, Limit.UNDO)

    assert error.reason is StopReason.MASS_OVERWRITING
    assert str(error) == (
        "This undo stopped before it would overwrite typed values of Phone in Salesforce in 4 "
        "records or more (limit 3). Request its preview (POST /admin/runs/r0/undo with "
        '{"preview": true}), read it (GET /admin/runs/ID/plan), approve it (POST '
        "/admin/runs/ID/approve), then request the undo again: it may do as much as this preview "
        "shows."
    )
    assert (setup.ledger.breaker(), setup.log.lines) == (None, [])


def test_an_undo_stops_for_the_cleared_values_first_and_counts_what_it_did() -> None:
    done = replace(UNDOING, counts=counted(8))
    setup = limited()

    error = refusal(setup, [*overwriting(4), *clearing(3)], done, Limit.UNDO)

    assert error.reason is StopReason.MASS_CLEARING
    assert "clear Phone in Salesforce in 11 records or more" in str(error)
    assert len(check(setup, clearing(2), done, Limit.UNDO)) == 2


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        ({"undo": UNDO}, True),
        ({"undo": UndoRequest("r0", opt_outs=True)}, False),
        ({"undo": UNDO, "emails": ("p1@x.fr",)}, False),
        ({}, False),
        (None, False),
    ],
)
def test_only_the_preview_of_the_same_undo_allows_it_more(
    changes: dict[str, Any] | None, *, is_allowed: bool
) -> None:
    setup = limited()
    if changes is not None:
        preview(setup, **changes)
    approve(setup)

    if is_allowed:
        assert len(check(setup, clearing(12), UNDOING, Limit.UNDO)) == 12
        assert load_approved(setup.ledger).used_by == ("u1",)
        assert "in 13 records" in str(refusal(setup, clearing(13), UNDOING, Limit.UNDO))
    else:
        assert "in 12 records" in str(refusal(setup, clearing(12), UNDOING, Limit.UNDO))


# Forms


def test_a_form_that_would_clear_too_many_of_the_day_waits_for_the_next_run() -> None:
    setup = limited()
    assert len(check(setup, clearing(6), limit=Limit.FORMS, bound=BOUND)) == 6
    assert len(check(setup, overwriting(3), limit=Limit.FORMS, bound=BOUND)) == 3

    error = refusal(setup, [*overwriting(1), *clearing(5)], limit=Limit.FORMS)

    assert error.reason is StopReason.MASS_CLEARING
    assert str(error) == (
        "Forms of one day would clear Phone in Salesforce in 11 records or more (limit 10); "
        "overwrite typed values of Phone in Salesforce in 4 records or more (limit 3). This form "
        "waits for the next run, which has the same limit."
    )
    assert (setup.ledger.breaker(), setup.log.lines) == (None, [])
    assert setup.ledger.load_document(f"form_changes#{DAY}") == {
        "salesforce": {"cleared.Phone": 11, "overwritten.Phone": 4}
    }


def test_the_forms_of_another_day_and_of_another_field_do_not_count() -> None:
    setup = limited()
    check(setup, clearing(10), limit=Limit.FORMS)
    assert refusal(setup, clearing(1), limit=Limit.FORMS).reason is StopReason.MASS_CLEARING

    assert len(check(setup, clearing(10, "Title"), limit=Limit.FORMS)) == 10
    setup.clock.now = (DAY + 1) * 86_400.0
    assert len(check(setup, clearing(10), limit=Limit.FORMS)) == 10
    setup.clock.now += 86_399
    assert refusal(setup, clearing(1), limit=Limit.FORMS).reason is StopReason.MASS_CLEARING


@pytest.mark.parametrize("reason", [StopReason.MASS_CLEARING, StopReason.MASS_OVERWRITING])
def test_a_form_that_changes_such_a_value_waits_while_the_breaker_is_open(
    reason: StopReason,
) -> None:
    setup = limited()
    setup.ledger.open_breaker(Breaker(reason, "look", NOW))

    error = refusal(setup, clearing(1), limit=Limit.FORMS)

    assert error.reason is reason
    assert str(error) == (
        "The breaker is open, and this form would clear Phone in Salesforce in 1 records or more "
        "(limit 10): it waits until an admin has decided."
    )
    assert setup.ledger.load_document(f"form_changes#{DAY}") is None
    assert check(setup, [], limit=Limit.FORMS) == []


def test_a_form_goes_on_with_a_breaker_of_another_reason() -> None:
    setup = limited()
    setup.ledger.open_breaker(Breaker(StopReason.LOGIN_REFUSED, "look", NOW))

    assert len(check(setup, clearing(1), limit=Limit.FORMS)) == 1


def test_forms_are_not_counted_while_an_admin_allows_everything() -> None:
    setup = limited()
    setup.ledger.allow_clearing(NOW + 1)

    assert len(check(setup, clearing(100), limit=Limit.FORMS)) == 100
    assert setup.ledger.load_document(f"form_changes#{DAY}") is None
