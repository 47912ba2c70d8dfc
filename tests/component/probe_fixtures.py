"""A simulated tenant for the probe, on a clock that pauses advance, and its expected dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connector.deadline import MIN_CALL_SECONDS, Deadline, DeadlineError
from connector.http_session import HttpSession
from connector.plezi.api import PleziApi
from connector.plezi.api_dialect import PleziDialect
from connector.plezi.dialect_in_use import dialect_of
from connector.plezi.probe.probe import Probe
from connector.plezi.rate_limiter import RateLimiter
from connector.probe_report import ProbeReport, load_found_dialect
from connector.retry import RetryPolicy
from connector.secret_version import FixedSecret, Secret
from connector.secrets import PleziCredentials, SecretText
from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.plezi_tenant.store import ContactQuery
from local.serving import InProcessAdapter
from local.world.memory import MemoryLedger

CONTACT = "probe@example.com"
START = 1_795_000_000.0
CALL_SECONDS = 0.05


@dataclass
class ProbedTenant:
    """One tenant with contacts, and the probe of it. Each call takes `call_seconds`."""

    contacts: int = 0
    spread_seconds: float = 3600.0
    call_seconds: float = CALL_SECONDS
    now: float = START
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    requests: list[tuple[str, str]] = field(default_factory=list)
    adapter: InProcessAdapter | None = None
    """Delivers the requests in place of the tenant."""

    def __post_init__(self) -> None:
        clock = SimulatedClock(lambda: datetime.fromtimestamp(self.now, UTC))
        self.tenant = PleziTenant(clock, seed=7, sleep=self.sleep)
        self.deadline = Deadline(lambda: self.now)
        if self.contacts:
            self.tenant.load(self.contacts, spread_seconds=self.spread_seconds)
        self.now += 60.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pause(self, seconds: float) -> None:
        if not self.deadline.allows(seconds + MIN_CALL_SECONDS):
            raise DeadlineError("the time of this invocation is used up")
        self.sleep(seconds)

    def api(self, rate: float = 0.0) -> PleziApi:
        http = HttpSession(monotonic=lambda: self.now)
        http.mount("https://", _Recording(self))
        http.limit_time(self.deadline)
        secret = PleziCredentials(
            api_key=SecretText(self.tenant.api_key), tenant=self.tenant.tenant_name
        )
        return PleziApi(
            http,
            FixedSecret(Secret("1", secret)),
            "https://app.plezi.co/api/v1",
            RateLimiter(rate, self.ledger, lambda: self.now, self.sleep, self.deadline),
            RetryPolicy(self.sleep, lambda: 1.0, lambda: self.now, deadline=self.deadline),
        )

    def probe(
        self, contact: str = "", *, may_exist: bool = False, rate: float = 0.0
    ) -> ProbeReport:
        """Make one call of the probe."""
        probe = Probe(self.api(rate), self.ledger, lambda: self.now, self.pause)
        return probe.run(contact, may_exist=may_exist)

    def dialect(self) -> PleziDialect:
        """Return the dialect that the connector uses."""
        return dialect_of(load_found_dialect(self.ledger))

    def others(self) -> list[dict[str, Any]]:
        """Return every contact but the throwaway one, as it is stored, with its stamps."""
        found, _ = self.tenant.contacts.current_page(ContactQuery(sort="number", limit=1000))
        return [
            {"id": each.id, "values": each.values, "at": (each.created_at, each.updated_at)}
            for each in found
            if each.email.lower() != CONTACT
        ]

    def throwaway(self) -> dict[str, Any] | None:
        found, _ = self.tenant.contacts.current_page(ContactQuery(email=CONTACT))
        return dict(found[0].values) if found else None


class _Recording(InProcessAdapter):
    """Delivers each request, which takes its time, and notes its method and URL."""

    def __init__(self, probed: ProbedTenant) -> None:
        super().__init__(probed.tenant)
        self._probed = probed

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]  # as requests
        self._probed.requests.append((str(request.method), str(request.url)))
        self._probed.sleep(self._probed.call_seconds)
        if self._probed.adapter is not None:
            return self._probed.adapter.send(request, **options)
        return super().send(request, **options)
