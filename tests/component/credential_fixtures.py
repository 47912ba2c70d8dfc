"""Actions on credentials by operators and org administrators, on the component harness."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3

from connector.bootstrap import build_app
from connector.bootstrap.connection_check import check_connections
from connector.bootstrap.rotation import SecretKind
from connector.bootstrap.runtime import Runtime
from connector.bootstrap.sides import build_salesforce_connection, read_secrets
from connector.connection_report import ConnectionReport, Finding
from connector.connection_settings import RotationSettings
from connector.credentials.rotation import Rotation
from connector.deadline import no_deadline
from connector.log_events import no_log
from connector.mapping import DEFAULT_MAPPING
from connector.model import Run, RunState
from connector.salesforce.connection import Connection
from local.template_settings import template_settings
from tests.component.harness import REGION, Harness

USER = "integration@acme.example"


class CredentialFixtures:
    """Versions of secrets, logins as the org counts them, alerts as subscribers receive them."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self._secrets = boto3.client("secretsmanager", region_name=REGION)
        sns = boto3.client("sns", region_name=REGION)
        self._sqs = boto3.client("sqs", region_name=REGION)
        topic = harness.resources["alerts_topic"]
        self._alerts_queue = self._sqs.create_queue(QueueName="received-alerts")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(
            QueueUrl=self._alerts_queue, AttributeNames=["QueueArn"]
        )
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

    # Secrets

    def material(self, **changes: Any) -> dict[str, Any]:
        """Return valid credentials of the integration user, with some changes."""
        user = self.harness.org.integration_user
        return {
            "flow": "password",
            "account_url": "https://acme.lightning.force.com",
            "consumer_key": self.harness.org.consumer_key,
            "consumer_secret": self.harness.org.consumer_secret,
            "username": user.username,
            "password": user.password,
            "security_token": user.security_token,
            **changes,
        }

    def jwt(self, **changes: Any) -> dict[str, Any]:
        """Return credentials that log in with a certificate."""
        key = self.harness.org.jwt.private_key
        return self.material(flow="jwt_bearer", private_key=key, password="", **changes)

    def client_credentials(self, **changes: Any) -> dict[str, Any]:
        """Return credentials that log in without a user in the secret."""
        return self.material(flow="client_credentials", username="", password="", **changes)

    def put(self, material: dict[str, Any], label: str = "AWSCURRENT") -> str:
        """Put a version of the Salesforce secret; return its id."""
        return self.put_text(json.dumps(material), label)

    def put_text(self, text: str, label: str = "AWSCURRENT") -> str:
        """Put any text as a version of the Salesforce secret; return its id."""
        response = self._secrets.put_secret_value(
            SecretId="salesforce", SecretString=text, VersionStages=[label]
        )
        return response["VersionId"]

    def put_plezi(self, label: str = "AWSCURRENT", **changes: Any) -> str:
        """Put a version of the Plezi secret; return its id."""
        tenant = self.harness.tenant
        material = {"api_key": tenant.api_key, "tenant": tenant.tenant_name, **changes}
        response = self._secrets.put_secret_value(
            SecretId="plezi", SecretString=json.dumps(material), VersionStages=[label]
        )
        return response["VersionId"]

    def current(self) -> str:
        current = self._secrets.get_secret_value(SecretId="salesforce", VersionStage="AWSCURRENT")
        return current["VersionId"]

    def labels(self, version: str) -> list[str]:
        described = self._secrets.describe_secret(SecretId="salesforce")
        return described["VersionIdsToStages"].get(version, [])

    # The connector

    def connection(self) -> Connection:
        """Return a connection as a new process builds it."""
        settings, runtime = (
            self.harness.settings,
            Runtime(**self.harness.runtime, log=no_log, deadline=no_deadline()),
        )
        secrets = read_secrets(settings, runtime)
        return build_salesforce_connection(
            settings, runtime, secrets.salesforce, self.harness.ledger
        )

    def check(self, **settings: Any) -> ConnectionReport:
        """Check both systems, with some settings changed."""
        runtime = Runtime(**self.harness.runtime, log=no_log, deadline=no_deadline())
        changed = replace(self.harness.settings, **settings)
        return check_connections(changed, runtime, self.harness.ledger, DEFAULT_MAPPING)

    def rotation(self, kind: SecretKind = SecretKind.SALESFORCE) -> Rotation:
        """Return the rotation of a secret, as a new process builds it."""
        resources = {
            name: value for name, value in self.harness.resources.items() if name != "alerts_topic"
        }
        settings = template_settings(RotationSettings, **resources)
        app = build_app(settings, **self.harness.runtime)
        return app.by_kind[kind]

    def run(self) -> Run:
        """Make a run as the worker does: it sends alerts at the end."""
        run = self.harness.sync()
        assert run.state is not RunState.RUNNING
        self.harness.app.alerts.notify(run)
        return run

    # The org and its administrators

    def switch(self, **switches: Any) -> None:
        self.harness.control("salesforce", "POST", "switches", switches)

    def user(self, **flags: bool) -> None:
        self.harness.control("salesforce", "POST", f"users/{USER}", flags)

    def reset_password(self) -> None:
        new = {"password": "Next-pass2"}
        self.harness.control("salesforce", "POST", f"users/{USER}/password", new)

    def locked_out(self) -> bool:
        return self.harness.org.integration_user.locked_until is not None

    def logins(self) -> list[str]:
        """Return the result of each login of the integration user, as in the Login History."""
        rows = self.harness.control("salesforce", "GET", "logins")
        return [row["Status"] for row in rows if row["username"] == USER]

    def received_alerts(self) -> list[tuple[str, str]]:
        """Return the subject and the text of each alert since the last call."""
        alerts = []
        while messages := self._sqs.receive_message(
            QueueUrl=self._alerts_queue, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                alerts.append((body["Subject"], body["Message"]))
                self._sqs.delete_message(
                    QueueUrl=self._alerts_queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return alerts


def finding(checked: ConnectionReport, name: str) -> Finding:
    """Return the finding with a name."""
    [match] = [finding for finding in checked.findings if finding.name == name]
    return match
