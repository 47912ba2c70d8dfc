"""Each excuse of a final state is narrow: a fault beside it is not excused."""

from __future__ import annotations

import pytest

from connector.mapping import ConflictPolicy, Direction
from connector.model import RecordKind
from local.world.both_sides import BothSides
from tests.simulation.history import excuses
from tests.simulation.history.admin_actions import DIRECTIONS
from tests.simulation.history.events import Event, EventList
from tests.simulation.history.fields import ALWAYS_MAPPED
from tests.simulation.history.final_state import FinalState
from tests.simulation.history.history import History
from tests.simulation.history.oracle import OPT_OUT
from tests.simulation.history.ports import memory_ports
from tests.simulation.watched_person import (
    is_violated,
    mapping,
)


@pytest.fixture(scope="module")
def sides() -> BothSides:
    return BothSides()


@pytest.mark.filterwarnings("ignore")
def _history(sides: BothSides, *events: Event, policy: ConflictPolicy) -> History:
    policies = dict.fromkeys(ALWAYS_MAPPED, policy)
    drawn = EventList(0, policies, {}, events)
    history = History(sides, drawn, memory_ports(drawn))
    for event in events:
        history.apply(event)
        sides.clock.advance(7)
    return history


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("policy", [ConflictPolicy.FILL_BLANK, ConflictPolicy.HOLD])
def test_a_difference_is_excused_in_the_held_field_and_in_no_other(
    sides: BothSides, policy: ConflictPolicy
) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("edit", 0, "plezi", "phone"),
        Event("edit", 0, "salesforce", "phone"),
        Event("run"),
        policy=policy,
    )
    FinalState(history.context).check(decided=False)
    used = history.context.oracle.excused
    assert used[excuses.HELD if policy is ConflictPolicy.HOLD else excuses.FILL_BLANK]
    history.apply(Event("edit", 0, "salesforce", "first_name"))  # not mapped: no difference
    FinalState(history.context).check(decided=False)
    history.apply(Event("edit", 0, "plezi", "mobile"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_hold_excuses_only_the_values_that_it_shows_and_only_until_it_is_decided(
    sides: BothSides,
) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("edit", 0, "plezi", "phone"),
        Event("edit", 0, "salesforce", "phone"),
        Event("run"),
        policy=ConflictPolicy.HOLD,
    )
    is_violated("35", lambda: FinalState(history.context).check(decided=True))
    history.apply(Event("edit", 0, "salesforce", "phone"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_hold_without_its_reason_is_a_fault(sides: BothSides) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("edit", 0, "plezi", "phone"),
        Event("edit", 0, "salesforce", "phone"),
        Event("run"),
        policy=ConflictPolicy.HOLD,
    )
    history.context.versions[:] = [mapping(ConflictPolicy.NEWEST)]
    is_violated("35", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_person_without_an_excuse_must_have_a_record_on_the_other_side(sides: BothSides) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("delete", 0, "salesforce"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.NOT_CREATED] == 1
    history.apply(Event("create", 1, "plezi"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_lead_without_e_mail_is_left_out_and_its_person_s_other_records_are_not(
    sides: BothSides,
) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("create_duplicate", 0, "salesforce"),
        Event("run"),
        Event("clear_email", 0, "salesforce"),
        Event("edit", 0, "salesforce", "phone"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.NO_EMAIL]
    history.apply(Event("edit", 0, "plezi", "phone"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_withdrawn_field_excuses_its_own_pair_only(sides: BothSides) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("withdraw_field", 0, "plezi", "newsletter_optout"),
        Event("full_run"),
        policy=ConflictPolicy.NEWEST,
    )
    history.context.stack.context.control.save_suspended_pairs({"newsletter_optout__c": "gone"})
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.SUSPENDED]
    history.context.stack.context.control.save_suspended_pairs({"Phone": "gone"})
    is_violated("24", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_contact_keeps_an_address_typed_over_in_plezi_before_they_met(sides: BothSides) -> None:
    moved = Event("change_email", 1, "plezi", "mobile", value=2)
    history = _history(
        sides,
        Event("create", 1, "salesforce"),
        Event("run"),
        Event("create_contact", 1, "plezi", "notes"),
        Event("run", 1, nested=(Event("at", value=12, nested=(moved,)),)),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.CONTACT_KEEPS]
    history.apply(Event("edit", 1, "plezi", "phone"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_one_way_pair_takes_one_of_two_values_only_with_an_entry_in_the_journal(
    sides: BothSides,
) -> None:
    to_plezi = next(place for place, it in enumerate(DIRECTIONS) if it is Direction.TO_PLEZI)
    history = _history(
        sides,
        Event("change_direction", 0, "", "phone", value=to_plezi),
        Event("create", 0, "salesforce"),
        Event("create_duplicate", 0, "salesforce"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    [pair] = [it for it in history.context.ports.mappings.current().pairs if it.plezi == "phone"]
    assert pair.direction is Direction.TO_PLEZI
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.OTHER_SENDER] == 1
    duplicate = history.context.records[0, "duplicate"]
    sides.edit(RecordKind.LEAD, duplicate, {"Phone": "7"})
    history.context.look()
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_cleared_contact_stays_blank_where_blanks_are_only_filled(sides: BothSides) -> None:
    def cleared(policy: ConflictPolicy, side: str) -> History:
        return _history(
            sides,
            Event("create", 0, "salesforce"),
            Event("run"),
            Event("convert", 0, "salesforce"),
            Event("clear", 0, side, "phone"),
            Event("toggle_flag", 0),
            Event("run"),
            policy=policy,
        )

    history = cleared(ConflictPolicy.FILL_BLANK, "contact")
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.FILL_BLANK]

    history.apply(Event("edit", 0, "plezi", "phone"))
    history.apply(Event("edit", 0, "contact", "mobile"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_last_opt_out_is_excused_only_where_its_field_did_not_exist(
    sides: BothSides, *, is_withdrawn: bool
) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        *([Event("withdraw_field", 0, "plezi", OPT_OUT)] if is_withdrawn else []),
        Event("run"),
        Event("opt_out_and_leave", 0, "salesforce"),
        *([Event("restore_field"), Event("full_run")] if is_withdrawn else []),
        policy=ConflictPolicy.MOST_RESTRICTIVE,
    )
    check = FinalState(history.context)
    if is_withdrawn:
        check.check(decided=False)
        assert history.context.oracle.excused[excuses.SUSPENDED]
    else:
        is_violated("39", lambda: check.check(decided=False))
