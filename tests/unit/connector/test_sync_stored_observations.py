"""Storing observations in the ledger, although other processes write to the same links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from connector.errors import RetryError, StopReason
from connector.log_events import Event
from connector.mapping.values import stored_value
from connector.model import (
    Counts,
    Hold,
    HoldReason,
    Intent,
    Link,
    Observation,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Side,
)
from connector.sync.isolation import Fault, Isolation
from connector.sync.link_batch import EMAIL_KEY, PossiblyStale
from connector.sync.read_phase import (
    DEFERRED,
    StoredSlice,
    as_stored,
    note_problems,
    records_waiting_for,
    store_observations,
)
from tests.unit.connector.sync_fixtures import ANA, BOB, CLO, RUN, link_of, observed
from tests.unit.connector.sync_fixtures_reading import BrokenValues, InMemory, ReadLedger
from tests.unit.connector.sync_fixtures_stores import Tombstones

DAN = "dan@x.fr"


class Storing:
    """Stores observations of Plezi; keeps the counts and the faults."""

    def __init__(self, memory: InMemory | None = None) -> None:
        self.memory = memory or InMemory()
        self.isolation = Isolation(self.memory.context, RUN)
        self._counts = Counts()

    @property
    def ledger(self) -> ReadLedger:
        return self.memory.ledger

    def put(self, *links: Link) -> dict[str, Link]:
        return self.ledger.put(*links)

    def store(
        self, *observations: Observation, side: Side = Side.PLEZI, **options: Any
    ) -> StoredSlice:
        return store_observations(
            self.memory.context, observations, self._counts, side, self.isolation, **options
        )

    def note(self, *problems: RecordProblem, retry: bool = False) -> None:
        note_problems(
            self.memory.context, iter(problems), self._counts, self.isolation, retry=retry
        )

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        return {key: number for key, number in self._counts.numbers.items() if number}

    def records(self, *emails: str) -> dict[str, set[str]]:
        """Return the ids of the records of each link, by its e-mail."""
        found = self.ledger.load_links(emails or (ANA, BOB, CLO, DAN))
        return {email: set(link.record_ids) for email, link in found.items()}


def long_text(kind: str = "phone") -> dict[str, Any]:
    return {"values": {kind: "x" * 2000}}


# What is stored and counted


def test_changed_and_unchanged_records_are_counted_on_their_side() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    page = [
        observed("p1"),
        observed("p2", BOB, values={"phone": "2"}),
        observed("p3", CLO),
        observed("p4", DAN),
    ]
    result = storing.store(*page)
    assert storing.counts == {("plezi", "changed"): 3, ("plezi", "unchanged"): 1}
    assert result == StoredSlice(stale=[], dirty=[BOB, CLO, DAN])
    assert storing.records() == {ANA: {"p1"}, BOB: {"p2"}, CLO: {"p3"}, DAN: {"p4"}}
    assert storing.ledger.saves == [([BOB, CLO, DAN], False)]


def test_links_on_a_list_of_the_caller_are_stored_as_such() -> None:
    storing = Storing()
    storing.store(observed("p1"), listed=True)
    storing.store(observed("p2", BOB))
    assert storing.ledger.dirty_emails(10) == [BOB]


def test_an_unchanged_link_is_resolved_where_the_check_says_so() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    page = [observed("p1"), observed("p2", BOB)]
    result = storing.store(*page, needs_resolving=lambda link: link.email == BOB)
    assert result.dirty == [BOB]
    assert storing.counts == {("plezi", "unchanged"): 2}
    assert [it.dirty for it in storing.ledger.load_links([ANA, BOB]).values()] == [False, True]


def test_records_of_erased_people_are_only_counted() -> None:
    storing = Storing(InMemory(tombstones=Tombstones(ANA, "p4")))
    page = [observed("p1"), observed("p2", BOB), observed("p4", DAN)]
    assert storing.store(*page).dirty == [BOB]
    assert storing.counts == {("plezi", "changed"): 1, ("plezi", "skipped.erased"): 2}


def test_records_beyond_the_bound_of_one_e_mail_are_only_counted() -> None:
    storing = Storing(InMemory(max_records=1))
    storing.put(link_of(ANA, observed("l1")))
    storing.store(observed("l2"), observed("l3"), side=Side.SALESFORCE)
    assert storing.counts == {
        ("salesforce", "unchanged"): 2,
        ("salesforce", "skipped.shared_email"): 2,
    }


def test_a_record_without_an_e_mail_is_stored_only_where_a_link_knows_it() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1"), observed("l1")))
    page = [observed("l1", ""), observed("l2", ""), observed("l3", ""), observed("l4", BOB)]
    storing.store(*page, side=Side.SALESFORCE)
    assert storing.counts == {
        ("salesforce", "changed"): 2,
        ("salesforce", "skipped.no_email"): 2,
    }
    assert storing.records() == {ANA: {"p1", "l1"}, BOB: {"l4"}}


def test_where_all_records_have_an_e_mail_their_owners_are_not_looked_up_for_it() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")))
    storing.store(observed("p1"))
    assert storing.ledger.requested == []


def test_known_records_without_an_e_mail_are_not_counted_as_unknown() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("l1")))
    storing.store(observed("l1", ""), side=Side.SALESFORCE)
    assert storing.counts == {("salesforce", "changed"): 1}


@pytest.mark.parametrize(("first", "second", "phone"), [(1, 2, "b"), (1, 1, "b"), (2, 1, "a")])
def test_of_a_record_that_is_listed_twice_the_newest_one_is_stored(
    first: int, second: int, phone: str
) -> None:
    storing = Storing()
    page = [
        observed("p1", modified=f"2026-01-0{first}", values={"phone": "a"}),
        observed("p2", BOB),
        observed("p1", modified=f"2026-01-0{second}", values={"phone": "b"}),
    ]
    storing.store(*page)
    contact = storing.ledger.load_links([ANA])[ANA].plezi
    assert contact is not None
    assert contact.values == {"phone": phone}
    assert storing.records() == {ANA: {"p1"}, BOB: {"p2"}}


def test_a_long_text_is_stored_as_a_digest() -> None:
    observation = observed("p1", **long_text())
    expected = replace(observation, values={"phone": stored_value("x" * 2000)})
    assert as_stored(observation) == expected
    short = observed("p1")
    assert as_stored(short) is short
    storing = Storing()
    storing.store(observation)
    assert storing.ledger.load_links([ANA])[ANA].plezi == expected


def test_an_older_reading_that_may_be_new_is_to_be_read_again() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    late = [observed("p1", version="2", as_of=9.0), observed("p2", BOB, version="2", as_of=9.0)]
    result = storing.store(*late)
    assert result.stale == [
        PossiblyStale(observed("p1"), late[0]),
        PossiblyStale(observed("p2", BOB), late[1]),
    ]


def test_what_was_found_before_a_second_attempt_is_kept() -> None:
    storing = Storing(InMemory(tombstones=Tombstones(CLO)))
    storing.put(link_of(ANA, observed("p1")))
    storing.ledger.busy = {BOB: 1}
    late = observed("p1", version="2", as_of=9.0)
    result = storing.store(late, observed("p2", BOB), observed("p3", CLO))
    assert result.stale == [PossiblyStale(observed("p1"), late)]
    assert storing.counts == {
        ("plezi", "changed"): 1,
        ("plezi", "unchanged"): 1,
        ("plezi", "skipped.erased"): 1,
    }


# Faults of single people


def test_a_record_that_cannot_be_stored_keeps_only_its_link_from_being_stored() -> None:
    storing = Storing()
    page = [observed("p1"), observed("l1", values=BrokenValues()), observed("p2", BOB)]
    storing.store(*page)
    assert storing.isolation.faults.keys() == {ANA}
    assert storing.records() == {BOB: {"p2"}}


def test_a_link_that_cannot_be_decoded_is_a_fault_and_all_others_are_stored() -> None:
    storing = Storing()
    storing.ledger.put_unreadable(ANA)
    storing.store(observed("p1"), observed("p2", BOB))
    assert storing.isolation.faults.keys() == {ANA}
    assert storing.records(BOB) == {BOB: {"p2"}}


def test_the_fault_of_a_record_is_one_of_the_link_that_it_belongs_to() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1"), readable=False))
    storing.store(observed("p1", BOB))
    assert storing.isolation.faults.keys() == {ANA}


@pytest.mark.parametrize("side", Side)
def test_a_link_that_is_too_large_is_a_fault_of_the_side_that_was_read(side: Side) -> None:
    storing = Storing()
    storing.ledger.too_large = {ANA}
    result = storing.store(observed("p1"), observed("p2", BOB), side=side)
    assert storing.isolation.faults == {ANA: Fault(ProblemCode.NOT_STORABLE, side=side)}
    assert storing.records() == {BOB: {"p2"}}
    assert result.dirty == [ANA, BOB]


# Other processes


def test_a_link_that_another_process_changed_is_read_and_stored_again() -> None:
    storing = Storing()
    storing.ledger.busy = {ANA: 4}
    result = storing.store(observed("p1"), observed("p2", BOB))
    assert result.dirty == [BOB, ANA]
    assert storing.counts == {("plezi", "changed"): 2}
    assert storing.ledger.saves == [([ANA, BOB], False), *[([ANA], False)] * 4]


def test_a_link_that_another_process_keeps_changing_stops_the_page() -> None:
    storing = Storing()
    storing.ledger.busy = {ANA: 9}
    message = "another process keeps changing the same links; the page will be read again"
    with pytest.raises(RetryError, match=f"^{message}$") as caught:
        storing.store(observed("p1"), observed("p2", BOB))
    assert caught.value.reason is StopReason.CONFLICT
    # One attempt with somebody who was stored, then five in vain.
    assert storing.ledger.busy == {ANA: 3}
    assert storing.counts == {}


def test_attempts_in_vain_are_counted_from_the_last_one_that_stored_a_link() -> None:
    storing = Storing()
    storing.ledger.busy = {ANA: 4, BOB: 8}
    storing.store(observed("p1"), observed("p2", BOB))
    assert storing.records() == {ANA: {"p1"}, BOB: {"p2"}}


# E-mails that move from one person to the next


def test_people_whose_e_mails_move_along_a_chain_are_stored_one_after_another() -> None:
    storing = Storing()
    emails = [f"p{number}@x.fr" for number in range(9)]
    storing.put(*(link_of(emails[it], observed(f"p{it}", emails[it])) for it in range(8)))
    page = [observed(f"p{it}", emails[it + 1]) for it in reversed(range(8))]
    storing.store(*page)
    assert storing.records(*emails) == {emails[it + 1]: {f"p{it}"} for it in range(8)}
    assert storing.counts == {("plezi", "changed"): 8}
    assert storing.isolation.faults == {}


def test_a_turn_holds_only_those_whose_e_mail_has_become_free() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")), link_of(BOB, observed("p2", BOB)))
    storing.ledger.busy = {DAN: 1}
    storing.store(observed("p2", CLO), observed("p1", BOB), observed("p3", DAN))
    assert storing.ledger.saves == [([CLO, DAN], False), ([BOB], False), ([DAN], False)]


def test_a_record_that_leaves_its_link_alone_joins_the_one_of_its_e_mail() -> None:
    storing = Storing()
    base = {"p1": {"k": "1"}}
    storing.put(
        link_of(ANA, observed("p1"), observed("l1"), base=base), link_of(BOB, observed("p2", BOB))
    )
    storing.store(observed("l1", BOB), side=Side.SALESFORCE)
    assert storing.records() == {ANA: {"p1"}, BOB: {"p2", "l1"}}
    assert storing.counts == {("salesforce", "changed"): 1}


@pytest.mark.parametrize(("record", "other"), [("l1", "p1"), ("p1", "l1")])
def test_a_record_that_cannot_leave_its_link_is_tried_again_by_the_next_run(
    record: str, other: str
) -> None:
    storing, leaving = Storing(), observed(record, BOB)
    storing.put(link_of(ANA, observed(record), observed(other), base={other: {"k": "1"}}))
    storing.ledger.too_large = {ANA}
    storing.store(leaving, side=leaving.side)
    assert storing.isolation.faults == {
        ANA: Fault(ProblemCode.NOT_STORABLE, side=leaving.side),
        BOB: Fault(ProblemCode.DEFECT, DEFERRED, leaving.side, retry=True),
    }
    assert storing.records() == {ANA: {"p1", "l1"}}
    assert len(storing.ledger.saves) == 5
    assert storing.counts == {(leaving.side.value, "unchanged"): 1}


def held(email: str, *records: Observation) -> Link:
    """Return a link whose new e-mail was that of another person."""
    values = {it.id: it.email for it in records}
    hold = Hold(HoldReason.EMAIL_TAKEN, 5.0, values)
    return link_of(email, *records, holds={EMAIL_KEY: hold})


def test_who_waits_for_an_e_mail_gets_it_as_soon_as_it_is_free() -> None:
    storing = Storing()
    storing.put(held(ANA, observed("p1", BOB)), link_of(BOB, observed("p2", BOB)))
    result = storing.store(observed("p2", CLO))
    assert storing.records() == {BOB: {"p1"}, CLO: {"p2"}}
    assert storing.ledger.load_links([BOB])[BOB].holds == {}
    assert storing.counts == {("plezi", "changed"): 1}
    assert result.dirty == [CLO, BOB]


def test_who_waits_for_the_e_mail_of_a_person_who_has_left_gets_it() -> None:
    storing = Storing()
    storing.put(held(ANA, observed("p1", BOB)), link_of(BOB, observed("p2", BOB)))
    storing.store(observed("p2", BOB, deleted=True))
    assert storing.records() == {BOB: {"p1"}}
    assert storing.counts == {("plezi", "changed"): 1}


def test_of_two_people_who_wait_for_an_e_mail_one_after_the_other_both_get_theirs() -> None:
    storing = Storing()
    storing.put(
        held(ANA, observed("p1", BOB)),
        held(BOB, observed("p2", CLO)),
        link_of(CLO, observed("p3", CLO)),
    )
    storing.store(observed("p3", DAN))
    assert storing.records() == {BOB: {"p1"}, CLO: {"p2"}, DAN: {"p3"}}


def test_an_e_mail_that_became_free_before_a_second_attempt_is_given_too() -> None:
    storing = Storing()
    storing.put(held(ANA, observed("p1", BOB)), link_of(BOB, observed("p2", BOB)))
    storing.ledger.busy = {DAN: 1}
    storing.store(observed("p2", CLO), observed("p4", DAN))
    assert storing.records() == {BOB: {"p1"}, CLO: {"p2"}, DAN: {"p4"}}


def test_who_waits_for_an_e_mail_is_stored_once_although_it_stays_taken() -> None:
    """Ana waits for the e-mail of a link with an unfinished write: it is not joined."""
    storing = Storing()
    intent = Intent("i", RUN, 1.0, (), ())
    storing.put(
        held(ANA, observed("p1", BOB)),
        link_of(BOB, observed("p2", BOB), intent=intent),
        link_of(CLO, observed("p3", CLO)),
        held(DAN, observed("p4", CLO)),
        held("fay@x.fr", observed("p5", DAN)),
    )
    storing.store(observed("p2", BOB, deleted=True), observed("p3", "eve@x.fr"))
    saved = [sorted(emails) for emails, _listed in storing.ledger.saves]
    assert saved == [[BOB, "eve@x.fr"], [CLO], [DAN]]
    assert storing.records(ANA, DAN) == {ANA: {"p1"}, DAN: {"p5"}}


def test_nothing_is_released_while_another_process_changes_the_links() -> None:
    storing = Storing()
    storing.put(held(ANA, observed("p1", BOB)), link_of(BOB, observed("p2", BOB)))
    storing.ledger.busy = {DAN: 9}
    with pytest.raises(RetryError):
        storing.store(observed("p2", CLO), observed("p3", DAN))
    assert storing.records() == {ANA: {"p1"}, CLO: {"p2"}}


def test_only_active_records_with_an_e_mail_that_is_free_are_released() -> None:
    ledger = ReadLedger()
    records = (
        observed("p1", BOB),
        observed("l1", BOB, deleted=True),
        observed("l2", BOB),
        observed("l3", CLO),
    )
    ledger.put(held(ANA, *records), link_of(DAN, observed("p4", DAN)))
    found = records_waiting_for(ledger, [BOB])
    assert found == {"p1": observed("p1", BOB), "l2": observed("l2", BOB)}


def test_a_pointer_of_a_link_that_waits_no_more_releases_nothing() -> None:
    ledger = ReadLedger()
    stored = ledger.put(held(ANA, observed("p1", BOB)))[ANA]
    ledger.put(replace(stored, holds={}, indexed=frozenset()))
    assert ledger.owner_emails([BOB]) == {BOB: ANA}
    assert records_waiting_for(ledger, [BOB]) == {}


def test_a_pointer_to_a_link_that_is_gone_releases_nothing() -> None:
    ledger = ReadLedger()
    ledger.put(held(ANA, observed("p1", BOB)))
    ledger.erase(ANA)
    assert records_waiting_for(ledger, [BOB]) == {}


def test_without_an_e_mail_that_is_free_nothing_is_looked_up() -> None:
    ledger = ReadLedger()
    assert records_waiting_for(ledger, []) == {}
    assert ledger.requested == []


# Records of a response that cannot be used


def problem(
    record: str = "p1",
    email: str = "",
    code: ProblemCode = ProblemCode.UNREADABLE_RECORD,
    kind: RecordKind = RecordKind.PLEZI_CONTACT,
) -> RecordProblem:
    return RecordProblem(kind, record, email, code, "phone is no text")


def fault_of(side: Side = Side.PLEZI, *, retry: bool = False) -> Fault:
    return Fault(ProblemCode.UNREADABLE_RECORD, "phone is no text", side, retry=retry)


def test_a_known_record_that_cannot_be_used_is_a_fault_of_its_link() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1")))
    storing.note(problem(email=BOB))
    assert storing.isolation.faults == {ANA: fault_of()}
    assert storing.counts == {("plezi", "skipped.quarantined"): 1}
    assert storing.memory.tombstones.requested == [set()]


def test_an_unknown_record_that_cannot_be_used_is_a_fault_of_its_e_mail() -> None:
    storing = Storing()
    lead = problem("l1", BOB, kind=RecordKind.LEAD)
    storing.note(lead, problem("", ANA), retry=True)
    assert storing.isolation.faults == {
        ANA: fault_of(retry=True),
        BOB: fault_of(Side.SALESFORCE, retry=True),
    }
    assert storing.counts == {
        ("salesforce", "skipped.quarantined"): 1,
        ("plezi", "skipped.quarantined"): 1,
    }
    assert storing.ledger.requested == [{"l1"}]


@pytest.mark.parametrize("name", ["p1", ANA])
def test_a_record_of_an_erased_person_that_cannot_be_used_is_only_counted(name: str) -> None:
    storing = Storing(InMemory(tombstones=Tombstones(name)))
    storing.note(problem("p1", ANA), problem("p2", BOB))
    assert storing.isolation.faults == {BOB: fault_of()}
    assert storing.counts == {("plezi", "skipped.erased"): 1, ("plezi", "skipped.quarantined"): 1}


def test_a_known_record_that_cannot_be_used_counts_whatever_its_new_e_mail_is() -> None:
    storing = Storing(InMemory(tombstones=Tombstones(BOB)))
    storing.put(link_of(ANA, observed("p1")))
    storing.note(problem("p1", BOB), problem("p2", BOB))
    assert storing.isolation.faults == {ANA: fault_of()}
    assert storing.counts == {("plezi", "skipped.erased"): 1, ("plezi", "skipped.quarantined"): 1}


def test_a_record_that_shows_neither_a_known_id_nor_an_e_mail_is_counted_and_logged() -> None:
    storing = Storing()
    storing.note(problem("l1", kind=RecordKind.LEAD))
    assert storing.isolation.faults == {}
    assert storing.counts == {("salesforce", "skipped.quarantined"): 1}
    fields = {"record_kind": "Lead", "code": "unreadable_record", "detail": "phone is no text"}
    assert storing.memory.log.lines == [(Event.record_unreadable, fields)]


def unexpected(problems: Sequence[RecordProblem]) -> set[str]:
    """Return what is counted as an unexpected error."""
    storing = Storing()
    storing.note(*problems)
    return storing.isolation._unexpected


def test_a_defect_of_a_record_without_a_link_is_counted_once_for_each_record() -> None:
    leads = [problem(it, "", ProblemCode.DEFECT, RecordKind.LEAD) for it in ("", "l1", "l1")]
    assert unexpected([problem("", "", ProblemCode.DEFECT), problem("p2"), *leads]) == {
        "contact without an id",
        "Lead without an id",
        "l1",
    }


# Records that another process stores at the same time


def created_by_another_process(ledger: ReadLedger) -> None:
    """Store the link for which a contact was created; its e-mail changed a moment later."""
    ledger.put(link_of(ANA, observed("p1"), observed("l1")))


def test_a_record_that_another_process_has_stored_since_belongs_to_one_link() -> None:
    """It was read under its next e-mail, before that process stored whose it is."""
    storing = Storing()
    storing.ledger.before_save.append(partial(created_by_another_process, storing.ledger))

    result = storing.store(observed("p1", BOB, version="2"))

    assert storing.records() == {BOB: {"p1", "l1"}}
    assert set(result.dirty) == {BOB}
    assert storing.counts == {("plezi", "changed"): 1}


def test_a_record_that_has_left_another_link_is_not_brought_back() -> None:
    storing = Storing()
    storing.put(link_of(ANA, observed("p1"), observed("l1")))
    storing.ledger.touch(ANA, plezi=None)
    storing.store(observed("p1", BOB, version="2"))
    assert storing.records() == {ANA: {"l1"}, BOB: {"p1"}}


def test_links_are_joined_also_where_another_process_keeps_changing_one_of_the_page() -> None:
    storing = Storing()
    storing.put(link_of(CLO, observed("p3", CLO)))
    storing.ledger.before_save.append(partial(created_by_another_process, storing.ledger))
    storing.ledger.busy[CLO] = 100

    with pytest.raises(RetryError):
        storing.store(observed("p1", BOB, version="2"), observed("p3", CLO, version="2", values={}))

    assert storing.records(ANA, BOB) == {BOB: {"p1", "l1"}}
