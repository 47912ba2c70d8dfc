"""The undo of a run on the deployed stack: preview, undo, and the undo of the undo."""

from __future__ import annotations

from typing import Any

import pytest

from local.actors import Marketer, Operator, SalesPerson

pytestmark = pytest.mark.stack

NUMBERS = range(3)
CHANGED = 1
"""The number of the person whose Lead a sales person edits after the run."""


def email_of(number: int) -> str:
    return f"undone{number}@example.com"


def phones(sales: SalesPerson) -> list[str]:
    return [sales.leads(email_of(number))[0]["Phone"] for number in NUMBERS]


def undo(ops: Operator, run_id: str, *, preview: bool = False) -> dict[str, Any]:
    """Request an undo, wait for its end, and return its record."""
    response = ops.admin("POST", f"/admin/runs/{run_id}/undo", {"preview": preview})
    run = ops.wait(response["run_id"])
    assert run["state"] == "done", run["message"]
    assert run["undoes"] == run_id
    return run


def test_a_run_is_undone_where_nobody_changed_it_since_and_the_undo_too(
    sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    people = [
        marketing.add(email=email_of(number), last_name="Roi", phone=f"1{number}")
        for number in NUMBERS
    ]
    ops.fire_schedule()
    for number, person in enumerate(people):
        marketing.edit(person, phone=f"2{number}")
    run = ops.fire_schedule()
    sales.edit("Lead", sales.leads(email_of(CHANGED))[0]["Id"], Phone="31")
    shown = undo(ops, run["run_id"], preview=True)
    assert phones(sales) == ["20", "31", "22"]

    undone = undo(ops, run["run_id"])

    assert phones(sales) == ["10", "31", "12"]
    left = [it for it in undone["journal"] if it["kind"] == "not_undone"]
    assert [(it["email"], it["rule"]) for it in left] == [(email_of(CHANGED), "changed_since")]
    planned = {(it["email"], it["kind"], it["after"]) for it in shown["journal"]}
    assert planned == {(it["email"], it["kind"], it["after"]) for it in undone["journal"]}

    undo(ops, undone["run_id"])

    assert phones(sales) == ["20", "31", "22"]
