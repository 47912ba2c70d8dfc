"""The AWS permissions that a function uses, and those that the template grants to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.alarm_evaluator import load_template

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
    keys: set[tuple[str, str, str]] = field(default_factory=set)

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
            self.keys.update(_partition_keys(operation, request))

    def keys_outside(self, allowed: Mapping[Permission, list[str]]) -> set[tuple[str, str, str]]:
        """Return the calls with a partition key that a condition does not allow."""
        return {
            (action, table, key)
            for action, table, key in self.keys
            if (action, table) in allowed
            and not any(fnmatchcase(key, pattern) for pattern in allowed[action, table])
        }


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


def _partition_keys(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the partition keys of the calls about single items, with action and table."""
    parts = [({operation: request})]
    if operation == "TransactWriteItems":
        parts = [
            {TRANSACTION_ACTIONS[kind]: operand for kind, operand in part.items()}
            for part in request["TransactItems"]
        ]
    for part in parts:
        for name, operand in part.items():
            for table, item in _items(name, operand):
                if "pk" in item:
                    yield f"dynamodb:{name}", table, item["pk"]["S"]


def _items(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield table and key of the items that one request names."""
    match operation:
        case "BatchGetItem":
            for table, part in request["RequestItems"].items():
                yield from ((table, key) for key in part["Keys"])
        case "BatchWriteItem":
            for table, parts in request["RequestItems"].items():
                for part in parts:
                    [operand] = part.values()
                    yield table, operand.get("Key") or operand["Item"]
        case _:
            yield request.get("TableName", ""), request.get("Key") or request.get("Item") or {}


def leading_keys(function: str) -> dict[Permission, list[str]]:
    """Return the partition keys that conditions of the template allow, by permission."""
    template = load_template()
    return {
        (action, _resource(resource)): keys
        for statement in template.statements(function)
        if (keys := _keys(statement))
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    }


def _keys(statement: Mapping[str, Any]) -> list[str]:
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    keys: list[str] = condition.get("dynamodb:LeadingKeys", [])
    return keys


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(text: str) -> str:
    last = text.rpartition("/")[2].rpartition(":")[2]
    return OTHER_NAMES.get(last, last)


def granted(function: str) -> set[Permission]:
    """Return the permissions that the statements of the template grant to a function."""
    permissions = set()
    for statement in load_template().statements(function):
        for action in _as_list(statement["Action"]):
            for resource in _as_list(statement["Resource"]):
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
