"""A client of the admin API: each response is validated against the generated OpenAPI document."""

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
from connector.connection_settings import AdminSettings
from functions.admin import app as admin
from functions.admin.openapi import document
from local.template_settings import template_settings
from tests.component.harness import Harness
from tests.component.lambda_context import FakeLambdaContext

EVENTS = Path(__file__).parents[2] / "events"
WHO = "arn:aws:iam::123456789012:user/alice"


@lru_cache(maxsize=1)
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of the admin API."""
    return document(admin.app)


@dataclass(frozen=True)
class AdminResponse:
    """A response of the admin API; `body` is its JSON, None for other content types."""

    status: int
    body: Any
    text: str
    headers: dict[str, str]


@dataclass
class AdminClient:
    """Sends requests as API Gateway does; `seen` has the method, route and status of responses."""

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
    ) -> AdminResponse:
        """Send a request and validate the response against the OpenAPI document."""
        event = json.loads((EVENTS / "admin_status.json").read_text(encoding="utf-8"))
        event |= {"httpMethod": method, "path": path, "resource": path}
        event["body"] = raw if raw is not None else None if body is None else json.dumps(body)
        event["queryStringParameters"] = query or None
        event["multiValueQueryStringParameters"] = {k: [v] for k, v in query.items()} or None
        event["requestContext"]["identity"]["userArn"] = who
        if raw is not None:
            event["headers"]["Content-Type"] = "application/yaml"
            event["multiValueHeaders"]["Content-Type"] = ["application/yaml"]
        response = admin.handler(event, FakeLambdaContext())
        headers = {name: values[0] for name, values in response["multiValueHeaders"].items()}
        self._check(method, path, response["statusCode"], headers["Content-Type"], response["body"])
        is_json = headers["Content-Type"] == "application/json"
        parsed = json.loads(response["body"]) if is_json else None
        return AdminResponse(response["statusCode"], parsed, response["body"], headers)

    def request_ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request that must succeed; return the JSON of the response."""
        response = self.request(method, path, body, **options)
        assert response.status in (200, 202), response.text
        return response.body

    def _check(self, method: str, path: str, status: int, content: str, text: str) -> None:
        route = _route(method, path)
        if route is None:
            schema: dict[str, Any] = {"$ref": "#/components/schemas/ErrorResponse"}
        else:
            operation = openapi_document()["paths"][route][method.lower()]
            assert str(status) in operation["responses"], (method, route, status, text)
            schema = operation["responses"][str(status)]["content"][content]["schema"]
            self.seen.add((method, route, status))
        value = json.loads(text) if content == "application/json" else text
        validator = Draft202012Validator({**schema, "components": openapi_document()["components"]})
        errors = [error.message for error in validator.iter_errors(value)]
        assert not errors, errors


def _route(method: str, path: str) -> str | None:
    """Return the route of a path; a route with fewer parameters has priority."""
    for route in sorted(openapi_document()["paths"], key=lambda route: route.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route))
        if re.fullmatch(pattern, path) and method.lower() in openapi_document()["paths"][route]:
            return str(route)
    return None


def in_path(text: str) -> str:
    """Return a name, encoded for a path."""
    return quote(text, safe="")


def build_admin_context(harness: Harness) -> AdminContext:
    """Build the real admin context on moto and on both simulators in this process."""
    return build_app(template_settings(AdminSettings, **harness.resources), **harness.runtime)
