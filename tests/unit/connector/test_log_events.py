"""The events of the log can be written by Python's `logging`."""

from __future__ import annotations

import logging

import pytest

from connector.log_events import Event

RESERVED = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
"""`logging` raises `KeyError` when an extra field has the name of an attribute of its records."""


@pytest.mark.parametrize("event", Event)
def test_no_field_of_an_event_has_a_name_that_logging_reserves(event: Event) -> None:
    assert not RESERVED & set(event.value.fields)
