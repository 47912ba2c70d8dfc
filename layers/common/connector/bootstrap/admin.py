"""The role of administration: admin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from connector.admin.context import AdminContext, PersonStores, Sides
from connector.bootstrap.connection_check import check_connections
from connector.bootstrap.plezi_probe import build_probe
from connector.bootstrap.sides import build_clients, connect, read_guard, read_secrets
from connector.connection_settings import AdministrationSettings
from connector.model import Side
from connector.plezi.api_dialect import overridden_keys
from connector.salesforce.auth.password import DOCUMENT, days_left
from connector.salesforce.record_queries import RecordQueries
from connector.salesforce.setup.org_setup import OrgSetup
from connector.secret_version import SecretState, secret_state
from connector.sync.run_requests import RunRequester

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Ledger, Runtime

READ_ONLY_JOURNAL_DAYS: Final = 1
"""Administration only reads the journal: how long entries are kept does not matter here."""


def build_admin(settings: AdministrationSettings, runtime: Runtime) -> AdminContext:
    """Build the context of administration.

    The connections live as long as the context. The clients are built for each request, so that an
    administrator sees new fields at once.
    """
    ledger = runtime.aws.ledger(settings.ledger_table)
    connections = connect(settings, runtime, ledger)
    guard = read_guard(settings)
    overridden = overridden_keys(settings.plezi_dialect)
    queue = runtime.aws.runs_queue(settings.runs_queue_url)
    mappings = runtime.aws.mappings(settings.mappings_table)

    def sides() -> Sides:
        clients = build_clients(connections, runtime, ledger, assign_new_leads=False, guard=guard)
        salesforce = connections.salesforce
        return Sides(tuple(clients.values()), OrgSetup(salesforce), RecordQueries(salesforce))

    return AdminContext(
        review=ledger,
        runs=ledger,
        control=ledger,
        documents=ledger,
        people=PersonStores(
            ledger,
            runtime.aws.personal_data(settings.ledger_table, settings.journal_table),
            runtime.aws.tombstones(settings.ledger_table, settings.tombstones_secret),
            runtime.aws.log_names(settings.tombstones_secret),
            ledger,
            settings.worker_timeout_seconds,
            settings.log_retention_days,
        ),
        calls=ledger,
        journal=runtime.aws.journal(settings.journal_table, READ_ONLY_JOURNAL_DAYS),
        audit=runtime.aws.audit(settings.journal_table),
        mappings=mappings,
        run_requester=RunRequester(ledger, queue, runtime.clock, runtime.ids, runtime.log),
        sides=sides,
        check=lambda: check_connections(settings, runtime, ledger, mappings.current()),
        recipients=runtime.aws.recipients(settings.alerts_topic),
        publish_alert=runtime.aws.alerts(settings.alerts_topic).publish,
        password_days=lambda: _password_days(settings, runtime, ledger),
        clock=runtime.clock,
        new_id=runtime.ids,
        log=runtime.log,
        api_share=settings.api_share,
        plezi_calls_per_second=settings.plezi_calls_per_second,
        probe=build_probe(connections, runtime, ledger),
        overridden_keys=overridden,
        secret_states=lambda: _secret_states(settings, runtime),
        count_attention=runtime.aws.attention_counts(settings.ledger_table),
    )


def _secret_states(settings: AdministrationSettings, runtime: Runtime) -> dict[Side, SecretState]:
    """Return the state of both secrets, read by new readers."""
    secrets = read_secrets(settings, runtime)
    return {
        Side.SALESFORCE: secret_state(secrets.salesforce),
        Side.PLEZI: secret_state(secrets.plezi),
    }


def _password_days(
    settings: AdministrationSettings, runtime: Runtime, ledger: Ledger
) -> int | None:
    """Return the days until the password expires, as the last run read them; no call is made."""
    document = ledger.load_document(DOCUMENT) or {}
    if document.get("changed_at") is None or not settings.password_expires_days:
        return None
    left = days_left(document["changed_at"], settings.password_expires_days, runtime.clock())
    return math.floor(left)
