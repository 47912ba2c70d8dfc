"""The process of a deployed function: environment, clock, ids, AWS clients, HTTP, log.

This is the only module that reads the environment, the clock and random numbers.
"""

from __future__ import annotations

import gc
import os

IN_LAMBDA = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""Set by Lambda in every function (AWS Lambda Developer Guide, "Environment variables")."""

if os.environ.get(IN_LAMBDA):
    # The imports below make many objects that all stay: to look for garbage among them takes up to
    # a tenth of the CPU of a cold start. `LambdaApp` starts the collection again.
    gc.disable()

import random
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from connector.bootstrap import build_app
from connector.bootstrap.aws_adapters import BotoAdapters
from connector.bootstrap.runtime import WebParts
from connector.clean_text import encodable
from connector.deadline import Deadline
from connector.model import Side
from connector.parallel import one_after_another
from connector.settings import read_settings
from connector.telemetry import log_event, with_lambda_context

if TYPE_CHECKING:
    from connector.connection_settings import (
        AdminSettings,
        ConsoleSettings,
        FormWorkerSettings,
        RotationSettings,
        WorkerSettings,
    )
    from connector.http_session import HttpSession
    from connector.settings import FormReceiverSettings, RunRequestSettings

    Settings = TypeVar(
        "Settings",
        RunRequestSettings,
        FormReceiverSettings,
        WorkerSettings,
        FormWorkerSettings,
        ConsoleSettings,
        AdminSettings,
        RotationSettings,
    )

App = TypeVar("App")
T = TypeVar("T")

PARALLEL_CALLS = 16
"""Calls made at the same time. A conditional put is a few milliseconds of waiting and a fraction of
one of CPU time."""


DEADLINE = Deadline(time.time)
"""The deadline of the process; `lambda_handler` starts it for each invocation."""


@runtime_checkable
class Context(Protocol):
    """What Lambda passes about an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda stops the function."""


def lambda_handler(
    handler: Callable[[dict[str, Any], Any], T],
) -> Callable[[dict[str, Any], Any], T]:
    """Make a handler of a function: its log lines name the invocation, its calls end in time."""

    @wraps(handler)
    def handle(event: dict[str, Any], context: Any) -> T:  # noqa: ANN401  # Lambda's object
        if isinstance(context, Context):
            DEADLINE.start(remaining=context.get_remaining_time_in_millis() / 1000)
        return _sendable(with_lambda_context(handler)(event, context))

    return handle


def _sendable(response: T) -> T:
    """Return a response whose body Lambda can encode: a value may have half of a character.

    Without this, one such value would make the answer for all others fail.
    """
    if isinstance(response, dict) and isinstance(body := response.get("body"), str):
        response["body"] = encodable(body)
    return response


def new_id() -> str:
    """Return an id that sorts by time: runs are listed in the order of their requests."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


def http_session(side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG001  # a port
    """Return an HTTP session for one system."""
    from connector.http_session import HttpSession

    return HttpSession(authority=authority, monotonic=time.monotonic)


def web_session() -> HttpSession:
    """Return an HTTP session for a call to the user pool."""
    from connector.http_session import HttpSession

    session = HttpSession(monotonic=time.monotonic)
    session.limit_time(DEADLINE)
    return session


def new_token() -> str:
    """Return 256 random bits as text, which cannot be guessed."""
    return secrets.token_urlsafe(32)


def build_from_environment(kind: type[Settings]) -> Any:  # noqa: ANN401  # by the settings' class
    """Build what one kind of function needs, with the settings in its environment variables."""
    settings = read_settings(kind, os.environ)
    return build_app(
        settings,
        aws=BotoAdapters(
            time.time,
            new_id,
            time.sleep,
            random.random,
            log_event,
            parallel=in_threads,
            deadline=DEADLINE,
        ),
        http=http_session,
        clock=time.time,
        ids=new_id,
        sleep=time.sleep,
        random=random.random,
        log=log_event,
        deadline=DEADLINE,
        web=WebParts(web_session, new_token),
    )


def in_threads(calls: Sequence[Callable[[], T]], /) -> list[T]:
    """Make calls at the same time. Satisfies `parallel.Parallel`."""
    if len(calls) < 2:  # noqa: PLR2004  # a single call needs no thread
        return one_after_another(calls)
    with ThreadPoolExecutor(PARALLEL_CALLS) as pool:
        futures = [pool.submit(call) for call in calls]
    return one_after_another([future.result for future in futures])


class LambdaApp(Generic[App]):
    """What one function needs: built when its module is imported in Lambda, else at first use.

    Lambda gives the import of a module more CPU than an invocation, and does not bill it by the
    invocation's rate limit; elsewhere, in tests, the environment is not set at import.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._app: App | None = None
        if os.environ.get(IN_LAMBDA):
            self.get()
            gc.freeze()  # all that exists now stays: the collection need not look at it again
            gc.enable()

    def get(self) -> App:
        """Return what the function needs."""
        if self._app is None:
            self._app = build_from_environment(self._kind)
        return self._app

    def use(self, app: App | None) -> None:
        """Use this from now on; None: build it again at the next use. For tests."""
        self._app = app
