"""Alerts: each is published once with its remedy, and a failure to publish never fails a run."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from connector.aws.sns import SnsAlertPublisher
from connector.errors import RetryError
from connector.model import Alert, AlertKind, RunState
from tests.component.admin_client import AdminClient
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.harness import REGION
from tests.retry_policies import IMMEDIATE

DAY = 86_400


def test_too_many_quarantined_records_send_one_alert_with_the_remedy(
    credentials: CredentialFixtures,
) -> None:
    credentials.harness.control(
        "salesforce",
        "POST",
        "validation_rules",
        {"object": "Lead", "condition": "LastName LIKE 'Bad%'", "message": "no"},
    )
    for number in range(10):
        credentials.harness.add_person(email=f"p{number}@example.com", last_name=f"Bad {number}")

    credentials.run()
    credentials.run()

    [(subject, text)] = credentials.received_alerts()
    assert subject == "10 people or more are in quarantine"
    assert "GET /admin/attention?kind=quarantine" in text
    assert "All other people are synchronized" in text


def test_every_saved_mapping_sends_a_notice_without_a_name(
    credentials: CredentialFixtures, admin_client: AdminClient
) -> None:
    mapping = admin_client.request("GET", "/admin/mapping").body
    pair = next(it for it in mapping["pairs"] if it["plezi"] == "phone")
    pair["direction"] = "to_salesforce"
    assert admin_client.request("PUT", "/admin/mapping", mapping).status == 200

    [(subject, text)] = credentials.received_alerts()
    assert subject == "The mapping was changed: version 1 has 1 change(s)"
    assert "GET /admin/audit" in text
    assert "alice" not in text


def test_a_mapping_is_saved_although_its_notice_cannot_be_sent(
    credentials: CredentialFixtures, admin_client: AdminClient
) -> None:
    sns = boto3.client("sns", region_name=REGION)
    sns.delete_topic(TopicArn=credentials.harness.resources["alerts_topic"])
    mapping = admin_client.request("GET", "/admin/mapping").body
    mapping["phone_region"] = "BE"

    assert admin_client.request("PUT", "/admin/mapping", mapping).status == 200


def test_an_alert_reports_a_field_that_disappeared_and_that_it_returns_automatically(
    credentials: CredentialFixtures,
) -> None:
    credentials.run()
    credentials.harness.control(
        "salesforce",
        "POST",
        "fields/Lead/MobilePhone/visibility",
        {"read": False, "edit": False},
    )
    for client in credentials.harness.context.clients.values():
        client.invalidate_schemas()

    credentials.run()
    credentials.run()

    [(subject, text)] = credentials.received_alerts()
    assert subject == "The field MobilePhone is no longer synchronized"
    assert "synchronized again when this is corrected" in text


def test_an_unavailable_side_sends_one_alert(credentials: CredentialFixtures) -> None:
    credentials.switch(org_status="maintenance")
    assert credentials.run().state is RunState.FAILED
    assert credentials.run().state is RunState.FAILED
    credentials.switch(org_status="active")
    assert credentials.run().state is RunState.DONE

    [(subject, text)] = credentials.received_alerts()
    assert subject == "A run ended failed (login_unavailable)"
    assert "The next run tries again" in text


def test_an_alert_is_sent_when_the_api_calls_of_the_org_run_out(
    credentials: CredentialFixtures,
) -> None:
    credentials.run()
    credentials.harness.control("salesforce", "POST", "quota", {"max": 110_000, "used": 95_000})

    credentials.run()
    credentials.run()

    [(subject, text)] = credentials.received_alerts()
    assert subject == "86% of the org's API calls of 24 hours are used"
    assert "API Usage" in text


def test_a_successful_run_sends_an_alert_when_the_password_expires_soon(
    credentials: CredentialFixtures,
) -> None:
    credentials.harness.control("salesforce", "POST", "clock", {"advance": -87 * DAY})
    credentials.reset_password()
    credentials.harness.control("salesforce", "POST", "clock", {"follow": True})
    credentials.put(credentials.material())

    credentials.run()
    credentials.run()

    [(subject, text)] = credentials.received_alerts()
    assert subject == "The Salesforce password expires within 3 days"
    assert "use a flow without a password" in text


def test_the_age_of_the_password_is_read_once_a_day_with_one_call(
    credentials: CredentialFixtures,
) -> None:
    credentials.run()
    credentials.harness.mark()
    first = credentials.harness.calls("salesforce")["total"]
    credentials.run()
    idle = credentials.harness.calls("salesforce")["total"] - first
    credentials.harness.mark()
    credentials.harness.ledger.save_document("password", {})
    credentials.run()

    assert credentials.harness.calls("salesforce")["total"] == idle + 1


def test_flows_without_a_password_do_not_read_its_age(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.client_credentials())

    credentials.run()

    assert credentials.harness.ledger.load_document("password") is None


def test_an_alert_is_published_to_the_topic(credentials: CredentialFixtures) -> None:
    alert = Alert(AlertKind.BREAKER, "What", 0.0, "remedy", "kept")

    sns = boto3.client("sns", region_name=REGION)
    topic = credentials.harness.resources["alerts_topic"]
    SnsAlertPublisher(sns, topic, IMMEDIATE).publish(alert)

    assert credentials.received_alerts()[0][0] == "What"


@pytest.mark.usefixtures("credentials")
def test_a_missing_topic_is_a_temporary_error() -> None:
    with pytest.raises(RetryError, match="does not take an alert"):
        SnsAlertPublisher(
            boto3.client("sns", region_name=REGION),
            f"arn:aws:sns:{REGION}:123456789012:gone",
            IMMEDIATE,
        ).publish(Alert(AlertKind.BREAKER, "What", 0.0, "remedy", "kept"))


def test_a_missing_topic_does_not_fail_the_run(
    credentials: CredentialFixtures,
) -> None:
    harness = credentials.harness
    existing = harness.app
    missing = f"arn:aws:sns:{REGION}:123456789012:gone"
    credentials.put(credentials.material(password="wrong"))
    harness.app = harness.build(replace(harness.settings, alerts_topic=missing))
    assert credentials.run().state is RunState.HALTED
    harness.app = existing

    credentials.run()

    assert len(credentials.received_alerts()) == 1
