"""What a check of the connection finds: plain data, ready to be answered as JSON (`asdict`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Grade(StrEnum):
    """How good a finding is. `unknown`: it could not be looked at, and nothing is claimed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its name, its grade, a sentence, and what to do in order.

    Names: `flow`, `login`, `api`, `edition`, `scopes`, `password`, `quota`, `plezi`. A finding that
    rests on one that failed is left out.
    """

    name: str
    grade: Grade
    message: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """A check of both sides at one time (`at`, our clock in seconds).

    `ok`: no finding failed, so a run can work. The other fields are the facts behind the findings;
    None or '' where nobody said. `flow_ends` is the day (ISO) on which Salesforce ends the flow, ''
    for the flows that stay. Scopes are by Salesforce's names: `scopes_present` and `scopes_missing`
    of the three that Plezi's article asks for, where the login or the calls told.
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
        """Return the check with some findings more."""
        together = (*self.findings, *findings)
        ok = all(each.grade is not Grade.FAILED for each in together)
        return replace(self, findings=together, ok=ok)
