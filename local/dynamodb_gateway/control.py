"""Start the gateway, and control its faults from another process."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from local.dynamodb_gateway.application import COUNTS_PATH, FAULTS_PATH

SECONDS: Final = 10.0


def gateway_command(endpoint: str, upstream: str) -> list[str]:
    """Return the command that starts a gateway at `endpoint` to the embedded AWS at `upstream`."""
    port = endpoint.rpartition(":")[2]
    return [
        *(sys.executable, "-m", "local.dynamodb_gateway"),
        *("--port", port, "--upstream", upstream),
    ]


def is_ready(endpoint: str) -> bool:
    """Return whether a gateway responds at this address."""
    try:
        GatewayControl(endpoint).counts()
    except requests.ConnectionError:
        return False
    return True


@dataclass(frozen=True)
class GatewayControl:
    """The faults and counts of the gateway at `endpoint`."""

    endpoint: str

    def throttle(self, seconds: float) -> None:
        """Let every request be throttled for some seconds from now on."""
        self._call("POST", FAULTS_PATH, {"throttle_seconds": seconds})

    def delay_indexes(self, seconds: float) -> None:
        """Let written items be missing from every index for some seconds after each write."""
        self._call("POST", FAULTS_PATH, {"index_lag_seconds": seconds})

    def counts(self) -> dict[str, dict[str, int]]:
        """Return `calls` by operation and `refusals` by code."""
        found: dict[str, dict[str, int]] = self._call("GET", COUNTS_PATH)
        return found

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  # JSON
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(method, self.endpoint + path, json=body, timeout=SECONDS)
        response.raise_for_status()
        return response.json()
