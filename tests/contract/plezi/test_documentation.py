"""The documentation lists exactly the existing switches, faults and kinds of calls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from local.plezi_tenant import Switches
from local.plezi_tenant.api import KINDS as CALL_KINDS
from local.plezi_tenant.fault_injection import KINDS as FAULT_KINDS

PAGE = Path(__file__).parents[3] / "docs" / "simulators" / "plezi.md"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_switch_is_documented_with_its_default_first() -> None:
    documented: dict[str, Any] = {}
    for name, values, _ in rows("Switches"):
        first = quoted(values)[0]
        documented[quoted(name)[0]] = json.loads(first) if first[0] in "{0123456789" else first
    # The only value that looks like a number and is a string.
    documented["unknown_tenant"] = str(documented["unknown_tenant"])
    assert documented == Switches().listing()


def test_every_documented_switch_value_is_accepted() -> None:
    for name, values, _ in rows("Switches"):
        switch = quoted(name)[0]
        for value in quoted(values):
            if value[0] not in "{0123456789" or switch == "unknown_tenant":
                changes: dict[str, Any] = {switch: value}
                assert Switches().with_changes(changes).listing()[switch] == value


def test_every_fault_is_documented() -> None:
    documented = [kind for row in rows("Faults") for kind in quoted(row[0])]
    assert sorted(documented) == sorted(FAULT_KINDS)


def test_every_kind_of_call_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    sentence = text.split("Kinds of calls:")[1].split("## ")[0]
    assert set(CALL_KINDS.values()) | {"other"} <= set(quoted(sentence))
