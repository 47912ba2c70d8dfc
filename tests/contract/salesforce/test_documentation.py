"""The documentation lists exactly the existing switches, faults, routes and kinds of calls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from local.control import Faults
from local.salesforce_org import SalesforceOrg
from local.salesforce_org.call_counts import WRITES
from local.salesforce_org.control_routes import ControlRoutes
from local.salesforce_org.fault_kinds import KINDS
from local.salesforce_org.rest_api import RestApi
from local.salesforce_org.switches import Switches

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "simulators" / "salesforce.md"
SHARED = {("GET", "calls"), ("POST", "mark")} | {
    (method, route)
    for route, methods in {"faults": ("GET", "POST", "DELETE"), "clock": ("GET", "POST")}.items()
    for method in methods
}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_switch_is_documented_with_its_default() -> None:
    documented: dict[str, Any] = {}
    for names, default, _ in rows("Switches"):
        documented |= {name: json.loads(quoted(default)[0]) for name in quoted(names)}
    assert documented == Switches().listing()


def test_every_fault_is_documented() -> None:
    documented = [kind for row in rows("Faults") for kind in quoted(row[0])]
    assert sorted(documented) == sorted(KINDS)


def test_every_control_route_is_documented(org: SalesforceOrg) -> None:
    documented: set[tuple[str, str]] = set()
    for cell, _ in rows("Control routes"):
        methods: list[str] = []
        for text in quoted(cell):
            before, _, path = text.rpartition(" ")
            methods = [*methods, *before.split()] if not path.startswith("/") else methods
            if path.isupper():
                methods.append(path)
                continue
            if before:
                methods.append(before)
            if path.startswith("/_sim/"):
                documented |= {(method, path.split("/")[2]) for method in methods}
                methods = []
    routes = set(ControlRoutes(org.state, org.reset)._routes) | SHARED
    assert documented == routes


def test_every_kind_of_call_is_documented(org: SalesforceOrg) -> None:
    text = PAGE.read_text(encoding="utf-8").split("Kinds of calls:")[1].split("## ")[0]
    routes = RestApi(org.state, Faults(KINDS))._routes
    kinds = {route.kind for route in routes} | {"login", "refused"}
    assert set(quoted(text)) == kinds
    assert kinds >= WRITES


def test_every_named_test_exists() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Tests of its behaviour\n")[1]
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("| ")]
    assert len(lines) == 2 * (12 + 2)  # two tables of twelve rows, with their heads
    for line in lines:
        if line.startswith(("| ---", "| behaviour", "| setting")):
            continue
        named = re.findall(r"`([a-z]+/[\w/]+\.py)::(\w+)`", line)
        assert named, line
        for file, name in named:
            source = (TESTS / file).read_text(encoding="utf-8")
            assert f"def {name}(" in source, f"{file}::{name}"
