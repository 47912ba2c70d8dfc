"""The refusals of Salesforce that the describe of its fields predicts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from connector.clean_text import is_email_address
from connector.mapping import Field, FieldKind, Schema
from connector.mapping.literals import canonical_number
from connector.mapping.values import to_choices, to_text
from connector.model import LongText, Value, Write


@dataclass(frozen=True, slots=True)
class ExpectedRefusal:
    """The error code that Salesforce would return for a write, and the fields that cause it."""

    code: str
    fields: tuple[str, ...]


def expected_refusal(write: Write, schema: Schema) -> ExpectedRefusal | None:
    """Return the refusal that the describe of Salesforce predicts for a write, or None.

    Predictable: required fields, rights, types, lengths, restricted picklists, the form of an
    e-mail address. Not in a describe: validation rules, triggers, duplicate rules, unique values.
    """
    if write.is_create:
        missing = tuple(
            name
            for name, field in schema.items()
            if field.required and not to_text(write.values.get(name))
        )
        if missing:
            return ExpectedRefusal("REQUIRED_FIELD_MISSING", missing)
    for name, value in write.values.items():
        field = schema.get(name)
        if field is None:
            return ExpectedRefusal("INVALID_FIELD", (name,))
        if code := _refusal_code(field, value, creates=write.is_create):
            return ExpectedRefusal(code, (name,))
    return None


def _refusal_code(field: Field, value: Value, *, creates: bool) -> str:
    if not (field.creatable if creates else field.updatable):
        return "INVALID_FIELD_FOR_INSERT_UPDATE"
    text = to_text(value)
    if not text:
        return "REQUIRED_FIELD_MISSING" if field.required else ""
    characters = value.length if isinstance(value, LongText) else len(text)
    too_long = field.length is not None and characters > field.length
    match field.kind:
        case FieldKind.NUMBER if canonical_number(text, None) is None:
            return "JSON_PARSER_ERROR"
        case FieldKind.CHECKBOX if not isinstance(value, bool):
            return "JSON_PARSER_ERROR"
        case FieldKind.EMAIL if not (too_long or is_email_address(text)):
            return "INVALID_EMAIL_ADDRESS"
        case FieldKind.PICKLIST if field.restricted and text not in field.options:
            return "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        case FieldKind.MULTI_PICKLIST if field.restricted and set(to_choices(value)) - set(
            field.options
        ):
            return "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        case _:
            return "STRING_TOO_LONG" if too_long else ""
