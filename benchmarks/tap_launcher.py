"""Run the peer with a simulator, although it supports only the login hosts of Salesforce.

Only the login is replaced, by a session from the environment variables: all measured code is the
peer's. This module runs in the virtual environment of the peer (requirements/bench.txt).
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


def use_given_session(peer: Any) -> None:  # noqa: ANN401  # the peer's own class
    """Use the session of the environment variables instead of a login."""
    peer.access_token = os.environ["PEER_TOKEN"]
    peer.instance_url = os.environ["PEER_URL"]


def main() -> None:
    """Let the peer read all leads PEER_PASSES times; print the durations and the peak memory."""
    Salesforce.login = use_given_session
    seconds, processor = [], []
    for _ in range(int(os.environ["PEER_PASSES"])):
        start, processor_start = time.perf_counter(), time.process_time()
        tap_salesforce.main_impl()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - processor_start)
    measured = {"seconds": seconds, "processor_seconds": processor, "peak_mb": peak_mb()}
    print(json.dumps(measured), file=sys.stderr)


if __name__ == "__main__":
    main()
