"""The random workload of the deployed stack, on the real engine in one process and in seconds.

The users and the examination are those of `tests/e2e/test_random_workload.py`. Users also edit
between two steps of a run, and runs crash at any step. The examination explains every value, and
does not once a bug of another product is planted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest
import requests
from werkzeug.test import Client

from connector.admin.breaker import ALLOWED_SECONDS
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from connector.model import ChangeHint, Link, Phase, RunKind, RunState
from connector.plezi.api_dialect import PleziDialect
from local.plezi_tenant.schema import custom_attribute
from local.world.both_sides import BothSides
from local.world.fault_injector import Crash, FaultInjector, Trace
from local.world.memory import MemoryJournal, MemoryLedger, MemoryMappings, MemoryRunQueue
from local.world.simulated_stack import SimulatedStack
from tests.e2e.random_workload.collection import collect
from tests.e2e.random_workload.examination import Findings, examine
from tests.e2e.random_workload.fields import MEANINGS, PLEZI, SALESFORCE, SIDES
from tests.e2e.random_workload.mapping_edits import MappingEdits
from tests.e2e.random_workload.users import NAME, Users
from tests.simulation.bugs import BUGS

PEOPLE: Final = 20
EDITS: Final = 150
PLACES: Final = ((PLEZI,), (SALESFORCE,), SIDES)
USER_SECONDS: Final = 0.05
MESSAGE_SECONDS: Final = 2.0
CRASHED: Final = 0.25
LAST_STEP: Final = 120
"""Crashes and edits take place before this step of a run: most runs here have as many."""
ABANDONED_SECONDS: Final = 400.0
"""Longer than the time-out of the worker: a crashed run's writes are recovered."""
MAX_MESSAGES: Final = 200
SETTLING_RUNS: Final = 10


class ControlApi:
    """The control API of a simulator in this process, and what else users need of it."""

    def __init__(self, sides: BothSides, side: str) -> None:
        self._sides = sides
        self._client = Client(sides.tenant if side == PLEZI else sides.org)
        self.forms: list[str] = []

    def simulate(self, method: str, path: str, body: object = None) -> Any:  # JSON
        """Call the control API and return its JSON. Raises `HTTPError` when it refuses."""
        answer = self._client.open(f"/_sim/{path}", method=method, json=body)
        if not answer.status.startswith("2"):
            response = requests.Response()
            response.status_code = answer.status_code
            raise requests.HTTPError(answer.text, response=response)
        return json.loads(answer.data)

    def request(self, method: str, path: str, body: object = None, **params: str) -> Any:  # noqa: ARG002  # as a sales person
        """Return the Leads of a query by the page's address, or those of the workload."""
        state = self._sides.org.state
        lead = state.schema.get("Lead")
        _, is_one, url = params["q"].partition("plezi_url__c = ")
        where = '"plezi_url__c" = ?' if is_one else '"Email" LIKE ?'
        rows = state.store.select(lead, where, (url.strip("'") if is_one else f"{NAME}%",))
        return {"done": True, "records": [{"Id": it["Id"], "Email": it["Email"]} for it in rows]}

    def submit_form(self, **fields: str) -> None:
        """Submit a form of the website; the webhook is called later."""
        contacts = self._sides.tenant.contacts
        known = {name: contacts.schema.find(name) for name in fields}
        values = {
            name: attribute.accept_text(fields[name])
            for name, attribute in known.items()
            if attribute
        }
        contacts.submit(values, keep=frozenset(), source="direct")
        self.forms.append(fields["email"])

    def stored_contacts(self) -> dict[str, dict[str, Any]]:
        """Return all contacts by e-mail in lower case."""
        rows = self.simulate("GET", "contacts?limit=1000")["contacts"]
        return {row["email"].lower(): row for row in rows}


class Workload:
    """Users, admins and runs in one process, all at random moments."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  # invented edits need no secrecy
        self.sides = BothSides()
        self.sides.tenant.contacts.schema.add(custom_attribute({"name": "notes", "type": "text"}))
        self._marketing = ControlApi(self.sides, PLEZI)
        sales = ControlApi(self.sides, SALESFORCE)
        self.users = Users(sales, self._marketing, self._random, self._time_of_a_user)
        self._mapping = MappingEdits(self._random)
        self._journal = MemoryJournal()
        self._ledger = MemoryLedger()
        self._stack = SimulatedStack(
            self.sides,
            FaultInjector(Trace()),
            lambda _request, send: send(),
            ledger=self._ledger,
            journal=self._journal,
            run_queue=MemoryRunQueue(),
            mappings=MemoryMappings(),
            dialect=PleziDialect(contact_url_template="https://app.plezi.co/contacts/{id}"),
        )
        self.crashes: list[float] = []
        self._edits = 0
        self._is_running = False

    def _time_of_a_user(self) -> float:
        self.sides.clock.advance(USER_SECONDS)
        return self._stack.now()

    def play(self) -> Findings:
        """Let everybody work, then run until nothing changes, and examination."""
        self._save_mapping()
        for _ in range(PEOPLE // 2):
            self.users.create(self._random.choice(PLACES))
        while self._edits < EDITS:
            self._act(self._random.randrange(1, 30))
            during: dict[int, Callable[[], None]] = {
                self._random.randrange(1, LAST_STEP // 2): lambda: self._act(3) for _ in range(3)
            }
            if self._random.random() < CRASHED:
                self._run(RunKind.CHANGES, self._random.randrange(1, LAST_STEP), during)
                self.sides.clock.advance(self._random.choice((MESSAGE_SECONDS, ABANDONED_SECONDS)))
            else:
                kind = self._random.choice((RunKind.CHANGES, RunKind.CHANGES, RunKind.FULL))
                self._run(kind, 0, during)
        self._mapping.add_all()
        self._save_mapping()
        self._finish()
        journal = self._journal.entries()
        return examine(collect(self.users, self._mapping, self._queue, journal, self.crashes))

    def _act(self, number: int) -> None:
        for _ in range(number):
            self._edits += self.users.act()
            if len(self.users.people) < PEOPLE and self._random.random() < PEOPLE / EDITS:
                self.users.create(self._random.choice(PLACES))
            if self._random.random() < 1 / 10:
                self._mapping.change()
                self._save_mapping()
            while self._marketing.forms and not self._is_running:
                email = self._marketing.forms.pop()
                self._stack.sync_contact(ChangeHint(self._stack.new_id(), email=email))

    def _save_mapping(self) -> None:
        current = self._stack.mappings.current()
        others = [
            it for it in DEFAULT_MAPPING.pairs if it.plezi == "email" or it.plezi not in MEANINGS
        ]
        mapped = [
            FieldPair(
                it["plezi"],
                it["salesforce"],
                Direction(it["direction"]),
                policy=ConflictPolicy(it["policy"]),
                placeholder=it["placeholder"],
            )
            for it in self._mapping.mapped
        ]
        self._stack.mappings.save(
            replace(current, version=current.version + 1, pairs=(*others, *mapped))
        )
        for client in self._stack.context.clients.values():
            client.invalidate_schemas()
        self._mapping.note_version(self._stack.now())

    def _run(
        self, kind: RunKind, crash_at: int, during: dict[int, Callable[[], None]]
    ) -> tuple[RunState, int]:
        """Work on one run; return its state and how many records it changed."""
        run = self._stack.request_run(kind)
        injector, queue = self._stack.fault_injector, self._stack.run_queue
        injector.invocation(crash_at=crash_at, user_actions=during)
        queue.messages.clear()
        phase, self._is_running = Phase.READ, True
        try:
            for _ in range(MAX_MESSAGES):
                self.sides.clock.advance(MESSAGE_SECONDS)
                self._stack.run_phase(run, phase, lambda: False)
                if not queue.messages:
                    break
                run, phase = queue.messages.pop(0)
        except Crash:
            self.crashes.append(self._stack.now())
            self._stack.start_process()
            queue.messages.clear()
        finally:
            injector.invocation()
            self._is_running = False
        ended = self._ledger.load_run(run)
        assert ended is not None
        if ended.state is RunState.HALTED:  # an admin lets it go on
            self._ledger.allow_clearing(self._stack.now() + ALLOWED_SECONDS)
            self._ledger.close_breaker()
        counts = ended.counts.values()
        return ended.state, sum(it.get(key, 0) for it in counts for key in ("created", "updated"))

    def _finish(self) -> None:
        for _ in range(SETTLING_RUNS):
            self.sides.clock.advance(ABANDONED_SECONDS)
            if self._run(RunKind.FULL, 0, {}) == (RunState.DONE, 0):
                return
        raise AssertionError("the runs still change records")

    def _queue(self, kind: str) -> list[dict[str, Any]]:
        return [_review_item(link) for link in self._ledger.all_links() if kind in link.attention]


def _review_item(link: Link) -> dict[str, Any]:
    """Return what the admin API shows of a link in the review queue."""
    return {
        "email": link.email,
        "holds": [
            {
                "field": key,
                "values": [{"record": it, "value": value} for it, value in hold.values.items()],
            }
            for key, hold in link.holds.items()
        ],
        "quarantine": {"fields": link.quarantine.fields if link.quarantine else ()},
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_typed_value_of_a_random_workload_has_an_explanation(seed: int) -> None:
    workload = Workload(seed)
    findings = workload.play()
    assert findings.unexplained == [], "\n".join(findings.unexplained)
    assert workload.users.counted["edit"] > PEOPLE
    assert len(findings.explained) > len(SIDES)


@pytest.mark.parametrize(
    "name",
    [
        "overwritten value not journaled",
        "newest timestamp wins",
        "direction ignored",
        "base recorded from a final read",
        "write without a stored intent",
    ],
)
def test_the_examination_finds_a_planted_bug(name: str) -> None:
    workload = Workload(1)
    with ExitStack() as planted:
        planted.enter_context(BUGS[name].plant(workload.sides))
        assert workload.play().unexplained != []
