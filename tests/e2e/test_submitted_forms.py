"""A form, on the deployed stack: pushed over HTTP, overtaking a backfill, or refused without trace.

The 20,000 people of the mission are measured by hand (docs/benchmarks.md); here the full sync is
over what the other tests left, and 2,000 people more, so that the suite stays quick.
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
PROMISED_SECONDS = 5.0
SUBJECT = "subject@example.com"
BODY = b'{"email": "subject@example.com"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def sales(stack: StackFile) -> SalesPerson:
    return SalesPerson(stack)


@pytest.fixture
def marketing(stack: StackFile) -> Marketer:
    return Marketer(stack)


@pytest.fixture
def ops(stack: StackFile) -> Operator:
    operator = Operator(stack)
    operator.admin("POST", "/admin/start")
    return operator


@pytest.fixture
def sign(stack: StackFile, aws: EmbeddedAws) -> Callable[..., dict[str, str]]:
    """Signs as the simulated tenant does."""
    secret = aws.secrets.get_secret_value(SecretId=stack.secrets["forms"])["SecretString"]
    [ours] = json.loads(secret)["signing_keys"]

    def headers(
        body: bytes, *, at: float | None = None, key: str = ours, message: str = ""
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
    """Submit a form; return how long it took until its Lead was there."""
    begun = time.monotonic()
    marketing.submit_form(email=email, first_name="Ana", last_name="Lopez")
    lead = sales.wait_for_lead(email)
    took = time.monotonic() - begun
    assert (lead["FirstName"], lead["LastName"]) == ("Ana", "Lopez")
    return took


def ledger(stack: StackFile, aws: EmbeddedAws) -> tuple[int, str]:
    """The number of lines of the ledger, and a digest of every byte."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["ledger"])
    items = sorted(
        json.dumps(item, sort_keys=True, default=sorted) for page in pages for item in page["Items"]
    )
    return len(items), hashlib.sha256("\n".join(items).encode()).hexdigest()


def test_a_form_is_a_lead_within_seconds(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    took = [
        seconds_to_a_lead(sales, marketing, f"idle{number:02}@example.com")
        for number in range(FORMS)
    ]

    assert median(took) < PROMISED_SECONDS, took
    assert all(push["statuses"] == [202] for push in pushes(marketing)[-FORMS:])
    assert ops.admin("GET", "/admin/status")["started"] is True


def test_also_while_everybody_is_read_again(
    stack: StackFile, aws: EmbeddedAws, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.simulate("POST", "load", {"contacts": 2000, "first": 40_000})
    sales.simulate("POST", "load", {"leads": 2000, "first": 40_000})
    run_id = aws.invoke(stack.functions["manual_sync"], {"kind": "full"})["run_id"]
    ops.wait(run_id, before=REQUESTED)

    took = [
        seconds_to_a_lead(sales, marketing, f"busy{number:02}@example.com")
        for number in range(FORMS)
    ]

    assert ops.admin("GET", f"/admin/runs/{run_id}")["state"] == "running"
    assert median(took) < PROMISED_SECONDS, took
    run = ops.wait(run_id)
    assert run["state"] == "done", run["message"]
    assert len({email for email in marketing.contacts() if email.startswith("busy")}) == FORMS


def pushes(marketing: Marketer) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = marketing.simulate("GET", "pushes")["pushes"]
    return listed


def test_whatever_is_refused_gets_a_4xx_and_leaves_no_trace(
    stack: StackFile,
    aws: EmbeddedAws,
    marketing: Marketer,
    ops: Operator,
    sign: Callable[..., dict[str, str]],
) -> None:
    marketing.add(email=SUBJECT, last_name="Lopez")
    now = time.time()
    altered = sign(BODY)
    taken = sign(BODY)
    url = f"{stack.api_url}/forms"
    large, deep, bad = b"x" * 1_000_000, b"[" * 60_000, b'{"email": "\xff@example.com"}'
    assert requests.post(url, data=BODY, headers=taken, timeout=30).status_code == 202
    ops.wait_for_forms()
    before = ledger(stack, aws)

    for name, expected, body, headers in (
        ("no signature", {401}, BODY, JSON),
        ("a stranger's", {401}, BODY, sign(BODY, key=new_signing_key())),
        ("old", {401}, BODY, sign(BODY, at=now - 400)),
        ("of the future", {401}, BODY, sign(BODY, at=now + 400)),
        ("altered", {401}, BODY.replace(b"subject", b"another"), altered),
        ("replayed", {401}, BODY, taken),
        ("large", {413}, large, sign(large)),
        ("deep", {400}, deep, sign(deep)),
        ("not UTF-8", {400, 401}, bad, sign(bad)),
        ("wrong content type", {415}, BODY, sign(BODY) | {"Content-Type": "text/plain"}),
        ("nobody", {400}, b"{}", sign(b"{}")),
    ):
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        assert answer.status_code in expected, (name, answer.text)
        assert answer.json()["error"], name

    ops.wait_for_forms()
    assert ledger(stack, aws) == before


def test_the_same_message_freshly_signed_is_a_sender_s_second_try(
    stack: StackFile, sign: Callable[..., dict[str, str]]
) -> None:
    url = f"{stack.api_url}/forms"
    now = time.time()
    message = f"msg_{base64.b32encode(str(now).encode()).decode().strip('=')}"
    first = requests.post(url, data=BODY, headers=sign(BODY, message=message), timeout=30)

    again = requests.post(
        url, data=BODY, headers=sign(BODY, message=message, at=now + 5), timeout=30
    )

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
