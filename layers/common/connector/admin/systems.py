"""The connected org and tenant, and the decision when the credentials lead to another one."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.connected_systems import (
    NAMES,
    ConnectedSystem,
    load_progress,
    load_system,
    save_system,
)
from connector.described_enum import DescribedEnum
from connector.errors import StaleError
from connector.model import RunKind, Side, state_digest


class SystemDecision(DescribedEnum):
    """What an admin decides about another org or tenant."""

    SAME_PEOPLE = (
        "same_people",
        "It takes the place of the known one: people are matched by e-mail again.",
    )
    WRONG_CREDENTIALS = (
        "wrong_credentials",
        "The secret is wrong: nothing changes until it leads to the known one again.",
    )


@dataclass(frozen=True, slots=True)
class SystemView:
    """The system of one side.

    `id` is the org id or the tenant's name of all linked records ('': no run was made yet). `found`
    is another one that the credentials led to ('': none). `forgetting`: the next run lets the links
    forget a former one.
    """

    side: Side
    id: str
    found: str
    forgetting: bool


@dataclass(frozen=True, slots=True)
class SystemsView:
    """The systems of both sides."""

    systems: tuple[SystemView, ...]


@dataclass(frozen=True, slots=True)
class SystemDecisionResult:
    """The system after a decision, what to do next, and the run that was requested ('': none)."""

    system: SystemView
    next_step: str
    run_id: str


def list_systems(context: AdminContext) -> SystemsView:
    """Return the systems that the ledger belongs to, and others that were found."""
    return SystemsView(tuple(_view(context, side) for side in Side))


def is_forgetting(context: AdminContext) -> bool:
    """Return whether links still have records of a former system."""
    return any(_view(context, side).forgetting for side in Side)


def decide_system(
    context: AdminContext, actor: str, side: Side, decision: SystemDecision
) -> SystemDecisionResult:
    """Decide about another system that the credentials led to.

    For the same people, the found system becomes the known one and a full run is requested, which
    lets all links forget the former one first. Nothing is deleted or changed in either system by
    the decision. Raises `StaleError` when no other system was found.
    """
    system = load_system(context.documents, side)
    if not system.found:
        raise StaleError(
            f"the credentials lead to no other {NAMES[side]}: there is nothing to decide "
            "(GET /admin/systems)"
        )
    context.audit_change(
        actor,
        f"system: {decision.value}",
        f"{system.id} -> {system.found}",
        state_digest(system.id),
        state_digest(system.found if decision is SystemDecision.SAME_PEOPLE else system.id),
    )
    if decision is SystemDecision.WRONG_CREDENTIALS:
        step = f"put the credentials of the {NAMES[side]} {system.id} in the secret"
        return SystemDecisionResult(_view(context, side), step, "")
    accepted = ConnectedSystem(id=system.found, forget_since=context.clock())
    save_system(context.documents, side, accepted)
    context.sides().invalidate_schemas()  # the fields are those of another system now
    run_id = context.run_requester.request_run(RunKind.FULL)
    step = "wait for the run: it forgets the former records, then matches people by e-mail"
    return SystemDecisionResult(_view(context, side), step, run_id)


def _view(context: AdminContext, side: Side) -> SystemView:
    system = load_system(context.documents, side)
    progress = load_progress(context.documents, side, system)
    return SystemView(side, system.id, system.found, forgetting=progress is not None)
