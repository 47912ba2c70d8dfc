"""A browser of the console without a screen: it keeps cookies, follows forms, and reads pages."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connector.bootstrap import build_app
from connector.bootstrap.lambda_runtime import new_token
from connector.bootstrap.runtime import WebParts
from connector.connection_settings import ConsoleSettings
from connector.console.application import Console
from functions.console import app as console_function
from functions.console.request import parse_event
from local.template_settings import template_settings
from tests.component.console.user_pool import CLIENT, ISSUER, PAGES, FakeUserPool
from tests.component.harness import Harness
from tests.component.lambda_context import FakeLambdaContext

EVENT = Path(__file__).parents[3] / "events" / "console.json"
URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/v1/console"
BASE = urlsplit(URL).path


def build_console(harness: Harness, pool: FakeUserPool) -> Console:
    """Build the deployed console on moto, both simulators, and a user pool in this process."""
    settings = template_settings(
        ConsoleSettings,
        **harness.resources,
        console_url=URL,
        console_secret="console",
        sign_in_url=PAGES,
        sign_in_issuer=ISSUER,
        sign_in_keys_url=f"{ISSUER}/.well-known/jwks.json",
        sign_in_client_id=CLIENT,
    )
    return build_app(settings, **harness.runtime, web=WebParts(pool.session, new_token))


@dataclass(frozen=True)
class Page:
    """One response."""

    status: int
    text: str
    headers: dict[str, str]
    cookies: tuple[str, ...]

    @property
    def location(self) -> str:
        """Where the response sends the browser to; below the console, without its path."""
        location = self.headers.get("Location", "").removeprefix(BASE)
        return location if location.startswith(("/", "http")) else f"/{location}"

    def forms(self) -> list[tuple[str, dict[str, str]]]:
        """Return the address and the hidden fields of each form with POST."""
        found = []
        for form in re.findall(r'<form method="post".*?</form>', self.text, re.DOTALL):
            action = re.search(r'action="([^"]*)"', form)
            assert action is not None
            fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
            path = html.unescape(action[1]).removeprefix(BASE)
            found.append((path, {name: html.unescape(it) for name, it in fields}))
        return found

    def form(self, path: str, **wanted: str) -> dict[str, str]:
        """Return the fields of the first form to a path that has these values."""
        for action, fields in self.forms():
            if action == path and wanted.items() <= fields.items():
                return fields
        raise AssertionError(f"no form to {path} with {wanted}: {self.forms()}")

    def actions(self) -> set[str]:
        """Return the paths of all forms with POST."""
        return {path for path, _ in self.forms()}


@dataclass
class Browser:
    """One browser with its cookies."""

    console: Console
    pool: FakeUserPool
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)

    def event(self, method: str, path: str, form: Any = None) -> dict[str, Any]:
        """Return the event of API Gateway for a request."""
        event: dict[str, Any] = json.loads(EVENT.read_text(encoding="utf-8"))
        parts = urlsplit(path)
        event["httpMethod"] = method
        event["path"] = f"/console{parts.path}"
        event["pathParameters"] = {"proxy": parts.path.lstrip("/")} if parts.path != "/" else None
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        event["queryStringParameters"] = query or None
        event["body"] = None if form is None else urlencode(form, doseq=True)
        event["headers"]["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        event["headers"]["Accept-Language"] = self.language
        return event

    def request(self, method: str, path: str, form: Any = None) -> Page:
        """Send a request to the deployed function, and keep the cookies of its response."""
        console_function.APP.use(self.console)
        response = console_function.handler(self.event(method, path, form), FakeLambdaContext())
        cookies = tuple(response.get("multiValueHeaders", {}).get("Set-Cookie", ()))
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return Page(response["statusCode"], response["body"], response["headers"], cookies)

    def get(self, path: str) -> Page:
        """Open a page."""
        return self.request("GET", path)

    def post(self, path: str, /, **form: Any) -> Page:
        """Send a form that the console showed."""
        return self.request("POST", path, {"form_token": self.form_token(), **form})

    def follow(self, page: Page) -> Page:
        """Open the page that a response sends the browser to."""
        assert page.status == 303, page.text
        return self.get(page.location)

    def submit(self, page: Page, path: str, /, **wanted: str) -> Page:
        """Send a form of a page, with its own fields."""
        return self.request("POST", path, page.form(path, **wanted))

    def form_token(self) -> str:
        """Return the token of the session."""
        session = self.console.sessions.read(
            parse_event(self.event("GET", "/")).cookies.get("__Secure-console", "")
        )
        return session.form_token if session else ""

    def sign_in(self, *groups: str, email: str = "marie@example.com", to: str = "/") -> Page:
        """Sign in as a user of the user pool; return the response that begins the session."""
        started = self.get(f"/sign-in?{urlencode({'to': to})}")
        back = self.pool.log_in(started.headers["Location"], email, groups)
        return self.get(back.removeprefix(URL))
