"""Record (rule 6): what was heard from the source, and what the writes answered. No later read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from connector.mapping.lines import EMAIL_LINE
from connector.mapping.values import canonical_email
from connector.model import Intent, Link, Observation, Quarantine, Settlement, Side, Value, Write
from connector.plan.folding import forget
from connector.plan.leaving import leave
from connector.plan.oscillating import tell

ADDRESSES: Final = {Side.PLEZI: EMAIL_LINE.plezi, Side.SALESFORCE: EMAIL_LINE.salesforce}
"""The field of each side that is the identity."""


class Result(StrEnum):
    """What became of one write."""

    DONE = "done"
    REJECTED = "rejected"
    RETRY = "retry"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one write.

    `record` is the id of the record written (that of a creation is news). `answered` is our clock
    in seconds. `seen` is the record as the answer shows it, where the side shows it. `gone`: the
    record does not exist any more, for certain.
    """

    write: Write
    result: Result
    record: str = ""
    answered: float = 0.0
    created: bool = False
    seen: Observation | None = None
    gone: bool = False
    code: str = ""
    remedy: str = ""
    fields: tuple[str, ...] = ()


def record(
    link: Link, intent_id: str, outcomes: Mapping[str, Outcome], *, undisturbed: bool, now: float
) -> Link:
    """Return the link after its intent was carried out.

    `outcomes` are by the record of the write. A line's base advances when all its writes are done;
    where only some are, the refused record counts as one that never agreed, and takes the agreed
    value later. `undisturbed` says that nobody observed anything on the link since the intent; else
    it stays dirty, as it does when an answer shows what somebody typed in another field meanwhile:
    the next reading would take that for an echo. An unknown answer leaves the intent, in doubt, for
    the next run to judge.
    """
    intent = link.intent
    if intent is None or intent.id != intent_id:
        return link
    news = False
    for outcome in outcomes.values():
        if outcome.result is Result.DONE:
            news = news or _brings_news(link, outcome)
            link = _heard(link, outcome)
        if outcome.gone:
            link = forget(link, outcome.write.record)
    link = _told(link, intent, outcomes, now)
    base = {kept: dict(words) for kept, words in link.base.items()}
    holds = dict(link.holds)
    for settlement in intent.settlements:
        _advance(base, settlement, outcomes)
        if all(_is_done(outcomes.get(needed)) for needed in settlement.needs):
            holds.pop(settlement.line, None)
    results = {outcome.result for outcome in outcomes.values()}
    again = bool(results & {Result.RETRY, Result.STALE, Result.UNKNOWN}) or any(
        outcome.created for outcome in outcomes.values()
    )
    return replace(
        link,
        base=base,
        holds=holds,
        intent=_in_doubt(link, outcomes) if Result.UNKNOWN in results else None,
        quarantine=_quarantine(link, outcomes, now),
        dirty=again or news or not undisturbed,
    )


def _in_doubt(link: Link, outcomes: Mapping[str, Outcome]) -> Intent | None:
    """Keep of the intent only what nobody can answer for."""
    if link.intent is None:
        return None
    unknown = tuple(it.write for it in outcomes.values() if it.result is Result.UNKNOWN)
    return replace(link.intent, writes=unknown, in_doubt=True)


def _heard(link: Link, outcome: Outcome) -> Link:
    """Fold the answer of a write into what the side was last seen to say.

    Not over what somebody else read since: it may show what a person typed after our write.
    """
    write = outcome.write
    held = link.observation(outcome.record)
    if held is not None and _was_read_since(held, outcome):
        return link
    if outcome.seen is not None:
        return link.with_observation(outcome.seen)
    if held is None:
        return link
    said = replace(held, values={**held.values, **write.values}, as_of=outcome.answered)
    if (address := write.values.get(ADDRESSES[write.side])) is not None:
        said = replace(said, email=canonical_email(address))  # else its echo is a change of address
    return link.with_observation(said)


def _was_read_since(held: Observation, outcome: Outcome) -> bool:
    """Whether the record was read again after the reading that the write rested on.

    Only another process can have done that. Where the side tells versions, they say it, an answer's
    own version included; else the instant of the reading does.
    """
    if outcome.created and outcome.seen is not None and not outcome.seen.version:
        return True  # it is held although we have only just made it
    known = outcome.seen.version if outcome.seen is not None else outcome.write.version
    if held.version and known:
        return held.version > known
    return held.as_of > outcome.answered


def _told(link: Link, intent: Intent, outcomes: Mapping[str, Outcome], now: float) -> Link:
    """Note the words that were written over others that had been agreed."""
    for settlement in intent.settlements:
        for record in settlement.needs:
            name, value = settlement.words[record]
            if _is_done(outcomes.get(record)) and name in link.base.get(record, {}):
                link = tell(link, settlement.line, record, value, now=now)
    return link


def _is_done(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.result is Result.DONE


def _brings_news(link: Link, outcome: Outcome) -> bool:
    """Whether an answer shows more than we knew and wrote: somebody typed in another field."""
    held = link.observation(outcome.record)
    if held is None or outcome.seen is None:
        return False
    return any(
        word != held.values.get(name)
        for name, word in outcome.seen.values.items()
        if name not in outcome.write.values
    )


def _advance(
    base: dict[str, dict[str, Value]], settlement: Settlement, outcomes: Mapping[str, Outcome]
) -> None:
    needed = {record: outcomes.get(record) for record in settlement.needs}
    done = {r: o for r, o in needed.items() if o is not None and _is_done(o)}
    if not done:
        return
    for record, (name, value) in settlement.words.items():
        if record not in settlement.needs:
            base.setdefault(record, {})[name] = value
        elif record in done:
            answer = done[record]
            said = answer.seen.values.get(name, value) if answer.seen is not None else value
            base.setdefault(answer.record, {})[name] = said
        else:
            base.get(record, {}).pop(name, None)
    leave(base, settlement.left)


def _quarantine(link: Link, outcomes: Mapping[str, Outcome], now: float) -> Quarantine | None:
    for outcome in outcomes.values():
        if outcome.result is Result.REJECTED:
            tries = 1 if link.quarantine is None else link.quarantine.tries + 1
            since = now if link.quarantine is None else link.quarantine.since
            return Quarantine(
                outcome.write.side, outcome.code, outcome.remedy, outcome.fields, since, tries
            )
    return None
