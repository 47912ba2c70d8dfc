"""One stack over HTTP: the admin API, its functions, secrets, queues and logs.

Every accepted answer of the admin API is checked against docs/openapi.json before it is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jsonschema import Draft202012Validator
from werkzeug import Request, Response

from functions.admin.times import with_utc_times

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).parents[3]
OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
STAGE = "/v1"
INVOCATION_PREFIX = "/2015-03-31/functions/"
PENDING_VERSION = "11111111-2222-3333-4444-555555555555"
OUTPUTS = {
    "ScheduledSyncFunctionName": "fn-scheduled",
    "ManualSyncFunctionName": "fn-manual",
    "FormSyncFunctionName": "fn-forms",
    "FormWorkerFunctionName": "fn-form-worker",
    "SyncWorkerFunctionName": "fn-worker",
    "AdminFunctionName": "fn-admin",
    "RotateCredentialsFunctionName": "fn-rotate",
    "SalesforceSecretArn": "arn:aws:secretsmanager:eu-west-3:000000000000:secret:sf",
    "PleziSecretArn": "arn:aws:secretsmanager:eu-west-3:000000000000:secret:plezi",
    "FormsSecretArn": "arn:aws:secretsmanager:eu-west-3:000000000000:secret:forms",
}
QUEUES = ("runs", "runs_dead_letters", "forms", "forms_dead_letters", "schedule_dead_letters")


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as the stack received it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def call(self) -> tuple[str, str]:
        return self.method, self.path.removeprefix(STAGE)


@dataclass
class FakeStack:
    """The admin API, the functions, the secrets, queues and logs; tests set the responses."""

    response: Response = field(default_factory=lambda: Response("{}", 200))
    routes: dict[tuple[str, str], list[Response]] = field(default_factory=dict)
    function_response: object = field(default_factory=dict)
    function_error: str = ""
    secret: str = "{}"
    outputs: dict[str, str] = field(default_factory=dict)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    received: list[ReceivedRequest] = field(default_factory=list)

    def answer(self, status: int, body: str, **headers: str) -> None:
        """Set the response of every route of the API that has none of its own."""
        self.response = _response(status, body, headers)

    def on(self, method: str, path: str, body: Any, *more: Any) -> None:
        """Set the accepted responses of a route, one for each request; the last one is repeated."""
        answers = [with_utc_times(each) for each in (body, *more)]
        status = _check(method, path, answers[0])
        responses = [Response(json.dumps(each), status) for each in answers]
        for each in answers[1:]:
            _check(method, path, each)
        for response in responses:
            response.content_type = "application/json"
        self.routes[method, path] = responses

    def refuse(self, method: str, path: str, status: int, body: Any) -> None:
        """Let a route refuse its requests."""
        self.routes[method, path] = [_response(status, json.dumps(body), {})]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The requests to the API so far: the method, and the path with its query."""
        return [request.call for request in self.received]

    def body_of(self, method: str, path: str) -> Any:
        """Return the JSON body of the last request of a route."""
        found = [request for request in self.received if request.call == (method, path)]
        return found[-1].json()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = str(request.environ["REQUEST_URI"])  # as it was sent, percent-encoded
        body = request.get_data()
        self.received.append(ReceivedRequest(request.method, path, dict(request.headers), body))
        target = request.headers.get("X-Amz-Target", "")
        if request.path.startswith(INVOCATION_PREFIX):
            headers = {"X-Amz-Function-Error": self.function_error} if self.function_error else {}
            return Response(json.dumps(self.function_response), 200, headers=headers)
        if target:
            return Response(json.dumps(self._aws(target.partition(".")[2], json.loads(body))), 200)
        if b"Action=DescribeStacks" in body:
            return Response(self._described_stack(), 200, content_type="text/xml")
        raw = path.partition("?")[0].removeprefix(STAGE)
        responses = self.routes.get((request.method, raw), [])
        if len(responses) > 1:
            return responses.pop(0)
        return responses[0] if responses else self.response

    def _aws(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        match action:
            case "GetSecretValue":
                return {"SecretString": self.secret, "VersionId": "current"}
            case "PutSecretValue":
                return {"VersionId": PENDING_VERSION}
            case "FilterLogEvents":
                found = self.events.get(request["logGroupName"], [])
                return {
                    "events": [each for each in found if each["timestamp"] >= request["startTime"]]
                }
            case _:
                return self._queue(action, self.messages.setdefault(_name(request), []), request)

    @staticmethod
    def _queue(action: str, queue: list[dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
        match action:
            case "GetQueueAttributes":
                names = request["AttributeNames"]
                return {"Attributes": {names[0]: str(len(queue)), names[1]: "0"}}
            case "ReceiveMessage":
                return {"Messages": queue[: request["MaxNumberOfMessages"]]} if queue else {}
            case "DeleteMessage":
                queue[:] = [m for m in queue if m["ReceiptHandle"] != request["ReceiptHandle"]]
                return {}
            case "SendMessage":
                queue.append(request)
                return {"MessageId": "sent", "MD5OfMessageBody": ""}
            case _:
                raise AssertionError(action)

    def _described_stack(self) -> str:
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        return (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
            f"<DescribeStacksResult><Stacks><member><StackName>s</StackName><Outputs>{members}"
            "</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )


def queue_message(number: int, group: str = "people") -> dict[str, Any]:
    """Return a message of a dead-letter queue."""
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": f'{{"n": {number}}}',
        "Attributes": {"MessageGroupId": group},
    }


def query(path: str, **values: object) -> str:
    """Return a path with its query."""
    return f"{path}?{urlencode(values)}"


def _name(request: dict[str, Any]) -> str:
    return str(request["QueueUrl"]).rpartition("/")[2]


def _response(status: int, body: str, headers: dict[str, str]) -> Response:
    content_type = headers.pop("content_type", "application/json")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, headers=named, content_type=content_type)


def described_response(method: str, path: str) -> dict[str, Any]:
    """Return the schema of the accepted response of a route."""
    return _described(method, path)[1]


def _check(method: str, path: str, body: Any) -> int:
    """Return the status of an accepted response, whose body must be the described one."""
    status, schema = _described(method, path)
    Draft202012Validator(schema).validate(body)
    return status


def _described(method: str, path: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the schema of the accepted response of a route."""
    for route, operations in OPENAPI["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", route)
        if method.lower() in operations and re.fullmatch(pattern, path):
            responses = operations[method.lower()]["responses"]
            [status] = [each for each in responses if each.startswith("2")]
            schema = responses[status]["content"]["application/json"]["schema"]
            return int(status), {**schema, "components": OPENAPI["components"]}
    raise AssertionError(f"docs/openapi.json has no {method} {path}")
