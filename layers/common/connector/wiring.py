"""The only module that names concrete classes: builds what each function needs, at first use."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import boto3

from connector import telemetry
from connector.administration.office import Office
from connector.alerts import SnsAlerts
from connector.checks import Checked
from connector.configuration import DynamoConfiguration, mapping_of_draft
from connector.connecting import (
    SecretKind,
    build_connection,
    build_plezi_api,
    build_rotation,
    check_sides,
    plezi_secret,
    salesforce_secret,
    tell_people,
)
from connector.credentials import FormsCredentials
from connector.engine.doors import Door
from connector.engine.runs import FINAL_STATES, Engine
from connector.engine.world import World
from connector.errors import HaltError
from connector.furnishing import build_office
from connector.inbox import Delivery, FormDoor, FormLane, FormsInbox, RunsInbox
from connector.journal import DynamoJournal
from connector.ledger import DynamoGuards, DynamoLedger
from connector.model import Part, Run, RunKind, RunState, Side
from connector.plezi.client import PleziClient
from connector.rotation import Rotation
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.secrets_manager import SecretReader
from connector.settings import (
    AdminSettings,
    ConnectionSettings,
    DoorSettings,
    FormDoorSettings,
    FormWorkerSettings,
    RotationSettings,
    WorkerSettings,
    read_settings,
)
from connector.transport import Wire

RESERVE_MILLIS: Final = 10_000
"""What saving the place and sending the continuation may take, calls under way included."""
HEARING_MILLIS: Final = 30_000
"""A hint is not begun with less: one silent answer takes 25 s to be given up (transport)."""


def new_id() -> str:
    """Return an id that sorts by time: runs are listed in the order of their requests."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


class BrokenRunError(Exception):
    """A run met an error that nobody foresaw; its text is the kind and the place, and no value."""


@lru_cache(maxsize=1)
def door() -> Door:
    """Return the door through which runs are requested."""
    settings = read_settings(DoorSettings, os.environ)
    return Door(
        DynamoLedger(boto3.client("dynamodb"), settings.ledger_table),
        RunsInbox(boto3.client("sqs"), settings.runs_queue_url, new_id),
        time.time,
        new_id,
        mapping_of_draft,
    )


@lru_cache(maxsize=1)
def form_door() -> FormDoor:
    """Return the door through which forms come."""
    settings = read_settings(FormDoorSettings, os.environ)
    return FormDoor(
        SecretReader(
            boto3.client("secretsmanager"), settings.forms_secret, FormsCredentials, time.time
        ),
        DynamoGuards(boto3.client("dynamodb"), settings.ledger_table),
        FormsInbox(boto3.client("sqs"), settings.forms_queue_url),
        time.time,
        new_id,
    )


@lru_cache(maxsize=1)
def office() -> Office:
    """Return what an administrator looks into."""
    return build_office(read_settings(AdminSettings, os.environ), new_id)


@lru_cache(maxsize=1)
def worker() -> tuple[World, WorkerSettings]:
    """Return the engine's world, and its settings."""
    settings = read_settings(WorkerSettings, os.environ)
    return build_world(settings), settings


def work(run_id: str, part: Part, remaining_millis: Callable[[], int]) -> None:
    """Work on one part of a run.

    Stops when the budget is spent, or when what AWS leaves is only enough to save the place. An
    error that nobody foresaw is raised again by its kind and place alone, for Lambda logs what is
    raised: the queue hands the request over again.
    """
    world, settings = worker()
    begun = time.monotonic()

    def out_of_time() -> bool:
        spent = time.monotonic() - begun
        return spent >= settings.worker_budget_seconds or remaining_millis() < RESERVE_MILLIS

    log = telemetry.logger()
    log.append_keys(run_id=run_id, part=part.value)
    try:
        state = Engine(world).work(run_id, part, out_of_time)
    except Exception as error:  # noqa: BLE001  # nothing foreseen comes here
        raise BrokenRunError(telemetry.place_of(error)) from None
    run = world.ledger.run(run_id)
    log.info(
        "part of a run ended", extra={"state": state.value, "reason": run.reason if run else ""}
    )
    if run is not None and state in FINAL_STATES:
        telemetry.publish(_numbers(run))
        tell_people(world, settings, run)


@lru_cache(maxsize=1)
def form_lane() -> FormLane:
    """Return the lane in which forms are heard."""
    settings = read_settings(FormWorkerSettings, os.environ)
    inbox = FormsInbox(boto3.client("sqs"), settings.forms_queue_url)
    engine = Engine(build_world(settings))
    return FormLane(engine.hear, inbox, settings.worker_timeout_seconds)


def hear(delivery: Delivery, remaining_millis: Callable[[], int]) -> bool:
    """Hear what the forms queue delivered; False when the queue must deliver it again.

    Whatever breaks down is this hint's alone: the others of its batch are heard, and after five
    deliveries it becomes a dead letter. Only the kind and the place of an error are logged, for the
    libraries below may quote an address in its text.
    """
    log = telemetry.logger()
    hint = delivery.hint
    if hint is None:
        log.error("a message of the forms queue cannot be read")
        return False
    with log.append_context_keys(trace_id=hint.trace):
        if remaining_millis() < HEARING_MILLIS:
            log.warning("no time is left for a hint")
            return False
        try:
            heard, back_in = form_lane().serve(hint, delivery.waits)
        except Exception as error:  # noqa: BLE001  # see above
            log.error("a hint broke down", extra=telemetry.place_of(error))  # noqa: TRY400
            return False
        log.info("a hint was heard", extra={"heard": heard.value, "back_in_seconds": back_in})
    return True


def _numbers(run: Run) -> dict[telemetry.Metric, float]:
    """Return what a finished run publishes as metrics."""

    def total(*what: str) -> float:
        return sum(side.get(each, 0) for side in run.counts.values() for each in what)

    return {
        # A dry run synchronises nobody: it must not hush the alarm that misses runs.
        telemetry.Metric.RUNS_DONE: float(
            run.state is RunState.DONE and run.kind is not RunKind.DRY_RUN
        ),
        telemetry.Metric.RUNS_HALTED: float(run.state in (RunState.HALTED, RunState.FAILED)),
        telemetry.Metric.RECORDS_SEEN: total("seen"),
        telemetry.Metric.RECORDS_WRITTEN: total("created", "updated"),
        telemetry.Metric.LINKS_QUARANTINED: total("quarantined"),
        telemetry.Metric.FIELDS_HELD: total("held"),
        telemetry.Metric.API_CALLS: total("calls"),
    }


def build_world(
    settings: WorkerSettings,
    *,
    salesforce: Wire | None = None,
    plezi: Wire | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> World:
    """Build the engine's world from settings; a test may give wires, a clock and a way to wait."""
    dynamodb = boto3.client("dynamodb")
    ledger = DynamoLedger(dynamodb, settings.ledger_table)
    configuration = DynamoConfiguration(dynamodb, settings.mappings_table)
    connection = build_connection(settings, ledger, salesforce_secret(settings), salesforce, sleep)
    api = build_plezi_api(settings, plezi_secret(settings), plezi, sleep)

    return World(
        ledger=ledger,
        journal=DynamoJournal(dynamodb, settings.journal_table, settings.journal_days),
        configuration=configuration,
        inbox=RunsInbox(boto3.client("sqs"), settings.runs_queue_url, new_id),
        alerts=SnsAlerts(boto3.client("sns"), settings.alerts_topic),
        budget=ApiBudget(connection, ledger, clock, settings.api_share),
        clients={
            Side.PLEZI: PleziClient(api, ledger, settings.plezi_dialect, clock),
            Side.SALESFORCE: SalesforceClient(
                connection,
                ledger,
                clock,
                assign_new_leads=settings.assign_new_leads,
            ),
        },
        clock=clock,
        new_id=new_id,
        worker_timeout=settings.worker_timeout_seconds,
        most_emptied=settings.most_emptied,
    )


# Credentials.


def check_connection() -> Checked:
    """Check both sides for a function that has `ConnectionSettings`; `Checked` says what is found.

    Nothing is raised for a side that cannot be used. A version of the secret that was refused
    before is not tried again: the breaker's causes are told instead.
    """
    settings = read_settings(ConnectionSettings, os.environ)
    ledger = DynamoLedger(boto3.client("dynamodb"), settings.ledger_table)
    return check_sides(settings, ledger)


def rotation(kind: SecretKind) -> Rotation:
    """Return the rotation of one secret."""
    settings = read_settings(RotationSettings, os.environ)
    return build_rotation(settings, kind, door())


def rotation_of(secret_id: str) -> Rotation:
    """Return the rotation of a secret that is named by its ARN; `HaltError` for any other."""
    settings = read_settings(RotationSettings, os.environ)
    kinds = {
        settings.salesforce_secret: SecretKind.SALESFORCE,
        settings.plezi_secret: SecretKind.PLEZI,
    }
    if secret_id not in kinds:
        raise HaltError("rotation", "this function rotates the Salesforce and the Plezi secret")
    return build_rotation(settings, kinds[secret_id], door())
