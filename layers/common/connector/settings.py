"""Settings of each kind of function, read from its environment variables.

A setting has no default here: the template is the only place that holds defaults, and it hands
every setting to every function that reads it (tests/template checks both). Secrets are only named
here; their values come from Secrets Manager.

The settings are plain dataclasses and not pydantic models: functions that only accept requests must
start fast, and importing pydantic costs about half as much as importing boto3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar, get_type_hints

from connector.errors import HaltError, StopReason

OPTIONAL: Final = {"may_be_empty": True}
"""Metadata of a setting that the template may leave empty."""


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """The tables that hold the ledger, the journal and the versions of the mapping."""

    ledger_table: str
    journal_table: str
    mappings_table: str


@dataclass(frozen=True, kw_only=True)
class RunQueueSettings:
    """Where requested runs are stored and queued."""

    ledger_table: str
    runs_queue_url: str


@dataclass(frozen=True, kw_only=True)
class RunRequestSettings(RunQueueSettings):
    """Settings of a function that only requests runs."""


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """Settings of a function that calls Plezi and Salesforce.

    `salesforce_trusted_host` (host or host:port) and `salesforce_ca_pem` are for a simulated org.
    `plezi_dialect` is a JSON object ('': nothing differs from what is assumed).
    `password_expires_days` is the password policy of the integration user's profile (0: never),
    which Salesforce's API does not return.
    """

    ledger_table: str
    salesforce_secret: str
    salesforce_trusted_host: str = field(metadata=OPTIONAL)
    salesforce_ca_pem: str = field(metadata=OPTIONAL)
    salesforce_api_version: str
    plezi_secret: str
    plezi_base_url: str
    plezi_calls_per_second: float
    plezi_dialect: str = field(metadata=OPTIONAL)
    password_expires_days: int


@dataclass(frozen=True, kw_only=True)
class SyncSettings(TableSettings, ConnectionSettings):
    """Settings of a function that synchronizes.

    `worker_timeout_seconds` is when AWS stops a worker: an older intent belongs to a stopped one.
    `journal_days` is how long a journal entry is kept. `max_cleared` is how many people one run may
    clear fields of. `api_share` is the fraction of the org's API calls of 24 hours that runs may
    use.
    """

    worker_timeout_seconds: float
    journal_days: int
    max_cleared: int
    api_share: float
    assign_new_leads: bool


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(SyncSettings):
    """Settings of the function that works on runs.

    `worker_budget_seconds` is the time after which a run saves its position and continues in
    another invocation. `quarantine_alert_links` is the number of people in quarantine that raises
    an alert.
    """

    runs_queue_url: str
    worker_budget_seconds: float
    alerts_topic: str = field(metadata=OPTIONAL)
    quarantine_alert_links: int


@dataclass(frozen=True, kw_only=True)
class FormWorkerSettings(SyncSettings):
    """Settings of the function that synchronizes the contact of a submitted form."""

    forms_queue_url: str


@dataclass(frozen=True, kw_only=True)
class FormReceiverSettings:
    """Settings of the function that receives forms."""

    ledger_table: str
    forms_queue_url: str
    forms_secret: str


@dataclass(frozen=True, kw_only=True)
class AdminSettings(RunQueueSettings, TableSettings, ConnectionSettings):
    """Settings of the admin API. `alerts_topic` is the SNS topic whose subscriptions are listed."""

    alerts_topic: str = field(metadata=OPTIONAL)
    api_share: float


@dataclass(frozen=True, kw_only=True)
class RotationSettings(RunQueueSettings, ConnectionSettings):
    """Settings of the function that tests and promotes a new version of a secret."""


Settings = TypeVar(
    "Settings",
    RunRequestSettings,
    FormReceiverSettings,
    WorkerSettings,
    FormWorkerSettings,
    AdminSettings,
    RotationSettings,
)


def _boolean(text: str) -> bool:
    """Read what the template's parameters of this kind allow."""
    return {"true": True, "false": False}[text]


CONVERSIONS: Final[Mapping[type, Callable[[str], Any]]] = {
    str: str,
    int: int,
    float: float,
    bool: _boolean,
}


def variable_names(kind: type[Any]) -> tuple[str, ...]:
    """Return the environment variables that hold the settings of one kind of function."""
    return tuple(each.name.upper() for each in fields(kind))


def read_settings(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Read the settings of one kind of function from its environment variables.

    A variable has the name of the setting in capitals. Raises `HaltError` that names every variable
    that is missing, empty although it must not be, or not of its type.
    """
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for each in fields(kind):
        text = environ.get(each.name.upper())
        if text is None or not (text or each.metadata.get("may_be_empty")):
            wrong.append(each.name.upper())
            continue
        try:
            values[each.name] = CONVERSIONS[types[each.name]](text)
        except (KeyError, ValueError):
            wrong.append(each.name.upper())
    if wrong:
        raise HaltError(
            StopReason.SETTINGS, f"set these environment variables correctly: {', '.join(wrong)}"
        )
    return kind(**values)
