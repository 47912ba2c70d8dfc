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
from connector.admin.context import AdminContext
from connector.aws.dynamodb.idempotency import DynamoIdempotency
from connector.aws.dynamodb.journal import DynamoJournal
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.aws.dynamodb.mappings import DynamoMappings
from connector.aws.forms_queue import FormsQueue, HintDelivery
from connector.aws.runs_queue import RunsQueue
from connector.aws.secrets import SecretReader
from connector.aws.sns import SnsAlertPublisher
from connector.connecting import (
    SecretKind,
    build_connection,
    build_plezi_api,
    build_rotation,
    check_sides,
    plezi_secret,
    retry_policy,
    salesforce_secret,
    tell_people,
)
from connector.connection_report import ConnectionReport
from connector.credentials.rotation import Rotation
from connector.errors import HaltError, StopReason
from connector.forms.consumer import FormConsumer
from connector.forms.receiver import FormReceiver
from connector.furnishing import build_office
from connector.http_session import HttpSession
from connector.mapping.document import parse_draft
from connector.model import Phase, Run, RunKind, RunState, Side
from connector.plezi.client import PleziClient
from connector.salesforce.budget import ApiBudget
from connector.salesforce.client import SalesforceClient
from connector.secrets import FormsCredentials
from connector.settings import (
    AdminSettings,
    ConnectionSettings,
    FormReceiverSettings,
    FormWorkerSettings,
    RotationSettings,
    RunRequestSettings,
    WorkerSettings,
    read_settings,
)
from connector.sync.context import SyncContext
from connector.sync.run_requests import RunRequester
from connector.sync.runs import FINAL_STATES, SyncEngine

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
def door() -> RunRequester:
    """Return the door through which runs are requested."""
    settings = read_settings(RunRequestSettings, os.environ)
    return RunRequester(
        DynamoLedger(boto3.client("dynamodb"), settings.ledger_table, retry_policy()),
        RunsQueue(boto3.client("sqs"), settings.runs_queue_url, new_id, retry_policy()),
        time.time,
        new_id,
        parse_draft,
    )


@lru_cache(maxsize=1)
def form_door() -> FormReceiver:
    """Return the door through which forms come."""
    settings = read_settings(FormReceiverSettings, os.environ)
    return FormReceiver(
        SecretReader(
            boto3.client("secretsmanager"),
            settings.forms_secret,
            FormsCredentials,
            time.time,
            retry_policy(),
        ),
        DynamoIdempotency(boto3.client("dynamodb"), settings.ledger_table, retry_policy()),
        FormsQueue(boto3.client("sqs"), settings.forms_queue_url, retry_policy()),
        time.time,
        new_id,
    )


@lru_cache(maxsize=1)
def office() -> AdminContext:
    """Return what an administrator looks into."""
    return build_office(read_settings(AdminSettings, os.environ), new_id)


@lru_cache(maxsize=1)
def worker() -> tuple[SyncContext, WorkerSettings]:
    """Return the engine's world, and its settings."""
    settings = read_settings(WorkerSettings, os.environ)
    return build_world(settings), settings


def work(run_id: str, part: Phase, remaining_millis: Callable[[], int]) -> None:
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
        state = SyncEngine(world).run_phase(run_id, part, out_of_time)
    except Exception as error:  # noqa: BLE001  # nothing foreseen comes here
        raise BrokenRunError(telemetry.place_of(error)) from None
    run = world.ledger.load_run(run_id)
    log.info(
        "part of a run ended",
        extra={"state": state.value, "reason": run.reason if run and run.reason else ""},
    )
    if run is not None and state in FINAL_STATES:
        telemetry.publish(_numbers(run))
        tell_people(world, settings, run)


@lru_cache(maxsize=1)
def form_lane() -> FormConsumer:
    """Return the lane in which forms are heard."""
    settings = read_settings(FormWorkerSettings, os.environ)
    inbox = FormsQueue(boto3.client("sqs"), settings.forms_queue_url, retry_policy())
    engine = SyncEngine(build_world(settings))
    return FormConsumer(engine.sync_contact, inbox, settings.worker_timeout_seconds)


def hear(delivery: HintDelivery, remaining_millis: Callable[[], int]) -> bool:
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
    with log.append_context_keys(trace_id=hint.trace_id):
        if remaining_millis() < HEARING_MILLIS:
            log.warning("no time is left for a hint")
            return False
        try:
            heard, back_in = form_lane().handle(hint, delivery.busy_retries)
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
    salesforce: HttpSession | None = None,
    plezi: HttpSession | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> SyncContext:
    """Build the engine's world from settings; a test may give wires, a clock and a way to wait."""
    dynamodb = boto3.client("dynamodb")
    retry = retry_policy(sleep)
    ledger = DynamoLedger(dynamodb, settings.ledger_table, retry)
    configuration = DynamoMappings(dynamodb, settings.mappings_table, retry)
    connection = build_connection(settings, ledger, salesforce_secret(settings), salesforce, sleep)
    api = build_plezi_api(settings, plezi_secret(settings), plezi, sleep)

    return SyncContext(
        ledger=ledger,
        journal=DynamoJournal(dynamodb, settings.journal_table, settings.journal_days, retry),
        mappings=configuration,
        run_queue=RunsQueue(boto3.client("sqs"), settings.runs_queue_url, new_id, retry),
        alerts=SnsAlertPublisher(boto3.client("sns"), settings.alerts_topic, retry),
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
        max_cleared=settings.max_cleared,
    )


# Credentials.


def check_connection() -> ConnectionReport:
    """Check both sides for a function that has `ConnectionSettings`; `ConnectionReport` says what is found.

    Nothing is raised for a side that cannot be used. A version of the secret that was refused
    before is not tried again: the breaker's causes are told instead.
    """
    settings = read_settings(ConnectionSettings, os.environ)
    ledger = DynamoLedger(boto3.client("dynamodb"), settings.ledger_table, retry_policy())
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
        raise HaltError(
            StopReason.ROTATION, "this function rotates the Salesforce and the Plezi secret"
        )
    return build_rotation(settings, kinds[secret_id], door())
