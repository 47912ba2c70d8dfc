"""What a function does on AWS while it is watched, beside what the template lets it do."""

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

Right = tuple[str, str]
"""An IAM action, and the resource of the template (with its index) that it is for."""

OTHER_NAMES = {
    "runs.fifo": "RunsQueue",
    "forms": "FormsQueue",
    "alerts": "Alerts",
    "salesforce": "SalesforceSecret",
    "plezi": "PleziSecret",
}
"""The harness's names for what the template calls otherwise."""
TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""A transaction needs the rights of its parts (DynamoDB's guide to IAM and transactions)."""


@dataclass
class ApiCallRecorder:
    """Every call to AWS that is made while it is on."""

    on: bool = False
    used: set[Right] = field(default_factory=set)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Look at what happens inside, and at nothing else."""
        self.on = True
        try:
            yield
        finally:
            self.on = False

    def note(self, service: str, operation: str, asked: Mapping[str, Any]) -> None:
        """Remember the rights that a call wants."""
        if self.on:
            self.used.update(_wanted(service, operation, asked))


def record_calls(monkeypatch: pytest.MonkeyPatch) -> ApiCallRecorder:
    """Watch every client of this process."""
    watch = ApiCallRecorder()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def noted(client: BaseClient, operation: str, asked: dict[str, Any]) -> Any:
        watch.note(client.meta.service_model.service_name, operation, asked)
        return call(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return watch


def _wanted(service: str, operation: str, asked: Mapping[str, Any]) -> Iterator[Right]:
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for part in asked["TransactItems"]:
                for kind, what in part.items():
                    yield f"dynamodb:{TRANSACTED[kind]}", what["TableName"]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for table in asked["RequestItems"]:
                yield f"dynamodb:{operation}", table
        case "dynamodb", _:
            index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
            yield f"dynamodb:{operation}", asked["TableName"] + index
        case "sqs", _:
            yield f"sqs:{operation}", _name(asked["QueueUrl"])
        case "secretsmanager", _:
            secret = asked["SecretId"]
            yield (
                f"secretsmanager:{operation}",
                "FormsSecret" if secret == "forms" else _name(secret),
            )
        case "sns", _:
            yield f"sns:{operation}", _name(asked["TopicArn"])
        case _:
            yield f"{service}:{operation}", "?"


def _name(text: str) -> str:
    last = text.rpartition("/")[2].rpartition(":")[2]
    return OTHER_NAMES.get(last, last)


def granted(function: str) -> set[Right]:
    """Return what the template's own statements let a function do."""
    text = Path(ROOT / "template.yaml").read_text(encoding="utf-8")
    template = Template(yaml.load(text, _Loader))  # noqa: S506  # a safe loader, with constructors for tags
    rights = set()
    for statement in template.statements(function):
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in resources if isinstance(resources, list) else [resources]:
                rights.add((action, _resource(resource)))
    return rights


def _resource(value: Mapping[str, Any]) -> str:
    """The logical name that a resource's ARN is made of, with the index of a table."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), _]}:
            return name
        case {"Fn::Sub": str(text)}:
            name, _, index = text.removeprefix("${").partition(".Arn}")
            return name + index
    raise AssertionError(value)
