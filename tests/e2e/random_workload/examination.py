"""Every typed value is there, or was typed over, or the journal says what became of it.

It walks along the typings of each field of each record. Between one typing and the next one (or the
final record) the field either still shows what was typed, or the connector replaced it; then one
explanation must hold, and each is counted. It uses nothing of the connector.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.random_workload.evidence import Entry, Evidence, FinalPerson, Typing
from tests.e2e.random_workload.fields import MEANINGS, PLEZI, SALESFORCE, SIDES
from tests.e2e.random_workload.policy import RECEIVERS, permits

THERE: Final = "typed: there at the end"
TYPED_OVER: Final = "typed: typed over in the same record"
SEEN_THERE: Final = "typed: replaced by what somebody typed on the other side, who saw it"
JOURNALED: Final = "typed: overwritten, journaled with the rule"
CHOSEN: Final = "typed: an admin chose the other value"
DECIDED_BEFORE: Final = "typed: agreed by a choice of an admin, then replaced by a later edit"
FILLED: Final = "typed: a blank that was never agreed on, filled at a first meeting"
TYPED_BACK: Final = (
    "typed: the agreed value again, before a run saw the one between (documented limit)"
)
LAST_READING: Final = "typed: between our last reading and our write (documented limit)"
USER_READING: Final = "typed: the connector wrote between the user's reading and typing"
CROSSED: Final = (LAST_READING, USER_READING)
"""The explanations that are a matter of seconds: a workload must not have many of them."""
AGREE: Final = "final: both sides agree"
HELD: Final = "final: held, with the values that the records have"
REFUSED: Final = "final: refused by a system, by the name of the field"
NOT_CREATED: Final = "final: no second record, a system refused its creation by the name of a field"
ONE_WAY: Final = "final: one-way, edited on the receiving side"
OFF: Final = "final: the pair is off"
TWO_VALUES: Final = "final: fill_blank keeps two values"
CLOCK_SECONDS: Final = 1.0
"""How much the times of the user and of the journal may differ: one machine, two processes."""
WRITE_SECONDS: Final = 15.0
"""The end of a unit's writes after it was decided, on a busy machine."""
FRESH_SECONDS: Final = 60.0
"""How old a reading may be when a write rests on it (docs/architecture.md, Freshness)."""
SHORT: Final = 40


@dataclass
class Findings:
    """How often each explanation was used, and what has none, each with its history."""

    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Return the counts as a table of Markdown."""
        rows = [f"| {name} | {number:,} |" for name, number in sorted(self.explained.items())]
        rows.append(f"| **unexplained** | {len(self.unexplained)} |")
        return "\n".join(["| explanation | number |", "| --- | --- |", *rows])


def examine(evidence: Evidence) -> Findings:
    """Examiner every typed value and the final values of every person and field."""
    return _Examiner(evidence).findings()


class _Examiner:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._findings = Findings()
        self._typed: dict[tuple[int, str], list[Typing]] = defaultdict(list)
        self._entries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._used: set[int] = set()
        for typing in sorted(evidence.typings, key=lambda it: it.number):
            self._typed[typing.person, typing.field].append(typing)
        for entry in sorted(evidence.journal, key=lambda it: it.at):
            self._entries[entry.record, entry.field].append(entry)

    def findings(self) -> Findings:
        """Examiner everybody."""
        for number, person in self._evidence.people.items():
            for problem in person.problems:
                self._findings.unexplained.append(f"person {number}: {problem}")
            if not (person.plezi and person.lead):
                self._examine_missing(number, person)
            for name in MEANINGS:
                self._examine_typings(number, person, name)
                if person.plezi and person.lead:
                    self._examine_final(number, person, name)
        return self._findings

    def _examine_missing(self, number: int, person: FinalPerson) -> None:
        side = SALESFORCE if person.plezi else PLEZI
        if person.refused:
            self._findings.explained[NOT_CREATED] += 1
        else:
            self._findings.unexplained.append(f"person {number}: no record in {side}")

    def _value(self, record: str, name: str) -> str:
        return self._evidence.values.get(record, {}).get(name, "")

    def _unexplained(self, number: int, name: str, problem: str) -> None:
        history = "\n".join(f"    {line}" for line in self._history(number, name))
        self._findings.unexplained.append(f"person {number}, {name}: {problem}\n{history}")

    # The values that were typed

    def _examine_typings(self, number: int, person: FinalPerson, name: str) -> None:
        typed = self._typed[number, name]
        for record in dict.fromkeys(it.record for it in typed):
            if record not in (person.plezi, person.lead):
                self._unexplained(number, name, f"{record} is no record of the person any more")
                continue
            cell = [it for it in typed if it.record == record]
            for place, typing in enumerate(cell):
                is_last = place + 1 == len(cell)
                following = None if is_last else cell[place + 1]
                after = following.before if following else self._value(record, name)
                if after == typing.value:
                    self._findings.explained[TYPED_OVER if following else THERE] += 1
                    continue
                until = following.began if following else float("inf")
                if explanation := self._replaced(typing, after, until):
                    self._findings.explained[explanation] += 1
                else:
                    self._unexplained(
                        number,
                        name,
                        f"{_short(typing.value)} of {record} (typing {typing.number}) became "
                        f"{_short(after)}",
                    )

    def _replaced(self, typing: Typing, after: str, until: float) -> str:
        """Return why the connector replaced a typed value with another one ('': no reason)."""
        if self._was_seen_on_the_other_side(typing, after, until):
            return SEEN_THERE
        for kind, explanation in (("overwritten", JOURNALED), ("written", CHOSEN)):
            for entry in self._entries[typing.record, typing.field]:
                is_about = entry.kind == kind and entry.before == typing.value
                if not is_about or id(entry) in self._used:
                    continue
                if entry.at < typing.began - CLOCK_SECONDS or not self._was_typed(typing, entry):
                    continue
                if kind == "written" and entry.rule != "chosen":
                    continue
                if permits(self._evidence, typing, entry):
                    self._used.add(id(entry))
                    rule = f" {entry.rule}" if kind == "overwritten" else ""
                    return explanation + rule
        for explanation, holds in (
            (DECIDED_BEFORE, self._is_edited_after_a_choice),
            (FILLED, self._fills_a_blank),
            (TYPED_BACK, self._is_the_agreed_value_again),
        ):
            if holds(typing, after):
                return explanation
        return self._crossed(typing)

    def _was_typed(self, typing: Typing, entry: Entry) -> bool:
        """Whether somebody typed the value that replaced another one; a blank may be nobody's."""
        values = {it.value for it in self._typed[typing.person, typing.field]}
        return entry.after in values

    def _was_seen_on_the_other_side(self, typing: Typing, after: str, until: float) -> bool:
        """Whether somebody saw the value on the other side and typed what replaced it."""
        others = [
            it
            for it in self._typed[typing.person, typing.field]
            if it.side != typing.side and it.began >= typing.began and it.began < until
        ]
        for place, other in enumerate(others):
            if other.before == typing.value:
                return after in {it.value for it in others[place:]}
        return False

    def _is_edited_after_a_choice(self, typing: Typing, after: str) -> bool:
        """Whether an admin chose between the values, and somebody typed on the other side then.

        A one-way pair leaves the value that was not chosen in its record: who types over that one
        does not see the chosen one. The write of the edit is in the journal.
        """
        person = self._evidence.people[typing.person]
        chosen = [
            it.at
            for record in (person.plezi, person.lead)
            for it in self._entries[record, typing.field]
            if it.rule == "chosen" and it.at >= typing.began
        ]
        is_edited = any(
            other.side != typing.side and other.value == after and other.began >= min(chosen)
            for other in self._typed[typing.person, typing.field]
            if chosen
        )
        return is_edited and any(
            (entry.before, entry.after) == (typing.value, after) and entry.at >= min(chosen)
            for entry in self._writes(typing.record, typing.field)
        )

    def _fills_a_blank(self, typing: Typing, after: str) -> bool:
        """Whether a cleared field was filled in a record that had not agreed on this pair.

        Either the pair was not mapped for some time after the clearing, or the person's other
        record was not known yet.
        """
        if typing.value or not after:
            return False
        entries = [
            it
            for it in self._entries[typing.record, typing.field]
            if it.kind == "written" and it.at >= typing.began - CLOCK_SECONDS and it.after == after
        ]
        if not entries:
            return False
        rules = self._evidence.rules_between(typing.began, entries[0].at, typing.field)
        return None in set(rules) or self._meets_after(typing)

    def _is_the_agreed_value_again(self, typing: Typing, after: str) -> bool:
        """Whether a value was changed and typed again with nothing of the connector in between.

        The record then shows what both sides agreed on, as if nobody had typed there, and what
        somebody typed over the same value on the other side travels.
        """
        typed = self._typed[typing.person, typing.field]
        person = self._evidence.people[typing.person]
        for first in typed:
            if first.record != typing.record or first.before != typing.value:
                continue
            since = max(
                (
                    it.at
                    for record in (person.plezi, person.lead)
                    for it in self._entries[record, typing.field]
                    if it.at <= typing.ended
                ),
                default=0.0,
            )
            others = [it for it in typed if it.side != typing.side and it.began >= since]
            saw = [place for place, it in enumerate(others) if it.before == typing.value]
            if since <= first.began < typing.began and saw:
                return after in {it.value for it in others[saw[0] :]}
        return False

    def _meets_after(self, typing: Typing) -> bool:
        """Whether the journal has nothing of this person's field before the typing."""
        person = self._evidence.people[typing.person]
        return not any(
            it.at < typing.began
            for record in (person.plezi, person.lead)
            for it in self._entries[record, typing.field]
        )

    def _crossed(self, typing: Typing) -> str:
        """Return how the typing and a write of the connector crossed each other ('': not).

        Either the write rests on what the record showed a moment before the typing, or the user
        typed over a value that was written a moment before, and did not see it.
        """
        read = {
            it.before
            for it in self._typed[typing.person, typing.field]
            if it.record == typing.record
            and typing.began - WRITE_SECONDS <= it.began <= typing.began
        }
        for entry in self._writes(typing.record, typing.field):
            if (
                self._was_read_before(typing, entry)
                and entry.before in read - {typing.value}
                and entry.after != typing.value
            ):
                return LAST_READING
        for other in self._typed[typing.person, typing.field]:
            if other.side == typing.side or other.number < typing.number:
                continue
            for entry in self._writes(other.record, other.field):
                is_unseen = entry.after == typing.value and entry.before == other.before
                if is_unseen and _is_near(entry, other):
                    return USER_READING
        return ""

    def _was_read_before(self, typing: Typing, entry: Entry) -> bool:
        """Whether a write rests on a reading from before a typing: the record was not read since.

        The reading is a minute old at most when the write is decided. Where it is not known what
        was read when, only the seconds of a write count. A worker that was killed had written
        before: the next one finds what arrived, and writes the line of it into the journal.
        """
        if not self._evidence.readings:
            return _is_near(entry, typing)
        latest = typing.ended + FRESH_SECONDS + WRITE_SECONDS
        killed = [it for it in self._evidence.kills if typing.began <= it <= entry.at]
        return any(
            typing.began - CLOCK_SECONDS <= written_at <= latest
            and not any(
                typing.ended <= it < written_at - CLOCK_SECONDS
                for it in self._evidence.readings.get(typing.record, ())
            )
            for written_at in (entry.at, *killed)
        )

    def _writes(self, record: str, name: str) -> Iterator[Entry]:
        return (it for it in self._entries[record, name] if it.kind in {"written", "overwritten"})

    # The final values

    def _examine_final(self, number: int, person: FinalPerson, name: str) -> None:
        values = {side: self._value(person.record(side), name) for side in SIDES}
        typed = {it.value for it in self._typed[number, name]}
        for side, value in values.items():
            if value and value not in typed:
                self._unexplained(number, name, f"nobody typed {_short(value)} ({side})")
                return
        if explanation := self._final_explanation(number, person, name, values):
            self._findings.explained[explanation] += 1
        else:
            shown = " and ".join(f"{_short(value)} in {side}" for side, value in values.items())
            self._unexplained(number, name, f"the sides differ: {shown}")

    def _final_explanation(
        self, number: int, person: FinalPerson, name: str, values: dict[str, str]
    ) -> str:
        if values[PLEZI] == values[SALESFORCE]:
            return AGREE
        hold = person.holds.get(name)
        if hold is not None and all(
            hold.get(person.record(side), value) == value for side, value in values.items()
        ):
            return HELD
        if name in person.refused:
            return REFUSED
        rules = self._evidence.versions[-1].pairs.get(name)
        if rules is None or rules.direction == "off":
            return OFF
        if rules.policy == "fill_blank" and all(values.values()):
            return TWO_VALUES
        receiver = RECEIVERS.get(rules.direction)
        if receiver is not None and self._is_edited_last(number, name, receiver):
            return ONE_WAY
        return ""

    def _is_edited_last(self, number: int, name: str, receiver: str) -> bool:
        """Whether the receiving side was edited after the last edit of the sending side."""
        typed = self._typed[number, name]
        return bool(typed) and typed[-1].side == receiver

    # What is printed

    def _history(self, number: int, name: str) -> list[str]:
        """Return all that is known about one field of one person, in the order of the times."""
        person = self._evidence.people[number]
        lines = [
            (
                it.began,
                (
                    f"typed {it.number} in {it.side} ({it.record}): {_short(it.before)} -> "
                    f"{_short(it.value)}, {it.how}"
                ),
            )
            for it in self._typed[number, name]
        ]
        for record in (person.plezi, person.lead):
            lines += [
                (
                    it.at,
                    (
                        f"{it.kind} in {it.side} ({it.record}): {_short(it.before)} -> "
                        f"{_short(it.after)}, {it.rule}, run {it.run}"
                    ),
                )
                for it in self._entries[record, name]
            ]
        changes: list[tuple[float, str]] = []
        for version in self._evidence.versions:
            rules = version.pairs.get(name)
            what = f"{rules.direction}, {rules.policy}" if rules else "no pair"
            if not changes or changes[-1][1] != f"mapping: {what}":
                changes.append((version.since, f"mapping: {what}"))
        lines += changes
        lines += [(kill, "the worker is killed") for kill in self._evidence.kills]
        final = ", ".join(
            f"{side} {_short(self._value(person.record(side), name))}" for side in SIDES
        )
        shown = [f"{at:.2f} {text}" for at, text in sorted(lines)]
        return [*shown, f"final: {final}; hold: {person.holds.get(name)}"]


def _is_near(entry: Entry, typing: Typing) -> bool:
    """Whether the journal has a write in the seconds after a user read the record and typed."""
    return typing.began - CLOCK_SECONDS <= entry.at <= typing.ended + WRITE_SECONDS


def _short(value: str) -> str:
    return repr(value if len(value) <= SHORT else f"{value[:SHORT]}...")
