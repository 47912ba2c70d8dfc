"""A form on the deployed stack: delivered over HTTP, before a full run, or refused without effect.

The case with 20,000 people is measured by hand (docs/benchmarks.md). Here the full run reads the
people of the other tests and 2,000 more, so that the suite stays fast.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import requests

from local.actors import REQUESTED, Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.plezi_tenant.webhooks import signature
from local.stack.deployment import new_signing_key
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

FORMS = 20
MAX_MEDIAN_SECONDS = 5.0
SUBJECT = "subject@example.com"
BODY = b'{"email": "subject@example.com"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def sign(stack: StackFile, aws: EmbeddedAws) -> Callable[..., dict[str, str]]:
    """A function that signs a message as the simulated tenant does."""
    secret = aws.secrets.get_secret_value(SecretId=stack.secrets["forms"])["SecretString"]
    [current_key] = json.loads(secret)["signing_keys"]

    def headers(
        body: bytes, *, at: float | None = None, key: str = current_key, message: str = ""
    ) -> dict[str, str]:
        timestamp = str(int(time.time() if at is None else at))
        message = message or f"msg_{time.time_ns()}"
        return {
            **JSON,
            "webhook-id": message,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(key, message, timestamp, body),
        }

    return headers


def seconds_to_a_lead(sales: SalesPerson, marketing: Marketer, email: str) -> float:
    """Submit a form; return the seconds until its Lead exists."""
    start = time.monotonic()
    marketing.submit_form(email=email, first_name="Ana", last_name="Lopez")
    lead = sales.wait_for_lead(email)
    took = time.monotonic() - start
    assert (lead["FirstName"], lead["LastName"]) == ("Ana", "Lopez")
    return took


def ledger(stack: StackFile, aws: EmbeddedAws) -> tuple[int, str]:
    """Return the number of items in the ledger and a digest of all bytes."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["ledger"])
    items = sorted(
        json.dumps(item, sort_keys=True, default=sorted) for page in pages for item in page["Items"]
    )
    return len(items), hashlib.sha256("\n".join(items).encode()).hexdigest()


def test_a_form_becomes_a_lead_within_seconds(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    durations = [
        seconds_to_a_lead(sales, marketing, f"idle{number:02}@example.com")
        for number in range(FORMS)
    ]

    assert median(durations) < MAX_MEDIAN_SECONDS, durations
    assert all(push["statuses"] == [202] for push in pushes(marketing)[-FORMS:])
    assert ops.admin("GET", "/admin/status")["started"] is True


def test_a_form_becomes_a_lead_within_seconds_during_a_full_run(
    stack: StackFile, aws: EmbeddedAws, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.simulate("POST", "load", {"contacts": 2000, "first": 40_000})
    sales.simulate("POST", "load", {"leads": 2000, "first": 40_000})
    run_id = aws.invoke(stack.functions["manual_sync"], {"kind": "full"})["run_id"]
    ops.wait(run_id, before=REQUESTED)

    durations = [
        seconds_to_a_lead(sales, marketing, f"busy{number:02}@example.com")
        for number in range(FORMS)
    ]

    assert ops.admin("GET", f"/admin/runs/{run_id}")["state"] == "running"
    assert median(durations) < MAX_MEDIAN_SECONDS, durations
    run = ops.wait(run_id)
    assert run["state"] == "done", run["message"]
    assert len({email for email in marketing.contacts() if email.startswith("busy")}) == FORMS


def pushes(marketing: Marketer) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = marketing.simulate("GET", "pushes")["pushes"]
    return listed


def test_a_refused_form_receives_a_4xx_and_changes_nothing(
    stack: StackFile,
    aws: EmbeddedAws,
    marketing: Marketer,
    ops: Operator,
    sign: Callable[..., dict[str, str]],
) -> None:
    marketing.add(email=SUBJECT, last_name="Lopez")
    now = time.time()
    altered = sign(BODY)
    accepted = sign(BODY)
    url = f"{stack.api_url}/forms"
    large, deep, bad = b"x" * 1_000_000, b"[" * 60_000, b'{"email": "\xff@example.com"}'
    assert requests.post(url, data=BODY, headers=accepted, timeout=30).status_code == 202
    ops.wait_for_forms()
    before = ledger(stack, aws)

    for name, expected, body, headers in (
        ("no signature", {401}, BODY, JSON),
        ("an unknown key", {401}, BODY, sign(BODY, key=new_signing_key())),
        ("too old", {401}, BODY, sign(BODY, at=now - 400)),
        ("in the future", {401}, BODY, sign(BODY, at=now + 400)),
        ("altered", {401}, BODY.replace(b"subject", b"another"), altered),
        ("replayed", {401}, BODY, accepted),
        ("large", {413}, large, sign(large)),
        ("deep", {400}, deep, sign(deep)),
        ("not UTF-8", {400, 401}, bad, sign(bad)),
        ("wrong content type", {415}, BODY, sign(BODY) | {"Content-Type": "text/plain"}),
        ("without an e-mail", {400}, b"{}", sign(b"{}")),
    ):
        response = requests.post(url, data=body, headers=headers, timeout=30)
        assert response.status_code in expected, (name, response.text)
        assert response.json()["error"], name

    ops.wait_for_forms()
    assert ledger(stack, aws) == before


def test_a_repeated_message_with_a_new_signature_is_accepted_as_a_retry(
    stack: StackFile, sign: Callable[..., dict[str, str]]
) -> None:
    url = f"{stack.api_url}/forms"
    now = time.time()
    message = f"msg_{base64.b32encode(str(now).encode()).decode().strip('=')}"
    first = requests.post(url, data=BODY, headers=sign(BODY, message=message), timeout=30)

    second = requests.post(
        url, data=BODY, headers=sign(BODY, message=message, at=now + 5), timeout=30
    )

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
