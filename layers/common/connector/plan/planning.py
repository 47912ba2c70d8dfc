"""Intend (rule 4): adopt what is agreed, name the losers, state the writes and their ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connector.mapping import BoundLine, BoundMapping, Direction, Policy
from connector.matching import Company, Match, Role, gather
from connector.merge import Rule, Unagreed, Verdict, Voice, decide, settle, unsettled
from connector.model import Hold, Kind, Link, Settlement, Side, Value, Values, Write
from connector.plan.leaving import absent, leave
from connector.plan.oscillating import oscillates
from connector.plan.resting import stirring

IN_DOUBT = "in_doubt"
CONFLICT = "conflict"
EMAIL_TAKEN = "email_taken"
EMAIL_IN_USE = "email_in_use"
NEVER_AGREED = "never_agreed"
OSCILLATES = "oscillates"
STUBBORN_HOLDS = frozenset({IN_DOUBT, EMAIL_TAKEN, OSCILLATES})
"""Reasons of a hold that no policy may settle: only agreement, or a person."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that a person may have typed and that gives way to another one, which `stands`."""

    kind: Kind
    record: str
    line: str
    value: Value
    stands: Value
    rule: Rule


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision about one link, before anything is done.

    `link` has the agreements already adopted and the holds brought up to date; `writes` is empty
    when the sides agree, when nobody takes part, or when all that differs is held. `held` names the
    lines held now whose words have not been journalled yet.
    """

    link: Link
    company: Company
    writes: tuple[Write, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    lost: tuple[Lost, ...] = ()
    held: tuple[str, ...] = ()


def plan(link: Link, bound: BoundMapping, *, now: float) -> Plan:
    """Merge every line of a link and state what must be written. Pure; `now` only stamps holds.

    The same link, mapping and instant give the same plan; planning the link that the plan's writes
    lead to gives no writes, but for a record that had to be created first.
    """
    company = gather(link, bound.mapping)
    if not company.roles:
        return Plan(link, company)
    draft = _Draft(link, now)
    linked = company.match is Match.LINKED
    keys = stirring(link, bound, company.roles)
    for line in bound.lines:
        if line.key not in keys:
            continue
        voices = _voices(line, link, company.roles)
        if len(voices) > 1:
            if linked and _is_new(line) and unsettled(line, voices):
                draft.hold(line, voices, NEVER_AGREED)
            else:
                draft.take(line, voices, settle(line, voices))
    return draft.finish(company, bound)


def _is_new(line: BoundLine) -> bool:
    """Whether a line that was never agreed on may only be settled by a person.

    The people are known, the field is newly compared: the stamp of a record says nothing of a field
    that it did not stamp, so `newest` would overwrite at random. The other policies say who wins.
    """
    return line.line.direction is Direction.BOTH and line.line.policy is Policy.NEWEST


def _voices(line: BoundLine, link: Link, roles: Sequence[Role]) -> list[Voice]:
    """What each record that takes part says of one line; nothing while the line must rest.

    It rests while a record's value is unknown (the field was not read: it is new in the mapping, or
    was hidden for a while), and while one that should be written may not be: settling it now would
    take a value that nobody was told for an agreement.
    """
    direction = line.line.direction
    voices = []
    for role in _without_twins(line, roles):
        field = line.fields.get(role.kind)
        if field is None:
            continue
        seen = role.seen
        listens = role.listens and line.listens(role.kind)
        if seen is not None and field.name not in seen.values:
            return []
        if listens and not line.writable(role.kind, create=seen is None):
            if seen is None:
                continue  # it is told once it exists
            return []
        voices.append(
            Voice(
                kind=role.kind,
                record=role.record,
                now=None if seen is None else seen.values[field.name],
                base=_agreed(line, link, role),
                modified="" if seen is None else seen.modified,
                speaks=role.speaks and direction.speaks(role.kind.side),
                listens=listens,
            )
        )
    return voices


def _agreed(line: BoundLine, link: Link, role: Role) -> Value | Unagreed:
    """What a record said at the last agreement; it inherits from the records that it goes on for.

    The Contact of a converted Lead, and the winner of a merge, continue what had been agreed with
    the record before them.
    """
    name = line.fields[role.kind].name
    own = link.base.get(role.record, {})
    if name in own:
        return own[name]
    for before in link.salesforce:
        if before.successor == role.record and not before.alive and before.kind in line.fields:
            inherited = link.base.get(before.id, {})
            if (theirs := line.fields[before.kind].name) in inherited:
                return inherited[theirs]
    return Unagreed.NEVER


def _without_twins(line: BoundLine, roles: Sequence[Role]) -> list[Role]:
    """Leave out the Leads that may not say what another one says: the field is unique in the org.

    The Lead that holds a value keeps it; among those without one, the oldest id gets it.
    """
    field = line.fields[Kind.LEAD]
    leads = [role for role in roles if role.kind is Kind.LEAD and role.seen is not None]
    if not field.unique or len(leads) < 2:  # noqa: PLR2004  # twins are two
        return list(roles)

    def rank(role: Role) -> tuple[bool, str]:
        return (role.seen is None or not role.seen.values.get(field.name), role.record)

    keeper = min(leads, key=rank)
    return [role for role in roles if role.kind is not Kind.LEAD or role is keeper]


def _is_decided(hold: Hold, voices: Sequence[Voice]) -> bool:
    """Whether a person has chosen, and everybody still says what that person was shown."""
    shown = {voice.record: voice.now for voice in voices}
    return hold.chosen in shown and dict(hold.words) == shown


class _Draft:
    """Collects the verdicts of one link's lines."""

    def __init__(self, link: Link, now: float) -> None:
        self._link = link
        self._records = link.records
        self._now = now
        self._base: dict[str, dict[str, Value]] = {r: dict(w) for r, w in link.base.items()}
        self._holds: dict[str, Hold] = dict(link.holds)
        self._writes: dict[str, dict[str, Value]] = {}
        self._settlements: list[Settlement] = []
        self._lost: list[Lost] = []
        self._held: list[str] = []

    def take(self, line: BoundLine, voices: Sequence[Voice], verdict: Verdict) -> None:
        """Note one line's verdict."""
        hold = self._holds.get(line.key)
        if verdict.rule is Rule.AGREED:
            self._holds.pop(line.key, None)
            in_doubt = hold is not None and hold.reason == IN_DOUBT
            self._adopt(line, voices, verdict.settles or {}, in_doubt=in_doubt)
        elif hold is not None and _is_decided(hold, voices):
            self._write(line, voices, decide(line, voices, hold.chosen))
        elif hold is not None and hold.reason in STUBBORN_HOLDS:
            self.hold(line, voices, hold.reason)
        elif verdict.held:
            self.hold(line, voices, CONFLICT)
        elif verdict.rule is Rule.QUIET:
            return
        elif oscillates(self._link, line.key, verdict.writes, now=self._now):
            self.hold(line, voices, OSCILLATES)
        else:
            self._holds.pop(line.key, None)
            self._write(line, voices, verdict)

    def _adopt(
        self,
        line: BoundLine,
        voices: Sequence[Voice],
        words: Mapping[str, Value],
        *,
        in_doubt: bool = False,
    ) -> None:
        for voice in voices:
            if voice.record in words and voice.record in self._records:
                field = line.fields[voice.kind].name
                self._base.setdefault(voice.record, {})[field] = words[voice.record]
        away = absent(line, self._link, voices, words, in_doubt=in_doubt)
        for record, word in away.edited.items():
            self._base[record][line.fields[Kind.LEAD].name] = word
        leave(self._base, away.left)

    def hold(self, line: BoundLine, voices: Sequence[Voice], reason: str) -> None:
        """Hold a line; it is journalled once for each set of words, not once for each run."""
        words = {voice.record: voice.now for voice in voices}
        known = self._holds.get(line.key)
        if known is not None and _is_decided(known, voices):
            self._write(line, voices, decide(line, voices, known.chosen))
            return
        if known is None or dict(known.words) != words:
            since = self._now if known is None else known.since
            self._holds[line.key] = Hold(reason, since, words)
            self._held.append(line.key)

    def _write(self, line: BoundLine, voices: Sequence[Voice], verdict: Verdict) -> None:
        kinds = {voice.record: voice.kind for voice in voices}
        for record, value in verdict.writes.items():
            self._writes.setdefault(record, {})[line.fields[kinds[record]].name] = value
        settles = verdict.settles or {}
        self._lose(line, voices, verdict)
        if not verdict.writes:
            self._adopt(line, voices, settles)
            return
        away = absent(line, self._link, voices, settles)
        words = {r: (line.fields[kinds[r]].name, value) for r, value in settles.items()}
        lead = line.fields[Kind.LEAD].name
        self._settlements.append(
            Settlement(
                line=line.key,
                words=words | {r: (lead, value) for r, value in away.edited.items()},
                needs=frozenset(verdict.writes),
                rule=verdict.rule,
                left=away.left,
            )
        )

    def _lose(self, line: BoundLine, voices: Sequence[Voice], verdict: Verdict) -> None:
        """Name the losers, and the word that stands: what is written to them, or Plezi's."""
        plezi = next(voice for voice in voices if voice.side is Side.PLEZI)
        word = (verdict.settles or {}).get(plezi.record, plezi.now)
        for voice in voices:
            if voice.record not in verdict.losers:
                continue
            stands = verdict.writes.get(voice.record, line.say(voice.kind, word))
            value = verdict.losers[voice.record]
            lost = Lost(voice.kind, voice.record, line.key, value, stands, verdict.rule)
            self._lost.append(lost)

    def finish(self, company: Company, bound: BoundMapping) -> Plan:
        """Return the plan of the whole link."""
        base = {record: words for record, words in self._base.items() if words}
        link = self._link
        if base != link.base or self._holds != link.holds:
            link = replace(link, base=base, holds=dict(self._holds))
        writes = tuple(
            _state(role, link.email, self._writes[role.record], bound)
            for role in company.roles
            if role.record in self._writes
        )
        return Plan(
            link,
            company,
            writes,
            tuple(self._settlements),
            tuple(self._lost),
            tuple(self._held),
        )


def _state(role: Role, email: str, values: Values, bound: BoundMapping) -> Write:
    """State one write, with the record's words and version that it rests on."""
    if role.seen is not None:
        before = {name: role.seen.values.get(name) for name in values}
        return Write(role.kind, role.record, email, values, before, role.seen.version)
    fillers = {
        line.fields[role.kind].name: line.line.placeholder
        for line in bound.lines
        if role.kind is Kind.LEAD and line.line.placeholder
    }
    return Write(role.kind, role.record, email, {**fillers, **values})
