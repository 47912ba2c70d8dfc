"""The check of the connection to both sides; on success it includes their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.fields import FieldList, list_fields
from connector.connection_report import ConnectionReport, Finding, Grade
from connector.errors import HaltError, RejectedError
from connector.model import Side
from connector.stores import DocumentStore

LAST_CHECK: Final = "connection_check"
"""The document with the last check: the versions of the secrets, and what was not proved."""


@dataclass(frozen=True, slots=True)
class ConnectionCheckResult:
    """The report of the check, and the fields to map (None if a check failed)."""

    report: ConnectionReport
    fields: FieldList | None


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The last check: the secrets' versions, and the findings that are not ok."""

    at: float
    versions: Mapping[Side, str]
    findings: tuple[Finding, ...]


def check_connection(context: AdminContext, actor: str) -> ConnectionCheckResult:
    """Test the credentials of both sides once; on success, describe both sides again.

    A problem is a finding with its causes in order, and not an error. A version of a secret whose
    login was refused is not tested again.
    """
    versions = {side.value: state.version for side, state in context.secret_states().items()}
    report = context.check()
    fields = None
    if report.ok:
        try:
            fields = list_fields(context, refresh=True)
        except (HaltError, RejectedError) as error:
            report = report.with_findings(Finding("fields", Grade.FAILED, str(error)))
    not_proved = (each for each in report.findings if each.grade is not Grade.OK)
    context.documents.save_document(
        LAST_CHECK,
        {
            "at": report.at,
            "versions": versions,
            "findings": [asdict(finding) for finding in not_proved],
        },
    )
    context.audit_change(actor, "check connection", "", "", "ok" if report.ok else "failed")
    return ConnectionCheckResult(report, fields)


def load_last_check(store: DocumentStore) -> LastCheck | None:
    """Return the last check; None if none was made."""
    stored = store.load_document(LAST_CHECK)
    if not stored:
        return None
    findings = tuple(
        Finding(each["name"], Grade(each["grade"]), each["message"], tuple(each["causes"]))
        for each in stored["findings"]
    )
    versions = {Side(side): str(version) for side, version in stored["versions"].items()}
    return LastCheck(float(stored["at"]), versions, findings)
