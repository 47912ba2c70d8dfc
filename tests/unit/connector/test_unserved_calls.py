"""A call that a gateway answered in the place of the API counts in no limit of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.http_session import HttpSession
from local.serving import InProcessAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON = "application/json;charset=UTF-8"


@pytest.mark.parametrize(
    ("status", "content_type", "is_unserved"),
    [
        ("503 Service Unavailable", "text/html", True),
        ("502 Bad Gateway", "text/html", True),
        ("504 Gateway Timeout", "", True),
        ("503 Service Unavailable", JSON, False),
        ("500 Internal Server Error", "text/html", False),
        ("200 OK", "text/html", False),
    ],
)
def test_a_page_of_a_gateway_is_a_call_that_was_not_served(
    status: str, content_type: str, *, is_unserved: bool
) -> None:
    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", content_type)] if content_type else []
        start_response(status, headers)
        return [b"x"]

    session = HttpSession(monotonic=lambda: 0.0)
    session.mount("https://", InProcessAdapter(application))

    session.request("GET", "https://acme.my.salesforce.com/services/data")

    assert (session.calls, session.unserved) == (1, int(is_unserved))
