"""The refresh before a write: which records are read again, and what becomes of their links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connector.model import (
    NEW_RECORD,
    Hold,
    HoldReason,
    Intent,
    Link,
    LongText,
    LookupResult,
    Observation,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Side,
    Value,
    Write,
)
from connector.planning.participating_records import Match, Participants
from connector.planning.plan import Plan
from connector.sync.isolation import Fault, Isolation
from connector.sync.link_batch import EMAIL_KEY
from connector.sync.reread import Refresher
from tests.unit.connector.sync_fixtures import ANA, BOB, CLO, RUN, link_of, observed
from tests.unit.connector.sync_fixtures_reading import ALL_PAIRS, NOW, BrokenValues, InMemory
from tests.unit.connector.sync_fixtures_stores import Tombstones

PAGE = "https://app.plezi.co/contacts/p1"
TEXT = LongText(2000, "digest")
OTHER_TEXT = LongText(2000, "other")


def write_to(record: str, kind: RecordKind, email: str = ANA, value: Value = "2") -> Write:
    return Write(kind, record, email, {"field": value})


UPDATE = write_to("l1", RecordKind.LEAD)
NEW_LEAD = write_to(NEW_RECORD, RecordKind.LEAD)
NEW_CONTACT = write_to(NEW_RECORD, RecordKind.PLEZI_CONTACT)


def plan_of(link: Link, *writes: Write) -> Plan:
    return Plan(link, Participants(Match.NEW), writes)


def fresh(record: str, email: str = ANA, **changes: Any) -> Observation:
    """Return a record that was read just now."""
    return observed(record, email, as_of=NOW, **changes)


class Refreshing:
    """Refreshes links; the plan of each has the given writes."""

    def __init__(self, memory: InMemory | None = None) -> None:
        self.memory = memory or InMemory()
        self.isolation = Isolation(self.memory.context, RUN)
        self.refresher = Refresher(self.memory.context, ALL_PAIRS, self.isolation)

    def refresh(
        self, *links: Link, writes: Mapping[str, tuple[Write, ...]] | None = None
    ) -> tuple[dict[str, Link], list[str]]:
        """Return the fresh links by e-mail, and the e-mails of those that wait."""
        plans = {it.email: plan_of(it, *(writes or {}).get(it.email, ())) for it in links}
        current, waiting = self.refresher.refresh(links, plans)
        return {it.email: it for it in current}, [it.email for it in waiting]

    def stale(self, side: Side, link: Link, *writes: Write, for_seconds: float = 0.0) -> list[str]:
        plan = plan_of(link, *writes)
        found = self.refresher.stale_records(side, link, plan, for_seconds=for_seconds)
        return [it.id for it in found]

    @property
    def requests(self) -> list[tuple[list[str], list[str], list[str]]]:
        """The look-ups in Plezi, then those in Salesforce."""
        return [*self.memory.plezi.searches, *self.memory.org.searches]


# Which records are too old


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("as_of", "is_stale"),
    [(NOW - 61, True), (NOW - 60, False), (NOW, False), (NOW + 60, False), (NOW + 61, True)],
)
def test_an_observation_is_too_old_after_a_minute(
    side: Side, as_of: float, *, is_stale: bool
) -> None:
    """One from the future was made before our clock was set back."""
    link = link_of(ANA, observed("p1", as_of=as_of), observed("l1", as_of=as_of))
    record = "p1" if side is Side.PLEZI else "l1"
    assert Refreshing().stale(side, link) == ([record] if is_stale else [])


def test_of_a_slow_system_observations_are_fresh_for_longer() -> None:
    refreshing = Refreshing()
    refreshing.refresher.fresh_seconds[Side.PLEZI] = 300.0
    link = link_of(ANA, observed("p1", as_of=NOW - 300), observed("l1", as_of=NOW - 300))
    assert refreshing.stale(Side.PLEZI, link) == []
    assert refreshing.stale(Side.SALESFORCE, link) == ["l1"]


def test_a_look_makes_every_observation_of_its_side_as_fresh_as_the_look() -> None:
    refreshing = Refreshing()
    link = link_of(ANA, observed("p1"), observed("l1"))
    refreshing.refresher.fresh_at[Side.PLEZI] = NOW - 60
    assert refreshing.stale(Side.PLEZI, link) == []
    assert refreshing.stale(Side.SALESFORCE, link) == ["l1"]
    refreshing.refresher.fresh_at[Side.PLEZI] = NOW - 61
    assert refreshing.stale(Side.PLEZI, link) == ["p1"]


def test_an_observation_that_is_newer_than_the_look_keeps_its_time() -> None:
    refreshing = Refreshing()
    refreshing.refresher.fresh_at[Side.PLEZI] = NOW - 100
    assert refreshing.stale(Side.PLEZI, link_of(ANA, observed("p1", as_of=NOW - 10))) == []


@pytest.mark.parametrize(("seconds", "stale"), [(20.0, []), (21.0, ["p1"])])
def test_an_observation_that_will_be_too_old_by_then_is_stale(
    seconds: float, stale: list[str]
) -> None:
    link = link_of(ANA, observed("p1", as_of=NOW - 40))
    assert Refreshing().stale(Side.PLEZI, link, for_seconds=seconds) == stale


def test_a_dry_run_takes_every_observation_as_fresh() -> None:
    link = link_of(ANA, observed("p1"), observed("l1"))
    refreshing = Refreshing(InMemory(is_dry_run=True))
    assert refreshing.stale(Side.PLEZI, link) == []
    assert refreshing.stale(Side.SALESFORCE, link, UPDATE) == ["l1"]


def test_a_target_in_salesforce_is_always_read_again_and_one_in_plezi_is_not() -> None:
    link = link_of(ANA, *(fresh(it) for it in ("p1", "l1", "l2")))
    writes = (UPDATE, write_to("p1", RecordKind.PLEZI_CONTACT))
    refreshing = Refreshing()
    assert refreshing.stale(Side.SALESFORCE, link, *writes) == ["l1"]
    assert refreshing.stale(Side.PLEZI, link, *writes) == []


def test_all_records_of_an_unfinished_write_are_read_again() -> None:
    intent = Intent("i", RUN, 1.0, (), ())
    link = link_of(ANA, *(fresh(it) for it in ("p1", "l1", "c1")), intent=intent)
    assert Refreshing().stale(Side.SALESFORCE, link) == ["c1", "l1"]
    assert Refreshing().stale(Side.PLEZI, link) == ["p1"]


@pytest.mark.parametrize("changes", [{"deleted": True}, {"eligible": False}, {"converted": True}])
def test_a_record_that_takes_no_part_is_not_read_again(changes: dict[str, Any]) -> None:
    intent = Intent("i", RUN, 1.0, (), ())
    link = link_of(ANA, observed("l1", **{"email": ANA, **changes}), intent=intent)
    assert Refreshing().stale(Side.SALESFORCE, link, UPDATE) == []


def test_a_record_with_a_text_that_is_to_be_written_is_read_again() -> None:
    """The ledger has its digest only; a converted Lead may have the text too."""
    long = write_to("p1", RecordKind.PLEZI_CONTACT, value=TEXT)
    link = link_of(
        ANA,
        fresh("l1", values={"Phone": "1", "Text": TEXT}),
        fresh("l2", values={"Text": TEXT}, converted=True),
        fresh("l3", values={"Text": TEXT}, deleted=True),
        fresh("l4", values={"Text": OTHER_TEXT, "Phone": "2"}),
        fresh("p1", values={"text": TEXT}),
    )
    assert Refreshing().stale(Side.SALESFORCE, link, long) == ["l1", "l2"]
    assert Refreshing().stale(Side.PLEZI, link, long) == ["p1"]
    assert Refreshing().stale(Side.SALESFORCE, link, write_to("p1", RecordKind.PLEZI_CONTACT)) == []


# Which look-ups are made


def test_without_a_stale_record_nothing_is_read() -> None:
    refreshing = Refreshing()
    link = link_of(ANA, observed("p1", as_of=NOW - 60), fresh("l1"))
    assert refreshing.refresh(link) == ({ANA: link}, [])
    assert refreshing.requests == []


def test_the_records_of_all_links_are_read_in_one_look_up_of_each_side() -> None:
    refreshing = Refreshing()
    links = (
        link_of(ANA, observed("p1"), observed("l1")),
        link_of(BOB, observed("p2", BOB), fresh("l2", BOB)),
    )
    refreshing.refresh(*links)
    assert refreshing.requests == [(["p1", "p2"], [], []), (["l1"], [], [])]
    assert refreshing.memory.plezi.scopes == [ALL_PAIRS.read_scope]
    assert refreshing.memory.org.scopes == [ALL_PAIRS.read_scope]


def test_before_a_lead_is_created_the_person_is_searched_by_e_mail_and_page() -> None:
    refreshing = Refreshing()
    links = (
        link_of(ANA, fresh("p1", values={"url": PAGE})),
        link_of(BOB, fresh("p2", BOB, values={"url": LongText(2000, "0")})),
        link_of(CLO, fresh("l3", CLO)),
    )
    writes = {
        ANA: (NEW_LEAD,),
        BOB: (NEW_LEAD,),
        CLO: (write_to("l9", RecordKind.LEAD), NEW_LEAD),
    }
    refreshing.refresh(*links, writes=writes)
    assert refreshing.requests == [([], [ANA, BOB, CLO], [PAGE])]


def test_an_update_needs_no_search() -> None:
    refreshing = Refreshing()
    refreshing.refresh(link_of(ANA, fresh("l1")), writes={ANA: (UPDATE,)})
    assert refreshing.requests == [(["l1"], [], [])]


def test_before_a_contact_is_created_plezis_client_searches_itself() -> None:
    refreshing = Refreshing()
    refreshing.refresh(link_of(ANA, fresh("l1")), writes={ANA: (NEW_CONTACT,)})
    assert refreshing.requests == []


@pytest.mark.parametrize("reason", HoldReason)
def test_a_contact_is_searched_first_for_an_e_mail_that_another_link_used(
    reason: HoldReason,
) -> None:
    refreshing = Refreshing()
    holds = {EMAIL_KEY: Hold(reason, 1.0, {})}
    link = link_of(ANA, fresh("l1"), holds=holds)
    refreshing.refresh(link, writes={ANA: (NEW_CONTACT,)})
    was_in_use = reason is HoldReason.EMAIL_IN_USE
    assert refreshing.requests == ([([], [ANA], [])] if was_in_use else [])


def test_an_e_mail_in_use_needs_no_search_for_an_update() -> None:
    refreshing = Refreshing()
    holds = {EMAIL_KEY: Hold(HoldReason.EMAIL_IN_USE, 1.0, {})}
    link = link_of(ANA, fresh("l1"), fresh("p1"), holds=holds)
    refreshing.refresh(link, writes={ANA: (write_to("p1", RecordKind.PLEZI_CONTACT),)})
    assert refreshing.requests == []


@pytest.mark.parametrize("write", [NEW_LEAD, UPDATE])
def test_what_an_unfinished_write_may_have_created_is_searched_on_its_side(write: Write) -> None:
    refreshing = Refreshing()
    contact_write = write_to("p1", RecordKind.PLEZI_CONTACT)
    refreshing.refresh(
        link_of(ANA, intent=Intent("i", RUN, 1.0, (write,), ())),
        link_of(BOB, intent=Intent("i", RUN, 1.0, (write, contact_write), ())),
        link_of(CLO, intent=Intent("i", RUN, 1.0, (), ())),
    )
    assert refreshing.requests == [([], [BOB], []), ([], [ANA, BOB], [])]


# What was read


def test_a_record_that_was_read_again_replaces_the_known_one_with_its_time() -> None:
    refreshing = Refreshing()
    current = fresh("p1")
    refreshing.memory.plezi.records = {"p1": current}
    link = link_of(ANA, observed("p1"), fresh("l1"))
    assert refreshing.refresh(link) == ({ANA: link.with_observation(current)}, [])


def test_a_record_that_is_not_found_stays_as_it_is() -> None:
    refreshing = Refreshing()
    link = link_of(ANA, observed("p1"))
    assert refreshing.refresh(link) == ({ANA: link}, [])


def test_a_record_that_is_deleted_is_marked() -> None:
    refreshing = Refreshing()
    refreshing.memory.plezi.deleted = {"p1"}
    refreshing.memory.plezi.result = LookupResult(deleted=frozenset({"p1", "unknown"}))
    link = link_of(ANA, observed("p1"))
    expected = replace(link, plezi=observed("p1", deleted=True), dirty=True)
    assert refreshing.refresh(link) == ({ANA: expected}, [])


def found_lead(*leads: Observation, memory: InMemory | None = None) -> Refreshing:
    """Return a refresh whose search in Salesforce finds these Leads."""
    refreshing = Refreshing(memory)
    refreshing.memory.org.result = LookupResult(leads)
    return refreshing


CONTACT = fresh("p1", values={"url": PAGE})
ALONE = link_of(ANA, CONTACT)
CREATES = {ANA: (NEW_LEAD,)}


def test_a_lead_with_the_e_mail_joins_the_link_before_one_is_created() -> None:
    lead = fresh("l1")
    links, waiting = found_lead(lead).refresh(ALONE, writes=CREATES)
    assert links == {ANA: ALONE.with_observation(lead)}
    assert waiting == []


def test_a_lead_with_the_page_of_the_contact_joins_the_link_whatever_its_e_mail_is() -> None:
    lead = fresh("l1", BOB, values={"plezi_url__c": PAGE})
    links, _ = found_lead(lead).refresh(ALONE, writes=CREATES)
    assert links == {ANA: ALONE.with_observation(lead)}


@pytest.mark.parametrize("page", [None, "", "https://app.plezi.co/contacts/p2"])
def test_a_lead_with_another_e_mail_and_page_joins_no_link(page: str | None) -> None:
    lead = fresh("l1", BOB, values={"plezi_url__c": page})
    other = link_of("", fresh("p3", CLO, values={"url": page}))
    assert found_lead(lead).refresh(ALONE, writes=CREATES)[0] == {ANA: ALONE}
    assert found_lead(lead).refresh(other, ALONE, writes=CREATES)[0][ANA] == ALONE


def test_a_known_record_stays_in_its_link_whatever_its_page_is() -> None:
    other = link_of(BOB, observed("l1", BOB))
    lead = fresh("l1", BOB, values={"plezi_url__c": PAGE})
    links, _ = found_lead(lead).refresh(ALONE, other, writes=CREATES)
    assert links == {ANA: ALONE, BOB: other.with_observation(lead)}


def test_a_link_waits_for_the_other_link_that_has_a_record_with_its_e_mail() -> None:
    refreshing = found_lead(fresh("l1"))
    refreshing.memory.ledger.put(link_of(BOB, observed("l1", BOB)))
    assert refreshing.refresh(ALONE, writes=CREATES) == ({}, [ANA])
    assert refreshing.memory.ledger.requested == [{"l1"}, set()]


def test_a_record_that_the_ledger_has_in_this_link_does_not_make_it_wait() -> None:
    """Another process stored it after the link was loaded."""
    refreshing = found_lead(fresh("l1"))
    refreshing.memory.ledger.put(ALONE.with_observation(observed("l1")))
    links, waiting = refreshing.refresh(ALONE, writes=CREATES)
    assert links[ANA].record_ids == {"p1", "l1"}
    assert waiting == []


def test_two_records_of_other_links_make_one_link_wait() -> None:
    refreshing = found_lead(fresh("l1"), fresh("l2"))
    refreshing.memory.ledger.put(link_of(BOB, observed("l1", BOB), observed("l2", BOB)))
    assert refreshing.refresh(ALONE, writes=CREATES) == ({}, [ANA])


def test_the_owners_of_known_records_are_not_looked_up() -> None:
    refreshing = found_lead(fresh("l1"))
    refreshing.refresh(link_of(ANA, observed("l1")))
    assert refreshing.memory.ledger.requested == [set()]  # that of the problems


def test_no_record_is_created_while_another_link_of_the_batch_still_uses_the_e_mail() -> None:
    """A Lead of Bob has got the e-mail of Ana: the read shows it before its link moves."""
    lead = fresh("l2", ANA)
    other = link_of(BOB, observed("l2", BOB))
    links, waiting = found_lead(lead).refresh(ALONE, other, writes=CREATES)
    assert links == {BOB: other.with_observation(lead)}
    assert waiting == [ANA]


@pytest.mark.parametrize(
    ("own", "waits"),
    [
        (fresh("l1"), False),
        (fresh("l1", deleted=True), True),
        (fresh("l1", converted=True), True),
    ],
)
def test_a_link_with_an_active_record_of_its_own_does_not_wait(
    own: Observation, *, waits: bool
) -> None:
    other = link_of(BOB, observed("l2", BOB))
    refreshing = found_lead(fresh("l2", ANA))
    _, waiting = refreshing.refresh(ALONE.with_observation(own), other)
    assert waiting == ([ANA] if waits else [])


def test_the_new_e_mail_of_a_record_of_no_other_link_makes_none_wait() -> None:
    other = link_of(BOB, observed("l2", BOB))
    lead = fresh("l2", CLO)
    assert found_lead(lead).refresh(other) == ({BOB: other.with_observation(lead)}, [])


# Tombstones and the bound


@pytest.mark.parametrize("name", ["l1", ANA])
def test_a_new_record_of_an_erased_person_is_left_out(name: str) -> None:
    memory = InMemory(tombstones=Tombstones(name))
    lead = fresh("l2", BOB)
    refreshing = found_lead(fresh("l1"), lead, memory=memory)
    other = link_of(BOB, fresh("p2", BOB))
    links, waiting = refreshing.refresh(ALONE, other, writes=CREATES)
    assert links == {ANA: ALONE, BOB: other.with_observation(lead)}
    assert waiting == []


def test_only_new_records_and_new_e_mails_are_looked_up_among_the_tombstones() -> None:
    refreshing = found_lead(fresh("l1"), fresh("l2", CLO), fresh("l3"))
    refreshing.refresh(ALONE.with_observation(observed("l1")), link_of(BOB, observed("l2", BOB)))
    names = {"l2", CLO, "l3", ANA}
    assert refreshing.memory.tombstones.requested == [names, set()]  # the last: of the problems


def test_where_nothing_is_new_no_tombstone_is_looked_up() -> None:
    refreshing = found_lead(fresh("l1"))
    refreshing.refresh(link_of(ANA, observed("l1")))
    assert refreshing.memory.tombstones.requested == [set()]


@pytest.mark.parametrize(("bound", "is_shared"), [(1, True), (2, False)])
def test_a_record_beyond_the_bound_makes_the_e_mail_shared(bound: int, *, is_shared: bool) -> None:
    lead = fresh("l1")
    refreshing = found_lead(lead, memory=InMemory(max_records=bound))
    links, _ = refreshing.refresh(ALONE, writes=CREATES)
    shared = replace(ALONE, shared=True, dirty=True)
    assert links == {ANA: shared if is_shared else ALONE.with_observation(lead)}


@pytest.mark.parametrize("eligible", [True, False])
def test_a_contact_beyond_the_bound_shares_the_e_mail_unless_it_is_outside_the_filter(
    *, eligible: bool
) -> None:
    refreshing = found_lead(fresh("c1", eligible=eligible), memory=InMemory(max_records=1))
    links, _ = refreshing.refresh(ALONE, writes=CREATES)
    assert links == {ANA: replace(ALONE, shared=True, dirty=True) if eligible else ALONE}


def test_a_known_record_of_a_shared_e_mail_is_refreshed() -> None:
    lead = fresh("l1")
    link = ALONE.with_observation(observed("l1"))
    links, _ = found_lead(lead, memory=InMemory(max_records=1)).refresh(link)
    assert links == {ANA: link.with_observation(lead)}


# Faults


def test_a_record_that_cannot_be_read_puts_its_link_in_quarantine_for_the_next_run() -> None:
    refreshing = Refreshing()
    code = ProblemCode.UNREADABLE_RECORD
    problem = RecordProblem(RecordKind.PLEZI_CONTACT, "", ANA, code, "phone is no text")
    refreshing.memory.plezi.problems = [problem]
    other = link_of(BOB, fresh("p2", BOB))
    links, waiting = refreshing.refresh(link_of(ANA, observed("p1")), other)
    assert links == {BOB: other}
    assert waiting == [ANA]
    fault = Fault(code, "phone is no text", Side.PLEZI, retry=True)
    assert refreshing.isolation.faults == {ANA: fault}


def failing(refreshing: Refreshing, *links: Link, **options: Any) -> set[str]:
    """Return the e-mails of the links with a defect, after a refresh of these and of Clo's."""
    other = link_of(CLO, observed("l9", CLO))
    current, waiting = refreshing.refresh(*links, other, **options)
    assert current == {CLO: other}
    assert waiting == [it.email for it in links]
    faults = refreshing.isolation.faults
    assert {it.code for it in faults.values()} == {ProblemCode.DEFECT}
    return set(faults)


def test_a_link_whose_needs_cannot_be_found_out_stops_no_other() -> None:
    refreshing = Refreshing()
    link = link_of(ANA, fresh("p1", values=BrokenValues()))
    assert failing(refreshing, link, writes=CREATES) == {ANA}
    assert refreshing.requests == [(["l9"], [], [])]


def test_a_link_whose_page_cannot_be_found_out_stops_no_other() -> None:
    refreshing = found_lead()
    broken = fresh("p1", values=BrokenValues())
    assert failing(refreshing, link_of(ANA, broken, observed("l1"))) == {ANA}


def test_a_record_that_cannot_be_applied_stops_no_other() -> None:
    refreshing = found_lead(fresh("l1", version=None))
    assert failing(refreshing, link_of(ANA, observed("l1"))) == {ANA}


def test_a_record_whose_deletion_cannot_be_applied_stops_no_other() -> None:
    class Locked(Link):
        """A link that cannot be changed."""

        def observation(self, record_id: str) -> Observation | None:
            raise ZeroDivisionError(record_id)

    refreshing = Refreshing()
    refreshing.memory.org.result = LookupResult(deleted=frozenset({"l1"}))
    locked = Locked(ANA, salesforce=(observed("l1"),))
    assert failing(refreshing, locked) == {ANA}


@pytest.mark.parametrize("side", Side)
def test_a_record_that_was_read_while_a_write_was_under_way_is_too_old(side: Side) -> None:
    record = "p1" if side is Side.PLEZI else "l1"
    link = link_of(ANA, fresh("p1", uncertain=True), fresh("l1", uncertain=True))
    assert Refreshing().stale(side, link) == [record]
