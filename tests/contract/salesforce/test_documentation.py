"""The documentation lists exactly the existing switches, faults, routes and kinds of calls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.control import Faults
from local.salesforce_org import SalesforceOrg
from local.salesforce_org.call_counts import WRITES
from local.salesforce_org.control_routes import USER_FLAGS, ControlRoutes
from local.salesforce_org.fault_kinds import KINDS
from local.salesforce_org.rest_api import RestApi
from local.salesforce_org.switches import Switches
from tests.docs.named_tests import missing_tests, named_tests

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "simulators" / "salesforce.md"
BEHAVIOURS, OTHER_FACTS, SETTINGS = 12, 9, 14
"""Rows of the tables of tests."""
SHARED = {("GET", "calls"), ("POST", "mark")} | {
    (method, route)
    for route, methods in {
        "faults": ("GET", "POST", "DELETE"),
        "clock": ("GET", "POST"),
        "readings": ("GET", "POST"),
    }.items()
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
    section = section.split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    tables = (BEHAVIOURS, OTHER_FACTS, SETTINGS)
    assert len(lines) == sum(tables) + 2 * len(tables)  # with their heads
    heads = ("| ---", "| behaviour", "| other fact", "| setting")
    for line in lines:
        assert line.startswith(heads) or named_tests(line), line
    assert missing_tests(section) == []


def sources(*folders: str) -> str:
    """Return the text of all tests below some folders."""
    files = (file for folder in folders for file in (TESTS / folder).rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


KNOBS = (*Switches().listing(), *KINDS, *sorted(USER_FLAGS))
NOT_OF_THE_CONNECTOR = {
    "soap_login_disabled": "the connector makes no SOAP login",
    "soap_fault": "the connector makes no SOAP login",
}
"""Settings and faults that cannot change what the connector does, each with the reason."""


@pytest.mark.parametrize("knob", KNOBS)
def test_every_switch_fault_and_right_has_a_test_of_the_org_and_of_the_connector(
    knob: str,
) -> None:
    named = re.compile(rf"\b{knob}\b")
    assert named.search(SOURCES_OF_ORG), f"no contract test uses {knob}"
    is_used = named.search(SOURCES_OF_CONNECTOR) is not None
    assert is_used is (knob not in NOT_OF_THE_CONNECTOR)


SOURCES_OF_ORG = sources("contract/salesforce").replace(Path(__file__).read_text("utf-8"), "")
SOURCES_OF_CONNECTOR = sources("component", "unit", "simulation", "e2e")
