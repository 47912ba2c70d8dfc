"""`python -m local.dynamodb_gateway --port 8001 --upstream http://127.0.0.1:4566`."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Sequence

from local.dynamodb_gateway.application import Gateway
from local.embedded_aws import EmbeddedAws
from local.serving import ServedApplication


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the gateway until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.dynamodb_gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--upstream", required=True, help="address of the embedded AWS")
    options = parser.parse_args(arguments)
    gateway = Gateway(options.upstream, EmbeddedAws(options.upstream).tables, time.monotonic)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with ServedApplication(gateway, port=options.port) as served:
        print(f"ready at {served.url}", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
