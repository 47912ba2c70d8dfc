"""What Salesforce shows of single records: names, and last changes."""

from __future__ import annotations

from dataclasses import dataclass

from connector.model.sides import RecordKind


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """A record that was found by its name; `email` is as the record has it ('': none)."""

    kind: RecordKind
    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of a record: when (ISO 8601 in UTC) and the name of the user."""

    at: str
    by: str


@dataclass(frozen=True, slots=True)
class LeadOwner:
    """When a Lead was created (ISO 8601 in UTC), and the name of its owner: a user, or a queue."""

    created: str
    name: str
    is_user: bool
