"""Salesforce lists every record that changed; the connector needs one stamp of that response."""

from __future__ import annotations

import json
import time
from functools import reduce
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connector import http_session
from connector.http_session import HttpSession, ResponseTooLargeError
from connector.salesforce.reader import drop_ids
from local.serving import InProcessAdapter
from tests.component.harness import SALESFORCE, Harness

MANY = 5_000
COVERED = "2026-11-23T10:00:00.000+0000"


def get_updated(harness: Harness, **options: Any) -> requests.Response:
    now = harness.control("salesforce", "GET", "clock")["now"]
    http = HttpSession(monotonic=time.monotonic)
    http.mount("https://", InProcessAdapter(harness.org))
    return http.get(
        f"{SALESFORCE}/services/data/v64.0/sobjects/Lead/updated/",
        params={"start": options.pop("start", "2026-11-01T00:00:00Z"), "end": now},
        headers={"Authorization": f"Bearer {harness._token}"},
        **options,
    )


def test_the_ids_of_changed_records_are_dropped_while_they_arrive(harness: Harness) -> None:
    harness.control("salesforce", "POST", "load", {"leads": MANY, "spread_seconds": 3600})

    whole = get_updated(harness)
    reduced = get_updated(harness, reduce=drop_ids)

    assert len(whole.json()["ids"]) > MANY / 2
    assert reduced.json()["latestDateCovered"] == whole.json()["latestDateCovered"]
    assert len(reduced.content) < 200


def test_an_error_response_is_not_reduced(harness: Harness) -> None:
    refused = get_updated(harness, start="2020-01-01T00:00:00Z", reduce=lambda _: b"")

    assert refused.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_a_response_that_is_too_long_is_refused_even_when_it_is_reduced(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.control("salesforce", "POST", "load", {"leads": MANY, "spread_seconds": 3600})
    monkeypatch.setattr(http_session, "MAX_RESPONSE_BYTES", 10_000)
    monkeypatch.setattr(http_session, "CHUNK_BYTES", 1_000)

    with pytest.raises(ResponseTooLargeError, match="larger than 10000 bytes") as raised:
        get_updated(harness, reduce=drop_ids)

    assert raised.value.limit == 10_000


@given(st.integers(0, 40), st.lists(st.integers(1, 60)))
def test_the_stamp_is_kept_for_every_split_into_chunks(ids: int, cuts: list[int]) -> None:
    listed = [f"00Q{number:015}" for number in range(ids)]
    response = json.dumps({"ids": listed, "latestDateCovered": COVERED}).encode()
    chunks = []
    for cut in cuts:
        chunks.append(response[:cut])
        response = response[cut:]

    kept = reduce(lambda kept, chunk: drop_ids(kept + chunk), [*chunks, response], b"")

    assert json.loads(kept) == {"ids": listed[-1:], "latestDateCovered": COVERED}
