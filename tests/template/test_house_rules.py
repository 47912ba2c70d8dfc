"""House rules of the template: what each change of it must keep."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from connector import connection_settings, settings
from connector.console.roles import UserRole
from connector.console.session import SESSION_SECONDS
from functions.console import app as console
from tests.template.conftest import resource_names

if TYPE_CHECKING:
    from tests.template.conftest import Template

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
EVENTS = {
    "admin": {"admin_status", "admin_start", "admin_choose"},
    "console": {"console"},
    "form_sync": {"form_sync"},
    "form_worker": {"forms_queue"},
    "manual_sync": {"manual_sync"},
    "rotate_credentials": {"rotate_credentials", "rotation_step"},
    "scheduled_sync": {"scheduler", "scheduler_weekly"},
    "sync_worker": {"runs_queue"},
}
ADDRESSES = {
    "CONSOLE_URL",
    "SIGN_IN_CLIENT_ID",
    "SIGN_IN_ISSUER",
    "SIGN_IN_KEYS_URL",
    "SIGN_IN_URL",
}
"""Variables with public addresses and names, which need no right."""
LIBRARY_VARIABLES = re.compile("POWERTOOLS_")
"""Variables for the libraries of the layer; the connector does not read them."""
SECONDS_PER_DAY = 86_400
CLASSES: dict[str, Any] = vars(settings) | vars(connection_settings)
SETTINGS_CLASSES = [
    kind for kind in CLASSES.values() if dataclasses.is_dataclass(kind) and isinstance(kind, type)
]


def logical(function: str) -> str:
    """Return the logical name of a function by the name of its folder."""
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def settings_class(function: str) -> type[Any]:
    """Return the class of a function's settings: the argument of `LambdaApp(...)` in its folder."""
    names = {
        argument.id
        for path in (ROOT / "functions" / function).glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "LambdaApp"
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    (name,) = names
    found: type[Any] = CLASSES[name]
    return found


def in_statement(statement: dict[str, Any], key: str) -> list[Any]:
    """Return the members of a statement's list, which can be a single text."""
    value = statement[key]
    return value if isinstance(value, list) else [value]


def test_the_deployed_functions_are_the_folders_of_functions(template: Template) -> None:
    assert sorted(template.functions) == sorted(map(logical, FUNCTIONS))


@pytest.mark.parametrize("function", FUNCTIONS)
class TestEachFunction:
    def test_has_a_handler_with_the_module_name_that_tests_import(
        self, template: Template, function: str
    ) -> None:
        handler = template.functions[logical(function)]["Handler"]
        assert handler == f"functions.{function}.app.handler"

    def test_writes_to_its_own_log_group_with_a_retention_time(
        self, template: Template, function: str
    ) -> None:
        group = template.functions[logical(function)]["LoggingConfig"]["LogGroup"]["Ref"]
        described = template.properties(group)
        assert described["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert function.replace("_", "-") in described["LogGroupName"]["Fn::Sub"]

    def test_has_an_example_event_in_a_file(self, template: Template, function: str) -> None:
        invoked = {
            permission["Properties"]["FunctionName"]["Ref"]
            for permission in template.of_type("AWS::Lambda::Permission").values()
        }
        logical_name = logical(function)
        assert template.functions[logical_name].get("Events") or logical_name in invoked
        for name in EVENTS[function]:
            assert json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))

    def test_has_its_own_rights_without_wildcards(self, template: Template, function: str) -> None:
        assert "Role" not in template.functions[logical(function)]
        for statement in template.statements(logical(function)):
            assert statement["Effect"] == "Allow"
            # A condition restricts a right, with or without wildcards.
            assert "*" not in json.dumps({**statement, "Condition": None})
            assert "NotAction" not in statement
            assert "NotResource" not in statement

    def test_has_exactly_the_resources_in_its_environment_that_it_has_rights_on(
        self, template: Template, function: str
    ) -> None:
        variables = template.functions[logical(function)]["Environment"]["Variables"]
        used = {name: it for name, it in variables.items() if name not in ADDRESSES}
        named = set(resource_names(used))
        allowed = {
            name
            for statement in template.statements(logical(function))
            for name in resource_names(statement["Resource"])
        }
        assert named - set(template.document["Parameters"]) == allowed

    def test_has_no_right_outside_the_boundary(self, template: Template, function: str) -> None:
        ceiling = {
            (action, name)
            for statement in template.boundary()
            for action in in_statement(statement, "Action")
            for name in resource_names(statement["Resource"])
        }
        for statement in template.statements(logical(function)):
            for action in in_statement(statement, "Action"):
                for name in resource_names(statement["Resource"]):
                    assert (action, name) in ceiling

    def test_has_only_variables_that_the_connector_reads(
        self, template: Template, function: str
    ) -> None:
        sources = (ROOT / "layers/common/connector").rglob("*.py")
        read = "\n".join(source.read_text(encoding="utf-8") for source in sources)
        variables = template.functions[logical(function)]["Environment"]["Variables"]
        shared = template.document["Globals"]["Function"]["Environment"]["Variables"]
        assert all(LIBRARY_VARIABLES.match(name) for name in shared)
        # In lower case: the names of settings.
        unread = [n for n in variables if not re.search(rf"\b({n}|{n.lower()})\b", read)]
        assert not unread

    def test_has_exactly_the_settings_of_its_settings_class(
        self, template: Template, function: str
    ) -> None:
        kind = settings_class(function)
        wanted = set(settings.variable_names(kind))
        given = set(template.functions[logical(function)]["Environment"]["Variables"])
        assert given == wanted, (
            f"template.yaml: the Environment of {logical(function)} must hold exactly the settings "
            f"of {kind.__name__}: add {sorted(wanted - given)}, remove {sorted(given - wanted)}"
        )


@pytest.mark.parametrize("kind", SETTINGS_CLASSES, ids=lambda kind: kind.__name__)
def test_no_setting_has_a_default_in_the_code(kind: type[Any]) -> None:
    defaults = [
        each.name
        for each in dataclasses.fields(kind)
        if each.default is not dataclasses.MISSING
        or each.default_factory is not dataclasses.MISSING
    ]
    assert not defaults, f"{kind.__name__}: move to the template: {defaults}"


def test_every_settings_class_of_a_function_is_checked() -> None:
    assert {settings_class(function) for function in FUNCTIONS} <= set(SETTINGS_CLASSES)


def test_every_function_has_the_boundary(template: Template) -> None:
    shared = template.document["Globals"]["Function"]
    assert shared["PermissionsBoundary"] == {"Ref": "FunctionsBoundary"}
    assert not any("PermissionsBoundary" in function for function in template.functions.values())


def test_functions_are_traced_by_a_parameter_that_is_off_by_default(template: Template) -> None:
    parameter = template.document["Parameters"]["Tracing"]
    assert (parameter["Default"], parameter["AllowedValues"]) == (
        "Disabled",
        ["Disabled", "Active"],
    )
    assert template.document["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}
    assert not any("Tracing" in function for function in template.functions.values())


def test_no_address_of_the_api_is_traced_because_some_name_an_email(template: Template) -> None:
    apis = template.of_type("AWS::Serverless::Api")
    assert apis
    assert not any("TracingEnabled" in api["Properties"] for api in apis.values())


def test_only_the_right_to_send_traces_is_for_all_resources(template: Template) -> None:
    """The Service Authorization Reference of AWS lists both actions without a resource type."""
    statements = list(template.boundary())
    wide = [statement["Sid"] for statement in statements if statement["Resource"] == "*"]
    assert wide == ["Traces"]
    policy = template.properties("FunctionsBoundary")["PolicyDocument"]["Statement"]
    [traces] = [each["Fn::If"] for each in policy if "IsTraced" in each.get("Fn::If", [])]
    assert traces[1]["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert traces[2] == {"Ref": "AWS::NoValue"}
    for statement in statements:
        assert not any("*" in action for action in in_statement(statement, "Action"))


def routes(template: Template) -> dict[str, dict[str, Any]]:
    """Return every route of the API, by method and path."""
    found = [
        event["Properties"]
        for function in template.functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] in {"Api", "HttpApi"}
    ]
    return {f"{route['Method']} {route['Path']}": route for route in found}


def test_every_route_of_the_api_requires_an_iam_signature_except_the_one_for_forms(
    template: Template,
) -> None:
    apis = template.of_type("AWS::Serverless::Api")
    assert {api["Properties"]["Auth"]["DefaultAuthorizer"] for api in apis.values()} == {"AWS_IAM"}
    for route in routes(template).values():
        assert route["RestApiId"]["Ref"] in apis
        assert route["Method"] in {"get", "post", "put"}
    opened = {name: route["Auth"] for name, route in routes(template).items() if "Auth" in route}
    assert opened == {"post /forms": {"Authorizer": "NONE"}}


def test_the_function_of_the_public_route_can_only_use_its_records_its_queue_and_its_keys(
    template: Template,
) -> None:
    rights = {
        (action, name)
        for statement in template.statements("FormSyncFunction")
        for action in in_statement(statement, "Action")
        for name in resource_names(statement["Resource"])
    }
    assert rights == {
        ("dynamodb:PutItem", "LedgerTable"),
        ("dynamodb:UpdateItem", "LedgerTable"),
        ("sqs:SendMessage", "FormsQueue"),
        ("secretsmanager:GetSecretValue", "FormsSecret"),
    }
    [table] = [
        statement
        for statement in template.statements("FormSyncFunction")
        if "Condition" in statement
    ]
    assert table["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["form#*", "hint#*"]},
    }


def test_the_api_is_throttled_and_logs_no_body(template: Template) -> None:
    api = template.properties("Api")
    for method in api["MethodSettings"]:
        assert method["ThrottlingRateLimit"]
        assert method["ThrottlingBurstLimit"]
        assert method["DataTraceEnabled"] is False
    assert [method["ResourcePath"] for method in api["MethodSettings"]] == ["/*", "/~1forms"]
    fields = json.loads(api["AccessLogSetting"]["Format"])
    assert not {"path", "query", "body", "ip"} & set(fields)
    # The log of form_sync has the same id, as `api_request_id`.
    assert fields["request_id"] == "$context.requestId"


WORKERS = {"SyncWorkerFunction": "RunsQueue", "FormWorkerFunction": "FormsQueue"}


@pytest.mark.parametrize("function", WORKERS)
def test_a_worker_can_send_to_the_queue_that_it_reads(template: Template, function: str) -> None:
    assert template.functions[function]["RecursiveLoop"] == "Allow"


@pytest.mark.parametrize(("function", "queue"), WORKERS.items())
def test_a_message_stays_hidden_longer_than_the_time_out_of_its_worker(
    template: Template, function: str, queue: str
) -> None:
    timeout = template.default(template.functions[function]["Timeout"])
    hidden = template.default(template.properties(queue)["VisibilityTimeout"])
    budget = template.default({"Ref": "WorkerBudgetSeconds"})
    assert isinstance(timeout, int)
    assert isinstance(hidden, int)
    assert isinstance(budget, int)
    assert budget < timeout < hidden


def test_forms_have_their_own_queue_and_worker(template: Template) -> None:
    read = {
        event["Properties"]["Queue"]["Fn::GetAtt"][0]: name
        for name, function in template.functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    }
    assert read == {queue: function for function, queue in WORKERS.items()}


def test_both_workers_have_the_same_time_out(template: Template) -> None:
    for function in WORKERS:
        properties = template.functions[function]
        assert properties["Timeout"] == {"Ref": "WorkerTimeoutSeconds"}
        setting = properties["Environment"]["Variables"]["WORKER_TIMEOUT_SECONDS"]
        assert setting == properties["Timeout"]


def test_a_failed_message_does_not_return_the_others_of_its_batch(template: Template) -> None:
    for function in template.functions.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_queue_has_a_dead_letter_queue_that_keeps_messages_longer(template: Template) -> None:
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        properties = queue["Properties"]
        assert properties["SqsManagedSseEnabled"] == {
            "Fn::If": ["HasKey", {"Ref": "AWS::NoValue"}, True]
        }
        if name.endswith("DeadLetters"):
            assert properties["MessageRetentionPeriod"] == 14 * SECONDS_PER_DAY
            continue
        redrive = properties["RedrivePolicy"]
        dead_letters = template.properties(redrive["deadLetterTargetArn"]["Fn::GetAtt"][0])
        assert redrive["maxReceiveCount"] >= 5
        assert dead_letters["MessageRetentionPeriod"] > properties["MessageRetentionPeriod"]
        assert dead_letters.get("FifoQueue") == properties.get("FifoQueue")


def test_queues_refuse_requests_without_tls(template: Template) -> None:
    policy = template.properties("TlsOnly")
    (statement,) = policy["PolicyDocument"]["Statement"]
    queues = set(template.of_type("AWS::SQS::Queue"))
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(resource_names(policy["Queues"])) == queues
    assert set(resource_names(statement["Resource"])) == queues


def test_the_topic_refuses_requests_without_tls_and_takes_alarms_of_this_account_only(
    template: Template,
) -> None:
    policy = template.properties("AlertsPolicy")
    allowed, refused = policy["PolicyDocument"]["Statement"]
    assert set(resource_names(policy["Topics"])) == set(template.of_type("AWS::SNS::Topic"))
    assert refused["Effect"] == "Deny"
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_every_schedule_retries_and_stores_undelivered_events(
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
    # A schedule without an input sends the event in events/scheduler.json.
    inputs = [json.loads(schedule["Input"]) for schedule in schedules if "Input" in schedule]
    weekly = json.loads((ROOT / "events" / "scheduler_weekly.json").read_text())
    assert inputs == [weekly, console.SCHEDULED]


def test_every_table_can_be_restored(template: Template) -> None:
    for table in template.of_type("AWS::DynamoDB::Table").values():
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["DeletionProtectionEnabled"] is True
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"])
def test_tables_and_secrets_are_kept_when_the_stack_is_deleted(
    template: Template, kind: str
) -> None:
    for resource in template.of_type(kind).values():
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_no_secret_is_in_the_template(template: Template) -> None:
    for name in template.of_type("AWS::SecretsManager::Secret"):
        properties = template.properties(name)
        if name in {"TombstonesSecret", "ConsoleSecret"}:  # AWS generates its key
            assert "SecretString" not in properties
            continue
        members = json.loads(properties["SecretString"])
        members.pop("flow", None)
        assert not any(members.values())


SECRET_STRINGS = {
    "SalesforceSecret": "245e699d",
    "PleziSecret": "7fb944e1",
    "FormsSecret": "633a83a0",
}
"""The first digits of SHA-256 of each value in the template."""


def test_an_upgrade_of_the_template_does_not_overwrite_a_secret(template: Template) -> None:
    """CloudFormation puts a value again when its text in the template changed, and only then.

    Source: CloudFormation Template Reference, AWS::SecretsManager::Secret, SecretString.
    """
    for name, digest in SECRET_STRINGS.items():
        value = template.properties(name)["SecretString"].encode()
        assert hashlib.sha256(value).hexdigest()[:8] == digest, (
            f"{name}: a changed SecretString overwrites the credentials of every deployed stack"
        )


def test_what_a_simulator_needs_is_refused_on_aws(template: Template) -> None:
    rule = template.document["Rules"]["SimulatorParameters"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ClearTextEndpoints"}, "false"]}
    refused = [assertion["Assert"]["Fn::Equals"] for assertion in rule["Assertions"]]
    names = ("SalesforceTrustedHost", "SalesforceCaPem", "ConsoleSignInUrl")
    assert refused == [[{"Ref": name}, ""] for name in names]
    assert template.document["Parameters"]["ClearTextEndpoints"]["Default"] == "false"


def test_a_budget_is_of_this_stack_alone_and_needs_a_recipient(template: Template) -> None:
    assert template.document["Parameters"]["MonthlyBudget"]["Default"] == 0
    assert template.document["Resources"]["Budget"]["Condition"] == "HasBudget"
    budget = template.properties("Budget")
    stack = {"Fn::Sub": "aws:cloudformation:stack-name$${AWS::StackName}"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": [stack]}
    recipient = {"SubscriptionType": "EMAIL", "Address": {"Ref": "AlertEmail"}}
    notifications = budget["NotificationsWithSubscribers"]
    assert [it["Subscribers"] for it in notifications] == [[recipient]] * len(notifications)
    rule = template.document["Rules"]["BudgetRecipient"]
    assert rule["RuleCondition"] == template.document["Conditions"]["HasBudget"]
    [assertion] = rule["Assertions"]
    assert assertion["Assert"] == template.document["Conditions"]["HasAlertEmail"]


@pytest.mark.parametrize(
    ("url", "is_accepted"),
    [
        ("https://app.plezi.co/api/v1", True),
        ("http://127.0.0.1:5000", True),
        ("http://127.0.0.1:5000/api/v1", True),
        ("http://app.plezi.co/api/v1", False),
        ("http://127.0.0.1.evil.example/api", False),
        ("http://127.0.0.1@evil.example", False),
        ("https://user@evil.example", False),
        ("https://app.plezi.co/api/v1/", False),
    ],
)
def test_the_key_of_plezi_is_sent_over_tls_or_within_the_machine(
    template: Template, url: str, *, is_accepted: bool
) -> None:
    pattern = template.document["Parameters"]["PleziBaseUrl"]["AllowedPattern"]
    assert (re.fullmatch(pattern, url) is not None) == is_accepted


def test_forms_admins_and_runs_cannot_use_up_each_others_concurrency(template: Template) -> None:
    total = 0
    for name, function in template.functions.items():
        condition, reserved, otherwise = function["ReservedConcurrentExecutions"]["Fn::If"]
        assert (condition, otherwise) == ("ConcurrencyIsReserved", {"Ref": "AWS::NoValue"})
        for event in function["Events"].values() if name in WORKERS else ():
            assert event["Properties"]["ScalingConfig"]["MaximumConcurrency"] == reserved
        total += reserved
    described = template.document["Parameters"]["ReserveConcurrency"]["Description"]
    assert f"({total} in total)" in described


def test_secrets_manager_can_only_rotate_the_two_secrets_of_this_account(
    template: Template,
) -> None:
    permissions = [
        permission["Properties"]
        for permission in template.of_type("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert {
        name for permission in permissions for name in resource_names(permission["SourceArn"])
    } == {
        "SalesforceSecret",
        "PleziSecret",
    }
    for permission in permissions:
        assert permission["FunctionName"] == {"Ref": "RotateCredentialsFunction"}
        assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_only_the_rotation_can_move_the_label_of_a_secret_and_no_function_can_write_one(
    template: Template,
) -> None:
    for function in template.functions:
        actions = {
            action
            for statement in template.statements(function)
            for action in in_statement(statement, "Action")
        }
        can_move_labels = "secretsmanager:UpdateSecretVersionStage" in actions
        assert can_move_labels == (function == "RotateCredentialsFunction")
        assert "secretsmanager:PutSecretValue" not in actions


def test_the_worker_can_only_publish_to_the_topic(template: Template) -> None:
    assert [
        in_statement(statement, "Action")
        for statement in template.statements("SyncWorkerFunction")
        if "Alerts" in set(resource_names(statement["Resource"]))
    ] == [["sns:Publish"]]


def test_every_log_group_has_a_retention_time(template: Template) -> None:
    for group in template.of_type("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_parameter_has_a_description_and_a_default(template: Template) -> None:
    for parameter in template.document["Parameters"].values():
        assert parameter["Description"]
        assert "Default" in parameter


def test_no_region_or_account_is_in_the_files() -> None:
    for name in ("template.yaml", "samconfig.toml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"\b(us|eu|ap|sa|ca|me|af)-[a-z]+-\d\b", text)
        assert not re.search(r"\b\d{12}\b", text)


def test_a_deployment_asks_before_it_changes_anything() -> None:
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert "confirm_changeset = true" in config
    assert yaml.safe_load("capabilities: CAPABILITY_IAM")["capabilities"] in config


def test_nothing_of_the_console_is_deployed_without_its_parameter(template: Template) -> None:
    assert template.document["Parameters"]["Console"]["Default"] == "false"
    of_the_console = {
        name: resource
        for name, resource in template.document["Resources"].items()
        if name.startswith("Console")
    }
    assert len(of_the_console) > 10
    for name, resource in of_the_console.items():
        conditions = {"HasConsole", "HasManagedLogin", "ConsoleHasFirewall"}
        assert resource.get("Condition") in conditions, name
    for name, output in template.document["Outputs"].items():
        assert (output.get("Condition") == "HasConsole") == name.startswith("Console"), name
    managed = template.document["Conditions"]["HasManagedLogin"]["Fn::And"]
    assert {"Condition": "HasConsole"} in managed


def test_a_user_of_the_console_is_created_by_an_administrator_and_has_a_second_factor(
    template: Template,
) -> None:
    pool = template.properties("ConsoleUsers")
    assert pool["MfaConfiguration"] == "ON"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["DeletionProtection"] == "ACTIVE"
    client = template.properties("ConsoleClient")
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    # With these the user pool is asked about a signed-in user, as long as a session lasts.
    assert "ALLOW_REFRESH_TOKEN_AUTH" in client["ExplicitAuthFlows"]
    assert client["EnableTokenRevocation"] is True
    assert client["TokenValidityUnits"]["RefreshToken"] == "minutes"
    assert client["RefreshTokenValidity"] * 60 >= SESSION_SECONDS
    groups = template.of_type("AWS::Cognito::UserPoolGroup").values()
    assert {it["Properties"]["GroupName"] for it in groups} == {role.value for role in UserRole}


def test_the_api_of_the_console_reaches_the_console_only_and_logs_no_form(
    template: Template,
) -> None:
    methods = template.of_type("AWS::ApiGateway::Method").values()
    assert {it["Properties"]["HttpMethod"] for it in methods} == {"GET", "POST"}
    for method in methods:
        uri = method["Properties"]["Integration"]["Uri"]
        assert set(resource_names(uri)) - {"AWS"} == {"ConsoleFunction"}
    (settings,) = template.properties("ConsoleStage")["MethodSettings"]
    assert settings["ThrottlingRateLimit"]
    assert settings["DataTraceEnabled"] is False
    fields = json.loads(template.properties("ConsoleStage")["AccessLogSetting"]["Format"])
    assert not {"path", "query", "body", "ip"} & set(fields)
    source = template.properties("ConsolePermission")["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${ConsoleApi}/v1/*/console*")
