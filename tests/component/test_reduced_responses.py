"""Salesforce lists every record that changed; the connector needs one stamp of that answer."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connector import http_session as transport
from connector.http_session import HttpSession
from connector.salesforce.reader import drop_ids
from local.serving import InProcessAdapter
from tests.component.harness import SALESFORCE, Harness

MANY = 5_000
COVERED = "2026-11-23T10:00:00.000+0000"


def ask_what_changed(harness: Harness, **options: Any) -> requests.Response:
    now = harness.control("salesforce", "GET", "clock")["now"]
    wire = HttpSession()
    wire.mount("https://", InProcessAdapter(harness.org))
    return wire.get(
        f"{SALESFORCE}/services/data/v64.0/sobjects/Lead/updated/",
        params={"start": options.pop("start", "2026-11-01T00:00:00Z"), "end": now},
        headers={"Authorization": f"Bearer {harness._token}"},
        **options,
    )


def test_the_ids_of_what_changed_are_dropped_while_they_arrive(harness: Harness) -> None:
    harness.control("salesforce", "POST", "load", {"leads": MANY, "spread_seconds": 3600})

    whole = ask_what_changed(harness)
    short = ask_what_changed(harness, reduce=drop_ids)

    assert len(whole.json()["ids"]) > MANY / 2
    assert short.json()["latestDateCovered"] == whole.json()["latestDateCovered"]
    assert len(short.content) < 200


def test_a_refusal_is_not_shortened(harness: Harness) -> None:
    refused = ask_what_changed(harness, start="2020-01-01T00:00:00Z", reduce=lambda _: b"")

    assert refused.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_an_answer_without_end_is_refused_however_short_it_is_kept(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.control("salesforce", "POST", "load", {"leads": MANY, "spread_seconds": 3600})
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 10_000)
    monkeypatch.setattr(transport, "CHUNK_BYTES", 1_000)

    with pytest.raises(requests.ConnectionError, match="larger than 10000 bytes"):
        ask_what_changed(harness, reduce=drop_ids)


@given(st.integers(0, 40), st.lists(st.integers(1, 60)))
def test_the_stamp_survives_wherever_the_pieces_are_cut(ids: int, cuts: list[int]) -> None:
    listed = [f"00Q{number:015}" for number in range(ids)]
    answer = json.dumps({"ids": listed, "latestDateCovered": COVERED}).encode()
    pieces = []
    for cut in cuts:
        pieces.append(answer[:cut])
        answer = answer[cut:]

    kept = reduce(lambda kept, piece: drop_ids(kept + piece), [*pieces, answer], b"")

    assert json.loads(kept) == {"ids": listed[-1:], "latestDateCovered": COVERED}
