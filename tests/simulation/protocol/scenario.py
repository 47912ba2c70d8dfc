"""The start of a scenario, and what may happen in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.mapping import ConflictPolicy, DuplicatePolicy
from connector.model import RecordKind, Value
from tests.simulation.protocol.records import TYPED_VALUES, Record

MAPPING_CHANGES: Final = ("unmap", "map", "point mobile", "point phone")
"""Events of the mapping: the pair is removed, added again, pointed at the other attribute."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The start of a scenario, and what may happen in it.

    `linked`: the records agreed before the start; otherwise the first run matches them by e-mail.
    `values` are what users type (None: they clear the field). Each of `one_time_events` may happen
    once, at any moment: `add l2`, `add p`, `delete l1`, `delete p`, `undelete l1`, `convert`,
    `clear_email l1`, `set_email l1`, `clear_url l1`. Between runs, an admin may change the mapping:
    `unmap`, `map`, `point mobile`, `point phone`.
    `rejected` is a value that Salesforce rejects; `names_rejected`: the refusal names the field.
    `other_edits`: users also edit unmapped fields,
    which changes the version and no value. `lost_responses`: a response may get lost while the run
    continues; without it, only runs crash, which is equivalent for a run that makes one write.
    `recent_read`: the run may use a recent page of Plezi, and then does not read the contact again.
    `with_url`: the page URL is mapped too; it identifies the Leads that the connector created.
    `choices`: an admin may choose a value of a held field at any moment. `unedited` are the ids of
    records in which nobody types.
    """

    name: str
    records: tuple[Record, ...]
    policy: ConflictPolicy = ConflictPolicy.SALESFORCE_WINS
    values: tuple[Value, ...] = TYPED_VALUES
    one_time_events: tuple[str, ...] = ()
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    linked: bool = True
    with_url: bool = False
    other_edits: bool = False
    lost_responses: bool = False
    recent_read: bool = False
    rejected: Value = ""
    names_rejected: bool = False
    choices: bool = False
    unedited: frozenset[str] = frozenset()

    @property
    def compares_stamps(self) -> bool:
        """Whether the policy compares the timestamps of both sides."""
        return self.policy is ConflictPolicy.NEWEST

    @property
    def mapping_changes(self) -> bool:
        """Whether an admin may change the mapping."""
        return any(it in MAPPING_CHANGES for it in self.one_time_events)

    @property
    def symmetric(self) -> bool:
        """Whether no rule depends on which value is typed."""
        return not self.rejected

    @property
    def kinds(self) -> tuple[RecordKind, ...]:
        """The kinds of records that a run reads, in this order."""
        contacts = "convert" in self.one_time_events or any(
            it.kind is RecordKind.CONTACT for it in self.records
        )
        return tuple(kind for kind in RecordKind if contacts or kind is not RecordKind.CONTACT)
