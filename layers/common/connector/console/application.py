"""The console as a whole: who may see what, and what every response has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from connector.admin.alert_recipients import Subscriptions
from connector.admin.context import AdminContext
from connector.admin.errors import InvalidMappingError, InvalidRequestError, UnknownItemError
from connector.admin.runs import list_runs
from connector.admin.status import show_attention
from connector.console import session as sessions
from connector.console import sign_in as signing_in
from connector.console.addresses import HOME, local_path
from connector.console.context import PageContext
from connector.console.history import renew_history
from connector.console.pages import ROUTES
from connector.console.rendering import STATIC, render, static_file, static_version
from connector.console.roles import roles_from_groups
from connector.console.routes import find_route
from connector.console.seals import Seals
from connector.console.session import Session, Sessions
from connector.console.shown_settings import ShownSettings
from connector.console.sign_in import SignIn, SignInError
from connector.console.texts import LANGUAGES, Texts, choose_language
from connector.console.web import Request, Response, cookie, redirect
from connector.errors import (
    ConnectorError,
    HaltError,
    MappingError,
    RejectedError,
    RetryError,
    StaleError,
    StopReason,
)

LANGUAGE_COOKIE: Final = "__Secure-console-language"
YEAR_SECONDS: Final = 365 * 86_400
KEPT: Final = f"public, max-age={YEAR_SECONDS}, immutable"
NOT_KEPT: Final = "no-store"
ERROR_STATUSES: Final[Mapping[type[ConnectorError], HTTPStatus]] = {
    UnknownItemError: HTTPStatus.NOT_FOUND,
    InvalidMappingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MappingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StaleError: HTTPStatus.CONFLICT,
    RetryError: HTTPStatus.SERVICE_UNAVAILABLE,
    HaltError: HTTPStatus.BAD_GATEWAY,
    RejectedError: HTTPStatus.BAD_GATEWAY,
}
"""The status of each error of a use case, the same as in the admin API."""


@dataclass(frozen=True)
class Console:
    """The console: answers one request at a time. `url` is its address, without a slash at the end.

    `path` is the path of that address.
    """

    url: str
    admin: AdminContext
    subscriptions: Subscriptions
    settings: ShownSettings
    seals: Seals
    sessions: Sessions
    login: SignIn

    @property
    def path(self) -> str:
        """The path of the console's address."""
        return urlsplit(self.url).path

    def answer(self, request: Request) -> Response:
        """Answer a request. Raises only defects."""
        response = self._static(request) or self._answer_page(request)
        return replace(response, headers={**self._headers(), **response.headers})

    def count_waiting(self) -> None:
        """Count the people who wait for a decision, for the chart: a day on which nobody looks."""
        latest = next(iter(list_runs(self.admin, limit=1).runs), None)
        renew_history(self.admin, show_attention(self.admin), latest)

    def _headers(self) -> dict[str, str]:
        """Return what keeps a page from being framed, kept, or made to load anything of others."""
        pool = urlsplit(self.login.pool.pages)
        policy = {
            "default-src": "'none'",
            "style-src": "'self'",
            "script-src": "'self'",
            "img-src": "'self'",
            "connect-src": "'self'",
            # Signing out sends a form, which is redirected to the user pool.
            "form-action": f"'self' {pool.scheme}://{pool.netloc}",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {it}" for name, it in policy.items()),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Strict-Transport-Security": f"max-age={YEAR_SECONDS}",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Cache-Control": NOT_KEPT,
        }

    def _static(self, request: Request) -> Response | None:
        folder, _, name = request.path.rpartition("/")
        if request.method != "GET" or folder != f"/static/{static_version()}":
            return None
        if name not in STATIC:
            return None
        headers = {"Cache-Control": KEPT}
        return Response(HTTPStatus.OK, static_file(name), STATIC[name], headers)

    def _answer_page(self, request: Request) -> Response:
        session = self.sessions.read(request.cookies.get(sessions.COOKIE, ""))
        language = choose_language(request.cookies.get(LANGUAGE_COOKIE, ""), request.languages)
        page = PageContext(
            request,
            session,
            self.admin,
            self.subscriptions,
            self.settings,
            self.seals,
            Texts(language),
            self.path,
            render,
        )
        public = self._public_pages().get((request.method, request.path))
        if public is not None:
            return public(page)
        if session is None:
            return self._without_session(page)
        if request.method == "POST" and not session.accepts(request.value("form_token")):
            return _error(page, HTTPStatus.FORBIDDEN, "error.form")
        if (request.method, request.path) == ("POST", "/sign-out"):
            return self._sign_out(session)
        if self.sessions.must_be_checked(session):
            return self._answer_after_check(page, session)
        return _answer_route(page)

    def _answer_after_check(self, page: PageContext, session: Session) -> Response:
        """Answer only what the user pool still allows the user; nothing while it does not say so.

        The answer has the session as it is from now on.
        """
        try:
            found = self.login.check(session.subject, session.refresh_token)
        except SignInError as error:
            if error.cause != "unavailable":
                return self._end_session(page)
            unknown = replace(page, session=None)
            return _error(unknown, HTTPStatus.SERVICE_UNAVAILABLE, "sign_in.unavailable")
        roles = roles_from_groups(found.groups)
        if not roles:
            return self._end_session(page)
        checked = self.sessions.renew(session, found.email, roles)
        answer = _answer_route(replace(page, session=checked))
        value, seconds = self.sessions.cookie(checked)
        renewed = cookie(sessions.COOKIE, value, self.path or "/", seconds)
        return replace(answer, cookies=(*answer.cookies, renewed))

    def _end_session(self, page: PageContext) -> Response:
        """Answer as without a session, and forget the one that the user pool has ended."""
        answer = self._without_session(replace(page, session=None))
        return replace(answer, cookies=(cookie(sessions.COOKIE, "", self.path or "/", 0),))

    def _public_pages(self) -> dict[tuple[str, str], Callable[[PageContext], Response]]:
        """Return the pages that need no session."""
        return {
            ("GET", "/sign-in"): self._sign_in,
            ("GET", "/signed-in"): self._signed_in,
            ("GET", "/signed-out"): lambda page: page.render("signed_out.html"),
            ("GET", "/language"): self._use_language,
        }

    def _without_session(self, page: PageContext) -> Response:
        """Ask for a sign-in; what a form contained is lost, so its user is not sent on silently."""
        if page.request.method != "GET":
            return _error(page, HTTPStatus.UNAUTHORIZED, "error.session")
        query = {name: it for name, it in page.request.query.items() if name != "done"}
        return redirect(page.url("/sign-in", to=local_path(replace_base(page, query))))

    def _sign_in(self, page: PageContext) -> Response:
        address, attempt = self.login.start(local_path(page.query("to") or HOME))
        seconds = signing_in.ATTEMPT_SECONDS
        return redirect(address, cookie(signing_in.COOKIE, attempt, self.path or "/", seconds))

    def _signed_in(self, page: PageContext) -> Response:
        """Begin a session; the cookie of the attempt works once, whatever its outcome."""
        forget = cookie(signing_in.COOKIE, "", self.path or "/", 0)
        attempt = page.request.cookies.get(signing_in.COOKIE, "")
        try:
            signed_in = self.login.finish(attempt, page.request.query)
        except SignInError as error:
            refused = _error(page, HTTPStatus.FORBIDDEN, f"sign_in.{error.cause}")
            return replace(refused, cookies=(forget,))
        identity = signed_in.identity
        roles = roles_from_groups(identity.groups)
        if not roles:
            refused = _error(page, HTTPStatus.FORBIDDEN, "sign_in.no_role")
            return replace(refused, cookies=(forget,))
        value = self.sessions.begin(
            identity.subject, identity.email, roles, signed_in.refresh_token
        )
        begun = cookie(sessions.COOKIE, value, self.path or "/", sessions.SESSION_SECONDS)
        return redirect(page.url(local_path(signed_in.return_to)), begun, forget)

    def _sign_out(self, session: Session) -> Response:
        """End the session here and at the user pool."""
        self.login.end(session.refresh_token)
        return redirect(self.login.pool.sign_out, cookie(sessions.COOKIE, "", self.path or "/", 0))

    def _use_language(self, page: PageContext) -> Response:
        language = page.query("to") if page.query("to") in LANGUAGES else LANGUAGES[0]
        chosen = cookie(LANGUAGE_COOKIE, language, self.path or "/", YEAR_SECONDS)
        return redirect(page.url(local_path(page.query("back"))), chosen)


def replace_base(page: PageContext, query: Mapping[str, str]) -> str:
    """Return the path and the query of a request, below the console's address."""
    return replace(page, base="").url(page.request.path, **query)


def _answer_route(page: PageContext) -> Response:
    """Answer with the page of a route, if the user has its role."""
    found = find_route(ROUTES, page.request.method, page.request.path)
    if found is None:
        return _error(page, HTTPStatus.NOT_FOUND, "error.no_page")
    route, parameters = found
    if not page.user.allows(route.role):
        return _error(
            page, HTTPStatus.FORBIDDEN, "error.role", role=page.texts(f"role.{route.role}")
        )
    try:
        return route.page(replace(page, parameters=parameters))
    except tuple(ERROR_STATUSES) as error:
        if isinstance(error, HaltError) and error.reason is StopReason.SETTINGS:
            raise  # a defect of the deployment
        kind = next(kind for kind in ERROR_STATUSES if isinstance(error, kind))
        status = ERROR_STATUSES[kind]
        return _error(page, status, f"error.{status.value}", detail=_detail(error))


def _detail(error: ConnectorError) -> str:
    """Return what a use case or a system says, with every problem of a mapping."""
    if isinstance(error, InvalidMappingError):
        return "\n".join(f"{it.pair}: {it.message}. {it.remedy}" for it in error.problems)
    return str(error)


def _error(
    page: PageContext, status: HTTPStatus, key: str, *, detail: str = "", **values: object
) -> Response:
    return page.render(
        "error.html", status=status, explanation=page.texts(key, **values), detail=detail
    )
