"""The set-up of the Salesforce fields that the product needs: reports them, or creates them."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.mapping.connector_fields import required_fields
from connector.model import state_digest
from connector.setup_report import FieldReport, FieldState, SetupStep, StepOutcome


@dataclass(frozen=True, slots=True)
class SetupResult:
    """The state of each field now, and the steps that were taken (none without `create`).

    `ready`: every field exists, is visible and has a suitable type.
    """

    ready: bool
    fields: tuple[FieldReport, ...]
    steps: tuple[SetupStep, ...]


def set_up_fields(context: AdminContext, actor: str, *, create: bool) -> SetupResult:
    """Report the fields that the current mapping needs; with `create`, create the missing ones.

    A repeated set-up changes nothing. A refused step is reported with the permission that it needs,
    and the other steps continue. Raises the errors of the sides' clients.
    """
    sides = context.sides()
    sides.invalidate_schemas()
    needed = required_fields(context.mappings.current())
    before = sides.setup.inspect(needed, sides.schemas())
    if not create:
        return SetupResult(_is_ready(before), before, ())
    try:
        steps = sides.setup.create_missing(needed, before)
    finally:  # some fields may be new although a later step failed
        sides.invalidate_schemas()
    if not steps:
        return SetupResult(_is_ready(before), before, ())
    after = sides.setup.inspect(needed, sides.schemas())
    created = [
        f"{step.kind.value} {step.subject}" for step in steps if step.outcome is StepOutcome.DONE
    ]
    if created:
        context.audit_change(
            actor,
            "setup",
            ", ".join(created),
            state_digest(_states(before)),
            state_digest(_states(after)),
        )
    return SetupResult(_is_ready(after), after, steps)


def _is_ready(reports: tuple[FieldReport, ...]) -> bool:
    return all(report.state is FieldState.PRESENT for report in reports)


def _states(reports: tuple[FieldReport, ...]) -> dict[str, str]:
    return {f"{report.object}.{report.name}": report.state.value for report in reports}
