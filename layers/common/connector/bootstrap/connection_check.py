"""The check of both connections, for the admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.bootstrap.sides import connect
from connector.connection_report import ConnectionReport
from connector.connection_settings import ConnectionSettings
from connector.mapping import MappingConfig
from connector.plezi import connection_check as plezi_check
from connector.salesforce import connection_check as salesforce_check
from connector.salesforce.auth.session import SessionState

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


def check_connections(
    settings: ConnectionSettings,
    runtime: Runtime,
    state: SessionState,
    mapping: MappingConfig,
) -> ConnectionReport:
    """Check both systems with new connections; a problem is a finding and not an error."""
    connections = connect(settings, runtime, state)
    report = salesforce_check.check_org(
        connections.salesforce,
        connections.secrets.salesforce,
        runtime.clock,
        settings.password_expires_days,
        mapping,
    )
    return report.with_findings(
        plezi_check.check_tenant(connections.plezi, connections.load_dialect)
    )
