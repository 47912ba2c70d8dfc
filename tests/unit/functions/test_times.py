"""Times of the admin API: in seconds for programs, and in ISO 8601 for people."""

from __future__ import annotations

from typing import Any

import pytest

from functions.admin import app
from functions.admin.openapi import document
from functions.admin.times import SUFFIX, TIME_MEMBERS, utc_time, with_utc_times

NOON = 1_795_694_400.0
TEXT = "2026-11-26T12:00:00+00:00"


def test_each_time_of_an_answer_has_its_second_form() -> None:
    answer = {"runs": [{"started_at": NOON, "finished_at": 0.0, "people": 3}], "next": ""}

    assert with_utc_times(answer) == {
        "runs": [
            {
                "started_at": NOON,
                "started_at_utc": TEXT,
                "finished_at": 0.0,
                "finished_at_utc": "",
                "people": 3,
            }
        ],
        "next": "",
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"values": {"since": 5, "at": NOON}},
        {"counts": {"plezi": {"at": 1}}},
        {"contact_filter": None, "saved_at": NOON},
        {"at": {"type": "number"}},
        ["at"],
    ],
)
def test_names_that_the_api_does_not_choose_and_mappings_are_left_as_they_are(answer: Any) -> None:
    assert with_utc_times(answer) == answer


@pytest.mark.parametrize("seconds", [None, 0, 0.0, "x", float("inf"), float("nan"), 1e300])
def test_what_is_no_time_has_no_text(seconds: object) -> None:
    assert utc_time(seconds) == ""


def test_every_time_of_the_openapi_document_has_its_second_form() -> None:
    """A new member whose name or description says that it is a time must be in the list."""
    names = set()
    for name, schema in document(app.app)["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            is_number = "number" in str(described)
            if is_number and (member.endswith(("_at", "since", "until")) or member == "at"):
                names.add(member)
                is_mapping = "contact_filter" in schema["properties"]
                assert is_mapping or member + SUFFIX in schema["required"], (name, member)
    assert names <= TIME_MEMBERS
    assert TIME_MEMBERS - names == {"previous_view"}
