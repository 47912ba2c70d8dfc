"""The unmodified jsforce library calls the org over HTTPS.

The package is installed once into `.local/node`, with npm. Without Node.js, npm or the registry
these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.salesforce_org import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.serving import ServedApplication

VERSION = "3.10.8"
"""Later versions need Node.js 22.19."""
FOLDER = Path(__file__).parents[3] / ".local" / "node" / f"jsforce-{VERSION}"
CLIENT = Path(__file__).parent / "jsforce_client.js"
SECONDS = 180
"""Longest time of the installation, and of all calls."""


@pytest.fixture(scope="module")
def package() -> Path:
    """Return the folder with the installed package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js and npm are not installed: jsforce cannot be run")
    if not (FOLDER / "node_modules" / "jsforce").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text('{"private": true}', encoding="utf-8")
        command = [npm, "install", "--ignore-scripts", "--no-audit", f"jsforce@{VERSION}"]
        try:
            subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            shutil.rmtree(FOLDER)
            pytest.skip(f"jsforce {VERSION} cannot be installed: the npm registry is not reached")
    return FOLDER


@pytest.fixture(scope="module")
def answers(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what the calls of `jsforce_client.js` answer."""
    files = make_certificates(tmp_path_factory.mktemp("certificates"))
    org = SalesforceOrg(seed=7)
    org.load(leads=4500)
    with ServedApplication(org, certificate=files.certificate, key=files.key) as served:
        org.instance_url = served.url
        user = org.integration_user
        access = {
            "url": served.url,
            "username": user.username,
            "password": user.password,
            "token": user.security_token,
            "key": org.consumer_key,
            "secret": org.consumer_secret,
        }
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_EXTRA_CA_CERTS": str(files.ca_bundle),
            "ORG": json.dumps(access),
        }
        run = subprocess.run(  # noqa: S603
            [str(shutil.which("node")), str(CLIENT), str(package)],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    expected = org.integration_user.id
    org.close()
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) | {"expected_user": expected}


def test_jsforce_logs_in_by_oauth_and_by_soap(answers: Any) -> None:
    assert answers["logins"]["user"] == answers["expected_user"]
    assert answers["logins"]["soap"] == 4500
    assert "INVALID_LOGIN" in answers["logins"]["refused"]


def test_jsforce_writes_records_and_sees_the_codes_of_refusals(answers: Any) -> None:
    assert answers["records"] == {
        "row": {"Email": "ana@example.com", "Title": "CEO", "Status": "Open - Not Contacted"},
        "many": ["saved", "INVALID_EMAIL_ADDRESS"],
        "upserted": [[True, True], [False, False]],
        "deleted": True,
        "gone": "NOT_FOUND",
        "malformed": "NOT_FOUND",
        "twice": "ENTITY_IS_DELETED",
    }


def test_jsforce_reads_all_pages_of_a_query(answers: Any) -> None:
    assert answers["queries"] == {
        "all": 4502,
        "named": ["bob@example.com"],
        "today": True,
        "tooling": ["score"],
        "unknown": "INVALID_FIELD",
    }


def test_jsforce_describes_objects_and_reads_changes(answers: Any) -> None:
    assert answers["metadata"] == {
        "described": True,
        "recordTypes": ["Master"],
        "children": True,
        "listed": True,
        "limit": 110_000,
        "updated": True,
        "removed": 1,
    }
