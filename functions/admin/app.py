"""The admin API: start, pause, status, runs."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from connector.model import Run
from connector.wiring import office

LISTED_RUNS = 20

app = APIGatewayRestResolver()


@app.get("/admin/status")
def status() -> dict[str, Any]:
    """Say whether synchronisation is on, what stops it, what waits, and how the last run ended."""
    desk = office()
    breaker = desk.ledger.breaker()
    last = desk.ledger.runs(limit=1)
    mapping = desk.configuration.current()
    return {
        "started": desk.ledger.started(),
        "breaker": None
        if breaker is None
        else {"reason": breaker.reason, "message": breaker.message, "since": breaker.since},
        "mapping_version": mapping.version,
        "last_run": _told(last[0]) if last else None,
        "attention": {
            reason: len(desk.ledger.waiting(reason, limit=100)) for reason in ("hold", "quarantine")
        },
    }


@app.post("/admin/start")
def start() -> dict[str, Any]:
    """Switch synchronisation on."""
    desk = office()
    desk.ledger.switch(on=True, now=desk.clock())
    return {"started": True}


@app.post("/admin/pause")
def pause() -> dict[str, Any]:
    """Switch synchronisation off: runs end before they begin, and nothing is lost."""
    desk = office()
    desk.ledger.switch(on=False, now=desk.clock())
    return {"started": False}


@app.get("/admin/runs")
def runs() -> dict[str, Any]:
    """List the newest runs, newest first; `?before=<run id>` gives the ones before."""
    before = app.current_event.query_string_parameters.get("before", "")
    listed = office().ledger.runs(limit=LISTED_RUNS, before=before)
    return {
        "runs": [_told(run) for run in listed],
        "next": listed[-1].id if len(listed) == LISTED_RUNS else None,
    }


@app.get("/admin/runs/<run_id>")
def run_of(run_id: str) -> dict[str, Any]:
    """Tell one run, with what it counted and the first lines of its journal."""
    desk = office()
    run = desk.ledger.run(run_id)
    if run is None:
        raise NotFoundError(f"there is no run {run_id!r}: GET /admin/runs lists them")
    lines = desk.journal.of_run(run_id)
    return {
        **_told(run),
        "journal": [
            {"what": it.what, "side": it.side, "record": it.record, "field": it.field,
             "before": it.before, "after": it.after, "rule": it.rule, "email": it.email}
            for it in lines
        ],
    }  # fmt: skip


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the admin API."""
    return app.resolve(event, context)


def _told(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "kind": run.kind,
        "state": run.state,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_seconds": round(max(0.0, run.finished_at - run.started_at), 3),
        "invocations": run.invocations,
        "counts": run.counts,
        "reason": run.reason,
        "message": run.message,
    }
