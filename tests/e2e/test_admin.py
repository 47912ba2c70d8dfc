"""The admin API of the deployed stack, called over HTTP with signed requests."""

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
from local.stack import stack_file
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile
from plezi_sync.__main__ import main
from plezi_sync.admin_api import AdminApi

pytestmark = pytest.mark.stack

OPENAPI = json.loads(Path("docs/openapi.json").read_text(encoding="utf-8"))
PLUS = "a+b%c@x.fr"
"""An address with the characters that need encoding in a path."""


class AdminClient:
    """Calls the deployed API and checks each response against its description."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def request(self, method: str, path: str, body: Any = None, route: str = "") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        response = self._api.call(method, path, data)
        operation = OPENAPI["paths"][route or path.partition("?")[0]][method.lower()]
        content = operation["responses"][str(response.status_code)]["content"]
        schema = {**content["application/json"]["schema"], "components": OPENAPI["components"]}
        Draft202012Validator(schema).validate(response.json())
        return response.status_code, response.json()

    def accepted(self, method: str, path: str, body: Any = None, route: str = "") -> Any:
        status, response = self.request(method, path, body, route)
        assert status in (200, 202), response
        return response


@pytest.fixture
def admin(admin_api: AdminApi) -> AdminClient:
    return AdminClient(admin_api)


def with_policy(mapping: dict[str, Any], policy: str) -> dict[str, Any]:
    changed = deepcopy(mapping)
    next(pair for pair in changed["pairs"] if pair["salesforce"] == "Title")["policy"] = policy
    return changed


def test_when_two_admins_save_the_same_version_one_of_them_is_refused(admin: AdminClient) -> None:
    mapping = admin.accepted("GET", "/admin/mapping")
    policies = ("hold", "fill_blank")

    with ThreadPoolExecutor(2) as threads:
        responses = list(
            threads.map(
                lambda policy: admin.request("PUT", "/admin/mapping", with_policy(mapping, policy)),
                policies,
            )
        )

    assert sorted(status for status, _ in responses) == [200, 409]
    conflict = next(body for status, body in responses if status == 409)
    assert conflict["yours"]["version"] == mapping["version"]
    assert conflict["current"]["version"] == mapping["version"] + 1
    newest = admin.accepted("GET", "/admin/mapping/versions")["versions"][0]
    assert newest["version"] == mapping["version"] + 1
    assert newest["saved_by"]


def test_the_fields_of_both_sides_are_listed_with_the_deployed_credentials(
    admin: AdminClient,
) -> None:
    fields = admin.accepted("GET", "/admin/fields?refresh=true", route="/admin/fields")
    assert {field["name"] for field in fields["plezi"]} >= {"email", "function"}
    assert {field["name"] for field in fields["lead"]} >= {"Email", "plezi_url__c"}
    checked = admin.accepted("POST", "/admin/connection/check")
    assert checked["report"]["ok"] is True
    assert len(checked["fields"]["lead"]) == len(fields["lead"])
    setup = admin.accepted("POST", "/admin/setup/salesforce-fields", {"create": True})
    assert setup["ready"] is True


def test_a_held_field_of_an_address_that_needs_encoding_is_resolved(
    admin: AdminClient, stack: StackFile
) -> None:
    sales, marketing, ops = SalesPerson(stack), Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    mapping = admin.accepted("GET", "/admin/mapping")
    next(pair for pair in mapping["pairs"] if pair["salesforce"] == "MobilePhone")["policy"] = (
        "hold"
    )
    admin.accepted("PUT", "/admin/mapping", mapping)
    person = marketing.add(email=PLUS, last_name="Plus", mobile="111")
    lead = sales.add("Lead", Email=PLUS, LastName="Plus", Company="Plus SA", MobilePhone="222")
    ops.fire_schedule()
    address = quote(PLUS, safe="")

    contact = admin.accepted("GET", f"/admin/contacts/{address}", route="/admin/contacts/{email}")
    assert [hold["field"] for hold in contact["holds"]] == ["MobilePhone"]
    requested = admin.accepted(
        "POST",
        f"/admin/attention/holds/{address}/MobilePhone",
        {"record": person},
        "/admin/attention/holds/{email}/{field}",
    )
    ops.wait(requested["run_id"])

    assert sales.record("Lead", lead)["MobilePhone"] == "111"
    route = "/admin/contacts/{email}"
    assert admin.accepted("GET", f"/admin/contacts/{address}", route=route)["holds"] == []
    entries = admin.accepted("GET", "/admin/audit")["entries"]
    assert entries[0]["action"] == "choose MobilePhone"


def test_the_command_line_exports_and_imports_the_mapping(
    admin: AdminClient, commands: StackCommands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mapping.yaml"
    stack = ["--yes", "--stack-file", str(commands.folder / stack_file.FILE)]
    before = admin.accepted("GET", "/admin/mapping")["version"]

    assert main(["mapping", "export", str(file), *stack]) == 0
    text = file.read_text(encoding="utf-8")
    pair = "salesforce: Title, direction: to_salesforce"
    assert pair in text
    file.write_text(text.replace(pair, "salesforce: Title, direction: 'off'"), encoding="utf-8")
    assert main(["mapping", "import", str(file), *stack]) == 0
    assert admin.accepted("GET", "/admin/mapping")["version"] == before + 1
    assert main(["mapping", "import", str(file), *stack]) == 1
    assert "409" in capsys.readouterr().err
