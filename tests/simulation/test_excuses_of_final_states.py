"""Each excuse of a final state is narrow: a fault beside it is not excused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy
from connector.model import (
    Hold,
    HoldReason,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    MergeRule,
    Observation,
    RecordKind,
    Side,
)
from local.world.both_sides import BothSides, StoredRecord
from tests.simulation.history import excuses
from tests.simulation.history.admin_actions import DIRECTIONS
from tests.simulation.history.events import Event, EventList
from tests.simulation.history.fields import ALWAYS_MAPPED
from tests.simulation.history.final_state import FinalState
from tests.simulation.history.history import History
from tests.simulation.history.oracle import OPT_OUT, Decision
from tests.simulation.history.ports import memory_ports
from tests.simulation.history.quiescence import waits_without_reason
from tests.simulation.history.typing_history import Cell, State, Typing
from tests.simulation.history.values import cell_value
from tests.simulation.watched_person import (
    is_violated,
    mapping,
)


@pytest.fixture(scope="module")
def sides() -> BothSides:
    return BothSides()


@pytest.mark.filterwarnings("ignore")
def _history(
    sides: BothSides,
    *events: Event,
    policy: ConflictPolicy,
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR,
) -> History:
    policies = dict.fromkeys(ALWAYS_MAPPED, policy)
    if policy is ConflictPolicy.MOST_RESTRICTIVE:  # valid for checkboxes only
        policies = {**dict.fromkeys(ALWAYS_MAPPED, ConflictPolicy.NEWEST), OPT_OUT: policy}
    drawn = EventList(0, policies, {}, events, duplicates)
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
@pytest.mark.parametrize("chosen", ["lead", "plezi", "too early"])
def test_a_choice_in_a_one_way_pair_stays_on_the_receiving_side(
    sides: BothSides, chosen: str
) -> None:
    to_salesforce = DIRECTIONS.index(Direction.TO_SALESFORCE)
    history = _history(
        sides,
        Event("change_direction", 0, "", "phone", value=to_salesforce),
        Event("create", 0, "plezi"),
        Event("run"),
        Event("edit", 0, "salesforce", "phone", value=3),
        Event("edit", 0, "plezi", "phone", value=4),
        policy=ConflictPolicy.NEWEST,
    )
    oracle = history.context.oracle
    [link] = history.context.ports.ledger.all_links()
    assert link.plezi is not None
    [lead] = link.salesforce
    record = link.plezi.id if chosen == "plezi" else lead.id
    number = oracle.order - 1 if chosen == "too early" else oracle.order
    oracle.decisions.append(Decision("Phone", record, number))
    check = FinalState(history.context)
    stored = history.context.sides.stored_records()
    [pair] = [it for it in history.context.ports.mappings.current().pairs if it.plezi == "phone"]

    problem = check._difference(pair, stored[link.plezi.id], stored[lead.id])

    assert (problem == "") is (chosen == "lead")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("direction", [Direction.TO_PLEZI, Direction.TO_SALESFORCE])
def test_a_receiving_side_stays_ticked_only_where_the_journal_says_what_gave_way(
    sides: BothSides, direction: Direction
) -> None:
    sender, receiver = (
        ("salesforce", RecordKind.PLEZI_CONTACT)
        if direction is Direction.TO_PLEZI
        else ("plezi", RecordKind.LEAD)
    )
    history = _history(
        sides,
        Event("create", 0, sender),
        Event("retype", 0, sender, OPT_OUT, value=2),
        Event("change_direction", 0, "", OPT_OUT, value=DIRECTIONS.index(direction)),
        Event("run"),
        Event("edit", 0, sender, OPT_OUT, value=2),
        policy=ConflictPolicy.MOST_RESTRICTIVE,
    )

    def check() -> None:
        FinalState(history.context)._check_pair(link, pair)

    [link] = history.context.ports.ledger.all_links()
    assert link.plezi is not None
    [pair] = [it for it in history.context.ports.mappings.current().pairs if it.plezi == OPT_OUT]
    is_violated("1", check)  # the journal does not say yet that the value gave way

    history.apply(Event("run"))
    check()
    assert history.context.oracle.excused[excuses.STAYS_TICKED] == 1

    ids = {RecordKind.PLEZI_CONTACT: link.plezi.id, RecordKind.LEAD: link.salesforce[0].id}
    name = OPT_OUT if receiver.side is Side.PLEZI else pair.salesforce
    sides.edit(receiver, ids[receiver], {name: False})
    stored = sides.stored_records()
    plezi, lead = (stored[it] for it in ids.values())
    assert not FinalState(history.context)._stays_ticked(pair, plezi, lead)


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


@pytest.mark.filterwarnings("ignore")
def test_a_record_with_the_e_mail_of_another_person_waits_and_that_person_does_not(
    sides: BothSides,
) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("create", 32, "plezi"),
        Event("run"),
        Event("change_email", 32, "salesforce"),
        Event("edit", 32, "salesforce", "mobile"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.EMAIL_TAKEN]
    history.apply(Event("edit", 0, "plezi", "mobile"))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


@pytest.mark.filterwarnings("ignore")
def test_a_contact_keeps_the_address_that_it_was_created_with_and_none_typed_later(
    sides: BothSides,
) -> None:
    moved = Event("at", value=12, nested=(Event("change_email", 1, "plezi", "mobile", value=2),))
    created = Event("at", value=13, nested=(Event("create_contact", 1, "plezi", "notes"),))
    history = _history(
        sides,
        Event("create", 1, "salesforce"),
        Event("run"),
        Event("run", 1, nested=(moved, created)),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    FinalState(history.context).check(decided=False)
    assert history.context.oracle.excused[excuses.CONTACT_KEEPS]
    contact = history.context.records[1, "contact"]
    address = history.context.oracle.history.cell((contact, "Email"))
    address.past.append(State("else@example.com", address.state.typing - 1))
    is_violated("1", lambda: FinalState(history.context).check(decided=False))


def _with_a_new_lead_beside_a_contact(sides: BothSides) -> tuple[FinalState, Link]:
    typed = Event("edit", 2, "plezi", "company")
    history = _history(
        sides,
        Event("create", 2, "plezi"),
        Event("create_contact", 2, "salesforce", "mobile"),
        Event("run", nested=(Event("at", value=10, nested=(typed,)),)),
        Event("create", 2, "salesforce"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    [link] = history.context.ports.ledger.all_links()
    return FinalState(history.context), link


@pytest.mark.filterwarnings("ignore")
def test_a_pair_may_be_new_for_a_lead_beside_a_blank_contact_only(sides: BothSides) -> None:
    check, link = _with_a_new_lead_beside_a_contact(sides)
    hold = link.holds["Company"]
    assert hold.reason is HoldReason.NEVER_AGREED
    check.check(decided=False)

    contact = next(it.id for it in link.salesforce if it.kind is RecordKind.CONTACT)
    filled = replace(hold, values={**hold.values, contact: "Acme"})
    alone = replace(hold, values={it: of for it, of in hold.values.items() if it != contact})
    for other in (filled, alone):
        assert check._unjustified(link, "Company", other) == "but the mapping never changed"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("act", ["opt_out_and_leave", "edit"])
def test_a_write_in_doubt_to_a_deleted_contact_needs_nobody_who_typed(
    sides: BothSides, act: str
) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("run"),
        Event(act, 0, "plezi", "mobile", value=4),
        policy=ConflictPolicy.NEWEST,
    )
    history.context.uncertain_since = 99
    [link] = history.context.ports.ledger.all_links()
    hold = Hold(HoldReason.IN_DOUBT, 0.0, {link.salesforce[0].id: "2002"})
    is_deleted = act == "opt_out_and_leave"

    problem = FinalState(history.context)._unjustified(link, "LastName", hold)

    assert problem == ("" if is_deleted else "but nobody typed since a write")


@pytest.mark.filterwarnings("ignore")
def test_the_name_of_an_account_is_one_of_two_values_for_a_blank(sides: BothSides) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("run"),
        Event("convert", 0, "salesforce"),
        policy=ConflictPolicy.FILL_BLANK,
    )
    check = FinalState(history.context)
    pair = next(it for it in check._mapping.pairs if it.plezi == "company")
    [(account, name)] = sides.account_names().items()
    lead = StoredRecord(RecordKind.LEAD, "00Q1", "a@x.fr", {"Company": f"Not {name}"})
    same = replace(lead, values={"Company": name.upper()})
    contact = StoredRecord(RecordKind.CONTACT, "0031", "a@x.fr", {"AccountId": account})
    without = replace(contact, values={"AccountId": None})

    assert check._fill_blank_has_a_choice(pair, [lead, contact])
    assert not check._fill_blank_has_a_choice(pair, [lead, without])
    assert not check._fill_blank_has_a_choice(pair, [same, contact])


@pytest.mark.filterwarnings("ignore")
def test_a_creation_in_doubt_may_find_a_contact_that_the_lost_ledger_knew(
    sides: BothSides,
) -> None:
    history = _history(
        sides, Event("create", 0, "salesforce"), Event("run"), policy=ConflictPolicy.NEWEST
    )
    context = history.context
    context.uncertain_since = 99
    [link] = context.ports.ledger.all_links()
    assert link.plezi is not None
    lead = link.salesforce[0].id
    found = Hold(HoldReason.IN_DOUBT, 0.0, {lead: "2002", link.plezi.id: "2003"})
    assert FinalState(context)._unjustified(link, "LastName", found)

    context.oracle.forget_all_agreements()

    assert not FinalState(context)._unjustified(link, "LastName", found)
    of_leads = replace(found, values={lead: "2002"})
    assert FinalState(context)._unjustified(link, "LastName", of_leads)
    created_later = replace(found, values={lead: "2002", "f" * 24: "2003"})
    assert FinalState(context)._unjustified(link, "LastName", created_later)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("direction", [Direction.TO_PLEZI, Direction.TO_SALESFORCE])
def test_an_edit_of_the_receiving_side_stays_where_the_journal_says_that_a_lead_joined(
    sides: BothSides, direction: Direction
) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("run"),
        Event("edit", 0, "plezi", "phone"),
        policy=ConflictPolicy.NEWEST,
    )
    check = FinalState(history.context)
    [link] = history.context.ports.ledger.all_links()
    assert link.plezi is not None
    pair = next(it for it in check._mapping.pairs if it.key == "Phone")
    pair = replace(pair, direction=direction)
    plezi, lead = check._stored[link.plezi.id], check._stored[link.salesforce[0].id]
    value = cell_value(lead, "Phone")
    cells = history.context.oracle.history
    typed, never = cells.cell((plezi.id, "phone")), Cell(State("9"))
    assert not check._joined_what_stays(pair, typed, lead, value)
    history.context.ports.journal.write(
        [
            JournalEntry(
                "a@x.fr",
                1.0,
                "r",
                JournalKind.OVERWRITTEN,
                Side.SALESFORCE,
                lead.id,
                "Phone",
                value,
                None,
                MergeRule.JOINED,
            )
        ]
    )
    is_excused = direction is Direction.TO_PLEZI
    assert check._joined_what_stays(pair, typed, lead, value) is is_excused
    assert not check._joined_what_stays(pair, never, lead, value)
    assert not check._joined_what_stays(pair, cells.cell((lead.id, "Phone")), lead, value)


@pytest.mark.filterwarnings("ignore")
def test_a_contact_keeps_the_value_that_gave_way_in_the_lead_of_which_it_was_made(
    sides: BothSides,
) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("create", 1, "salesforce"),
        Event("convert", 0, "salesforce"),
        policy=ConflictPolicy.PLEZI_WINS,
    )
    check = FinalState(history.context)
    converted = next(it for it in check._stored.values() if it.converted)
    other = next(
        it for it in check._stored.values() if it.kind is RecordKind.LEAD and not it.converted
    )
    contact = check._stored[str(converted.values["ConvertedContactId"])]
    pair = next(it for it in check._mapping.pairs if it.key == "Phone")
    entry = JournalEntry(
        "a@x.fr",
        1.0,
        "r",
        JournalKind.OVERWRITTEN,
        Side.SALESFORCE,
        converted.id,
        "Phone",
        "1001",
        "1003",
        MergeRule.PLEZI_WINS,
    )
    journal = history.context.ports.journal
    journal.write([replace(entry, record_id=other.id)])
    assert not check._is_journalled(pair, contact, "1001")
    journal.write([entry])
    assert check._is_journalled(pair, contact, "1001")
    assert not check._is_journalled(pair, contact, "1002")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("key", "may_replace", "is_left"),
    [("Phone", {2}, True), ("Phone", {3}, False), ("Email", {2}, False)],
)
def test_a_contact_keeps_a_value_that_was_typed_over_where_both_were_read_as_equal(
    sides: BothSides, key: str, may_replace: set[int], *, is_left: bool
) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("create_contact", 0, "salesforce", "mobile"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
    )
    check = FinalState(history.context)
    contact = history.context.oracle.stored[history.context.records[0, "contact"]]
    pair = next(it for it in check._mapping.pairs if it.key == key)
    typed_over = Cell(State("1003", 9, may_replace=frozenset(may_replace)))

    problem = check._contact_difference(
        pair, typed_over, Cell(State("1002", 2)), contact, "they differ"
    )

    assert problem == ("" if is_left else "they differ")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("lag", "typed_first"), [({}, 2), ({"read_lag_seconds": 5.0}, 1)])
def test_a_write_may_rest_on_what_was_read_before_a_user_typed(
    sides: BothSides, lag: dict[str, object], typed_first: int
) -> None:
    """A contact was read at 90 s, its write decided at 100 s; users typed at 70, 86, 92 s."""
    history = _history(
        sides, Event("create", 0, "plezi"), Event("run"), policy=ConflictPolicy.NEWEST
    )
    context = history.context
    context.events = replace(context.events, tenant=lag)
    context._order_before_write = 99
    context.oracle.history.typings.clear()
    for number, at in enumerate((70.0, 86.0, 92.0)):
        context.oracle.history.typings[number] = Typing(number, ("p", "phone"), "", at, "")
    ledger = context.ports.ledger
    [link] = ledger.all_links()
    observations = [replace(it, as_of=90.0) for it in link.observations()]
    for it in observations:
        link = link.with_observation(it)
    ledger.save_links([LinkChange(replace(link, intent=Intent("i", "r", 100.0, (), ())))])

    context.note_uncertainty()

    assert context.uncertain_since == typed_first


@pytest.mark.filterwarnings("ignore")
def test_an_opt_out_that_arrived_is_not_requested_of_the_next_contact(sides: BothSides) -> None:
    history = _history(
        sides,
        Event("create", 0, "plezi"),
        Event("run"),
        Event("opt_out_and_leave", 0, "salesforce"),
        Event("run"),
        Event("delete", 0, "plezi"),
        Event("create", 0, "plezi"),
        Event("run"),
        policy=ConflictPolicy.MOST_RESTRICTIVE,
    )
    check = FinalState(history.context)
    check.check(decided=False)
    used = history.context.oracle.excused[excuses.NOT_CREATED]
    assert history.context.oracle.checked["39 last opt-outs arrive"]
    assert used


@pytest.mark.filterwarnings("ignore")
def test_a_lead_that_is_left_out_keeps_its_address_and_a_mirrored_one_does_not(
    sides: BothSides,
) -> None:
    history = _history(
        sides,
        Event("create", 0, "salesforce"),
        Event("create_duplicate", 0, "salesforce"),
        Event("run"),
        Event("change_email", 0, "salesforce", value=2),
        Event("create_contact", 0, "plezi"),
        Event("run"),
        policy=ConflictPolicy.NEWEST,
        duplicates=DuplicatePolicy.SURVIVOR,
    )
    check = FinalState(history.context)
    check.check(decided=False)
    check._mapping = replace(check._mapping, duplicates=DuplicatePolicy.MIRROR)
    is_violated("13", check._check_one_person_per_email)


def test_only_a_person_without_records_may_wait_without_a_reason() -> None:
    contact = Observation(RecordKind.PLEZI_CONTACT, "p", "ana@example.com", "1", "", 0.0, {})
    link = Link("ana@example.com", plezi=contact, dirty=True)
    stored = StoredRecord(RecordKind.PLEZI_CONTACT, "p", "ana@example.com", {})

    assert waits_without_reason(link, {"p": stored})
    assert not waits_without_reason(replace(link, dirty=False), {"p": stored})
    assert not waits_without_reason(link, {"p": replace(stored, deleted=True)})
    assert not waits_without_reason(link, {})
