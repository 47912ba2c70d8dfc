"""Both systems as processes of their own, and the connector that reaches them over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from connector.model import Side
from tests.component.form_harness import FormHarness
from tests.component.harness import SALESFORCE

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


class SocketAdapter(HTTPAdapter):
    """Sends each request to the address of one process, whatever host it names."""

    def __init__(self, url: str, ca_bundle: str = "") -> None:
        super().__init__()
        self._address = urlsplit(url)
        self._ca_bundle = ca_bundle

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # options are passed on
        target = urlsplit(str(request.url))
        address = self._address
        request.url = target._replace(scheme=address.scheme, netloc=address.netloc).geturl()
        request.headers["Host"] = target.netloc
        return super().send(request, **options | {"verify": self._ca_bundle or True})


class ServedSystems:
    """The addresses of both processes."""

    def __init__(self, org: dict[str, Any], tenant: dict[str, Any]) -> None:
        self.urls = {Side.SALESFORCE: org["url"], Side.PLEZI: tenant["url"].removesuffix("/api/v1")}
        self._ca_bundle = org["ca_bundle"]

    def adapter(self, side: Side) -> BaseAdapter:
        """Return a transport to one of the systems."""
        return SocketAdapter(self.urls[side], self._ca_bundle if side is Side.SALESFORCE else "")

    def reset(self) -> None:
        """Make both systems new, on the real clock; the org names a host of Salesforce."""
        for side in Side:
            with requests.Session() as session:
                session.trust_env = False
                session.mount("https://", self.adapter(side))
                base = "https://simulator/_sim"
                session.post(f"{base}/reset").raise_for_status()
                session.post(f"{base}/clock", json={"follow": True}).raise_for_status()
                if side is Side.SALESFORCE:
                    moved = {"instance_url": SALESFORCE}
                    fault = {"kind": "instance_change", "parameters": moved}
                    session.post(f"{base}/faults", json=fault).raise_for_status()


@contextmanager
def served_systems(folder: Path) -> Iterator[ServedSystems]:
    """Start both simulators, and stop them at the end."""
    with ExitStack() as stack:
        org = _start(stack, folder, "salesforce_org", ["--folder", str(folder)])
        tenant = _start(stack, folder, "plezi_tenant", [])
        yield ServedSystems(_wait_for(org), _wait_for(tenant))


def _start(stack: ExitStack, folder: Path, name: str, options: list[str]) -> Path:
    ready_file = folder / f"{name}.json"
    command = [sys.executable, "-m", f"local.{name}", "--ready-file", str(ready_file), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return ready_file


def _wait_for(ready_file: Path) -> dict[str, Any]:
    end = time.monotonic() + START_SECONDS
    while not ready_file.exists():
        assert time.monotonic() < end, f"{ready_file.name} did not come"
        time.sleep(0.05)
    return dict(json.loads(ready_file.read_text(encoding="utf-8")))


class ServedHarness(FormHarness):
    """A harness whose systems are processes; those in this process only lend their credentials."""

    def __init__(self, served: ServedSystems) -> None:
        self._served = served
        served.reset()
        super().__init__()

    def adapter(self, side: Side) -> BaseAdapter:
        """Return the transport to the process of one of the systems."""
        return self._served.adapter(side)
