"""A login host that answers what a test says; everything else reaches the simulated org."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from connector.http_session import HttpSession
from connector.model import Side
from local.serving import InProcessAdapter
from tests.component.harness import Harness

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TOKEN_PATH = "/services/oauth2/token"  # a path


class LoginHost:
    """A WSGI application in front of the org; `answer` is the status and body of every login."""

    def __init__(self, org: WSGIApplication) -> None:
        self._org = org
        self.answer: tuple[int, bytes] | None = None
        self.logins = 0

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != TOKEN_PATH or self.answer is None:
            return self._org(environ, start)
        self.logins += 1
        status, body = self.answer
        headers = {"Location": "https://portal.example/login"} if status in range(300, 400) else {}
        return Response(body, status, headers)(environ, start)


def put_in_front(harness: Harness) -> LoginHost:
    """Put a login host in front of the harness's org, for a new process."""
    host = LoginHost(harness.org)

    def http(side: Side, *, authority: str = "") -> HttpSession:  # noqa: ARG001  # no TLS here
        session = HttpSession(monotonic=time.monotonic)
        application = host if side is Side.SALESFORCE else harness.tenant
        session.mount("https://", InProcessAdapter(application))
        return session

    harness.http = http  # type: ignore[method-assign]
    harness.app = harness.build(harness.settings)
    harness.context, harness.engine = harness.app.context, harness.app.engine
    return host
