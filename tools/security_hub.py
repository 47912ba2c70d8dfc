"""Two lists of others with our results: the controls of AWS Security Hub, and the OWASP classes.

Sources: AWS Security Hub User Guide, "Control reference"; OWASP Top 10 (2017), Interpretation for
Serverless. `tests/docs` checks that every test exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.security_checks import CheckState

HOLDS, ACCEPTED = CheckState.HOLDS, CheckState.ACCEPTED
NOT_APPLICABLE = CheckState.NOT_APPLICABLE
HOUSE: Final = "template/test_house_rules.py"
RULES: Final = "template/test_security_rules.py"
ALARMS: Final = "template/test_alarm_rules.py"
COMPONENT: Final = "component/test_alarms.py::test_a_fault_raises_its_alarm_which_was_silent_before"
NO_VPC: Final = "The functions call two public APIs; a NAT costs more than the rest of the stack."


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its id, what it asks, the result, the reason, and the tests of what holds."""

    id: str
    asks: str
    state: CheckState
    reason: str = ""
    tests: tuple[str, ...] = ()


CONTROLS: Final[tuple[Control, ...]] = (
    Control(
        "APIGateway.1",
        "Execution logs are on",
        ACCEPTED,
        "Execution logs have headers, and so signatures and tokens. Access logs are on.",
        (f"{HOUSE}::test_the_api_is_throttled_and_logs_no_body",),
    ),
    Control("APIGateway.2", "Backends get a certificate", NOT_APPLICABLE, "No HTTP backend."),
    Control(
        "APIGateway.3",
        "X-Ray is on",
        ACCEPTED,
        "A trace of the API has the path, which names an e-mail in some routes.",
        (f"{HOUSE}::test_no_address_of_the_api_is_traced_because_some_name_an_email",),
    ),
    Control(
        "APIGateway.4",
        "A web ACL is associated",
        HOLDS,
        "With `Firewall=true`.",
        (
            f"{RULES}::test_the_firewall_limits_sources_and_sizes_of_forms_and_has_managed_rules",
            f"{RULES}::test_without_the_parameter_there_is_no_firewall",
        ),
    ),
    Control("APIGateway.5", "The cache is encrypted", NOT_APPLICABLE, "There is no cache."),
    Control("APIGateway.8, .9", "Routes of HTTP APIs", NOT_APPLICABLE, "The API is a REST API."),
    Control(
        "CloudWatch.15, .17",
        "Alarms have actions, which are enabled",
        HOLDS,
        "Those of a schedule that is disabled are off.",
        (
            f"{ALARMS}::test_an_alarm_states_what_happened_what_to_do_and_its_runbook_and_is_sent",
            f"{ALARMS}::test_the_lack_of_a_successful_run_raises_an_alarm_while_the_schedule_is_enabled",
        ),
    ),
    Control(
        "DynamoDB.1, .2, .6",
        "Capacity follows the load; point-in-time recovery; protection from deletion",
        HOLDS,
        tests=(f"{HOUSE}::test_every_table_can_be_restored",),
    ),
    Control("DynamoDB.3", "DAX is encrypted", NOT_APPLICABLE, "There is no DAX."),
    Control(
        "DynamoDB.4",
        "Tables are in a backup plan",
        ACCEPTED,
        "Point-in-time recovery has 35 days; a plan of AWS Backup is the account's.",
    ),
    Control(
        "IAM.1, IAM.21",
        "No policy allows all actions, of all services or of one",
        HOLDS,
        tests=(
            f"{HOUSE}::test_has_its_own_rights_without_wildcards",
            f"{HOUSE}::test_only_the_right_to_send_traces_is_for_all_resources",
        ),
    ),
    Control(
        "KMS.1 to .5",
        "Keys: policies, deletion, rotation",
        NOT_APPLICABLE,
        "The stack makes no key: that of `KmsKeyArn` is the customer's.",
    ),
    Control(
        "Lambda.1",
        "No function is public",
        HOLDS,
        tests=(f"{HOUSE}::test_secrets_manager_can_only_rotate_the_two_secrets_of_this_account",),
    ),
    Control(
        "Lambda.2",
        "The runtime is supported",
        HOLDS,
        "python3.13.",
        ("template/test_build.py::test_every_compiled_module_is_for_python_3_13_on_arm64",),
    ),
    Control("Lambda.3, .5", "Functions are in a VPC, in several zones", ACCEPTED, NO_VPC),
    Control(
        "Lambda.7",
        "X-Ray is on",
        HOLDS,
        "With `Tracing=Active`.",
        (f"{HOUSE}::test_functions_are_traced_by_a_parameter_that_is_off_by_default",),
    ),
    Control("S3", "All controls of buckets", NOT_APPLICABLE, "There is no bucket."),
    Control(
        "SecretsManager.1",
        "Rotation is automatic",
        ACCEPTED,
        "A password or a key cannot be generated without its system. An alarm watches the age.",
        (COMPONENT,),
    ),
    Control(
        "SecretsManager.2, .4",
        "Rotations succeed, within a number of days",
        HOLDS,
        "`RotationRefusedAlarm`, and `CredentialAgeAlarm` after `CredentialMaxAgeDays`.",
        (COMPONENT,),
    ),
    Control(
        "SecretsManager.3",
        "No secret is unused",
        HOLDS,
        tests=(
            (f"{HOUSE}::test_has_exactly_the_resources_in_its_environment_that_it_has_rights_on"),
        ),
    ),
    Control(
        "SNS.1",
        "Topics are encrypted with a key of KMS",
        HOLDS,
        "With `KmsKeyArn`; CloudWatch cannot publish with AWS's own key.",
        (f"{RULES}::test_the_customer_key_encrypts_every_resource_of_a_type",),
    ),
    Control(
        "SNS.4, SQS.3",
        "Topics and queues are not public",
        HOLDS,
        tests=(
            f"{HOUSE}::test_queues_refuse_requests_without_tls",
            (
                f"{HOUSE}::"
                "test_the_topic_refuses_requests_without_tls_and_takes_alarms_of_this_account_only"
            ),
        ),
    ),
    Control(
        "SQS.1",
        "Queues are encrypted",
        HOLDS,
        tests=(f"{HOUSE}::test_every_queue_has_a_dead_letter_queue_that_keeps_messages_longer",),
    ),
    Control("StepFunctions.1", "State machines have logs", NOT_APPLICABLE, "There is none."),
    Control(
        "WAF.10, .12",
        "A web ACL has rules, and its rules have metrics",
        HOLDS,
        tests=(
            f"{RULES}::test_the_firewall_limits_sources_and_sizes_of_forms_and_has_managed_rules",
            f"{RULES}::test_the_firewall_stores_no_request",
        ),
    ),
)

OWASP: Final[tuple[tuple[str, str], ...]] = (
    (
        "S1 injection",
        "property/test_soql.py::test_every_value_of_a_look_up_is_one_literal_of_one_condition",
    ),
    (
        "S2 broken authentication",
        "component/test_form_receiver.py::test_every_authentication_failure_has_the_same_response",
    ),
    (
        "S3 sensitive data exposure",
        (
            "component/test_no_personal_data.py::"
            "test_no_log_metric_name_or_alert_contains_a_secret_or_a_value_of_a_person"
        ),
    ),
    (
        "S4 XML external entities",
        (
            "unit/connector/test_security_rules.py::"
            "test_nothing_deserializes_code_starts_a_process_or_parses_xml"
        ),
    ),
    (
        "S5 broken access control",
        f"{HOUSE}::test_every_route_of_the_api_requires_an_iam_signature_except_the_one_for_forms",
    ),
    ("S6 security misconfiguration", f"{HOUSE}::test_what_a_simulator_needs_is_refused_on_aws"),
    (
        "S7 cross-site scripting",
        "component/test_handlers.py::test_every_response_of_the_api_is_json_or_yaml_and_no_page",
    ),
    (
        "S8 insecure deserialization",
        (
            "unit/connector/test_security_rules.py::"
            "test_no_yaml_is_loaded_by_another_loader_than_ours"
        ),
    ),
    (
        "S9 components with known vulnerabilities",
        "template/test_build.py::test_the_layer_has_every_pinned_dependency",
    ),
    ("S10 insufficient logging and monitoring", COMPONENT),
)
"""Each class of OWASP, with one test that would fail if the class were possible."""


def security_hub_rows() -> list[list[str]]:
    """Return the rows of the table of controls."""
    return [
        [
            each.id,
            each.asks,
            f"**{each.state.value}**" + (f": {each.reason}" if each.reason else ""),
            ", ".join(f"`{test}`" for test in each.tests) or "-",
        ]
        for each in CONTROLS
    ]


def owasp_rows() -> list[list[str]]:
    """Return the rows of the table of classes."""
    return [[name, f"`{test}`"] for name, test in OWASP]
