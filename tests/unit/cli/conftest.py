"""A stack that answers over HTTP from inside the test process, and its stack file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from local.serving import ServedApplication

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECRET_SERVICE_PREFIX = "secretsmanager."
INVOCATION_PREFIX = "/2015-03-31/functions/"
PENDING_VERSION = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as the stack received it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        value: object = json.loads(self.body)
        return value


@dataclass
class FakeStack:
    """The admin API, the functions and the secret of one stack; tests set the next response."""

    response: Response = field(default_factory=lambda: Response("{}", 200))
    function_response: object = field(default_factory=dict)
    function_error: str = ""
    received: list[ReceivedRequest] = field(default_factory=list)

    def answer(self, status: int, body: str, **headers: str) -> None:
        """Set the next response of the admin API."""
        content_type = headers.pop("content_type", "application/json")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = Response(body, status, headers=named, content_type=content_type)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = request.full_path.removesuffix("?")
        body = request.get_data()
        self.received.append(ReceivedRequest(request.method, path, dict(request.headers), body))
        if request.path.startswith(INVOCATION_PREFIX):
            headers = {"X-Amz-Function-Error": self.function_error} if self.function_error else {}
            return Response(json.dumps(self.function_response), 200, headers=headers)
        if request.headers.get("X-Amz-Target", "").startswith(SECRET_SERVICE_PREFIX):
            return Response(json.dumps({"VersionId": PENDING_VERSION}), 200)
        return self.response


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No AWS configuration, no proxy, and an empty current folder."""
    for name in os.environ:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")


@dataclass
class FakeServer:
    """Serves the stack of the current test: one server for all, because stopping it takes 0.5 s."""

    stack: FakeStack = field(default_factory=FakeStack)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on (WSGI)."""
        return self.stack(environ, start_response)


@pytest.fixture(scope="session")
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture(scope="session")
def url(server: FakeServer) -> Iterator[str]:
    with ServedApplication(server) as served:
        yield served.url


@pytest.fixture
def stack(server: FakeServer) -> FakeStack:
    server.stack = FakeStack()
    return server.stack


def write_stack_file(url: str) -> Path:
    """Write `.local/stack.json` in the current folder, with the keys that `make up` writes."""
    file = Path(".local/stack.json")
    file.parent.mkdir(exist_ok=True)
    content = {
        "region": "eu-west-1",
        "aws_endpoint": url,
        "aws_access_key_id": "embedded",
        "aws_secret_access_key": "embedded",
        "stack_name": "plezi-salesforce",
        "api_url": f"{url}/v1",
        "functions": {"scheduled_sync": "fn-scheduled", "rotate_credentials": "fn-rotate"},
        "secrets": {"salesforce": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:sf"},
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.fixture
def local_stack(url: str, stack: FakeStack) -> Path:
    """The stack file of the fake stack, in the current folder."""
    assert stack.received == []
    return write_stack_file(url)
