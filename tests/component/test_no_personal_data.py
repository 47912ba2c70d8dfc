"""No secret and no value of a person leaves the tables: not in a log, a metric, a name or an alert.

Every function works on people whose every value is a mark that occurs nowhere else, through
refusals, conflicts, wrong credentials, unreadable messages and unexpected errors.
"""

from __future__ import annotations

import json
from typing import Final

import boto3

from connector.log_events import link_hash
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.form_harness import KEY, event, signed
from tests.component.harness import REGION
from tests.component.operation import Operation

EMAIL: Final = "canary.mail@example.com"
VALUES: Final = {
    "last_name": "Canarylast",
    "first_name": "Canaryfirst",
    "company": "Canarycompany",
    "phone": "+33600000042",
    "function": "Canaryfunction " + "x" * 130,  # too long for Salesforce: refused
}
RULE_MESSAGE: Final = "Canarymessage"
"""The message of a validation rule, which may name values of the record."""
WRONG_PASSWORD: Final = "canary-wrong-password"


def marks(operation: Operation) -> list[str]:
    """Return what must not be found anywhere."""
    org, tenant = operation.harness.org, operation.harness.tenant
    user = org.integration_user
    return [
        EMAIL,
        link_hash(EMAIL),  # a hash without a key
        *VALUES.values(),
        RULE_MESSAGE,
        *(KEY, WRONG_PASSWORD, user.password, user.security_token),
        *(org.consumer_secret, tenant.api_key),
    ]


def work_through_everything(operation: Operation) -> None:
    harness = operation.harness
    person = harness.add_person(email=EMAIL, **VALUES)
    operation.tick()
    [lead] = harness.leads(EMAIL)
    harness.edit_person(person, phone="+33600000042", company="Canarycompany")
    harness.edit_lead(lead["Id"], Company="Canarycompany", Phone="+33600000042")
    operation.tick()
    rule = {"object": "Lead", "condition": f"Email = '{EMAIL}'", "message": RULE_MESSAGE}
    harness.control("salesforce", "POST", "validation_rules", rule)
    harness.edit_person(person, function="short", mobile="9")
    operation.tick()
    quarantine = harness.ledger.load_links([EMAIL])[EMAIL].quarantine
    assert quarantine is not None
    assert RULE_MESSAGE in quarantine.remedy
    harness.control("salesforce", "DELETE", "validation_rules")
    harness.edit_person(person, function=VALUES["function"])
    body = json.dumps({"email": EMAIL, **VALUES}).encode()
    assert operation.form(body, signed(body, at=harness.clock())) == 202
    operation.deliver("forms", "FormWorker")
    assert operation.form(body, {}) == 401
    operation.put_message("forms", f"not JSON {EMAIL}")
    operation.deliver("forms", "FormWorker")
    operation.invoke("ManualSync", {"kind": "selected", "emails": [EMAIL], EMAIL: 1})
    operation.invoke("ManualSync", {"kind": "selected", "emails": [EMAIL]})
    operation.deliver("runs.fifo", "SyncWorker")
    path = {"path": f"/admin/contacts/{EMAIL}", "resource": "/admin/contacts/{email}"}
    assert operation.request("Admin", {**event("admin_status"), **path}) == 200


def wrong_credentials(operation: Operation) -> None:
    credentials = CredentialFixtures(operation.harness)
    version = credentials.put(credentials.material(password=WRONG_PASSWORD), "AWSPENDING")
    operation.invoke("RotateCredentials", {"version": version})
    credentials.reset_password()
    operation.harness.control("salesforce", "POST", "sessions/kill", {})
    operation.tick()


def table_that_is_gone(operation: Operation) -> None:
    operation.invoke("ManualSync", {"kind": "selected", "emails": [EMAIL]})
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName="JournalTable")
    operation.harness.add_lead(Email=EMAIL, LastName="Canarylast")
    operation.deliver("runs.fifo", "SyncWorker")


def test_no_log_metric_name_or_alert_contains_a_secret_or_a_value_of_a_person(
    operation: Operation,
) -> None:
    alerts = CredentialFixtures(operation.harness)
    work_through_everything(operation)
    table_that_is_gone(operation)
    wrong_credentials(operation)

    written = "\n".join(operation.printed)
    assert "Logging error" not in written
    assert '"message":"run_ended"' in written
    assert "rotation_refused" in written
    assert '"message":"link_quarantined"' in written
    assert "UnexpectedRunError" in written
    metrics = json.dumps([(*key[:2], sorted(key[2])) for key in operation.recorder.values])
    sent = json.dumps(alerts.received_alerts())
    for mark in marks(operation):
        for place in (written, metrics, sent):
            assert mark.lower() not in place.lower()
