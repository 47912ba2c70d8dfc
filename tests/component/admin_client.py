"""An administrator at the admin API: every answer is held against the generated OpenAPI."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

from connector.admin.context import AdminContext
from connector.bootstrap import build_app
from connector.settings import AdminSettings
from functions.admin import app as admin
from functions.admin.openapi import document
from local.template_settings import template_settings
from tests.component.harness import Harness
from tests.component.lambda_context import FakeLambdaContext

EVENTS = Path(__file__).parents[2] / "events"
WHO = "arn:aws:iam::123456789012:user/alice"


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The OpenAPI document of the admin API."""
    return document(admin.app)


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    body: Any
    text: str
    headers: dict[str, str]


@dataclass
class AdminClient:
    """Asks as API Gateway does; remembers which routes answered with what."""

    seen: set[tuple[str, str, int]] = field(default_factory=set)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: str | None = None,
        who: str = WHO,
        **query: str,
    ) -> Answered:
        """Ask, and check that the answer is as the description promises."""
        event = json.loads((EVENTS / "admin_status.json").read_text(encoding="utf-8"))
        event |= {"httpMethod": method, "path": path, "resource": path}
        event["body"] = raw if raw is not None else None if body is None else json.dumps(body)
        event["queryStringParameters"] = query or None
        event["multiValueQueryStringParameters"] = {k: [v] for k, v in query.items()} or None
        event["requestContext"]["identity"]["userArn"] = who
        if raw is not None:
            event["headers"]["Content-Type"] = "application/yaml"
            event["multiValueHeaders"]["Content-Type"] = ["application/yaml"]
        answer = admin.handler(event, FakeLambdaContext())
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        self._check(method, path, answer["statusCode"], headers["Content-Type"], answer["body"])
        is_json = headers["Content-Type"] == "application/json"
        parsed = json.loads(answer["body"]) if is_json else None
        return Answered(answer["statusCode"], parsed, answer["body"], headers)

    def request_ok(self, method: str, path: str, body: Any = None, **asked: Any) -> Any:
        """Ask for what must succeed; return its JSON."""
        answer = self.request(method, path, body, **asked)
        assert answer.status in (200, 202), answer.text
        return answer.body

    def _check(self, method: str, path: str, status: int, content: str, text: str) -> None:
        route = _route(method, path)
        if route is None:
            schema: dict[str, Any] = {"$ref": "#/components/schemas/ErrorResponse"}
        else:
            operation = described()["paths"][route][method.lower()]
            assert str(status) in operation["responses"], (method, route, status, text)
            schema = operation["responses"][str(status)]["content"][content]["schema"]
            self.seen.add((method, route, status))
        value = json.loads(text) if content == "application/json" else text
        validator = Draft202012Validator({**schema, "components": described()["components"]})
        wrong = [error.message for error in validator.iter_errors(value)]
        assert not wrong, wrong


def _route(method: str, path: str) -> str | None:
    """The route of the description that a path is meant for; one without names goes first."""
    for route in sorted(described()["paths"], key=lambda it: it.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route))
        if re.fullmatch(pattern, path) and method.lower() in described()["paths"][route]:
            return str(route)
    return None


def in_path(text: str) -> str:
    """A name as it must be written in a path."""
    return quote(text, safe="")


def build_admin_context(harness: Harness) -> AdminContext:
    """The real context of administration, on moto and on both simulators in this process."""
    return build_app(template_settings(AdminSettings, **harness.resources), **harness.runtime)
