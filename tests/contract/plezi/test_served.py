"""The tenant over a socket: real connections, resets and webhooks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.plezi_tenant import PleziTenant
from local.serving import ServedApplication

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 20


def headers(tenant: PleziTenant) -> dict[str, str]:
    return {"X-API-Key": tenant.api_key, "X-Tenant-Company": tenant.tenant_name}


def document(email: str) -> dict[str, Any]:
    return {"data": {"type": "contacts", "attributes": {"email": email}}}


@pytest.mark.parametrize(("kind", "stored"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_fault_closes_the_real_connection(kind: str, stored: int) -> None:
    tenant = PleziTenant()
    tenant.control.faults.inject(kind)
    with ServedApplication(tenant) as served, requests.Session() as session:
        with pytest.raises(requests.ConnectionError):
            session.post(
                f"{served.url}/api/v1/contacts",
                json=document("a@x.fr"),
                headers=headers(tenant),
                timeout=TIMEOUT_SECONDS,
            )
        contacts = session.get(f"{served.url}/_sim/contacts", timeout=TIMEOUT_SECONDS)
    assert contacts.json()["total"] == stored
    tenant.close()


def test_sixteen_concurrent_callers_create_one_contact_per_email() -> None:
    tenant = PleziTenant()
    with ServedApplication(tenant) as served:

        def create(number: int) -> int:
            response = requests.post(
                f"{served.url}/api/v1/contacts",
                json=document(f"person{number % 20}@x.fr"),
                headers=headers(tenant),
                timeout=TIMEOUT_SECONDS,
            )
            return response.status_code

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(create, range(160)))
    assert (statuses.count(201), statuses.count(200)) == (20, 140)
    assert tenant.control.calls.since_mark()["calls"] == {"create": 160}
    tenant.close()


def test_a_webhook_over_the_network_does_not_block_the_visitor() -> None:
    received: list[bytes] = []
    answered = threading.Event()

    def connector(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The visitor receives the response to the form before the connector responds.
        assert answered.wait(TIMEOUT_SECONDS)
        received.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("202 Accepted", [("Content-Length", "0")])
        return [b""]

    tenant = PleziTenant()
    with ServedApplication(connector) as target, ServedApplication(tenant) as served:
        requests.post(f"{served.url}/_sim/push", json={"url": target.url}, timeout=TIMEOUT_SECONDS)
        form = {"form_id": "a" * 24, "content_web_form_id": "b" * 24, "email": "ana@x.fr"}
        response = requests.get(
            f"{served.url}/api/v1/create_contact_after_webform",
            params=form,
            headers=headers(tenant),
            timeout=TIMEOUT_SECONDS,
        )
        assert response.status_code == 201
        answered.set()
        tenant.webhooks.wait_until_delivered()
    (sent,) = tenant.webhooks.listing()
    assert (sent["statuses"], sent["done"]) == ([202], True)
    assert json.loads(received[0])["contact"]["email"] == "ana@x.fr"
    tenant.close()


def test_an_unreachable_connector_is_listed_as_an_error() -> None:
    tenant = PleziTenant()
    with ServedApplication(tenant) as served:
        unused = served.url
    requests_target = {"url": unused}
    with ServedApplication(tenant) as served:
        requests.post(f"{served.url}/_sim/push", json=requests_target, timeout=TIMEOUT_SECONDS)
        requests.post(f"{served.url}/form", data={"email": "ana@x.fr"}, timeout=TIMEOUT_SECONDS)
    tenant.webhooks.wait_until_delivered()
    assert tenant.webhooks.listing()[0]["error"] == "ConnectionError"
    tenant.close()


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "local.plezi_tenant", "--port", "0", "--load", "3"]
    with subprocess.Popen(  # noqa: S603  # a module of this repository
        [*command, "--ready-file", str(ready)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        try:
            response = requests.get(
                f"{printed['url']}/contacts",
                headers={"X-API-Key": printed["api_key"], "X-Tenant-Company": printed["tenant"]},
                timeout=TIMEOUT_SECONDS,
            )
            assert response.json()["meta"] == {"total_results": 3}
            page = response.json()["data"][0]["attributes"]["url"]
            assert requests.get(page, timeout=TIMEOUT_SECONDS).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
    assert json.loads(ready.read_text()) == printed
