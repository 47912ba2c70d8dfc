"""DynamoDB in memory behind botocore's clients, in place of moto's, which takes most of the time.

The client still builds its HTTP request, and reads the response: what botocore checks is checked,
and the faults and permissions of a test stand in front of this handler as they do in front of
moto's. The tables are those of the virtual account, with the limits of DynamoDB; the
contract tests of the storage hold them and moto to the same behaviour.
"""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.handlers
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError

from local.dynamodb_gateway.protocol import CONTENT_TYPE, error_body, operation_of, parse_request
from local.rehearsal.dynamodb import Database, MemoryDynamoDB
from tests.component.aws_faults import NO_HOST

EVENT: Final = "before-send.dynamodb"
"""The event of botocore before it sends a request to DynamoDB; moto answers `before-send`, which is
less specific and comes later."""
WORDS: Final = re.compile(r"(?<!^)(?=[A-Z])")


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

    def _call(self, operation: str, members: dict[str, Any]) -> bytes:
        match operation:
            case "CreateTable":
                name = members.pop("TableName")
                self.database.add_table(name, members)
                return b"{}"
            case "DeleteTable":
                self.database.remove_table(members["TableName"])
                return b"{}"
        method = getattr(self._client, WORDS.sub("_", operation).lower())
        return json.dumps(method(**members), default=_encoded).encode()


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
        yield tables
