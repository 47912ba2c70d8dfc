"""Serve a simulated Plezi tenant on a loopback port: `python -m local.plezi_tenant --port 8765`."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from pathlib import Path

from local.plezi_tenant.api import PREFIX
from local.plezi_tenant.tenant import PleziTenant
from local.serving import ServedApplication

MAX_SLEEP_SECONDS = 120.0
"""Upper bound of a slow response over a socket; a fault that requests more is cut to this."""


def bounded_sleep(seconds: float) -> None:
    """Sleep in real time, as a slow server does, up to the upper bound."""
    time.sleep(min(seconds, MAX_SLEEP_SECONDS))


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="local.plezi_tenant", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) selects a free port")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same ids")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="load N sample contacts")
    parser.add_argument(
        "--ready-file", type=Path, help="JSON file, written when the tenant is ready"
    )
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    tenant = PleziTenant(seed=options.seed, sleep=bounded_sleep)
    if options.load:
        tenant.load(options.load)
    with ServedApplication(tenant, port=options.port) as served:
        tenant.public_url = served.url
        ready = {
            "url": served.url + PREFIX,
            "api_key": tenant.api_key,
            "tenant": tenant.tenant_name,
        }
        print(json.dumps(ready), flush=True)
        if options.ready_file is not None:
            # An atomic rename: a reader never sees a partial file.
            draft = options.ready_file.with_name(options.ready_file.name + ".draft")
            draft.write_text(json.dumps(ready), encoding="utf-8")
            draft.replace(options.ready_file)
        stop.wait()
    tenant.close()


if __name__ == "__main__":
    main()
