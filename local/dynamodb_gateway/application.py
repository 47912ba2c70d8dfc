"""The gateway as a WSGI application: checks each request, then passes it on unchanged."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import urllib3
from botocore.exceptions import ClientError

from local.dynamodb_gateway.protocol import (
    CONTENT_TYPE,
    VALIDATION_CODE,
    error_body,
    operation_of,
    parse_request,
    written_keys,
)
from local.rehearsal.dynamodb.enforcement import LimitCheck
from local.rehearsal.dynamodb.errors import InvalidRequestError
from local.rehearsal.dynamodb.faults import THROUGHPUT_EXCEEDED, Throttling
from local.rehearsal.dynamodb.limits import Item, TableSchema, key_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from mypy_boto3_dynamodb import DynamoDBClient

FAULTS_PATH: Final = "/_gateway/faults"
COUNTS_PATH: Final = "/_gateway/counts"
NOT_PASSED_ON: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "date", "server"}
)
"""Headers of one connection only (RFC 9110, section 7.6.1), and those that a server adds itself."""
CONNECTIONS: Final = 32
THROTTLED: Final = "The level of configured provisioned throughput for the table was exceeded"
CANCELLED: Final = "Transaction cancelled, please refer cancellation reasons for specific reasons"


@dataclass(frozen=True, slots=True)
class _Answer:
    """One response: status, headers and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def _refusal(code: str, message: str, **members: object) -> _Answer:
    headers = [("Content-Type", CONTENT_TYPE)]
    return _Answer(HTTPStatus.BAD_REQUEST, headers, error_body(code, message, **members))


class Gateway:
    """Passes requests on to the embedded AWS at `upstream`, after the checks that it does not make.

    The header `Host` stays as the client sent it: the client signed it. `tables` reads schemas and
    stored items from the embedded AWS; `clock` returns seconds. Faults are injected by
    `POST /_gateway/faults` with `throttle_seconds`, `operations` (empty: all) and
    `index_lag_seconds`: within that time after a write, queries on an index miss the written item.
    `GET /_gateway/counts` returns the requests by operation and the refusals by code.
    """

    def __init__(self, upstream: str, tables: DynamoDBClient, clock: Callable[[], float]) -> None:
        self._pool = urllib3.connection_from_url(upstream, maxsize=CONNECTIONS)
        self._tables = tables
        self._clock = clock
        self._lock = threading.Lock()
        self._schemas: dict[str, TableSchema] = {}
        self._check = LimitCheck(self._schemas, self._read)
        self._throttling = Throttling(0.0)
        self._index_lag = 0.0
        self._written: dict[tuple[Any, ...], float] = {}
        self.calls: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        answer = self._answer(environ, body)
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [answer.body]

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> _Answer:
        path = environ.get("PATH_INFO", "/")
        if path == FAULTS_PATH:
            return self._inject(json.loads(body))
        if path == COUNTS_PATH:
            return _as_json({"calls": dict(self.calls), "refusals": dict(self.refusals)})
        operation = operation_of(environ.get("HTTP_X_AMZ_TARGET", ""))
        if not operation:
            return self._pass_on(environ, body)
        request = parse_request(body)
        refusal = self._refuse(operation, request)
        with self._lock:
            self.calls[operation] += 1
        if refusal is not None:
            return refusal
        answer = self._pass_on(environ, body)
        if self._index_lag:
            return self._delay_indexes(operation, request, answer)
        return answer

    # Faults

    def _inject(self, faults: Mapping[str, Any]) -> _Answer:
        self._throttling = Throttling(
            float(faults.get("throttle_seconds", 0.0)),
            start=self._clock(),
            operations=frozenset(faults.get("operations", ())),
        )
        self._index_lag = float(faults.get("index_lag_seconds", 0.0))
        self._written.clear()
        return _as_json({})

    def _delay_indexes(
        self, operation: str, request: Mapping[str, Any], answer: _Answer
    ) -> _Answer:
        """Remember what was written; drop fresh items from the answer to a query on an index."""
        now = self._clock()
        if answer.status != HTTPStatus.OK:
            return answer
        for table, item in written_keys(operation, request):
            self._written[table, *key_of(self._schema(table).key, item)] = now
        if operation != "Query" or "IndexName" not in request:
            return answer
        table = request["TableName"]
        key = self._schema(table).key
        oldest = now - self._index_lag
        page = json.loads(answer.body)
        page["Items"] = [
            item
            for item in page.get("Items", [])
            if self._written.get((table, *key_of(key, item)), oldest) <= oldest
        ]
        page["Count"] = len(page["Items"])
        kept = [each for each in answer.headers if each[0].lower() != "x-amz-crc32"]
        return _Answer(answer.status, kept, json.dumps(page).encode())

    # Checks

    def _refuse(self, operation: str, request: Mapping[str, Any]) -> _Answer | None:
        """Return the answer to a request that is throttled or that DynamoDB refuses; else None."""
        if self._throttling.applies(operation, self._clock()):
            return self._throttled(operation, request)
        try:
            for table in _tables_of(request):
                self._schema(table)
            self._check.check(operation, request)
        except InvalidRequestError as error:
            self._note(operation, VALIDATION_CODE, str(error))
            return _refusal(VALIDATION_CODE, str(error))
        except ClientError:  # no such table, or another answer that only the server gives
            return None
        return None

    def _throttled(self, operation: str, request: Mapping[str, Any]) -> _Answer:
        self._note(operation, THROUGHPUT_EXCEEDED, "injected")
        if operation != "TransactWriteItems":
            return _refusal(THROUGHPUT_EXCEEDED, THROTTLED)
        first = {"Code": "ThrottlingError", "Message": THROTTLED}
        reasons = [first, *[{"Code": "None"}] * (len(request["TransactItems"]) - 1)]
        codes = ", ".join(reason["Code"] for reason in reasons)
        return _refusal(
            "TransactionCanceledException", f"{CANCELLED} [{codes}]", CancellationReasons=reasons
        )

    def _note(self, operation: str, code: str, message: str) -> None:
        with self._lock:
            self.refusals[code] += 1
        print(f"refused {operation}: {code}: {message}", flush=True)

    def _schema(self, table: str) -> TableSchema:
        """Return the schema of a table, read once. Raises `ClientError` when there is none."""
        schema = self._schemas.get(table)
        if schema is None:
            description: Any = self._tables.describe_table(TableName=table)["Table"]
            schema = self._schemas[table] = TableSchema.of(table, description)
        return schema

    def _read(self, table: str, key: Item) -> Item | None:
        read: Any = self._tables.get_item
        found: Item | None = read(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found

    # The embedded AWS

    def _pass_on(self, environ: WSGIEnvironment, body: bytes) -> _Answer:
        path = environ.get("PATH_INFO", "/")
        query = environ.get("QUERY_STRING", "")
        response = self._pool.urlopen(
            environ["REQUEST_METHOD"],
            f"{path}?{query}" if query else path,
            body=body,
            headers=_headers(environ),
            retries=False,
            redirect=False,
            decode_content=False,
        )
        headers = [
            (name, value)
            for name, value in response.headers.items()
            if name.lower() not in NOT_PASSED_ON | {"content-length"}
        ]
        return _Answer(response.status, headers, response.data)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers of a request as the client sent them."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name != "HTTP_CONNECTION"
    }
    if content_type := environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = content_type
    return headers


def _tables_of(request: Mapping[str, Any]) -> set[str]:
    """Return the tables that a request names."""
    tables = set(request.get("RequestItems", ()))
    if name := request.get("TableName"):
        tables.add(name)
    for action in request.get("TransactItems", ()):
        tables.update(body["TableName"] for body in action.values())
    return tables


def _as_json(content: Mapping[str, object]) -> _Answer:
    body = json.dumps(content).encode()
    return _Answer(HTTPStatus.OK, [("Content-Type", "application/json")], body)
