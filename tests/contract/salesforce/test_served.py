"""The org in its own process and with concurrent callers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from local.salesforce_org import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.serving import ServedApplication

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 20


def logged_in(url: str, ca_bundle: str, form: Mapping[str, str]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_bundle
    response = session.post(f"{url}/services/oauth2/token", data=form, timeout=TIMEOUT_SECONDS)
    assert response.status_code == 200, response.text
    session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
    return session


def password_form(facts: Mapping[str, Any]) -> dict[str, str]:
    user = facts["integration_user"]
    return {
        "grant_type": "password",
        "client_id": facts["consumer_key"],
        "client_secret": facts["consumer_secret"],
        "username": user["username"],
        "password": user["password"] + user["security_token"],
    }


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "local.salesforce_org", "--folder", str(tmp_path)]
    with subprocess.Popen(  # noqa: S603  # a module of this repository
        [*command, "--load", "3", "--ready-file", str(ready)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        try:
            facts = json.loads(ready.read_text(encoding="utf-8"))
            assert facts["url"] == printed["url"]
            with logged_in(facts["url"], facts["ca_bundle"], password_form(facts)) as session:
                response = session.get(
                    f"{facts['url']}/services/data/v64.0/query",
                    params={"q": "SELECT COUNT() FROM Lead"},
                    timeout=TIMEOUT_SECONDS,
                )
            assert response.json()["totalSize"] == 3
            assert "PRIVATE KEY" in Path(facts["jwt_private_key"]).read_text(encoding="ascii")
            assert set(facts["sales_user"]) == {"username", "password", "security_token"}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    files = make_certificates(tmp_path_factory.mktemp("certificates"))
    return files.ca_bundle, files.certificate, files.key


def test_sixteen_concurrent_callers_create_one_lead_per_key(
    certificates: tuple[Path, Path, Path],
) -> None:
    ca_bundle, certificate, key = certificates
    org = SalesforceOrg(seed=7)
    user = org.integration_user
    form = {
        "grant_type": "password",
        "client_id": org.consumer_key,
        "client_secret": org.consumer_secret,
        "username": user.username,
        "password": user.password + user.security_token,
    }
    with (
        ServedApplication(org, certificate=certificate, key=key) as served,
        logged_in(served.url, str(ca_bundle), form) as shared,
    ):
        token = str(shared.headers["Authorization"])

        def upsert(number: int) -> int:
            with requests.Session() as session:
                session.trust_env = False
                response = session.patch(
                    f"{served.url}/services/data/v64.0/sobjects/Lead/plezi_url__c/k{number % 20}",
                    json={"LastName": f"L{number}", "Company": "C"},
                    headers={"Authorization": token},
                    verify=str(ca_bundle),
                    timeout=TIMEOUT_SECONDS,
                )
            return response.status_code

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(upsert, range(160)))
    assert (statuses.count(201), statuses.count(200)) == (20, 140)
    assert org.calls.since_mark()["writes"] == 160
    org.close()


def test_a_reset_during_calls_does_not_break_a_response(
    certificates: tuple[Path, Path, Path],
) -> None:
    ca_bundle, certificate, key = certificates
    org = SalesforceOrg(seed=7)
    with ServedApplication(org, certificate=certificate, key=key) as served:

        def call(number: int) -> int:
            route = "/_sim/reset" if number % 5 == 0 else "/services/data/v64.0/limits"
            with requests.Session() as session:
                session.trust_env = False
                session.headers["Authorization"] = "Bearer nothing"
                method = "POST" if number % 5 == 0 else "GET"
                response = session.request(
                    method, served.url + route, verify=str(ca_bundle), timeout=TIMEOUT_SECONDS
                )
            return response.status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(call, range(40)))
    assert (statuses.count(200), statuses.count(401)) == (8, 32)
    org.close()
