"""`status`: the state of the synchronization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.output.run_progress import progress_text, result_lines
from plezi_sync.output.tables import print_facts
from plezi_sync.output.texts import ago, count, sentence, with_commands
from plezi_sync.session import Session


def status(session: Session) -> None:
    """Show the state of the synchronization, and what comes next."""
    answer = session.get("/admin/status")
    if session.as_json:
        session.print_json(answer)
        return
    print_facts(session, _facts(answer.body, session.machine.clock()))
    session.say()
    session.say(_next_step(answer.body))


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        status,
        "status",
        panel=Panel.LOOK,
        examples=("status", "status --stack plezi-salesforce --json"),
    )


def _facts(body: Mapping[str, Any], now: float) -> Iterator[tuple[str, str]]:
    yield "Synchronization", "enabled" if body["started"] else "paused"
    if breaker := body["breaker"]:
        yield "Stopped", f"{sentence(breaker['reason'])}, since {ago(breaker['since'], now)}"
        yield "", breaker["message"]
    yield "Mapping", f"version {body['mapping_version']}"
    if body["manual_sync"]["due"]:
        yield "Full run", f"due: {body['manual_sync']['why']}"
    if (first := body["first_sync"]) and not first["done"]:
        yield "First sync", f"next stage: {first['stage']}"
    yield from _last_run(body["last_run"], now)
    if found := body["last_verification"]:
        fields = count(found["unexplained_fields"], "unexplained difference")
        people = count(found["people"], "contact")
        yield "Verified", f"{people}, {fields}, {ago(found['finished_at'], now)}"
    yield "To decide", _attention(body["attention"])
    for pair in body["suspended_pairs"]:
        yield "Suspended", f"{pair['pair']}: {pair['reason']}"
    yield from _capacity(body)
    dialect = body["plezi_dialect"]
    yield "Plezi API", "assumed: not probed yet" if dialect is None else _probed(dialect, now)
    yield "Version", body["version"]


def _probed(dialect: Mapping[str, Any], now: float) -> str:
    text = f"probed {ago(dialect['probed_at'], now)}: {count(len(dialect['keys']), 'difference')}"
    return f"{text}; {dialect['refusal']}" if dialect["refusal"] else text


def _last_run(run: Mapping[str, Any] | None, now: float) -> Iterator[tuple[str, str]]:
    if run is None:
        yield "Last run", "none yet"
        return
    at = ago(run["finished_at"] or run["started_at"] or run["requested_at"], now)
    yield "Last run", f"{sentence(run['kind'])}, {progress_text(run)}, {at}"
    for line in result_lines(run):
        yield "", line
    if run["message"]:
        yield "", with_commands(run["message"])


def _attention(counts: Mapping[str, int]) -> str:
    limit = counts["counted_to"]
    names = {
        "hold": "with a conflict",
        "quarantine": "with an error",
        "duplicate": "with several Leads",
        "shared": "with a shared e-mail",
        "no_email": "without an e-mail",
    }
    parts = [
        f"{counts[kind]:,}{' or more' if counts[kind] >= limit else ''} {text}"
        for kind, text in names.items()
        if counts[kind]
    ]
    return ", ".join(parts) or "nothing"


def _capacity(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if budget := body["api_budget"]:
        text = (
            f"{budget['ours']:,} of our {budget['our_share']:,}; the org used "
            f"{budget['org_used']:,} of {budget['org_allowed']:,} (24 hours)"
        )
        yield "API calls", text
    if (days := body["password_expires_in_days"]) is not None:
        yield "Password", f"expires in {count(days, 'day')}"
    recipients = [
        each["endpoint"] + ("" if each["confirmed"] else " (not confirmed)")
        for each in body["alert_recipients"]
    ]
    yield "Alerts to", ", ".join(recipients) or "nobody"


def _next_step(body: Mapping[str, Any]) -> str:
    """Return what to do next, in one sentence."""
    if body["breaker"]:
        return "Next: plezi-sync doctor"
    if not body["started"]:
        return "Next: plezi-sync preview, then plezi-sync start"
    if body["manual_sync"]["due"]:
        return "Next: plezi-sync mapping apply"
    kinds = {"hold": "conflicts", "quarantine": "errors", "duplicate": "duplicates"}
    waiting = [name for kind, name in kinds.items() if body["attention"][kind]]
    return f"Next: plezi-sync {waiting[0]} list" if waiting else "Nothing to do."
