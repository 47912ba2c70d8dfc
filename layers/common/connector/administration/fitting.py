"""The set-up of the Salesforce fields that the product needs: reported, or made (P7 to P9, P14)."""

from __future__ import annotations

from dataclasses import dataclass

from connector.administration.office import Office
from connector.journal import digest
from connector.salesforce.setup_report import FieldReport, FieldState, Outcome, Step
from connector.salesforce.wanted import wanted


@dataclass(frozen=True, slots=True)
class Fitting:
    """How each field stands now, and what was made for it (nothing unless asked).

    `ready`: every field is there, visible, of a type that serves.
    """

    ready: bool
    fields: tuple[FieldReport, ...]
    steps: tuple[Step, ...]


def fit(office: Office, who: str, *, create: bool) -> Fitting:
    """Say how the fields stand that the current mapping needs; with `create`, make what is missing.

    Doing it twice is doing it once. What is refused is told, with the right that it wants, and the
    rest goes on. Raises what the sides raise when they cannot be asked.
    """
    sides = office.sides()
    sides.forget_schemas()
    needed = wanted(office.configuration.current())
    before = sides.setup.look(needed, sides.schemas())
    if not create:
        return Fitting(_ready(before), before, ())
    steps = sides.setup.make(needed, before)
    if not steps:
        return Fitting(_ready(before), before, ())
    sides.forget_schemas()
    after = sides.setup.look(needed, sides.schemas())
    made = [f"{step.kind.value} {step.subject}" for step in steps if step.outcome is Outcome.DONE]
    if made:
        office.note(who, "setup", ", ".join(made), digest(_states(before)), digest(_states(after)))
    return Fitting(_ready(after), after, steps)


def _ready(reports: tuple[FieldReport, ...]) -> bool:
    return all(report.state is FieldState.PRESENT for report in reports)


def _states(reports: tuple[FieldReport, ...]) -> dict[str, str]:
    return {f"{report.object}.{report.name}": report.state.value for report in reports}
