"""The JSON form of every command: the body of the API, as docs/openapi.json describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command

from plezi_sync.application import new_application
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack, described_response
from tests.unit.cli.test_mapping import PHONE as PHONE_LINE
from tests.unit.cli.test_mapping import YAML, yaml_on_stack
from tests.unit.cli.test_people import erasure, exported

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
RUN: Final = f"/admin/runs/{bodies.RUN_ID}"
IN_PATH: Final = "ana%40example.com"
MAPPING: Final = "/admin/mapping"
FILE: Final = "mapping.yaml"
PHONE: Final = bodies.pair("phone", "Phone")
RATING: Final = bodies.pair("segment", "Rating")

Answers = dict[tuple[str, str], Any]


def answers() -> Answers:
    """Return an answer of every route that a command uses."""
    detail = bodies.run_detail()
    result = {"run_id": bodies.RUN_ID}
    verified = {
        "run_id": bodies.RUN_ID,
        "finished_at": 1.0,
        "people": 1,
        "compared_fields": 9,
        "unexplained_fields": 1,
        "drift_rate": 0.1,
    }
    return {
        ("POST", "/sync"): result,
        ("GET", RUN): detail | {"verification": verified},
        ("GET", f"{RUN}/plan"): detail,
        ("POST", f"{RUN}/approve"): {"run_id": bodies.RUN_ID, "until": 1.0, "changes": {}},
        ("POST", f"{RUN}/undo"): result | {"undoes": "r0", "preview": False},
        ("POST", f"{RUN}/repair"): result
        | {"repairs": "r0", "people": 1, "is_complete": False, "left_undone": 1},
        ("GET", "/admin/runs"): {"runs": [bodies.run()], "next": ""},
        ("GET", "/admin/status"): bodies.status(),
        ("GET", "/admin/forecast"): bodies.forecast(),
        ("GET", "/admin/setup"): bodies.guide(),
        ("GET", "/admin/systems"): bodies.systems(found="00D2"),
        ("POST", "/admin/systems"): {
            "system": bodies.systems()["systems"][0],
            "next_step": "sync",
            "run_id": bodies.RUN_ID,
        },
        ("GET", "/admin/fields"): {
            "plezi": [bodies.field("city")],
            "lead": [],
            "contact": [],
            "previous_view": 0.0,
        },
        ("GET", MAPPING): bodies.mapping(3, PHONE, RATING),
        ("PUT", MAPPING): bodies.saved(),
        ("PUT", f"{MAPPING}.yaml"): bodies.saved(),
        ("GET", f"{MAPPING}/versions"): {"versions": [], "next": ""},
        ("POST", f"{MAPPING}/versions/1/restore"): bodies.saved(),
        ("GET", f"{MAPPING}/values/Rating"): bodies.value_table(),
        ("POST", "/admin/start"): {"started": True},
        ("POST", "/admin/pause"): {"started": False},
        ("POST", "/admin/breaker/release"): {
            "clearing_allowed_until": 0.0,
            "defects_allowed_until": 0.0,
        },
        ("POST", "/admin/connection/check"): bodies.checked(bodies.finding("login")),
        ("POST", "/admin/setup/salesforce-fields"): bodies.set_up(),
        ("GET", "/admin/plezi/probe"): bodies.probe(),
        ("POST", "/admin/plezi/probe"): bodies.probe(),
        ("GET", "/admin/attention"): bodies.page(bodies.review_item(holds=[bodies.hold()])),
        ("POST", f"/admin/attention/holds/{IN_PATH}/Phone"): result,
        ("POST", "/admin/attention/holds"): bodies.bulk(),
        ("POST", "/admin/attention/policies"): bodies.policy(),
        ("POST", f"/admin/attention/quarantine/{IN_PATH}/retry"): result,
        ("POST", "/admin/attention/quarantine"): bodies.bulk(),
        ("GET", f"/admin/attention/duplicates/{IN_PATH}"): bodies.duplicates(),
        ("POST", f"/admin/attention/duplicates/{IN_PATH}"): result,
        ("GET", f"/admin/contacts/{IN_PATH}"): bodies.contact(),
        ("POST", "/admin/people/search"): bodies.found(bodies.EMAIL),
        ("POST", "/admin/people/records"): bodies.record_pages(),
        ("POST", "/admin/people/export"): exported("one"),
        ("POST", "/admin/people/erase"): erasure(),
        ("POST", "/admin/people/tombstones/lift"): {"lifted": 3, "next_step": "sync"},
    }


OF_THE_API: Final = (
    f"approve {bodies.RUN_ID}",
    "call GET /admin/status",
    "fields plezi",
    "forecast",
    "preview",
    "probe --last",
    "status",
    "start",
    "pause",
    "sync",
    "sync --wait",
    f"undo {bodies.RUN_ID}",
    f"undo {bodies.RUN_ID} --apply",
    "verify",
    f"verify --run {bodies.RUN_ID} --repair",
    f"why {bodies.EMAIL}",
    "breaker show",
    "breaker release --intended",
    "conflicts list",
    f"conflicts choose {bodies.EMAIL} Phone --plezi",
    "conflicts choose-all Phone plezi",
    "connect check",
    "duplicates list",
    f"duplicates show {bodies.EMAIL}",
    f"duplicates pick {bodies.EMAIL} 00Q1",
    "errors list",
    "errors retry --all",
    f"errors retry {bodies.EMAIL}",
    "mapping show",
    "mapping add mobile MobilePhone --both",
    "mapping remove Phone",
    "mapping values Rating",
    "mapping edit",
    f"mapping validate {FILE}",
    f"mapping diff {FILE}",
    "mapping apply",
    "mapping history",
    "mapping restore 1",
    f"mapping import {FILE}",
    "mapping export",
    "people export ana@example.com",
    "people erase ana@example.com",
    "people lift ana@example.com",
    "runs list",
    f"runs show {bodies.RUN_ID}",
    f"runs follow {bodies.RUN_ID}",
    "setup status",
    "setup fields",
    "systems show",
    "systems decide salesforce same_people",
)
"""Commands whose JSON form is a body of the API."""
OWN_FORM: Final = {
    "doctor": "doctor",
    "logs": "logs sync_worker",
    "invoke": "invoke scheduled_sync",
    "connect set": "connect set plezi",
    "connect rotate": "connect rotate plezi",
    "mapping promote": "mapping promote --to-stack-file other.json --check",
    "open": "open plezi --print",
    "redrive": "redrive",
}
"""Commands with a form of their own (docs/cli.md, Output), each tried by its own tests."""


def names(command: Any, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the name of each command of the program."""
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from names(child, (*before, name))
    if not children:
        yield " ".join(before)


def test_every_command_is_in_one_of_the_lists() -> None:
    every = set(names(get_command(new_application())))
    covered = {name for name in every if any(f"{it} ".startswith(f"{name} ") for it in OF_THE_API)}

    assert every - covered == set(OWN_FORM)


@pytest.fixture
def full_stack(stack: FakeStack) -> FakeStack:
    yaml_on_stack(stack)
    for (method, path), body in answers().items():
        stack.on(method, path, body)
    return stack


@pytest.mark.parametrize("command", OF_THE_API)
def test_the_json_form_of_a_command_is_as_the_openapi_document_describes_it(
    full_stack: FakeStack, person: Person, capsys: Output, command: str
) -> None:
    Path(FILE).write_text(YAML + PHONE_LINE, encoding="utf-8")
    person.edited = lambda text: text + PHONE_LINE
    person.is_interactive = True

    status = person.run(*command.split(), "--json", "--yes")

    printed = capsys.readouterr()
    assert status in (0, 4), printed.err
    method, path = full_stack.calls[-1]
    schema = described_response(method, path.partition("?")[0])
    assert list(Draft202012Validator(schema).iter_errors(json.loads(printed.out))) == []


@pytest.mark.parametrize(
    "command", [OWN_FORM["open"], OWN_FORM["redrive"], "redrive runs", "errors retry --cause NONE"]
)
@pytest.mark.usefixtures("full_stack")
def test_a_command_with_a_form_of_its_own_prints_json_too(
    person: Person, capsys: Output, command: str
) -> None:
    assert person.run(*command.split(), "--json", "--yes") == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)
