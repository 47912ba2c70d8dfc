"""Both systems: their connections and their clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from connector.connection_settings import ConnectionSettings, GuardSettings
from connector.model import Side
from connector.plezi.api import PleziApi
from connector.plezi.api_dialect import PleziDialect, parse_dialect
from connector.plezi.client import PleziClient
from connector.plezi.dialect_in_use import dialect_in_use
from connector.plezi.rate_limiter import RateLimiter
from connector.salesforce.auth.session import SessionManager, SessionState
from connector.salesforce.client import SalesforceClient
from connector.salesforce.connection import Connection
from connector.salesforce.field_guard import FieldGuard, parse_field_guard
from connector.secret_version import SecretProvider
from connector.secrets import PleziCredentials, SalesforceCredentials
from connector.stores import DocumentStore

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


SALESFORCE_SECONDS: Final = 120.0
"""For how long a call to Salesforce waits: Salesforce ends a query after 120 s (Salesforce
Developer Limits and Allocations Quick Reference, "API Query Cursor Limits" and SOQL)."""


DialectLoader = Callable[[DocumentStore, str, str], PleziDialect]
"""Returns the dialect of a tenant: by its name, and by the text of the stack's parameter."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The credentials of both systems."""

    salesforce: SecretProvider[SalesforceCredentials]
    plezi: SecretProvider[PleziCredentials]


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections to both systems, and how the tenant's API differs from what is assumed.

    `setting` is the dialect of the stack's parameter; `load_dialect` returns the one that is valid
    now, in which the parameter overrides what a probe found.
    """

    salesforce: Connection
    plezi: PleziApi
    setting: PleziDialect
    load_dialect: Callable[[], PleziDialect]
    secrets: Secrets


def read_secrets(settings: ConnectionSettings, runtime: Runtime) -> Secrets:
    """Return the readers of both secrets."""
    return Secrets(
        runtime.aws.secret(settings.salesforce_secret, SalesforceCredentials),
        runtime.aws.secret(settings.plezi_secret, PleziCredentials),
    )


def build_salesforce_connection(
    settings: ConnectionSettings,
    runtime: Runtime,
    secrets: SecretProvider[SalesforceCredentials],
    state: SessionState,
) -> Connection:
    """Build a connection to the org; `state` holds its session and its breaker."""
    http = runtime.http(Side.SALESFORCE, authority=settings.salesforce_ca_pem)
    http.limit_time(runtime.deadline, SALESFORCE_SECONDS)
    retry = runtime.retry_policy()
    sessions = SessionManager(
        http,
        secrets,
        state,
        runtime.clock,
        retry,
        runtime.log,
        trusted_host=settings.salesforce_trusted_host,
    )
    return Connection(http, sessions, retry, api_version=settings.salesforce_api_version)


def build_plezi_api(
    settings: ConnectionSettings, runtime: Runtime, secrets: SecretProvider[PleziCredentials]
) -> PleziApi:
    """Build the connection to the tenant; all functions share its rate, by the ledger."""
    limiter = RateLimiter(
        settings.plezi_calls_per_second,
        runtime.aws.ledger(settings.ledger_table),
        runtime.clock,
        runtime.sleep,
        runtime.deadline,
    )
    http = runtime.http(Side.PLEZI)
    http.limit_time(runtime.deadline)
    return PleziApi(
        http,
        secrets,
        settings.plezi_base_url,
        limiter,
        runtime.retry_policy(),
    )


def connect(
    settings: ConnectionSettings,
    runtime: Runtime,
    state: SessionState,
    dialect_of: DialectLoader = dialect_in_use,
) -> Connections:
    """Build the connections to both systems; `dialect_of` decides which tenants are refused."""
    secrets = read_secrets(settings, runtime)
    api = build_plezi_api(settings, runtime, secrets.plezi)
    documents = runtime.aws.ledger(settings.ledger_table)
    return Connections(
        build_salesforce_connection(settings, runtime, secrets.salesforce, state),
        api,
        parse_dialect(settings.plezi_dialect),
        lambda: dialect_of(documents, api.tenant, settings.plezi_dialect),
        secrets,
    )


def read_guard(settings: GuardSettings) -> FieldGuard:
    """Return the field guard of the stack."""
    return parse_field_guard(
        settings.protected_fields, allows_encrypted=settings.allow_encrypted_fields
    )


def build_clients(
    connections: Connections,
    runtime: Runtime,
    documents: DocumentStore,
    *,
    assign_new_leads: bool,
    guard: FieldGuard,
) -> dict[Side, PleziClient | SalesforceClient]:
    """Build the clients of both systems.

    `documents` holds their descriptions, `guard` decides which fields are never read.
    """
    return {
        Side.PLEZI: PleziClient(
            connections.plezi,
            documents,
            connections.setting,
            runtime.clock,
            runtime.ids,
            connections.load_dialect,
        ),
        Side.SALESFORCE: SalesforceClient(
            connections.salesforce,
            documents,
            runtime.clock,
            runtime.ids,
            assign_new_leads=assign_new_leads,
            deadline=runtime.deadline,
            guard=guard,
        ),
    }
