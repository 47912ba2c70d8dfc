"""The part of the wiring that speaks to both sides: connections, their check, their credentials.

Beside `wiring`, the only module that names concrete classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import cast

import boto3
import requests

from connector import telemetry
from connector.checks import Checked
from connector.credentials import (
    FixedSecret,
    PleziCredentials,
    SalesforceCredentials,
    Secret,
    Secrets,
)
from connector.engine.alerting import Situation, concerns, due, tell_once
from connector.engine.doors import Door
from connector.engine.world import World
from connector.errors import ConnectorError
from connector.ledger import DynamoLedger
from connector.model import Run, RunKind, RunState, Side
from connector.plezi import checking as plezi_checking
from connector.plezi.api import Pace, PleziApi
from connector.rotation import Rotation
from connector.salesforce import checking
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.salesforce.password import PasswordForecast
from connector.salesforce.session import Gate, Sessions
from connector.salesforce.trial import TrialGate, try_once
from connector.secrets_manager import SecretReader, SecretVersions, parsed
from connector.settings import ConnectionSettings, RotationSettings, WorkerSettings
from connector.transport import Wire


def salesforce_secret(settings: ConnectionSettings) -> SecretReader[SalesforceCredentials]:
    """Return the reader of the Salesforce secret."""
    client = boto3.client("secretsmanager")
    return SecretReader(client, settings.salesforce_secret, SalesforceCredentials, time.time)


def plezi_secret(settings: ConnectionSettings) -> SecretReader[PleziCredentials]:
    """Return the reader of the Plezi secret."""
    client = boto3.client("secretsmanager")
    return SecretReader(client, settings.plezi_secret, PleziCredentials, time.time)


def build_connection(
    settings: ConnectionSettings,
    gate: Gate,
    secrets: Secrets[SalesforceCredentials],
    wire: Wire | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Connection:
    """Return a connection to the org; `gate` is the ledger, or one of its own for a trial."""
    wire = wire or Wire(authority=settings.salesforce_ca_pem)
    sessions = Sessions(
        wire, secrets, gate, time.time, sleep, trusted_host=settings.salesforce_trusted_host
    )
    return Connection(wire, sessions, sleep, api_version=settings.salesforce_api_version)


def build_plezi_api(
    settings: ConnectionSettings,
    secrets: Secrets[PleziCredentials],
    wire: Wire | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> PleziApi:
    """Return the wire to the tenant."""
    pace = Pace(settings.plezi_calls_per_second, time.time, sleep)
    return PleziApi(wire or Wire(), secrets, settings.plezi_base_url, pace, sleep)


def check_sides(
    settings: ConnectionSettings,
    ledger: DynamoLedger,
    *,
    salesforce: Wire | None = None,
    plezi: Wire | None = None,
) -> Checked:
    """Check both sides; the wires may be given by a test."""
    secret = salesforce_secret(settings)
    connection = build_connection(settings, ledger, secret, salesforce)
    api = build_plezi_api(settings, plezi_secret(settings), plezi)
    checked = checking.check(connection, secret, time.time, settings.password_expires_days)
    return checked.found(plezi_checking.check(api, settings.plezi_dialect))


def tell_people(world: World, settings: WorkerSettings, run: Run) -> None:
    """Tell people once what a run brought to light; what could not be told is logged.

    Nothing here may change how the run ended: it is over.
    """
    if not concerns(run):
        return
    ledger = cast("DynamoLedger", world.ledger)  # as `build_world` made it
    untold = tell_once(due(_situation(world, settings, run)), world.alerts, ledger, time.time())
    for alert in untold:
        telemetry.logger().error("an alert could not be told", extra={"alert": alert.kind.value})


def _situation(world: World, settings: WorkerSettings, run: Run) -> Situation:
    ledger = cast("DynamoLedger", world.ledger)
    budget = cast("ApiBudget", world.budget)
    return Situation(
        now=time.time(),
        run=run,
        breaker=ledger.breaker(),
        quarantined=len(ledger.waiting("quarantine", settings.quarantine_alert_links)),
        quarantine_limit=settings.quarantine_alert_links,
        parked=ledger.parked(),
        org_calls=budget.org_share(),
        our_calls=budget.our_share(),
        password_days=_password_days(world, settings, run),
    )


def _password_days(world: World, settings: WorkerSettings, run: Run) -> float | None:
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
    entrance: Door,
    *,
    salesforce: Wire | None = None,
    plezi: Wire | None = None,
) -> Rotation:
    """Build the rotation of one secret; the wires may be given by a test."""

    def try_salesforce(version: str, text: str) -> None:
        name = settings.salesforce_secret
        held = FixedSecret(Secret(version, parsed(SalesforceCredentials, text, name)))
        try_once(build_connection(settings, TrialGate(), held, salesforce))

    def try_plezi(version: str, text: str) -> None:
        held = FixedSecret(Secret(version, parsed(PleziCredentials, text, settings.plezi_secret)))
        plezi_checking.minimal_read(build_plezi_api(settings, held, plezi), settings.plezi_dialect)

    trials = {
        SecretKind.SALESFORCE: (settings.salesforce_secret, try_salesforce),
        SecretKind.PLEZI: (settings.plezi_secret, try_plezi),
    }
    name, trial = trials[kind]
    return Rotation(
        SecretVersions(boto3.client("secretsmanager"), name),
        trial,
        DynamoLedger(boto3.client("dynamodb"), settings.ledger_table),
        lambda: entrance.request(RunKind.CHANGES),
        time.time,
    )
