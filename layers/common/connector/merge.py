"""The three-way merge of one field line: pure, and the only place that decides who is right.

A *voice* is one record speaking about one field. A change is a voice that no longer says what it
said when the sides last agreed (its base); what the clocks say is only asked by the `newest`
policy, to settle a conflict that exists already. With one voice on each side this is the table of
`docs/architecture.md`; with several Leads of one e-mail, or a Lead and a Contact, the same rules
hold among all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final

from connector.mapping import BoundLine, FieldKind, Policy, identical
from connector.mapping.values import Canonical
from connector.model import Kind, Side, Value


class Unagreed(Enum):
    """The base of a field on which the sides have never agreed; not the same as agreed blank."""

    NEVER = "never"


class Rule(StrEnum):
    """Why a field was written, kept, held or lost; the journal's own words."""

    AGREED = "agreed"
    CHANGED = "changed"
    JOINS = "joins"
    ENFORCED = "enforced"
    ONE_WAY = "one_way"
    NEWEST = "newest"
    PLEZI_WINS = "plezi_wins"
    SALESFORCE_WINS = "salesforce_wins"
    FILL_BLANK = "fill_blank"
    MOST_RESTRICTIVE = "most_restrictive"
    HELD = "held"
    CHOSEN = "chosen"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one record says of one field, what it said at the last agreement, and its rights.

    `speaks`: the line's direction lets its changes travel. `listens`: it may be written.
    """

    kind: Kind
    record: str
    now: Value
    base: Value | Unagreed
    modified: str
    speaks: bool
    listens: bool

    @property
    def side(self) -> Side:
        """The side of this voice."""
        return self.kind.side


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of one field line.

    `writes` are new values by record, in that record's words. `settles` is what each record will
    have said once all writes are done: the next base (None: nothing was settled). `losers` are the
    records whose own change gives way, with that value: it is written over, or, where nobody writes
    to the record, stays there and does not travel.
    """

    rule: Rule
    writes: Mapping[str, Value] = field(default_factory=dict)
    settles: Mapping[str, Value] | None = None
    losers: Mapping[str, Value] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether the field waits for a person."""
        return self.rule is Rule.HELD


QUIET: Final = Verdict(Rule.QUIET)


def settle(line: BoundLine, voices: Sequence[Voice]) -> Verdict:
    """Decide what each record of one person should say next in one field.

    Pure: the same voices in any order give the same verdict. A blank is a value: clearing is an
    edit. Values equal in canonical form are agreed and never written.
    """
    said = {voice.record: line.canonical(voice.side, voice.now) for voice in voices}
    if len(set(said.values())) == 1:
        return Verdict(Rule.AGREED, settles={voice.record: voice.now for voice in voices})
    voices = _together(line, voices)
    policy = line.line.policy
    if policy is Policy.MOST_RESTRICTIVE and line.kind is FieldKind.CHECKBOX:
        return _restrict(line, voices, said)
    if policy is Policy.FILL_BLANK:
        return _fill(line, voices, said)
    speakers = _speakers(line, voices, said)
    if not speakers:
        return _join(line, voices, said)
    if len({said[voice.record] for voice in speakers}) == 1:
        rule = Rule.ENFORCED if line.line.enforced else Rule.CHANGED
        return _tell(line, voices, min(speakers, key=lambda it: it.record), rule)
    if policy is Policy.HOLD:
        return Verdict(Rule.HELD)
    return _tell(line, voices, _winner(policy, speakers), Rule(policy.value))


def decide(line: BoundLine, voices: Sequence[Voice], record: str) -> Verdict:
    """Return the verdict of a person who chose one record's word."""
    return _tell(line, voices, next(v for v in voices if v.record == record), Rule.CHOSEN)


def unsettled(line: BoundLine, voices: Sequence[Voice]) -> bool:
    """Whether the sides say different things and have never agreed on this line."""
    said = {line.canonical(voice.side, voice.now) for voice in voices}
    never = all(isinstance(voice.base, Unagreed) for voice in voices)
    return never and len(said - {None, False}) > 1


def _together(line: BoundLine, voices: Sequence[Voice]) -> Sequence[Voice]:
    """Begin anew where one of the sides has only records that never agreed on anything.

    The base is an agreement of both sides: a contact that was deleted and typed again, or a new
    Lead in place of a deleted one, meets the other side for the first time. What was typed since
    the last agreement stays an edit: a clearing too.
    """
    if _everybody_agreed(voices):
        return voices
    return [
        voice if changed(line, voice) else replace(voice, base=Unagreed.NEVER) for voice in voices
    ]


def _everybody_agreed(voices: Sequence[Voice]) -> bool:
    """Whether each side has a record that agreed before; or none has."""
    agreed = {voice.side for voice in voices if not isinstance(voice.base, Unagreed)}
    return not agreed or agreed == {voice.side for voice in voices}


def changed(line: BoundLine, voice: Voice) -> bool:
    """Whether a voice no longer says what it last agreed to; at a first meeting: says anything."""
    if isinstance(voice.base, Unagreed):
        return not line.is_blank(voice.side, voice.now)
    if identical(voice.now, voice.base):  # saves two canonical forms
        return False
    return line.canonical(voice.side, voice.now) != line.canonical(voice.side, voice.base)


def _speakers(
    line: BoundLine, voices: Sequence[Voice], said: Mapping[str, Canonical]
) -> list[Voice]:
    """The voices whose change may travel.

    Where some records have agreed already, one that joins them later speaks only into silence:
    otherwise it takes what they agreed on (reference: product P17).
    """
    if line.line.enforced:
        return [
            voice
            for voice in voices
            if voice.side is Side.PLEZI and not line.is_blank(voice.side, voice.now)
        ]
    settled = [voice for voice in voices if not isinstance(voice.base, Unagreed)]
    silence = all(said[voice.record] in (None, False) for voice in settled)
    anybody = silence or not _everybody_agreed(voices)
    return [
        voice
        for voice in voices
        if voice.speaks
        and changed(line, voice)
        and (anybody or not isinstance(voice.base, Unagreed))
    ]


def _join(line: BoundLine, voices: Sequence[Voice], said: Mapping[str, Canonical]) -> Verdict:
    """Nobody changed: tell those who never agreed what the others have agreed on, if they have."""
    settled = [v for v in voices if not isinstance(v.base, Unagreed) and v.speaks]
    strangers = [v for v in voices if isinstance(v.base, Unagreed) and not v.listens]
    noted = _noted(line, strangers, settled, said) if settled and strangers else QUIET
    # A record that may not be written cannot be brought to agree: it does not hold up the others.
    settled = [voice for voice in settled if voice.listens] or settled
    if len({said[voice.record] for voice in settled}) != 1:
        return noted
    agreed = min(settled, key=lambda it: it.record)
    newcomers = {
        voice.record for voice in voices if isinstance(voice.base, Unagreed) and voice.listens
    }
    verdict = _tell(line, voices, agreed, Rule.JOINS)
    writes = {record: value for record, value in verdict.writes.items() if record in newcomers}
    if not writes:
        return noted
    joined = newcomers | {agreed.record}
    settles = {r: v for r, v in (verdict.settles or {}).items() if r in joined}
    losers = {r: v for r, v in verdict.losers.items() if r in newcomers}
    return Verdict(
        Rule.JOINS, writes, {**settles, **(noted.settles or {})}, {**losers, **noted.losers}
    )


def _noted(
    line: BoundLine,
    strangers: Sequence[Voice],
    settled: Sequence[Voice],
    said: Mapping[str, Canonical],
) -> Verdict:
    """Note what those say who join and are never written to: from then on their edits travel."""
    agreed = {said[voice.record] for voice in settled}
    return Verdict(
        Rule.JOINS,
        settles={voice.record: voice.now for voice in strangers},
        losers={
            voice.record: voice.now
            for voice in strangers
            if voice.speaks and changed(line, voice) and said[voice.record] not in agreed
        },
    )


def _fill(line: BoundLine, voices: Sequence[Voice], said: Mapping[str, Canonical]) -> Verdict:
    """Blanks are filled; two different values are left alone."""
    full = [voice for voice in voices if said[voice.record] not in (None, False)]
    if len({said[voice.record] for voice in full}) != 1:
        return QUIET
    givers = [voice for voice in full if voice.speaks]
    if not givers:
        return QUIET
    return _tell(line, voices, min(givers, key=lambda it: it.record), Rule.FILL_BLANK)


def _restrict(line: BoundLine, voices: Sequence[Voice], said: Mapping[str, Canonical]) -> Verdict:
    """Whoever says yes is believed; words that are neither yes nor no are for a person to read."""
    yes = [voice for voice in voices if said[voice.record] is True]
    if not yes:
        return Verdict(Rule.HELD)
    return _tell(line, voices, min(yes, key=lambda it: it.record), Rule.MOST_RESTRICTIVE)


def _winner(policy: Policy, speakers: Sequence[Voice]) -> Voice:
    """Pick the speaker whose word stands; the same one in every order of the voices.

    Within one side the newest record speaks. A tie of stamps goes to Salesforce, where sales people
    type.
    """
    if policy is Policy.PLEZI_WINS:
        speakers = [v for v in speakers if v.side is Side.PLEZI] or speakers
    if policy is Policy.SALESFORCE_WINS:
        speakers = [v for v in speakers if v.side is Side.SALESFORCE] or speakers
    return max(speakers, key=lambda it: (it.modified, it.side is Side.SALESFORCE, it.record))


def _tell(line: BoundLine, voices: Sequence[Voice], winner: Voice, rule: Rule) -> Verdict:
    """Write the winner's word wherever it may be written and is not said already."""
    word = line.canonical(winner.side, winner.now)
    writes = {
        voice.record: line.say(voice.kind, winner.now)
        for voice in voices
        if voice.listens and line.canonical(voice.side, voice.now) != word
    }
    losers = {
        voice.record: voice.now
        for voice in voices
        if changed(line, voice)
        and (
            voice.record in writes
            or (voice.speaks and line.canonical(voice.side, voice.now) != word)
        )
    }
    if losers.keys() & writes.keys() and rule is Rule.CHANGED:
        rule = Rule.ONE_WAY
    settles = {voice.record: writes.get(voice.record, voice.now) for voice in voices}
    return Verdict(rule, writes, settles, losers)
