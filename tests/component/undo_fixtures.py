"""Requests of an undo through the admin API, and what its run writes into the journal."""

from __future__ import annotations

from typing import Any

from connector.model import Run, RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness


def request(admin_client: AdminClient, run_id: str, **body: Any) -> dict[str, Any]:
    """Request an undo; return the response."""
    response: dict[str, Any] = admin_client.request_ok("POST", f"/admin/runs/{run_id}/undo", body)
    return response


def undo(harness: Harness, admin_client: AdminClient, run_id: str, **body: Any) -> Run:
    """Undo a run completely."""
    undone = request(admin_client, run_id, preview=False, **body)
    run = harness.run_phase(undone["run_id"])
    assert run.state is RunState.DONE, run.message
    return run


def preview(harness: Harness, admin_client: AdminClient, run_id: str, **body: Any) -> Run:
    """Make the preview of an undo."""
    run = harness.run_phase(request(admin_client, run_id, preview=True, **body)["run_id"])
    assert run.state is RunState.DONE, run.message
    return run


def entries(admin_client: AdminClient, run_id: str, kind: str) -> list[dict[str, Any]]:
    """Return the entries of one kind that a run wrote into the journal, of all pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "200"}
    while True:
        page = admin_client.request_ok("GET", f"/admin/runs/{run_id}", **query)
        found += [it for it in page["journal"] if it["kind"] == kind]
        if not page["next"]:
            return found
        query["next"] = page["next"]


def reasons(admin_client: AdminClient, run_id: str) -> dict[str, str]:
    """Return the reason of each field that an undo left as it is."""
    return {it["field"]: it["rule"] for it in entries(admin_client, run_id, "not_undone")}
