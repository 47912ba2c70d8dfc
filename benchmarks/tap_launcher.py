"""Run the peer against a simulator: it knows Salesforce's own login host only.

Only the login is replaced, by a session given in the environment; everything that is measured is
the peer's own code. Runs in the peer's environment (requirements/bench.txt).
"""

from __future__ import annotations

import json
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


def main() -> None:
    """Let the peer read everything, as often as asked; say how long that took, and the peak."""
    Salesforce.login = given_session
    seconds, processor = [], []
    for _ in range(int(os.environ["PEER_PASSES"])):
        begun, worked = time.perf_counter(), time.process_time()
        tap_salesforce.main_impl()
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - worked)
    said = {"seconds": seconds, "processor_seconds": processor, "peak_mb": peak_mb()}
    print(json.dumps(said), file=sys.stderr)


if __name__ == "__main__":
    main()
