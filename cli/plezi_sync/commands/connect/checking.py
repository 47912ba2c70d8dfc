"""`connect check`: one login to each system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plezi_sync.errors import ProblemError
from plezi_sync.output.tables import print_table
from plezi_sync.session import Session

PATH: Final = "/admin/connection/check"


def check(session: Session) -> None:
    """Log in to both systems once, and report what was found.

    A version of the secret that was refused before is not tried again. The exit status is 4 when a
    finding failed.
    """
    answer = session.post(PATH)
    report = answer.body["report"]
    if session.as_json:
        session.print_json(answer)
    else:
        print_report(session, report)
    if not report.get("ok", True):
        raise ProblemError("The connection does not work: see the causes, likeliest first.")


def print_report(session: Session, report: Mapping[str, Any]) -> None:
    """Print the findings of a check, and the causes of those that are not ok."""
    rows = [(each["name"], each["grade"], each["message"]) for each in report.get("findings", ())]
    print_table(session, ("Checked", "Result", "Finding"), rows)
    for finding in report.get("findings", ()):
        for place, cause in enumerate(finding.get("causes", ()), 1):
            session.say(f"{finding['name']} {place}. {cause}")
