"""Settings of the functions that call Plezi and Salesforce.

They are apart from `settings`, because a function that only accepts requests must start fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.settings import OPTIONAL, RunQueueSettings


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """The tables that hold the ledger, the journal and the versions of the mapping.

    `tombstones_secret` is the secret with the key of the hashes of people who were erased.
    """

    ledger_table: str
    journal_table: str
    mappings_table: str
    tombstones_secret: str


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
class GuardSettings:
    """Which fields of Salesforce are never read (`salesforce/field_guard.py`).

    `protected_fields` are names, separated by commas or blanks, in which `*` stands for any
    characters.
    """

    protected_fields: str = field(metadata=OPTIONAL)
    allow_encrypted_fields: bool


@dataclass(frozen=True, kw_only=True)
class SyncSettings(TableSettings, GuardSettings, ConnectionSettings):
    """Settings of a function that synchronizes.

    `worker_timeout_seconds` is when AWS stops a worker: an older intent belongs to a stopped one.
    `journal_days` is how long a journal entry is kept. `max_cleared` and `max_overwritten` are how
    many records one run may change in one field, `max_changed_share` the fraction of all people
    that it may change if that is more. `max_stage_errors`, `max_stage_duplicates` and
    `max_stage_overwritten` are fractions of the people of a stage of the first synchronization.
    `max_records_per_email` is how many records of one e-mail take part. `api_share` is the fraction
    of the org's API calls of 24 hours that runs may use.
    """

    worker_timeout_seconds: float
    journal_days: int
    max_cleared: int
    max_overwritten: int
    max_changed_share: float
    max_stage_errors: float
    max_stage_duplicates: float
    max_stage_overwritten: float
    max_records_per_email: int
    api_share: float
    assign_new_leads: bool


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(SyncSettings):
    """Settings of the function that works on runs.

    `worker_budget_seconds` is the time after which a run saves its position and continues in
    another invocation. `quarantine_alert_links` is the number of people in quarantine that raises
    an alert, `drift_alert_rate` the fraction of the compared fields of a verification above which
    one is sent.
    """

    runs_queue_url: str
    worker_budget_seconds: float
    alerts_topic: str = field(metadata=OPTIONAL)
    quarantine_alert_links: int
    drift_alert_rate: float


@dataclass(frozen=True, kw_only=True)
class FormWorkerSettings(SyncSettings):
    """Settings of the function that synchronizes the contact of a submitted form."""

    forms_queue_url: str


@dataclass(frozen=True, kw_only=True)
class AdministrationSettings(RunQueueSettings, TableSettings, GuardSettings, ConnectionSettings):
    """Settings of the use cases of administration.

    `alerts_topic` is the SNS topic whose subscriptions are listed. `worker_timeout_seconds` is when
    AWS stops a worker: an older write belongs to a stopped one. `log_retention_days` is how long
    the logs are kept: an erasure reports it.
    """

    alerts_topic: str = field(metadata=OPTIONAL)
    api_share: float
    worker_timeout_seconds: float
    log_retention_days: int


@dataclass(frozen=True, kw_only=True)
class AdminSettings(AdministrationSettings):
    """Settings of the admin API."""


@dataclass(frozen=True, kw_only=True)
class RotationSettings(RunQueueSettings, ConnectionSettings):
    """Settings of the function that tests and promotes a new version of a secret."""


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings(AdministrationSettings):
    """Settings of the console: those of the admin API, its addresses, and what it shows.

    `console_url` is its address, without a slash at the end. `console_secret` has the key of its
    cookies. `sign_in_url` has the pages of the user pool, `sign_in_issuer` and `sign_in_keys_url`
    are the issuer and the keys of its tokens. The last ones are only shown: the other functions
    apply them.
    """

    console_url: str
    console_secret: str
    sign_in_url: str
    sign_in_issuer: str
    sign_in_keys_url: str
    sign_in_client_id: str
    schedule_expression: str
    max_cleared: int
    max_overwritten: int
    max_changed_share: float
    max_records_per_email: int
    quarantine_alert_links: int
    drift_alert_rate: float
    journal_days: int
