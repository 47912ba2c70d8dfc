"""The answers of sObject Collections to single records, and of calls that were refused as a whole.

Every JSON value is read: an item that does not follow the documented form has an unknown result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from connector.errors import RejectedError, describe_defect
from connector.http_session import ErrorAction
from connector.model import ProblemCode
from connector.salesforce.answers import is_record_id
from connector.salesforce.diagnosis import classify, find_error
from connector.salesforce.error_table import UNKNOWN_ERROR, ErrorClass, ErrorRow


class Effect(StrEnum):
    """What an answer says about one record."""

    SAVED = "saved"
    UNKNOWN = "unknown"
    BUSY = "busy"
    STALE = "stale"
    REFUSED = "refused"
    HALT = "halt"


UNIQUE_FIELD: Final = re.compile(r"^duplicate value found: (\w+) duplicates value on record")
"""The message of DUPLICATE_VALUE, of which `fields` is empty (issues of several public clients)."""
EFFECTS: Final = {
    ErrorAction.RETRY: Effect.BUSY,
    ErrorAction.STALE: Effect.STALE,
    ErrorAction.HALT: Effect.HALT,
}
"""The effect of an error's action; every other one refuses the record."""
OF_ONE_CAUSE: Final = frozenset({Effect.BUSY, Effect.STALE, Effect.REFUSED})
"""Effects that all records of a call may have because of one of them, or of their number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one record.

    `whole`: the call was refused, and nothing of it was saved, because of this record or another,
    or because of their number.
    """

    effect: Effect
    record_id: str = ""
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    whole: bool = False

    @property
    def row(self) -> ErrorRow | None:
        """The row of the error table; None for an error that is not in it."""
        return find_error(self.code, self.message)

    @property
    def is_of_batch(self) -> bool:
        """Whether the error may be a fault of all records of the call together."""
        return self.whole or (self.row is not None and self.row.of_batch)

    @property
    def is_temporary(self) -> bool:
        """Whether the same record may be saved when it is sent once more."""
        return self.effect is Effect.BUSY or (self.row is not None and self.row.of_batch)

    @property
    def is_of_schema(self) -> bool:
        """Whether a field is not as it was described."""
        return self.row is not None and self.row.error_class is ErrorClass.SCHEMA


UNKNOWN: Final = Answer(Effect.UNKNOWN)
"""The answer to each record of a call that has no usable answer."""


def read_answers(response: object, number: int) -> list[Answer]:
    """Return one answer for each of `number` records; unknown where the response has none.

    A limit or a permission that only some records meet is not one of the org or of the user: such
    an error refuses its record, and the others go on.
    """
    if not isinstance(response, list) or len(response) != number:
        return [UNKNOWN] * number
    answers = [_answer_of(item) for item in response]
    if all(it.effect is Effect.HALT and it.code == answers[0].code for it in answers):
        return answers
    return [
        replace(it, effect=Effect.REFUSED) if it.effect is Effect.HALT else it for it in answers
    ]


def is_lost(answers: Sequence[Answer]) -> bool:
    """Whether a call has no answer to any of its records."""
    return all(each is UNKNOWN for each in answers)


def whole_refusal(error: RejectedError, number: int, effect: Effect) -> list[Answer]:
    """Return the answers to the records of a call that was refused as a whole."""
    return [Answer(effect, code=error.code, fields=error.fields, whole=True)] * number


def _answer_of(item: object) -> Answer:
    """Return the answer to one record; unknown where an unexpected error prevents it."""
    try:
        return _answer(item)
    except Exception as error:  # noqa: BLE001  # the problem of one record
        return Answer(Effect.UNKNOWN, code=ProblemCode.DEFECT.value, message=describe_defect(error))


def _answer(item: object) -> Answer:
    match item:
        case {"success": True, "id": str(record_id)} if is_record_id(record_id):
            return Answer(Effect.SAVED, record_id)
        case {"success": False, **rest}:
            return _error(rest.get("errors"))
        case _:
            return UNKNOWN


def _error(errors: object) -> Answer:
    match errors:
        case [{"statusCode": str(code), **rest}, *_]:
            text = rest.get("message")
            message = text if isinstance(text, str) else ""
            effect = EFFECTS.get(classify(None, code, message), Effect.REFUSED)
            fields = _texts(rest.get("fields")) or _unique_field(message)
            return Answer(effect, "", code, message, fields)
        case _:
            return Answer(Effect.REFUSED, code=UNKNOWN_ERROR.code)


def _unique_field(message: str) -> tuple[str, ...]:
    """Return the field of a value that must be unique; `fields` is empty in this answer."""
    found = UNIQUE_FIELD.search(message)
    return () if found is None else (found[1],)


def _texts(names: object) -> tuple[str, ...]:
    if not isinstance(names, list):
        return ()
    return tuple(name for name in names if isinstance(name, str))


def fail_as_one(answers: Sequence[Answer]) -> bool:
    """Whether several records have the same error, so that one cause may have failed them all.

    The cause may be the size of the call, or one of its records: a trigger that ends with an error,
    or that gives the same error to every record (`addError` in its `catch` block). An error that
    names a field is about the value of its record. A refusal that the table lists has the same
    message too, because a message of Salesforce itself may name the record.
    """
    first = answers[0]
    if len(answers) == 1 or first.effect not in OF_ONE_CAUSE:
        return False
    is_listed_refusal = first.effect is Effect.REFUSED and first.row is not None
    return all(
        each.effect is first.effect
        and each.code == first.code
        and not each.fields
        and (each.message == first.message or not is_listed_refusal)
        for each in answers
    )
