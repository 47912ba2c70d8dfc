"""What is wrong with a stack: each finding with its grade and its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from plezi_sync.errors import CommandError
from plezi_sync.output.texts import ago, count, sentence, with_commands
from plezi_sync.session import Session

RECENT_SECONDS: Final = 2.5 * 3600
"""The period of `NoSuccessfulRunAlarm` (template.yaml): a run starts every two hours."""

_RELEASE: Final = "plezi-sync breaker release --corrected (or --intended)"
BREAKER_COMMANDS: Final[Mapping[str, str]] = {
    "login_refused": "plezi-sync connect rotate",
    "mass_clearing": _RELEASE,
    "mass_overwriting": _RELEASE,
    "first_sync": _RELEASE,
    "defect": _RELEASE,
    "other_org": "plezi-sync systems decide salesforce same_people (or wrong_credentials)",
    "other_tenant": "plezi-sync systems decide plezi same_people (or wrong_credentials)",
}
"""The command that ends a stop, by its reason (docs/operations.md, Stop reasons)."""


class Grade(StrEnum):
    """The grade of a finding."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` is '' where none is needed."""

    name: str
    grade: Grade
    message: str
    remedy: str = ""


def examine(session: Session) -> list[Finding]:
    """Look at everything that can be wrong. A check that fails is a finding, not an end."""
    checks: tuple[tuple[str, Callable[[Session], Iterator[Finding]]], ...] = (
        ("status", _status),
        ("connection", _connection),
        ("set-up", _set_up),
        ("systems", _systems),
    )
    found: list[Finding] = []
    for name, check in checks:
        try:
            found += check(session)
        except CommandError as error:
            found.append(Finding(name, Grade.PROBLEM, str(error), "correct this first"))
    return found


def _status(session: Session) -> Iterator[Finding]:
    body = session.get("/admin/status").body
    now = session.machine.clock()
    if body["breaker"]:
        breaker = body["breaker"]
        since = ago(breaker["since"], now)
        yield Finding(
            "breaker",
            Grade.PROBLEM,
            f"No run starts: {sentence(breaker['reason'])}, since {since}. {breaker['message']}",
            BREAKER_COMMANDS.get(breaker["reason"], "correct the cause that the message names"),
        )
    if body["started"]:
        yield Finding("switch", Grade.OK, "Synchronization is enabled.")
    else:
        yield Finding("switch", Grade.WARNING, "Synchronization is paused.", "plezi-sync start")
    yield _last_run(body, now)
    if body["manual_sync"]["due"]:
        yield Finding(
            "mapping",
            Grade.WARNING,
            with_commands(body["manual_sync"]["why"]),
            "plezi-sync mapping apply",
        )
    for pair in body["suspended_pairs"]:
        yield Finding(
            "field",
            Grade.PROBLEM,
            f"{pair['pair']} is suspended: {pair['reason']}",
            "correct the field, or: plezi-sync mapping edit",
        )
    yield from _queue(body["attention"])
    yield _alerts(body["alert_recipients"])
    yield _plezi_api(body["plezi_dialect"])
    yield from _budget(body["api_budget"])


def _last_run(body: Mapping[str, Any], now: float) -> Finding:
    run = body["last_run"]
    if run is None:
        return Finding("last run", Grade.WARNING, "No run yet.", "plezi-sync sync --wait")
    text = f"The last run ({sentence(run['kind'])}) is {sentence(run['state'])}"
    if run["state"] in ("failed", "halted"):
        message = "" if body["breaker"] else run["message"]  # the breaker has the same one
        reason = f"{text}: {sentence(run['reason'])}. {message}".strip()
        return Finding("last run", Grade.PROBLEM, reason, f"plezi-sync runs show {run['run_id']}")
    at = run["finished_at"] or run["requested_at"]
    if body["started"] and now - at > RECENT_SECONDS:
        return Finding(
            "last run",
            Grade.PROBLEM,
            f"{text}, {ago(at, now)}: the schedule starts no run.",
            "plezi-sync logs scheduled_sync --since 3h, then plezi-sync sync --wait",
        )
    return Finding("last run", Grade.OK, f"{text}, {ago(at, now)}.")


def _queue(attention: Mapping[str, int]) -> Iterator[Finding]:
    kinds = {
        "hold": ("conflicts", "with a field that waits for a decision", "conflicts list"),
        "quarantine": ("errors", "with a refused write", "errors list"),
        "duplicate": ("duplicates", "with several Leads", "duplicates list"),
        "shared": (
            "shared e-mails",
            "whose e-mail too many records have",
            "call GET '/admin/attention?kind=shared'",
        ),
        "no_email": (
            "no e-mail",
            "whose Lead lost its e-mail",
            "call GET '/admin/attention?kind=no_email'",
        ),
    }
    for kind, (name, text, command) in kinds.items():
        if number := attention[kind]:
            yield Finding(
                name, Grade.WARNING, f"{count(number, 'contact')} {text}.", f"plezi-sync {command}"
            )


def _plezi_api(dialect: Mapping[str, Any] | None) -> Finding:
    if dialect is None:
        return Finding(
            "Plezi API",
            Grade.WARNING,
            "No probe has shown what the API of this tenant is like: it is assumed.",
            "plezi-sync probe --contact THROWAWAY_EMAIL",
        )
    if dialect["refusal"]:
        return Finding("Plezi API", Grade.PROBLEM, dialect["refusal"], "plezi-sync probe")
    return Finding("Plezi API", Grade.OK, f"A probe of {dialect['tenant']} showed what it is like.")


def _alerts(recipients: list[Mapping[str, Any]]) -> Finding:
    waiting = [each["endpoint"] for each in recipients if not each["confirmed"]]
    if not recipients:
        return Finding(
            "alerts",
            Grade.WARNING,
            "Nobody gets the alerts.",
            "deploy with the parameter AlertEmail, or subscribe to the topic AlertsTopicArn",
        )
    if waiting:
        return Finding(
            "alerts",
            Grade.WARNING,
            f"Not confirmed: {', '.join(waiting)}.",
            "open the link in the e-mail from AWS",
        )
    return Finding("alerts", Grade.OK, f"{count(len(recipients), 'recipient')} of alerts.")


def _budget(budget: Mapping[str, int] | None) -> Iterator[Finding]:
    if budget and budget["ours"] >= budget["our_share"]:
        yield Finding(
            "API calls",
            Grade.PROBLEM,
            f"Our share of Salesforce's API calls is used up: {budget['ours']:,} of "
            f"{budget['our_share']:,} in 24 hours.",
            "wait: the schedule continues; or raise the parameter ApiShare",
        )


def _connection(session: Session) -> Iterator[Finding]:
    grades = {"ok": Grade.OK, "failed": Grade.PROBLEM}
    for each in session.post("/admin/connection/check").body["report"].get("findings", ()):
        remedy = "; ".join(each.get("causes", ())) or "plezi-sync connect check"
        grade = grades.get(each["grade"], Grade.WARNING)
        yield Finding(each["name"], grade, each["message"], "" if grade is Grade.OK else remedy)


def _set_up(session: Session) -> Iterator[Finding]:
    fields = session.post("/admin/setup/salesforce-fields", {"create": False}).body["fields"]
    wrong = [each for each in fields if each["state"] != "present"]
    for each in wrong:
        yield Finding(
            "set-up",
            Grade.PROBLEM,
            f"{each['object']}.{each['name']} is {sentence(each['state'])}.",
            each.get("remedy") or "plezi-sync setup fields --create",
        )
    if not wrong:
        yield Finding("set-up", Grade.OK, "Salesforce has every field that the product needs.")


def _systems(session: Session) -> Iterator[Finding]:
    for each in session.get("/admin/systems").body["systems"]:
        if each["found"]:
            yield Finding(
                "systems",
                Grade.PROBLEM,
                f"The credentials lead to another system of {each['side']}: {each['found']}.",
                f"plezi-sync systems decide {each['side']} same_people (or wrong_credentials)",
            )
