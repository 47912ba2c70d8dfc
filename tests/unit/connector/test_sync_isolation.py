"""A fault of one link puts this link in quarantine, and all others continue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import HaltError, RetryError, StopReason
from connector.log_events import Event
from connector.model import (
    Breaker,
    Counts,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    ProblemCode,
    Quarantine,
    SaveResult,
    Side,
)
from connector.sync.isolation import REMEDIES, Fault, Isolation, quarantined
from tests.unit.connector.sync_fixtures import ANA, BOB, CLO, RUN, link_of, observed
from tests.unit.connector.sync_fixtures_reading import NOW, InMemory, broken
from tests.unit.connector.sync_fixtures_stores import Journal

DEFECT = Fault(ProblemCode.DEFECT, "KeyError in place:1")
UNREADABLE = Fault(ProblemCode.UNREADABLE_RECORD, "Phone is no text", Side.PLEZI)


def new_isolation(memory: InMemory) -> Isolation:
    return Isolation(memory.context, RUN)


def failed(email: str, fault: Fault) -> dict[str, object]:
    """Return the fields of the log line of a fault."""
    return {
        "run_id": RUN,
        "link": f"name of {email}",
        "code": fault.code.value,
        "detail": fault.detail,
    }


def stored(isolation: Isolation, *, listed: bool = False) -> dict[tuple[str, str], int]:
    """Store the faults; return the counts."""
    counts = Counts()
    isolation.store(counts, listed=listed)
    return dict(counts.numbers)


# Steps


def test_a_step_that_works_returns_its_result() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    assert isolation.step(ANA, lambda: "result") == "result"
    assert (isolation.faults, memory.log.lines) == ({}, [])


def test_a_step_that_fails_is_a_fault_of_its_link_and_stops_no_other() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    assert isolation.step(ANA, broken) is None
    fault = isolation.faults[ANA]
    assert isolation.faults == {ANA: Fault(ProblemCode.DEFECT, fault.detail, Side.SALESFORCE)}
    assert fault.detail.startswith("ZeroDivisionError in ")
    assert memory.log.lines == [(Event.link_failed, failed(ANA, fault))]


def test_an_error_of_the_connector_is_about_the_run_and_is_raised() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)

    def busy() -> None:
        raise RetryError("busy", reason=StopReason.PLEZI_UNAVAILABLE)

    with pytest.raises(RetryError, match="busy"):
        isolation.step(ANA, busy)
    assert (isolation.faults, memory.log.lines) == ({}, [])


def test_the_last_fault_of_a_link_counts() -> None:
    isolation = new_isolation(InMemory())
    isolation.add(ANA, DEFECT)
    isolation.add(ANA, UNREADABLE)
    assert isolation.faults == {ANA: UNREADABLE}


def test_links_with_a_fault_are_left_out() -> None:
    isolation = new_isolation(InMemory())
    isolation.add(ANA, UNREADABLE)
    links = [link_of(ANA), link_of(BOB), link_of(CLO)]
    assert isolation.drop_failed(links) == links[1:]


# The quarantine of a link


def test_a_link_in_quarantine_shows_what_is_wrong_and_what_to_do() -> None:
    link = link_of(ANA, observed("p1"), dirty=True, intent=Intent("i", RUN, 1.0, (), ()))
    fault = replace(UNREADABLE, fields=("Phone",))
    remedy = f"Phone is no text: {REMEDIES[ProblemCode.UNREADABLE_RECORD]}"
    expected = Quarantine(Side.PLEZI, "unreadable_record", remedy, ("Phone",), NOW, 1)
    assert quarantined(link, fault, NOW) == replace(link, dirty=False, quarantine=expected)


def test_a_fault_without_details_shows_what_to_do() -> None:
    after = quarantined(Link(ANA), Fault(ProblemCode.NOT_STORABLE), NOW)
    assert after.quarantine is not None
    assert after.quarantine.remedy == REMEDIES[ProblemCode.NOT_STORABLE]


def test_a_link_that_is_tried_again_by_the_next_run_stays_dirty() -> None:
    assert quarantined(Link(ANA), replace(DEFECT, retry=True), NOW).dirty is True


def test_a_link_that_fails_again_is_in_quarantine_since_the_first_time() -> None:
    once = quarantined(Link(ANA), UNREADABLE, NOW)
    twice = quarantined(once, DEFECT, NOW + 60)
    again = quarantined(twice, DEFECT, NOW + 120)
    assert twice.quarantine is not None
    assert again.quarantine is not None
    assert (twice.quarantine.since, twice.quarantine.tries) == (NOW, 2)
    assert (again.quarantine.since, again.quarantine.tries) == (NOW, 3)
    assert twice.quarantine.code == "defect"


# Storing the faults


def test_links_with_a_fault_are_stored_in_quarantine_and_counted_by_side() -> None:
    memory = InMemory()
    known = memory.ledger.put(link_of(ANA, observed("p1"), dirty=True))[ANA]
    isolation = new_isolation(memory)
    isolation.add(ANA, UNREADABLE)
    isolation.add(BOB, DEFECT)
    isolation.add(CLO, DEFECT)

    counts = stored(isolation)

    assert counts == {("plezi", "quarantined"): 1, ("salesforce", "quarantined"): 2}
    links = memory.ledger.load_links([ANA, BOB, CLO])
    expected = quarantined(known, UNREADABLE, NOW)
    assert links[ANA] == replace(expected, revision=known.revision + 1)
    assert links[BOB].quarantine == quarantined(Link(BOB), DEFECT, NOW).quarantine
    assert links[CLO].quarantine == links[BOB].quarantine
    assert isolation.faults == {}
    assert memory.ledger.saves == [([ANA, BOB, CLO], False)]


def test_links_on_a_list_are_stored_as_such() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    isolation.add(ANA, replace(UNREADABLE, retry=True))
    stored(isolation, listed=True)
    assert memory.ledger.dirty_emails(10) == []
    isolation.add(ANA, replace(UNREADABLE, retry=True))
    stored(isolation, listed=False)
    assert memory.ledger.dirty_emails(10) == [ANA]


def test_without_a_fault_nothing_is_stored() -> None:
    memory = InMemory()
    assert stored(new_isolation(memory)) == {}
    assert memory.ledger.saves == []


def test_a_fault_is_stored_once() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    isolation.add(ANA, UNREADABLE)
    stored(isolation)
    assert stored(isolation) == {}
    assert len(memory.ledger.saves) == 1


def test_a_link_that_waits_for_a_change_is_not_resolved_by_this_invocation() -> None:
    isolation = new_isolation(InMemory())
    isolation.add(ANA, UNREADABLE)
    stored(isolation)
    isolation.add(BOB, replace(UNREADABLE, retry=True))
    isolation.add(CLO, replace(DEFECT, retry=True))
    stored(isolation)
    assert isolation.quarantined == {ANA, CLO}


def test_a_link_that_cannot_be_decoded_is_shown_and_left_as_it_is() -> None:
    memory = InMemory()
    memory.ledger.put_unreadable(ANA)
    before = memory.ledger.load_links([ANA])
    isolation = new_isolation(memory)
    isolation.add(ANA, UNREADABLE)
    isolation.add(BOB, UNREADABLE)
    stored(isolation)
    assert memory.ledger.unreadable == [ANA]
    assert memory.ledger.load_links([ANA]) == before
    assert memory.ledger.load_links([BOB])[BOB].quarantine is not None


def test_a_link_that_cannot_be_put_in_quarantine_is_only_in_the_log() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    isolation.add(ANA, replace(UNREADABLE, code=ProblemCode.UNANSWERED))  # it has no remedy
    isolation.add(BOB, UNREADABLE)

    stored(isolation)

    assert memory.ledger.load_links([BOB])[BOB].quarantine is not None
    last = memory.log.of(Event.link_failed)[-1]
    detail = str(last["detail"])
    assert last == failed(ANA, Fault(ProblemCode.DEFECT, detail))
    assert detail.startswith("KeyError in ")


def test_a_link_that_another_process_changes_is_put_in_quarantine_five_times_at_most() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    isolation.add(ANA, UNREADABLE)
    isolation.add(BOB, UNREADABLE)
    memory.ledger.busy = {ANA: 4}
    stored(isolation)
    assert memory.ledger.saves == [([ANA, BOB], False), *[([ANA], False)] * 4]
    assert memory.ledger.load_links([ANA])[ANA].quarantine is not None

    isolation.add(CLO, UNREADABLE)
    memory.ledger.busy = {CLO: 6}
    stored(isolation)
    assert memory.ledger.busy == {CLO: 1}
    assert memory.ledger.load_links([CLO]) == {}


def test_a_quarantine_rests_on_the_present_state_of_the_link() -> None:
    memory = InMemory()
    known = memory.ledger.put(link_of(ANA, observed("p1")))[ANA]
    isolation = new_isolation(memory)
    isolation.add(ANA, UNREADABLE)

    changed = known.with_observation(observed("l1"))
    memory.ledger.before_save.append(lambda: memory.ledger.put(changed))
    stored(isolation)
    after = memory.ledger.load_links([ANA])[ANA]
    assert after.record_ids == {"p1", "l1"}
    assert after.quarantine is not None


# Too many faults


def add_defects(isolation: Isolation, number: int) -> None:
    for each in range(number):
        isolation.add(f"p{each}@x.fr", DEFECT)


def test_twenty_people_with_an_unexpected_error_stop_no_run() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    add_defects(isolation, 20)
    stored(isolation)
    assert memory.ledger.breaker() is None
    assert memory.log.of(Event.breaker_opened) == []


def test_more_people_with_an_unexpected_error_stop_the_run_and_all_others() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    isolation.visited = 420 - 1
    add_defects(isolation, 21)
    message = (
        "21 of 419 people caused an unexpected error, so synchronization stopped itself. "
        "The log (event link_failed) names the places. Nothing is lost: correct the cause, then "
        "close the breaker (POST /admin/breaker/release), and the next run continues. To let all "
        "others continue before that, close it with intended: true: for four hours, no run stops "
        "for this."
    )

    with pytest.raises(HaltError) as caught:
        stored(isolation)

    assert (caught.value.reason, str(caught.value)) == (StopReason.DEFECT, message)
    assert memory.ledger.breaker() == Breaker(StopReason.DEFECT, message, NOW)
    assert memory.log.of(Event.breaker_opened) == [{"run_id": RUN, "reason": "defect"}]
    assert memory.ledger.load_links(["p0@x.fr", "p20@x.fr"]).keys() == {"p0@x.fr", "p20@x.fr"}


def test_five_percent_of_the_visited_people_stop_no_run() -> None:
    isolation = new_isolation(InMemory())
    isolation.visited = 420
    add_defects(isolation, 21)
    assert stored(isolation) == {("salesforce", "quarantined"): 21}


def test_faults_of_a_known_cause_stop_no_run() -> None:
    isolation = new_isolation(InMemory())
    for each in range(30):
        isolation.add(f"p{each}@x.fr", UNREADABLE)
    assert stored(isolation) == {("plezi", "quarantined"): 30}


def test_the_unexpected_errors_of_all_batches_are_added_up_by_person() -> None:
    isolation = new_isolation(InMemory())
    for _ in range(2):
        add_defects(isolation, 20)
        stored(isolation)
    isolation.count_defect("a record without a link")
    with pytest.raises(HaltError, match=r"^21 of 0 people"):
        stored(isolation)


@pytest.mark.parametrize(("until", "stops"), [(NOW, True), (NOW + 1, False)])
def test_an_admin_can_let_runs_go_on_for_some_time(until: float, *, stops: bool) -> None:
    memory = InMemory()
    memory.ledger.save_document("defects_allowed", {"until": until})
    isolation = new_isolation(memory)
    add_defects(isolation, 21)
    if stops:
        with pytest.raises(HaltError):
            stored(isolation)
    else:
        stored(isolation)
    assert (memory.ledger.breaker() is not None) is stops


# Stores that refuse single links


def test_links_that_do_not_fit_or_cannot_be_encoded_are_faults() -> None:
    memory = InMemory()
    isolation = new_isolation(memory)
    saved = SaveResult(frozenset({"busy@x.fr"}), frozenset({ANA}), {BOB: "KeyError in encode:1"})
    assert isolation.not_stored(saved, Side.PLEZI) == {ANA, BOB}
    assert isolation.faults == {
        ANA: Fault(ProblemCode.NOT_STORABLE, side=Side.PLEZI),
        BOB: Fault(ProblemCode.DEFECT, "KeyError in encode:1", Side.PLEZI),
    }


def test_a_link_that_does_not_fit_is_one_of_salesforce_where_no_side_is_named() -> None:
    isolation = new_isolation(InMemory())
    isolation.not_stored(SaveResult(too_large=frozenset({ANA})))
    assert isolation.faults == {ANA: Fault(ProblemCode.NOT_STORABLE, side=Side.SALESFORCE)}


def entry(email: str) -> JournalEntry:
    return JournalEntry(
        email, NOW, RUN, JournalKind.HELD, Side.PLEZI, "p1", "Phone", "1", "2", "conflict"
    )


def test_entries_of_the_journal_are_stored() -> None:
    memory = InMemory()
    assert new_isolation(memory).write_journal([entry(ANA)]) == frozenset()
    assert memory.journal.entries() == [entry(ANA)]


def test_without_entries_the_journal_is_not_called() -> None:
    journal = Journal({ANA: "TypeError in encode:2"})
    assert new_isolation(InMemory(journal=journal)).write_journal([]) == frozenset()
    assert journal.writes == 0


def test_people_whose_entries_cannot_be_stored_have_a_fault() -> None:
    journal = Journal({ANA: "TypeError in encode:2"})
    isolation = new_isolation(InMemory(journal=journal))
    assert isolation.write_journal([entry(ANA), entry(BOB)]) == {ANA}
    assert journal.entries() == [entry(BOB)]
    assert isolation.faults == {ANA: Fault(ProblemCode.DEFECT, "TypeError in encode:2")}
