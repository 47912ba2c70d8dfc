"""The admin API on the deployed stack, signed, through the wire."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from local.actors import Marketer, Operator, SalesPerson
from local.stack.__main__ import main
from local.stack.admin_calls import call_admin
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

DESCRIBED = json.loads(Path("docs/openapi.json").read_text(encoding="utf-8"))
PLUS = "a+b%c@x.fr"
"""An address with everything that a path can spoil."""


class Desk:
    """An administrator at the deployed API."""

    def __init__(self, commands: StackCommands) -> None:
        self._commands = commands

    def ask(self, method: str, path: str, body: Any = None, route: str = "") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        answer = call_admin(self._commands, method, path, data)
        operation = DESCRIBED["paths"][route or path.partition("?")[0]][method.lower()]
        content = operation["responses"][str(answer.status_code)]["content"]
        schema = {**content["application/json"]["schema"], "components": DESCRIBED["components"]}
        Draft202012Validator(schema).validate(answer.json())
        return answer.status_code, answer.json()

    def good(self, method: str, path: str, body: Any = None, route: str = "") -> Any:
        status, answer = self.ask(method, path, body, route)
        assert status in (200, 202), answer
        return answer


@pytest.fixture
def desk(stack: StackFile, commands: StackCommands) -> Desk:
    assert stack
    return Desk(commands)


def with_policy(mapping: dict[str, Any], policy: str) -> dict[str, Any]:
    changed = deepcopy(mapping)
    next(it for it in changed["pairs"] if it["salesforce"] == "Title")["policy"] = policy
    return changed


def test_of_two_who_save_one_version_at_once_one_wins(desk: Desk) -> None:
    mapping = desk.good("GET", "/admin/mapping")
    policies = ("hold", "fill_blank")

    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(
                lambda policy: desk.ask("PUT", "/admin/mapping", with_policy(mapping, policy)),
                policies,
            )
        )

    assert sorted(status for status, _ in answers) == [200, 409]
    conflict = next(body for status, body in answers if status == 409)
    assert conflict["yours"]["version"] == mapping["version"]
    assert conflict["current"]["version"] == mapping["version"] + 1
    newest = desk.good("GET", "/admin/mapping/versions")["versions"][0]
    assert newest["version"] == mapping["version"] + 1
    assert newest["saved_by"]


def test_the_fields_of_both_sides_are_listed_with_the_deployed_credentials(desk: Desk) -> None:
    fields = desk.good("GET", "/admin/fields?refresh=true", route="/admin/fields")
    assert {it["name"] for it in fields["plezi"]} >= {"email", "function"}
    assert {it["name"] for it in fields["lead"]} >= {"Email", "plezi_url__c"}
    checked = desk.good("POST", "/admin/connection/check")
    assert checked["report"]["ok"] is True
    assert len(checked["fields"]["lead"]) == len(fields["lead"])
    setup = desk.good("POST", "/admin/setup/salesforce-fields", {"create": True})
    assert setup["ready"] is True


def test_a_held_field_of_a_difficult_address_is_settled(desk: Desk, stack: StackFile) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    mapping = desk.good("GET", "/admin/mapping")
    next(it for it in mapping["pairs"] if it["salesforce"] == "MobilePhone")["policy"] = "hold"
    desk.good("PUT", "/admin/mapping", mapping)
    person = marketing.add(email=PLUS, last_name="Plus", mobile="111")
    lead = sales.add("Lead", Email=PLUS, LastName="Plus", Company="Plus SA", MobilePhone="222")
    ops.fire_schedule()
    address = quote(PLUS, safe="")

    told = desk.good("GET", f"/admin/contacts/{address}", route="/admin/contacts/{email}")
    assert [hold["field"] for hold in told["holds"]] == ["MobilePhone"]
    asked = desk.good(
        "POST",
        f"/admin/attention/holds/{address}/MobilePhone",
        {"record": person},
        "/admin/attention/holds/{email}/{field}",
    )
    ops.wait(asked["run_id"])

    assert sales.record("Lead", lead)["MobilePhone"] == "111"
    route = "/admin/contacts/{email}"
    assert desk.good("GET", f"/admin/contacts/{address}", route=route)["holds"] == []
    entries = desk.good("GET", "/admin/audit")["entries"]
    assert entries[0]["action"] == "choose MobilePhone"


def test_the_mapping_is_exported_and_imported_by_the_commands(
    desk: Desk, commands: StackCommands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mapping.yaml"
    here = ["--folder", str(commands.folder), "admin"]
    before = desk.good("GET", "/admin/mapping")["version"]

    assert main([*here, "GET", "/admin/mapping.yaml", "--output", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    line = "salesforce: Title, direction: to_salesforce"
    assert line in text
    file.write_text(text.replace(line, "salesforce: Title, direction: 'off'"), encoding="utf-8")
    assert main([*here, "PUT", "/admin/mapping.yaml", "--body", str(file)]) == 0
    assert desk.good("GET", "/admin/mapping")["version"] == before + 1
    assert main([*here, "PUT", "/admin/mapping.yaml", "--body", str(file)]) == 1
    assert "409" in capsys.readouterr().err
