"""The contract of the admin API: every route, with its success and each error that it declares.

`AdminClient` compares every response of every test with the OpenAPI document. Here each route
returns its success and each of its errors, and the calls to AWS are recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import yaml

from connector.connected_systems import ConnectedSystem, save_system
from connector.errors import HaltError, RetryError, StopReason
from connector.model import Breaker, RunKind, Side
from connector.probe_report import ProbeRefusal, load_found_dialect, save_found_dialect
from connector.version import VERSION
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, build_admin_context, in_path, openapi_document
from tests.component.drift_fixtures import lose_dirty_mark, verify
from tests.component.harness import REGION, Harness
from tests.component.iam_permissions import granted, record_calls
from tests.template.conftest import ROOT, Template, _Loader

CONTACT = "a+b@x.fr"
CONTACT_IN_PATH = in_path(CONTACT)
REFUSED = "long@x.fr"
DIFFERENT = "different@x.fr"
LONG_NAME = "x" * 3000
"""Longer than a partition key of DynamoDB may be (2,048 bytes)."""
UNKNOWN = in_path("unknown@x.fr")
LONG = "x" * 81
"""One character more than Lead.LastName allows."""
NO_BODY = (".yaml", "fields", "quarantine", "probe")
"""Ends of routes without a JSON body, or with an optional one."""


class Scenario:
    """Requests of an admin to every route."""

    def __init__(self, harness: Harness, admin_client: AdminClient) -> None:
        self.harness = harness
        self.admin_client = admin_client

    def run(self) -> None:
        """Send all requests."""
        self.repair()
        self.read_and_set_up()
        self.save_mappings()
        self.decide()
        self.request_unknown_items()
        self.send_invalid_requests()
        self.erase()

    def read_and_set_up(self) -> None:
        admin_client = self.admin_client
        paths = ("status", "setup", "openapi.json", "audit", "forecast")
        for path in (f"/admin/{name}" for name in paths):
            admin_client.request_ok("GET", path)
        admin_client.request_ok("POST", "/admin/connection/check")
        admin_client.request_ok("GET", "/admin/fields", refresh="true")
        self.harness.control("salesforce", "DELETE", "fields/Lead/score__c")
        admin_client.request_ok("POST", "/admin/setup/salesforce-fields", {"create": True})
        reset = "/admin/breaker/release"
        assert admin_client.request("POST", reset, {"intended": True}).status == 409
        for intended in (True, False):
            self.harness.ledger.open_breaker(Breaker(StopReason.MASS_CLEARING, "many", 0.0))
            admin_client.request_ok("POST", reset, {"intended": intended})
        decision = {"side": "salesforce", "decision": "same_people"}
        assert admin_client.request("POST", "/admin/systems", decision).status == 409
        save_system(self.harness.ledger, Side.SALESFORCE, ConnectedSystem("00D1", "00D2"))
        for name in ("wrong_credentials", "same_people"):
            admin_client.request_ok("POST", "/admin/systems", {**decision, "decision": name})
        admin_client.request_ok("GET", "/admin/systems")
        save_system(self.harness.ledger, Side.SALESFORCE, ConnectedSystem())
        self.probe_plezi()
        dry = self.harness.sync(kind=RunKind.DRY_RUN)
        admin_client.request_ok("GET", "/admin/runs")
        admin_client.request_ok("GET", f"/admin/runs/{dry.id}")
        admin_client.request_ok("GET", f"/admin/runs/{dry.id}/plan")
        admin_client.request_ok("POST", f"/admin/runs/{dry.id}/approve")
        self.harness.let_pass(5 * 3600)
        assert admin_client.request("POST", f"/admin/runs/{dry.id}/approve").status == 409
        self.harness.let_pass(-5 * 3600)

    def probe_plezi(self) -> None:
        admin_client = self.admin_client
        probe = "/admin/plezi/probe"
        assert admin_client.request("GET", probe).status == 404
        assert admin_client.request_ok("POST", probe)["state"] == "done"
        contact = {"contact": "throwaway@example.com"}
        assert admin_client.request("POST", probe, contact).status == 409
        admin_client.request_ok("POST", "/admin/pause")
        assert admin_client.request_ok("POST", probe, contact)["state"] == "done"
        admin_client.request_ok("GET", probe)
        found = load_found_dialect(self.harness.ledger)
        refused = replace(found, refusals=(ProbeRefusal("pager", "no pages"),))
        save_found_dialect(self.harness.ledger, refused)
        assert admin_client.request("POST", "/admin/start").status == 409
        save_found_dialect(self.harness.ledger, found)
        admin_client.request_ok("POST", "/admin/start")

    def repair(self) -> None:
        harness, admin_client = self.harness, self.admin_client
        harness.add_person(email=DIFFERENT, last_name="Roi", phone="111")
        full = harness.sync(kind=RunKind.FULL)
        assert admin_client.request("POST", f"/admin/runs/{full.id}/repair").status == 422
        lose_dirty_mark(harness, DIFFERENT)
        found = verify(harness)
        admin_client.request_ok("GET", f"/admin/runs/{found.id}")
        admin_client.request_ok("GET", "/admin/status")
        admin_client.request_ok("POST", f"/admin/runs/{found.id}/repair")
        waiting = harness.run_requester.request_run(RunKind.VERIFY)
        assert admin_client.request("POST", f"/admin/runs/{waiting}/repair").status == 409

    def save_mappings(self) -> None:
        admin_client = self.admin_client
        mapping = admin_client.request_ok("GET", "/admin/mapping")
        for pair in mapping["pairs"]:
            if pair["salesforce"] == "Phone":
                pair["policy"] = "hold"
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
        mapping = admin_client.request_ok("GET", "/admin/mapping")
        rating = {"plezi": "segment", "salesforce": "Rating", "direction": "to_plezi"}
        saved = [pair for pair in mapping["pairs"] if pair["saved"]]
        admin_client.request_ok("PUT", "/admin/mapping", {**mapping, "pairs": [*saved, rating]})
        admin_client.request_ok("GET", "/admin/mapping/values/Rating")

    def decide(self) -> None:
        harness, admin_client = self.harness, self.admin_client
        person = harness.add_person(email=CONTACT, last_name="Lopez", phone="111")
        refused = harness.add_person(email=REFUSED, last_name=LONG)
        leads = [harness.add_lead(Email=CONTACT, Phone="222") for _ in range(2)]
        run = harness.sync()
        assert admin_client.request_ok("GET", f"/admin/runs/{run.id}")["journal"]
        undo = f"/admin/runs/{run.id}/undo"
        admin_client.request_ok("POST", undo, {"email": CONTACT})
        waiting = admin_client.request_ok("POST", undo, {"preview": False})["run_id"]
        assert admin_client.request("POST", f"/admin/runs/{waiting}/undo", {}).status == 409
        hold = f"/admin/attention/holds/{CONTACT_IN_PATH}/Phone"
        for kind in ("hold", "quarantine", "duplicate"):
            admin_client.request_ok("GET", "/admin/attention", kind=kind)
        admin_client.request_ok("GET", f"/admin/contacts/{CONTACT_IN_PATH}")
        admin_client.request_ok("POST", hold, {"record": person})
        assert admin_client.request("POST", hold, {"record": "other"}).status == 409
        admin_client.request_ok(
            "POST", "/admin/attention/holds", {"field": "Phone", "side": "plezi"}
        )
        policy = "/admin/attention/policies"
        current = admin_client.request_ok("GET", "/admin/status")["mapping_version"]
        choice = {"field": "Phone", "side": "plezi", "version": current}
        assert admin_client.request("POST", policy, {**choice, "version": 0}).status == 409
        admin_client.request_ok("POST", policy, choice)
        duplicate = f"/admin/attention/duplicates/{CONTACT_IN_PATH}"
        admin_client.request_ok("GET", duplicate)
        admin_client.request_ok("POST", duplicate, {"lead": leads[0]})
        assert admin_client.request("POST", duplicate, {"lead": "other"}).status == 409
        retry = f"/admin/attention/quarantine/{in_path(REFUSED)}/retry"
        admin_client.request_ok("POST", retry)
        admin_client.request_ok("POST", "/admin/attention/quarantine")
        harness.edit_person(refused, last_name="Lopez")
        harness.sync()
        assert admin_client.request("POST", retry).status == 409

    def erase(self) -> None:
        harness, admin_client = self.harness, self.admin_client
        person = {"email": CONTACT}
        admin_client.request_ok("POST", "/admin/people/search", {"text": "Lopez"})
        admin_client.request_ok("POST", "/admin/people/records", {"emails": [CONTACT]})
        admin_client.request_ok("POST", "/admin/people/export", person)
        final = {**person, "preview": False}
        assert admin_client.request("POST", "/admin/people/erase", final).status == 409
        admin_client.request_ok("POST", "/admin/pause")
        for run in harness.ledger.list_runs(100):
            harness.run_phase(run.id)
        assert admin_client.request_ok("POST", "/admin/people/erase", final)["complete"]
        admin_client.request_ok("POST", "/admin/people/tombstones/lift", person)
        admin_client.request_ok("POST", "/admin/start")

    def request_unknown_items(self) -> None:
        for method, path, body in (
            ("POST", "/admin/mapping/versions/99/restore", {"version": 2}),
            ("GET", "/admin/mapping/values/none", None),
            ("GET", "/admin/runs/none", None),
            ("GET", "/admin/runs/none/plan", None),
            ("POST", "/admin/runs/none/approve", None),
            ("POST", "/admin/runs/none/undo", {}),
            ("POST", "/admin/runs/none/repair", None),
            ("POST", f"/admin/attention/holds/{UNKNOWN}/Phone", {"record": "1"}),
            ("POST", f"/admin/attention/quarantine/{UNKNOWN}/retry", None),
            ("POST", f"/admin/attention/duplicates/{UNKNOWN}", {"lead": "1"}),
            ("GET", f"/admin/attention/duplicates/{UNKNOWN}", None),
            ("POST", "/admin/people/tombstones/lift", {"email": "nobody@example.com"}),
            ("GET", f"/admin/contacts/{UNKNOWN}", None),
            ("GET", f"/admin/contacts/{LONG_NAME}@example.com", None),
            ("GET", f"/admin/runs/{LONG_NAME}", None),
            ("GET", f"/admin/runs/{LONG_NAME}/plan", None),
            ("POST", f"/admin/runs/{LONG_NAME}/approve", None),
            ("POST", f"/admin/attention/holds/{LONG_NAME}/Phone", {"record": "1"}),
            ("POST", f"/admin/attention/quarantine/{LONG_NAME}/retry", None),
            ("POST", f"/admin/attention/duplicates/{LONG_NAME}", {"lead": "1"}),
            ("GET", "/admin/nonsense", None),
            ("POST", "/admin/status", None),
        ):
            response = self.admin_client.request(method, path, body)
            assert (response.status, response.body["error"]) == (404, "unknown")

    def send_invalid_requests(self) -> None:
        for method, path, arguments in (
            ("GET", "/admin/fields", {"refresh": "perhaps"}),
            ("POST", "/admin/setup/salesforce-fields", {"body": {"create": "perhaps"}}),
            ("POST", "/admin/breaker/release", {"body": {}}),
            ("POST", "/admin/plezi/probe", {"body": {"contact": 1}}),
            ("POST", "/admin/systems", {"body": {"side": "left", "decision": "same_people"}}),
            ("PUT", "/admin/mapping", {"body": {}}),
            ("PUT", "/admin/mapping.yaml", {"raw": "- 1"}),
            ("GET", "/admin/mapping/versions", {"limit": "0"}),
            ("GET", "/admin/mapping/values/Phone", {}),
            ("POST", "/admin/mapping/versions/x/restore", {"body": {"version": 0}}),
            ("GET", "/admin/runs", {"limit": "many"}),
            ("GET", "/admin/runs/none", {"limit": "0"}),
            ("GET", "/admin/runs/none/plan", {"limit": "0"}),
            ("POST", "/admin/runs/none/undo", {"body": {"preview": "perhaps"}}),
            ("GET", "/admin/attention", {"kind": "none"}),
            ("POST", "/admin/attention/holds", {"body": {"field": "Phone", "side": "left"}}),
            ("POST", f"/admin/attention/holds/{CONTACT_IN_PATH}/Phone", {"body": {}}),
            (
                "POST",
                "/admin/attention/policies",
                {"body": {"field": "Fax", "side": "plezi", "version": 0}},
            ),
            ("POST", "/admin/attention/quarantine", {"body": {"next": "%%%"}}),
            ("POST", f"/admin/attention/duplicates/{CONTACT_IN_PATH}", {"body": {"lead": ""}}),
            ("GET", f"/admin/contacts/{CONTACT_IN_PATH}", {"next": "%%%"}),
            ("POST", "/admin/people/search", {"body": {"text": "x"}}),
            ("POST", "/admin/people/records", {"body": {"emails": []}}),
            ("POST", "/admin/people/export", {"body": {"email": "nobody"}}),
            ("POST", "/admin/people/erase", {"body": {"email": CONTACT, "next": "%%%"}}),
            ("POST", "/admin/people/tombstones/lift", {"body": {"email": ""}}),
            ("GET", "/admin/audit", {"limit": "1000"}),
            ("GET", "/admin/forecast", {"api_share": "2"}),
        ):
            response = self.admin_client.request(method, path, **arguments)
            assert (response.status, response.body["error"]) == (422, "request"), response.text


class FailingPort:
    """A port whose methods all raise one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Any:
        raise self._error


@pytest.fixture
def scenario(harness: Harness, admin_client: AdminClient) -> Scenario:
    return Scenario(harness, admin_client)


def routes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the routes that the admin function answers: `/sync` is another one's."""
    for path, methods in openapi_document()["paths"].items():
        for method, operation in methods.items():
            if path != "/sync":
                yield method.upper(), path, operation


def example(path: str) -> str:
    return (
        path.replace("{number}", "1")
        .replace("{email}", CONTACT_IN_PATH)
        .replace("{field}", "Phone")
    )


def body_of(path: str) -> dict[str, Any]:
    """Return a valid body for a route with a body."""
    if path.startswith("/admin/attention/holds"):
        choice = {"field": "Phone", "side": "plezi"}
        return choice if path.endswith("holds") else {"record": "1"}
    if path.endswith("policies"):
        return {"field": "Phone", "side": "plezi", "version": 0}
    if path.endswith("release"):
        return {"intended": True}
    if path.endswith("systems"):
        return {"side": "plezi", "decision": "same_people"}
    if path.endswith("people/search"):
        return {"text": "Lopez"}
    if path.endswith("people/records"):
        return {"emails": [CONTACT]}
    if path.startswith("/admin/people/"):
        return {"email": CONTACT}
    if path.endswith("undo"):
        return {"preview": True}
    if path.endswith("restore"):
        return {"version": 0}
    mapping = {"version": 0, "pairs": [], "contact_filter": None}
    return {"lead": "1"} if "duplicates" in path else mapping


def test_every_route_returns_its_success_and_each_of_its_errors(
    scenario: Scenario, admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ADMIN.get()
    scenario.run()
    scenario.harness.sync(kind=RunKind.FULL)  # who was erased comes back
    halted = HaltError(StopReason.LOGIN_REFUSED, "Salesforce refused the login")
    ADMIN.use(replace(context, sides=FailingPort(halted), probe=FailingPort(halted)))
    current = context.mappings.current().version
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    mapping = {**admin_client.request_ok("GET", "/admin/mapping"), "version": current}
    for method, path, arguments in (
        ("GET", "/admin/fields", {}),
        ("POST", "/admin/setup/salesforce-fields", {}),
        ("POST", "/admin/plezi/probe", {}),
        ("GET", "/admin/mapping/values/Phone", {}),
        ("POST", "/admin/people/search", {"body": {"text": "Lopez"}}),
        ("GET", f"/admin/attention/duplicates/{CONTACT_IN_PATH}", {}),
        ("POST", "/admin/people/records", {"body": {"emails": [CONTACT]}}),
        ("PUT", "/admin/mapping", {"body": mapping}),
        ("PUT", "/admin/mapping.yaml", {"raw": text}),
        ("POST", "/admin/mapping/versions/1/restore", {"body": {"version": current}}),
        (
            "POST",
            "/admin/attention/policies",
            {"body": {"field": "Phone", "side": "salesforce", "version": current}},
        ),
    ):
        response = admin_client.request(method, path, **arguments)
        assert (response.status, response.body["error"]) == (502, "login_refused")
    request_while_busy(admin_client, monkeypatch)

    missing = {
        (method, path, int(status))
        for method, path, operation in routes()
        for status in operation["responses"]
        if (method, path, int(status)) not in admin_client.seen
    }
    # A request cannot cause a defect; another test makes one. A route without parameters has no
    # invalid request, but the stored mapping that it reads can be invalid.
    assert {route for route in missing if route[2] not in (500, 422)} <= {
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
        "/admin/setup",
        "/admin/systems",
        "/admin/connection/check",
        "/admin/plezi/probe",
        "/admin/runs/{run_id}/approve",
        "/admin/attention/quarantine/{email}/retry",
        "/admin/attention/duplicates/{email}",
    }


def request_while_busy(admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = FailingPort(
        RetryError("the ledger's table is busy", after=7, reason=StopReason.AWS_UNAVAILABLE)
    )
    monkeypatch.setattr(ADMIN, "get", busy)
    for method, path, operation in routes():
        if path == "/admin/openapi.json":
            continue
        needs_body = "requestBody" in operation and not path.endswith(NO_BODY)
        raw = yaml.safe_dump(body_of("")) if method == "PUT" and path.endswith(".yaml") else None
        query = {"kind": "hold"} if path == "/admin/attention" else {}
        body = body_of(path) if needs_body else None
        response = admin_client.request(method, example(path), body, raw=raw, **query)
        assert response.status == 503, (method, path, response.text)
        assert response.headers["Retry-After"] == "7"
    admin_client.seen.add(("GET", "/admin/openapi.json", 503))  # it reads from no system


def test_a_response_that_does_not_match_its_description_is_a_500_without_its_content(
    admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.admin.status.show_status", lambda _: {"secret": "x"})

    response = admin_client.request("GET", "/admin/status")

    assert (response.status, response.body["error"]) == (500, "defect")
    assert "secret" not in response.text


def test_an_unreadable_stored_mapping_is_reported_with_a_remedy(admin_client: AdminClient) -> None:
    boto3.client("dynamodb", region_name=REGION).put_item(
        TableName="MappingsTable",
        Item={"mapping": {"S": "default"}, "version": {"N": "1"}, "document": {"S": "{}"}},
    )

    for path in ("/admin/status", "/admin/mapping", "/admin/mapping.yaml"):
        response = admin_client.request("GET", path)
        assert response.status == 422
        assert "restore a version" in response.body["message"]


def test_the_deployed_routes_are_the_described_routes() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    template = Template(yaml.load(text, _Loader))  # noqa: S506  # a safe loader, with constructors for tags
    deployed = {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"])
        for event in template.functions["AdminFunction"]["Events"].values()
    }
    assert deployed == {(method, path) for method, path, _ in routes()}


def test_the_stored_description_is_the_generated_one() -> None:
    stored = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    assert stored == openapi_document(), "run `make openapi`"


def test_the_status_and_the_description_have_the_version(admin_client: AdminClient) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["version"] == VERSION
    assert openapi_document()["info"]["version"] == VERSION


def test_every_error_has_the_same_shape() -> None:
    shapes = {
        json.dumps(response["content"])
        for _, _, operation in routes()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    }
    reference = {"$ref": "#/components/schemas/ErrorResponse"}
    assert shapes == {json.dumps({"application/json": {"schema": reference}})}


def test_every_schema_of_the_description_is_used() -> None:
    text = json.dumps(openapi_document())
    names = set(openapi_document()["components"]["schemas"])
    assert names
    for name in names:
        assert f'"#/components/schemas/{name}"' in text
    assert text.count("#/components/schemas/") >= len(names)


def test_the_template_grants_the_admin_function_exactly_the_rights_that_it_uses(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = record_calls(monkeypatch)
    ADMIN.use(build_admin_context(harness))

    class RecordedClient(AdminClient):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            with recorder.recording():
                return super().request(*args, **kwargs)

    admin_client = RecordedClient()
    open_and_close_the_breaker(harness, admin_client)
    Scenario(harness, admin_client).run()

    assert recorder.used == granted("AdminFunction")


def open_and_close_the_breaker(harness: Harness, admin_client: AdminClient) -> None:
    user = f"users/{harness.org.integration_user.username}"
    changed = {"password": "Another-pass1"}
    token = harness.control("salesforce", "POST", f"{user}/password", changed)["security_token"]
    assert admin_client.request("GET", "/admin/fields").status == 502
    secrets = boto3.client("secretsmanager", region_name=REGION)
    old = json.loads(secrets.get_secret_value(SecretId="salesforce")["SecretString"])
    secrets.put_secret_value(
        SecretId="salesforce", SecretString=json.dumps({**old, **changed, "security_token": token})
    )
    assert admin_client.request("GET", "/admin/fields").status == 200
