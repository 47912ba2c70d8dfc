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

from connector.mapping import BoundPair, ConflictPolicy, FieldKind, is_identical
from connector.mapping.values import Canonical
from connector.model import RecordKind, Side, Value


class NoBase(Enum):
    """The base of a field on which the sides have never agreed; not the same as agreed blank."""

    NO_BASE = "never"


class MergeRule(StrEnum):
    """Why a field was written, kept, held or lost; the journal's own words."""

    AGREED = "agreed"
    CHANGED = "changed"
    JOINED = "joined"
    ENFORCED = "enforced"
    ONE_WAY = "one_way"
    NEWEST = "newest"
    PLEZI_WINS = "plezi_wins"
    SALESFORCE_WINS = "salesforce_wins"
    FILL_BLANK = "fill_blank"
    MOST_RESTRICTIVE = "most_restrictive"
    HELD = "held"
    CHOSEN = "chosen"
    NO_CHANGE = "no_change"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """What one record says of one field, what it said at the last agreement, and its rights.

    `can_send`: the line's direction lets its changes travel. `can_receive`: it may be written.
    """

    kind: RecordKind
    record_id: str
    value: Value
    base: Value | NoBase
    modified: str
    can_send: bool
    can_receive: bool

    @property
    def side(self) -> Side:
        """The side of this voice."""
        return self.kind.side


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is to become of one field line.

    `writes` are new values by record, in that record's words. `new_base` is what each record will
    have said once all writes are done: the next base (None: nothing was settled). `overwritten` are the
    records whose own change gives way, with that value: it is written over, or, where nobody writes
    to the record, stays there and does not travel.
    """

    rule: MergeRule
    writes: Mapping[str, Value] = field(default_factory=dict)
    new_base: Mapping[str, Value] | None = None
    overwritten: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_held(self) -> bool:
        """Whether the field waits for a person."""
        return self.rule is MergeRule.HELD


NO_CHANGE: Final = Resolution(MergeRule.NO_CHANGE)


def resolve(line: BoundPair, voices: Sequence[FieldValue]) -> Resolution:
    """Decide what each record of one person should say next in one field.

    Pure: the same voices in any order give the same verdict. A blank is a value: clearing is an
    edit. Values equal in canonical form are agreed and never written.
    """
    said = {voice.record_id: line.canonical(voice.side, voice.value) for voice in voices}
    if len(set(said.values())) == 1:
        return Resolution(
            MergeRule.AGREED, new_base={voice.record_id: voice.value for voice in voices}
        )
    voices = _rebase(line, voices)
    policy = line.pair.policy
    if policy is ConflictPolicy.MOST_RESTRICTIVE and line.kind is FieldKind.CHECKBOX:
        return _apply_most_restrictive(line, voices, said)
    if policy is ConflictPolicy.FILL_BLANK:
        return _fill_blanks(line, voices, said)
    speakers = _senders(line, voices, said)
    if not speakers:
        return _join_later_records(line, voices, said)
    if len({said[voice.record_id] for voice in speakers}) == 1:
        rule = MergeRule.ENFORCED if line.pair.enforced else MergeRule.CHANGED
        return _propagate(line, voices, min(speakers, key=lambda it: it.record_id), rule)
    if policy is ConflictPolicy.HOLD:
        return Resolution(MergeRule.HELD)
    return _propagate(line, voices, _winner(policy, speakers), MergeRule(policy.value))


def apply_choice(line: BoundPair, voices: Sequence[FieldValue], record: str) -> Resolution:
    """Return the verdict of a person who chose one record's word."""
    return _propagate(
        line, voices, next(v for v in voices if v.record_id == record), MergeRule.CHOSEN
    )


def differs_without_base(line: BoundPair, voices: Sequence[FieldValue]) -> bool:
    """Whether the sides say different things and have never agreed on this line."""
    said = {line.canonical(voice.side, voice.value) for voice in voices}
    never = all(isinstance(voice.base, NoBase) for voice in voices)
    return never and len(said - {None, False}) > 1


def _rebase(line: BoundPair, voices: Sequence[FieldValue]) -> Sequence[FieldValue]:
    """Begin anew where one of the sides has only records that never agreed on anything.

    The base is an agreement of both sides: a contact that was deleted and typed again, or a new
    Lead in place of a deleted one, meets the other side for the first time. What was typed since
    the last agreement stays an edit: a clearing too.
    """
    if _both_sides_have_base(voices):
        return voices
    return [
        voice if has_changed(line, voice) else replace(voice, base=NoBase.NO_BASE)
        for voice in voices
    ]


def _both_sides_have_base(voices: Sequence[FieldValue]) -> bool:
    """Whether each side has a record that agreed before; or none has."""
    agreed = {voice.side for voice in voices if not isinstance(voice.base, NoBase)}
    return not agreed or agreed == {voice.side for voice in voices}


def has_changed(line: BoundPair, voice: FieldValue) -> bool:
    """Whether a voice no longer says what it last agreed to; at a first meeting: says anything."""
    if isinstance(voice.base, NoBase):
        return not line.is_blank(voice.side, voice.value)
    if is_identical(voice.value, voice.base):  # saves two canonical forms
        return False
    return line.canonical(voice.side, voice.value) != line.canonical(voice.side, voice.base)


def _senders(
    line: BoundPair, voices: Sequence[FieldValue], said: Mapping[str, Canonical]
) -> list[FieldValue]:
    """The voices whose change may travel.

    Where some records have agreed already, one that joins them later speaks only into silence:
    otherwise it takes what they agreed on (reference: product P17).
    """
    if line.pair.enforced:
        return [
            voice
            for voice in voices
            if voice.side is Side.PLEZI and not line.is_blank(voice.side, voice.value)
        ]
    settled = [voice for voice in voices if not isinstance(voice.base, NoBase)]
    silence = all(said[voice.record_id] in (None, False) for voice in settled)
    anybody = silence or not _both_sides_have_base(voices)
    return [
        voice
        for voice in voices
        if voice.can_send
        and has_changed(line, voice)
        and (anybody or not isinstance(voice.base, NoBase))
    ]


def _join_later_records(
    line: BoundPair, voices: Sequence[FieldValue], said: Mapping[str, Canonical]
) -> Resolution:
    """Nobody changed: tell those who never agreed what the others have agreed on, if they have."""
    settled = [v for v in voices if not isinstance(v.base, NoBase) and v.can_send]
    strangers = [v for v in voices if isinstance(v.base, NoBase) and not v.can_receive]
    noted = _join_read_only(line, strangers, settled, said) if settled and strangers else NO_CHANGE
    # A record that may not be written cannot be brought to agree: it does not hold up the others.
    settled = [voice for voice in settled if voice.can_receive] or settled
    if len({said[voice.record_id] for voice in settled}) != 1:
        return noted
    agreed = min(settled, key=lambda it: it.record_id)
    newcomers = {
        voice.record_id for voice in voices if isinstance(voice.base, NoBase) and voice.can_receive
    }
    verdict = _propagate(line, voices, agreed, MergeRule.JOINED)
    writes = {record: value for record, value in verdict.writes.items() if record in newcomers}
    if not writes:
        return noted
    joined = newcomers | {agreed.record_id}
    settles = {r: v for r, v in (verdict.new_base or {}).items() if r in joined}
    losers = {r: v for r, v in verdict.overwritten.items() if r in newcomers}
    return Resolution(
        MergeRule.JOINED,
        writes,
        {**settles, **(noted.new_base or {})},
        {**losers, **noted.overwritten},
    )


def _join_read_only(
    line: BoundPair,
    strangers: Sequence[FieldValue],
    settled: Sequence[FieldValue],
    said: Mapping[str, Canonical],
) -> Resolution:
    """Note what those say who join and are never written to: from then on their edits travel."""
    agreed = {said[voice.record_id] for voice in settled}
    return Resolution(
        MergeRule.JOINED,
        new_base={voice.record_id: voice.value for voice in strangers},
        overwritten={
            voice.record_id: voice.value
            for voice in strangers
            if voice.can_send and has_changed(line, voice) and said[voice.record_id] not in agreed
        },
    )


def _fill_blanks(
    line: BoundPair, voices: Sequence[FieldValue], said: Mapping[str, Canonical]
) -> Resolution:
    """Blanks are filled; two different values are left alone."""
    full = [voice for voice in voices if said[voice.record_id] not in (None, False)]
    if len({said[voice.record_id] for voice in full}) != 1:
        return NO_CHANGE
    givers = [voice for voice in full if voice.can_send]
    if not givers:
        return NO_CHANGE
    return _propagate(line, voices, min(givers, key=lambda it: it.record_id), MergeRule.FILL_BLANK)


def _apply_most_restrictive(
    line: BoundPair, voices: Sequence[FieldValue], said: Mapping[str, Canonical]
) -> Resolution:
    """Whoever says yes is believed; words that are neither yes nor no are for a person to read."""
    yes = [voice for voice in voices if said[voice.record_id] is True]
    if not yes:
        return Resolution(MergeRule.HELD)
    return _propagate(
        line, voices, min(yes, key=lambda it: it.record_id), MergeRule.MOST_RESTRICTIVE
    )


def _winner(policy: ConflictPolicy, speakers: Sequence[FieldValue]) -> FieldValue:
    """Pick the speaker whose word stands; the same one in every order of the voices.

    Within one side the newest record speaks. A tie of stamps goes to Salesforce, where sales people
    type.
    """
    if policy is ConflictPolicy.PLEZI_WINS:
        speakers = [v for v in speakers if v.side is Side.PLEZI] or speakers
    if policy is ConflictPolicy.SALESFORCE_WINS:
        speakers = [v for v in speakers if v.side is Side.SALESFORCE] or speakers
    return max(speakers, key=lambda it: (it.modified, it.side is Side.SALESFORCE, it.record_id))


def _propagate(
    line: BoundPair, voices: Sequence[FieldValue], winner: FieldValue, rule: MergeRule
) -> Resolution:
    """Write the winner's word wherever it may be written and is not said already."""
    word = line.canonical(winner.side, winner.value)
    writes = {
        voice.record_id: line.convert(voice.kind, winner.value)
        for voice in voices
        if voice.can_receive and line.canonical(voice.side, voice.value) != word
    }
    losers = {
        voice.record_id: voice.value
        for voice in voices
        if has_changed(line, voice)
        and (
            voice.record_id in writes
            or (voice.can_send and line.canonical(voice.side, voice.value) != word)
        )
    }
    if losers.keys() & writes.keys() and rule is MergeRule.CHANGED:
        rule = MergeRule.ONE_WAY
    settles = {voice.record_id: writes.get(voice.record_id, voice.value) for voice in voices}
    return Resolution(rule, writes, settles, losers)
