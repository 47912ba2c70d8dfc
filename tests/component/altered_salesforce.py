"""A simulated org whose answers a test replaces or alters, for a few requests only."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from connector.http_session import HttpSession
from connector.model import Side
from local.serving import InProcessAdapter
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Replace = Callable[[Request], Response | None]
"""Returns the answer to a request; None: the org answers it."""
Alter = Callable[[Request, Response], None]
"""Changes an answer of the org."""
COLLECTIONS = "composite/sobjects"
TWO_HOURS = 7200


class AlteredOrg:
    """An application before the org: `replace` may answer, `alter` may change an answer."""

    def __init__(
        self, org: WSGIApplication, replace: Replace | None = None, alter: Alter | None = None
    ) -> None:
        self._org = org
        self._replace = replace
        self._alter = alter

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        body = request.get_data(cache=True)
        response = self._replace(request) if self._replace is not None else None
        if response is None:
            environ["HTTP_ACCEPT_ENCODING"] = "identity"  # `alter` reads the answer
            environ["wsgi.input"] = io.BytesIO(body)
            chunks, status, headers = run_wsgi_app(self._org, environ, buffered=True)
            response = Response(b"".join(chunks), status=status, headers=headers)
            if self._alter is not None:
                self._alter(request, response)
        return response(environ, start)


def put_before_org(
    harness: Harness, replace: Replace | None = None, alter: Alter | None = None
) -> None:
    """Let a new worker reach the org through these changes."""
    adapter = InProcessAdapter(AlteredOrg(harness.org, replace, alter))
    ordinary = harness.http

    def http(side: Side, *, authority: str = "") -> HttpSession:
        session = ordinary(side, authority=authority)
        if side is Side.SALESFORCE:
            session.mount("https://", adapter)
        return session

    harness.http = http  # type: ignore[method-assign]
    worker = harness.build(harness.settings)
    harness.context, harness.engine = worker.context, worker.engine


def json_answer(body: Any, status: int = 200) -> Response:
    """Return a response with this JSON."""
    return Response(json.dumps(body), status=status, content_type="application/json")


def rest_error(code: str, status: int = 400) -> Response:
    """Return the error of a call, as the REST API answers it."""
    return json_answer([{"errorCode": code, "message": ""}], status)


def record_error(code: str, message: str = "") -> dict[str, Any]:
    """Return the answer of sObject Collections to one record that was refused."""
    error = {"statusCode": code, "message": message, "fields": []}
    return {"success": False, "errors": [error]}


def is_write(request: Request) -> bool:
    """Whether a request writes Leads."""
    return COLLECTIONS in request.path


def records_of(request: Request) -> list[dict[str, Any]]:
    """Return the records that a request writes."""
    records: list[dict[str, Any]] = json.loads(request.get_data())["records"]
    return records


def two_hours_later(harness: Harness) -> None:
    """Let the ordinary time between two runs pass on every clock."""
    advance_clocks(harness, TWO_HOURS)
    harness.let_pass(TWO_HOURS)
    harness._token = harness._log_in()  # the session of the test itself expired
