"""The AWS permissions that a function uses, and those that the template grants to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.client import BaseClient

from tests.template.conftest import ROOT, Template, _Loader

Permission = tuple[str, str]
"""An IAM action and its resource in the template, with the index of a table."""

OTHER_NAMES = {
    "runs.fifo": "RunsQueue",
    "forms": "FormsQueue",
    "alerts": "Alerts",
    "salesforce": "SalesforceSecret",
    "plezi": "PleziSecret",
    "tombstones": "TombstonesSecret",
}
"""The names of resources in the harness, and their different names in the template."""
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""A transaction needs the permissions of its parts.

Source: Amazon DynamoDB Developer Guide, Using IAM with DynamoDB transactions.
"""


@dataclass
class ApiCallRecorder:
    """Records the permissions of the calls to AWS while it is active."""

    is_active: bool = False
    used: set[Permission] = field(default_factory=set)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the calls inside the context."""
        self.is_active = True
        try:
            yield
        finally:
            self.is_active = False

    def record(self, service: str, operation: str, request: Mapping[str, Any]) -> None:
        """Add the permissions that a call needs."""
        if self.is_active:
            self.used.update(_needed_permissions(service, operation, request))


def record_calls(monkeypatch: pytest.MonkeyPatch) -> ApiCallRecorder:
    """Record the calls of all clients in this process."""
    recorder = ApiCallRecorder()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recorded(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        recorder.record(client.meta.service_model.service_name, operation, request)
        return call(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    return recorder


def _needed_permissions(
    service: str, operation: str, request: Mapping[str, Any]
) -> Iterator[Permission]:
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for part in request["TransactItems"]:
                for kind, operand in part.items():
                    yield f"dynamodb:{TRANSACTION_ACTIONS[kind]}", operand["TableName"]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for table in request["RequestItems"]:
                yield f"dynamodb:{operation}", table
        case "dynamodb", _:
            index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
            yield f"dynamodb:{operation}", request["TableName"] + index
        case "sqs", _:
            yield f"sqs:{operation}", _name(request["QueueUrl"])
        case "secretsmanager", _:
            secret = request["SecretId"]
            yield (
                f"secretsmanager:{operation}",
                "FormsSecret" if secret == "forms" else _name(secret),
            )
        case "sns", _:
            yield f"sns:{operation}", _name(request["TopicArn"])
        case _:
            yield f"{service}:{operation}", "?"


def _name(text: str) -> str:
    last = text.rpartition("/")[2].rpartition(":")[2]
    return OTHER_NAMES.get(last, last)


def granted(function: str) -> set[Permission]:
    """Return the permissions that the statements of the template grant to a function."""
    text = Path(ROOT / "template.yaml").read_text(encoding="utf-8")
    template = Template(yaml.load(text, _Loader))  # noqa: S506  # a safe loader, with constructors for tags
    permissions = set()
    for statement in template.statements(function):
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in resources if isinstance(resources, list) else [resources]:
                permissions.add((action, _resource(resource)))
    return permissions


def _resource(value: Mapping[str, Any]) -> str:
    """Return the logical name of a resource, with the index of a table."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)}:
            name, _, index = text.removeprefix("${").partition(".Arn}")
            return name + index
    raise AssertionError(value)
