"""Faults of AWS: responses that a botocore client receives instead of moto's, in AWS's format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectTimeoutError

from connector.bootstrap.aws_adapters import BotoAdapters
from tests.component.memory_dynamodb import NO_HOST, use_wire

Respond = Callable[[Any], tuple[int, Any]]
"""Returns the status and the JSON of a response, from the JSON of the request."""

MANY: Final = 10**9
"""More calls than any test makes."""


class _RawResponse(io.BytesIO):
    """The object from which botocore reads a response."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def error(status: int, code: str, **members: Any) -> Respond:
    """Return a fault that refuses every request with an error code."""
    return lambda _request: (status, {"__type": f"com.amazonaws#{code}", **members})


def conflict(request: Any) -> tuple[int, Any]:
    """Cancel a transaction because another one works on the items."""
    others = [{"Code": "None"}] * (len(request["TransactItems"]) - 1)
    return 400, {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "TransactionConflict", "Message": "busy"}, *others],
    }


def unprocessed(request: Any) -> tuple[int, Any]:
    """Process nothing of a batch."""
    items = request["RequestItems"]
    return 200, {"Responses": {}, "UnprocessedKeys": items, "UnprocessedItems": items}


def unreachable(_request: Any) -> tuple[int, Any]:
    """Do not accept the connection."""
    raise ConnectTimeoutError(endpoint_url=NO_HOST)


class CallFault:
    """Answers the next calls of one operation of a client."""

    def __init__(self, client: Any, operation: str, respond: Respond, times: int) -> None:
        self._respond = respond
        self._remaining = times
        self.calls = 0
        use_wire(client)
        service = client.meta.service_model.service_name
        client.meta.events.register_first(f"before-send.{service}.{operation}", self._before_send)

    def _before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        if not self._remaining:
            return None
        self._remaining -= 1
        self.calls += 1
        return _respond(request, self._respond)


@dataclass(frozen=True, slots=True)
class TableFault:
    """A fault of all tables for some seconds, from the first call of one operation on.

    Then the calls of `operations` fail; empty: those of all operations.
    """

    respond: Respond
    first: str
    seconds: float
    operations: frozenset[str] = frozenset()


class TableFaults:
    """Answers the calls of all DynamoDB clients that are attached, during a fault."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._fault: TableFault | None = None
        self._until: float | None = None
        self.calls = 0

    def attach(self, client: Any) -> None:
        use_wire(client)
        client.meta.events.register_first("before-send.dynamodb", self._before_send)

    def begin(self, fault: TableFault) -> None:
        self._fault, self._until, self.calls = fault, None, 0

    def is_over(self) -> bool:
        """Return whether the fault began, and its time has passed."""
        return self._until is not None and self._clock() > self._until

    def _before_send(
        self, request: AWSPreparedRequest, event_name: str, **_: Any
    ) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        fault = self._fault
        if fault is None:
            return None
        if self._until is None and operation == fault.first:
            self._until = self._clock() + fault.seconds
        if self._until is None or self._clock() > self._until:
            return None
        if fault.operations and operation not in fault.operations:
            return None
        self.calls += 1
        return _respond(request, fault.respond)


class FaultyAdapters(BotoAdapters):
    """The adapters of AWS, with faults in their DynamoDB clients."""

    def __init__(self, faults: TableFaults, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._faults = faults

    def _client(self, service: Any) -> Any:
        client = super()._client(service)
        if service == "dynamodb":
            self._faults.attach(client)
        return client


def _respond(request: AWSPreparedRequest, respond: Respond) -> AWSResponse:
    assert isinstance(request.body, bytes)
    status, tree = respond(json.loads(request.body))
    request.url = NO_HOST
    return AWSResponse(NO_HOST, status, HTTPHeaders(), _RawResponse(json.dumps(tree).encode()))
