"""Every status and body of the login host is a session, a refusal, or neither: never a fault."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from connector.errors import HaltError, StopReason
from connector.http_session import HttpSession
from connector.salesforce.auth.login import LoginRefusedError, LoginUnavailableError, log_in
from connector.salesforce.auth.token_response import (
    MAX_DESCRIPTION,
    Granted,
    Refused,
    clean_description,
    read_token_response,
)
from connector.secrets import Flow, SalesforceCredentials, SecretText
from local.salesforce_org.certificates import jwt_key_pair
from local.serving import InProcessAdapter

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SPECIAL = st.fixed_dictionaries(
    {},
    optional={
        "error": st.sampled_from(["invalid_grant", "rate_limit_exceeded", "other"]) | JSON,
        "error_description": st.just("authentication failure") | JSON,
        "access_token": st.just("00D1!abc") | JSON,
        "instance_url": st.sampled_from(["https://acme.my.salesforce.com", "https://[::"]) | JSON,
        "id": st.sampled_from(["https://x/id/00D/005", "https://[x/id"]) | JSON,
        "scope": JSON,
        "errorCode": JSON,
    },
)
BODIES = st.binary() | (JSON | SPECIAL | st.lists(SPECIAL)).map(
    lambda body: json.dumps(body).encode()
)
STATUSES = st.integers(200, 599)
DATES = st.none() | st.sampled_from(["yesterday", "Thu, 26 Nov 99999 00:00:00 GMT", "0", "²"])
CREDENTIALS = SalesforceCredentials(
    flow=Flow.PASSWORD,
    account_url="https://acme.my.salesforce.com",
    consumer_key="consumer-key",
    consumer_secret=SecretText("consumer-secret"),
    username="sync@acme.example",
    password=SecretText("hidden-password"),
)


@given(status=st.integers(100, 999), content=BODIES)
@example(status=200, content=b"[" * 100_000)
@example(status=200, content=b'{"access_token":"a","instance_url":"b","id":"https://[x/id"}')
def test_every_response_is_read(status: int, content: bytes) -> None:
    read_token_response(status, content)


@given(status=STATUSES, content=BODIES, date=DATES, flow=st.sampled_from(Flow))
def test_every_login_ends_with_a_session_a_refusal_or_not_possible_now(
    status: int, content: bytes, date: str | None, flow: Flow
) -> None:
    error = refusal_of(status, content, date, flow)

    assert "hidden-password" not in str(error)
    if isinstance(error, HaltError) and not isinstance(error, LoginRefusedError):
        # A session for a host that must not receive it.
        assert error.reason is StopReason.INSTANCE_URL
        assert isinstance(read_token_response(status, content), Granted)


def refusal_of(status: int, content: bytes, date: str | None, flow: Flow) -> Exception | None:
    """Log in at a host that answers this; return the error that the connector foresees."""
    headers = {} if date is None else {"Date": date}
    http = HttpSession(monotonic=time.monotonic)
    http.mount("https://", InProcessAdapter(Response(content, status, headers)))
    secret = replace(CREDENTIALS, flow=flow, private_key=SecretText(PRIVATE_KEY))
    try:
        log_in(http, secret, "v1", time.time, "")
    except (HaltError, LoginUnavailableError) as error:
        return error
    return None


PRIVATE_KEY = jwt_key_pair().private_key


@given(description=st.text(), values=st.lists(st.text(min_size=3)))
def test_a_description_is_bounded_printable_and_without_submitted_values(
    description: str, values: list[str]
) -> None:
    cleaned = clean_description(" ".join([description, *values]), values)

    assert len(cleaned) <= MAX_DESCRIPTION
    assert cleaned.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "is_refusal"),
    [
        (400, {"error": "invalid_grant", "error_description": "authentication failure"}, True),
        (401, {"error": "invalid_client_id"}, True),
        (400, {"error": "brand_new"}, False),
        (400, {"error": "server_error"}, False),
        (400, {"error": "unknown_error", "error_description": "retry your request"}, False),
        (400, {"error": "invalid_grant", "error_description": "login rate exceeded"}, False),
        (400, {"error": "unauthorized_client"}, True),
        (403, {"error": "brand_new"}, False),
        (500, {"error": "invalid_grant"}, False),
        (503, {"error": "server_error"}, False),
        (400, {"error": "Bad Request"}, False),
        (400, {"error": 5}, False),
        (400, [{"error": "invalid_grant"}], False),
        (400, "invalid_grant", False),
    ],
)
def test_only_a_known_oauth_error_is_a_refusal(status: int, body: Any, *, is_refusal: bool) -> None:
    read = read_token_response(status, json.dumps(body).encode())

    assert isinstance(read, Refused) is is_refusal
