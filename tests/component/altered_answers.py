"""Answers of a simulated system that differ from its own: for some requests, or in some members."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import requests
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from connector.http_session import HttpSession
from connector.model import Side
from local.serving import InProcessAdapter
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Before = Callable[[Request], Response | None]
After = Callable[[Request, Response], object]


class AlteredAnswers:
    """A WSGI application before a simulator.

    `before` may answer a request in its place, `after` may change its answer.
    """

    def __init__(
        self, app: WSGIApplication, before: Before | None = None, after: After | None = None
    ) -> None:
        self._app = app
        self._before = before
        self._after = after

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data(cache=True)
        answer = self._before(request) if self._before is not None else None
        if answer is None:
            environ["wsgi.input"] = io.BytesIO(body)
            if self._after is not None:
                environ.pop("HTTP_ACCEPT_ENCODING", None)  # `after` reads the body
            chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
            answer = Response(b"".join(chunks), status=status, headers=headers)
            if self._after is not None:
                self._after(request, answer)
        return answer(environ, start_response)


def alter_answers(
    harness: Harness, altered: Side, before: Before | None = None, after: After | None = None
) -> None:
    """Let a new worker receive altered answers of one system."""
    app = harness.tenant if altered is Side.PLEZI else harness.org
    adapter, ordinary = InProcessAdapter(AlteredAnswers(app, before, after)), harness.http

    def http(side: Side, *, authority: str = "") -> HttpSession:
        session = ordinary(side, authority=authority)
        if side is altered:
            session.mount("https://", adapter)
        return session

    harness.http = http  # type: ignore[method-assign]
    worker = harness.build(harness.settings)
    harness.context, harness.engine = worker.context, worker.engine


def json_answer(body: object, status: int = 200) -> Response:
    """Return an answer with JSON."""
    return Response(json.dumps(body), status=status, content_type="application/json")


def edit_json(response: Response, edit: Callable[[Any], object]) -> None:
    """Change the JSON of an answer."""
    document = json.loads(response.get_data())
    edit(document)
    response.set_data(json.dumps(document))


def lost_answer() -> Response:
    """Let the connection break before an answer."""
    raise requests.ConnectionError("reset")


def is_list(request: Request) -> bool:
    """Whether a request to Plezi is for a list of contacts, and no search by e-mail."""
    is_contacts = request.method == "GET" and request.path.endswith("/contacts")
    return is_contacts and "filter[email]" not in request.args


def is_one_contact_list(request: Request) -> bool:
    """Whether a request to Plezi asks for one contact of the list: does Plezi work?"""
    return is_list(request) and request.args.get("per_page") == "1"


def let_hours_pass(harness: Harness, seconds: int = 7200) -> None:
    """Advance all clocks, and log the test's user in again."""
    let_call_hang(harness, seconds)
    harness._token = harness._log_in()


def let_call_hang(harness: Harness, seconds: float) -> None:
    """Advance all clocks by the time that a call takes."""
    advance_clocks(harness, seconds)
    harness.let_pass(seconds)
