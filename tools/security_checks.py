"""The security checks of docs/security.md: each with its state and the tests that prove it.

The list is that of the project's reference on reliability, section 6. `tests/docs` checks that
every check has a state, that a check that holds names tests, and that each of them exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CheckState(StrEnum):
    """Whether a check holds."""

    HOLDS = "holds"
    PARTLY = "partly"
    OPEN = "open"
    ACCEPTED = "accepted"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class SecurityCheck:
    """One check; `remark` says what is missing, or why it does not apply ('': nothing to say).

    Accepted: it is left out on purpose, and the remark says why.
    """

    area: str
    check: str
    state: CheckState
    tests: tuple[str, ...] = ()
    remark: str = ""


HOLDS, PARTLY, ACCEPTED = CheckState.HOLDS, CheckState.PARTLY, CheckState.ACCEPTED
NOT_APPLICABLE = CheckState.NOT_APPLICABLE
RECEIVER: Final = "component/test_form_receiver.py"
PAYLOAD: Final = "unit/connector/test_form_payload.py"
RULES: Final = "unit/connector/test_security_rules.py"
HOUSE: Final = "template/test_house_rules.py"
SECURITY: Final = "template/test_security_rules.py"
SUPPLY: Final = "template/test_supply_chain.py"
ROTATION: Final = "component/test_rotation.py"

CHECKS: Final[tuple[SecurityCheck, ...]] = (
    SecurityCheck(
        "webhook",
        "HMAC-SHA256 over id, timestamp and raw body; secrets are compared in constant time",
        HOLDS,
        (
            f"{RULES}::test_the_signature_and_the_token_are_compared_in_constant_time",
            f"{RECEIVER}::test_a_refused_request_changes_no_table",
        ),
    ),
    SecurityCheck(
        "webhook",
        "The timestamp is within 300 s both ways; a replay has no effect for 600 s or more",
        HOLDS,
        (
            f"{RECEIVER}::test_a_replay_is_refused_and_has_no_effect",
            f"{RECEIVER}::test_an_idempotency_record_expires_later_than_every_valid_timestamp",
        ),
    ),
    SecurityCheck(
        "webhook",
        "Two keys are accepted during a rotation; random bytes; the old one is removed",
        HOLDS,
        (
            f"{RECEIVER}::test_two_keys_are_accepted_while_a_key_is_replaced",
            f"{RECEIVER}::test_24_hours_after_both_keys_were_put_only_the_new_one_is_accepted",
        ),
    ),
    SecurityCheck(
        "webhook",
        "A body has bounds of size, depth and keys, is strict JSON, and its e-mail and id are "
        "checked",
        HOLDS,
        (
            f"{PAYLOAD}::test_json_is_refused_with_the_field_and_the_remedy",
            f"{PAYLOAD}::test_64_kilobytes_are_taken_and_one_more_byte_is_413",
            (
                "unit/connector/test_bounded_json.py::"
                "test_a_text_beyond_a_bound_is_refused_with_the_bound"
            ),
        ),
    ),
    SecurityCheck(
        "webhook",
        "The payload is a hint: only its id or e-mail is used",
        HOLDS,
        (
            "component/test_form_consumer.py::test_only_the_email_and_the_id_of_the_payload_are_used",
        ),
    ),
    SecurityCheck(
        "webhook",
        "The route is throttled and its concurrency is limited; a flood blocks no run",
        HOLDS,
        (
            f"{HOUSE}::test_the_api_is_throttled_and_logs_no_body",
            f"{HOUSE}::test_forms_admins_and_runs_cannot_use_up_each_others_concurrency",
            (
                "unit/benchmarks/test_flood.py::"
                "test_an_honest_form_is_late_in_a_flood_and_never_lost"
            ),
        ),
        "The limits are in the template. What a flood does by the documented rules is in "
        "docs/operations.md; it was not measured on AWS.",
    ),
    SecurityCheck(
        "webhook",
        "Every failed authentication has the same answer, and takes the same time",
        HOLDS,
        (
            f"{RECEIVER}::test_every_authentication_failure_has_the_same_response",
            (
                "unit/connector/test_signature.py::"
                "test_the_work_for_a_sender_does_not_depend_on_why_it_is_refused"
            ),
        ),
        "Measured with a body of 1 KB and two keys: 7.1 us for a wrong signature, and 7.1 us for a "
        "right one with an old time.",
    ),
    SecurityCheck(
        "webhook",
        "A firewall (WAF) with rules for size and rate, or its absence is accepted in writing",
        HOLDS,
        (
            f"{SECURITY}::test_the_firewall_limits_sources_and_sizes_of_forms_and_has_managed_rules",
            f"{SECURITY}::test_the_firewall_stores_no_request",
        ),
        "With `Firewall=true`; it costs about 10 US$ a month, so it is off by default. Size, rate "
        "and signature are checked without it. No web ACL was deployed on AWS.",
    ),
    SecurityCheck(
        "admin",
        "IAM or a token on every route except the webhook",
        HOLDS,
        (
            (
                f"{HOUSE}::"
                "test_every_route_of_the_api_requires_an_iam_signature_except_the_one_for_forms"
            ),
            "e2e/test_stack.py::test_a_call_without_a_signature_is_refused",
        ),
    ),
    SecurityCheck(
        "admin",
        "An admin cannot read secrets back",
        HOLDS,
        (
            "unit/connector/test_secrets.py::test_no_text_of_credentials_contains_a_secret",
            "unit/connector/test_secrets.py::test_a_secret_text_cannot_be_written_as_json",
        ),
        "No route returns a secret.",
    ),
    SecurityCheck(
        "admin",
        "Every change by an admin is recorded, append-only, for 365 days",
        HOLDS,
        (
            "component/test_admin_people.py::test_every_change_by_an_admin_is_in_the_audit_log",
            "component/test_admin_people.py::test_the_audit_log_is_paged_and_never_overwritten",
            "component/test_alerts.py::test_every_saved_mapping_sends_a_notice_without_a_name",
            f"{SECURITY}::test_no_function_can_delete_an_entry_of_the_audit_log",
            f"{SECURITY}::test_no_worker_can_write_the_audit_log_or_forget_who_was_erased",
            f"{SECURITY}::test_no_policy_for_people_allows_a_function_to_be_invoked_directly",
        ),
        "Entries have no end. Lambda does not say who invoked a function: an invocation without "
        "API Gateway is recorded as `direct invocation`, and its event can state another caller. "
        "So no policy for people has `lambda:InvokeFunction`; the template gives it to services.",
    ),
    SecurityCheck(
        "identity",
        "One role for each function, no wildcard action or resource, no unused right",
        HOLDS,
        (
            f"{HOUSE}::test_has_its_own_rights_without_wildcards",
            "component/test_iam_permissions.py::test_the_permissions_of_the_sync_worker",
            "component/test_iam_permissions.py::test_a_key_outside_of_a_condition_is_found",
            (
                f"{SECURITY}::"
                "test_a_right_on_a_shared_table_is_limited_to_the_keys_that_the_function_uses"
            ),
        ),
    ),
    SecurityCheck(
        "identity",
        "The webhook's role has its queue, its secret and its records, and nothing of Salesforce",
        HOLDS,
        (
            (
                f"{HOUSE}::test_the_function_of_the_public_route_can_only_use_its_records_its_queue"
                "_and_its_keys"
            ),
        ),
    ),
    SecurityCheck(
        "identity",
        "Customer keys with rotation for tables, queues, secrets and logs",
        HOLDS,
        (
            f"{SECURITY}::test_the_customer_key_encrypts_every_resource_of_a_type",
            f"{SECURITY}::test_the_customer_key_encrypts_tables_and_the_variables_of_functions",
            f"{SECURITY}::test_every_type_of_resource_either_has_the_key_or_stores_nothing",
        ),
        "With `KmsKeyArn`; the key and its rotation are the customer's. Without it, AWS's own keys "
        "encrypt everything but the alert topic, which has no personal data. The session is sealed "
        "in addition, with a key that is derived from its secret. Not tried on AWS.",
    ),
    SecurityCheck(
        "identity",
        "Permissions of Lambda name their source; queues and topics refuse clear text",
        HOLDS,
        (
            f"{HOUSE}::test_secrets_manager_can_only_rotate_the_two_secrets_of_this_account",
            f"{HOUSE}::test_queues_refuse_requests_without_tls",
            (
                f"{HOUSE}::test_the_topic_refuses_requests_without_tls_and_takes_alarms_of_this_account"
                "_only"
            ),
        ),
    ),
    SecurityCheck(
        "identity",
        "JWT bearer or client credentials; scopes and rights of the integration user are minimal",
        HOLDS,
        (
            "component/test_logins.py",
            (
                "component/test_connection_check.py::"
                "test_the_end_of_the_password_flow_is_reported_with_the_alternatives"
            ),
        ),
        "The password flow is possible until Salesforce ends it, and the connection check reports "
        "its end as a finding. The scopes are those that a login returns; the rights of the user "
        "are the administrator's.",
    ),
    SecurityCheck(
        "identity",
        "The rotation passes its four steps, each twice and with crashes in between",
        HOLDS,
        (
            f"{ROTATION}::test_the_four_steps_each_done_twice_promote_a_valid_version",
            f"{ROTATION}::test_a_rotation_killed_at_any_call_is_finished_by_the_next_one",
        ),
    ),
    SecurityCheck(
        "data",
        "Marked secrets and values are in no log, metric, trace, exception or dead letter",
        HOLDS,
        (
            (
                "component/test_no_personal_data.py::"
                "test_no_log_metric_name_or_alert_contains_a_secret_or_a_value_of_a_person"
            ),
            (
                "component/test_form_consumer.py::"
                "test_the_queue_does_not_say_whom_a_form_is_of_and_it_is_forgotten_once_processed"
            ),
        ),
        "A message of the forms queue, and so a dead letter, has a trace id. A trace "
        "(`Tracing=Active`) has names of functions and times, no event and no address.",
    ),
    SecurityCheck(
        "data",
        "A log names people by a hash; no line for each record; no URL with a query",
        HOLDS,
        (
            "component/test_no_personal_data.py",
            "unit/connector/test_log_events.py",
            "component/test_admin_people.py::test_a_person_has_the_name_that_the_log_has",
            "component/test_tombstones.py::test_a_log_without_the_key_names_nobody",
        ),
        "The hash has the key of the tombstones, so who knows an e-mail cannot find its lines; "
        "`plezi-sync why EMAIL --records` tells the name. The path of an admin route has the "
        "e-mail of the contact, and a look-up in Salesforce or Plezi has it in its query: over "
        "TLS, and in no log of ours.",
    ),
    SecurityCheck(
        "data",
        "Logs, queues and journal end; tables can be restored and are protected from deletion",
        HOLDS,
        (
            f"{HOUSE}::test_writes_to_its_own_log_group_with_a_retention_time",
            f"{HOUSE}::test_every_table_can_be_restored",
            f"{HOUSE}::test_every_queue_has_a_dead_letter_queue_that_keeps_messages_longer",
        ),
        "There is no bucket.",
    ),
    SecurityCheck(
        "data",
        "One command erases a person everywhere",
        HOLDS,
        (
            (
                "component/test_person_erasure.py::"
                "test_nothing_of_an_erased_person_is_left_in_any_table_or_queue"
            ),
        ),
        "`plezi-sync people erase` empties the tables; the queues name nobody. Point-in-time "
        "recovery can bring a table back for 35 days: erase again after a restore.",
    ),
    SecurityCheck(
        "data",
        "An EU region by default; a map of the data",
        HOLDS,
        (
            "docs/test_security_checks.py::test_the_data_map_has_every_kind_of_stored_item",
            "docs/test_security_checks.py::test_the_map_and_the_erasure_agree_on_what_names_people",
            "docs/test_security_checks.py::test_make_deploy_uses_a_region_in_the_eu_by_default",
        ),
        "The map is below.",
    ),
    SecurityCheck(
        "injection",
        "Names come from a describe, values pass the quoting function",
        HOLDS,
        (
            "property/test_soql.py::test_every_value_of_a_look_up_is_one_literal_of_one_condition",
            (
                "component/test_admin_mapping.py::"
                "test_all_problems_are_reported_at_once_and_nothing_is_saved"
            ),
        ),
    ),
    SecurityCheck(
        "injection",
        "Times have a zone, ids have the form of ids",
        HOLDS,
        (
            "unit/connector/test_salesforce_answers.py",
            "unit/connector/test_plezi_responses.py",
        ),
    ),
    SecurityCheck(
        "egress",
        "Credentials and sessions go to the hosts of Salesforce only; no redirect, no foreign page",
        HOLDS,
        (
            (
                "unit/connector/test_host_bypasses.py::"
                "test_a_host_that_only_looks_like_salesforce_s_is_refused"
            ),
            (
                "component/test_stored_session.py::"
                "test_a_session_with_another_host_is_not_used_and_a_login_replaces_it"
            ),
            f"{HOUSE}::test_what_a_simulator_needs_is_refused_on_aws",
            f"{HOUSE}::test_the_key_of_plezi_is_sent_over_tls_or_within_the_machine",
        ),
    ),
    SecurityCheck(
        "egress",
        "TLS is verified; every call has a time-out; a response has a bound",
        HOLDS,
        (
            f"{RULES}::test_tls_is_verified_in_every_call",
            (
                "component/test_slow_responses.py::"
                "test_a_response_that_arrives_byte_by_byte_ends_with_the_deadline"
            ),
            (
                "component/test_reduced_responses.py::"
                "test_a_response_that_is_too_long_is_refused_even_when_it_is_reduced"
            ),
        ),
        "The bound counts decompressed bytes. The minimum of TLS 1.2 is Python's own.",
    ),
    SecurityCheck(
        "egress",
        "Exports for people neutralize formulas",
        NOT_APPLICABLE,
        (),
        "There is no table or CSV file for people. The mapping file holds no values of people.",
    ),
    SecurityCheck(
        "injection",
        "No eval, pickle, unsafe YAML, process or XML parser",
        HOLDS,
        (
            f"{RULES}::test_nothing_deserializes_code_starts_a_process_or_parses_xml",
            f"{RULES}::test_nothing_evaluates_a_text_or_opens_a_file",
            (
                "unit/connector/test_yaml_file.py::"
                "test_a_file_without_a_mapping_is_refused_with_the_reason"
            ),
        ),
    ),
    SecurityCheck(
        "supply chain",
        "Dependencies are pinned with hashes and scanned; a bill of materials for each build",
        HOLDS,
        (
            "template/test_build.py::test_the_layer_has_every_pinned_dependency",
            f"{SUPPLY}::test_the_bill_of_materials_lists_every_dependency_of_the_layer_with_hashes",
            f"{SUPPLY}::test_two_builds_of_the_layer_have_the_same_contents",
            (
                "unit/test_dependencies.py::"
                "test_every_distribution_that_the_code_imports_is_declared_and_no_other"
            ),
        ),
        "`make audit` runs bandit, `make sbom` lists the layer, and `make vulnerabilities` runs "
        "pip-audit, a step of each release. pip-audit's own databases were not reached when this "
        "was written. Instead the 37 pinned versions were compared with copies of PyPA's advisory "
        "database up to August 2026: none is affected, but three must not be lowered (cryptography "
        "50.0, jinja2 3.1.6, zeep 4.3.3 end an advisory). More distributions are declared than the "
        "six that a list of others asks for: a library of the field is preferred to code of ours.",
    ),
    SecurityCheck(
        "supply chain",
        "cfn-lint and checkov find nothing",
        HOLDS,
        ("docs/test_security_checks.py::test_ci_runs_the_audit",),
        "`make check` runs cfn-lint (`sam validate --lint`) and `make audit` with checkov: "
        "each finding that is accepted has its reason beside the resource.",
    ),
    SecurityCheck(
        "supply chain",
        "The controls of Security Hub, each with its result",
        HOLDS,
        ("docs/test_security_checks.py::test_a_control_that_holds_names_tests_that_exist",),
        "The table is below.",
    ),
    SecurityCheck(
        "operation",
        "An alarm for each outcome; tracing",
        HOLDS,
        (
            "component/test_alarms.py::test_a_fault_raises_its_alarm_which_was_silent_before",
            "component/test_alarms.py::test_no_alarm_is_raised_in_a_day_of_ordinary_operation",
            f"{HOUSE}::test_functions_are_traced_by_a_parameter_that_is_off_by_default",
            f"{HOUSE}::test_no_address_of_the_api_is_traced_because_some_name_an_email",
        ),
        "X-Ray records the functions with `Tracing=Active`, off by default: every log line has "
        "the trace id of a form, or the id of the run.",
    ),
    SecurityCheck(
        "operation",
        "A switch stops everything, and nothing is lost",
        HOLDS,
        (
            "component/test_main_job.py::test_edits_of_both_sides_during_a_pause_arrive_after_it",
            (
                "component/test_handlers.py::"
                "test_start_and_pause_change_whether_synchronization_is_enabled"
            ),
            "component/test_alarms.py::test_a_pause_is_no_failure",
        ),
        "The switch is `plezi-sync pause`. A reserved concurrency of 0, set by hand, also makes "
        "dead letters of waiting messages; the next run does their work.",
    ),
    SecurityCheck(
        "operation",
        "OWASP Serverless Top 10",
        HOLDS,
        ("docs/test_security_checks.py::test_each_of_the_ten_owasp_classes_has_a_test",),
        "The table is below.",
    ),
)


def security_check_rows() -> list[list[str]]:
    """Return the rows of the table: number, area, check, state with remark, tests."""
    return [
        [
            str(number),
            each.area,
            each.check,
            f"**{each.state.value}**" + (f": {each.remark}" if each.remark else ""),
            ", ".join(f"`{test}`" for test in each.tests) or "-",
        ]
        for number, each in enumerate(CHECKS, start=1)
    ]
