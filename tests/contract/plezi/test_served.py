"""The tenant over a socket: the same answers, connections really cut, pushes really sent."""

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
PATIENCE = 20


def headers(tenant: PleziTenant) -> dict[str, str]:
    return {"X-API-Key": tenant.api_key, "X-Tenant-Company": tenant.tenant_name}


def document(email: str) -> dict[str, Any]:
    return {"data": {"type": "contacts", "attributes": {"email": email}}}


@pytest.mark.parametrize(("kind", "kept"), [("reset_before", 0), ("reset_after", 1)])
def test_a_connection_is_really_cut(kind: str, kept: int) -> None:
    tenant = PleziTenant()
    tenant.control.faults.inject(kind)
    with ServedApplication(tenant) as served, requests.Session() as session:
        with pytest.raises(requests.ConnectionError):
            session.post(
                f"{served.url}/api/v1/contacts",
                json=document("a@x.fr"),
                headers=headers(tenant),
                timeout=PATIENCE,
            )
        left = session.get(f"{served.url}/_sim/contacts", timeout=PATIENCE)
    assert left.json()["total"] == kept
    tenant.close()


def test_sixteen_callers_at_once_make_one_contact_of_each_email() -> None:
    tenant = PleziTenant()
    with ServedApplication(tenant) as served:

        def create(number: int) -> int:
            answer = requests.post(
                f"{served.url}/api/v1/contacts",
                json=document(f"person{number % 20}@x.fr"),
                headers=headers(tenant),
                timeout=PATIENCE,
            )
            return answer.status_code

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(create, range(160)))
    assert (statuses.count(201), statuses.count(200)) == (20, 140)
    assert tenant.control.calls.since_mark()["calls"] == {"create": 160}
    tenant.close()


def test_a_form_is_pushed_over_the_network_without_holding_up_the_visitor() -> None:
    received: list[bytes] = []
    answered = threading.Event()

    def connector(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The visitor has the answer to the form before the connector says a word.
        assert answered.wait(PATIENCE)
        received.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("202 Accepted", [("Content-Length", "0")])
        return [b""]

    tenant = PleziTenant()
    with ServedApplication(connector) as target, ServedApplication(tenant) as served:
        requests.post(f"{served.url}/_sim/push", json={"url": target.url}, timeout=PATIENCE)
        form = {"form_id": "a" * 24, "content_web_form_id": "b" * 24, "email": "ana@x.fr"}
        answer = requests.get(
            f"{served.url}/api/v1/create_contact_after_webform",
            params=form,
            headers=headers(tenant),
            timeout=PATIENCE,
        )
        assert answer.status_code == 201
        answered.set()
        tenant.webhooks.wait_until_delivered()
    (sent,) = tenant.webhooks.listing()
    assert (sent["statuses"], sent["done"]) == ([202], True)
    assert json.loads(received[0])["contact"]["email"] == "ana@x.fr"
    tenant.close()


def test_a_connector_that_is_not_there_is_listed_as_an_error() -> None:
    tenant = PleziTenant()
    with ServedApplication(tenant) as served:
        unused = served.url
    requests_target = {"url": unused}
    with ServedApplication(tenant) as served:
        requests.post(f"{served.url}/_sim/push", json=requests_target, timeout=PATIENCE)
        requests.post(f"{served.url}/form", data={"email": "ana@x.fr"}, timeout=PATIENCE)
    tenant.webhooks.wait_until_delivered()
    assert tenant.webhooks.listing()[0]["error"] == "ConnectionError"
    tenant.close()


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "local.plezi_tenant", "--port", "0", "--load", "3"]
    with subprocess.Popen(  # noqa: S603  # our own module
        [*command, "--ready-file", str(ready)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        try:
            answer = requests.get(
                f"{printed['url']}/contacts",
                headers={"X-API-Key": printed["api_key"], "X-Tenant-Company": printed["tenant"]},
                timeout=PATIENCE,
            )
            assert answer.json()["meta"] == {"total_results": 3}
            page = answer.json()["data"][0]["attributes"]["url"]
            assert requests.get(page, timeout=PATIENCE).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert json.loads(ready.read_text()) == printed
