"""Record (rule 6): what was heard from the source, and what the writes answered. No later read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from connector.mapping.model import EMAIL_PAIR
from connector.mapping.values import canonical_email
from connector.model import BaseUpdate, Intent, Link, Observation, Quarantine, Side, Value, Write
from connector.planning.absent_leads import invalidate_base
from connector.planning.observation import mark_deleted
from connector.planning.write_loop import remember_write

EMAIL_FIELDS: Final = {Side.PLEZI: EMAIL_PAIR.plezi, Side.SALESFORCE: EMAIL_PAIR.salesforce}
"""The field of each side that is the identity."""


class WriteResult(StrEnum):
    """What became of one write."""

    DONE = "done"
    REJECTED = "rejected"
    RETRY = "retry"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The answer to one write.

    `record_outcomes` is the id of the record written (that of a creation is news). `answered` is our clock
    in seconds. `seen` is the record as the answer shows it, where the side shows it. `gone`: the
    record does not exist any more, for certain.
    """

    write: Write
    result: WriteResult
    record_id: str = ""
    answered_at: float = 0.0
    created: bool = False
    observation: Observation | None = None
    deleted: bool = False
    code: str = ""
    remedy: str = ""
    fields: tuple[str, ...] = ()


def record_outcomes(
    link: Link,
    intent_id: str,
    outcomes: Mapping[str, WriteOutcome],
    *,
    unchanged_since_intent: bool,
    now: float,
) -> Link:
    """Return the link after its intent was carried out.

    `outcomes` are by the record of the write. A line's base advances when all its writes are done;
    where only some are, the refused record counts as one that never agreed, and takes the agreed
    value later. `unchanged_since_intent` says that nobody observed anything on the link since the intent; else
    it stays dirty, as it does when an answer shows what somebody typed in another field meanwhile:
    the next reading would take that for an echo. An unknown answer leaves the intent, in doubt, for
    the next run to judge.
    """
    intent = link.intent
    if intent is None or intent.id != intent_id:
        return link
    news = False
    for outcome in outcomes.values():
        if outcome.result is WriteResult.DONE:
            news = news or _shows_other_changes(link, outcome)
            link = _apply_answer(link, outcome)
        if outcome.deleted:
            link = mark_deleted(link, outcome.write.record_id)
    link = _remember_writes(link, intent, outcomes, now)
    base = {kept: dict(words) for kept, words in link.base.items()}
    holds = dict(link.holds)
    for settlement in intent.base_updates:
        _advance_base(base, settlement, outcomes)
        if all(_is_done(outcomes.get(needed)) for needed in settlement.required_writes):
            holds.pop(settlement.pair, None)
    results = {outcome.result for outcome in outcomes.values()}
    again = bool(results & {WriteResult.RETRY, WriteResult.STALE, WriteResult.UNKNOWN}) or any(
        outcome.created for outcome in outcomes.values()
    )
    return replace(
        link,
        base=base,
        holds=holds,
        intent=_in_doubt(link, outcomes) if WriteResult.UNKNOWN in results else None,
        quarantine=_quarantine(link, outcomes, now),
        dirty=again or news or not unchanged_since_intent,
    )


def _in_doubt(link: Link, outcomes: Mapping[str, WriteOutcome]) -> Intent | None:
    """Keep of the intent only what nobody can answer for."""
    if link.intent is None:
        return None
    unknown = tuple(it.write for it in outcomes.values() if it.result is WriteResult.UNKNOWN)
    return replace(link.intent, writes=unknown, in_doubt=True)


def _apply_answer(link: Link, outcome: WriteOutcome) -> Link:
    """Fold the answer of a write into what the side was last seen to say.

    Not over what somebody else read since: it may show what a person typed after our write.
    """
    write = outcome.write
    held = link.observation(outcome.record_id)
    if held is not None and _was_read_since(held, outcome):
        return link
    if outcome.observation is not None:
        return link.with_observation(outcome.observation)
    if held is None:
        return link
    said = replace(held, values={**held.values, **write.values}, as_of=outcome.answered_at)
    if (address := write.values.get(EMAIL_FIELDS[write.side])) is not None:
        said = replace(said, email=canonical_email(address))  # else its echo is a change of address
    return link.with_observation(said)


def _was_read_since(held: Observation, outcome: WriteOutcome) -> bool:
    """Whether the record was read again after the reading that the write rested on.

    Only another process can have done that. Where the side tells versions, they say it, an answer's
    own version included; else the instant of the reading does.
    """
    if outcome.created and outcome.observation is not None and not outcome.observation.version:
        return True  # it is held although we have only just made it
    known = (
        outcome.observation.version if outcome.observation is not None else outcome.write.version
    )
    if held.version and known:
        return held.version > known
    return held.as_of > outcome.answered_at


def _remember_writes(
    link: Link, intent: Intent, outcomes: Mapping[str, WriteOutcome], now: float
) -> Link:
    """Note the words that were written over others that had been agreed."""
    for settlement in intent.base_updates:
        for record in settlement.required_writes:
            name, value = settlement.values[record]
            if _is_done(outcomes.get(record)) and name in link.base.get(record, {}):
                link = remember_write(link, settlement.pair, record, value, now=now)
    return link


def _is_done(outcome: WriteOutcome | None) -> bool:
    return outcome is not None and outcome.result is WriteResult.DONE


def _shows_other_changes(link: Link, outcome: WriteOutcome) -> bool:
    """Whether an answer shows more than we knew and wrote: somebody typed in another field."""
    held = link.observation(outcome.record_id)
    if held is None or outcome.observation is None:
        return False
    return any(
        word != held.values.get(name)
        for name, word in outcome.observation.values.items()
        if name not in outcome.write.values
    )


def _advance_base(
    base: dict[str, dict[str, Value]], settlement: BaseUpdate, outcomes: Mapping[str, WriteOutcome]
) -> None:
    needed = {record: outcomes.get(record) for record in settlement.required_writes}
    done = {r: o for r, o in needed.items() if o is not None and _is_done(o)}
    if not done:
        return
    for record, (name, value) in settlement.values.items():
        if record not in settlement.required_writes:
            base.setdefault(record, {})[name] = value
        elif record in done:
            answer = done[record]
            said = (
                answer.observation.values.get(name, value)
                if answer.observation is not None
                else value
            )
            base.setdefault(answer.record_id, {})[name] = said
        else:
            base.get(record, {}).pop(name, None)
    invalidate_base(base, settlement.invalidated)


def _quarantine(link: Link, outcomes: Mapping[str, WriteOutcome], now: float) -> Quarantine | None:
    for outcome in outcomes.values():
        if outcome.result is WriteResult.REJECTED:
            tries = 1 if link.quarantine is None else link.quarantine.tries + 1
            since = now if link.quarantine is None else link.quarantine.since
            return Quarantine(
                outcome.write.side, outcome.code, outcome.remedy, outcome.fields, since, tries
            )
    return None
