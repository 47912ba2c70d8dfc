"""The set-up of the Salesforce fields that the product needs: reported, or made (P7 to P9, P14)."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.mapping.product_fields import required_fields
from connector.model import state_digest
from connector.setup_report import FieldReport, FieldState, SetupStep, StepOutcome


@dataclass(frozen=True, slots=True)
class SetupResult:
    """How each field stands now, and what was made for it (nothing unless asked).

    `ready`: every field is there, visible, of a type that serves.
    """

    ready: bool
    fields: tuple[FieldReport, ...]
    steps: tuple[SetupStep, ...]


def set_up_fields(context: AdminContext, who: str, *, create: bool) -> SetupResult:
    """Say how the fields stand that the current mapping needs; with `create`, make what is missing.

    Doing it twice is doing it once. What is refused is told, with the right that it wants, and the
    rest goes on. Raises what the sides raise when they cannot be asked.
    """
    sides = context.sides()
    sides.invalidate_schemas()
    needed = required_fields(context.mappings.current())
    before = sides.setup.inspect(needed, sides.schemas())
    if not create:
        return SetupResult(_ready(before), before, ())
    steps = sides.setup.create_missing(needed, before)
    if not steps:
        return SetupResult(_ready(before), before, ())
    sides.invalidate_schemas()
    after = sides.setup.inspect(needed, sides.schemas())
    made = [
        f"{step.kind.value} {step.subject}" for step in steps if step.outcome is StepOutcome.DONE
    ]
    if made:
        context.audit_change(
            who,
            "setup",
            ", ".join(made),
            state_digest(_states(before)),
            state_digest(_states(after)),
        )
    return SetupResult(_ready(after), after, steps)


def _ready(reports: tuple[FieldReport, ...]) -> bool:
    return all(report.state is FieldState.PRESENT for report in reports)


def _states(reports: tuple[FieldReport, ...]) -> dict[str, str]:
    return {f"{report.object}.{report.name}": report.state.value for report in reports}
