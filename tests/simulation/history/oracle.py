"""What people did, and whether it was honoured. It never looks at the algorithm's memory.

It sees what people type, what the engine is told over the wire, what changes when the engine
writes, the journal (what was *said* about losers), and at the end the holds (what a person is
*asked*).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.model import JournalEntry, RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.observed_answers import ObservedAnswers
from tests.simulation.history.wire import (
    AUTOMATED,
    is_lead,
    leaves,
    said,
    value_of,
)

PLEZI_FIELDS: Final = {lead: plezi for plezi, lead in LEAD_FIELDS.items()}
UNWATCHED: Final = frozenset(
    {"SystemModstamp", "LastModifiedDate", "LastModifiedById", "rowid", "updated_at", "Name",
     "OwnerId", "LastActivityDate", "LastViewedDate", "LastReferencedDate", "IsUnreadByOwner"}
)  # fmt: skip


class GuaranteeViolatedError(AssertionError):
    """The connector did what it never may; the first word names the invariant."""


@dataclass(slots=True)
class Edit:
    """A value that a person typed and that nobody across has said yet."""

    value: str
    at: int
    when: float
    told: str


@dataclass
class Oracle:
    """Everything that people did, in the order in which it happened."""

    policies: Mapping[str, Any]
    checked: Counter[str] = field(default_factory=Counter)
    window: Counter[str] = field(default_factory=Counter)
    order: int = 0
    edits: dict[tuple[str, str], Edit] = field(default_factory=dict)
    agreed: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    hearing: ObservedAnswers = field(default_factory=ObservedAnswers)
    fresh: set[tuple[str, str]] = field(default_factory=set)
    """Agreed for the first time by the process at work, which may not have stored it yet."""
    unstored: set[tuple[str, str]] = field(default_factory=set)
    """The same of a process that stands still: another one cannot know."""
    typed: dict[str, set[str]] = field(default_factory=dict)
    said_in: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)
    changed_identity: set[str] = field(default_factory=set)
    created: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    automated: set[str] = field(default_factory=set)

    # Who is who

    def group(self, record: str) -> str:
        """Return the name of the person that a record belongs to, as far as people know."""
        while record in self.groups and self.groups[record] != record:
            record = self.groups[record]
        return record

    def same_person(self, one: str, other: str) -> None:
        """Note that two records, or a record and an address, are one person."""
        self.groups.setdefault(one, one)
        self.groups.setdefault(other, other)
        self.groups[self.group(one)] = self.group(other)

    def words_of(self, record: str) -> set[str]:
        """Return every word that people ever typed about the person of a record."""
        mine = self.group(record)
        return {
            w for w, records in self.typed.items() if any(self.group(r) == mine for r in records)
        }

    # People

    def typed_by(
        self,
        record: StoredRecord,
        name: str,
        value: object,
        when: float,
        told: str,
        others: Iterable[StoredRecord],
    ) -> None:
        """A person typed a value in a field (named as in Plezi) of a record."""
        self.order += 1
        word = said(value)
        self.typed.setdefault(word, set()).add(record.id)
        self.said_in.setdefault((self.group(record.id), name), {})[word] = None
        key = (record.id, name)
        self.edits.pop(key, None)
        if name == "function" and record.kind is not RecordKind.PLEZI_CONTACT:
            return  # one-way: what is typed on the wrong side stays there
        if word in self.agreed.get(key, set()) or (not word and key not in self.agreed):
            return
        if self._says_across(record, name, word, others):
            return
        self.edits[key] = Edit(word, self.order, when, told)

    def _says_across(
        self, record: StoredRecord, name: str, word: str, others: Iterable[StoredRecord]
    ) -> bool:
        """Whether the other side says the same already, or will once a transaction commits.

        Then both typed one word: it is agreed, and neither edit can be lost any more.
        """
        agreed = False
        for it in self._across(record, others):
            edit = self.edits.get((it.id, name))
            if edit is not None and edit.value == word:
                del self.edits[it.id, name]
                agreed = True
            agreed = agreed or value_of(it, name) == word
        return agreed

    def _across(self, record: StoredRecord, others: Iterable[StoredRecord]) -> list[StoredRecord]:
        mine = self.group(record.id)
        return [
            it
            for it in others
            if it.kind.side is not record.kind.side and self.group(it.id) == mine and not it.deleted
        ]

    def everybody_is_a_stranger(self) -> None:
        """The ledger is lost: nothing counts as agreed any more, as when two systems first meet.

        Equal words are agreed, a blank is filled (so that a clearing is not owed), what differs is
        a conflict (invariant 19).
        """
        self.agreed.clear()
        self.hearing.forget()
        for key in [key for key, edit in self.edits.items() if not edit.value]:
            del self.edits[key]

    def nothing_is_agreed_with(self, record: str) -> None:
        """A record was deleted: whoever it was agreed with meets others for the first time."""
        self.hearing.heard.pop(record, None)
        mine = self.group(record)
        for key in [key for key in self.agreed if self.group(key[0]) == mine]:
            del self.agreed[key]

    # The wire

    def told(self, content: bytes, truth: Mapping[str, StoredRecord], when: float) -> None:
        """The engine heard an answer; what both sides were read to say is agreed."""
        for record, words in self.hearing.observe(content, truth, when, self.order):
            self._agree(record, words)

    def _agree(self, record: str, words: Mapping[str, str]) -> None:
        """What one side was read to say, and another was read to say too, is agreed."""
        mine = self.group(record)
        for other, theirs in self.hearing.heard.items():
            if other == record or self.group(other) != mine or is_lead(other) is is_lead(record):
                continue
            for name, word in words.items():
                if theirs.get(name) == word:
                    for key in ((record, name), (other, name)):
                        if key not in self.agreed:
                            self.fresh.add(key)
                        self.agreed.setdefault(key, set()).add(word)
                        edit = self.edits.get(key)
                        if edit is not None and edit.value == word:
                            del self.edits[key]

    # The engine's writes

    def sends(
        self, method: str, path: str, body: object, before: Mapping[str, StoredRecord]
    ) -> None:
        """The engine is about to update: only fields that differ from what it heard may be sent.

        A side that shows what was is not believed: what it heard must be what the record says.
        """
        if not isinstance(body, bytes | str):
            return
        sent = json.loads(body)
        self.sent = {said(word) for word in leaves(sent)}
        if "data" in sent and method != "POST":
            updates = [(str(sent["data"].get("id")), sent["data"]["attributes"])]
        else:
            rows = sent.get("records", []) if isinstance(sent, dict) else []
            updates = [(str(row["id"]), row) for row in rows if "id" in row]
        for record, values in updates:
            for wire, value in values.items():
                name = wire if not is_lead(record) else PLEZI_FIELDS.get(wire, "")
                heard = self.hearing.read.get(record, {}).get(name)
                if name not in TWO_WAY or heard is None or heard != said(value):
                    continue
                was = before.get(record)  # None: deleted in Plezi, which refuses the write
                if was is not None and value_of(was, name) == heard:
                    raise GuaranteeViolatedError(
                        f"10 field isolation: {wire} says so already, and is sent to {path}"
                    )

    def wrote(
        self,
        before: Mapping[str, StoredRecord],
        after: Mapping[str, StoredRecord],
        journal: Iterable[JournalEntry],
        call: str,
    ) -> None:
        """The engine made a write call; judge all that it changed."""
        lost = list(journal)
        self._arrived(before, after)
        for record, now in after.items():
            was = before.get(record)
            if was is None:
                self._made(now, before, call)
            elif was != now:
                self._changed(was, now, lost, after.values(), call)
        self._arrived(before, after)  # now it is known whose the new records are
        for record in before.keys() - after.keys():
            raise GuaranteeViolatedError(f"16 delete safety: {record} vanished after {call}")

    def _arrived(
        self, before: Mapping[str, StoredRecord], after: Mapping[str, StoredRecord]
    ) -> None:
        """Forget the edits that were sent: an automation may have changed them on arrival."""
        changed = {self.group(it.id) for it in after.values() if before.get(it.id) != it}
        for key, edit in list(self.edits.items()):
            written = any(b.id == key[0] and a != b for b, a in _pairs(before, after))
            if edit.value in self.sent and self.group(key[0]) in changed and not written:
                del self.edits[key]

    def _made(self, now: StoredRecord, before: Mapping[str, StoredRecord], call: str) -> None:
        self.checked["15 no duplicate create"] += 1
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: a Contact was created by {call}")
        if not now.email:
            raise GuaranteeViolatedError("12 eligibility: a record without e-mail was created")
        self.same_person(now.id, now.email)
        mine = self.created.setdefault((self.group(now.id), now.kind.value), [])
        alive = [r for r in mine if r in before and not (before[r].deleted or before[r].converted)]
        if any(before[r].email == now.email for r in alive):
            raise GuaranteeViolatedError(
                f"15 no duplicate create: a second {now.kind} of one person"
            )
        mine.append(now.id)
        self.hearing.heard_at[now.id] = self.order
        words = self.hearing.words(now.id)
        for name in (*TWO_WAY, "function"):
            word = value_of(now, name)
            self._explain(now, name, word, call)
            self._tell(now, name, word)
            words[name] = word

    def _changed(
        self,
        was: StoredRecord,
        now: StoredRecord,
        journal: list[JournalEntry],
        everyone: Iterable[StoredRecord],
        call: str,
    ) -> None:
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: a Contact was changed by {call}")
        if was.converted:
            raise GuaranteeViolatedError(f"11 direction: a converted Lead was changed by {call}")
        if now.deleted and not was.deleted:
            raise GuaranteeViolatedError(f"16 delete safety: {now.id} was deleted by {call}")
        names = {
            name for name in {**was.values, **now.values} if name not in UNWATCHED | self.automated
        }
        for wire in names:
            old, new = said(was.values.get(wire)), said(now.values.get(wire))
            if old == new:
                continue
            name = wire if now.kind is RecordKind.PLEZI_CONTACT else PLEZI_FIELDS.get(wire, "")
            self._field(now, wire, name, old, new, journal, call)
        del everyone

    def _field(
        self,
        now: StoredRecord,
        wire: str,
        name: str,
        old: str,
        new: str,
        journal: list[JournalEntry],
        call: str,
    ) -> None:
        if wire in ("plezi_url__c", "email", "Email"):
            return
        if new == AUTOMATED and new not in self.sent:  # the org's doing, in our transaction
            self.edits.pop((now.id, name), None)
            return
        self.checked["10 field isolation"] += 1
        plezi = now.kind is RecordKind.PLEZI_CONTACT
        if name not in (*TWO_WAY, "function", "newsletter_optout") or (
            plezi and name == "function"
        ):
            raise GuaranteeViolatedError(f"10 field isolation: {wire} was written by {call}")
        self.checked["7 no lost uncontested edit"] += 1
        edit = self.edits.get((now.id, name))
        if edit is not None and edit.value == old and name in TWO_WAY:
            if not old and self._met_a_stranger(now, name, new):
                self.window["a blank filled by who meets the person for the first time"] += 1
                del self.edits[now.id, name]
            else:
                self._lose(now, name, edit, journal)
        self._explain(now, name, new, call)
        self._tell(now, name, new)
        self.hearing.words(now.id)[name] = new

    def _lose(self, now: StoredRecord, name: str, edit: Edit, journal: list[JournalEntry]) -> None:
        key = LEAD_FIELDS[name]
        for line in journal:
            about = line.record_id == now.id and line.field == key and line.kind == "overwritten"
            if about and said(line.before) == edit.value:
                self.checked["8 conflict is explicit"] += 1
                del self.edits[now.id, name]
                return
        if edit.at > self.hearing.heard_at.get(now.id, 0):
            self.window["typed between the last reading and the write"] += 1
            del self.edits[now.id, name]
            return
        mine = self.group(now.id)
        for other, words in self.hearing.heard.items():
            across = self.group(other) == mine and is_lead(other) is not is_lead(now.id)
            if across and words.get(name) == edit.value:
                del self.edits[now.id, name]
                return
        raise GuaranteeViolatedError(f"7 no lost uncontested edit: {edit.told} was overwritten")

    def _met_a_stranger(self, now: StoredRecord, name: str, word: str) -> bool:
        """Whether a word comes from a record that never agreed on the field: a blank is filled."""
        mine = self.group(now.id)
        return any(
            self.group(other) == mine
            and other != now.id
            and words.get(name) == word
            and ((other, name) not in self.agreed or (other, name) in self.unstored)
            for other, words in self.hearing.heard.items()
        )

    def _explain(self, now: StoredRecord, name: str, word: str, call: str) -> None:
        """Every word the engine writes was typed by a person about this person."""
        self.checked["17 base truth"] += 1
        if not word or word == AUTOMATED or word in self.words_of(now.id):
            return
        raise GuaranteeViolatedError(f"14 no cross-write: {name} = {word!r} was written by {call}")

    def _tell(self, now: StoredRecord, name: str, word: str) -> None:
        """The word has reached this record; whoever said it across has been heard."""
        mine = self.group(now.id)
        self.agreed[now.id, name] = {word}
        self.edits.pop((now.id, name), None)
        for other, words in self.hearing.heard.items():
            if self.group(other) == mine and words.get(name) == word:
                self.agreed[other, name] = {word}
        for key, edit in list(self.edits.items()):
            if key[1] == name and edit.value == word and self.group(key[0]) == mine:
                del self.edits[key]


def _pairs(
    before: Mapping[str, StoredRecord], after: Mapping[str, StoredRecord]
) -> Iterable[tuple[StoredRecord, StoredRecord]]:
    return ((before[record], after[record]) for record in before.keys() & after.keys())
