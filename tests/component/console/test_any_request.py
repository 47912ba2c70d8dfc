"""Every route of the console answers any form, query and name; the function, any event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.console.pages import ROUTES
from connector.console.roles import UserRole
from functions.console import app as console_function
from tests.component.console.conftest import OpenBrowser
from tests.component.console.console_browser import Browser
from tests.component.lambda_context import FakeLambdaContext
from tests.property.strategies import TEXTS

NAMES = (
    *("confirmed", "current", "direction", "field", "intended", "kind", "key", "lead", "next"),
    *("number", "on", "person", "plezi", "policy", "preview", "record", "salesforce", "side"),
    *("text", "to", "version", "plezi_value", "salesforce_value", "done", "example"),
)
VALUES = TEXTS | st.sampled_from(["yes", "Phone", "phone", "hold", "newest", "both", "plezi", "0"])
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ANSWERED = {200, 303, 403, 404, 409, 422, 502, 503}


@pytest.fixture
def browser(open_browser: OpenBrowser, ana: str) -> Browser:
    assert ana
    return open_browser(*UserRole)


@FEW
@given(route=st.sampled_from(ROUTES), fields=FIELDS, name=TEXTS)
def test_a_route_with_any_form_query_and_name_has_an_answer(
    browser: Browser, route: Any, fields: dict[str, str], name: str
) -> None:
    path = route.path.replace("{person}", name).replace("{run_id}", name)
    event = browser.event(route.method, "/", {**fields, "form_token": browser.form_token()})
    event["pathParameters"] = {"proxy": path.lstrip("/")}
    event["queryStringParameters"] = fields
    console_function.APP.use(browser.console)
    response = console_function.handler(event, FakeLambdaContext())
    assert response["statusCode"] in ANSWERED, response["body"]


@FEW
@given(
    st.sampled_from(["body", "headers", "pathParameters", "queryStringParameters", "httpMethod"]),
    st.none() | TEXTS | st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_an_event_of_any_shape_has_an_answer(browser: Browser, key: str, value: object) -> None:
    console_function.APP.use(browser.console)
    event = {**browser.event("POST", "/switch", {"on": "no"}), key: value}
    response = console_function.handler(event, FakeLambdaContext())
    assert response["statusCode"] in {*ANSWERED, 400, 401}
