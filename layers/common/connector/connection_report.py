"""The result of a connection check: plain data for a JSON response (`asdict`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Grade(StrEnum):
    """The grade of a finding. `unknown`: the check could not decide."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked item: its name, its grade, a sentence, and the likely causes in order.

    Names: `flow`, `login`, `api`, `edition`, `scopes`, `password`, `leads`, `contacts`, `accounts`,
    `sharing`, `record_type`, `quota`, `plezi`, and `fields` if they cannot be listed. A finding
    that depends on a failed one, or does not concern the org, is left out. Each cause contains its
    remedy.
    """

    name: str
    grade: Grade
    message: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The result of one check of both sides at one time (`at`, our clock in seconds).

    `ok`: no finding failed, so a run can work. The other fields are the facts behind the findings;
    None or '' where they are not known. `flow_ends` is the day (ISO) on which Salesforce ends the
    flow, '' for the flows that stay. Scopes have Salesforce's names: `scopes_present` and
    `scopes_missing` are those of the three that Plezi's article requires, as far as the login or
    the calls show them.
    """

    at: float
    ok: bool = True
    findings: tuple[Finding, ...] = ()
    flow: str = ""
    flow_ends: str = ""
    org_id: str = ""
    edition: str = ""
    sandbox: bool | None = None
    has_api: bool | None = None
    scopes_present: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    password_expires_in_days: int | None = None
    calls_used: int | None = None
    calls_allowed: int | None = None

    def with_findings(self, *findings: Finding) -> ConnectionReport:
        """Return the report with additional findings."""
        all_findings = (*self.findings, *findings)
        ok = all(finding.grade is not Grade.FAILED for finding in all_findings)
        return replace(self, findings=all_findings, ok=ok)
