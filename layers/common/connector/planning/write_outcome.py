"""The effect of write responses on a link; no later read is used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final

from connector.clean_text import canonical_email
from connector.errors import describe_defect
from connector.mapping import is_identical
from connector.model import (
    BaseUpdate,
    Intent,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    ProblemCode,
    Quarantine,
    RecordKind,
    Value,
    Write,
)
from connector.planning.excluded_leads import (
    agree_base,
    note_reached,
    note_unseen,
    outdate_base,
    outdate_value,
)
from connector.planning.field_problem import FieldProblem, quarantine_with
from connector.planning.observation import (
    EMAIL_FIELDS,
    after_write,
    apply_fresh_read,
    mark_deleted,
)
from connector.planning.write_loop import remember_write

UNANSWERED_ATTEMPTS: Final = 3
"""Attempts in a row without a response after which an admin is shown the link. One or two are
ordinary when a system restarts; the write is tried again in any case."""
UNANSWERED_REMEDY: Final = (
    "open the record there and save a change by hand: if that fails too, the other system has a "
    "problem with this record; otherwise nothing is to do, the write is tried again by each run"
)


class WriteResult(StrEnum):
    """The result of one write."""

    DONE = "done"
    REJECTED = "rejected"
    RETRY = "retry"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The response to one write.

    `record_id` is the id of the record that was written (new information for a create).
    `answered_at` is our clock in seconds. `observation` is the record as the response shows it, if
    the side returns it. `deleted`: the side states that the record does not exist any more.
    `refusal` is the outcome of a first attempt with more fields: those that it names are not in
    `write`. `is_own`: the system answered for this record, not for a whole call, that it cannot
    carry out the write now.
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
    refusal: WriteOutcome | None = None
    is_own: bool = False


def defect_outcome(write: Write, result: WriteResult, error: Exception) -> WriteOutcome:
    """Return the outcome of a write that an unexpected error ended: its link has a defect."""
    return WriteOutcome(write, result, code=ProblemCode.DEFECT.value, remedy=describe_defect(error))


def record_outcomes(
    link: Link,
    intent_id: str,
    outcomes: Mapping[str, WriteOutcome],
    *,
    unchanged_since_intent: bool,
    now: float,
    problems: Sequence[FieldProblem] = (),
) -> Link:
    """Return the link after its intent was carried out.

    `outcomes` are by the record id of the write. The base of a pair is updated when all its writes
    are done; if only some are, and both sides have the value (`is_agreement`), what the
    refused record agreed on before is outdated, and it takes the agreed value later. A hold of the
    pair ends then: what it showed is older than what was agreed.

    `unchanged_since_intent`: no process changed the link since the intent; otherwise it stays
    dirty. It also stays dirty if a response shows a user's edit of another field, because the next
    read would take that edit for an echo. If an outcome is unknown, the
    intent stays, in doubt, and the next run recovers it; after `UNANSWERED_ATTEMPTS` of them in a
    row the link is in quarantine too. `problems` are those of the plan: they keep the link in
    quarantine, beside a write that a side refused.
    """
    intent = link.intent
    if intent is None or intent.id != intent_id:
        return link
    has_new_edits = False
    for outcome in outcomes.values():
        if outcome.result is WriteResult.DONE:
            has_new_edits = has_new_edits or _shows_other_changes(link, outcome)
            link = _apply_response(link, outcome)
        elif outcome.result is WriteResult.STALE and outcome.observation is not None:
            link = apply_fresh_read(link, outcome.observation)
        if outcome.deleted:
            link = mark_deleted(link, outcome.write.record_id)
    link = _remember_writes(link, intent, outcomes, now)
    base = {record_id: dict(values) for record_id, values in link.base.items()}
    holds = dict(link.holds)
    met: set[str] = set()
    undelivered = set(link.undelivered)
    for update in intent.base_updates:
        done = _done_writes(update, outcomes)
        if done and is_agreement(link, update, done.keys()):
            met |= update.base_keys
            holds.pop(update.pair, None)
            _advance_base(base, update, done, intent.writes)
            undelivered -= decided_values(update)
        elif done:
            reached = undelivered_values(link, update, update.required_writes - done.keys())
            note_reached(base, update.values, {record for record, _ in reached})
            undelivered |= reached
    results = {outcome.result for outcome in outcomes.values()}
    is_incomplete = bool(
        results & {WriteResult.RETRY, WriteResult.STALE, WriteResult.UNKNOWN}
    ) or any(outcome.created for outcome in outcomes.values())
    link = _count_unanswered(link, intent.run_id, outcomes.values())
    return replace(
        link,
        base=base,
        meeting=link.meeting - met,
        undelivered=frozenset(undelivered),
        holds=holds,
        intent=_in_doubt(link, outcomes) if WriteResult.UNKNOWN in results else None,
        quarantine=quarantine_with(_quarantine(link, outcomes, now), problems, link, now=now),
        dirty=is_incomplete or has_new_edits or not unchanged_since_intent,
    )


def is_written(outcomes: Mapping[str, WriteOutcome], record_id: str, name: str) -> bool:
    """Whether a field of a record was written, `outcomes` are by the record id of the write."""
    outcome = outcomes.get(record_id)
    return (
        outcome is not None and outcome.result is WriteResult.DONE and name in outcome.write.values
    )


def done_overwrites(intent: Intent, done: Callable[[str, str], bool]) -> list[Overwritten]:
    """Return the values that gave way, because the write that replaces them was done.

    `done` says whether a field (base key) of a record was written. A value whose record is not
    written to gives way when the other value is written anywhere.
    """
    updates = {update.pair: update for update in intent.base_updates}
    return [
        it
        for it in intent.overwritten
        if (update := updates.get(it.pair)) is not None
        and any(
            done(record, update.values[record].field)
            for record in update.required_writes & update.values.keys()
            if it.record_id not in update.required_writes or record == it.record_id
        )
    ]


def is_agreement(link: Link, update: BaseUpdate, done: Collection[str]) -> bool:
    """Return whether what was agreed is in both systems; `done` are the ids of the done writes.

    An edit of one Lead that has reached another Lead only is still an edit of both, which travels
    to Plezi later. Where the other side has it, a record that was not written takes it later.
    """
    if done == update.required_writes:
        return True
    intent = link.intent
    kinds = {} if intent is None else {write.record_id: write.kind for write in intent.writes}
    kinds |= {known.id: known.kind for known in link.observations()}
    has_value = (update.values.keys() - update.required_writes) | set(done)
    return len({kinds[record].side for record in has_value & kinds.keys()}) > 1


def undelivered_values(
    link: Link, update: BaseUpdate, missing: Collection[str]
) -> set[tuple[str, str]]:
    """Return, by record id and base key, where a value is that has reached one system only.

    `missing` are the records that were not written. A Contact is never written to: it waits if it
    has the value, and not with one of its own. A record that takes no part any more sends its last
    edit in any case.
    """
    known = {it.id: it for it in link.observations()}
    written = [it.value for r, it in update.values.items() if r in update.required_writes]

    def has_value(record_id: str) -> bool:
        record = known.get(record_id)
        if record is None or record.kind is not RecordKind.CONTACT:
            return record is None or record.is_active
        value = update.values[record_id].value
        return record.is_active and any(is_identical(value, it) for it in written)

    return {
        (record_id, it.key)
        for record_id, it in update.values.items()
        if record_id not in missing and has_value(record_id)
    }


def decided_values(update: BaseUpdate) -> set[tuple[str, str]]:
    """Return the values, by record id and base key, that an agreement leaves no edits."""
    values = {(record, it.key) for record, it in update.values.items()}
    return values | set(update.invalidated.items())


def has_no_response(outcome: WriteOutcome) -> bool:
    """Return whether a write, or the search before a creation, had no response."""
    return outcome.result is WriteResult.UNKNOWN or (
        outcome.result is WriteResult.RETRY and outcome.code == ProblemCode.UNANSWERED
    )


def _is_unfinished(outcome: WriteOutcome) -> bool:
    """Return whether a write had no response, or the response that it cannot be done now."""
    return has_no_response(outcome) or outcome.is_own


def _count_unanswered(link: Link, run_id: str, outcomes: Collection[WriteOutcome]) -> Link:
    """Count the attempts in a row without a response, or to do it later, up to their limit."""
    if any(map(_is_unfinished, outcomes)):
        number = min(link.unanswered + 1, UNANSWERED_ATTEMPTS)
        return replace(link, unanswered=number, unanswered_run=run_id)
    if any(it.result in {WriteResult.DONE, WriteResult.REJECTED} for it in outcomes):
        return replace(link, unanswered=0, unanswered_run="")
    return link


def _in_doubt(link: Link, outcomes: Mapping[str, WriteOutcome]) -> Intent | None:
    """Keep in the intent what is not recorded yet: the writes with an unknown result.

    A record that was written has what was agreed, whatever becomes of the others.
    """
    if link.intent is None:
        return None
    intent = link.intent
    done = {it.pair: frozenset(_done_writes(it, outcomes)) for it in intent.base_updates}
    recorded = done_overwrites(intent, partial(is_written, outcomes))
    return replace(
        intent,
        writes=tuple(it.write for it in outcomes.values() if it.result is WriteResult.UNKNOWN),
        base_updates=tuple(
            replace(it, required_writes=it.required_writes - done[it.pair])
            for it in intent.base_updates
        ),
        overwritten=tuple(it for it in intent.overwritten if it not in recorded),
        in_doubt=True,
    )


def _apply_response(link: Link, outcome: WriteOutcome) -> Link:
    """Apply the response of a write to the last observation of its record.

    A later read of another process is kept: it may show an edit that a user made after our write.
    It may also show one that our write has replaced, if the read began before the response.
    """
    known = link.observation(outcome.record_id)
    after = _with_written_values(link, known, outcome)
    record = after.observation(outcome.record_id)
    if known is None or record is None or _is_certain(known, outcome):
        return after
    # A reading that began before the response says as little: it is ignored as an older one.
    as_of = max(record.as_of, outcome.answered_at)
    return after.with_observation(replace(record, uncertain=True, as_of=as_of))


def _is_certain(known: Observation, outcome: WriteOutcome) -> bool:
    """Whether what is known of a record is certainly older or newer than our write.

    It is if no process has read it since what the write rests on, if one has read it after the
    response, and if versions tell which of the two is newer.
    """
    write, response = outcome.write, outcome.observation
    has_versions = response is not None and bool(response.version) and bool(known.version)
    return (
        outcome.created
        or known.as_of > outcome.answered_at
        or (response is not None and has_versions and response.version != known.version)
        or (
            known.version == write.version
            and all(
                name in known.values and is_identical(known.values[name], value)
                for name, value in write.before.items()
            )
        )
    )


def _with_written_values(link: Link, known: Observation | None, outcome: WriteOutcome) -> Link:
    """Return the link with what the response shows, or what we wrote, where it is newer."""
    write = outcome.write
    if known is not None and _was_read_since(known, outcome):
        return _with_late_values(link, known, outcome)
    if known is None:
        return link if outcome.observation is None else link.with_observation(outcome.observation)
    if outcome.observation is not None:
        return link.with_observation(after_write(known, outcome.observation))
    current = replace(known, values={**known.values, **write.values}, as_of=outcome.answered_at)
    if (address := write.values.get(EMAIL_FIELDS[write.side])) is not None:
        # Otherwise the echo of the write would look like a new change of the e-mail.
        current = replace(current, email=canonical_email(address))
    return link.with_observation(after_write(known, current))


def _with_late_values(link: Link, known: Observation, outcome: WriteOutcome) -> Link:
    """Return the link with what we wrote, where another process read the values before it.

    Its reading may have a newer version only because a user edited another field. Without our
    values it would look like a user who has typed the former ones again.
    """
    write = outcome.write
    if known.as_of > outcome.answered_at:
        return link
    late = {
        name: value
        for name, value in write.values.items()
        if name in write.before
        and name in known.values
        and is_identical(known.values[name], write.before[name])
    }
    if not late:
        return link
    return link.with_observation(replace(known, values={**known.values, **late}))


def _was_read_since(known: Observation, outcome: WriteOutcome) -> bool:
    """Whether the record was read again after the read on which the write is based.

    Only another process can have done that. If the side has versions, they decide, including the
    version in the response; otherwise the time of the read decides.
    """
    if outcome.created and outcome.observation is not None and not outcome.observation.version:
        return True  # it is known already, although we have only just created it
    version = (
        outcome.observation.version if outcome.observation is not None else outcome.write.version
    )
    if known.version and version:
        # The version that the write is based on was no later reading, even if it is in the future.
        return known.version > version and known.version != outcome.write.version
    return known.as_of > outcome.answered_at


def _remember_writes(
    link: Link, intent: Intent, outcomes: Mapping[str, WriteOutcome], now: float
) -> Link:
    """Note the values that were written in place of agreed ones, except those of an undo."""
    for update in intent.base_updates:
        if update.rule is MergeRule.UNDONE:
            continue
        for record_id in _done_writes(update, outcomes):
            if record_id not in update.values:
                continue
            key, _, value = update.values[record_id]
            if key in link.base.get(record_id, {}):
                link = remember_write(
                    link,
                    update.pair,
                    record_id,
                    value,
                    after_undo=record_id in update.after_undo,
                    now=now,
                )
    return link


def _done_writes(
    update: BaseUpdate, outcomes: Mapping[str, WriteOutcome]
) -> dict[str, WriteOutcome]:
    """Return the outcomes of the required writes that wrote the field of the pair.

    A creation without the field need not have it (`BaseUpdate.is_unsent`).
    """
    return {
        record_id: outcome
        for record_id in update.required_writes
        if (outcome := outcomes.get(record_id)) is not None
        and outcome.result is WriteResult.DONE
        and (outcome.refusal is None or update.is_unsent or _has_field(outcome, update, record_id))
    }


def _has_field(outcome: WriteOutcome, update: BaseUpdate, record_id: str) -> bool:
    """Whether a write still had the field of a pair, and its value, after a refusal."""
    agreed = update.values.get(record_id)
    if agreed is None or agreed.field not in outcome.write.values:
        return False
    return is_identical(outcome.write.values[agreed.field], agreed.value)


def _shows_other_changes(link: Link, outcome: WriteOutcome) -> bool:
    """Whether a response shows more than we knew and wrote: a user edited another field.

    It also does where a field has become unreadable, which must be listed.
    """
    known = link.observation(outcome.record_id)
    if known is None or outcome.observation is None:
        return False
    return not outcome.observation.unreadable <= known.unreadable or any(
        not is_identical(value, known.values.get(name))
        for name, value in outcome.observation.values.items()
        if name not in outcome.write.values
    )


def _advance_base(
    base: dict[str, dict[str, Value]],
    update: BaseUpdate,
    done: Mapping[str, WriteOutcome],
    writes: Iterable[Write],
) -> None:
    """Update the base of a pair, of which some required writes are done."""
    before = {it.record_id: it.before for it in writes}
    for record_id, (key, name, value) in update.values.items():
        if record_id not in update.required_writes:
            agree_base(base, record_id, key, value)
        elif record_id in done:
            outcome = done[record_id]
            stored = (
                outcome.observation.values.get(name, value)
                if outcome.observation is not None
                else value
            )
            agree_base(base, outcome.record_id, key, stored)
        else:
            outdate_value(base, record_id, key, before.get(record_id, {}), name)
    note_unseen(base, update.unseen)
    outdate_base(base, update.invalidated)


def _quarantine(link: Link, outcomes: Mapping[str, WriteOutcome], now: float) -> Quarantine | None:
    """Return the quarantine for a refused write, or for one that is never carried out.

    The latter has the code of the response, if there is one.
    """
    tries = 1 if link.quarantine is None else link.quarantine.tries + 1
    since = now if link.quarantine is None else link.quarantine.since
    for each in outcomes.values():
        refused = each.refusal or each
        if refused.result is WriteResult.REJECTED:
            only = tuple(refused.write.values) if len(refused.write.values) == 1 else ()
            named = refused.fields or only
            return Quarantine(refused.write.side, refused.code, refused.remedy, named, since, tries)
    if link.unanswered < UNANSWERED_ATTEMPTS:
        return None
    for each in filter(_is_unfinished, outcomes.values()):
        code = each.code if each.is_own and each.code else ProblemCode.UNANSWERED.value
        text = each.remedy if each.is_own and each.remedy else UNANSWERED_REMEDY
        fields = tuple(each.write.values)
        return Quarantine(each.write.side, code, text, fields, since, tries)
    return None
