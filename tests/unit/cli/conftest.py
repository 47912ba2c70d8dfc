"""A stack that answers over HTTP from inside the test process, and its stack file."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.serving import ServedApplication
from plezi_sync.__main__ import main
from plezi_sync.machine import Machine
from tests.unit.cli.fake_stack import QUEUES, FakeStack

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NOW = 1_795_705_200.0
"""26 November 2026, 15:00 UTC, which is 16:00 in Paris."""


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No AWS configuration, no proxy, an empty current folder, the time of Paris."""
    for name in os.environ:
        if name.startswith(("AWS_", "PLEZI_SYNC_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    monkeypatch.chdir(tmp_path)
    yield
    monkeypatch.undo()
    time.tzset()


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
    arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret"
    content = {
        "region": "eu-west-1",
        "aws_endpoint": url,
        "aws_access_key_id": "embedded",
        "aws_secret_access_key": "embedded",
        "stack_name": "plezi-salesforce",
        "api_url": f"{url}/v1",
        "functions": {
            "scheduled_sync": "fn-scheduled",
            "sync_worker": "fn-worker",
            "rotate_credentials": "fn-rotate",
        },
        "secrets": {"salesforce": f"{arn}:sf", "plezi": f"{arn}:plezi", "forms": f"{arn}:forms"},
        "queues": {name: f"{url}/000000000000/{name}" for name in QUEUES},
        "salesforce": {"url": "https://127.0.0.1:4001"},
        "plezi": {"url": "http://127.0.0.1:4002/api/v1"},
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.fixture
def local_stack(url: str, stack: FakeStack) -> Path:
    """The stack file of the fake stack, in the current folder."""
    assert stack.received == []
    return write_stack_file(url)


class Terminal(io.StringIO):
    """A keyboard at which somebody sits."""

    def isatty(self) -> bool:
        return True


@dataclass
class Person:
    """A person, or a script, who uses the program.

    `answers` are typed in order; without any the standard input is no terminal and holds `piped`.
    `edited` is what the editor makes of a file. The program fills `slept`, `questions`, `hidden`
    and `opened`.
    """

    answers: list[str] = field(default_factory=list)
    piped: str = ""
    edited: Callable[[str], str] = str
    is_interactive: bool = False
    slept: list[float] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def run(self, *arguments: str) -> int:
        """Run a command and return its exit status."""
        return main(arguments, self._machine())

    def _machine(self) -> Machine:
        at_keyboard = self.is_interactive or bool(self.answers)
        keyboard = Terminal() if at_keyboard else io.StringIO(self.piped)
        return Machine(
            clock=lambda: NOW,
            sleep=self._sleep,
            stdin=lambda: keyboard,
            ask=self._ask,
            ask_secret=self._ask_secret,
            edit=self._edit,
            open_page=self._open,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()

    def _ask(self, question: str) -> str:
        self.questions.append(question)
        return self._answer()

    def _ask_secret(self, question: str) -> str:
        self.hidden.append(question)
        return self._answer()

    def _answer(self) -> str:
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def _edit(self, file: Path) -> None:
        file.write_text(self.edited(file.read_text("utf-8")), encoding="utf-8")

    def _open(self, url: str) -> bool:
        self.opened.append(url)
        return True


@pytest.fixture
def person() -> Person:
    return Person()
