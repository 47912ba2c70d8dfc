"""Every handler answers every event, or raises what its queue or its caller needs to know.

The events are built from real ones: any JSON in any place, any body, any header. Nothing is behind
the handlers but tables, queues and secrets of moto and the two simulators.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from connector.errors import ConnectorError, HaltError
from connector.json_object import JsonObjectError
from connector.sync.worker import UnexpectedRunError
from functions.admin.app import app, handler
from functions.form_sync import app as form_sync
from functions.form_worker import app as form_worker
from functions.manual_sync import app as manual_sync
from functions.rotate_credentials import app as rotate_credentials
from functions.scheduled_sync import app as scheduled_sync
from functions.sync_worker import app as sync_worker
from tests.component.deployment import forget_apps
from tests.component.form_harness import FormHarness, event, signed
from tests.component.harness import REGION
from tests.component.lambda_context import FakeLambdaContext
from tests.component.operation import build_apps
from tests.property.strategies import TEXTS

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
"""What an event of Lambda can hold: its JSON was parsed before."""
FEW: Final = 25
"""Examples of each test in `make test`: a handler takes up to 50 ms for one. `make fuzz` tries the
10,000 of its profile."""
IS_NIGHTLY: Final = settings.default is not None and settings.default.max_examples >= 10_000
FUZZ: Final = settings(
    max_examples=10_000 if IS_NIGHTLY else FEW,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STATUSES: Final = range(200, 600)
ROUTES: Final = sorted(
    (route.method, route.path) for route in app._dynamic_routes + app._static_routes
)
HEADERS: Final = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature", "x-form-token"]
    )
    | TEXTS,
    TEXTS | st.sampled_from(["application/json", "application/x-www-form-urlencoded"]),
    max_size=6,
)
FILES: Final = st.lists(
    st.sampled_from(
        [
            "version: 0",
            "pairs:",
            "  - {plezi: x}",
            "- ",
            "&a ",
            "*a",
            "<<: ",
            "!!int ",
            "1:30",
            "{",
            "]",
        ]
    )
    | TEXTS,
    max_size=12,
).map("\n".join)
"""Texts that look like YAML."""
BODIES: Final = JSON.map(json.dumps) | TEXTS | st.none()


@pytest.fixture(scope="module")
def harness() -> Iterator[FormHarness]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        started = FormHarness()
        build_apps(started)
        yield started
        forget_apps()


def altered(base: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Return an event with one member replaced, as a path separated by dots."""
    changed = copy.deepcopy(base)
    *parents, last = key.split(".")
    place: Any = changed
    for parent in parents:
        place = place[int(parent)] if isinstance(place, list) else place[parent]
    place[last] = value
    return changed


@FUZZ
@given(headers=HEADERS, body=BODIES, encoded=st.booleans(), is_signed=st.booleans())
def test_a_form_with_any_body_and_headers_has_an_answer(
    harness: FormHarness,
    headers: dict[str, str],
    body: str | None,
    *,
    encoded: bool,
    is_signed: bool,
) -> None:
    raw = (body or "").encode(errors="replace")
    sent = {"Content-Type": "application/json", **signed(raw)} if is_signed else {}
    request = {**event("form_sync"), "headers": {**headers, **sent}, "isBase64Encoded": encoded}
    response = form_sync.handler({**request, "body": body}, FakeLambdaContext())
    assert response["statusCode"] in {202, 400, 401, 413, 415}
    assert isinstance(json.loads(response["body"]), dict)
    harness.empty_queues()


@FUZZ
@given(
    key=st.sampled_from(["headers", "body", "requestContext", "isBase64Encoded"]),
    value=JSON,
    is_absent=st.booleans(),
)
def test_a_form_event_of_any_shape_has_an_answer(
    harness: FormHarness, key: str, value: object, *, is_absent: bool
) -> None:
    request = event("form_sync")
    if is_absent:
        del request[key]
    else:
        request[key] = value
    assert form_sync.handler(request, FakeLambdaContext())["statusCode"] in STATUSES
    harness.empty_queues()


@FUZZ
@given(body=BODIES | JSON)
def test_a_requested_run_with_any_body_has_an_answer(harness: FormHarness, body: object) -> None:
    response = manual_sync.handler({**event("manual_sync"), "body": body}, FakeLambdaContext())
    assert response["statusCode"] in {202, 400}
    harness.empty_queues()


@FUZZ
@given(received=st.dictionaries(TEXTS, JSON, max_size=4))
def test_a_run_requested_directly_with_any_event_has_an_answer(
    harness: FormHarness, received: dict[str, Any]
) -> None:
    response = manual_sync.handler(received, FakeLambdaContext())
    assert "run_id" in response or "error" in response or "statusCode" in response
    harness.empty_queues()


@FUZZ
@given(st.sampled_from(ROUTES), BODIES, st.dictionaries(TEXTS, TEXTS, max_size=3), TEXTS)
def test_a_route_of_the_admin_api_with_any_body_query_and_name_has_an_answer(
    harness: FormHarness, route: tuple[str, str], body: str | None, query: dict[str, str], name: str
) -> None:
    method, path = route
    request = {
        **event("admin_status"),
        "httpMethod": method,
        "path": path.replace("<email>", name).replace("<run_id>", name).replace("<number>", name),
        "body": body,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {key: [value] for key, value in query.items()},
    }
    response = handler(request, FakeLambdaContext())
    assert response["statusCode"] in {*range(200, 500), 502, 503}
    harness.ledger.set_enabled(on=True, now=0.0)
    harness.empty_queues()


@FUZZ
@given(TEXTS | JSON.map(json.dumps) | FILES)
@pytest.mark.usefixtures("harness")
def test_a_mapping_file_with_any_text_has_an_answer(text: str) -> None:
    path = "/admin/mapping.yaml"
    request = {**event("admin_status"), "httpMethod": "PUT", "path": path, "body": text}
    response = handler(request, FakeLambdaContext())
    assert response["statusCode"] in range(400, 500)


@FUZZ
@given(JSON.map(json.dumps) | TEXTS | JSON, JSON)
@pytest.mark.usefixtures("harness")
def test_any_message_of_the_forms_queue_is_processed_or_delivered_again(
    body: object, other: object
) -> None:
    message = event("forms_queue")["Records"][0]
    request = {"Records": [{**message, "body": body, "messageAttributes": other}]}
    response = form_worker.handler(request, FakeLambdaContext())
    assert set(response) == {"batchItemFailures"}


@FUZZ
@given(JSON.map(json.dumps) | TEXTS)
@pytest.mark.usefixtures("harness")
def test_any_message_of_the_runs_queue_is_worked_on_or_delivered_again(body: str) -> None:
    """An error is what makes the queue deliver a message again: any documented one is right."""
    message = altered(event("runs_queue"), "Records.0.body", body)
    try:
        response = sync_worker.handler(message, FakeLambdaContext())
    except (ValueError, UnexpectedRunError):
        return
    assert response == {"batchItemFailures": []}


@FUZZ
@given(received=st.dictionaries(TEXTS | st.just("kind"), JSON, max_size=3))
def test_any_event_of_the_schedule_requests_a_run_or_names_the_kind(
    harness: FormHarness, received: dict[str, Any]
) -> None:
    try:
        response = scheduled_sync.handler(received, FakeLambdaContext())
    except ValueError:
        assert "kind" in received
    else:
        assert set(response) == {"run_id"}
    harness.empty_queues()


@FUZZ
@given(
    st.dictionaries(
        st.sampled_from(["Step", "SecretId", "ClientRequestToken", "version", "secret"]) | TEXTS,
        JSON,
        max_size=4,
    )
)
@pytest.mark.usefixtures("harness")
def test_any_event_of_the_rotation_has_an_answer_or_an_error_for_secrets_manager(
    request: dict[str, Any],
) -> None:
    try:
        response = rotate_credentials.handler(request, FakeLambdaContext())
    except (JsonObjectError, HaltError, ConnectorError):
        assert "Step" in request
    else:
        assert "error" in response
