"""The deployed stack: it is complete and accepts only signed calls."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from local.embedded_aws import EmbeddedAws
from local.stack import stack_file
from local.stack.background import StackError
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

OPENAPI_PATHS = json.loads(Path("docs/openapi.json").read_text(encoding="utf-8"))["paths"]
ROUTES = [
    (method.upper(), re.sub(r"{\w+}", "1", path))
    for path, methods in OPENAPI_PATHS.items()
    for method in methods
]


def test_the_stack_file_names_every_resource(stack: StackFile, commands: StackCommands) -> None:
    assert set(stack.functions) == {
        *("admin", "manual_sync", "scheduled_sync", "sync_worker"),
        *("form_sync", "form_worker"),
        *("rotate_credentials", "console"),
    }
    assert set(stack.tables) == {"journal", "ledger", "mappings"}
    assert set(stack.queues) == {
        *("runs", "runs_dead_letters", "schedule_dead_letters"),
        *("forms", "forms_dead_letters"),
    }
    assert set(stack.secrets) == {"forms", "plezi", "salesforce", "console"}
    assert stack_file.read(commands.folder) == stack


def test_a_second_up_reports_that_the_stack_is_up(
    stack: StackFile, commands: StackCommands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.up(start=False) == stack
    assert "already up" in capsys.readouterr().out


def test_a_stack_that_is_up_is_not_taken_for_one_with_other_parameters(
    stack: StackFile, commands: StackCommands
) -> None:
    with pytest.raises(StackError, match="make down"):
        commands.up(start=False, defaults=not stack.defaults)
    assert commands.running() == stack


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_call_without_a_signature_is_refused(stack: StackFile, method: str, path: str) -> None:
    response = requests.request(method, stack.api_url + path, timeout=10)
    assert response.status_code == 403


def test_a_signed_call_reaches_the_function(stack: StackFile, aws: EmbeddedAws) -> None:
    url = stack.api_url + "/admin/status"
    response = requests.get(url, headers=aws.signed_headers("GET", url), timeout=30)
    assert response.ok, response.text


def test_the_worker_is_configured_with_the_simulators(stack: StackFile, aws: EmbeddedAws) -> None:
    worker = aws.functions.get_function_configuration(FunctionName=stack.functions["sync_worker"])
    variables = worker["Environment"]["Variables"]
    assert variables["SALESFORCE_TRUSTED_HOST"] == stack.salesforce.url.removeprefix("https://")
    assert variables["SALESFORCE_CA_PEM"] == Path(stack.salesforce.ca_bundle).read_text("ascii")


def test_the_secrets_contain_the_credentials_of_the_simulators(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    response = aws.secrets.get_secret_value(SecretId=stack.secrets["plezi"])
    assert json.loads(response["SecretString"])["api_key"] == stack.plezi.api_key


def test_an_unknown_access_key_is_refused(stack: StackFile) -> None:
    unknown = boto3.client(
        "dynamodb",
        endpoint_url=stack.aws_endpoint,
        region_name=stack.region,
        aws_access_key_id="AKIDUNKNOWN",
        aws_secret_access_key="no such key",
    )
    with pytest.raises(ClientError, match="token included in the request is invalid"):
        unknown.list_tables()
