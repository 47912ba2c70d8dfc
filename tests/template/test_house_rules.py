"""What must be true of the template, whoever edits it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from connector.telemetry import NAMESPACE, Metric

if TYPE_CHECKING:
    from tests.template.conftest import Template

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
EVENTS = {
    "admin": {"admin_status", "admin_start", "admin_choose"},
    "form_sync": {"form_sync"},
    "form_worker": {"forms_queue"},
    "manual_sync": {"manual_sync"},
    "rotate_credentials": {"rotate_credentials", "rotation_step"},
    "scheduled_sync": {"scheduler", "scheduler_weekly"},
    "sync_worker": {"runs_queue"},
}
# Set for the libraries of the layer; the connector does not read them.
LIBRARY_VARIABLES = re.compile("POWERTOOLS_")
SECONDS_PER_DAY = 86_400


def logical(function: str) -> str:
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def in_statement(statement: dict[str, Any], key: str) -> list[Any]:
    value = statement[key]
    return value if isinstance(value, list) else [value]


def resource_names(value: object) -> Iterator[str]:
    """The logical names that a piece of the template refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", inner)
            else:
                yield from resource_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from resource_names(inner)


def test_every_folder_in_functions_is_deployed_and_nothing_else(template: Template) -> None:
    assert sorted(template.functions) == sorted(map(logical, FUNCTIONS))


@pytest.mark.parametrize("function", FUNCTIONS)
class TestEachFunction:
    def test_is_imported_by_the_same_name_as_in_tests(
        self, template: Template, function: str
    ) -> None:
        handler = template.functions[logical(function)]["Handler"]
        assert handler == f"functions.{function}.app.handler"

    def test_writes_into_a_log_group_of_its_own_that_forgets(
        self, template: Template, function: str
    ) -> None:
        group = template.functions[logical(function)]["LoggingConfig"]["LogGroup"]["Ref"]
        described = template.properties(group)
        assert described["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert function.replace("_", "-") in described["LogGroupName"]["Fn::Sub"]

    def test_has_an_event_on_file(self, template: Template, function: str) -> None:
        invoked = {
            permission["Properties"]["FunctionName"]["Ref"]
            for permission in template.of_type("AWS::Lambda::Permission").values()
        }
        name_here = logical(function)
        assert template.functions[name_here].get("Events") or name_here in invoked
        for name in EVENTS[function]:
            assert json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))

    def test_has_rights_of_its_own_without_any_star(
        self, template: Template, function: str
    ) -> None:
        assert "Role" not in template.functions[logical(function)]
        for statement in template.statements(logical(function)):
            assert statement["Effect"] == "Allow"
            # A condition narrows, whatever stars it holds.
            assert "*" not in json.dumps({**statement, "Condition": None})
            assert "NotAction" not in statement
            assert "NotResource" not in statement

    def test_is_told_of_exactly_the_resources_it_has_rights_on(
        self, template: Template, function: str
    ) -> None:
        told = set(resource_names(template.functions[logical(function)]["Environment"]))
        allowed = {
            name
            for statement in template.statements(logical(function))
            for name in resource_names(statement["Resource"])
        }
        assert told - set(template.document["Parameters"]) == allowed

    def test_may_do_nothing_above_the_boundary(self, template: Template, function: str) -> None:
        boundary = template.properties("FunctionsBoundary")["PolicyDocument"]["Statement"]
        ceiling = {
            (action, name)
            for statement in boundary
            for action in in_statement(statement, "Action")
            for name in resource_names(statement["Resource"])
        }
        for statement in template.statements(logical(function)):
            for action in in_statement(statement, "Action"):
                for name in resource_names(statement["Resource"]):
                    assert (action, name) in ceiling

    def test_is_given_only_variables_the_connector_reads(
        self, template: Template, function: str
    ) -> None:
        sources = (ROOT / "layers/common/connector").rglob("*.py")
        read = "\n".join(source.read_text(encoding="utf-8") for source in sources)
        variables = template.functions[logical(function)]["Environment"]["Variables"]
        shared = template.document["Globals"]["Function"]["Environment"]["Variables"]
        assert all(LIBRARY_VARIABLES.match(name) for name in shared)
        # In capitals where the environment is read itself, in small letters where Pydantic does it.
        unread = [n for n in variables if not re.search(rf"\b({n}|{n.lower()})\b", read)]
        assert not unread


def test_every_function_stays_under_the_boundary_and_is_traced(template: Template) -> None:
    shared = template.document["Globals"]["Function"]
    assert shared["PermissionsBoundary"] == {"Ref": "FunctionsBoundary"}
    assert shared["Tracing"] == "Active"
    assert not any(
        {"PermissionsBoundary", "Tracing"} & set(function)
        for function in template.functions.values()
    )


def test_only_traces_are_allowed_on_all_resources(template: Template) -> None:
    statements = template.properties("FunctionsBoundary")["PolicyDocument"]["Statement"]
    wide = [statement["Sid"] for statement in statements if statement["Resource"] == "*"]
    assert wide == ["Traces"]
    for statement in statements:
        assert not any("*" in action for action in in_statement(statement, "Action"))


def routes(template: Template) -> dict[str, dict[str, Any]]:
    """Every route of the API, by method and path."""
    found = [
        event["Properties"]
        for function in template.functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] in {"Api", "HttpApi"}
    ]
    return {f"{route['Method']} {route['Path']}": route for route in found}


def test_every_route_of_the_api_wants_a_signature_of_iam_but_the_one_for_forms(
    template: Template,
) -> None:
    apis = template.of_type("AWS::Serverless::Api")
    assert {api["Properties"]["Auth"]["DefaultAuthorizer"] for api in apis.values()} == {"AWS_IAM"}
    for route in routes(template).values():
        assert route["RestApiId"]["Ref"] in apis
        assert route["Method"] in {"get", "post", "put"}
    opened = {name: route["Auth"] for name, route in routes(template).items() if "Auth" in route}
    assert opened == {"post /forms": {"Authorizer": "NONE"}}


def test_the_function_that_strangers_reach_has_the_guards_the_queue_and_the_keys_alone(
    template: Template,
) -> None:
    may = {
        (action, name)
        for statement in template.statements("FormSyncFunction")
        for action in in_statement(statement, "Action")
        for name in resource_names(statement["Resource"])
    }
    assert may == {
        ("dynamodb:PutItem", "LedgerTable"),
        ("dynamodb:UpdateItem", "LedgerTable"),
        ("sqs:SendMessage", "FormsQueue"),
        ("secretsmanager:GetSecretValue", "FormsSecret"),
    }
    [table] = [it for it in template.statements("FormSyncFunction") if "Condition" in it]
    assert table["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["hint#*"]},
    }


def test_the_api_is_throttled_traced_and_logs_no_body(template: Template) -> None:
    api = template.properties("Api")
    for settings in api["MethodSettings"]:
        assert settings["ThrottlingRateLimit"]
        assert settings["ThrottlingBurstLimit"]
        assert settings["DataTraceEnabled"] is False
    assert [it["ResourcePath"] for it in api["MethodSettings"]] == ["/*", "/~1forms"]
    assert api["TracingEnabled"] is True
    fields = json.loads(api["AccessLogSetting"]["Format"])
    assert not {"path", "query", "body", "ip"} & set(fields)
    assert fields["trace_id"] == "$context.xrayTraceId"


WORKERS = {"SyncWorkerFunction": "RunsQueue", "FormWorkerFunction": "FormsQueue"}


@pytest.mark.parametrize("function", WORKERS)
def test_a_worker_may_send_to_the_queue_it_reads(template: Template, function: str) -> None:
    assert template.functions[function]["RecursiveLoop"] == "Allow"


@pytest.mark.parametrize(("function", "queue"), WORKERS.items())
def test_a_message_stays_hidden_longer_than_its_worker_may_work(
    template: Template, function: str, queue: str
) -> None:
    timeout = template.default(template.functions[function]["Timeout"])
    hidden = template.default(template.properties(queue)["VisibilityTimeout"])
    budget = template.default({"Ref": "WorkerBudgetSeconds"})
    assert isinstance(timeout, int)
    assert isinstance(hidden, int)
    assert isinstance(budget, int)
    assert budget < timeout < hidden


def test_forms_have_a_lane_of_their_own(template: Template) -> None:
    read = {
        event["Properties"]["Queue"]["Fn::GetAtt"][0]: name
        for name, function in template.functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    }
    assert read == {queue: function for function, queue in WORKERS.items()}


def test_an_intent_is_as_old_for_one_worker_as_for_the_other(template: Template) -> None:
    for function in WORKERS:
        described = template.functions[function]
        assert described["Timeout"] == {"Ref": "WorkerTimeoutSeconds"}
        told = described["Environment"]["Variables"]["WORKER_TIMEOUT_SECONDS"]
        assert told == described["Timeout"]


def test_one_bad_message_does_not_send_back_the_others(template: Template) -> None:
    for function in template.functions.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_queue_gives_up_into_dead_letters_that_last_longer(template: Template) -> None:
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        properties = queue["Properties"]
        assert properties["SqsManagedSseEnabled"] is True
        if name.endswith("DeadLetters"):
            assert properties["MessageRetentionPeriod"] == 14 * SECONDS_PER_DAY
            continue
        redrive = properties["RedrivePolicy"]
        letters = template.properties(redrive["deadLetterTargetArn"]["Fn::GetAtt"][0])
        assert redrive["maxReceiveCount"] >= 5
        assert letters["MessageRetentionPeriod"] > properties["MessageRetentionPeriod"]
        assert letters.get("FifoQueue") == properties.get("FifoQueue")


def test_queues_refuse_clear_text(template: Template) -> None:
    policy = template.properties("TlsOnly")
    (statement,) = policy["PolicyDocument"]["Statement"]
    queues = set(template.of_type("AWS::SQS::Queue"))
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(resource_names(policy["Queues"])) == queues
    assert set(resource_names(statement["Resource"])) == queues


def test_every_schedule_retries_and_then_keeps_what_it_could_not_deliver(
    template: Template,
) -> None:
    schedules = [
        event["Properties"]
        for function in template.functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"].startswith("Schedule")
    ]
    assert schedules
    for schedule in schedules:
        assert schedule["RetryPolicy"]["MaximumRetryAttempts"] >= 1
        assert set(resource_names(schedule["DeadLetterConfig"])) == {"ScheduleDeadLetters"}
    # Without an input of its own, the scheduler sends the event in events/scheduler.json.
    inputs = [json.loads(it["Input"]) for it in schedules if "Input" in it]
    assert inputs == [json.loads((ROOT / "events" / "scheduler_weekly.json").read_text())]


def test_every_table_can_be_brought_back(template: Template) -> None:
    for table in template.of_type("AWS::DynamoDB::Table").values():
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["DeletionProtectionEnabled"] is True
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"])
def test_what_holds_state_outlives_the_stack(template: Template, kind: str) -> None:
    for resource in template.of_type(kind).values():
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_no_secret_is_in_the_template(template: Template) -> None:
    for name in template.of_type("AWS::SecretsManager::Secret"):
        shape = json.loads(template.properties(name)["SecretString"])
        shape.pop("flow", None)
        assert not any(shape.values())


def test_dead_letters_raise_an_alarm(template: Template) -> None:
    watched = {
        name
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for name in resource_names(alarm["Properties"]["Dimensions"])
    }
    letters = {n for n in template.of_type("AWS::SQS::Queue") if n.endswith("DeadLetters")}
    assert watched == letters


def test_an_alarm_is_one_sentence_with_a_remedy_and_reaches_somebody(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms.values():
        described = alarm["Properties"]["AlarmDescription"].strip()
        what, colon, remedy = described.partition(": ")
        assert what
        assert colon
        assert remedy.endswith(".")
        assert described.count(". ") == 0
        assert set(resource_names(alarm["Properties"]["AlarmActions"])) == {"Alerts"}


def test_a_clock_that_stands_still_raises_an_alarm(template: Template) -> None:
    alarm = template.properties("MissedScheduleAlarm")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2.5 * 3600
    assert set(resource_names(alarm["Dimensions"])) == {"ScheduledSyncFunction"}


def test_no_successful_run_raises_an_alarm_while_the_clock_runs(template: Template) -> None:
    alarm = template.properties("NoSuccessfulRunAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, Metric.RUNS_DONE)
    shared = template.document["Globals"]["Function"]["Environment"]["Variables"]
    assert shared["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE
    [service] = alarm["Dimensions"]
    assert service == {"Name": "service", "Value": shared["POWERTOOLS_SERVICE_NAME"]}
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2.5 * 3600
    assert alarm["ActionsEnabled"] == {"Fn::If": ["ClockRuns", True, False]}


def test_secrets_manager_may_rotate_the_secrets_of_this_account_alone(template: Template) -> None:
    permissions = [
        permission["Properties"]
        for permission in template.of_type("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert {name for each in permissions for name in resource_names(each["SourceArn"])} == {
        "SalesforceSecret",
        "PleziSecret",
    }
    for each in permissions:
        assert each["FunctionName"] == {"Ref": "RotateCredentialsFunction"}
        assert each["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_only_the_rotation_may_move_a_secret_s_label_and_nobody_may_read_the_others(
    template: Template,
) -> None:
    for function in template.functions:
        actions = {
            action
            for statement in template.statements(function)
            for action in in_statement(statement, "Action")
        }
        moves = "secretsmanager:UpdateSecretVersionStage" in actions
        assert moves == (function == "RotateCredentialsFunction")
        assert "secretsmanager:PutSecretValue" not in actions


def test_the_worker_may_tell_people_and_nothing_else_of_the_topic(template: Template) -> None:
    assert [
        in_statement(statement, "Action")
        for statement in template.statements("SyncWorkerFunction")
        if "Alerts" in set(resource_names(statement["Resource"]))
    ] == [["sns:Publish"]]


def test_every_log_group_forgets(template: Template) -> None:
    for group in template.of_type("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_parameter_is_explained_and_has_a_default(template: Template) -> None:
    for parameter in template.document["Parameters"].values():
        assert parameter["Description"]
        assert "Default" in parameter


def test_no_region_or_account_is_written_down() -> None:
    for name in ("template.yaml", "samconfig.toml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"\b(us|eu|ap|sa|ca|me|af)-[a-z]+-\d\b", text)
        assert not re.search(r"\b\d{12}\b", text)


def test_the_deployment_defaults_ask_before_they_change_anything() -> None:
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert "confirm_changeset = true" in config
    assert yaml.safe_load("capabilities: CAPABILITY_IAM")["capabilities"] in config
