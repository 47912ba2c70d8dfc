"""The events of `rotate_credentials`: every wrong member is named."""

from __future__ import annotations

import pytest

from connector.bootstrap.rotation import SecretKind
from connector.credentials.rotation import RotationStep
from connector.json_object import JsonObjectError
from functions.rotate_credentials.request import (
    RotationRequest,
    StepRequest,
    parse_request,
    parse_step,
)

STEP = {"Step": "testSecret", "SecretId": "arn", "ClientRequestToken": "v1"}


@pytest.mark.parametrize(
    ("event", "secret"),
    [
        ({"version": "v1"}, SecretKind.SALESFORCE),
        ({"version": "v1", "secret": "salesforce"}, SecretKind.SALESFORCE),
        ({"version": "v1", "secret": "plezi"}, SecretKind.PLEZI),
    ],
)
def test_a_request_is_for_salesforce_unless_it_names_the_secret(
    event: dict[str, str], secret: SecretKind
) -> None:
    assert parse_request(event) == RotationRequest("v1", secret)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "version: Field required"),
        ({"version": ""}, "version: String should have at least 1 character"),
        ({"version": 70770}, "version: Input should be a valid string"),
        ({"version": "v1", "secret": "forms"}, "secret: Input should be 'salesforce' or 'plezi'"),
        ({"version": "v1", "secret": None}, "secret: Input should be 'salesforce' or 'plezi'"),
        ({"version": "v1", "wait": 70770}, "wait: Extra inputs are not permitted"),
        (
            {"secret": ["quoted"]},
            "version: Field required; secret: Input should be 'salesforce' or 'plezi'",
        ),
    ],
)
def test_every_wrong_member_of_a_request_is_named_with_its_problem(
    event: dict[str, object], message: str
) -> None:
    with pytest.raises(JsonObjectError) as caught:
        parse_request(event)

    assert str(caught.value) == message


def test_a_step_is_read_and_its_other_members_are_ignored() -> None:
    step = StepRequest(RotationStep.TEST, "arn", "v1")

    assert parse_step(STEP) == parse_step({**STEP, "RotationToken": "token"}) == step


@pytest.mark.parametrize("key", STEP)
@pytest.mark.parametrize("value", [None, 70770, ["quoted"]])
def test_a_wrong_member_of_a_step_is_named_and_not_quoted(key: str, value: object) -> None:
    with pytest.raises(JsonObjectError) as caught:
        parse_step({**STEP, key: value})

    assert caught.value.names == key
    assert "70770" not in str(caught.value)
    assert "quoted" not in str(caught.value)


@pytest.mark.parametrize("key", STEP)
def test_a_step_without_one_of_its_members_is_refused(key: str) -> None:
    with pytest.raises(JsonObjectError, match=f"^{key}: "):
        parse_step({name: value for name, value in STEP.items() if name != key})
