"""A batch of links: the e-mail of a person changes, and another person may have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.model import Hold, HoldReason, Intent, Link, LinkChange, Observation
from connector.sync.link_batch import EMAIL_KEY, LinkBatch
from tests.unit.connector.sync_fixtures import ANA, BOB, CLO, link_of, observed
from tests.unit.connector.sync_fixtures_reading import ReadLedger
from tests.unit.connector.sync_fixtures_stores import Tombstones

INTENT = Intent("i", "r", 1.0, (), ())
DAN = "dan@x.fr"


def batch_with(ledger: ReadLedger, *observations: Observation) -> LinkBatch:
    """Return a batch to which the observations were added, in its order."""
    batch = LinkBatch(ledger, Tombstones(), observations, 10, lambda _email, call: call())
    for each in batch.in_order(observations):
        batch.add(each)
    return batch


def changed_links(batch: LinkBatch) -> dict[str, Link]:
    return {it.link.email: it.link for it in batch.changes()}


def moves(batch: LinkBatch) -> dict[str, str]:
    """Return the new e-mail of each link that moved, by its former one."""
    return {it.moved_from.email: it.link.email for it in batch.changes() if it.moved_from}


def taken(since: float = 5.0, **values: str) -> Hold:
    return Hold(HoldReason.EMAIL_TAKEN, since, values, chosen="p1")


def test_a_link_follows_the_new_e_mail_of_a_record() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1"), observed("l1")))[ANA]
    contact = observed("p1", BOB)
    batch = batch_with(ledger, contact)
    moved = replace(
        stored.with_observation(contact), email=BOB, revision=0, indexed=frozenset(), dirty=True
    )
    assert batch.changes() == [LinkChange(moved, stored)]
    assert batch.vacated == batch.free == {ANA}
    assert (batch.changed, batch.deferred) == ({"p1"}, set())
    assert (batch.owner_email("p1"), batch.owner_email("l1")) == (BOB, BOB)


def test_a_record_that_still_has_the_old_e_mail_does_not_move_its_link_back() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(BOB, observed("p1", BOB), observed("l1")))
    batch = batch_with(ledger, observed("l1", values={"Phone": "2"}))
    assert moves(batch) == {}
    assert changed_links(batch).keys() == {BOB}


def test_a_new_lead_of_a_contacts_page_does_not_move_the_person() -> None:
    ledger = ReadLedger()
    page = "https://app.plezi.co/contacts/p1"
    ledger.put(link_of(ANA, observed("p1", values={"url": page})))
    batch = batch_with(ledger, observed("l1", BOB, values={"plezi_url__c": page}))
    assert moves(batch) == {}
    assert changed_links(batch)[ANA].record_ids == {"p1", "l1"}


def test_a_link_whose_e_mail_no_record_has_moves_to_that_of_its_records() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(BOB, observed("p1"), observed("l1")))
    batch = batch_with(ledger, observed("p1"))
    assert moves(batch) == {BOB: ANA}
    assert batch.changed == {"p1"}


def test_a_record_that_is_deleted_does_not_keep_the_e_mail_of_its_link() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(BOB, observed("p1", BOB, deleted=True), observed("l1")))
    assert moves(batch_with(ledger, observed("l1"))) == {BOB: ANA}


def test_the_e_mail_of_a_link_whose_records_have_all_left_is_free() -> None:
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, observed("p1")),
        link_of(BOB, observed("p2", BOB, deleted=True)),
        link_of(CLO, observed("p3", CLO), observed("l3", CLO)),
    )
    page = [
        observed("p1", deleted=True),
        observed("p2", BOB, deleted=True),
        observed("p3", CLO, deleted=True),
    ]
    batch = batch_with(ledger, *page)
    assert batch.free == {ANA, BOB}
    assert batch.vacated == frozenset()


# Several changes of one e-mail in a batch


def test_who_gets_an_e_mail_that_was_just_vacated_is_stored_next() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    page = [observed("p2", CLO), observed("p1", BOB)]
    batch = batch_with(ledger, *page)
    assert moves(batch) == {BOB: CLO}
    assert (batch.deferred, batch.changed) == ({"p1"}, {"p2"})


def test_a_new_record_with_an_e_mail_that_was_just_vacated_is_stored_next() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(BOB, observed("p2", BOB)))
    batch = batch_with(ledger, observed("p2", CLO), observed("p3", BOB))
    assert changed_links(batch).keys() == {CLO}
    assert (batch.deferred, batch.changed) == ({"p3"}, {"p2"})


def test_who_gets_the_e_mail_of_a_deferred_person_is_deferred_too() -> None:
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, observed("p1")),
        link_of(BOB, observed("p2", BOB)),
        link_of(CLO, observed("p3", CLO)),
    )
    page = [observed("p1", DAN), observed("p2", ANA), observed("p3", BOB)]
    batch = batch_with(ledger, *page)
    assert moves(batch) == {ANA: DAN}
    assert batch.deferred == {"p2", "p3"}
    assert batch.changed == {"p1"}


def test_a_link_that_has_changed_before_it_moves_replaces_the_stored_one() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1"), observed("l1")))[ANA]
    batch = batch_with(ledger, observed("l1", ""), observed("p1", BOB))
    [change] = batch.changes()
    assert change.moved_from == stored
    assert {it.id: it.email for it in change.link.observations()} == {"p1": BOB, "l1": ""}


def test_of_a_new_contact_that_is_listed_twice_the_other_e_mail_is_stored_next() -> None:
    ledger = ReadLedger()
    page = [observed("p1"), observed("p1", BOB, version="2")]
    batch = batch_with(ledger, *page)
    assert batch.changes() == [
        LinkChange(replace(link_of(ANA, page[0]), dirty=True), moved_from=Link(BOB))
    ]
    assert batch.deferred == {"p1"}


def test_a_link_moves_once_in_a_batch() -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    batch = batch_with(ledger, observed("p1", BOB), observed("l1", CLO))
    assert moves(batch) == {ANA: BOB}
    assert batch.deferred == {"l1"}
    assert batch.changed == {"p1"}


def test_a_record_that_leaves_alone_joins_the_link_of_its_e_mail_next() -> None:
    ledger = ReadLedger()
    base = {"p1": {"k": "1"}}
    link = link_of(ANA, observed("p1"), observed("l1"), base=base)
    stored = ledger.put(link)[ANA]
    batch = batch_with(ledger, observed("l1", BOB))
    assert batch.changes() == [LinkChange(replace(stored.without_record("l1"), dirty=True))]
    assert (batch.deferred, batch.changed) == ({"l1"}, {"l1"})
    assert batch.vacated == frozenset()


def test_a_lead_goes_alone_to_the_e_mail_of_another_known_person() -> None:
    ledger = ReadLedger()
    links = (link_of(ANA, observed("l1"), observed("l2")), link_of(BOB, observed("p2", BOB)))
    stored = ledger.put(*links)
    batch = batch_with(ledger, observed("l1", BOB))
    assert batch.changes() == [LinkChange(replace(stored[ANA].without_record("l1"), dirty=True))]


def test_a_lead_takes_the_person_to_the_e_mail_of_one_who_has_left() -> None:
    ledger = ReadLedger()
    other = link_of(BOB, observed("p2", BOB, deleted=True))
    ledger.put(link_of(ANA, observed("l1"), observed("l2")), other)
    assert moves(batch_with(ledger, observed("l1", BOB))) == {ANA: BOB}


# The e-mail of another person


def test_the_e_mail_of_another_person_is_held() -> None:
    ledger = ReadLedger()
    since = {"Phone": Hold(HoldReason.CONFLICT, 1.0, {})}
    stored = ledger.put(
        link_of(ANA, observed("p1"), observed("l1", as_of=30.0), holds=since),
        link_of(BOB, observed("p2", BOB)),
    )
    contact = observed("p1", BOB, as_of=20.0)
    batch = batch_with(ledger, contact)
    hold = Hold(HoldReason.EMAIL_TAKEN, 30.0, {"p1": BOB, "l1": ANA})
    after = replace(stored[ANA].with_observation(contact), dirty=True)
    assert batch.changes() == [LinkChange(replace(after, holds={**since, EMAIL_KEY: hold}))]
    assert (batch.vacated, batch.deferred, batch.changed) == (frozenset(), set(), {"p1"})
    assert batch.owner_email("p1") == ANA


def test_a_taken_e_mail_that_is_held_already_stays_held_as_it_is() -> None:
    ledger = ReadLedger()
    contact = observed("p1", BOB)
    ledger.put(
        link_of(ANA, contact, holds={EMAIL_KEY: taken(p1=" BOB@x.fr ")}),
        link_of(BOB, observed("p2", BOB)),
    )
    batch = batch_with(ledger, contact)
    assert (batch.changes(), batch.changed) == ([], set())


@pytest.mark.parametrize(
    "hold",
    [
        taken(p1=CLO),
        taken(p1=BOB, l9=ANA),
        Hold(HoldReason.CONFLICT, 5.0, {"p1": BOB}),
    ],
)
def test_a_taken_e_mail_is_held_again_with_the_e_mails_of_today(hold: Hold) -> None:
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, observed("p1"), holds={EMAIL_KEY: hold}),
        link_of(BOB, observed("p2", BOB)),
    )
    after = changed_links(batch_with(ledger, observed("p1", BOB, as_of=20.0)))[ANA]
    assert after.holds == {EMAIL_KEY: Hold(HoldReason.EMAIL_TAKEN, 20.0, {"p1": BOB})}


def test_a_held_link_moves_once_its_e_mail_is_free() -> None:
    ledger = ReadLedger()
    contact = observed("p1", BOB)
    conflict = Hold(HoldReason.CONFLICT, 1.0, {})
    holds = {EMAIL_KEY: taken(p1=BOB, l1=ANA), "Phone": conflict}
    stored = ledger.put(link_of(ANA, contact, observed("l1"), holds=holds))[ANA]
    batch = batch_with(ledger, contact)
    assert moves(batch) == {ANA: BOB}
    after = changed_links(batch)[BOB]
    assert after.holds == {"Phone": conflict}
    assert after.dirty
    assert batch.changes()[0].moved_from == stored


def test_a_link_that_is_held_for_a_conflict_does_not_move_for_an_unchanged_record() -> None:
    ledger = ReadLedger()
    contact = observed("p1", BOB)
    hold = Hold(HoldReason.IN_DOUBT, 1.0, {})
    ledger.put(link_of(ANA, contact, observed("l1"), holds={EMAIL_KEY: hold}))
    assert batch_with(ledger, contact).changes() == []


def test_a_link_moves_to_an_e_mail_whose_link_is_empty_in_place_of_that_link() -> None:
    ledger = ReadLedger()
    stored = ledger.put(link_of(ANA, observed("p1")), Link(BOB))
    batch = batch_with(ledger, observed("p1", BOB))
    [change] = batch.changes()
    assert (change.link.email, change.link.revision) == (BOB, stored[BOB].revision)
    assert change.moved_from == stored[ANA]


# A link that gets the e-mail of records of the same person


def test_records_that_have_left_are_joined_to_who_gets_their_e_mail() -> None:
    ledger = ReadLedger()
    base = {"p1": {"k": "1"}}
    stored = ledger.put(
        link_of(ANA, observed("p1"), observed("l1"), base=base),
        link_of(BOB, observed("p2", BOB, deleted=True), observed("l0", BOB, converted=True)),
    )
    contact = observed("p1", BOB)
    batch = batch_with(ledger, contact)
    [change] = batch.changes()
    assert change.moved_from == stored[ANA]
    assert change.link == replace(
        stored[ANA],
        email=BOB,
        plezi=contact,
        salesforce=(observed("l0", BOB, converted=True), observed("l1")),
        revision=stored[BOB].revision,
        indexed=frozenset(),
        dirty=True,
    )


def test_records_without_a_contact_in_plezi_join_the_person_with_their_e_mail() -> None:
    ledger = ReadLedger()
    base = {"p2": {"k": "1"}}
    stored = ledger.put(
        link_of(ANA, observed("l3")),
        link_of(BOB, observed("p2", BOB), observed("l4", BOB), base=base),
    )
    lead = observed("l3", BOB)
    batch = batch_with(ledger, lead)
    [change] = batch.changes()
    assert change.moved_from == stored[ANA]
    assert change.link == replace(
        stored[BOB], salesforce=(lead, observed("l4", BOB)), indexed=frozenset(), dirty=True
    )
    assert batch.owner_email("l3") == BOB


def test_a_record_that_both_links_have_is_kept_once() -> None:
    ledger = ReadLedger()
    contact = observed("p2", BOB)
    kept = observed("l3", BOB, version="3")
    other = ledger.put(link_of(BOB, contact, kept))[BOB]
    ledger.put(link_of(ANA, observed("l3", BOB), observed("l5")))  # the pointer leads here now
    batch = batch_with(ledger, observed("l5", BOB))
    assert moves(batch) == {ANA: BOB}
    moved = changed_links(batch)[BOB]
    assert list(moved.observations()) == [contact, kept, observed("l5", BOB)]
    assert moved.revision == other.revision


@pytest.mark.parametrize("state", ["deleted", "converted"])
def test_a_contact_that_has_left_plezi_does_not_keep_two_links_apart(state: str) -> None:
    ledger = ReadLedger()
    ledger.put(
        link_of(ANA, observed("p1", ANA, **{state: True}), observed("l1")),
        link_of(BOB, observed("p2", BOB)),
    )
    batch = batch_with(ledger, observed("l1", BOB))
    assert moves(batch) == {ANA: BOB}
    assert changed_links(batch)[BOB].record_ids == {"l1", "p2"}


def test_a_record_in_two_links_moves_the_one_to_which_its_pointer_leads() -> None:
    ledger = ReadLedger()
    contact = observed("p1", BOB, version="3")
    ledger.put(link_of(BOB, contact, observed("l2", BOB)))
    ledger.put(link_of(ANA, observed("p1"), observed("l1")))  # the pointer leads here now
    batch = LinkBatch(
        ledger,
        Tombstones(),
        [contact],
        10,
        lambda _email, call: call(),
        in_two_links={contact.id: ANA},
    )
    batch.add(contact)
    assert moves(batch) == {ANA: BOB}
    assert changed_links(batch)[BOB].record_ids == {"p1", "l1", "l2"}
    assert moves(batch_with(ledger, contact)) == {}


@pytest.mark.parametrize("newer", [ANA, BOB])
def test_two_links_with_the_same_contact_in_plezi_are_one_person(newer: str) -> None:
    """One process created the contact, and another one read it under its next e-mail."""
    ledger = ReadLedger()
    contacts = {
        it: observed("p1", BOB, as_of=5.0 if it == newer else 1.0, values={"phone": it})
        for it in (ANA, BOB)
    }
    ledger.put(
        link_of(ANA, contacts[ANA], observed("l1")),
        link_of(BOB, contacts[BOB], observed("l2", BOB)),
    )
    batch = batch_with(ledger, observed("l1", BOB))
    assert moves(batch) == {ANA: BOB}
    joined = changed_links(batch)[BOB]
    assert joined.record_ids == {"p1", "l1", "l2"}
    assert joined.plezi == contacts[newer]
    assert not joined.holds


@pytest.mark.parametrize("busy", [ANA, BOB])
def test_links_with_an_unfinished_write_are_not_joined(busy: str) -> None:
    ledger = ReadLedger()
    links = (link_of(ANA, observed("l1")), link_of(BOB, observed("p2", BOB)))
    ledger.put(*(replace(it, intent=INTENT if it.email == busy else None) for it in links))
    batch = batch_with(ledger, observed("l1", BOB))
    assert moves(batch) == {}
    assert changed_links(batch)[ANA].holds.keys() == {EMAIL_KEY}


def test_a_link_that_cannot_be_decoded_is_not_joined() -> None:
    ledger = ReadLedger()
    other = link_of(BOB, observed("p2", BOB), readable=False)
    ledger.put(link_of(ANA, observed("l1")), other)
    batch = batch_with(ledger, observed("l1", BOB))
    assert changed_links(batch).keys() == {ANA}


# A link that was held for one e-mail and moves to another one


def test_a_record_that_still_has_the_e_mail_of_another_person_stays_held() -> None:
    """The Lead got the e-mail of Bob; now the contact in Plezi gets a third one."""
    ledger = ReadLedger()
    holds = {EMAIL_KEY: taken(l1=" BOB@x.fr", p1=ANA), "Phone": taken(l1=BOB)}
    ledger.put(
        link_of(ANA, observed("p1"), observed("l1", BOB), holds=holds),
        link_of(BOB, observed("p2", BOB)),
    )
    batch = batch_with(ledger, observed("p1", CLO))
    assert moves(batch) == {ANA: CLO}
    held = Hold(HoldReason.EMAIL_TAKEN, 5.0, {"p1": CLO, "l1": BOB})
    assert changed_links(batch)[CLO].holds == {EMAIL_KEY: held}


@pytest.mark.parametrize(
    ("lead", "hold"),
    [
        (observed("l1", BOB, deleted=True), taken(l1=BOB)),
        (observed("l1", BOB), taken(l1=DAN)),
        (observed("l1", ""), taken(l1="")),
        (observed("l1", CLO), taken(l1=CLO)),
        (observed("l1", BOB), Hold(HoldReason.EMAIL_TAKEN, 5.0, {})),
    ],
)
def test_a_link_without_a_record_of_another_persons_e_mail_is_released(
    lead: Observation, hold: Hold
) -> None:
    ledger = ReadLedger()
    ledger.put(link_of(ANA, observed("p1"), lead, holds={EMAIL_KEY: hold}))
    batch = batch_with(ledger, observed("p1", CLO))
    assert moves(batch) == {ANA: CLO}
    assert changed_links(batch)[CLO].holds == {}


def test_a_hold_for_another_reason_stays_as_it_is() -> None:
    ledger = ReadLedger()
    hold = Hold(HoldReason.IN_DOUBT, 5.0, {"l1": BOB}, chosen="l1")
    ledger.put(link_of(ANA, observed("p1"), observed("l1", BOB), holds={EMAIL_KEY: hold}))
    batch = batch_with(ledger, observed("p1", CLO))
    assert changed_links(batch)[CLO].holds == {EMAIL_KEY: hold}


def test_a_link_with_a_record_of_the_old_e_mail_is_released() -> None:
    """That record would move the link back."""
    ledger = ReadLedger()
    hold = taken(l1=BOB)
    records = (observed("p1"), observed("l1", BOB), observed("c1"))
    ledger.put(link_of(ANA, *records, holds={EMAIL_KEY: hold}))
    batch = batch_with(ledger, observed("p1", CLO))
    assert moves(batch) == {ANA: CLO}
    assert changed_links(batch)[CLO].holds == {}
