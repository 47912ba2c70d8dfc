"""The only module that names concrete classes: builds what each function needs, at first use."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import boto3

from connector.configuration import DynamoConfiguration
from connector.credentials import PleziCredentials, SalesforceCredentials, SecretReader
from connector.engine.doors import Door
from connector.engine.runs import Engine
from connector.engine.world import World
from connector.inbox import RunsInbox
from connector.journal import DynamoJournal
from connector.ledger import DynamoLedger
from connector.mapping import Filter
from connector.model import Kind, Side
from connector.plezi.api import Pace, PleziApi
from connector.plezi.client import PleziClient
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.settings import DoorSettings, ReadingSettings, WorkerSettings, read_settings
from connector.transport import Wire


def new_id() -> str:
    """Return an id that sorts by time: runs are listed in the order of their requests."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


@lru_cache(maxsize=1)
def door() -> Door:
    """Return the door through which runs are requested."""
    settings = read_settings(DoorSettings, os.environ)
    return Door(
        DynamoLedger(boto3.client("dynamodb"), settings.ledger_table),
        RunsInbox(boto3.client("sqs"), settings.runs_queue_url, new_id),
        time.time,
        new_id,
    )


@lru_cache(maxsize=1)
def office() -> tuple[DynamoLedger, DynamoJournal, DynamoConfiguration]:
    """Return what an administrator looks into."""
    settings = read_settings(ReadingSettings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return (
        DynamoLedger(dynamodb, settings.ledger_table),
        DynamoJournal(dynamodb, settings.journal_table, days=1),
        DynamoConfiguration(dynamodb, settings.mappings_table),
    )


@lru_cache(maxsize=1)
def worker() -> tuple[Engine, WorkerSettings]:
    """Return the engine, and its settings."""
    settings = read_settings(WorkerSettings, os.environ)
    return Engine(build_world(settings)), settings


def build_world(
    settings: WorkerSettings, *, salesforce: Wire | None = None, plezi: Wire | None = None
) -> World:
    """Build the engine's world from settings; the wires may be given by a test."""
    dynamodb = boto3.client("dynamodb")
    secrets_manager = boto3.client("secretsmanager")
    ledger = DynamoLedger(dynamodb, settings.ledger_table)
    configuration = DynamoConfiguration(dynamodb, settings.mappings_table)
    connection = Connection(
        salesforce or Wire(authority=settings.salesforce_ca_pem),
        SecretReader(secrets_manager, settings.salesforce_secret, SalesforceCredentials, time.time),
        ledger,
        time.time,
        time.sleep,
        api_version=settings.salesforce_api_version,
        trusted_host=settings.salesforce_trusted_host,
    )
    api = PleziApi(
        plezi or Wire(),
        SecretReader(secrets_manager, settings.plezi_secret, PleziCredentials, time.time),
        settings.plezi_base_url,
        Pace(settings.plezi_calls_per_second, time.time, time.sleep),
        time.sleep,
    )

    def filters() -> Mapping[Kind, Filter | None]:
        mapping = configuration.current()
        return {Kind.LEAD: mapping.lead_filter, Kind.CONTACT: mapping.contact_filter}

    return World(
        ledger=ledger,
        journal=DynamoJournal(dynamodb, settings.journal_table, settings.journal_days),
        configuration=configuration,
        inbox=RunsInbox(boto3.client("sqs"), settings.runs_queue_url, new_id),
        clients={
            Side.PLEZI: PleziClient(api, ledger, settings.plezi_dialect, time.time),
            Side.SALESFORCE: SalesforceClient(
                connection,
                ledger,
                time.time,
                filters,
                assign_new_leads=settings.assign_new_leads,
            ),
        },
        clock=time.time,
        new_id=new_id,
        worker_timeout=settings.worker_timeout_seconds,
    )
