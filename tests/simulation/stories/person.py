"""One person as the connector knows it: read, planned, written, recovered, decided by an admin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from connector.errors import StaleError
from connector.mapping import BoundMapping, ConflictPolicy, Direction, DuplicatePolicy
from connector.model import (
    NEW_RECORD,
    Intent,
    Link,
    Overwritten,
    RecordKind,
    Side,
    Write,
)
from connector.planning.manual_actions import choose_value, is_untyped, pick_primary
from connector.planning.observation import apply_fresh_read, apply_observation, mark_deleted
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent
from connector.planning.write_outcome import (
    WriteOutcome,
    WriteResult,
    done_overwrites,
    is_written,
    record_outcomes,
)
from connector.sync.journal_entries import without_write
from tests.simulation.history.typing_history import CellKey
from tests.simulation.stories.configuration import Configuration, bind
from tests.simulation.stories.records import EMAIL, Record, Records
from tests.simulation.stories.sights import State

NEW: Final = "new"
"""The name of a record that the connector creates, in a fault."""
REFUSED: Final = "refused"
ARRIVED: Final = "arrived"
NOT_ARRIVED: Final = "not_arrived"
FAULTS: Final = (REFUSED, ARRIVED, NOT_ARRIVED)
"""What may become of a write: it is refused; it has no answer, and was done, or not."""
MAX_PLANS: Final = 6
ID: Final = "intent"


class ViolationError(Exception):
    """The planner broke a rule; the text before the colon names it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The value that an admin chose: its record, its typing, and the typings shown with it."""

    record: str
    typing: int
    shown: frozenset[int]


@dataclass(frozen=True, slots=True)
class Loss:
    """A typed value that gives way: the journal must have it after the entry `since`."""

    record: str
    key: str
    state: State
    since: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What a pair agrees on once the writes without an answer are known to be done.

    `cells` are the states of its records then, `targets` the cells that were written, `last` is
    the number of the last typing before.
    """

    cells: tuple[tuple[CellKey, State], ...]
    targets: tuple[CellKey, ...]
    last: int
    contact: str


class Person:
    """The records of one person, the link of the connector, its journal, and what is counted.

    `choices` are the values that admins chose, by the key of the pair, `losses` the values that
    the journal must still get, `counts` the excuses that were used. `took_part` are the records of
    the last run, `unanswered` what is agreed once writes without an answer are known to be done,
    `written` the cells with the number of their writes. `was_interrupted`, `lost_answer`,
    `was_redirected`, `was_moved`: a run stopped at a fault, some write had no answer, the pairs got
    another direction, or another attribute.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.records = Records(configuration)
        self.link = Link(EMAIL)
        self.journal: list[Overwritten] = []
        self.choices: dict[str, Choice] = {}
        self.losses: list[Loss] = []
        self.decided: set[tuple[str, str, int, int]] = set()
        self.counts: Counter[str] = Counter()
        self.policies = {configuration.policy}
        self.took_part: set[str] = set()
        self.unanswered: list[Unanswered] = []
        self.written: Counter[CellKey] = Counter()
        self.created_without_answer: set[str] = set()
        self.held_before: frozenset[str] = frozenset()
        self.hidden: set[str] = set()
        self.was_interrupted = False
        self.lost_answer = False
        self.was_redirected = False
        self.was_moved = False
        self._is_moved = configuration.is_moved
        self._created: Counter[str] = Counter()

    @property
    def configuration(self) -> Configuration:
        """The mapping as it is now."""
        return self.records.configuration

    @property
    def bound(self) -> BoundMapping:
        """The mapping as it is now, bound to its fields."""
        return bind(self.configuration)

    def plan(self, repeated: frozenset[tuple[str, str]] = frozenset()) -> Plan:
        """Plan the link as it is now."""
        now = float(self.records.time)
        return plan_link(self.link, self.bound, now=now, repeated=repeated)

    # What admins do

    def primary(self, record_id: str) -> None:
        """Pick the primary Lead."""
        try:
            self.link = pick_primary(self.link, record_id)
        except StaleError:
            return

    def choose(self, key: str, record_id: str) -> None:
        """Choose the value of one record of a hold, if somebody typed it."""
        hold = self.link.holds.get(key)
        if hold is None or record_id not in hold.values or is_untyped(self.link, key, record_id):
            return
        self.link = choose_value(self.link, key, record_id)
        cells = {it: self.records.cell(it, key) for it in hold.values if it in self.records.by_id}
        same = self.configuration.is_same
        shown = frozenset(
            it.read.typing
            for record, it in cells.items()
            if same(it.read.value, hold.values[record])
        )
        self.choices[key] = Choice(record_id, self.records.cell(record_id, key).read.typing, shown)

    def policy(self, value: str) -> None:
        """Save a mapping with another policy."""
        policy = ConflictPolicy(value)
        self.policies.add(policy)
        self.records.configuration = replace(self.configuration, policy=policy)

    def direction(self, value: str) -> None:
        """Save a mapping with another direction."""
        self.was_redirected |= Direction(value) is not self.configuration.direction
        self.records.configuration = replace(self.configuration, direction=Direction(value))

    def duplicates(self, value: str) -> None:
        """Save a mapping with another duplicate policy."""
        self.records.configuration = replace(self.configuration, duplicates=DuplicatePolicy(value))

    def point(self) -> None:
        """Point each pair at its other attribute in Plezi."""
        configuration = self.configuration
        self.records.configuration = replace(configuration, is_moved=not configuration.is_moved)

    def _meet_new_pair(self) -> None:
        """Note that the pair has another attribute than in the last run."""
        self._is_moved = self.configuration.is_moved
        self.was_moved = True
        self.records.sights.change_pair()
        self.choices.clear()

    # What a run does

    def read(self) -> None:
        """Read all records, the contact in Plezi last: it replaces a deleted one."""
        self.held_before = frozenset(self.link.holds)
        self.hidden |= self.unread()
        if self.configuration.is_moved is not self._is_moved:
            self._meet_new_pair()
        self.records.time += 1
        records = self.records.by_id.values()
        order = sorted(
            records, key=lambda it: (it.kind.side is Side.PLEZI and not it.deleted, it.id)
        )
        for record in order:
            if record.kind.side is Side.PLEZI and record.deleted:
                self.link = mark_deleted(self.link, record.id)
            elif self._is_read(record):
                self.link = apply_observation(self.link, self.records.observe(record))
        self._read_again()

    def unread(self) -> set[str]:
        """Return the records outside the filter: a run does not read their values."""
        return {it.id for it in self.records.by_id.values() if not it.eligible}

    def _read_again(self) -> None:
        """Read the records of the person again, as a run does before its writes.

        The versions of records of which nothing else has changed are known then.
        """
        for known in self.link.observations():
            record = self.records.by_id[known.id]
            if record.kind.side is Side.SALESFORCE or not record.deleted:
                self.link = apply_fresh_read(self.link, self.records.observe(record))

    def _is_read(self, record: Record) -> bool:
        """Whether a record is known, or is one to get to know."""
        if record.id in self.link.record_ids:
            return True
        if not record.is_active or not record.email:
            return False
        is_left_out = record.kind is RecordKind.CONTACT and not record.eligible
        return not is_left_out or bool(self.link.record_ids)

    def recover(self) -> frozenset[tuple[str, str]]:
        """Recover the unfinished intent, if there is one; return what is written again."""
        if self.link.intent is None:
            return frozenset()
        recovery = recover_intent(self.link, self.bound, now=float(self.records.time))
        self.link = recovery.link
        self.journal += recovery.overwritten
        for each in self.unanswered:
            self._agree_if_done(each)
        self.unanswered.clear()
        return recovery.repeated

    def _agree_if_done(self, unanswered: Unanswered) -> None:
        """Note an agreement if the records still show what was written to them."""
        sights, states = self.records.sights, dict(unanswered.cells)
        if all(
            sights.is_same(sights.cell(it).state.value, states[it].value)
            for it in unanswered.targets
        ):
            for cell, state in unanswered.cells:
                sights.agree_on(cell, state, unanswered.last, unanswered.contact)

    def begin(self, plan: Plan) -> None:
        """Store the intent of a plan."""
        now = float(self.records.time)
        intent = Intent(ID, "run", now, plan.writes, plan.base_updates, plan.overwritten)
        self.journal += without_write(plan)
        self.link = replace(plan.link, intent=intent, dirty=True)

    def create_for(self, write: Write) -> str:
        """Return the record of a write; create it if it is not there yet."""
        if not write.is_create:
            return write.record_id
        letter = "p" if write.side is Side.PLEZI else "l"
        self._created[letter] += 1
        return self.records.add(f"{letter}z{self._created[letter]}").id

    def outcome(self, write: Write, record_id: str, fault: str) -> WriteOutcome:
        """Return the answer to a write; `record_id` is the record that has it."""
        now = float(self.records.time)
        if fault == REFUSED:
            return WriteOutcome(write, WriteResult.REJECTED, code="X", answered_at=now)
        if fault:
            self.lost_answer = True
            if write.is_create:
                self.created_without_answer.add(record_id)
            return WriteOutcome(write, WriteResult.UNKNOWN)
        observation = self.records.observe(self.records.by_id[record_id])
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id,
            now,
            created=write.is_create,
            observation=observation,
        )

    def end(self, outcomes: Mapping[str, WriteOutcome]) -> None:
        """Record the answers, and journal what gave way to the writes that were done."""
        intent = self.link.intent
        if intent is not None:
            self.journal += done_overwrites(intent, partial(is_written, outcomes))
        self.link = record_outcomes(
            self.link,
            ID,
            outcomes,
            unchanged_since_intent=True,
            now=float(self.records.time),
        )

    def fault_of(self, write: Write, faults: Mapping[str, str]) -> str:
        """Return what becomes of a write ('': it is done)."""
        name = NEW if write.record_id == NEW_RECORD else write.record_id
        return faults.get(name, "")

    def has_journaled(self, loss: Loss) -> bool:
        """Whether the journal has a value that gave way."""
        return any(
            (it.record_id, it.pair) == (loss.record, loss.key)
            and self.configuration.is_same(it.value, loss.state.value)
            for it in self.journal[loss.since :]
        )
