"""One unit of links: who waits for what, what is stored without a write, and what is intended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from connector.errors import HaltError, StopReason
from connector.log_events import Event
from connector.mapping import ConflictPolicy
from connector.mapping.values import stored_value
from connector.model import (
    BaseUpdate,
    HoldReason,
    Intent,
    JournalKind,
    Link,
    LongText,
    Observation,
    ProblemCode,
    RunKind,
    Side,
    Write,
)
from connector.sync.isolation import Fault
from connector.sync.resolve_unit import UnitResult
from tests.unit.connector.sync_fixtures import (
    CONTACT,
    EMAIL,
    EMAIL_BASE,
    LEAD,
    LIMITS,
    MAPPING,
    OTHER,
    PHONE,
    PHONE_BASE,
    PHONE_PAIR,
    RUN,
    agreed,
    bound_to,
    contact,
    lead,
    never,
)
from tests.unit.connector.sync_fixtures_stores import NOW, Journal
from tests.unit.connector.sync_fixtures_writes import (
    LEAD_WRITE,
    PLEZI_WRITE,
    TO_CONTACT,
    TO_LEAD,
    Unit,
    edited,
    intended,
)

# What is loaded and planned


def test_dirty_links_are_loaded_and_clean_ones_on_request() -> None:
    unit = Unit(TO_LEAD, agreed(OTHER))

    assert [it.email for it in unit.unit.load([EMAIL, OTHER, "c@x.fr"])] == [EMAIL]
    found = unit.unit.load([EMAIL, OTHER], include_clean=True)
    assert [it.email for it in found] == [EMAIL, OTHER]


def test_links_in_quarantine_of_this_invocation_are_not_loaded() -> None:
    unit = Unit(TO_LEAD, edited(OTHER, plezi="2"))
    unit.isolation.quarantined.add(EMAIL)

    assert [it.email for it in unit.unit.load([EMAIL, OTHER])] == [OTHER]


def test_a_link_that_cannot_be_read_is_a_fault() -> None:
    unit = Unit(replace(TO_LEAD, readable=False), edited(OTHER, plezi="2"))

    assert [it.email for it in unit.unit.load([EMAIL, OTHER])] == [OTHER]
    fault = Fault(ProblemCode.DEFECT, "the item is unreadable")
    assert unit.isolation.faults == {EMAIL: fault}


def test_a_link_that_cannot_be_planned_has_no_plan() -> None:
    unit = Unit(TO_LEAD, edited(OTHER, plezi="2"))
    nothing: Any = None
    broken = replace(unit.link(), base=nothing)

    assert unit.unit.plan([broken, unit.link(OTHER)]).keys() == {OTHER}
    assert unit.isolation.faults.keys() == {EMAIL}


def many_leads() -> Link:
    """Return a link of which a contact would overwrite the phones of six Leads."""
    records = [contact(EMAIL, "9", version="2", modified="2026-09")]
    records += [lead(EMAIL, f"{n + 2}", id=f"l{n}", version="2") for n in range(6)]
    base = {it.id: {PHONE_BASE: "1", EMAIL_BASE: EMAIL} for it in records}
    return replace(agreed(EMAIL, "1", *records), base=base, dirty=True)


@pytest.mark.parametrize(
    ("kind", "emails", "is_shared"),
    [
        (RunKind.CHANGES, (), True),
        (RunKind.CHANGES, (EMAIL,), True),
        (RunKind.SELECTED, (), True),
        (RunKind.SELECTED, (EMAIL,), False),
        (RunKind.DRY_RUN, (EMAIL,), False),
    ],
)
def test_an_e_mail_that_would_overwrite_many_records_is_shared_unless_it_was_named(
    kind: RunKind, emails: tuple[str, ...], *, is_shared: bool
) -> None:
    unit = Unit(many_leads(), kind=kind, emails=emails)

    plan = unit.unit.plan(unit.unit.load([EMAIL]))[EMAIL]

    assert (plan.link.shared, len(plan.writes)) == (is_shared, 0 if is_shared else 6)


def test_a_link_with_an_intent_is_not_shared_before_it_is_recovered() -> None:
    unit = Unit(replace(many_leads(), intent=intended(LEAD_WRITE)))

    assert not unit.unit.plan(unit.unit.load([EMAIL]))[EMAIL].link.shared


# What a link waits for


@pytest.mark.parametrize(
    ("intent", "waits"),
    [
        (None, False),
        (intended(LEAD_WRITE, age=299.5), True),
        (intended(LEAD_WRITE, age=300.0), False),
        (intended(LEAD_WRITE, age=-300.0), True),
        (intended(LEAD_WRITE, age=-300.5), False),
        (intended(LEAD_WRITE, age=0.0, in_doubt=True), False),
        (intended(PLEZI_WRITE, age=59.5, in_doubt=True), True),
        (intended(PLEZI_WRITE, age=60.0, in_doubt=True), False),
        (intended(LEAD_WRITE, PLEZI_WRITE, age=59.5, in_doubt=True), True),
        (intended(PLEZI_WRITE, age=-301.0, in_doubt=True), False),
    ],
)
def test_a_link_waits_while_a_worker_may_still_carry_out_its_intent(
    intent: Intent | None, *, waits: bool
) -> None:
    unit = Unit(replace(TO_LEAD, intent=intent))

    result = unit.resolve()

    assert (result.dirty == {EMAIL}) is waits
    assert (unit.link().intent == intent) is (waits or intent is None)
    assert (unit.sync.org.look_ups == []) is waits


@pytest.mark.parametrize(
    ("run", "unanswered", "listed", "waits"),
    [
        (RUN, 2, True, True),
        (RUN, 3, True, True),
        (RUN, 1, True, False),
        ("run-0", 2, True, False),
        (RUN, 2, False, False),
    ],
)
def test_a_link_without_a_response_twice_in_a_run_waits_for_the_next_run(
    run: str, unanswered: int, *, listed: bool, waits: bool
) -> None:
    link = replace(TO_LEAD, unanswered=unanswered, unanswered_run=run)
    unit = Unit(link, listed=listed)

    result = unit.resolve()

    assert (result.dirty == {EMAIL}) is waits
    assert (unit.sync.org.writes == []) is waits


def fresh(link: Link) -> Link:
    for record in tuple(link.observations()):
        link = link.with_observation(replace(record, as_of=NOW))
    return link


@pytest.mark.parametrize(
    ("link", "deferred"),
    [
        (TO_CONTACT, True),
        (fresh(TO_CONTACT), True),
        (fresh(TO_LEAD), False),
        (replace(fresh(agreed(EMAIL)), intent=intended(PLEZI_WRITE)), True),
        (replace(agreed(EMAIL), intent=intended(LEAD_WRITE)), True),
        (agreed(EMAIL), False),
    ],
    ids=[
        "a write to Plezi",
        "a write to Plezi, read now",
        "a write to Salesforce, read now",
        "a write to Plezi to recover",
        "a contact to read before a recovery",
        "nothing to do",
    ],
)
def test_a_link_that_needs_a_call_to_plezi_is_left_to_a_later_unit(
    link: Link, *, deferred: bool
) -> None:
    unit = Unit(link)

    result = unit.resolve(with_plezi=False)

    assert result.deferred == ({EMAIL} if deferred else set())
    assert unit.sync.plezi.calls == 0


@pytest.mark.parametrize(("write", "deferred"), [(LEAD_WRITE, set()), (PLEZI_WRITE, {EMAIL})])
def test_an_intent_needs_plezi_if_it_writes_there(write: Write, deferred: set[str]) -> None:
    link = agreed(EMAIL, "1", contact(EMAIL, eligible=False), lead(EMAIL))
    unit = Unit(replace(link, intent=intended(write)))

    assert unit.resolve(with_plezi=False).deferred == deferred
    assert unit.sync.plezi.calls == 0


def test_a_link_of_which_it_is_unknown_whether_it_waits_is_put_in_quarantine() -> None:
    unit = Unit(fresh(edited(OTHER, plezi="2")))
    no_writes: Any = None
    broken = replace(agreed(EMAIL), intent=Intent("i", "run-0", NOW, no_writes, (), in_doubt=True))
    unit.sync.store(broken, listed=True)

    assert unit.resolve(EMAIL, OTHER).wrote
    assert unit.isolation.quarantined == {EMAIL}
    assert [it.email for it in unit.sync.org.writes] == [OTHER]


def test_every_link_of_every_unit_is_visited() -> None:
    unit = Unit(agreed(EMAIL), agreed(OTHER))

    unit.resolve(EMAIL)
    unit.resolve(OTHER)

    assert unit.isolation.visited == 2


def test_a_contact_that_is_too_old_is_read_before_its_lead_is_written() -> None:
    unit = Unit(TO_LEAD)
    unit.unit.refresher.fresh_at = {}
    links = unit.unit.load([EMAIL])

    result = unit.unit.resolve(links, unit.unit.plan(links), never, with_plezi=False)

    assert (result, unit.sync.org.writes) == (UnitResult(deferred={EMAIL}), [])


def test_a_write_to_plezi_that_a_fresh_reading_shows_is_left_to_a_later_unit() -> None:
    unit = Unit(fresh(TO_LEAD))
    unit.sync.org.put(lead(EMAIL, "8", version="9", modified="2026-09"))

    result = unit.resolve(with_plezi=False)

    assert result == UnitResult(deferred={EMAIL})
    assert (unit.sync.org.writes, unit.sync.plezi.writes) == ([], [])


# Links that need no write


def test_a_link_without_a_write_is_stored_clean() -> None:
    both = edited(plezi="2", salesforce="2")
    unit = Unit(both)

    assert unit.resolve() == UnitResult()
    link = unit.link()
    assert (link.dirty, link.base[LEAD][PHONE_BASE], link.base[CONTACT][PHONE_BASE]) == (
        False,
        "2",
        "2",
    )
    assert unit.sync.ledger.saves == [([EMAIL], True)]
    assert unit.sync.org.calls == 0


def test_the_numbers_of_a_unit_are_logged_and_counted_in_the_run() -> None:
    new = Link(OTHER, plezi=contact(OTHER, as_of=NOW), dirty=True)
    unit = Unit(fresh(TO_LEAD), new, agreed("c@x.fr"))

    assert unit.resolve(EMAIL, OTHER, "c@x.fr").wrote
    assert unit.sync.log.of(Event.batch_resolved) == [
        {
            "run_id": RUN,
            "links": 3,
            "writes": 2,
            "records_created": 1,
            "records_updated": 1,
            "links_quarantined": 0,
            "fields_held": 0,
        }
    ]
    assert unit.sync.counts() == {"salesforce": {"created": 1, "updated": 1}}
    assert unit.isolation.visited == 3


HELD: Final = bound_to(MAPPING.pairs[0], replace(PHONE_PAIR, policy=ConflictPolicy.HOLD))


def test_a_held_field_is_counted_logged_and_in_the_journal() -> None:
    unit = Unit(edited(plezi="2", salesforce="3"), bound=HELD)

    assert unit.resolve() == UnitResult()
    assert unit.entries() == [
        (JournalKind.HELD, CONTACT, PHONE, "2", "2", HoldReason.CONFLICT),
        (JournalKind.HELD, LEAD, PHONE, "3", "3", HoldReason.CONFLICT),
    ]
    assert {(it.run_id, it.at) for it in unit.sync.journal.entries()} == {(RUN, NOW)}
    assert unit.sync.counts() == {"salesforce": {"held": 1}}
    assert unit.link().holds[PHONE].since == NOW
    (line,) = unit.sync.log.of(Event.batch_resolved)
    assert (line["fields_held"], line["writes"]) == (1, 0)


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (contact(EMAIL, eligible=False), ("salesforce", "skipped.no_participant")),
        (lead(EMAIL, eligible=False), ("plezi", "skipped.no_participant")),
    ],
)
def test_people_who_take_no_part_are_counted_by_reason(
    record: Observation, counted: tuple[str, str]
) -> None:
    unit = Unit(agreed(EMAIL, "1", record, dirty=True))

    unit.resolve()

    side, name = counted
    assert unit.sync.counts() == {side: {name: 1}}


def test_a_link_is_not_stored_when_its_entries_cannot_be_stored() -> None:
    links = (edited(plezi="2", salesforce="3"), edited(OTHER, plezi="2", salesforce="3"))
    unit = Unit(*links, bound=HELD, journal=Journal({EMAIL: "too large"}))

    unit.resolve(EMAIL, OTHER)

    assert (dict(unit.link().holds), list(unit.link(OTHER).holds)) == ({}, [PHONE])
    quarantine = unit.link().quarantine
    assert quarantine is not None
    assert quarantine.code == "defect"


def test_a_link_without_a_write_that_another_process_changed_is_left_dirty() -> None:
    unit = Unit(edited(plezi="2", salesforce="2"))
    unit.sync.ledger.before_save.append(lambda: unit.sync.ledger.touch(EMAIL, dirty=True))

    assert unit.resolve() == UnitResult(dirty={EMAIL})
    assert unit.link().base[LEAD][PHONE_BASE] == "1"


def test_a_value_that_cannot_be_read_puts_a_link_without_a_write_in_quarantine() -> None:
    unreadable = contact(EMAIL, unreadable=frozenset({"phone"}), values={"email": EMAIL})
    unit = Unit(agreed(EMAIL, "1", unreadable, lead(EMAIL), dirty=True))

    unit.resolve()

    quarantine = unit.link().quarantine
    assert quarantine is not None
    assert (quarantine.fields, quarantine.since) == (("phone",), NOW)
    assert unit.sync.counts() == {"plezi": {"quarantined": 1}}


# Intents


def test_an_intent_is_stored_before_it_is_carried_out() -> None:
    unit = Unit(fresh(TO_LEAD))
    during: list[Link] = []
    unit.sync.org.then["apply"].append(lambda: during.append(unit.link()))

    assert unit.resolve() == UnitResult(wrote=True)
    (stored,) = during
    assert stored.intent is not None
    assert (stored.intent.id, stored.intent.run_id, stored.intent.at) == ("id-1", RUN, NOW)
    assert [dict(it.values) for it in stored.intent.writes] == [{"Phone": "2"}]
    assert [it.pair for it in stored.intent.base_updates] == [PHONE]
    assert (stored.dirty, stored.intent.in_doubt, unit.link().dirty) == (True, False, False)
    assert unit.sync.ledger.saves == [([EMAIL], True)] * 2


def test_a_clean_link_is_dirty_while_its_intent_is_carried_out() -> None:
    unit = Unit(replace(fresh(TO_LEAD), dirty=False))
    during: list[Link] = []
    unit.sync.org.then["apply"].append(lambda: during.append(unit.link()))

    unit.resolve()

    assert [it.dirty for it in during] == [True]


def test_the_values_that_give_way_are_part_of_the_intent() -> None:
    link = edited(plezi="2", salesforce="3")
    unit = Unit(fresh(link))
    during: list[Link] = []
    unit.sync.plezi.then["apply"].append(lambda: during.append(unit.link()))

    unit.resolve()

    (stored,) = during
    assert stored.intent is not None
    assert [(it.record_id, it.value) for it in stored.intent.overwritten] == [(CONTACT, "2")]


def test_nothing_is_sent_where_the_intent_cannot_be_stored() -> None:
    unit = Unit(fresh(TO_LEAD), fresh(edited(OTHER, plezi="2")))
    unit.sync.ledger.before_save.append(lambda: unit.sync.ledger.touch(EMAIL, dirty=True))

    assert unit.resolve(EMAIL, OTHER) == UnitResult(dirty={EMAIL}, wrote=True)
    assert [it.email for it in unit.sync.org.writes] == [OTHER]
    assert unit.link().intent is None


def test_nothing_is_sent_where_the_intent_is_too_large() -> None:
    unit = Unit(fresh(TO_LEAD), fresh(edited(OTHER, plezi="2")))
    unit.sync.ledger.too_large = {EMAIL}

    assert unit.resolve(EMAIL, OTHER) == UnitResult(wrote=True)
    assert [it.email for it in unit.sync.org.writes] == [OTHER]
    assert unit.sync.counts()["salesforce"]["quarantined"] == 1


def test_nothing_is_sent_where_the_entries_of_a_plan_cannot_be_stored() -> None:
    both = bound_to(
        MAPPING.pairs[0],
        replace(PHONE_PAIR, policy=ConflictPolicy.HOLD),
        replace(PHONE_PAIR, plezi="mobile", salesforce="MobilePhone", contact=""),
    )

    def two_fields(email: str) -> Link:
        link = fresh(edited(email, plezi="2", salesforce="3"))
        for record in tuple(link.observations()):
            name = "mobile" if record.side is Side.PLEZI else "MobilePhone"
            value = "2" if record.side is Side.PLEZI else "1"
            link = link.with_observation(replace(record, values={**record.values, name: value}))
        base = {it: {**of_record, "mobile>MobilePhone": "1"} for it, of_record in link.base.items()}
        return replace(link, base=base)

    links = (two_fields(EMAIL), two_fields(OTHER))
    unit = Unit(*links, bound=both, journal=Journal({EMAIL: "too large"}))

    unit.resolve(EMAIL, OTHER)

    assert [it.email for it in unit.sync.org.writes] == [OTHER]
    assert unit.link().intent is None


def test_the_limit_of_the_run_is_checked_before_anything_is_intended() -> None:
    unit = Unit(fresh(edited(plezi=None)), limits=replace(LIMITS, cleared=0))

    with pytest.raises(HaltError) as raised:
        unit.resolve()
    assert raised.value.reason is StopReason.MASS_CLEARING
    assert (unit.link().intent, unit.sync.org.writes) == (None, [])
    # What was done before is logged and counted.
    assert len(unit.sync.log.of(Event.batch_resolved)) == 1


def test_what_earlier_units_cleared_counts_for_the_limit() -> None:
    links = (fresh(edited(plezi=None)), fresh(edited(OTHER, plezi=None)))
    unit = Unit(*links, limits=replace(LIMITS, cleared=1))

    assert unit.resolve(EMAIL).wrote
    with pytest.raises(HaltError):
        unit.resolve(OTHER)


@pytest.mark.parametrize("found", [EMAIL, OTHER])
def test_a_creation_waits_until_its_link_has_the_new_e_mail_that_a_look_up_shows(
    found: str,
) -> None:
    alone = lead(EMAIL)
    unit = Unit(replace(Link(EMAIL).with_observation(alone), dirty=True))
    values = {**alone.values, "Email": found}
    unit.sync.org.put(replace(alone, email=found, values=values, version="2"))

    result = unit.resolve()

    created = [dict(it.values) for it in unit.sync.plezi.writes]
    if found == EMAIL:
        assert (result.dirty, created) == (set(), [{"email": EMAIL, "phone": "1"}])
    else:
        assert (result.dirty, created) == ({EMAIL}, [])
        assert unit.link().dirty


def test_an_edit_is_written_although_a_look_up_shows_a_new_e_mail() -> None:
    unit = Unit(TO_CONTACT)
    [its] = TO_CONTACT.salesforce
    unit.sync.org.put(replace(its, email=OTHER, values={**its.values, "Email": OTHER}))
    unit.sync.plezi.put(replace(contact(EMAIL), as_of=0.0))

    unit.resolve()

    assert [it.values["phone"] for it in unit.sync.plezi.writes] == ["2"]


@pytest.mark.parametrize("plezi", ["1", "9"])
def test_a_record_that_was_read_while_a_write_was_under_way_is_read_before_a_decision(
    plezi: str,
) -> None:
    """It showed a value that our write has replaced; no write to the record is planned."""
    shown = replace(lead(EMAIL, "9"), as_of=NOW, uncertain=True)
    link = agreed(EMAIL, "1", replace(contact(EMAIL, plezi), as_of=NOW), shown)
    unit = Unit(replace(link, dirty=True))
    unit.sync.org.put(lead(EMAIL, "1"))

    unit.resolve()

    assert unit.sync.plezi.writes == []
    known = unit.link().observation(shown.id)
    assert known is not None
    assert not known.uncertain


@pytest.mark.parametrize(("age", "waits"), [(1.0, True), (599.0, True), (600.0, False)])
def test_a_link_waits_ten_minutes_for_a_reading_that_is_no_older(
    age: float, *, waits: bool
) -> None:
    shown = replace(lead(EMAIL, "9", version="5"), as_of=NOW - age, uncertain=True)
    link = agreed(EMAIL, "1", replace(contact(EMAIL, "1"), as_of=NOW), shown)
    unit = Unit(replace(link, dirty=True))
    unit.sync.org.hidden.add(shown.id)

    result = unit.resolve()

    assert (result.dirty == {EMAIL}) is waits
    assert (unit.sync.plezi.writes == []) is waits


@pytest.mark.parametrize(("age", "waits"), [(59.0, True), (61.0, False)])
def test_an_uncertain_contact_is_not_read_while_plezi_may_lag(age: float, *, waits: bool) -> None:
    shown = replace(contact(EMAIL, "9"), as_of=NOW - age, uncertain=True)
    unit = Unit(replace(agreed(EMAIL, "1", shown, lead(EMAIL, "1")), dirty=True))
    unit.sync.plezi.put(contact(EMAIL, "1"))

    result = unit.resolve()

    assert (result.dirty == {EMAIL}) is waits
    assert (unit.sync.plezi.look_ups == []) is waits
    assert unit.sync.org.writes == []


def test_an_uncertain_contact_is_left_to_a_unit_that_may_call_plezi() -> None:
    shown = replace(contact(EMAIL, "1"), as_of=NOW - 61, uncertain=True)
    unit = Unit(replace(agreed(EMAIL, "1", shown, lead(EMAIL, "1")), dirty=True))

    assert unit.resolve(with_plezi=False).deferred == {EMAIL}
    assert unit.sync.plezi.calls == 0


def test_a_long_text_that_was_not_found_waits() -> None:
    text = "x" * 5000
    digest = stored_value(text)
    assert isinstance(digest, LongText)
    unit = Unit(fresh(edited(plezi=digest)))

    assert unit.resolve() == UnitResult(dirty={EMAIL})
    assert unit.sync.org.writes == []


# Recoveries


def test_an_intent_that_arrived_is_in_the_journal_of_its_run() -> None:
    link = agreed(EMAIL, "1", contact(EMAIL, "2", version="2"), lead(EMAIL, "2", version="2"))
    base = {it: {PHONE_BASE: "1", EMAIL_BASE: EMAIL} for it in (CONTACT, LEAD)}
    unit = Unit(replace(link, base=base, intent=intended(LEAD_WRITE)))

    assert unit.resolve() == UnitResult()
    assert [(it.kind, it.run_id, it.record_id, it.after) for it in unit.sync.journal.entries()] == [
        (JournalKind.WRITTEN, "run-0", LEAD, "2")
    ]
    assert unit.link().intent is None


def test_a_dry_run_does_not_show_what_another_run_wrote() -> None:
    link = agreed(EMAIL, "1", contact(EMAIL, "2", version="2"), lead(EMAIL, "2", version="2"))
    base = {it: {PHONE_BASE: "1", EMAIL_BASE: EMAIL} for it in (CONTACT, LEAD)}
    unit = Unit(replace(link, base=base, intent=intended(LEAD_WRITE)), is_dry_run=True)

    unit.resolve()

    assert unit.entries() == []


@pytest.mark.parametrize(("is_dry_run", "run"), [(False, "run-0"), (True, RUN)])
def test_a_field_in_doubt_is_held(run: str, *, is_dry_run: bool) -> None:
    link = agreed(EMAIL, "1", contact(EMAIL, "2"), lead(EMAIL, "7", version="3"))
    update = BaseUpdate(PHONE, {}, frozenset({LEAD}))
    intent = replace(intended(LEAD_WRITE), base_updates=(update,))
    unit = Unit(replace(link, intent=intent), is_dry_run=is_dry_run)

    unit.resolve()

    held = [it for it in unit.sync.journal.entries() if it.rule == HoldReason.IN_DOUBT]
    assert {it.run_id for it in held} == {run}
    assert unit.link().holds[PHONE].reason is HoldReason.IN_DOUBT
    assert unit.link().holds[PHONE].since == NOW


def test_a_link_whose_recovery_cannot_be_in_the_journal_keeps_its_intent() -> None:
    link = agreed(EMAIL, "1", contact(EMAIL, "2", version="2"), lead(EMAIL, "2", version="2"))
    unit = Unit(replace(link, intent=intended(LEAD_WRITE)), journal=Journal({EMAIL: "too large"}))

    unit.resolve()

    assert unit.link().intent == intended(LEAD_WRITE)
