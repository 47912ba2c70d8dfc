"""The real engine with its real adapters between both simulated sides, in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from requests import PreparedRequest, Response

from connector.aws.secrets import SecretReader
from connector.http_session import HttpSession
from connector.model import ChangeHint, HintResult, Phase, RunKind, RunState, Side
from connector.plezi.api import PleziApi, RateLimiter
from connector.plezi.client import PleziClient
from connector.plezi.dialect import PleziDialect
from connector.retry import RetryPolicy
from connector.salesforce.auth.session import SessionManager
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.secrets import PleziCredentials, SalesforceCredentials
from connector.sync.context import SyncContext
from connector.sync.run_requests import RunRequester
from connector.sync.runs import SyncEngine
from local.serving import InProcessAdapter
from local.world.both_sides import BothSides
from local.world.fault_injector import FaultInjector, FaultyHttpAdapter, FaultyPort
from local.world.memory import MemoryAlertPublisher, MemorySecrets

WORKER_TIMEOUT: Final = 300.0
API_SHARE: Final = 0.2
MAX_CLEARED: Final = 1000
"""People of whom one run may empty fields; more than there are here."""
Watch = Callable[[PreparedRequest, Callable[[], Response]], Response]


class SimulatedStack:
    """The connector, run by run. A process that died starts cold, with the same memory outside."""

    def __init__(  # noqa: PLR0913  # the ports, each by its name
        self,
        sides: BothSides,
        luck: FaultInjector,
        watch: Watch,
        *,
        ledger: Any,  # noqa: ANN401  # the one in memory, or DynamoDB's
        journal: Any,  # noqa: ANN401  # same
        inbox: Any,  # noqa: ANN401  # same
        configuration: Any,  # noqa: ANN401  # same
        dialect: PleziDialect,
    ) -> None:
        self._sides = sides
        self.fault_injector = luck
        self._watch = watch
        self._dialect = dialect
        self.ledger = ledger
        self.journal = journal
        self.inbox = inbox
        self.configuration = configuration
        self.alerts = MemoryAlertPublisher()
        self.secrets = MemorySecrets()
        self._ids = 0
        self.offset = 0.0
        """Seconds by which our own clock is ahead of those of both sides."""
        self._empty = ledger.snapshot()
        self.put_secrets()
        self.ledger.set_enabled(on=True, now=0.0)
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

    def start_process(self) -> SyncContext:
        """Start cold: nothing but what was kept outside is known."""
        ledger = FaultyPort(self.ledger, "ledger", self.fault_injector)
        secrets: Any = self.secrets
        retry = RetryPolicy(self._sides.clock.advance, lambda: 1.0, self.now)
        wire = self._wire("salesforce", self._sides.org)
        sessions = SessionManager(
            wire,
            SecretReader(secrets, "salesforce", SalesforceCredentials, self.now, retry),
            ledger,
            self.now,
            self._sides.clock.advance,
        )
        connection = Connection(wire, sessions, self._sides.clock.advance, api_version="64.0")
        api = PleziApi(
            self._wire("plezi", self._sides.tenant),
            SecretReader(secrets, "plezi", PleziCredentials, self.now, retry),
            "https://app.plezi.co/api/v1",
            RateLimiter(0, self.now, self._sides.clock.advance),
            self._sides.clock.advance,
        )
        self.world = SyncContext(
            ledger=ledger,
            journal=FaultyPort(self.journal, "journal", self.fault_injector),
            mappings=self.configuration,
            run_queue=FaultyPort(self.inbox, "inbox", self.fault_injector),
            alerts=self.alerts,
            budget=ApiBudget(connection, ledger, self.now, API_SHARE),
            clients={
                Side.PLEZI: PleziClient(api, ledger, self._dialect, self.now),
                Side.SALESFORCE: SalesforceClient(connection, ledger, self.now),
            },
            clock=self.now,
            new_id=self.new_id,
            worker_timeout=WORKER_TIMEOUT,
            max_cleared=MAX_CLEARED,
        )
        return self.world

    @contextmanager
    def second_process(self) -> Iterator[None]:
        """Work in a second process, cold and with its own luck, while the first stands still."""
        world, luck, messages = self.world, self.fault_injector, list(self.inbox.messages)
        self.fault_injector = FaultInjector(luck.trace, luck.struck)
        self.start_process()
        try:
            yield
        finally:
            self.world, self.fault_injector = world, luck
            self.inbox.messages[:] = messages

    def drop_ledger(self) -> None:
        """Begin with an empty ledger; what is on both sides, and the journal, is kept."""
        self.ledger.restore(self._empty)
        self.ledger.set_enabled(on=True, now=0.0)
        self.inbox.messages.clear()
        self.start_process()

    def _wire(self, name: str, application: Any) -> HttpSession:  # noqa: ANN401  # a WSGI application
        wire = HttpSession(monotonic=self.now)
        wire.headers["Accept-Encoding"] = "identity"  # compressing costs time and shows nothing
        inner = InProcessAdapter(application)
        wire.mount("https://", FaultyHttpAdapter(inner, name, self.fault_injector, self._watch))
        return wire

    def request_run(self, kind: RunKind = RunKind.CHANGES, **asked: Any) -> str:  # noqa: ANN401  # as Door
        """Ask for a run at the door, outside of any process that may die."""
        door = RunRequester(self.ledger, self.inbox, self.now, self.new_id)
        return door.request_run(kind, **asked)

    def run_phase(self, run: str, part: Phase, out_of_time: Callable[[], bool]) -> RunState:
        """Work on one part of a run, as the queue's message asks."""
        return SyncEngine(self.world).run_phase(run, part, out_of_time)

    def sync_contact(self, hint: ChangeHint) -> HintResult:
        """Hear one hint."""
        return SyncEngine(self.world).sync_contact(hint)
