"""The check of the connection, and on success the fields of both sides (product P2 to P5)."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.fields import FieldList, list_fields
from connector.connection_report import ConnectionReport


@dataclass(frozen=True, slots=True)
class ConnectionCheckResult:
    """What the check found, and the fields to map (None while something failed)."""

    report: ConnectionReport
    fields: FieldList | None


def check_connection(context: AdminContext, who: str) -> ConnectionCheckResult:
    """Try the credentials of both sides, once; on success, describe both sides anew.

    A trouble is a finding with its causes in order, not an error: a refused login is never tried
    again with the same version of the secret.
    """
    checked = context.check()
    context.audit_change(who, "check connection", "", "", "ok" if checked.ok else "failed")
    return ConnectionCheckResult(
        checked, list_fields(context, refresh=True) if checked.ok else None
    )
