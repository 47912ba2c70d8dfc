"""The table of clients in the documentation is that of `make clients`."""

from __future__ import annotations

from pathlib import Path

from tests.clients import steps

PAGE = Path(__file__).parents[2] / "docs" / "simulators" / "salesforce.md"


def test_every_command_and_step_of_a_client_is_documented_with_its_result() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Clients of others\n")[1]
    section = section.split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    documented = [
        tuple(cell.strip().strip("`") for cell in line.strip("|").split(" | ")) for line in lines
    ]
    assert documented == list(steps.table())


def test_the_documented_versions_are_those_that_are_installed() -> None:
    root = PAGE.parents[2]
    text = (root / "tests" / "clients" / "installation.py").read_text(encoding="utf-8")
    pins = "".join(
        path.read_text(encoding="utf-8") for path in (root / "requirements").glob("*.in")
    )
    page = PAGE.read_text(encoding="utf-8")
    for name, version, source in (
        ("sf is @salesforce/cli", "2.146.3", text),
        ("@salesforce/core is", "8.32.6", text),
        ("django-salesforce", "6.0", pins),
        ("tap-salesforce is", "2.8.1", pins),
        ("airbyte-source-salesforce is", "2.10.3", pins),
    ):
        assert version in source
        assert f"{name} {version}" in " ".join(page.split())
