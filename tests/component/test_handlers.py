"""Every event of `events/` is accepted by its function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.errors import HaltError
from connector.model import Hold, HoldReason, Link, LinkChange, RunKind, RunState
from connector.sync.worker import MAX_DELIVERIES, UnexpectedRunError
from functions.admin import app as admin
from functions.admin.openapi import document
from functions.manual_sync import app as manual_sync
from functions.manual_sync import request as sync_request
from functions.scheduled_sync import app as scheduled_sync
from functions.sync_worker import app as sync_worker
from tests.component.deployment import deploy
from tests.component.harness import Harness
from tests.component.lambda_context import FakeLambdaContext

EVENTS = Path(__file__).parents[2] / "events"
CONTEXT = FakeLambdaContext()


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def deployed(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
    for function in ("ScheduledSyncFunction", "SyncWorkerFunction", "AdminFunction"):
        deploy(harness, monkeypatch, function)
    return harness


def request_admin(name: str, **changes: Any) -> dict[str, Any]:
    context = FakeLambdaContext()
    response = admin.handler({**event(name), **changes}, context)
    assert response["statusCode"] == 200, response["body"]
    body: dict[str, Any] = json.loads(response["body"])
    return body


def test_the_scheduler_receives_the_id_of_a_queued_run(deployed: Harness) -> None:
    response = scheduled_sync.handler(event("scheduler"), CONTEXT)

    run = deployed.ledger.load_run(response["run_id"])
    assert run is not None
    assert (run.kind, run.state) == (RunKind.CHANGES, RunState.REQUESTED)


def test_the_weekly_schedule_requests_a_verification(deployed: Harness) -> None:
    response = scheduled_sync.handler(event("scheduler_weekly"), CONTEXT)

    run = deployed.ledger.load_run(response["run_id"])
    assert run is not None
    assert run.kind is RunKind.VERIFY


def test_a_manual_sync_returns_202_with_the_id_of_a_run(deployed: Harness) -> None:
    response = manual_sync.handler(event("manual_sync"), CONTEXT)

    assert response["statusCode"] == 202
    assert deployed.ledger.load_run(json.loads(response["body"])["run_id"]) is not None


@pytest.mark.usefixtures("deployed")
def test_a_manual_sync_of_an_unknown_kind_is_refused_and_the_field_is_named() -> None:
    response = manual_sync.handler({"kind": "everything"}, CONTEXT)

    assert response["error"] == "request"
    assert "kind" in response["message"]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 202),
        ('{"kind": "selected", "emails": ["ana@example.com"]}', 202),
        ("[]", 400),
        ('{"kind": "form"}', 400),
        ('{"kind": "dry_run", "mapping": {"pairs": 1}}', 400),
    ],
)
def test_every_answer_of_sync_is_the_one_that_the_openapi_document_describes(
    body: str, status: int
) -> None:
    described = document(admin.app)
    responses = described["paths"]["/sync"]["post"]["responses"]

    response = manual_sync.handler({**event("manual_sync"), "body": body}, CONTEXT)

    assert response["statusCode"] == status
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": described["components"]})
    assert list(validator.iter_errors(json.loads(response["body"]))) == []


def test_the_openapi_document_describes_the_body_of_sync_as_it_is_read() -> None:
    schemas = document(admin.app)["components"]["schemas"]
    body = schemas["SyncRequest"]

    assert set(body["properties"]) == set(sync_request.MEMBERS)
    assert schemas["RequestedKind"]["enum"] == list(sync_request.KINDS)
    assert body["properties"]["emails"]["maxItems"] == sync_request.MAX_PEOPLE


def test_the_worker_accepts_the_event_of_the_queue_and_works_on_its_run(deployed: Harness) -> None:
    deployed.ledger.set_enabled(on=False, now=0.0)
    run_id = scheduled_sync.handler(event("scheduler"), CONTEXT)["run_id"]
    message = event("runs_queue")
    message["Records"][0]["body"] = json.dumps({"run_id": run_id, "phase": "read"})

    response = sync_worker.handler(message, CONTEXT)

    assert response == {"batchItemFailures": []}
    run = deployed.ledger.load_run(run_id)
    assert run is not None
    assert run.state is RunState.NOT_STARTED


@pytest.mark.usefixtures("deployed")
def test_a_message_for_an_unknown_run_is_removed_from_the_queue() -> None:
    assert sync_worker.handler(event("runs_queue"), CONTEXT) == {"batchItemFailures": []}


def test_start_and_pause_change_whether_synchronization_is_enabled(deployed: Harness) -> None:
    request_admin("admin_start")
    assert deployed.ledger.is_enabled()
    assert request_admin("admin_status")["started"] is True

    request_admin("admin_start", path="/admin/pause", resource="/admin/pause")
    assert not deployed.ledger.is_enabled()


def test_the_runs_are_listed_newest_first_and_each_can_be_read(deployed: Harness) -> None:
    deployed.add_person(email="ana@example.com", last_name="Lopez")
    older, newer = deployed.sync(), deployed.sync()

    runs = request_admin("admin_status", path="/admin/runs", resource="/admin/runs")["runs"]
    assert [run["run_id"] for run in runs] == [newer.id, older.id]
    run = request_admin(
        "admin_status", path=f"/admin/runs/{older.id}", resource="/admin/runs/{run_id}"
    )
    assert run["counts"]["salesforce"]["created"] == 1
    assert {"Email", "plezi_url__c"} <= {entry["field"] for entry in run["journal"]}


def test_a_choice_requests_a_run_for_the_contact_whose_encoded_email_is_in_the_path(
    deployed: Harness,
) -> None:
    hold = Hold(HoldReason.CONFLICT, 0.0, {"00Q8d000001AbCdEAK": "1"})
    deployed.ledger.save_links([LinkChange(Link("a+b@x.fr", holds={"Phone": hold}))])

    response = admin.handler(event("admin_choose"), FakeLambdaContext())

    assert response["statusCode"] == 202, response["body"]
    run = deployed.ledger.load_run(json.loads(response["body"])["run_id"])
    assert run is not None
    assert (run.kind, run.emails) == (RunKind.SELECTED, ("a+b@x.fr",))


@pytest.mark.usefixtures("deployed")
def test_the_admin_function_names_a_missing_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MAPPINGS_TABLE")

    with pytest.raises(HaltError, match="MAPPINGS_TABLE"):
        admin.handler(event("admin_status"), FakeLambdaContext())


@pytest.mark.usefixtures("deployed")
def test_the_scheduled_function_names_a_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE")

    with pytest.raises(Exception, match="LEDGER_TABLE"):
        scheduled_sync.handler(event("scheduler"), CONTEXT)


def test_an_unexpected_error_is_raised_without_any_value(
    deployed: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("https://app.plezi.co/api/v1/contacts?filter[email]=ana@example.com")

    sync_worker.APP.use(deployed.app)
    monkeypatch.setattr("connector.sync.runs.SyncEngine.run_phase", fail)

    with pytest.raises(UnexpectedRunError) as caught:
        sync_worker.handler(event("runs_queue"), CONTEXT)

    assert "ValueError" in str(caught.value)
    assert "ana@example.com" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_run_that_is_done_stays_done_when_its_alerts_fail_at_every_delivery(
    deployed: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no alert for ana@example.com")

    run = scheduled_sync.handler(event("scheduler"), CONTEXT)["run_id"]
    sync_worker.APP.use(deployed.app)
    monkeypatch.setattr("connector.sync.run_alerts.RunAlerts.notify", fail)
    [message] = event("runs_queue")["Records"]
    body = json.dumps({"run_id": run, "phase": "read"})

    for delivery in range(1, MAX_DELIVERIES + 1):
        attributes = {**message["attributes"], "ApproximateReceiveCount": str(delivery)}
        record = {**message, "body": body, "attributes": attributes}
        with pytest.raises(UnexpectedRunError, match="ValueError") as caught:
            sync_worker.handler({"Records": [record]}, CONTEXT)
        assert "ana@example.com" not in str(caught.value)

    ended = deployed.ledger.load_run(run)
    assert ended is not None
    assert (ended.state, ended.error) == (RunState.DONE, "")


def test_every_response_of_the_api_is_json_or_yaml_and_no_page(deployed: Harness) -> None:
    """A browser shows neither as a page, so that a name with markup in it is never run."""
    assert deployed
    content_types = {
        content
        for path in document(admin.app)["paths"].values()
        for method in path.values()
        for response in method["responses"].values()
        for content in response.get("content", {})
    }
    assert content_types == {"application/json", "application/yaml"}
    markup = "/admin/contacts/%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    request = {**event("admin_status"), "path": markup, "resource": markup}

    response = admin.handler(request, FakeLambdaContext())

    assert response["statusCode"] == 404
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]
