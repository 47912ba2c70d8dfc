"""An object that the integration user may not use: the run says which one, and the remedy."""

from __future__ import annotations

import json

import pytest
from werkzeug.wrappers import Request, Response

from connector.model import RecordKind, RunState
from tests.component.altered_salesforce import put_before_org, rest_error
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA


@pytest.mark.parametrize("kind", [RecordKind.LEAD, RecordKind.CONTACT])
def test_an_object_that_the_user_may_not_see_is_named_with_its_permission(
    harness: Harness, kind: RecordKind
) -> None:
    harness.add_person(email=ANA, last_name="Lopez")

    def replace(request: Request) -> Response | None:
        is_hidden = f"sobjects/{kind.value}" in request.path
        return rest_error("NOT_FOUND", 404) if is_hidden else None

    put_before_org(harness, replace)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "salesforce_refused")
    assert f"no access to the object {kind.value}" in run.message
    assert "'Read'" in run.message
    assert "Setup > Permission Sets > Object Settings" in run.message


@pytest.mark.parametrize("kind", [RecordKind.LEAD, RecordKind.CONTACT])
@pytest.mark.parametrize("is_listed", [True, False])
def test_an_object_that_was_hidden_after_its_describe_is_named_too(
    harness: Harness, kind: RecordKind, *, is_listed: bool
) -> None:
    """A page of changes is refused, or the look-up before a write."""
    person = harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    if kind is RecordKind.CONTACT:  # the search before a creation names both objects
        harness.add_person(email="new@example.com", last_name="New")
    harness.edit_person(person, phone="7")
    refusal = [{"errorCode": "INVALID_TYPE", "message": "sObject type is not supported"}]

    def replace(request: Request) -> Response | None:
        soql = request.args.get("q", "")
        is_read = "/queryAll" in request.path if is_listed else request.path.endswith("/query/")
        if is_read and f"FROM {kind.value}" in soql:
            return rest_error("INVALID_TYPE")
        return None

    def alter(request: Request, response: Response) -> None:
        if is_listed or not request.path.endswith("/composite/"):
            return
        parts = json.loads(request.get_data())["compositeRequest"]
        answer = json.loads(response.get_data())
        for part, each in zip(parts, answer["compositeResponse"], strict=True):
            if f"FROM+{kind.value}" in part["url"]:
                each.update(httpStatusCode=400, body=refusal)
        response.set_data(json.dumps(answer))

    put_before_org(harness, replace, alter)
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "salesforce_refused")
    assert f"no access to the object {kind.value}" in run.message
