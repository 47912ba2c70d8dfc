"""The variables of the local stack are those that the runbooks use."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from local.stack.__main__ import shell_variables
from local.stack.stack_file import Console, PleziTenant, SalesforceOrg, SalesforceUser, StackFile

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"
USER = SalesforceUser(username="u", password="p", security_token="t")
STACK = StackFile(
    region="eu-west-1",
    aws_endpoint="http://127.0.0.1:4566",
    dynamodb_endpoint="http://127.0.0.1:4567",
    aws_access_key_id="id",
    aws_secret_access_key="a key; with a blank",
    stack_name="plezi-salesforce",
    api_url="http://127.0.0.1:4566/api",
    functions={},
    tables={},
    queues={},
    secrets={},
    alerts_topic="",
    salesforce=SalesforceOrg(
        url="",
        ca_bundle="",
        consumer_key="",
        consumer_secret="",
        integration_user=USER,
        sales_user=USER,
    ),
    plezi=PleziTenant(url="", api_key="", tenant=""),
    console=Console(url="", pool_id="", users=()),
)


def variables() -> dict[str, str]:
    found = {}
    for line in shell_variables(STACK):
        command, assignment = shlex.split(line)
        assert command == "export"
        name, _, value = assignment.partition("=")
        found[name] = value
    return found


def test_a_shell_reads_each_value_as_it_is() -> None:
    assert variables()["AWS_SECRET_ACCESS_KEY"] == "a key; with a blank"
    assert variables()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_every_variable_of_the_runbooks_is_set_there_or_by_the_stack() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    used = set(re.findall(r"\$([A-Z]+)\b", text))
    set_there = set(re.findall(r"^([A-Z]+)=", text, re.MULTILINE))
    assert used - set_there <= set(variables())
