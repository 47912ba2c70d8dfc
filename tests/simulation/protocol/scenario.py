"""Where a story begins, and what may happen in it."""

from __future__ import annotations

from dataclasses import dataclass

from connector.mapping import ConflictPolicy, DuplicatePolicy
from connector.model import RecordKind, Value
from tests.simulation.protocol.records import WORDS, Record


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Where the story begins, and what may happen in it.

    `linked`: the records have agreed before; else they are strangers. `values` are what people type
    (None: they clear the field). `chances` may happen once each, at any moment: `add l2`, `add p`,
    `delete l1`, `delete p`, `undelete l1`, `convert`. `refused` is a value that Salesforce does not
    take. `touches`: people also edit other fields, which moves a version and no value. `deaf`:
    answers get lost while the run goes on; without it only runs die, which is the same wherever a
    run makes one write. `fresh`: Plezi is not always looked at again, if it was read within the
    minute. `with_url`: the page address travels too, which tells our own Leads.
    """

    name: str
    records: tuple[Record, ...]
    policy: ConflictPolicy = ConflictPolicy.SALESFORCE_WINS
    words: tuple[Value, ...] = WORDS
    chances: tuple[str, ...] = ()
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    linked: bool = True
    with_url: bool = False
    touches: bool = False
    deaf: bool = False
    fresh: bool = False
    refused: Value = ""

    @property
    def clocks(self) -> bool:
        """Whether the policy compares stamps of both sides."""
        return self.policy is ConflictPolicy.NEWEST

    @property
    def symmetric(self) -> bool:
        """Whether no rule tells one word from another."""
        return not self.refused

    @property
    def kinds(self) -> tuple[RecordKind, ...]:
        """The kinds of records that a run reads, in its order."""
        contacts = "convert" in self.chances or any(
            it.kind is RecordKind.CONTACT for it in self.records
        )
        return tuple(kind for kind in RecordKind if contacts or kind is not RecordKind.CONTACT)
