"""The part of the wiring that speaks to both sides: connections, their check, their credentials.

Beside `wiring`, the only module that names concrete classes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import StrEnum
from typing import cast

import boto3
import requests

from connector import telemetry
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.secrets import SecretReader, SecretVersions, parse_secret
from connector.connection_report import ConnectionReport
from connector.credentials.rotation import Rotation
from connector.errors import ConnectorError
from connector.http_session import HttpSession
from connector.model import AttentionKind, Run, RunKind, RunState, Side
from connector.plezi import connection_check as plezi_checking
from connector.plezi.api import PleziApi, RateLimiter
from connector.retry import RetryPolicy
from connector.salesforce import connection_check as checking
from connector.salesforce.auth.credential_test import IsolatedSessionState, test_credentials
from connector.salesforce.auth.password import PasswordForecast
from connector.salesforce.auth.session import SessionManager, SessionState
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.secrets import (
    FixedSecret,
    PleziCredentials,
    SalesforceCredentials,
    Secret,
    SecretProvider,
)
from connector.settings import ConnectionSettings, RotationSettings, WorkerSettings
from connector.sync.alert_rules import RunHealth, evaluate_alerts, is_evaluated, notify_new
from connector.sync.context import SyncContext
from connector.sync.run_requests import RunRequester


def retry_policy(sleep: Callable[[float], None] = time.sleep) -> RetryPolicy:
    """Return the retry policy of this process."""
    return RetryPolicy(sleep, random.random, time.monotonic)


def salesforce_secret(settings: ConnectionSettings) -> SecretReader[SalesforceCredentials]:
    """Return the reader of the Salesforce secret."""
    client = boto3.client("secretsmanager")
    return SecretReader(
        client, settings.salesforce_secret, SalesforceCredentials, time.time, retry_policy()
    )


def plezi_secret(settings: ConnectionSettings) -> SecretReader[PleziCredentials]:
    """Return the reader of the Plezi secret."""
    client = boto3.client("secretsmanager")
    return SecretReader(client, settings.plezi_secret, PleziCredentials, time.time, retry_policy())


def build_connection(
    settings: ConnectionSettings,
    gate: SessionState,
    secrets: SecretProvider[SalesforceCredentials],
    wire: HttpSession | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Connection:
    """Return a connection to the org; `gate` is the ledger, or one of its own for a trial."""
    wire = wire or HttpSession(authority=settings.salesforce_ca_pem)
    sessions = SessionManager(
        wire,
        secrets,
        gate,
        time.time,
        retry_policy(sleep),
        trusted_host=settings.salesforce_trusted_host,
    )
    return Connection(
        wire, sessions, retry_policy(sleep), api_version=settings.salesforce_api_version
    )


def build_plezi_api(
    settings: ConnectionSettings,
    secrets: SecretProvider[PleziCredentials],
    wire: HttpSession | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> PleziApi:
    """Return the wire to the tenant."""
    pace = RateLimiter(settings.plezi_calls_per_second, time.time, sleep)
    return PleziApi(wire or HttpSession(), secrets, settings.plezi_base_url, pace, retry_policy(sleep))


def check_sides(
    settings: ConnectionSettings,
    ledger: DynamoLedger,
    *,
    salesforce: HttpSession | None = None,
    plezi: HttpSession | None = None,
) -> ConnectionReport:
    """Check both sides; the wires may be given by a test."""
    secret = salesforce_secret(settings)
    connection = build_connection(settings, ledger, secret, salesforce)
    api = build_plezi_api(settings, plezi_secret(settings), plezi)
    checked = checking.check_org(connection, secret, time.time, settings.password_expires_days)
    return checked.with_findings(plezi_checking.check_tenant(api, settings.plezi_dialect))


def tell_people(world: SyncContext, settings: WorkerSettings, run: Run) -> None:
    """Tell people once what a run brought to light; what could not be told is logged.

    Nothing here may change how the run ended: it is over.
    """
    if not is_evaluated(run):
        return
    ledger = cast("DynamoLedger", world.ledger)  # as `build_world` made it
    untold = notify_new(
        evaluate_alerts(_situation(world, settings, run)), world.alerts, ledger, time.time()
    )
    for alert in untold:
        telemetry.logger().error("an alert could not be told", extra={"alert": alert.kind.value})


def _situation(world: SyncContext, settings: WorkerSettings, run: Run) -> RunHealth:
    ledger = cast("DynamoLedger", world.ledger)
    budget = cast("ApiBudget", world.budget)
    return RunHealth(
        now=time.time(),
        run=run,
        breaker=ledger.breaker(),
        quarantine_size=len(
            ledger.emails_needing_attention(
                AttentionKind.QUARANTINE, settings.quarantine_alert_links
            )
        ),
        quarantine_limit=settings.quarantine_alert_links,
        suspended=ledger.suspended_pairs(),
        org_calls=budget.org_share(),
        our_calls=budget.our_share(),
        password_days=_password_days(world, settings, run),
    )


def _password_days(world: SyncContext, settings: WorkerSettings, run: Run) -> float | None:
    """Ask for the forecast only after a run that went well: no login is tried for its sake."""
    if run.state is not RunState.DONE:
        return None
    client = cast("SalesforceClient", world.clients[Side.SALESFORCE])
    forecast = PasswordForecast(
        client.connection,
        salesforce_secret(settings),
        cast("DynamoLedger", world.ledger),
        time.time,
        settings.password_expires_days,
    )
    try:
        return forecast.days()
    except (ConnectorError, requests.RequestException) as error:
        telemetry.logger().warning(
            "the password's age is not known", extra={"error": type(error).__name__}
        )
        return None


class SecretKind(StrEnum):
    """The secrets that can be rotated."""

    SALESFORCE = "salesforce"
    PLEZI = "plezi"


def build_rotation(
    settings: RotationSettings,
    kind: SecretKind,
    entrance: RunRequester,
    *,
    salesforce: HttpSession | None = None,
    plezi: HttpSession | None = None,
) -> Rotation:
    """Build the rotation of one secret; the wires may be given by a test."""

    def try_salesforce(version: str, text: str) -> None:
        name = settings.salesforce_secret
        held = FixedSecret(Secret(version, parse_secret(SalesforceCredentials, text, name)))
        test_credentials(build_connection(settings, IsolatedSessionState(), held, salesforce))

    def try_plezi(version: str, text: str) -> None:
        held = FixedSecret(
            Secret(version, parse_secret(PleziCredentials, text, settings.plezi_secret))
        )
        plezi_checking.minimal_read(build_plezi_api(settings, held, plezi), settings.plezi_dialect)

    trials = {
        SecretKind.SALESFORCE: (settings.salesforce_secret, try_salesforce),
        SecretKind.PLEZI: (settings.plezi_secret, try_plezi),
    }
    name, trial = trials[kind]
    return Rotation(
        SecretVersions(boto3.client("secretsmanager"), name, retry_policy()),
        trial,
        DynamoLedger(boto3.client("dynamodb"), settings.ledger_table, retry_policy()),
        lambda: entrance.request_run(RunKind.CHANGES),
        time.time,
    )
