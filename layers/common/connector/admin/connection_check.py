"""The check of the connection to both sides; on success it includes their fields."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.fields import FieldList, list_fields
from connector.connection_report import ConnectionReport


@dataclass(frozen=True, slots=True)
class ConnectionCheckResult:
    """The report of the check, and the fields to map (None if a check failed)."""

    report: ConnectionReport
    fields: FieldList | None


def check_connection(context: AdminContext, actor: str) -> ConnectionCheckResult:
    """Test the credentials of both sides once; on success, describe both sides again.

    A problem is a finding with its causes in order, and not an error. A version of a secret whose
    login was refused is not tested again.
    """
    report = context.check()
    context.audit_change(actor, "check connection", "", "", "ok" if report.ok else "failed")
    return ConnectionCheckResult(report, list_fields(context, refresh=True) if report.ok else None)
