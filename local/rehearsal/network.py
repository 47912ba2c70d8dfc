"""The network between the connector and both simulated systems: latencies, time-outs, counts."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter

from local.rehearsal.kernel import Kernel
from local.serving import InProcessAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MILLISECOND: Final = 0.001
BATCH_ITEM_SECONDS: Final = 0.1 * MILLISECOND
"""Assumed: what each item adds to a call of DynamoDB with many items."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from a request to its response.

    Those of Plezi and Salesforce are assumed. DynamoDB answers calls about one item in single-digit
    milliseconds (Amazon DynamoDB Developer Guide, "What is Amazon DynamoDB?"); those of batches,
    transactions and of other services of AWS are assumed.
    """

    plezi: float = 0.2
    salesforce_read: float = 0.3
    salesforce_query: float = 0.3
    salesforce_write: float = 1.5
    dynamodb_item: float = 5 * MILLISECOND
    dynamodb_batch: float = 15 * MILLISECOND
    aws: float = 20 * MILLISECOND

    def dynamodb(self, operation: str, items: int) -> float:
        """Return the seconds of one call to DynamoDB."""
        if operation in {"GetItem", "PutItem", "UpdateItem", "DeleteItem"}:
            return self.dynamodb_item
        return self.dynamodb_batch + items * BATCH_ITEM_SECONDS if self.dynamodb_batch else 0.0


NO_LATENCIES: Final = Latencies(0, 0, 0, 0, 0, 0, 0)


class NetworkMeter:
    """The calls of one system: how many of each kind, and when each reached the server."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.arrivals: list[float] = []
        self.last_write_at = 0.0
        self.timeouts = 0

    def clear(self) -> None:
        """Start to count from zero."""
        self.calls.clear()
        self.arrivals.clear()
        self.timeouts = 0

    def most_in(self, seconds: float) -> int:
        """Return the most calls that reached the server within any window of some seconds."""
        most, first = 0, 0
        for position, arrival in enumerate(self.arrivals):
            while self.arrivals[first] <= arrival - seconds:
                first += 1
            most = max(most, position - first + 1)
        return most

    def shortest_gap(self) -> float:
        """Return the shortest time between two calls; infinite for fewer than two."""
        return min((b - a for a, b in pairwise(self.arrivals)), default=float("inf"))


class System(ABC):
    """One simulated system behind the network; it knows the kinds of its calls."""

    def __init__(self, application: WSGIApplication, kernel: Kernel) -> None:
        self.meter = NetworkMeter()
        self.latencies = Latencies()
        self.outages: list[tuple[float, float]] = []
        """Begin and end of the times, in seconds of the kernel, in which the system is down."""
        self._kernel = kernel
        self._inner = InProcessAdapter(application)
        self._load_balancer = InProcessAdapter(_maintenance)

    @abstractmethod
    def kind(self, request: requests.PreparedRequest) -> str:
        """Return the kind of a call, as the report counts it."""

    @abstractmethod
    def latency(self, kind: str) -> float:
        """Return the seconds that a call of a kind takes."""

    @abstractmethod
    def is_write(self, kind: str) -> bool:
        """Return whether a call of this kind changes records."""

    @property
    def is_down(self) -> bool:
        """Whether the system is down now."""
        return any(begin <= self._kernel.time < end for begin, end in self.outages)

    def adapter(self) -> NetworkAdapter:
        """Return a transport for one HTTP session."""
        return NetworkAdapter(self)

    def exchange(
        self, request: requests.PreparedRequest, seconds: float, options: Mapping[str, Any]
    ) -> requests.Response:
        """Send a request, wait, and return the response.

        The server carries the request out half way between; while it is down, a load balancer
        answers 503 with a page, and nothing is carried out. Raises `requests.ReadTimeout` when the
        response comes after `seconds`: what was sent was carried out nevertheless.
        """
        kind = self.kind(request)
        latency = self.latency(kind)
        on_the_way = min(latency / 2, seconds)
        self._kernel.sleep(on_the_way)
        self.meter.calls[kind] += 1
        self.meter.arrivals.append(self._kernel.time)
        if self.is_down:
            response = self._load_balancer.send(request, **options)
        else:
            if self.is_write(kind):
                self.meter.last_write_at = self._kernel.time
            response = self._inner.send(request, **options)
        self._kernel.sleep(min(latency, seconds) - on_the_way)
        if latency > seconds:
            self.meter.timeouts += 1
            raise requests.ReadTimeout("no response in time", request=request)
        return response


def _maintenance(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as a load balancer whose servers are down."""
    start_response("503 Service Unavailable", [("Content-Type", "text/html")])
    return [b"<html><body>503 Service Unavailable</body></html>"]


class NetworkAdapter(BaseAdapter):
    """A `requests` transport through the network of one system."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self._system = system

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401  # as requests
        """Send one request."""
        timeout = options.get("timeout")
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        return self._system.exchange(
            request, float("inf") if seconds is None else float(seconds), options
        )

    def close(self) -> None:
        """Do nothing: no connection is open."""


class PleziNetwork(System):
    """The tenant behind the network."""

    def kind(self, request: requests.PreparedRequest) -> str:
        """Return `list`, `search`, `get`, `create`, `update` or `other`."""
        parts = urlsplit(request.url or "")
        path = parts.path.rstrip("/").rsplit("/v1/", 1)[-1].split("/")
        match request.method, path:
            case "GET", ["contacts"]:
                return "search" if "filter[email]" in parse_qs(parts.query) else "list"
            case "GET", ["contacts", _]:
                return "get"
            case "POST", ["contacts"]:
                return "create"
            case "PUT" | "PATCH", ["contacts", _]:
                return "update"
        return "other"

    def latency(self, kind: str) -> float:  # noqa: ARG002  # every call takes the same time
        """Return the seconds of any call."""
        return self.latencies.plezi

    def is_write(self, kind: str) -> bool:
        """Return whether a call of this kind changes contacts."""
        return kind in {"create", "update"}


class SalesforceNetwork(System):
    """The org behind the network."""

    def kind(self, request: requests.PreparedRequest) -> str:
        """Return `page`, `look_up`, `collection`, `feed`, `login` or `other`."""
        parts = urlsplit(request.url or "")
        if parts.path.startswith(("/services/oauth2", "/services/Soap")):
            return "login"
        resource = [part for part in parts.path.split("/") if part][3:]
        match resource:
            case ["queryAll", *_] | ["query", _]:
                return "page"
            case ["query"]:
                return "look_up"
            case ["composite"]:
                return "collection" if _changes_records(request.body) else "look_up"
            case ["composite", "sobjects", *_]:
                return "look_up" if request.method == "GET" else "collection"
            case ["sobjects", _, "updated" | "deleted"]:
                return "feed"
            case ["sobjects", *_] if request.method != "GET":
                return "collection"
        return "other"

    def latency(self, kind: str) -> float:
        """Return the seconds of a write, of a query, or of another read."""
        match kind:
            case "collection":
                return self.latencies.salesforce_write
            case "page" | "look_up":
                return self.latencies.salesforce_query
        return self.latencies.salesforce_read

    def is_write(self, kind: str) -> bool:
        """Return whether a call of this kind changes records."""
        return kind == "collection"


def _changes_records(body: object) -> bool:
    """Return whether a composite request contains anything but reads."""
    text = body if isinstance(body, str | bytes) else b"{}"
    parts: Sequence[Mapping[str, Any]] = json.loads(text).get("compositeRequest", [])
    return any(part.get("method") != "GET" for part in parts)
