"""DynamoDB in memory behind botocore's clients, in place of moto's, which takes most of the time.

The tables are those of the virtual account, with the limits of DynamoDB; the contract tests of the
storage hold them and moto to the same behaviour. Botocore checks the parameters of each call. Only
a client whose test puts faults or handlers in front of the tables (`use_wire`) also builds an HTTP
request, signs it and reads the response: for the others that was half of the time of these tests.
"""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakSet

import botocore.handlers
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

from local.dynamodb_gateway.protocol import CONTENT_TYPE, error_body, operation_of, parse_request
from local.rehearsal.dynamodb import Database, MemoryDynamoDB

NO_HOST: Final = "https://no-host.example/"
"""The new address of a request that a test answers: botocore calls all handlers of an event, and no
other one must carry it out too."""
EVENT: Final = "before-send.dynamodb"
"""The event of botocore before it sends a request to DynamoDB; moto answers `before-send`, which is
less specific and comes later."""
VALIDATOR: Final = ParamValidator()
WORDS: Final = re.compile(r"(?<!^)(?=[A-Z])")


_ON_WIRE: Final = WeakSet[Any]()
"""The clients whose calls go through the events of botocore."""


def use_wire(client: Any) -> None:
    """Let the calls of a client be HTTP requests, which the handlers of its events see."""
    _ON_WIRE.add(client)


class _Body(io.BytesIO):
    """The object from which botocore reads a response."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class WireDynamoDB:
    """Answers the requests of botocore's clients from tables in memory."""

    def __init__(self) -> None:
        self.database = Database({}, time.time)
        self._client = MemoryDynamoDB(self.database)

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Carry out a request; the handler of `EVENT`. One that a fault has answered is left."""
        if request.url == NO_HOST:
            return None
        operation = operation_of(_text(request.headers["X-Amz-Target"]))
        body = request.body
        members = parse_request(body if isinstance(body, bytes) else str(body).encode())
        try:
            status, content = 200, self._call(operation, members)
        except ClientError as error:
            status, content = _error(error)
        request.url = NO_HOST
        headers = HTTPHeaders.from_dict({"Content-Type": CONTENT_TYPE})
        return AWSResponse(request.url, status, headers, _Body(content))

    def call(self, client: BaseClient, operation: str, members: dict[str, Any]) -> Any:
        """Carry out a call of a client without the wire; raise the errors that the client has."""
        shape = client.meta.service_model.operation_model(operation).input_shape
        assert shape is not None
        report = VALIDATOR.validate(members, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        try:
            response = self._carry_out(operation, members)
        except ClientError as error:
            known: Any = client.exceptions.from_code(error.response["Error"]["Code"])
            raise known(error.response, operation) from None
        return {**response, "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}

    def _call(self, operation: str, members: dict[str, Any]) -> bytes:
        return json.dumps(self._carry_out(operation, members), default=_encoded).encode()

    def _carry_out(self, operation: str, members: Mapping[str, Any]) -> Any:
        match operation:
            case "CreateTable":
                schema = {name: it for name, it in members.items() if name != "TableName"}
                self.database.add_table(members["TableName"], schema)
                return {}
            case "DeleteTable":
                self.database.remove_table(members["TableName"])
                return {}
        method = getattr(self._client, WORDS.sub("_", operation).lower())
        return method(**members)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _encoded(value: object) -> str:
    """Return a binary value as JSON has it."""
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no attribute value")


def _error(error: ClientError) -> tuple[int, bytes]:
    response: Any = error.response
    members = {name: response[name] for name in ("CancellationReasons", "Item") if name in response}
    text = json.loads(error_body(response["Error"]["Code"], response["Error"]["Message"]))
    body = json.dumps({**text, **members}, default=_encoded).encode()
    return response["ResponseMetadata"]["HTTPStatusCode"], body


@contextmanager
def dynamodb_in_memory() -> Iterator[WireDynamoDB]:
    """Let every DynamoDB client that is made from now on use empty tables in memory.

    Used inside `mock_aws`, which answers for all other services.
    """
    tables = WireDynamoDB()
    with pytest.MonkeyPatch.context() as patch:
        handlers = [(EVENT, tables.answer), *botocore.handlers.BUILTIN_HANDLERS]
        patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
        _IN_USE.append(tables)
        try:
            yield tables
        finally:
            _IN_USE.remove(tables)


_IN_USE: Final = list[WireDynamoDB]()
"""The tables in memory that are in use, the last of them by all clients."""
_through_wire: Final = BaseClient._make_api_call  # type: ignore[attr-defined]


def _make_api_call(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
    is_direct = client.meta.service_model.service_name == "dynamodb" and client not in _ON_WIRE
    if _IN_USE and is_direct:
        return _IN_USE[-1].call(client, operation, request)
    return _through_wire(client, operation, request)


# It stays: a test that replaces it for itself restores what it found, in any order of fixtures.
BaseClient._make_api_call = _make_api_call  # type: ignore[attr-defined]
