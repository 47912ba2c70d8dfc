"""What the environment says, read once, by one function, for each kind of function.

A missing or unusable variable fails at start with its name. Secrets are only named here: their
values come from Secrets Manager at first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import HaltError, StopReason


class UpdateMethod(StrEnum):
    """How an existing Plezi contact is written (assumed: put)."""

    PUT = "put"
    PATCH = "patch"
    POST_UPSERT = "post_upsert"


class Pager(StrEnum):
    """How Plezi lists are paged (assumed: page)."""

    PAGE = "page"
    LIMIT_OFFSET = "limit_offset"


class ChangedSince(StrEnum):
    """How Plezi is asked for what changed since an instant (assumed: filter)."""

    FILTER = "filter"
    UPDATED_SINCE = "updated_since"
    NONE = "none"


class PleziDialect(BaseModel):
    """Everything about the Plezi API that no public source proves; each line is one assumption.

    A probe of the real tenant changes this setting, never the code. `attributes` maps our names to
    the tenant's (`{"function": "job_title"}`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    update_method: UpdateMethod = UpdateMethod.PUT
    pager: Pager = Pager.PAGE
    changed_since: ChangedSince = ChangedSince.FILTER
    page_size: int = Field(default=100, ge=1, le=1000)
    finds_by_email: bool = True
    describes_attributes: bool = True
    contact_url_template: str = "https://app.plezi.co/contacts/{id}"
    attributes: Mapping[str, str] = Field(default_factory=dict)


class RunRequestSettings(BaseModel):
    """What a door needs: where requests are written down."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ledger_table: str
    runs_queue_url: str


class TableSettings(BaseModel):
    """What a function that only reads the ledger needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ledger_table: str
    journal_table: str
    mappings_table: str


class ConnectionSettings(BaseModel):
    """What a function needs to speak to both sides.

    `password_expires_days` is the password policy of the integration user's profile (Salesforce's
    default is 90; 0: never), which the API does not tell (reference: salesforce 1.4).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    ledger_table: str
    salesforce_secret: str
    salesforce_trusted_host: str = ""
    salesforce_ca_pem: str = ""
    salesforce_api_version: str = "64.0"
    plezi_secret: str
    plezi_base_url: str = "https://app.plezi.co/api/v1"
    plezi_calls_per_second: float = Field(default=2.0, ge=0)
    plezi_dialect: PleziDialect = PleziDialect()
    password_expires_days: int = Field(default=90, ge=0)


class AdminSettings(RunRequestSettings, TableSettings, ConnectionSettings):
    """What an administrator's function needs; `alerts_topic` tells who is alerted ('': nobody)."""

    alerts_topic: str = ""
    api_share: float = Field(default=0.2, gt=0, le=1)


class RotationSettings(RunRequestSettings, ConnectionSettings):
    """What the rotation of a secret needs: both sides for the trial, a door for the catch-up."""


class WorkerSettings(RunRequestSettings, TableSettings, ConnectionSettings):
    """What the engine needs.

    `quarantine_alert_links`: so many refused people are an alert. One is somebody's typing and
    waits in the list; ten are mostly one rule or field of the org, which goes on until it is seen.
    """

    worker_timeout_seconds: float = Field(default=300, gt=0)
    worker_budget_seconds: float = Field(default=240, gt=0)
    journal_days: int = Field(default=365, ge=1)
    alerts_topic: str = ""
    max_cleared: int = Field(default=100, ge=0)
    api_share: float = Field(default=0.2, gt=0, le=1)
    assign_new_leads: bool = True
    quarantine_alert_links: int = Field(default=10, ge=1)


class FormReceiverSettings(BaseModel):
    """What the form door needs: who may knock, and where hints are written down."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ledger_table: str
    forms_queue_url: str
    forms_secret: str


class FormWorkerSettings(WorkerSettings):
    """What the engine needs to hear forms: it asks for no runs."""

    runs_queue_url: str = ""
    forms_queue_url: str


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def read_settings(kind: type[AnySettings], environ: Mapping[str, str]) -> AnySettings:
    """Read the settings of one kind of function from its environment variables.

    Names are the fields' in capitals; an empty variable means its default. Raises `HaltError`
    naming every variable that is missing or unusable.
    """
    given: dict[str, object] = {
        name: environ[name.upper()] for name in kind.model_fields if environ.get(name.upper())
    }
    if isinstance(text := given.get("plezi_dialect"), str):
        given["plezi_dialect"] = PleziDialect.model_validate_json(text)
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        wrong = ", ".join(str(problem["loc"][0]).upper() for problem in error.errors())
        raise HaltError(
            StopReason.SETTINGS, f"set these environment variables properly: {wrong}"
        ) from error
