"""A batch of links: which link an observation belongs to, and what becomes of the link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.model import (
    Hold,
    HoldReason,
    Link,
    LinkChange,
    LongText,
    Observation,
    ProblemCode,
    Quarantine,
    Side,
)
from connector.sync.link_batch import (
    EMAIL_KEY,
    LinkBatch,
    PossiblyStale,
    leaves_alone,
    with_email_in_use,
)
from tests.unit.connector.sync_fixtures import ANA, BOB, CLO, link_of, observed
from tests.unit.connector.sync_fixtures_reading import ReadLedger
from tests.unit.connector.sync_fixtures_stores import Tombstones

PAGE = "https://app.plezi.co/contacts/p1"


class Steps:
    """Makes each step, but fails for some people; `emails` are those of all steps."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.emails: list[str] = []

    def __call__(self, email: str, call: Callable[[], str]) -> str | None:
        self.emails.append(email)
        return None if email in self.failing else call()


def new_batch(
    ledger: ReadLedger,
    *observations: Observation,
    tombstones: Tombstones | None = None,
    max_records: int = 10,
    step: Steps | None = None,
) -> LinkBatch:
    return LinkBatch(ledger, tombstones or Tombstones(), observations, max_records, step or Steps())


def batch_with(ledger: ReadLedger, *observations: Observation, **options: Any) -> LinkBatch:
    """Return a batch to which the observations were added, in its order."""
    batch = new_batch(ledger, *observations, **options)
    for each in batch.in_order(observations):
        batch.add(each)
    return batch


def changed_links(batch: LinkBatch) -> dict[str, Link]:
    return {it.link.email: it.link for it in batch.changes()}


def taken(**values: str) -> Hold:
    return Hold(HoldReason.EMAIL_TAKEN, 5.0, values, chosen="p1")


# Which link an observation belongs to


def test_a_new_person_gets_a_link_that_must_be_resolved() -> None:
    ledger = ReadLedger()
    batch = batch_with(ledger, observed("p1"))
    link = replace(link_of(ANA, observed("p1")), dirty=True)
    assert batch.changes() == [LinkChange(link)]
    assert batch.dirty_emails() == [ANA]
    assert batch.changed == {"p1"}
    assert batch.owner_email("p1") == ANA
    assert (batch.deferred, batch.vacated, batch.free) == (set(), frozenset(), frozenset())


def test_a_record_with_a_known_e_mail_joins_the_stored_link() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1")))[ANA]
    batch = batch_with(ledger, observed("l1"))
    joined = replace(stored.with_observation(observed("l1")), dirty=True)
    assert batch.changes() == [LinkChange(joined)]


def test_a_known_record_belongs_to_its_link_whatever_its_e_mail_is() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    batch = new_batch(ledger, observed("l1", BOB))
    assert batch.owner_email("l1") == ANA


def test_a_record_that_has_left_its_link_belongs_to_its_e_mail() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1"), observed("l1")))[ANA]
    ledger.put(stored.without_record("l1"))
    assert ledger.owner_emails(["l1"]) == {"l1": ANA}  # the pointer is outdated
    assert new_batch(ledger, observed("l1", BOB)).owner_email("l1") == BOB


def test_a_record_that_does_not_change_leaves_its_link_as_it_is() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1")))
    batch = batch_with(ledger, observed("p1", as_of=20.0))
    assert (batch.changes(), batch.changed, batch.dirty_emails()) == ([], set(), [])
    assert batch.possibly_stale == {}


def test_an_older_reading_with_a_newer_version_is_to_be_read_again() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1")))
    late = observed("p1", version="2", as_of=9.0)
    batch = batch_with(ledger, late)
    assert batch.possibly_stale == {"p1": PossiblyStale(observed("p1"), late)}
    assert (batch.changes(), batch.changed) == ([], set())


def test_a_link_that_cannot_be_decoded_is_a_fault_of_its_records() -> None:
    ledger = ReadLedger()
    ledger.put_unreadable(ANA)
    batch = new_batch(ledger, observed("p1"))
    with pytest.raises(ValueError, match=r"^the stored link cannot be decoded$"):
        batch.add(observed("p1"))
    assert (batch.changes(), batch.dirty_emails()) == ([], [])


def test_the_other_readable_links_of_the_batch_are_resolved() -> None:
    ledger = ReadLedger()
    ledger.put(Link(ANA, dirty=True, readable=False))
    ledger.put(link_of(BOB, observed("p2"), dirty=True))
    batch = new_batch(ledger, observed("p1"), observed("p2", BOB))
    assert batch.dirty_emails() == [BOB]


# Tombstones


def test_only_the_names_of_unknown_records_are_looked_up_among_the_tombstones() -> None:
    ledger, tombstones = ReadLedger(), Tombstones()
    ledger.put(link_of(ANA, observed("p1")))
    new_batch(ledger, observed("p1"), observed("p2", BOB), tombstones=tombstones)
    new_batch(ledger, observed("p1"), tombstones=tombstones)
    assert tombstones.requested == [{"p2", BOB}]


@pytest.mark.parametrize("name", ["p1", ANA])
def test_a_new_record_of_an_erased_person_is_not_stored(name: str) -> None:
    tombstones = Tombstones(name)
    batch = batch_with(ReadLedger(), observed("p1"), observed("p2", BOB), tombstones=tombstones)
    assert batch.erased == {"p1"}
    assert changed_links(batch).keys() == {BOB}


def test_a_known_record_with_the_e_mail_of_an_erased_person_is_looked_up_too() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1")))
    batch = batch_with(ledger, observed("p1", BOB), tombstones=Tombstones(BOB))
    assert batch.erased == {"p1"}
    assert batch.changes() == []


def test_of_an_erased_record_nothing_is_looked_up_in_the_ledger() -> None:
    ledger = ReadLedger()
    new_batch(
        ledger, observed("p1"), observed("l2", BOB), observed("p3", ""), tombstones=Tombstones(ANA)
    )
    new_batch(ledger, observed("p1"), tombstones=Tombstones(ANA))
    assert ledger.requested == [{"l2", "p3"}]


# The address of a contact's page


def lead_with_page(email: str, page: object = PAGE, **changes: Any) -> Observation:
    values = {"Phone": "1", "plezi_url__c": page, **changes.pop("values", {})}
    return observed("l1", email, values=values, **changes)


def contact_with_page(email: str = ANA, page: str = PAGE, **values: Any) -> Observation:
    return observed("p1", email, values={"phone": "1", "url": page, **values})


def test_a_lead_with_the_page_of_a_contact_is_of_that_person() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page()))
    lead = lead_with_page(BOB)
    assert new_batch(ledger, lead).owner_email("l1") == ANA
    assert ledger.requested == [{"l1", "p1"}]


@pytest.mark.parametrize("contact", ["p1", "p1X"])
def test_a_page_address_may_end_with_a_slash(contact: str) -> None:
    ledger = ReadLedger()
    page = f"https://app.plezi.co/contacts/{contact}//"
    ledger.put(link_of(ANA, observed(contact, values={"url": page})))
    assert new_batch(ledger, lead_with_page(BOB, page)).owner_email("l1") == ANA


def test_only_a_lead_is_found_by_its_page() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page()))
    contact = replace(lead_with_page(BOB), kind=observed("c1").kind)
    assert new_batch(ledger, contact).owner_email("l1") == BOB
    assert ledger.requested == [{"l1"}]


@pytest.mark.parametrize("page", [None, LongText(2000, "0"), 5, "", "/"])
def test_a_lead_without_a_page_address_is_of_its_e_mail(page: object) -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page()))
    assert new_batch(ledger, lead_with_page(BOB, page)).owner_email("l1") == BOB
    assert ledger.requested == [{"l1"}]


def test_the_whole_address_decides_and_not_only_its_end() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page(page="https://other.example/p1")))
    assert new_batch(ledger, lead_with_page(BOB)).owner_email("l1") == BOB


def test_the_page_of_an_unknown_contact_leads_nowhere() -> None:
    assert new_batch(ReadLedger(), lead_with_page(BOB)).owner_email("l1") == BOB


def test_the_page_of_a_contact_that_has_left_its_link_leads_nowhere() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, contact_with_page(), observed("l2")))[ANA]
    ledger.put(stored.without_record("p1"))
    assert new_batch(ledger, lead_with_page(BOB)).owner_email("l1") == BOB


def test_the_page_of_a_link_that_is_gone_leads_nowhere() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, contact_with_page()))[ANA]
    before = LinkChange(replace(stored, email=CLO, revision=0), stored)
    ledger.save_links([replace(before, link=replace(before.link, indexed=stored.indexed))])
    assert ledger.owner_emails(["p1"]) == {"p1": ANA}
    assert new_batch(ledger, lead_with_page(BOB)).owner_email("l1") == BOB


def test_a_known_lead_stays_in_its_link_whatever_page_it_has() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page()), link_of(BOB, observed("l1", BOB)))
    assert new_batch(ledger, lead_with_page(CLO)).owner_email("l1") == BOB


@pytest.mark.parametrize(
    ("contact", "lead", "owner"),
    [
        ("Roi", "Roi", ANA),
        ("  ROI", "roi\n", ANA),
        ("Roi", "Sol", BOB),
        (None, "Sol", ANA),
        ("Roi", None, ANA),
        (LongText(2000, "0"), "Sol", ANA),
    ],
)
def test_a_lead_of_another_known_person_needs_the_name_of_the_contact(
    contact: str, lead: str, owner: str
) -> None:
    """A list that was imported with shifted columns has the pages of other people."""
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, contact_with_page(last_name=contact)), link_of(BOB, observed("p2", BOB))
    )
    found = lead_with_page(BOB, values={"LastName": lead})
    assert new_batch(ledger, found).owner_email("l1") == owner


@pytest.mark.parametrize("state", [{"deleted": True}, {"converted": True}])
def test_a_person_whose_records_have_left_does_not_keep_a_lead(state: dict[str, bool]) -> None:
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, contact_with_page(last_name="Roi")),
        link_of(BOB, observed("l2", BOB, **state)),
    )
    found = lead_with_page(BOB, values={"LastName": "Sol"})
    assert new_batch(ledger, found).owner_email("l1") == ANA


def test_the_name_does_not_count_where_the_lead_has_the_e_mail_of_the_contact() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, contact_with_page(last_name="Roi")))
    found = lead_with_page(ANA, values={"LastName": "Sol"})
    batch = batch_with(ledger, found)
    assert changed_links(batch)[ANA].record_ids == {"p1", "l1"}


def test_a_fault_in_the_search_by_page_leaves_the_lead_with_its_e_mail() -> None:
    ledger, steps = ReadLedger(), Steps(BOB)
    ledger.put(link_of(ANA, contact_with_page()))
    assert new_batch(ledger, lead_with_page(BOB), step=steps).owner_email("l1") == BOB
    assert steps.emails == [BOB]


def test_a_fault_in_the_check_of_the_page_leaves_the_lead_with_its_e_mail() -> None:
    class SecondFails(Steps):
        def __call__(self, email: str, call: Callable[[], str]) -> str | None:
            super().__call__(email, call)
            return call() if len(self.emails) == 1 else None

    ledger, steps = ReadLedger(), SecondFails()
    ledger.put(link_of(ANA, contact_with_page()))
    assert new_batch(ledger, lead_with_page(BOB), step=steps).owner_email("l1") == BOB
    assert steps.emails == [BOB, BOB]


# The order


def test_records_whose_e_mail_changed_come_first() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    page = [observed("l3", CLO), observed("p1"), observed("p2", "new@x.fr")]
    batch = new_batch(ledger, *page)
    assert [it.id for it in batch.in_order(page)] == ["p2", "l3", "p1"]


def test_a_record_without_an_e_mail_is_stored_only_where_a_link_knows_it() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    page = [observed("l1", ""), observed("l2", "")]
    batch = batch_with(ledger, *page)
    assert [it.id for it in batch.in_order(page)] == ["l1"]
    [change] = batch.changes()
    assert change.moved_from is None
    kept = change.link.observation("l1")
    assert kept is not None
    assert kept.email == ""


# Records that are not stored


def test_a_record_beyond_the_bound_is_left_out_and_the_e_mail_is_shared() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("l1"), observed("l2")))[ANA]
    batch = batch_with(ledger, observed("l3"), max_records=2)
    assert batch.left_out == {"l3"}
    assert batch.changes() == [LinkChange(replace(stored, shared=True, dirty=True))]
    assert batch.changed == set()


def test_the_last_record_within_the_bound_is_stored() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("l1"), observed("l2")))
    batch = batch_with(ledger, observed("l3"), max_records=3)
    assert batch.left_out == set()
    assert changed_links(batch)[ANA].record_ids == {"l1", "l2", "l3"}


def test_a_known_record_of_a_shared_e_mail_is_stored() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("l1"), observed("l2")))
    batch = batch_with(ledger, observed("l2", values={"Phone": "2"}), max_records=1)
    assert (batch.left_out, batch.changed) == (set(), {"l2"})
    assert not changed_links(batch)[ANA].shared


def test_a_contact_outside_the_filter_is_stored_only_beside_other_records() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("l1")))
    page = [observed("c1", eligible=False), observed("c2", BOB, eligible=False)]
    batch = batch_with(ledger, *page, max_records=2)
    assert changed_links(batch).keys() == {ANA}
    assert changed_links(batch)[ANA].record_ids == {"l1", "c1"}
    assert batch.left_out == set()


def test_contacts_outside_the_filter_are_stored_up_to_the_bound_and_share_no_e_mail() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("l1")))
    page = [observed(f"c{number}", eligible=False) for number in range(9)]
    batch = batch_with(ledger, *page, max_records=3)
    link = changed_links(batch)[ANA]
    assert link.record_ids == {"l1", "c0", "c1"}
    assert not link.shared
    assert batch.left_out == set()


def test_a_lead_outside_the_filter_is_stored_alone() -> None:
    batch = batch_with(ReadLedger(), observed("l1", eligible=False), observed("c1", BOB))
    assert changed_links(batch).keys() == {ANA, BOB}


# The quarantine of a record that could not be read


def in_quarantine(**changes: Any) -> Quarantine:
    known = Quarantine(Side.PLEZI, ProblemCode.UNREADABLE_RECORD.value, "", (), 5.0)
    return replace(known, **changes)


def test_a_reading_of_the_record_ends_a_quarantine_that_waited_for_it() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1"), quarantine=in_quarantine()))[ANA]
    batch = batch_with(ledger, observed("p1", as_of=20.0))
    assert batch.changes() == [LinkChange(replace(stored, quarantine=None, dirty=True))]
    assert batch.changed == {"p1"}


def test_a_reading_from_before_the_quarantine_does_not_end_it() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), quarantine=in_quarantine(since=20.0)))
    assert batch_with(ledger, observed("p1", as_of=20.0)).changes() == []


@pytest.mark.parametrize("changes", [{"code": "other"}, {"fields": ("phone",)}])
def test_a_quarantine_with_another_cause_stays(changes: dict[str, Any]) -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), quarantine=in_quarantine(**changes)))
    assert batch_with(ledger, observed("p1", as_of=20.0)).changes() == []


# Unchanged links


def test_an_unchanged_link_is_marked_where_the_mapping_finds_something_to_do() -> None:
    ledger = ReadLedger()
    stored = ledger.put(
        link_of(ANA, observed("p1")),
        link_of(BOB, observed("p2", BOB)),
        link_of(CLO, observed("p3", CLO), dirty=True),
        link_of("d@x.fr", readable=False),
    )
    page = [observed("p1"), observed("p2", BOB), observed("p3", CLO), observed("p4", "d@x.fr")]
    batch = new_batch(ledger, *page)
    checked: list[str] = []

    def check(link: Link) -> bool:
        checked.append(link.email)
        return link.email == BOB

    batch.mark_dirty_where(check)
    assert checked == [ANA, BOB]
    assert batch.changes() == [LinkChange(replace(stored[BOB], dirty=True))]
    assert batch.dirty_emails() == [BOB, CLO]


# Held e-mails


def test_an_e_mail_that_is_in_use_is_held_since_now() -> None:
    link = link_of(ANA, observed("p1", BOB), observed("l1"), holds={"Phone": taken()})
    held = with_email_in_use(link, 7.0)
    hold = Hold(HoldReason.EMAIL_IN_USE, 7.0, {"p1": BOB, "l1": ANA})
    assert held == replace(link, holds={"Phone": taken(), EMAIL_KEY: hold})


def test_an_e_mail_that_is_held_for_use_with_the_same_values_stays_as_it_is() -> None:
    held = with_email_in_use(link_of(ANA, observed("p1", BOB)), 7.0)
    assert with_email_in_use(held, 8.0) is held


def test_an_e_mail_that_is_held_for_use_is_held_again_with_new_values() -> None:
    held = with_email_in_use(link_of(ANA, observed("p1", BOB)), 7.0)
    after = with_email_in_use(held.with_observation(observed("p1", CLO)), 8.0)
    assert after.holds == {EMAIL_KEY: Hold(HoldReason.EMAIL_IN_USE, 8.0, {"p1": CLO})}


def test_an_e_mail_that_is_held_for_another_reason_stays_as_it_is() -> None:
    link = link_of(ANA, observed("p1", BOB), holds={EMAIL_KEY: taken(p1=CLO)})
    assert with_email_in_use(link, 7.0) is link


# A record that leaves its link alone

LEAVING = observed("l1", BOB)


def test_the_last_record_with_the_old_e_mail_takes_the_person_along() -> None:
    link = link_of(ANA, observed("l1"), observed("p1", CLO), observed("l2", deleted=True))
    assert not leaves_alone(link, LEAVING, is_taken=True)


@pytest.mark.parametrize(
    ("base", "leaves"),
    [
        ({}, False),
        ({"p1": {"k": "1"}}, True),
        ({"l1": {"k": "1"}, "p1": {"k": "1"}}, False),
        ({"l1": {}, "p1": {"k": "1"}}, True),
    ],
)
def test_a_record_that_never_agreed_with_the_others_leaves_alone(
    base: dict[str, dict[str, str]], *, leaves: bool
) -> None:
    link = link_of(ANA, observed("l1"), observed("p1"), base=base)
    assert leaves_alone(link, LEAVING, is_taken=False) is leaves


def test_a_record_outside_the_filter_leaves_alone() -> None:
    link = link_of(ANA, observed("l1"), observed("p1"))
    assert leaves_alone(link, replace(LEAVING, eligible=False), is_taken=False)


def test_one_of_several_contacts_leaves_alone() -> None:
    link = link_of(ANA, observed("c1"), observed("c2"), observed("p1"))
    assert leaves_alone(link, observed("c1", BOB), is_taken=False)
    alone = link_of(ANA, observed("c1"), observed("c2", eligible=False), observed("p1"))
    assert not leaves_alone(alone, observed("c1", BOB), is_taken=False)


def test_a_contact_beside_a_lead_takes_the_person_along() -> None:
    link = link_of(ANA, observed("c1"), observed("l1"))
    assert not leaves_alone(link, observed("c1", BOB), is_taken=False)


def test_a_lead_beside_an_equal_one_takes_the_person_along() -> None:
    link = link_of(ANA, observed("l1"), observed("l2"))
    assert not leaves_alone(link, LEAVING, is_taken=False)


def test_a_record_of_a_person_who_was_deleted_in_plezi_leaves_the_others() -> None:
    deleted = observed("p1", deleted=True)
    link = link_of(ANA, observed("c1"), observed("l1"), deleted)
    assert leaves_alone(link, observed("c1", BOB), is_taken=False)
    alone = link_of(ANA, observed("c1"), deleted)
    assert not leaves_alone(alone, observed("c1", BOB), is_taken=False)


@pytest.mark.parametrize(("primary", "leaves"), [("l2", True), ("l1", False), ("p1", False)])
def test_a_lead_beside_the_primary_one_leaves_alone(primary: str, *, leaves: bool) -> None:
    link = link_of(ANA, observed("l1"), observed("l2"), observed("p1"), primary_lead=primary)
    assert leaves_alone(link, LEAVING, is_taken=False) is leaves


@pytest.mark.parametrize(("fields", "leaves"), [(2, False), (3, True)])
def test_a_lead_that_agreed_in_less_than_half_of_the_fields_leaves_alone(
    fields: int, *, leaves: bool
) -> None:
    agreed = {f"k{number}": "1" for number in range(fields)}
    base = {"l1": {"k0": "1"}, "l2": agreed, "p1": agreed}
    link = link_of(ANA, observed("l1"), observed("l2"), observed("p1"), base=base)
    assert leaves_alone(link, LEAVING, is_taken=False) is leaves
    other_kind = link_of(ANA, observed("l1"), observed("p1"), base=base)
    assert not leaves_alone(other_kind, LEAVING, is_taken=False)


def test_a_lead_beside_one_that_takes_no_part_takes_the_person_along() -> None:
    other = observed("l2", eligible=False)
    link = link_of(ANA, observed("l1"), other, primary_lead="l2")
    assert not leaves_alone(link, LEAVING, is_taken=True)


@pytest.mark.parametrize(("other", "leaves"), [("l2", True), ("c2", True), ("p1", False)])
def test_to_a_taken_e_mail_a_record_goes_alone_if_others_of_salesforce_stay(
    other: str, *, leaves: bool
) -> None:
    link = link_of(ANA, observed("l1"), observed(other))
    assert leaves_alone(link, LEAVING, is_taken=True) is leaves
    assert not leaves_alone(link, LEAVING, is_taken=False)
