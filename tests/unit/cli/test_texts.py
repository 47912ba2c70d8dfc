"""What the API says in terms of its routes is shown with the commands that do the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plezi_sync.output.texts import with_commands

SOURCES = Path(__file__).parents[3] / "layers/common/connector"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("enable it (POST /admin/start).", "enable it (plezi-sync start)."),
        ('it changed: POST /sync with {"kind": "full"}', "it changed: plezi-sync sync --kind full"),
        ("POST /admin/runs/R1/approve allows it", "plezi-sync approve R1 allows it"),
        ("GET /admin/runs/R1/plan", "plezi-sync preview --run R1"),
        ("GET /admin/runs lists them", "plezi-sync runs lists them"),
        ("GET /admin/runs/R1", "GET /admin/runs/R1"),
        ("The phone is wrong.", "The phone is wrong."),
    ],
)
def test_a_message_of_the_api_names_the_command(message: str, shown: str) -> None:
    assert with_commands(message) == shown


@pytest.mark.parametrize(
    "route", ["POST /admin/start", "POST /admin/pause", "POST /admin/breaker/release"]
)
def test_the_routes_with_a_command_stand_in_messages_of_the_connector(route: str) -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES.rglob("*.py"))
    assert re.search(re.escape(route), sources)
    assert with_commands(route).startswith("plezi-sync ")
