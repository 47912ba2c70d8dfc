"""The connector's own AWS adapters on the services of the rehearsal, and the parts of a process."""

from __future__ import annotations

import importlib.util
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connector.bootstrap.aws_adapters import BotoAdapters
from connector.http_session import HttpSession
from connector.model import Side
from connector.parallel import one_after_another
from connector.telemetry import event_metrics, publish
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from local.rehearsal.kernel import Kernel
from local.rehearsal.network import Latencies, System
from local.rehearsal.queues import Queue, SqsClient

if TYPE_CHECKING:
    from connector.log_events import Event

SEED: Final = 7
HAS_PARALLEL: Final = importlib.util.find_spec("connector.parallel") is not None
HAS_DEADLINE: Final = importlib.util.find_spec("connector.deadline") is not None
"""An older connector has none of them; the rehearsal runs it too, to compare."""
PARALLEL_CALLS: Final = 16
"""As `lambda_runtime.PARALLEL_CALLS`."""

CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the version of every secret was created."""

T = TypeVar("T")


class SecretsClient:
    """Answers as botocore's Secrets Manager client does, for the operation that is used."""

    def __init__(self, secrets: Mapping[str, str], travel: Callable[[str, int], None]) -> None:
        self._secrets = secrets
        self._travel = travel

    def get_secret_value(self, *, SecretId: str, **_version: str) -> dict[str, Any]:  # noqa: N803  # as botocore
        """Return the current version of a secret."""
        self._travel("GetSecretValue", 1)
        text = self._secrets[SecretId]
        return {"VersionId": "1", "SecretString": text, "CreatedDate": CREATED}


class AlertsClient:
    """Answers as botocore's SNS client does, for the operation that is used."""

    def __init__(
        self,
        published: list[tuple[float, str]],
        travel: Callable[[str, int], None],
        clock: Callable[[], float],
    ) -> None:
        self._published = published
        self._travel = travel
        self._clock = clock

    def publish(self, *, Subject: str, **_message: object) -> dict[str, str]:  # noqa: N803  # as botocore
        """Publish an alert."""
        self._travel("Publish", 1)
        self._published.append((self._clock(), Subject))
        return {"MessageId": str(len(self._published))}


class Services:
    """The services of AWS, shared by all processes, and what the processes logged."""

    def __init__(
        self,
        kernel: Kernel,
        database: Database,
        queues: tuple[Queue, ...],
        systems: Mapping[Side, System],
    ) -> None:
        self.kernel = kernel
        self.database = database
        self.queues = queues
        self.systems = systems
        self.secrets: dict[str, str] = {}
        self.alerts: list[tuple[float, str]] = []
        """The alerts that were sent: time of the kernel, and subject."""
        self.publishes_metrics = False
        """Whether the events of the log are published as metrics, as `telemetry` does."""
        self.events: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.latencies = Latencies()
        self._random = random.Random(SEED)  # noqa: S311  # the same pauses in every rehearsal
        self._ids = count(1)
        self._together = threading.local()
        """Of each invocation: how long the calls that it makes at the same time have taken."""

    def put_secret(self, name: str, value: Mapping[str, object]) -> None:
        """Store a secret."""
        self.secrets[name] = json.dumps(value)

    def new_id(self) -> str:
        """Return the next id; ids sort by time."""
        return f"{self.kernel.datetime():%Y%m%dT%H%M%S%f}-{next(self._ids):08x}"

    def client(self, service: str) -> object:
        """Return the client of a service."""
        match service:
            case "dynamodb":
                return MemoryDynamoDB(self.database, self._travel_to_table)
            case "sqs":
                return SqsClient(self.queues, self._travel)
            case "secretsmanager":
                return SecretsClient(self.secrets, self._travel)
            case "sns":
                return AlertsClient(self.alerts, self._travel, lambda: self.kernel.time)
        raise ValueError(f"the rehearsal has no {service}")

    def _travel(self, _operation: str, _items: int) -> None:
        self.kernel.sleep(self.latencies.aws / 2)

    def _travel_to_table(self, operation: str, items: int) -> None:
        seconds = self.latencies.dynamodb(operation, items) / 2
        waits: list[float] | None = getattr(self._together, "waits", None)
        if waits is None:
            self.kernel.sleep(seconds)
        else:
            waits.append(seconds)

    def in_parallel(self, calls: Sequence[Callable[[], T]], /) -> list[T]:
        """Make calls at the same time: they take as long as the longest of some threads."""
        waits: list[float] = []
        self._together.waits = waits
        try:
            return one_after_another(calls)
        finally:
            self._together.waits = None
            threads = min(PARALLEL_CALLS, max(len(calls), 1))
            self.kernel.sleep(max(sum(waits) / threads, max(waits, default=0.0)))

    def log(self, event: Event, /, **fields: object) -> None:
        """Count an event of the log; keep what the events about errors say."""
        self.events[event.name] += 1
        if self.publishes_metrics and (numbers := event_metrics(event, fields)):
            publish(numbers)
        if error := fields.get("error"):
            code = fields.get("aws_code", "")
            self.problems[
                f"{event.name}: {error} {code} {fields.get('operation', '')}".strip()
            ] += 1

    def http(self, side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG002  # no TLS here
        """Return an HTTP session that reaches one of the systems through the network."""
        session = HttpSession(monotonic=self.kernel.now)
        session.headers["Accept-Encoding"] = "identity"  # compression takes time and shows nothing
        session.mount("https://", self.systems[side].adapter())
        return session

    def process_parts(self) -> dict[str, Any]:
        """Return what `build_app` takes besides the settings, for one new process."""
        kernel = self.kernel
        shared: dict[str, Any] = {}
        if HAS_DEADLINE:
            from connector.deadline import Deadline  # noqa: PLC0415  # an older connector has none

            shared["deadline"] = Deadline(kernel.now)
        options = shared | ({"parallel": self.in_parallel} if HAS_PARALLEL else {})
        adapters = RehearsalAdapters(
            self,
            kernel.now,
            self.new_id,
            kernel.sleep,
            self._random.random,
            self.log,
            **options,
        )
        return {
            "aws": adapters,
            "http": self.http,
            "clock": kernel.now,
            "ids": self.new_id,
            "sleep": kernel.sleep,
            "random": self._random.random,
            "log": self.log,
            **shared,
        }


class RehearsalAdapters(BotoAdapters):
    """The adapters that are deployed, with the clients of the rehearsal."""

    def __init__(self, services: Services, *args: Any, **options: Any) -> None:  # noqa: ANN401  # as the base class
        super().__init__(*args, **options)
        self._services = services

    def _client(self, service: str) -> Any:  # noqa: ANN401  # as the base class
        return self._services.client(service)
