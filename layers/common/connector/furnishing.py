"""The part of the wiring that furnishes the administrator's office.

Beside `wiring` and `connecting`, the only module that names concrete classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import boto3

from connector.admin.context import AdminContext, Recipient, Sides
from connector.aws.alert_recipients import SnsRecipients
from connector.aws.dynamodb.audit import DynamoAudit
from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.mappings import DynamoMappings
from connector.aws.runs_queue import RunsQueue
from connector.connecting import (
    build_connection,
    build_plezi_api,
    check_sides,
    plezi_secret,
    retry_policy,
    salesforce_secret,
)
from connector.http_session import HttpSession
from connector.plezi.client import PleziClient
from connector.salesforce.auth.password import DOCUMENT, days_left
from connector.salesforce.client import SalesforceClient
from connector.salesforce.setup.org_setup import OrgSetup
from connector.settings import AdminSettings
from connector.sync.run_requests import RunRequester


def build_office(
    settings: AdminSettings,
    new_id: Callable[[], str],
    *,
    salesforce: HttpSession | None = None,
    plezi: HttpSession | None = None,
) -> AdminContext:
    """Build an administrator's office from settings; the wires may be given by a test.

    The connections live as long as the office. What the sides describe is asked anew for each
    request, from the ledger or from the side, for an administrator looks for what is new.
    """
    dynamodb = boto3.client("dynamodb")
    ledger = DynamoLedger(dynamodb, settings.ledger_table, retry_policy())
    connection = build_connection(settings, ledger, salesforce_secret(settings), salesforce)
    api = build_plezi_api(settings, plezi_secret(settings), plezi)
    subscriptions = SnsRecipients(boto3.client("sns"), settings.alerts_topic, retry_policy())
    inbox = RunsQueue(boto3.client("sqs"), settings.runs_queue_url, new_id, retry_policy())

    def sides() -> Sides:
        return Sides(
            (
                PleziClient(api, ledger, settings.plezi_dialect, time.time),
                SalesforceClient(connection, ledger, time.time, assign_new_leads=False),
            ),
            OrgSetup(connection),
        )

    return AdminContext(
        ledger=ledger,
        journal=DynamoJournal(dynamodb, settings.journal_table, days=1, retry=retry_policy()),
        audit=DynamoAudit(dynamodb, settings.journal_table, retry_policy()),
        mappings=DynamoMappings(dynamodb, settings.mappings_table, retry_policy()),
        run_requester=RunRequester(ledger, inbox, time.time, new_id),
        sides=sides,
        check=lambda: check_sides(settings, ledger, salesforce=salesforce, plezi=plezi),
        recipients=lambda: tuple(Recipient(*told) for told in subscriptions.list()),
        clock=time.time,
        new_id=new_id,
        password_days=lambda: _password_days(settings, ledger),
        api_share=settings.api_share,
    )


def _password_days(settings: AdminSettings, ledger: DynamoLedger) -> int | None:
    """The days that the password is good for, as runs have asked it; nobody is asked for this."""
    kept = ledger.load_document(DOCUMENT) or {}
    if kept.get("changed_at") is None or not settings.password_expires_days:
        return None
    return math.floor(days_left(kept["changed_at"], settings.password_expires_days, time.time()))
