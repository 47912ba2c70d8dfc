"""A person whose e-mail changes while a write to their records is under way."""

from __future__ import annotations

import pytest

from connector.mapping import ConflictPolicy
from connector.model import JournalKind, Link
from local.world.both_sides import BothSides
from tests.simulation.history.events import Event, EventList
from tests.simulation.history.fields import ALWAYS_MAPPED
from tests.simulation.history.history import History
from tests.simulation.history.ports import memory_ports

AFTER_THE_READING, BEFORE_THE_WRITE = 19, 26
"""Steps of the hint: it has read the contact; it has stored what it will write."""


def _during_the_hint(step: int, event: Event) -> Event:
    return Event("at", value=step, nested=(event,))


@pytest.mark.filterwarnings("ignore")
def test_the_outcome_of_a_write_follows_a_link_that_moved_meantime() -> None:
    """A second process reads the new e-mail; another link gets the old one."""
    sides = BothSides()
    policies = dict.fromkeys(ALWAYS_MAPPED, ConflictPolicy.SALESFORCE_WINS)
    events = EventList(0, policies, {"read_lag_seconds": 5.0}, ())
    history = History(sides, events, memory_ports(events))
    second_process = Event("overlap", nested=(Event("clear_email", 0, "plezi"),))
    for event in (
        Event("submit_form", 0, "plezi"),
        Event("create_contact", 0, "plezi"),
        Event(
            "hint",
            nested=(
                _during_the_hint(AFTER_THE_READING, Event("change_email", 0, "plezi", value=3)),
                _during_the_hint(BEFORE_THE_WRITE, second_process),
            ),
        ),
    ):
        history.apply(event)
        sides.clock.advance(7)

    links = {it.email: it for it in history.context.ports.ledger.all_links()}
    contact = next(it for it in links["dan3@example.com"].record_ids if it[0] != "0")
    assert [email for email, it in links.items() if contact in it.record_ids] == [
        "dan3@example.com"
    ]
    assert links["dan3@example.com"].intent is None
    written = [
        it
        for it in history.context.ports.journal.entries()
        if it.kind is JournalKind.WRITTEN and it.record_id == contact and it.field == "Phone"
    ]
    assert len(written) == 1
    history.run()
    assert not [it for it in history.context.ports.journal.entries() if it.kind is JournalKind.HELD]


def left_by_a_creation(side: str, step: int) -> list[Link]:
    """Return the links after the e-mail of a new record changed at a step of its creation.

    A second process reads it under the new e-mail at once. Three runs follow, hours apart.
    """
    sides = BothSides()
    events = EventList(0, dict.fromkeys(ALWAYS_MAPPED, ConflictPolicy.NEWEST), {}, ())
    history = History(sides, events, memory_ports(events))
    history.apply(Event("create", 0, "salesforce" if side == "plezi" else "plezi"))
    change = Event("overlap", nested=(Event("change_email", 0, side, value=3),))
    history.apply(Event("run", nested=(Event("at", value=step, nested=(change,)),)))
    for _ in range(3):
        sides.clock.advance(8000)
        history.run()
    return list(history.context.ports.ledger.all_links())


STEPS_OF_A_CREATION = [(side, step) for side in ("plezi", "salesforce") for step in range(30, 54)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("side", "step"), STEPS_OF_A_CREATION)
def test_a_record_whose_e_mail_changes_during_its_creation_stays_with_its_person(
    side: str, step: int
) -> None:
    [link] = left_by_a_creation(side, step)
    assert not link.holds
    assert {it.email for it in link.observations()} == {link.email}


def test_the_e_mail_changes_at_some_of_these_steps() -> None:
    emails = {left_by_a_creation("plezi", step)[0].email for step in (30, 40)}
    assert emails == {"ana@example.com", "dan3@example.com"}
