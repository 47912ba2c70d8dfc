"""The set-up guide, and the promotion of a mapping to another stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug import Response

from local.serving import ServedApplication
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.api_bodies import pair
from tests.unit.cli.conftest import Person, write_stack_file
from tests.unit.cli.fake_stack import FakeStack

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
GUIDE, MAPPING, RUN = "/admin/setup", "/admin/mapping", "/admin/runs/r1"
YAML = """\
version: 7
contact_filter: {field: sync__c, operator: equals, value: yes}
pairs:
  - {plezi: email, salesforce: Email, direction: both, locked: true}
  - {plezi: phone, salesforce: Phone, direction: off}
"""


def test_the_guide_shows_each_step_and_ends_with_4_and_the_next_command(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", GUIDE, bodies.guide(fields="to_do", mapping="blocked"))
    assert person.run("setup", "status") == 4
    printed = capsys.readouterr()
    lines = [line.split()[:3] for line in printed.out.splitlines()]
    assert ["connect", "done", "Reason"] in lines
    assert ["fields", "to", "do"] in lines
    assert "Remedy: correct fields" in printed.out
    assert printed.err == "plezi-sync: Next: do fields\n"
    assert person.run("setup") == 4


def test_a_complete_set_up_ends_with_0_and_shows_its_notes(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    complete = bodies.guide()
    complete["steps"][1]["notes"] = ["No probe: plezi-sync probe"]
    stack.on("GET", GUIDE, complete)
    assert person.run("setup", "status") == 0
    assert "check: No probe: plezi-sync probe" in capsys.readouterr().out
    assert person.run("setup", "status", "--json") == 0
    assert json.loads(capsys.readouterr().out) == complete


@pytest.fixture
def target(stack: FakeStack, local_stack: Path) -> Iterator[FakeStack]:
    """The other stack, whose file is `target.json`; the stack of the session is the source."""
    stack.routes["GET", "/admin/mapping.yaml"] = [
        Response(YAML, 200, content_type="application/yaml")
    ]
    other = FakeStack()
    other.on("GET", MAPPING, bodies.mapping(2, pair("email", "Email", locked=True)))
    other.on("PUT", MAPPING, bodies.saved(3))
    other.on("POST", "/sync", {"run_id": "r1"})
    other.on("GET", RUN, bodies.run_detail(kind="dry_run"))
    source = local_stack.read_text("utf-8")
    with ServedApplication(other) as served:
        write_stack_file(served.url).rename("target.json")
        local_stack.write_text(source, encoding="utf-8")
        yield other


PROMOTE = ("mapping", "promote", "--to-stack-file", "target.json")


def test_a_promoted_mapping_is_validated_by_the_target_and_saved_as_its_next_version(
    stack: FakeStack, target: FakeStack, person: Person, capsys: Output
) -> None:
    person.answers = ["y"]
    assert person.run(*PROMOTE) == 0, capsys.readouterr().err
    assert "+ Phone: phone (off) Phone" in capsys.readouterr().out
    draft = target.body_of("POST", "/sync")
    assert (draft["kind"], draft["mapping"]["version"]) == ("dry_run", 2)
    assert draft["emails"] == ["nobody@example.invalid"]
    sent = target.body_of("PUT", MAPPING)
    assert (sent["version"], sent["contact_filter"]["value"]) == (2, "yes")
    assert [each["direction"] for each in sent["pairs"]] == ["both", "off"]
    assert stack.calls == [("GET", "/admin/mapping.yaml")]


def test_a_mapping_that_the_target_cannot_use_is_not_saved(
    target: FakeStack, person: Person, capsys: Output
) -> None:
    problem = {"pair": "P", "field": "", "code": "missing", "message": "no", "remedy": "create"}
    failed = bodies.run_detail("failed", reason="mapping", problems=[problem])
    target.on("GET", RUN, failed)
    assert person.run(*PROMOTE, "--yes") == 4
    assert "P: no (missing) Remedy: create" in capsys.readouterr().out
    assert all(method != "PUT" for method, _ in target.calls)


@pytest.mark.parametrize(
    ("answers", "more", "status"), [(["n"], (), 5), ([], (), 2), ([], ("--check",), 0)]
)
def test_nothing_is_saved_without_a_yes(
    target: FakeStack, person: Person, answers: list[str], more: tuple[str, ...], status: int
) -> None:
    person.answers = answers
    assert person.run(*PROMOTE, *more) == status
    assert all(method != "PUT" for method, _ in target.calls)
    assert ("POST", "/sync") in target.calls


def test_a_mapping_that_is_the_same_is_neither_checked_nor_saved(
    target: FakeStack, person: Person, capsys: Output
) -> None:
    same = (pair("email", "Email", locked=True), pair("phone", "Phone", "off"))
    target.on("GET", MAPPING, bodies.mapping(2, *same))
    assert person.run(*PROMOTE) == 0
    assert capsys.readouterr().out == "No change.\n"
    assert target.calls == [("GET", MAPPING)]


@pytest.mark.usefixtures("target")
def test_the_target_must_be_named_and_another_stack(person: Person, capsys: Output) -> None:
    assert person.run("mapping", "promote") == 2
    assert "--to-stack" in capsys.readouterr().err
    assert person.run("mapping", "promote", "--to-stack-file", ".local/stack.json") == 2
    assert "Name another one" in capsys.readouterr().err
