"""A flood of forged forms beside one honest sender, by the documented rules of AWS.

    python -m benchmarks.flood

API Gateway limits a route with a token bucket (API Gateway Developer Guide, "Throttle requests to
your REST APIs"): the rate and the burst are those of template.yaml. AWS WAF counts the requests of
a source in a window of five minutes and blocks it while it is above the limit (AWS WAF Developer
Guide, "Rate-based rule statement"); assumed: it decides every 10 s on what it saw 30 s before.
Nothing was measured on AWS. An honest sender repeats a refused form as Standard Webhooks 1.0.0
proposes.
"""

from __future__ import annotations

import heapq
import random
import statistics
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from local.template_settings import template_parameter, template_properties

FORGED_A_SECOND: Final = 100
HONEST_A_SECOND: Final = 1
HOURS: Final = 1
RETRIES: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Seconds until the next try (Standard Webhooks 1.0.0, "Deliverability and reliability")."""
WAF_WINDOW: Final = 300.0
WAF_EVERY: Final = 10.0
WAF_DELAY: Final = 30.0
SEED: Final = 1
HONEST: Final = -1


@dataclass(slots=True)
class TokenBucket:
    """The limit of a route: `rate` tokens a second, `burst` at most."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        """Begin with a full bucket."""
        self.tokens = self.burst

    def takes(self, now: float) -> bool:
        """Return whether a request passes now."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Firewall:
    """The rate rule: which sources are blocked, decided every 10 s on what was seen 30 s ago."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: deque[tuple[float, int]] = deque()
        self._blocked: frozenset[int] = frozenset()
        self._decided_at = 0.0

    def blocks(self, source: int, now: float) -> bool:
        """Count a request, and return whether it is blocked."""
        self._seen.append((now, source))
        if now - self._decided_at >= WAF_EVERY:
            self._decided_at = now
            while self._seen and self._seen[0][0] < now - WAF_DELAY - WAF_WINDOW:
                self._seen.popleft()
            counts = Counter(source for at, source in self._seen if at <= now - WAF_DELAY)
            self._blocked = frozenset(it for it, number in counts.items() if number > self._limit)
        return source in self._blocked


@dataclass(frozen=True, slots=True)
class Flood:
    """What a flood did: requests a second that reach the function, and the honest sender's forms.

    `honest_first` is the fraction of honest forms that pass at the first try; `waits` are the
    seconds until each form passed.
    """

    name: str
    forged_reaching: float
    honest_first: float
    waits: tuple[float, ...]
    lost: int


def flood(name: str, *, sources: int, has_firewall: bool) -> Flood:
    """Play one hour of a flood from some source addresses, and every repetition after it."""
    chance = random.Random(SEED)  # noqa: S311  # the same flood every time
    limits = template_properties("Api")["MethodSettings"][1]
    bucket = TokenBucket(limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"])
    firewall = Firewall(int(template_parameter("FirewallRequestsPerSource")["Default"]))
    end = HOURS * 3600.0
    events = list(_arrivals(chance, sources, end))
    heapq.heapify(events)
    reached = first = lost = 0
    waits: list[float] = []
    while events:
        now, source, sent_at, tries = heapq.heappop(events)
        is_blocked = has_firewall and firewall.blocks(source, now)
        if not is_blocked and bucket.takes(now):
            if source == HONEST:
                waits.append(now - sent_at)
                first += tries == 0
            else:
                reached += 1
        elif source == HONEST and tries < len(RETRIES):
            heapq.heappush(events, (now + RETRIES[tries], HONEST, sent_at, tries + 1))
        else:
            lost += source == HONEST
    honest = len(waits) + lost
    return Flood(name, reached / end, first / honest, tuple(waits), lost)


def _arrivals(
    chance: random.Random, sources: int, end: float
) -> Iterator[tuple[float, int, float, int]]:
    """Yield time, source, time of the first try and number of tries of each request."""
    for source, rate in ((HONEST, HONEST_A_SECOND), (0, FORGED_A_SECOND)):
        at = chance.expovariate(rate)
        while at < end:
            yield at, source if source == HONEST else chance.randrange(sources), at, 0
            at += chance.expovariate(rate)


def floods() -> list[Flood]:
    """Return the floods of the table in docs/operations.md."""
    return [
        flood("without the firewall", sources=1, has_firewall=False),
        flood("with the firewall, from one address", sources=1, has_firewall=True),
        flood("with the firewall, from 5 addresses", sources=5, has_firewall=True),
        flood("with the firewall, from 1,000 addresses", sources=1_000, has_firewall=True),
    ]


def main() -> None:
    """Print the table."""
    head = ("flood", "forged posts that reach the function", "honest forms at the first try")
    columns = (*head, "median wait", "longest wait", "lost")
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for it in floods():
        print(
            f"| {it.name} | {it.forged_reaching:.1f} a second | {it.honest_first:.0%} "
            f"| {statistics.median(it.waits):.0f} s | {max(it.waits) / 60:.0f} min | {it.lost} |"
        )


if __name__ == "__main__":
    main()
