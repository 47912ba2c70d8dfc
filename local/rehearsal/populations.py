"""The people of a rehearsal: loaded, established, and changed by users of both systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.model import RunKind
from local.plezi_tenant.store import ContactQuery
from local.rehearsal.agreement import ALL, compare
from local.rehearsal.network import NO_LATENCIES
from local.rehearsal.world import Bounds, Conditions, World
from local.salesforce_org.dml import SaveOptions, Writer

ESTABLISHING: Final = Conditions(NO_LATENCIES, {"plezi_calls_per_second": 0})
"""How a population is established before the rehearsal: no latency and no rate limit."""
WAIT_SECONDS: Final = 3600.0
"""Between what users did and the run: half of the two hours of the schedule, the average. The same
time lies between the last change of an established population and its first reading, and between
this and the first change of a user."""


class NotEstablishedError(Exception):
    """The population could not be established: the connector does not even do that."""


def establish(world: World, people: int) -> None:
    """Let both systems have the same people, synchronized, before the rehearsal begins."""
    world.tenant.load(people)
    world.org.load(leads=people)
    world.kernel.sleep(WAIT_SECONDS)  # else the next run reads all of them again: `reader.OVERLAP`
    world.restart(ESTABLISHING)
    world.request_run(RunKind.CHANGES)
    why = world.run_until(lambda: world.is_idle, Bounds(hours=1000.0))
    agreement = compare(world.tenant, world.org)
    if why or not agreement.is_complete:
        raise NotEstablishedError(f"{why}; {agreement}")
    world.kernel.sleep(WAIT_SECONDS)


def edit_contacts(world: World, first: int, number: int) -> None:
    """Let marketers change the phone of some people in Plezi."""
    contacts, _ = world.tenant.contacts.current_page(ContactQuery(sort="number", limit=ALL))
    for position, contact in enumerate(contacts[first : first + number]):
        world.tenant.contacts.update(contact.id, {"phone": _phone("7", position)})


def edit_leads(world: World, first: int, number: int) -> list[str]:
    """Let sales change the phone of some people's Leads; return their e-mails."""
    state = world.org.state
    kind = state.schema.get("Lead")
    writer = Writer(state, world.org.sales_user, SaveOptions(allow_duplicates=True))
    rows: Sequence[tuple[str, str]] = state.store.run(
        "SELECT Id, Email FROM Lead WHERE IsDeleted = 0 ORDER BY Email LIMIT ? OFFSET ?",
        (number, first),
    ).fetchall()
    for position, (record, _) in enumerate(rows):
        with state.store.savepoint():
            writer.update(kind, record, {"Phone": _phone("8", position)})
    return [email.lower() for _, email in rows]


def _phone(kind: str, number: int) -> str:
    return f"+33 {kind} {number // 10000 % 100:02d} {number // 100 % 100:02d} {number % 100:02d} 11"
