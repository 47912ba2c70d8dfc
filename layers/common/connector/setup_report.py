"""The report of the org's set-up: the state of each field, and the outcome of each step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.mapping import Schema
from connector.mapping.connector_fields import RequiredField

PERMISSION_SET: Final = "Plezi_Salesforce_Connector"
PERMISSION_SET_LABEL: Final = "Plezi Salesforce Connector"
SALES_PERMISSION_SET: Final = "Plezi_Fields"
SALES_PERMISSION_SET_LABEL: Final = "Plezi Fields"
"""Access to the new fields for the users of the org: an administrator assigns it."""


class FieldState(StrEnum):
    """The state of a field. `unclear`: not visible, and its existence cannot be queried."""

    PRESENT = "present"
    MISSING = "missing"
    INVISIBLE = "invisible"
    READ_ONLY = "read_only"
    WRONG_TYPE = "wrong_type"
    UNCLEAR = "unclear"


class SetupStepKind(StrEnum):
    """The objects that the set-up creates, in this order."""

    FIELD = "field"
    PERMISSION_SET = "permission_set"
    VISIBILITY = "visibility"
    ASSIGNMENT = "assignment"


REQUIRED_PERMISSIONS: Final = {
    SetupStepKind.FIELD: "give the integration user the permission 'Customize Application'",
    SetupStepKind.PERMISSION_SET: "give the integration user 'Manage Profiles and Permission Sets'",
    SetupStepKind.VISIBILITY: "give the integration user 'Manage Profiles and Permission Sets'",
    SetupStepKind.ASSIGNMENT: "give the integration user 'Assign Permission Sets', or assign the "
    f"permission set {PERMISSION_SET_LABEL!r} to it by hand",
}
"""The permission that each step needs (Salesforce Help, "User Permissions")."""


class StepOutcome(StrEnum):
    """The outcome of a step."""

    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One field of the product: its state, and the remedy ('' when none is needed)."""

    object: str
    name: str
    purpose: str
    state: FieldState
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One object to create.

    `code` of a refusal is Salesforce's error code, `NO_ANSWER`, or the reason (`StopReason`) of an
    error that has no code.
    """

    kind: SetupStepKind
    subject: str
    outcome: StepOutcome
    code: str = ""
    remedy: str = ""


def report_field(
    field: RequiredField, schema: Schema, existing: frozenset[str] | None
) -> FieldReport:
    """Return the report of one field.

    `schema` has the fields that the integration user sees; `existing` has the full names of those
    that exist (None: the user may not query them).
    """
    found = schema.get(field.name)
    state, remedy = FieldState.PRESENT, ""
    if found is None and existing is None:
        state = FieldState.UNCLEAR
        remedy = "create it, or grant it to the integration user by field-level security"
    elif found is None and field.full_name in (existing or ()):
        state = FieldState.INVISIBLE
        remedy = "grant it to the integration user by field-level security"
    elif found is None:
        state, remedy = FieldState.MISSING, f"create it as {_type_text(field)}"
    elif defect := field.defect(found):
        state, remedy = FieldState.WRONG_TYPE, f"{defect}: change it, or map another field"
    elif field.is_written and not (found.creatable and found.updatable):
        state = FieldState.READ_ONLY
        remedy = "grant the integration user edit access to it by field-level security"
    return FieldReport(field.kind.value, field.name, field.purpose, state, remedy)


def _type_text(field: RequiredField) -> str:
    text = str(field.metadata["type"])
    if "length" in field.metadata:
        text += f" of {field.metadata['length']}"
    return text + (", External ID, unique" if field.external_id else "")
