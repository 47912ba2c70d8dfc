"""What a page of the console works with: the request, the user, the use cases, the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlencode

from connector.admin.alert_recipients import Subscriptions
from connector.admin.context import AdminContext
from connector.admin.errors import UnknownItemError
from connector.console.seals import Seals
from connector.console.session import Session
from connector.console.shown_settings import ShownSettings
from connector.console.texts import Texts
from connector.console.web import Request, Response, redirect


class Renderer(Protocol):
    """Makes the HTML of a page."""

    def __call__(self, template: str, page: PageContext, /, **view: object) -> str:
        """Return the HTML of a template with a view."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """One visit of a page. `base` is the path of the console's address, '' or '/v1/console'.

    `session` is None on the few pages that need no sign-in. `parameters` are the parts of the path
    that the route names.
    """

    request: Request
    session: Session | None
    admin: AdminContext
    subscriptions: Subscriptions
    settings: ShownSettings
    seals: Seals
    texts: Texts
    base: str
    renderer: Renderer
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> Session:
        """The signed-in user; every route but the public ones has one."""
        if self.session is None:
            raise AssertionError("a route without a session has no user")
        return self.session

    @property
    def actor(self) -> str:
        """The user's name in the audit log."""
        return self.user.actor

    def query(self, name: str) -> str:
        """Return a part of the query; '' if there is none."""
        return self.request.query.get(name, "")

    def url(self, path: str, **query: str) -> str:
        """Return the address of a page, with those parts of a query that are not ''.

        The first page has no slash at its end: API Gateway has a route for it without one only.
        """
        present = {name: value for name, value in query.items() if value}
        place = self.base if self.base and path == "/" else f"{self.base}{path}"
        return f"{place}{'?' if present else ''}{urlencode(present)}"

    def person_url(self, email: str) -> str:
        """Return the address of a person's page, which does not show who it is."""
        return self.url(f"/people/{self.seals.person_id(email)}")

    def person_email(self, person_id: str) -> str:
        """Return the e-mail of a person's id. Raises `UnknownItemError` for any other text."""
        email = self.seals.email(person_id)
        if not email:
            raise UnknownItemError("this address of a person is not valid: search the person again")
        return email

    def run_url(self, run_id: str) -> str:
        """Return the address of a run's page."""
        return self.url(f"/runs/{quote(run_id, safe='')}")

    def render(
        self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **view: object
    ) -> Response:
        """Return a page."""
        return Response(status, self.renderer(template, self, **view))

    def go(self, path: str, done: str = "", **query: str) -> Response:
        """Return the redirect after an action; `done` is the key of the text that reports it."""
        return redirect(self.url(path, done=done, **query))
