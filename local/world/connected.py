"""The real engine with its real adapters between both simulated sides, in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from requests import PreparedRequest, Response

from connector.credentials import PleziCredentials, SalesforceCredentials
from connector.engine.doors import Door
from connector.engine.runs import Engine
from connector.engine.world import World
from connector.model import Heard, Hint, Part, RunKind, RunState, Side
from connector.plezi.api import Pace, PleziApi
from connector.plezi.client import PleziClient
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.salesforce.session import Sessions
from connector.secrets_manager import SecretReader
from connector.settings import PleziDialect
from connector.transport import Wire
from local.serving import InProcessAdapter
from local.world.luck import Luck, Tapped, TappedAdapter
from local.world.memory import MemoryAlerts, MemorySecrets
from local.world.sides import Sides

WORKER_TIMEOUT: Final = 300.0
API_SHARE: Final = 0.2
MOST_EMPTIED: Final = 1000
"""People of whom one run may empty fields; more than there are here."""
Watch = Callable[[PreparedRequest, Callable[[], Response]], Response]


class Connected:
    """The connector, run by run. A process that died starts cold, with the same memory outside."""

    def __init__(  # noqa: PLR0913  # the ports, each by its name
        self,
        sides: Sides,
        luck: Luck,
        watch: Watch,
        *,
        ledger: Any,  # noqa: ANN401  # the one in memory, or DynamoDB's
        journal: Any,  # noqa: ANN401  # same
        inbox: Any,  # noqa: ANN401  # same
        configuration: Any,  # noqa: ANN401  # same
        dialect: PleziDialect,
    ) -> None:
        self._sides = sides
        self.luck = luck
        self._watch = watch
        self._dialect = dialect
        self.ledger = ledger
        self.journal = journal
        self.inbox = inbox
        self.configuration = configuration
        self.alerts = MemoryAlerts()
        self.secrets = MemorySecrets()
        self._ids = 0
        self.offset = 0.0
        """Seconds by which our own clock is ahead of those of both sides."""
        self._empty = ledger.snapshot()
        self.put_secrets()
        self.ledger.switch(on=True, now=0.0)
        self.world = self.start_process()

    def put_secrets(self) -> None:
        """Put what both sides accept today."""
        org, tenant = self._sides.org, self._sides.tenant
        user = org.integration_user
        self.secrets.put(
            "salesforce",
            {
                "flow": "password",
                "account_url": "https://acme.lightning.force.com",
                "consumer_key": org.consumer_key,
                "consumer_secret": org.consumer_secret,
                "username": user.username,
                "password": user.password,
                "security_token": user.security_token,
            },
        )
        self.secrets.put("plezi", {"api_key": tenant.api_key, "tenant": tenant.tenant_name})

    def now(self) -> float:
        """Return the time in seconds by our own clock."""
        return self._sides.clock.now().timestamp() + self.offset

    def new_id(self) -> str:
        """Return the next id; ids sort by time."""
        self._ids += 1
        return f"id-{self._ids:06d}"

    def start_process(self) -> World:
        """Start cold: nothing but what was kept outside is known."""
        ledger = Tapped(self.ledger, "ledger", self.luck)
        secrets: Any = self.secrets
        wire = self._wire("salesforce", self._sides.org)
        sessions = Sessions(
            wire,
            SecretReader(secrets, "salesforce", SalesforceCredentials, self.now),
            ledger,
            self.now,
            self._sides.clock.advance,
        )
        connection = Connection(wire, sessions, self._sides.clock.advance, api_version="64.0")
        api = PleziApi(
            self._wire("plezi", self._sides.tenant),
            SecretReader(secrets, "plezi", PleziCredentials, self.now),
            "https://app.plezi.co/api/v1",
            Pace(0, self.now, self._sides.clock.advance),
            self._sides.clock.advance,
        )
        self.world = World(
            ledger=ledger,
            journal=Tapped(self.journal, "journal", self.luck),
            configuration=self.configuration,
            inbox=Tapped(self.inbox, "inbox", self.luck),
            alerts=self.alerts,
            budget=ApiBudget(connection, ledger, self.now, API_SHARE),
            clients={
                Side.PLEZI: PleziClient(api, ledger, self._dialect, self.now),
                Side.SALESFORCE: SalesforceClient(connection, ledger, self.now),
            },
            clock=self.now,
            new_id=self.new_id,
            worker_timeout=WORKER_TIMEOUT,
            most_emptied=MOST_EMPTIED,
        )
        return self.world

    @contextmanager
    def second_process(self) -> Iterator[None]:
        """Work in a second process, cold and with its own luck, while the first stands still."""
        world, luck, messages = self.world, self.luck, list(self.inbox.messages)
        self.luck = Luck(luck.trace, luck.struck)
        self.start_process()
        try:
            yield
        finally:
            self.world, self.luck = world, luck
            self.inbox.messages[:] = messages

    def lose_ledger(self) -> None:
        """Begin with an empty ledger; what is on both sides, and the journal, is kept."""
        self.ledger.restore(self._empty)
        self.ledger.switch(on=True, now=0.0)
        self.inbox.messages.clear()
        self.start_process()

    def _wire(self, name: str, application: Any) -> Wire:  # noqa: ANN401  # a WSGI application
        wire = Wire(monotonic=self.now)
        wire.headers["Accept-Encoding"] = "identity"  # compressing costs time and shows nothing
        inner = InProcessAdapter(application)
        wire.mount("https://", TappedAdapter(inner, name, self.luck, self._watch))
        return wire

    def request(self, kind: RunKind = RunKind.CHANGES, **asked: Any) -> str:  # noqa: ANN401  # as Door
        """Ask for a run at the door, outside of any process that may die."""
        door = Door(self.ledger, self.inbox, self.now, self.new_id)
        return door.request(kind, **asked)

    def work(self, run: str, part: Part, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one part of a run, as the queue's message asks."""
        return Engine(self.world).work(run, part, out_of_time)

    def hear(self, hint: Hint) -> Heard:
        """Hear one hint."""
        return Engine(self.world).hear(hint)
