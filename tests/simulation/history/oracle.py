"""The oracle: follows every typed value to the end, and checks every write of the connector.

It does not read the connector's ledger. Its inputs are the user actions, the responses that the
connector reads, the changes that the connector's writes make, the mapping and the decisions of
admins, and the journal. The final check (`final_state`) also reads the review queue.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connector.mapping import Direction, FieldPair, MappingConfig
from connector.model import JournalEntry, JournalKind, MergeRule, RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history import reference
from tests.simulation.history.excuses import LOST_INTENT, OLD_VALUE_BACK
from tests.simulation.history.fields import FIELDS, NEW_NAME, SPARE, Kind
from tests.simulation.history.observed_values import ObservedValues
from tests.simulation.history.reference import field_of, find_pair
from tests.simulation.history.typing_history import (
    NOBODY,
    Cell,
    CellKey,
    Relation,
    State,
    TypingHistory,
)
from tests.simulation.history.values import canonical, cell_value, is_same_text, kind_of
from tests.simulation.history.write_check import Replaced, WriteCheck

PLEZI_CELLS: Final = frozenset({"email", *FIELDS})
LEAD_CELLS: Final = frozenset({"Email", *SPARE, NEW_NAME, *(it.lead for it in FIELDS.values())})
CONTACT_CELLS: Final = frozenset(
    {"Email", *(it.contact for it in FIELDS.values() if it.contact and "." not in it.contact)}
)
CELLS: Final = {
    RecordKind.PLEZI_CONTACT: PLEZI_CELLS,
    RecordKind.LEAD: LEAD_CELLS,
    RecordKind.CONTACT: CONTACT_CELLS,
}
"""The fields of each kind of record in which users type."""
KINDS: Final = {
    name: spec.kind for spec in FIELDS.values() for name in (spec.plezi, spec.lead, spec.contact)
}
PAGE_URL: Final = "plezi_url__c"
OPT_OUT: Final = "newsletter_optout"


class GuaranteeViolatedError(BaseException):
    """The connector violated a guarantee; the message starts with its number and its name.

    It is no `Exception`: it is raised inside a call of the connector, which isolates the errors of
    one person, and must not catch it.
    """


@dataclass(frozen=True, slots=True)
class Decision:
    """An admin chose the value of one record for a held field, after a user action's number."""

    pair: str
    record: str
    number: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of a write request: its id ('': a creation) and its values, canonical."""

    record: str
    values: Mapping[str, str]


@dataclass
class Oracle:
    """All typings, and what the connector observed and wrote."""

    mappings: list[MappingConfig]
    """The versions of the mapping that the working process may use; the newest is the last."""
    journal: Callable[[], Iterable[JournalEntry]]
    now: Callable[[], float]
    """The time of the connector, in seconds: it stands in the journal."""
    versions: list[MappingConfig] = field(default_factory=list)
    """All versions of the mapping since the beginning."""
    suspended: Callable[[], Collection[str]] = frozenset
    """The keys of the pairs that do not work now."""
    history: TypingHistory = field(default_factory=TypingHistory)
    observed: ObservedValues = field(default_factory=ObservedValues)
    checked: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    """How often each excuse was used (`excuses`)."""
    stored: dict[str, StoredRecord] = field(default_factory=dict)
    """The records of both sides when the oracle looked last."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """The record ids and e-mails of each person, by the id of the person."""
    persons: dict[str, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    """The ids of the runs and forms that are worked on."""
    replaced: list[Replaced] = field(default_factory=list)
    losses: list[Replaced] = field(default_factory=list)
    """The typed values that gave way: the journal must have them."""
    raced: set[int] = field(default_factory=set)
    """The typings that were replaced between the last read and the write."""
    created: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    """The records of the last write request."""
    just_created: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The values of the records that the last write request created, by record id."""
    uncommitted: dict[CellKey, tuple[str, float]] = field(default_factory=dict)
    """What users typed in transactions that commit later, and when."""
    can_search: bool = True
    """Whether Plezi finds a contact by its e-mail."""
    has_times: bool = True
    """Whether Plezi returns when a contact was changed."""
    is_ledger_lost: bool = False
    """Whether the ledger was lost: since then only equal e-mails show who is one person."""
    known_to_lost_ledger: frozenset[str] = frozenset()
    """The ids of the records that were there when the ledger was lost."""
    not_stored: set[tuple[str, float, str]] = field(default_factory=set)
    """The holds (run, time, pair) in the journal whose process crashed before it stored them."""
    typed_back: set[CellKey] = field(default_factory=set)
    """The cells in which an automation put the former value again, within the write."""
    unanswered: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What Plezi contacts were created with whose creation had no answer, by record id."""
    typed_too: list[Replaced] = field(default_factory=list)
    """The values that a user had typed, since the last reading, when they were written."""

    @property
    def order(self) -> int:
        """The number of the last user action."""
        return self.history.last

    # Which records belong to one person

    def group(self, record: str) -> str:
        """Return the id of the person that a record belongs to, as far as users know."""
        return self.persons.get(record, record)

    def same_person(self, first: str, second: str) -> None:
        """Note that two records, or a record and an e-mail, belong to one person."""
        kept, merged = self.group(second), self.group(first)
        members = self.members.setdefault(kept, {kept, second})
        if kept != merged:
            members |= self.members.pop(merged, set())
        members |= {first, merged}
        for member in members:
            self.persons[member] = kept

    def records_of_person(self, record: str) -> Iterator[str]:
        """Yield the ids of all records of the person of a record, in a stable order."""
        for member in sorted(self.members.get(self.group(record), {record})):
            if "@" not in member:
                yield member

    # User actions

    def notice(self, stored: Mapping[str, StoredRecord], description: str) -> None:
        """Compare what is stored with what was stored before: a user, or an automation, typed it.

        Called after each user action, and before a call of the connector while transactions of
        users are open.
        """
        for record_id, now in stored.items():
            was = self.stored.get(record_id)
            if was is not None and was == now:
                continue
            for name in CELLS[now.kind]:
                value = cell_value(now, name)
                if value != self.history.cell((record_id, name)).state.value:
                    key = (record_id, name)
                    shown = self._shown(key)
                    self.history.type(
                        key, value, self._typed_at(key, value), description, shown=shown
                    )
                    self._end_loss(key, value)
                    self.checked[f"typed {KINDS.get(name, Kind.TEXT).value}"] += 1
        self.stored = dict(stored)

    def _typed_at(self, key: CellKey, value: str) -> float:
        """Return when a value was typed that is seen now: its transaction may have been open."""
        if key in self.uncommitted and self.uncommitted[key][0] == value:
            return self.uncommitted.pop(key)[1]
        return self.now()

    def _end_loss(self, key: CellKey, value: str) -> None:
        """Forget the loss of a value that is typed again where it was lost."""
        self.losses = [it for it in self.losses if (it.record, it.name, it.before) != (*key, value)]

    def _shown(self, key: CellKey) -> frozenset[int]:
        """Return the typings that the last hold of a field showed with the value of this cell.

        The last one by its time: a process that was paused may journal an older one after it. A
        hold that showed another field of the record, which was in the pair before the mapping was
        changed, did not show this one.
        """
        record, name = key
        cell = self.history.cell(key)
        pairs = {pair.key for it in self.mappings if (pair := find_pair(it, kind_of(record), name))}
        held = [
            it
            for it in self.journal()
            if it.kind is JournalKind.HELD
            and it.field in pairs
            and (it.run_id, it.at, it.field) not in self.not_stored
        ]
        of_record = [
            it
            for it in held
            if it.record_id == record
            and any(is_same_text(it.before, state.value) for state in (*cell.past, cell.state))
        ]
        if not of_record:
            return frozenset()
        last = max(reversed(of_record), key=lambda it: it.at)
        if any(
            it.pair == last.field
            and it.at > last.at
            and self.group(it.record) == self.group(record)
            for it in self.replaced
        ):
            return frozenset()  # the hold is over
        typings = set()
        for entry in held:
            if (entry.run_id, entry.at, entry.field) != (last.run_id, last.at, last.field):
                continue
            kind = kind_of(entry.record_id) if entry.record_id else None
            if kind is None or self.group(entry.record_id) != self.group(record):
                continue
            for pair in (it for mapping in self.mappings for it in mapping.pairs):
                of_entry = self.history.cells.get((entry.record_id, field_of(pair, kind)))
                if pair.key != entry.field or of_entry is None:
                    continue
                typings |= {
                    it.typing
                    for it in (*of_entry.past, of_entry.state)
                    if is_same_text(entry.before, it.value)
                    and it.typing in self.history.typings
                    and self.history.typings[it.typing].at <= entry.at
                }
        return frozenset(typings) - {NOBODY}

    def note_holds(self, stored: Collection[tuple[str, str]]) -> None:
        """Note after a crash which holds the ledger has (record, pair): users are shown no other.

        The process wrote the others into the journal, and ended before it stored them.
        """
        self.not_stored |= {
            (it.run_id, it.at, it.field)
            for it in self.journal()
            if it.kind is JournalKind.HELD
            and it.run_id in self.runs
            and (it.record_id, it.field) not in stored
        }

    def type(self, key: CellKey, value: str, description: str) -> None:
        """Note a value that an automation put in a field: an edit like that of a user."""
        self.history.type(key, value, self.now(), description, shown=self._shown(key))

    def continue_record(self, former: str, successor: StoredRecord) -> None:
        """Let a record continue another one: a Contact its Lead, a winner the losing record.

        What a conversion copies is shown as typed where it was typed. The name of an account is no
        field of its Contact: it stays as the Lead's company was.
        """
        source, target = kind_of(former), successor.kind
        names = [("Email", "Email")]
        names += [
            (spec.lead if source is RecordKind.LEAD else spec.contact, spec.contact)
            if target is RecordKind.CONTACT
            else (spec.lead, spec.lead)
            for spec in FIELDS.values()
        ]
        for old, new in names:
            cell = self.history.cells.get((former, old))
            if not new or cell is None or (successor.id, new) in self.history.cells:
                continue
            if "." in new or cell_value(successor, new) == cell.state.value:
                self.history.cell((successor.id, new)).state = cell.state
        self.history.copy(former, successor.id, [(old, new) for old, new in names if new])

    def rename(self, kind: RecordKind, old: str, new: str) -> None:
        """A field has another name: its values and their history go with it."""
        for record, name in list(self.history.cells):
            if name == old and kind_of(record) is kind:
                self.history.cells[record, new] = self.history.cells.pop((record, old))
        for number, typing in self.history.typings.items():
            if typing.key[1] == old and kind_of(typing.key[0]) is kind:
                self.history.typings[number] = replace(typing, key=(typing.key[0], new))

    def forget_all_agreements(self) -> None:
        """The ledger is lost: equal values are agreed, blanks are filled, others in conflict."""
        self.history.forget_agreements()
        self.observed.clear()
        self.is_ledger_lost = True
        self.known_to_lost_ledger = frozenset(self.stored)

    def clock_was_set(self) -> None:
        """Let what was typed be older than what the journal gets, although the clock was set back.

        The time of the connector orders what users typed and what the journal says.
        """
        now = self.now()
        for number, typing in self.history.typings.items():
            self.history.typings[number] = replace(typing, at=min(typing.at, now))
        self.uncommitted = {it: (of, min(at, now)) for it, (of, at) in self.uncommitted.items()}
        self.replaced = [replace(it, at=min(it.at, now)) for it in self.replaced]

    def forget_losses_of(self, runs: Collection[str]) -> None:
        """The intents of some runs are lost before they are recovered, and their losses with them.

        This is counted: see `excuses`.
        """
        kept = [it for it in self.losses if not it.runs & set(runs)]
        self.excused[LOST_INTENT] += len(self.losses) - len(kept)
        self.losses = kept

    def note_unanswered(self, unfinished: Collection[CellKey] = ()) -> None:
        """The answer to the last write was lost: it may have been a creation in Plezi.

        `unfinished` are the cells of the intents that are left. One that shows the value from
        before the write looks as if the write had not arrived.
        """
        for key in sorted(self.typed_back.intersection(unfinished)):
            self.excused[OLD_VALUE_BACK] += 1
            self.history.weaken(key)
            self.history.void_last_agreement(key)
            self._end_loss(key, self.history.cell(key).state.value)
        self.typed_back.clear()
        for record, values in self.just_created.items():
            if kind_of(record) is RecordKind.PLEZI_CONTACT:
                self.unanswered[record] = {
                    name: value for name, value in values.items() if value and name != "email"
                }
        self.just_created = {}

    def is_taken_for_another(self, record: str) -> bool:
        """Whether nothing shows any more that the connector created the contact of a person.

        Plezi keeps no proof: the creation had no answer, and users typed over all of its values
        before it was recovered. The contact then meets its Lead for the first time.
        """
        return any(
            created
            and other in self.stored
            and all(cell_value(self.stored[other], name) != it for name, it in created.items())
            for other in self.records_of_person(record)
            if (created := self.unanswered.get(other)) is not None
        )

    def forget_agreements_of(self, record: str) -> None:
        """A record was deleted: another one in its place meets the person for the first time."""
        self.observed.latest.pop(record, None)
        self.history.forget_agreements(frozenset(self.records_of_person(record)))

    def has_seen_deleted(self, record: str) -> bool:
        """Whether the connector has read a record since it was deleted."""
        return record in self.observed.latest

    # Responses

    def leads_were_listed(self) -> None:
        """Note that the connector read the list of Leads to its end: it knows all of them."""
        self.observed.leads_listed_at = self.order

    def is_unread(self, lead: str) -> bool:
        """Whether a user created a Lead after the last reading of the list, and it was not read."""
        address = self.history.cells.get((lead, "Email"))
        if address is None or lead in self.observed.observed_at:
            return False
        typings = [it.typing for it in (*address.past, address.state) if it.typing != NOBODY]
        return bool(typings) and min(typings) > self.observed.leads_listed_at

    def add_response(self, content: bytes, stored: Mapping[str, StoredRecord]) -> None:
        """Add a response; the sides may have agreed on a value that was read on both of them."""
        names = {kind: self._mapped_names(kind) for kind in RecordKind}
        for record in self.observed.add_response(content, stored, self.order, names):
            for one, other, value in self._equal_cells(record):
                if self._shows(one, value) and self._shows(other, value):
                    self.history.maybe_agree(one, other)
                else:
                    self.history.were_equal(one, other, value)

    def _mapped_names(self, kind: RecordKind) -> frozenset[str]:
        """Return the fields of a kind of record in which the connector sees an edit."""
        suspended = self.suspended()
        return frozenset(
            field_of(pair, kind)
            for mapping in self.mappings
            for pair in mapping.pairs
            if pair.direction is not Direction.OFF and pair.key not in suspended
        )

    def finish_run(self, resolved: frozenset[str]) -> None:
        """A run is done: what it read on both sides of a resolved record is surely agreed."""
        self.unanswered = {it: of for it, of in self.unanswered.items() if it not in resolved}
        self.observed.modified_before.clear()
        self.typed_back.clear()
        for record in sorted(self.observed.in_run & resolved):
            for one, other, value in self._equal_cells(record):
                is_shown = self._shows(one, value) and self._shows(other, value)
                if is_shown and other[0] in self.observed.in_run:
                    unread = self._unread_in_contacts(record)
                    self.history.agree(one, other, unread=unread)
        self.observed.in_run.clear()

    def _shows(self, key: CellKey, value: str) -> bool:
        return self.history.cell(key).state.value == value

    def _equal_cells(self, record: str) -> Iterator[tuple[CellKey, CellKey, str]]:
        """Yield the cells of a record, with their value, that equal one of the other side as read.

        Somebody may have typed over it since.
        """
        kind = kind_of(record)
        latest = self.observed.latest_of(record)
        for other in self.records_of_person(record):
            if kind_of(other).side is kind.side:
                continue
            other_latest = self.observed.latest_of(other)
            for pair in self.mappings[-1].pairs:
                name, other_name = field_of(pair, kind), field_of(pair, kind_of(other))
                value = latest.get(name)
                if value is None or value != other_latest.get(other_name):
                    continue
                yield (record, name), (other, other_name), value

    def check_journal(self) -> None:
        """Check that the journal has each typed value that gave way, and nothing that did not.

        An entry is written with the outcome of the write, or when an unfinished write is recovered:
        the check is made when all runs are done. Raises `GuaranteeViolatedError`.
        """
        journal = list(self.journal())
        # An entry of a write in doubt says that it is not known what took place.
        entries = [
            it
            for it in journal
            if it.kind is JournalKind.OVERWRITTEN and it.rule != MergeRule.IN_DOUBT
        ]
        for loss in self.losses:
            self.checked["8 conflict is journaled"] += 1
            kinds = {JournalKind.OVERWRITTEN, *([JournalKind.WRITTEN] if loss.is_chosen else [])}
            matching = [
                it
                for it in journal
                if it.kind in kinds and loss.matches(it) and it.run_id in loss.runs
            ]
            if not matching:
                raise GuaranteeViolatedError(
                    f"7 no lost update: {loss.description}; it was overwritten with "
                    f"{loss.after[:40]!r}, and the journal is silent"
                )
            if not any(it.rule in reference.RULES_OF_A_LOSS for it in matching):
                raise GuaranteeViolatedError(
                    f"8 conflict is journaled: the journal names no rule but {matching[0].rule!r}"
                )
            if not loss.is_one_way and all(it.rule == MergeRule.ONE_WAY for it in matching):
                raise GuaranteeViolatedError(
                    f"8 conflict is journaled: {loss.description}; the journal calls a two-way "
                    "pair one_way"
                )
        self.losses.clear()
        for entry in entries:
            self.checked["38 each loss in the journal took place"] += 1
            is_typed = entry.field != PAGE_URL
            is_written = is_typed and not self._takes_no_write(entry)
            written = (*self.replaced, *self.typed_too)
            if is_written and not any(it.matches_write(entry) for it in written):
                raise GuaranteeViolatedError(
                    f"38 each loss in the journal took place: {entry.field} of {entry.record_id} "
                    f"never gave way to {str(entry.after)[:40]!r} ({entry.rule})"
                )

    def _takes_no_write(self, entry: JournalEntry) -> bool:
        """Whether a value gives way in the agreement only.

        So it does in a Contact, in a Lead that has left, and on the sending side of a one-way pair.
        """
        kind, stored = kind_of(entry.record_id), self.stored.get(entry.record_id)
        has_left = stored is not None and (stored.deleted or stored.converted or not stored.email)
        return (
            kind is RecordKind.CONTACT
            or has_left
            or any(
                pair.key == entry.field and not pair.direction.can_receive(kind.side)
                for mapping in (*self.versions, *self.mappings)
                for pair in mapping.pairs
            )
        )

    # Writes of the connector

    def check_request(
        self, method: str, path: str, body: object, before: Mapping[str, StoredRecord]
    ) -> None:
        """Check an update before it is sent: every field differs from what was observed.

        A stale observation is not an excuse for the check: only a field whose observed value is
        also the stored value violates the guarantee.
        """
        self.sent, self.just_created = (), {}
        if not isinstance(body, bytes | str):
            return
        document = json.loads(body)
        if "data" in document:
            record = str(document["data"].get("id", "")) if method != "POST" else ""
            rows = [(record, document["data"]["attributes"])]
        else:
            found = document.get("records", []) if isinstance(document, dict) else []
            rows = [(str(row.get("id", "")), row) for row in found]
        self.sent = tuple(
            Sent(
                record,
                {name: canonical(value) for name, value in values.items() if name != "attributes"},
            )
            for record, values in rows
        )
        for each in self.sent:
            stored = before.get(each.record)  # None: deleted in Plezi, which refuses the write
            if stored is None:
                continue
            for name, value in each.values.items():
                observed = self.observed.current.get(each.record, {}).get(name)
                if (
                    observed is not None
                    and name in CELLS[stored.kind]
                    and observed == value == cell_value(stored, name)
                    and not _is_placeholder(stored, name)
                ):
                    raise GuaranteeViolatedError(
                        f"10 field isolation: {name} has this value already, and is sent to {path}"
                    )
                if observed != value == cell_value(stored, name):
                    # A user has typed, since the last reading, what the connector writes.
                    keys = self.keys_of(stored.kind, name)
                    self.typed_too += [Replaced(each.record, key, value, value) for key in keys]

    def check_changes(
        self,
        before: Mapping[str, StoredRecord],
        after: Mapping[str, StoredRecord],
        call: str,
    ) -> None:
        """Check everything that a write call of the connector changed."""
        self.just_created = {
            record: {name: cell_value(after[record], name) for name in CELLS[after[record].kind]}
            for record in sorted(after.keys() - before.keys())
        }
        for record, now in after.items():
            was = before.get(record)
            if was is None:
                self._check_created(now, before, call)
            elif was != now:
                self._check_changed(was, now, call)
        for record in before.keys() - after.keys():
            raise GuaranteeViolatedError(f"16 delete safety: {record} vanished after {call}")
        self.stored = dict(after)

    def _check_created(
        self,
        now: StoredRecord,
        before: Mapping[str, StoredRecord],
        call: str,
    ) -> None:
        self.checked["15 no duplicate creation"] += 1
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: {call} created a Contact")
        if not now.email:
            raise GuaranteeViolatedError("12 eligibility: a record without e-mail was created")
        self.same_person(now.id, now.email)
        created = self.created.setdefault((self.group(now.id), now.kind.value), [])
        existing = [before[it] for it in created if it in before]
        active = [it for it in existing if not (it.deleted or it.converted)]
        if any(it.email == now.email for it in active):
            raise GuaranteeViolatedError(
                f"15 no duplicate creation: a second {now.kind} of one person was created"
            )
        created.append(now.id)
        self.observed.observed_at[now.id] = self.order
        for name in sorted(CELLS[now.kind]):
            if value := cell_value(now, name):
                self._check_field(now, name, "", value, call)

    def _check_changed(self, was: StoredRecord, now: StoredRecord, call: str) -> None:
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: {call} changed a Contact")
        if was.converted:
            raise GuaranteeViolatedError(f"11 direction: {call} changed a converted Lead")
        if now.deleted and not was.deleted:
            raise GuaranteeViolatedError(f"16 delete safety: {call} deleted {now.id}")
        sent = self._sent_to(now)
        for name in sent.keys() - CELLS[now.kind] - {PAGE_URL, "id", "Id"}:
            raise GuaranteeViolatedError(f"10 field isolation: {call} wrote {name}")
        for name in sorted(CELLS[now.kind]):
            old, new = cell_value(was, name), cell_value(now, name)
            wanted = sent.get(name)
            if old != new or (wanted is not None and wanted != new):
                self._check_field(now, name, old, new, call)

    def _sent_to(self, record: StoredRecord) -> dict[str, str]:
        """Return what the last request sent to a record; a creation may hit an existing one."""
        found: dict[str, str] = {}
        for each in self.sent:
            is_this = each.record == record.id
            if not each.record:
                email = each.values.get("Email") or each.values.get("email") or ""
                url = each.values.get(PAGE_URL)
                is_this = email.lower() == record.email or (
                    url is not None and url == record.values.get(PAGE_URL)
                )
            if is_this:
                found |= each.values
        return found

    def _unread_in_contacts(self, record: str) -> frozenset[int]:
        """Return what was typed in the Contacts of a person since they were read."""
        contacts = {
            it for it in self.records_of_person(record) if kind_of(it) is RecordKind.CONTACT
        }
        return frozenset(
            cell.state.typing
            for (contact, _), cell in self.history.cells.items()
            if contact in contacts and cell.state.typing > self.observed.observed_at.get(contact, 0)
        )

    def _check_field(  # a change, and where it was seen
        self,
        now: StoredRecord,
        name: str,
        old: str,
        new: str,
        call: str,
    ) -> None:
        """Check one changed field; what the request did not contain, an automation wrote."""
        sent = self._sent_to(now)
        wanted = sent.get(name)
        if wanted is not None and name in ("Email", "email"):
            wanted = wanted.lower()
        if wanted is not None and wanted != old:
            self.checked["10 field isolation"] += 1
            is_create = all(it.record != now.id for it in self.sent)
            self._check_write(now, name, wanted, call, is_create=is_create)
        if wanted != new and new != self.history.cell((now.id, name)).state.value:
            self.type((now.id, name), new, "an automation of the org wrote it")
            if new == old:
                self.typed_back.add((now.id, name))

    def _check_write(  # a write, and where it was seen
        self,
        now: StoredRecord,
        name: str,
        new: str,
        call: str,
        *,
        is_create: bool,
    ) -> None:
        """Judge one written value: where it comes from, and what it replaces."""
        pairs = [pair for it in self.mappings if (pair := find_pair(it, now.kind, name))]
        if not any(pair.direction.can_receive(now.kind.side) for pair in pairs):
            raise GuaranteeViolatedError(f"11 direction: {call} wrote {name}")
        self.checked["7 no lost update"] += 1
        self.checked["14 no write across persons"] += 1
        target = self.history.cell((now.id, name))
        problems = []
        for pair in pairs:
            check = WriteCheck(self, now, name, target, new, pair, is_create=is_create)
            for source, state in self._sources(pair, now, name, new):
                problem, excuse = check.problem(source, state)
                if not problem:
                    if excuse:
                        self.excused[excuse] += 1
                    before = target.state.value
                    unread = self._unread_in_contacts(now.id)
                    self.history.write((now.id, name), source, state, new, unread=unread)
                    self.observed.latest_of(now.id)[name] = new
                    keys = self.keys_of(now.kind, name)
                    self.replaced.append(
                        Replaced(now.id, pair.key, before, new, at=self.now(), pairs=keys)
                    )
                    return
                problems.append(problem)
        if problems:
            raise GuaranteeViolatedError(problems[0])
        lost = self.history.typings.get(target.state.typing)
        if not new and lost is not None:
            raise GuaranteeViolatedError(
                f"7 no lost update: {lost.description}; it was emptied, and nobody cleared it"
            )
        if new:
            raise GuaranteeViolatedError(
                f"14 no write across persons: {call} wrote {name} = {new[:40]!r}, "
                "which nobody typed in a record of this person"
            )

    def keys_of(self, kind: RecordKind, name: str) -> frozenset[str]:
        """Return the keys of the pairs of a field, in every version that a run may use."""
        found = (find_pair(it, kind, name) for it in self.mappings)
        return frozenset(pair.key for pair in found if pair is not None)

    def _sources(
        self, pair: FieldPair, now: StoredRecord, name: str, new: str
    ) -> list[tuple[CellKey, State]]:
        """Return the cells from which a written value may come, the most likely ones first.

        Those that show it now come before those that showed it, and then those whose author could
        see the value that it replaces: two people may type the same value.
        """
        found = []
        target = self.history.cell((now.id, name))
        for record in self.records_of_person(now.id):
            kind = kind_of(record)
            source = (record, field_of(pair, kind))
            if not source[1] or source == (now.id, name) or source not in self.history.cells:
                continue
            cell = self.history.cells[source]
            state = cell.state_with(new)
            if state is None and new.casefold() == cell.state.value.casefold():
                state = cell.state
            if state is not None and (new or _is_cleared(state, target)):
                could_see = self.history.relation(state, target) is Relation.FORWARD
                rank = (state is not cell.state, not could_see, kind.side is now.kind.side)
                found.append((rank, source, state))
        return [(source, state) for _, source, state in sorted(found, key=lambda it: it[:2])]


def _is_cleared(state: State, target: Cell) -> bool:
    """Whether somebody made a cell blank: they typed it, or took back what the target shows now.

    Who clears a field before the connector wrote its value puts back the blank that was agreed.
    The value was written nevertheless; a blank that replaced it is a clearing.
    """
    return state.typing != NOBODY or target.state.typing in state.seen - {NOBODY}


def _is_placeholder(record: StoredRecord, name: str) -> bool:
    return bool(record.values.get(name)) and not cell_value(record, name)
