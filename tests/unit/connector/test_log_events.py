"""The events of the log: each is written, with the fields that are documented."""

from __future__ import annotations

import ast
import logging
from collections import defaultdict
from pathlib import Path

import pytest

from connector.log_events import Event

ROOT = Path(__file__).parents[3]
RESERVED = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
"""`logging` raises `KeyError` when an extra field has the name of an attribute of its records."""


def written_events() -> dict[str, set[str]]:
    """Return the fields that the code writes, by the event's name: `log(Event.name, field=...)`."""
    written: dict[str, set[str]] = defaultdict(set)
    for folder in ("layers/common/connector", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        args=[
                            ast.Attribute(value=ast.Name(id="Event"), attr=name),
                        ],
                        keywords=keywords,
                    ):
                        written[name] |= {each.arg or "**" for each in keywords}
    return written


WRITTEN = written_events()


@pytest.mark.parametrize("event", Event)
def test_no_field_of_an_event_has_a_name_that_logging_reserves(event: Event) -> None:
    assert not RESERVED & set(event.value.fields)


@pytest.mark.parametrize("event", Event)
def test_every_event_is_written_somewhere(event: Event) -> None:
    assert event.name in WRITTEN


@pytest.mark.parametrize("event", Event)
def test_an_event_is_written_with_its_documented_fields(event: Event) -> None:
    """`**fields` in a call stands for fields that it does not name."""
    written = WRITTEN[event.name]
    documented = set(event.value.fields)

    assert written - {"**"} <= documented
    if "**" not in written:
        assert written == documented
