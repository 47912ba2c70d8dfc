"""A simulated org in a process of its own, as `make up` starts it, and the access of a client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.clients.connect_proxy import ConnectProxy

ROOT = Path(__file__).parents[2]
LEADS, CONTACTS = 2500, 5
"""More leads than one page of a query has."""
START_SECONDS = 60


@dataclass(frozen=True)
class ServedOrg:
    """The address of the org, what a client needs to log in, and the proxy for its login hosts."""

    url: str
    ca_bundle: str
    access: dict[str, str]
    proxy: str

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a client: its own home, the authority, no telemetry."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "REQUESTS_CA_BUNDLE": self.ca_bundle,
            "NODE_EXTRA_CA_CERTS": self.ca_bundle,
            "SF_ACCESS_TOKEN": self.access["token"],
            "SF_DISABLE_TELEMETRY": "true",
            "SF_DISABLE_AUTOUPDATE": "true",
            "SF_SKIP_NEW_VERSION_CHECK": "true",
            "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
            "ORG": json.dumps(self.access),
        }


@contextmanager
def served_org(folder: Path) -> Iterator[ServedOrg]:
    """Start the org and the proxy, and stop them at the end."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "local.salesforce_org", "--folder", str(folder)]
    command += ["--load", str(LEADS), "--ready-file", str(ready_file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            ready = _wait_for(ready_file)
            with ConnectProxy(urlsplit(ready["url"]).port or 0) as proxy:
                yield ServedOrg(ready["url"], ready["ca_bundle"], _access(ready), proxy.url)
        finally:
            process.terminate()


def _wait_for(ready_file: Path) -> dict[str, Any]:
    end = time.monotonic() + START_SECONDS
    while not ready_file.exists():
        if time.monotonic() > end:
            raise TimeoutError("the simulated org did not start")
        time.sleep(0.1)
    return dict(json.loads(ready_file.read_text(encoding="utf-8")))


def _access(ready: dict[str, Any]) -> dict[str, str]:
    """Return an access token, a refresh token and the credentials of the integration user."""
    user = ready["integration_user"]
    form = {
        "grant_type": "password",
        "client_id": ready["consumer_key"],
        "client_secret": ready["consumer_secret"],
        "username": user["username"],
        "password": user["password"] + user["security_token"],
    }
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ready["ca_bundle"]
        session.post(f"{ready['url']}/_sim/load", json={"contacts": CONTACTS, "first": LEADS})
        token = session.post(f"{ready['url']}/services/oauth2/token", data=form).json()
        approval = f"{ready['url']}/_sim/users/{user['username']}/refresh_token"
        approved = session.post(approval).json()
    return {
        "url": ready["url"],
        "username": user["username"],
        "password": form["password"],
        "key": ready["consumer_key"],
        "secret": ready["consumer_secret"],
        "token": token["access_token"],
        "refreshToken": approved["refresh_token"],
        "jwtKey": ready["jwt_private_key"],
    }
