"""One process of the console as built: its cold start, then each page, in processor time.

`benchmarks.console_pages` runs this text in a process that has nothing but the built function and
the built layer. It prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

STARTED = time.process_time()

from functions.console import app as console_function  # noqa: E402  # the import is measured

IMPORTED = time.process_time()


class Context:
    """What Lambda passes about an invocation."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time of an invocation."""
        return 29_000


def visit(path: str, cookie: str) -> tuple[int, float, float]:
    """Open a page; return its status, and its milliseconds of the processor and of the clock."""
    address, _, query = path.partition("?")
    pairs = dict(part.split("=", 1) for part in query.split("&") if part)
    event: dict[str, Any] = {
        "httpMethod": "GET",
        "path": f"/console{address}",
        "pathParameters": {"proxy": address.lstrip("/")} if address != "/" else None,
        "queryStringParameters": pairs or None,
        "headers": {"Cookie": cookie},
        "body": None,
    }
    cpu, clock = time.process_time(), time.perf_counter()
    status = console_function.handler(event, Context())["statusCode"]
    return status, 1000 * (time.process_time() - cpu), 1000 * (time.perf_counter() - clock)


def main() -> None:
    """Measure, and print the result."""
    from connector.console.roles import UserRole  # noqa: PLC0415  # its cost is none of the start

    console = console_function.APP.get()
    request = json.loads(os.environ["VISITS"])
    value = console.sessions.begin("benchmark", "marie@example.com", frozenset(UserRole))
    cookie = f"__Secure-console={value}"
    person = console.seals.person_id(request["person"])
    paths = [path.replace("{person}", person) for path in request["paths"]]
    visit(paths[0], cookie)
    cold = 1000 * (time.process_time() - STARTED)
    pages = {}
    for name, path in zip(request["paths"], paths, strict=True):
        visits = [visit(path, cookie) for _ in range(request["repeat"])]
        pages[name] = {
            "status": max(status for status, _, _ in visits),
            "cpu_ms": min(cpu for _, cpu, _ in visits),
            "clock_ms": min(clock for _, _, clock in visits),
        }
    imported = 1000 * (IMPORTED - STARTED)
    print(json.dumps({"import_ms": imported, "cold_ms": cold, "pages": pages}))


main()
