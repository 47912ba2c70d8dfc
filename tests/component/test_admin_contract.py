"""The admin API does what its description promises, route by route, refusal by refusal.

Every answer of every test is held against the OpenAPI document by the admin_client. Here each route is
driven through its success and through each refusal that it declares, and AWS is watched meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import yaml

from connector.errors import HaltError, RetryError, StopReason
from connector.model import Breaker, RunKind
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, build_admin_context, described, in_path
from tests.component.harness import REGION, Harness
from tests.component.iam_permissions import granted, record_calls
from tests.template.conftest import ROOT, Template, _Loader

PERSON = "a+b@x.fr"
HERE = in_path(PERSON)
REFUSED = "long@x.fr"
NOBODY = in_path("nobody@x.fr")
LONG = "x" * 81
NO_BODY = (".yaml", "fields", "quarantine")
"""Ends of routes that take no JSON, or can do without."""


class Story:
    """One administrator's long day."""

    def __init__(self, harness: Harness, admin_client: AdminClient) -> None:
        self.harness = harness
        self.admin_client = admin_client

    def go(self) -> None:
        self.look()
        self.map()
        self.decide()
        self.ask_for_what_is_not_there()
        self.ask_wrongly()

    def look(self) -> None:
        admin_client = self.admin_client
        for path in ("/admin/status", "/admin/openapi.json", "/admin/audit"):
            admin_client.request_ok("GET", path)
        admin_client.request_ok("POST", "/admin/connection/check")
        admin_client.request_ok("GET", "/admin/fields", refresh="true")
        self.harness.control("salesforce", "DELETE", "fields/Lead/score__c")
        admin_client.request_ok("POST", "/admin/setup/salesforce-fields", {"create": True})
        release = "/admin/breaker/release"
        assert admin_client.request("POST", release, {"intended": True}).status == 409
        for meant in (True, False):
            self.harness.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "many", 0.0))
            admin_client.request_ok("POST", release, {"intended": meant})
        admin_client.request_ok("POST", "/admin/pause")
        admin_client.request_ok("POST", "/admin/start")
        dry = self.harness.sync(kind=RunKind.DRY_RUN)
        admin_client.request_ok("GET", "/admin/runs")
        admin_client.request_ok("GET", f"/admin/runs/{dry.id}")
        admin_client.request_ok("GET", f"/admin/runs/{dry.id}/plan")

    def map(self) -> None:
        admin_client = self.admin_client
        mapping = admin_client.request_ok("GET", "/admin/mapping")
        for line in mapping["pairs"]:
            if line["salesforce"] == "Phone":
                line["policy"] = "hold"
        admin_client.request_ok("PUT", "/admin/mapping", mapping)
        assert admin_client.request("PUT", "/admin/mapping", mapping).status == 409
        text = admin_client.request("GET", "/admin/mapping.yaml").text
        admin_client.request_ok("PUT", "/admin/mapping.yaml", raw=text)
        old = text.replace("version: 1", "version: 0")
        assert admin_client.request("PUT", "/admin/mapping.yaml", raw=old).status == 409
        admin_client.request_ok("GET", "/admin/mapping/versions")
        restore = "/admin/mapping/versions/1/restore"
        admin_client.request_ok("POST", restore, {"version": 1})
        assert admin_client.request("POST", restore, {"version": 0}).status == 409

    def decide(self) -> None:
        harness, admin_client = self.harness, self.admin_client
        person = harness.add_person(email=PERSON, last_name="Lopez", phone="111")
        refused = harness.add_person(email=REFUSED, last_name=LONG)
        leads = [harness.add_lead(Email=PERSON, Phone="222") for _ in range(2)]
        harness.sync()
        hold = f"/admin/attention/holds/{HERE}/Phone"
        for kind in ("hold", "quarantine", "duplicate"):
            admin_client.request_ok("GET", "/admin/attention", kind=kind)
        admin_client.request_ok("GET", f"/admin/contacts/{HERE}")
        admin_client.request_ok("POST", hold, {"record": person})
        assert admin_client.request("POST", hold, {"record": "other"}).status == 409
        admin_client.request_ok(
            "POST", "/admin/attention/holds", {"field": "Phone", "side": "plezi"}
        )
        survivor = f"/admin/attention/duplicates/{HERE}"
        admin_client.request_ok("POST", survivor, {"lead": leads[0]})
        assert admin_client.request("POST", survivor, {"lead": "other"}).status == 409
        retry = f"/admin/attention/quarantine/{in_path(REFUSED)}/retry"
        admin_client.request_ok("POST", retry)
        admin_client.request_ok("POST", "/admin/attention/quarantine")
        harness.edit_person(refused, last_name="Lopez")
        harness.sync()
        assert admin_client.request("POST", retry).status == 409

    def ask_for_what_is_not_there(self) -> None:
        for method, path, body in (
            ("POST", "/admin/mapping/versions/99/restore", {"version": 2}),
            ("GET", "/admin/runs/none", None),
            ("GET", "/admin/runs/none/plan", None),
            ("POST", f"/admin/attention/holds/{NOBODY}/Phone", {"record": "1"}),
            ("POST", f"/admin/attention/quarantine/{NOBODY}/retry", None),
            ("POST", f"/admin/attention/duplicates/{NOBODY}", {"lead": "1"}),
            ("GET", f"/admin/contacts/{NOBODY}", None),
            ("GET", "/admin/nonsense", None),
            ("POST", "/admin/status", None),
        ):
            answer = self.admin_client.request(method, path, body)
            assert (answer.status, answer.body["error"]) == (404, "unknown")

    def ask_wrongly(self) -> None:
        for method, path, asked in (
            ("GET", "/admin/fields", {"refresh": "perhaps"}),
            ("POST", "/admin/setup/salesforce-fields", {"body": {"create": "perhaps"}}),
            ("POST", "/admin/breaker/release", {"body": {}}),
            ("PUT", "/admin/mapping", {"body": {}}),
            ("PUT", "/admin/mapping.yaml", {"raw": "- 1"}),
            ("GET", "/admin/mapping/versions", {"limit": "0"}),
            ("POST", "/admin/mapping/versions/x/restore", {"body": {"version": 0}}),
            ("GET", "/admin/runs", {"limit": "many"}),
            ("GET", "/admin/runs/none", {"limit": "0"}),
            ("GET", "/admin/runs/none/plan", {"limit": "0"}),
            ("GET", "/admin/attention", {"kind": "none"}),
            ("POST", "/admin/attention/holds", {"body": {"field": "Phone", "side": "left"}}),
            ("POST", f"/admin/attention/holds/{HERE}/Phone", {"body": {}}),
            ("POST", "/admin/attention/quarantine", {"body": {"next": "%%%"}}),
            ("POST", f"/admin/attention/duplicates/{HERE}", {"body": {"lead": ""}}),
            ("GET", f"/admin/contacts/{HERE}", {"next": "%%%"}),
            ("GET", "/admin/audit", {"limit": "1000"}),
        ):
            answer = self.admin_client.request(method, path, **asked)
            assert (answer.status, answer.body["error"]) == (422, "request"), answer.text


class Refusing:
    """A port that answers everything with one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Any:
        raise self._error


@pytest.fixture
def story(harness: Harness, admin_client: AdminClient) -> Story:
    return Story(harness, admin_client)


def routes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def example(path: str) -> str:
    return path.replace("{number}", "1").replace("{email}", HERE).replace("{field}", "Phone")


def body_of(path: str) -> dict[str, Any]:
    """A body that every route which wants one can read."""
    if path.startswith("/admin/attention/holds"):
        chosen = {"field": "Phone", "side": "plezi"}
        return chosen if path.endswith("holds") else {"record": "1"}
    if path.endswith("release"):
        return {"intended": True}
    if path.endswith("restore"):
        return {"version": 0}
    mapping = {"version": 0, "pairs": [], "contact_filter": None}
    return {"lead": "1"} if "duplicates" in path else mapping


def test_every_route_answers_with_its_success_and_with_each_of_its_refusals(
    story: Story, admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = ADMIN.get()
    story.go()
    halted = HaltError(StopReason.LOGIN_REFUSED, "Salesforce refused the login")
    ADMIN.use(replace(office, sides=Refusing(halted)))
    current = office.mappings.current().version
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    mapping = {**admin_client.request_ok("GET", "/admin/mapping"), "version": current}
    for method, path, asked in (
        ("GET", "/admin/fields", {}),
        ("POST", "/admin/connection/check", {}),
        ("POST", "/admin/setup/salesforce-fields", {}),
        ("PUT", "/admin/mapping", {"body": mapping}),
        ("PUT", "/admin/mapping.yaml", {"raw": text}),
        ("POST", "/admin/mapping/versions/1/restore", {"body": {"version": current}}),
    ):
        answer = admin_client.request(method, path, **asked)
        assert (answer.status, answer.body["error"]) == (502, "login_refused")
    drive_busy(admin_client, monkeypatch)

    missing = {
        (method, path, int(status))
        for method, path, operation in routes()
        for status in operation["responses"]
        if (method, path, int(status)) not in admin_client.seen
    }
    # A defect cannot be provoked through the API; the next test makes one. A route that takes
    # nothing cannot be asked wrongly, but the mapping that it reads may have been spoilt.
    assert {it for it in missing if it[2] not in (500, 422)} <= {
        ("GET", "/admin/fields", 409),
        ("POST", "/admin/setup/salesforce-fields", 409),
        ("POST", "/admin/connection/check", 409),
    }
    assert {path for _, path, status in missing if status == 422} == {
        "/admin/status",
        "/admin/start",
        "/admin/pause",
        "/admin/mapping",
        "/admin/mapping.yaml",
        "/admin/openapi.json",
        "/admin/connection/check",
        "/admin/attention/quarantine/{email}/retry",
    }


def drive_busy(admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Refusing(
        RetryError("the ledger's table is busy", after=7, reason=StopReason.AWS_UNAVAILABLE)
    )
    monkeypatch.setattr(ADMIN, "get", busy)
    for method, path, operation in routes():
        if path == "/admin/openapi.json":
            continue
        wants_body = "requestBody" in operation and not path.endswith(NO_BODY)
        raw = yaml.safe_dump(body_of("")) if method == "PUT" and path.endswith(".yaml") else None
        query = {"kind": "hold"} if path == "/admin/attention" else {}
        body = body_of(path) if wants_body else None
        answer = admin_client.request(method, example(path), body, raw=raw, **query)
        assert answer.status == 503, (method, path, answer.text)
        assert answer.headers["Retry-After"] == "7"
    admin_client.seen.add(("GET", "/admin/openapi.json", 503))  # it asks nothing that could be busy


def test_an_answer_that_is_not_as_promised_is_a_500_that_says_nothing_of_it(
    admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.admin.status.show_status", lambda _: {"secret": "x"})

    answer = admin_client.request("GET", "/admin/status")

    assert (answer.status, answer.body["error"]) == (500, "defect")
    assert "secret" not in answer.text


def test_a_mapping_that_cannot_be_read_is_told_with_a_way_out(admin_client: AdminClient) -> None:
    boto3.client("dynamodb", region_name=REGION).put_item(
        TableName="MappingsTable",
        Item={"mapping": {"S": "default"}, "version": {"N": "1"}, "document": {"S": "{}"}},
    )

    for path in ("/admin/status", "/admin/mapping", "/admin/mapping.yaml"):
        answer = admin_client.request("GET", path)
        assert answer.status == 422
        assert "restore a version" in answer.body["message"]


def test_the_deployed_routes_are_those_of_the_description() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    template = Template(yaml.load(text, _Loader))  # noqa: S506  # a safe loader, with constructors for tags
    deployed = {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"])
        for event in template.functions["AdminFunction"]["Events"].values()
    }
    assert deployed == {(method, path) for method, path, _ in routes()}


def test_the_description_on_file_is_the_generated_one() -> None:
    on_file = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    assert on_file == described(), "run `make openapi`"


def test_every_name_in_the_description_leads_somewhere() -> None:
    text = json.dumps(described())
    names = set(described()["components"]["schemas"])
    assert names
    for name in names:
        assert f'"#/components/schemas/{name}"' in text
    assert text.count("#/components/schemas/") >= len(names)


def test_the_template_grants_the_admin_function_exactly_what_it_uses(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = record_calls(monkeypatch)
    office = build_admin_context(harness)
    ADMIN.use(office)

    class Watched(AdminClient):
        def request(self, *args: Any, **asked: Any) -> Any:
            with watch.recording():
                return super().request(*args, **asked)

    admin_client = Watched()
    open_and_close_the_breaker(harness, admin_client)
    Story(harness, admin_client).go()

    assert watch.used == granted("AdminFunction")


def open_and_close_the_breaker(harness: Harness, admin_client: AdminClient) -> None:
    user = f"users/{harness.org.integration_user.username}"
    new = {"password": "Another-pass1"}
    token = harness.control("salesforce", "POST", f"{user}/password", new)["security_token"]
    assert admin_client.request("GET", "/admin/fields").status == 502
    secrets = boto3.client("secretsmanager", region_name=REGION)
    old = json.loads(secrets.get_secret_value(SecretId="salesforce")["SecretString"])
    secrets.put_secret_value(
        SecretId="salesforce", SecretString=json.dumps({**old, **new, "security_token": token})
    )
    assert admin_client.request("GET", "/admin/fields").status == 200
