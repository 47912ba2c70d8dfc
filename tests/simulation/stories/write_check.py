"""The check of one written value: the reason for which it may replace another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.model import MergeRule
from tests.simulation.history.typing_history import NOBODY, Relation
from tests.simulation.stories.excuses import ANY_ORDER, CONFLICT, Excuse, meets_again
from tests.simulation.stories.person import Loss, ViolationError
from tests.simulation.stories.silent_excuses import SILENT
from tests.simulation.stories.written_value import WrittenValue


@dataclass(frozen=True, slots=True)
class Check:
    """What is wrong with a write ('': nothing), or why it may be, and whether a value is lost."""

    problem: str = ""
    excuse: str = ""
    is_loss: bool = False


def check_write(values: Sequence[WrittenValue]) -> WrittenValue:
    """Return the source of a written value that may replace another one, of all that show it.

    Its reason is counted, and a loss is noted: the journal must have it at the end of the run.
    Raises `ViolationError` for the first source if none may.
    """
    value, check = _first_allowed(values)
    if check.problem:
        raise ViolationError(f"{check.problem}: {value}")
    person = value.person
    if check.excuse:
        person.counts[check.excuse] += 1
    if check.is_loss:
        person.losses.append(Loss(value.target, value.key, value.lost, len(person.journal)))
    return value


def note_decision(values: Sequence[WrittenValue]) -> None:
    """Note a decision whose write does not arrive: it is carried out later."""
    value, check = _first_allowed(values)
    if not check.problem:
        value.person.decided.add(value.decision)


def _first_allowed(values: Sequence[WrittenValue]) -> tuple[WrittenValue, Check]:
    """Return the first source that may replace a value, with its reason; else the first."""
    checked = [(it, _check(it)) for it in values[:1]]
    if checked[0][1].problem:
        checked += [(it, _check(it)) for it in values[1:]]
    return next((it for it in checked if not it[1].problem), checked[0])


def _check(value: WrittenValue) -> Check:
    relation = value.relation
    is_weak = value.won.is_weak and relation is not Relation.FORWARD
    is_of_nobody = value.is_of_nobody or is_weak
    if value.clears and is_of_nobody and value.lost.typing != NOBODY and not value.fills:
        return Check("blank of nobody")
    if relation is Relation.FORWARD:
        return Check("line without a cause" if _is_an_ordinary_edit(value) else "")
    if excuse := _excuse(value, SILENT):
        return Check(excuse=excuse)
    if not value.is_journaled:
        return Check("silent")
    if excuse := _excuse(value, ANY_ORDER):
        return Check(excuse=excuse, is_loss=True)
    if relation is Relation.BACKWARD and not meets_again(value):
        return Check("older value")
    if excuse := _excuse(value, CONFLICT):
        return Check(excuse=excuse, is_loss=True)
    return Check("against the policy")


def _is_an_ordinary_edit(value: WrittenValue) -> bool:
    """Whether a value is journaled on which all agreed, and which the author of the next one saw.

    docs/architecture.md, the merge of one field: an edit on one side only is no conflict.
    """
    cell = value.cell
    return (
        value.is_journaled
        and MergeRule.JOINED not in value.rules  # a write of before did not arrive
        and value.has_agreed(value.target)
        and value.has_agreed(value.source)
        and value.source_cell.agreed_typing == cell.agreed_typing == value.lost.typing
        and not cell.shown
    )


def _excuse(value: WrittenValue, excuses: Sequence[Excuse]) -> str:
    """Return the name of the first rule that holds ('': none does)."""
    return next((it.__name__ for it in excuses if it(value)), "")
