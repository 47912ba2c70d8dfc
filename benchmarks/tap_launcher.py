"""Run the peer against a simulator: it knows Salesforce's own login host only.

Only the login is replaced, by a session given in the environment; everything that is measured is
the peer's own code. Runs in the peer's environment (requirements/bench.txt).
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import tap_salesforce  # type: ignore[import-not-found, unused-ignore]
from tap_salesforce.salesforce import (  # type: ignore[import-not-found, unused-ignore]
    Salesforce,
)

from benchmarks.memory import peak_mb


def given_session(peer: Any) -> None:  # noqa: ANN401  # the peer's own class
    """Take the session of the environment for a login."""
    peer.access_token = os.environ["PEER_TOKEN"]
    peer.instance_url = os.environ["PEER_URL"]


if __name__ == "__main__":
    Salesforce.login = given_session
    begun = time.perf_counter()
    tap_salesforce.main_impl()
    print(f"{time.perf_counter() - begun} {peak_mb()}", file=sys.stderr)
