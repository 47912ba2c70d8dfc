"""Security rules of the template: customer key, firewall, rights on items, policies for people."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import pytest

from connector.forms.request import MAX_BODY_BYTES
from tests.template.test_house_rules import in_statement, routes

if TYPE_CHECKING:
    from tests.template.conftest import Template

KEY: Final = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
KEY_PROPERTIES: Final = {
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
}
"""The property with the key of each type of resource that stores something."""
STORES_NOTHING: Final = frozenset({
    "AWS::Serverless::Function", "AWS::Serverless::LayerVersion", "AWS::Serverless::Api",
    "AWS::ApiGateway::Account", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy",
    "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription",
    "AWS::Lambda::Permission", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard",
    "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::Budgets::Budget",
    "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Resource", "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup", "AWS::Cognito::ManagedLoginBranding",
})  # fmt: skip
ENCRYPTED_BY_AWS: Final = frozenset({"AWS::Cognito::UserPool"})
"""Cognito encrypts the users of the console with keys of its own; it has no values of contacts."""
PEOPLE: Final = ("ReaderPolicy", "OperatorPolicy", "MapperPolicy", "PrivacyPolicy")
LEADING_KEYS: Final = "dynamodb:LeadingKeys"


# The customer's key


@pytest.mark.parametrize(("kind", "property_"), KEY_PROPERTIES.items())
def test_the_customer_key_encrypts_every_resource_of_a_type(
    template: Template, kind: str, property_: str
) -> None:
    resources = template.of_type(kind)
    assert resources
    for name, resource in resources.items():
        assert resource["Properties"][property_] == KEY, name


def test_the_customer_key_encrypts_tables_and_the_variables_of_functions(
    template: Template,
) -> None:
    for table in template.of_type("AWS::DynamoDB::Table").values():
        assert table["Properties"]["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert template.document["Globals"]["Function"]["KmsKeyArn"] == KEY


def test_every_type_of_resource_either_has_the_key_or_stores_nothing(template: Template) -> None:
    known = {*KEY_PROPERTIES, *STORES_NOTHING, *ENCRYPTED_BY_AWS, "AWS::DynamoDB::Table"}
    assert {resource["Type"] for resource in template.document["Resources"].values()} <= known


def test_every_role_of_a_function_and_of_a_schedule_may_use_the_key_by_services_only(
    template: Template,
) -> None:
    use = template.properties("KeyUse")
    roles = {f"{name}Role" for name in template.functions}
    for name, function in template.functions.items():
        schedules = (
            (it for it, event in function["Events"].items() if "Schedule" in event["Type"])
            if "Events" in function
            else ()
        )
        roles |= {f"{name}{event}Role" for event in schedules}
    # The role of an optional function stands in a condition.
    assert {it["Ref"] if "Ref" in it else it["Fn::If"][1]["Ref"] for it in use["Roles"]} == roles
    [statement] = use["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    assert set(statement["Condition"]["StringEquals"]) == {"kms:ViaService"}


# The firewall


def test_without_the_parameter_there_is_no_firewall(template: Template) -> None:
    assert template.document["Parameters"]["Firewall"]["Default"] == "false"
    for name in ("WebAcl", "WebAclOfApi"):
        assert template.document["Resources"][name]["Condition"] == "HasFirewall"
        of_the_console = template.document["Resources"][f"Console{name}"]
        assert of_the_console["Condition"] == "ConsoleHasFirewall"


def test_the_firewall_limits_sources_and_sizes_of_forms_and_has_managed_rules(
    template: Template,
) -> None:
    rules = {rule["Name"]: rule for rule in template.properties("WebAcl")["Rules"]}
    rate = rules["forms-by-source"]["Statement"]["RateBasedStatement"]
    assert rate["Limit"] == {"Ref": "FirewallRequestsPerSource"}
    form = rate["ScopeDownStatement"]
    assert form["ByteMatchStatement"]["SearchString"] == "/v1/forms"
    scope, size = rules["size-of-a-form"]["Statement"]["AndStatement"]["Statements"]
    assert scope == form
    assert size["SizeConstraintStatement"]["Size"] == MAX_BODY_BYTES
    # A body that is longer than what is inspected would pass otherwise.
    assert size["SizeConstraintStatement"]["FieldToMatch"]["Body"]["OversizeHandling"] == "MATCH"
    managed = [rule for rule in rules.values() if "OverrideAction" in rule]
    assert len(managed) >= 2
    assert all(rule["OverrideAction"] == {"None": {}} for rule in managed)
    priorities = [rule["Priority"] for rule in rules.values()]
    assert priorities == sorted(set(priorities))


def test_one_source_cannot_use_up_what_the_console_serves(template: Template) -> None:
    rate, *managed = template.properties("ConsoleWebAcl")["Rules"]
    rule = rate["Statement"]["RateBasedStatement"]
    (settings,) = template.properties("ConsoleStage")["MethodSettings"]
    served = settings["ThrottlingRateLimit"] * rule["EvaluationWindowSec"]
    assert rule["Limit"] <= served / 2
    assert len(managed) == 2
    address = template.properties("ConsoleWebAclOfApi")["ResourceArn"]["Fn::Sub"]
    stage = template.properties("ConsoleStage")["StageName"]
    assert address.endswith(f"/restapis/${{ConsoleApi}}/stages/{stage}")


def test_the_firewall_stores_no_request(template: Template) -> None:
    for name in ("WebAcl", "ConsoleWebAcl"):
        acl = template.properties(name)
        for part in (acl, *acl["Rules"]):
            assert part["VisibilityConfig"]["SampledRequestsEnabled"] is False


# Conditions on the keys of items


def table_rights(template: Template, function: str) -> list[tuple[str, str, list[str] | None]]:
    """Return action, table and allowed keys (None: all) of the rights of a function on items."""
    found = []
    for statement in template.statements(function):
        resource = statement["Resource"]
        match resource:
            case {"Fn::GetAtt": [("LedgerTable" | "JournalTable") as table, _]}:
                condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
                found += [
                    (action.split(" ")[0], table, condition.get(LEADING_KEYS))
                    for action in in_statement(statement, "Action")
                ]
    return found


WITHOUT_CONDITION: Final = {
    ("SyncWorkerFunction", "dynamodb:Scan", "LedgerTable"),
    ("AdminFunction", "dynamodb:Scan", "LedgerTable"),
    ("AdminFunction", "dynamodb:BatchGetItem", "JournalTable"),
    ("AdminFunction", "dynamodb:Query", "JournalTable"),
    ("AdminFunction", "dynamodb:Scan", "JournalTable"),
    ("AdminFunction", "dynamodb:UpdateItem", "JournalTable"),
    ("ConsoleFunction", "dynamodb:Scan", "LedgerTable"),
    ("ConsoleFunction", "dynamodb:BatchGetItem", "JournalTable"),
    ("ConsoleFunction", "dynamodb:Query", "JournalTable"),
    ("ConsoleFunction", "dynamodb:Scan", "JournalTable"),
    ("ConsoleFunction", "dynamodb:UpdateItem", "JournalTable"),
}
"""A scan has no key that a condition could compare. The admin and the console, which have the same
use cases, read the whole journal, and an erasure replaces a name in entries of all kinds."""


def test_a_right_on_a_shared_table_is_limited_to_the_keys_that_the_function_uses(
    template: Template,
) -> None:
    unlimited = {
        (function, action, table)
        for function in template.functions
        for action, table, keys in table_rights(template, function)
        if keys is None
    }
    assert unlimited == WITHOUT_CONDITION


@pytest.mark.parametrize("function", ["SyncWorkerFunction", "FormWorkerFunction"])
def test_no_worker_can_write_the_audit_log_or_forget_who_was_erased(
    template: Template, function: str
) -> None:
    writes = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
    for action, table, keys in table_rights(template, function):
        if action.removeprefix("dynamodb:") in writes:
            assert keys is not None
            for key in ("audit#2026", "tombstone#x", "hint#x"):
                assert not any(fnmatchcase(key, pattern) for pattern in keys), (action, table)


def test_no_function_can_delete_an_entry_of_the_audit_log(template: Template) -> None:
    for function in template.functions:
        for action, table, keys in table_rights(template, function):
            if table == "JournalTable" and action == "dynamodb:DeleteItem":
                assert keys is not None
                assert not any(fnmatchcase("audit#2026", pattern) for pattern in keys)


# The policies for people


def allowed(template: Template, policy: str) -> list[str]:
    """Return the patterns "METHOD/path" that a policy allows."""
    document = template.properties(policy)["PolicyDocument"]
    patterns = []
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == "execute-api:Invoke"
        patterns += [
            it["Fn::Sub"].partition("/v1/")[2] for it in in_statement(statement, "Resource")
        ]
    return patterns


def may(template: Template, route: str) -> set[str]:
    """Return the policies that allow a route, such as "post /admin/start"."""
    method, _, path = route.partition(" ")
    request = f"{method.upper()}{path}"
    return {
        policy
        for policy in PEOPLE
        if any(fnmatchcase(request, pattern) for pattern in allowed(template, policy))
    }


def test_every_route_of_the_api_is_in_a_policy_for_people_except_the_one_for_forms(
    template: Template,
) -> None:
    for route in routes(template):
        assert bool(may(template, route)) == (route != "post /forms"), (
            f"{route}: add it to one of {', '.join(PEOPLE)} in template.yaml"
        )


def test_a_reader_can_change_nothing(template: Template) -> None:
    for route in routes(template):
        assert ("ReaderPolicy" in may(template, route)) == route.startswith("get ")


@pytest.mark.parametrize(
    ("prefix", "policies"),
    [
        ("put /admin/mapping", {"MapperPolicy"}),
        ("post /admin/people/", {"PrivacyPolicy"}),
        ("post /admin/attention", {"OperatorPolicy"}),
        ("post /admin/start", {"OperatorPolicy"}),
        ("post /admin/breaker/release", {"OperatorPolicy"}),
    ],
)
def test_a_change_needs_the_policy_for_its_work(
    template: Template, prefix: str, policies: set[str]
) -> None:
    found = [route for route in routes(template) if route.startswith(prefix)]
    assert found
    for route in found:
        assert may(template, route) == policies, route


def test_no_policy_for_people_allows_a_function_to_be_invoked_directly(template: Template) -> None:
    documents: list[Any] = [template.properties(policy)["PolicyDocument"] for policy in PEOPLE]
    assert "lambda:" not in str(documents)
