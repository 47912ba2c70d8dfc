"""A person whose e-mail changes while a write to their records is under way."""

from __future__ import annotations

import pytest

from connector.mapping import ConflictPolicy
from connector.model import JournalKind
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
