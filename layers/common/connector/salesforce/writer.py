"""Writes of Leads: sObject Collections of 200, only changed fields, one outcome for each record.

A creation is an upsert on the external id that holds the Plezi URL, so a repeated creation creates
no duplicate. Salesforce has no precondition on collections: a write depends on a read shortly
before it (docs/architecture.md describes the remaining window).

An error that all records of a call have, or that the call has as a whole, may be caused by one of
them or by their number (a governor limit, a trigger, a lock, a value that Salesforce cannot parse).
It is never taken for one of each record: the records are sent again in halves. Only records of
which Salesforce answered that they were not saved are sent again; a write whose response was lost
is not. Such writes are remembered, and sent apart from all others when a later run plans them again
(`salesforce.lost_writes`).

An error that stops all runs (a limit, a permission) stops them only if it is proven to be one of
the org: the call has it as an HTTP error, several records of a call all have it, or, for a record
that is alone in its call, another such record or a read right after it has it too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import requests

from connector.deadline import DeadlineError
from connector.errors import (
    ConnectorError,
    HaltError,
    RejectedError,
    RetryError,
    StaleError,
    UnknownFieldError,
)
from connector.model import Observation, Write
from connector.pace import PacedCalls
from connector.planning.write_outcome import WriteOutcome, WriteResult, defect_outcome
from connector.salesforce.auth.login import LoginUnavailableError
from connector.salesforce.connection import Connection, UnsavedError
from connector.salesforce.diagnosis import (
    DiagnosedError,
    find_error,
    halt_error,
    remedy,
    words_of_org,
)
from connector.salesforce.error_table import UNKNOWN_ERROR
from connector.salesforce.halving import Halving
from connector.salesforce.lost_writes import MAX_LOST_IN_A_ROW, LostWrites
from connector.salesforce.write_answer import (
    UNKNOWN,
    Answer,
    Effect,
    fail_as_one,
    is_lost,
    read_answers,
    whole_refusal,
)

DUPLICATE_RULES: Final = {
    "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; "
    "runAsCurrentUser=true"
}
"""A duplicate rule that only alerts lets the record be saved; a rule that blocks still blocks (REST
API Developer Guide, "Duplicate Rule Header")."""
WRITE_CALL: Final = "write"
"""The kind of call whose pace is measured."""
NOT_SENT: Final = (DeadlineError, HaltError, LoginUnavailableError)
"""Errors of a call that Salesforce did not carry out, and after which no other one is made."""
FAILED: Final = frozenset({Effect.BUSY, Effect.STALE, Effect.REFUSED, Effect.HALT})
"""Effects of an answer that says that the record was not saved."""
FORBIDDEN: Final = "403"
"""The row of a refusal whose code the table lacks."""


class Writer:
    """Writes to one org. `assign_new_leads`: the org's assignment rules run for new Leads only.

    `is_redescribed` reads the describe again, once per run, and returns whether it has changed.
    `describe_leads` reads the describe of Leads again, and raises an error where the org refuses it
    or where it shows that the user may not write Leads.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        is_redescribed: Callable[[], bool],
        describe_leads: Callable[[], object],
        lost_writes: LostWrites,
        calls: PacedCalls,
        *,
        assign_new_leads: bool,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._is_redescribed = is_redescribed
        self._describe_leads = describe_leads
        self._batch_size = lost_writes.batch_size
        self._lost_writes = lost_writes
        self._lost_in_a_row = 0.0
        self._calls = calls
        self._assign_new_leads = assign_new_leads
        self._failures = {True: 0, False: 0}
        """Batches in a row of which nothing could be saved: of creations, and of updates."""
        self._unraised: ConnectorError | None = None

    def apply(self, writes: Sequence[Write], names: Sequence[str]) -> Iterator[WriteOutcome]:
        """Apply writes in calls of 200 or fewer; yield one outcome for each, in the given order.

        `names` are the Lead fields of an observation. Fewer outcomes are yielded when the time of
        the invocation is used up, or when Salesforce answers none of the first calls: the other
        writes were not sent. Raises `HaltError` when no
        further write is allowed, and `UnknownFieldError` when the describe has changed; the
        outcomes yielded before it are final.
        """
        self._raise_stop()
        self._batch_size.refresh()
        self._lost_writes.refresh()
        self._lost_in_a_row = 0.0
        outcomes: dict[int, WriteOutcome] = {}
        position = 0
        stop: ConnectorError | None = None
        for batch in self._batches(writes):
            stop = self._deliver(_Batch(writes, batch, names, outcomes))
            # A caller that takes one outcome for each write does not come back after the last one.
            self._lost_writes.save()
            while position in outcomes:
                yield outcomes[position]
                position += 1
            if stop is not None or self._lost_in_a_row >= MAX_LOST_IN_A_ROW:
                break
        self._unraised = None if isinstance(stop, DeadlineError) else stop
        for number in range(position, max(outcomes, default=-1) + 1):
            not_sent = WriteOutcome(writes[number], WriteResult.RETRY)
            yield outcomes.get(number, not_sent)
        self._raise_stop()

    def _raise_stop(self) -> None:
        """Raise the error that stopped the last writes, unless it was raised already.

        A caller that takes one outcome for each write never reaches the error behind the last.
        """
        stop, self._unraised = self._unraised, None
        if stop is not None:
            raise stop

    def _batches(self, writes: Sequence[Write]) -> Iterator[list[int]]:
        """Yield the numbers of the writes of one call: updates, then creations.

        The writes of calls that were not answered before are the last of both.
        """
        creations = [number for number, write in enumerate(writes) if write.is_create]
        updates = [number for number, write in enumerate(writes) if not write.is_create]
        of_lost = [self._lost_writes.parts(writes, group) for group in (updates, creations)]
        apart = {number for parts in of_lost for part in parts for number in part}
        for group in (updates, creations):
            ordinary = [number for number in group if number not in apart]
            start = 0
            while start < len(ordinary):
                size = self._batch_size.current
                yield ordinary[start : start + size]
                start += size
        for parts in of_lost:
            yield from parts

    def _deliver(self, batch: _Batch) -> ConnectorError | None:
        """Send a batch, in halves where it fails as a whole; return the error that stops it."""
        work = Halving(batch.encode(), self._failures[batch.creates])
        stop: ConnectorError | None = None
        while stop is None and (part := work.next_part()):
            writes = [batch.writes[number] for number in part]
            records = [batch.records[number] for number in part]
            try:
                answers = self._calls.make(WRITE_CALL, partial(self._send, writes, records))
            except NOT_SENT as error:
                stop = error
            else:
                self._report_answer(writes, answers)
                stop = self._take(part, answers, batch, work)
        return self._finish(batch, work) if stop is None else stop

    def _report_answer(self, writes: Sequence[Write], answers: Sequence[Answer]) -> None:
        """Remember the writes of a call without an answer, and forget those of any other."""
        if is_lost(answers):
            self._lost_in_a_row += 1
            self._lost_writes.report_lost(writes)
        else:
            self._lost_in_a_row = -math.inf
            self._lost_writes.report_answered(writes)

    def _finish(self, batch: _Batch, work: Halving) -> ConnectorError | None:
        """Leave what no record of the org can pass; learn the size that works.

        Returns the error that stops all writes, where several records prove it.
        """
        if work.has_saved:
            self._failures[batch.creates] = 0
        elif work.is_hopeless:
            self._failures[batch.creates] += 1
        if not work.has_saved and (error := batch.proven_halt()) is not None:
            return error
        batch.refuse_halts(self._clock())
        for number in work.unsent():
            batch.wait(number)
        if work.has_saved and not work.failed_alone:
            self._batch_size.report(work.batch_faults, work.largest_saved)
        return None

    def _send(
        self, writes: Sequence[Write], records: Sequence[Mapping[str, object]]
    ) -> list[Answer]:
        """Send some writes in one call; return the answer to each."""
        number = len(writes)
        try:
            return read_answers(self._call(writes, records), number)
        except DiagnosedError as error:
            if not error.code or find_error(error.code) is not None:
                raise
            return [Answer(Effect.HALT, code=error.code, whole=True)] * number
        except NOT_SENT:
            raise
        except UnsavedError as error:
            return whole_refusal(error.refusal, number, Effect.BUSY)
        except (RetryError, requests.RequestException):
            return [UNKNOWN] * number
        except StaleError:
            return [Answer(Effect.STALE, whole=True)] * number
        except RejectedError as error:
            return whole_refusal(error, number, Effect.REFUSED)

    def _call(self, writes: Sequence[Write], records: Sequence[Mapping[str, object]]) -> Any:  # noqa: ANN401  # any JSON
        creates = writes[0].is_create
        assign = "TRUE" if creates and self._assign_new_leads else "FALSE"
        headers = {"Sforce-Auto-Assign": assign, **DUPLICATE_RULES}
        # Never an upsert, which may hit a record that was not read: the page address is unique,
        # so Salesforce refuses a second Lead (DUPLICATE_VALUE).
        method = "POST" if creates else "PATCH"
        body = {"allOrNone": False, "records": records}
        return self._connection.call(
            "composite/sobjects", method=method, headers=headers, json=body
        )

    def _take(
        self, part: Sequence[int], answers: Sequence[Answer], batch: _Batch, work: Halving
    ) -> ConnectorError | None:
        """Record the answers to a part that are final; return the error that stops the batch."""
        stop = self._stop_of(answers, batch)
        is_alone = len(part) == 1
        has_one_cause = fail_as_one(answers) and not work.had_own_answers(part)
        split: list[int] = []
        again: list[int] = []
        for number, answer in zip(part, answers, strict=True):
            waits = stop is not None and (answer.effect is Effect.HALT or answer.is_of_schema)
            if waits:
                continue  # it was not carried out, and is planned again
            if (answer.is_of_batch or has_one_cause) and not is_alone:
                split.append(number)
            elif answer.is_temporary and work.is_first_try(number):
                again.append(number)
            else:
                work.failed_alone += is_alone and answer.effect in FAILED
                batch.finish(number, answer, self._clock())
        work.has_saved = work.has_saved or any(each.effect is Effect.SAVED for each in answers)
        if split:
            work.batch_faults += 1
        elif work.has_saved:
            work.largest_saved = max(work.largest_saved, len(part))
        work.split(split)
        work.send_again(again)
        return stop

    def _stop_of(self, answers: Sequence[Answer], batch: _Batch) -> ConnectorError | None:
        """Return the error after which nothing more is sent, or None."""
        first = answers[0]
        if first.effect is Effect.HALT and len(answers) > 1 and not first.whole:
            return _halt(first)
        if first.effect is Effect.HALT and len(answers) == 1 and not batch.halts:
            return self._refusal_of_org()
        refused = next((each for each in answers if each.is_of_schema), None)
        if refused is None:
            return None
        try:
            if not self._is_redescribed():
                return None
        except ConnectorError as error:
            return error  # the answers to this call are recorded first
        text = remedy(refused.code, refused.message)
        return UnknownFieldError(refused.code, text, fields=refused.fields)

    def _refusal_of_org(self) -> ConnectorError | None:
        """Return the error of a read right after a record that an error of the org refused."""
        try:
            self._describe_leads()
        except ConnectorError as error:
            return error
        return None


class _Batch:
    """Writes that are sent together: their numbers, and the outcomes known so far."""

    def __init__(
        self,
        writes: Sequence[Write],
        numbers: Sequence[int],
        names: Sequence[str],
        outcomes: dict[int, WriteOutcome],
    ) -> None:
        self.writes = writes
        self.numbers = numbers
        self.outcomes = outcomes
        self.records: dict[int, Mapping[str, object]] = {}
        self.creates = writes[numbers[0]].is_create
        self.halts: dict[int, Answer] = {}
        """Answers of the class that stops all runs, each to a record alone in its call."""
        self._reason = ("", "")
        """Code and remedy of the last refusal of a record."""
        self._names = names

    def encode(self) -> list[int]:
        """Encode the writes; return the numbers of those that can be sent."""
        for number in self.numbers:
            write = self.writes[number]
            try:
                self.records[number] = _record(write)
            except Exception as error:  # noqa: BLE001  # the problem of one write
                self.outcomes[number] = defect_outcome(write, WriteResult.RETRY, error)
        return list(self.records)

    def finish(self, number: int, answer: Answer, now: float) -> None:
        """Record the final answer to a write; an answer of the org is decided at the end."""
        write = self.writes[number]
        if answer.effect is Effect.HALT:
            self.halts[number] = answer
            return
        try:
            self.outcomes[number] = _outcome(write, answer, self._names, now)
            if answer.effect is Effect.REFUSED:
                self._reason = answer.code, remedy(answer.code, answer.message)
        except Exception as error:  # noqa: BLE001  # the problem of one write, which was sent
            self.outcomes[number] = defect_outcome(write, WriteResult.UNKNOWN, error)

    def wait(self, number: int) -> None:
        """Leave a write to the next run, with the reason of the records that were refused."""
        write = self.writes[number]
        code, text = self._reason
        self.outcomes[number] = WriteOutcome(write, WriteResult.RETRY, code=code, remedy=text)

    def proven_halt(self) -> ConnectorError | None:
        """Return the error of the org that several records have, each alone in its call."""
        answers = list(self.halts.values())
        is_proven = len(answers) > 1 and len({answer.code for answer in answers}) == 1
        return _halt(answers[0]) if is_proven else None

    def refuse_halts(self, now: float) -> None:
        """Take errors that are not proven to be of the org for those of their records."""
        for number, answer in self.halts.items():
            self.finish(number, replace(answer, effect=Effect.REFUSED), now)


def _halt(answer: Answer) -> ConnectorError:
    """Return the error that stops all runs."""
    return halt_error(answer.row or find_error(FORBIDDEN) or UNKNOWN_ERROR, answer.code)


def _record(write: Write) -> Mapping[str, object]:
    """Return the record of a write in a call; raise an error for what is not JSON."""
    record = {
        "attributes": {"type": write.kind.value},
        **({} if write.is_create else {"id": write.record_id}),
        **write.values,
    }
    json.dumps(record, allow_nan=False)
    return record


def _outcome(write: Write, answer: Answer, names: Sequence[str], now: float) -> WriteOutcome:
    match answer.effect:
        case Effect.SAVED:
            return WriteOutcome(
                write,
                WriteResult.DONE,
                record_id=answer.record_id,
                answered_at=now,
                created=write.is_create,
                observation=_new_lead(write, answer.record_id, names, now)
                if write.is_create
                else None,
            )
        case Effect.BUSY:
            known = answer.row.remedy if answer.row is not None else ""
            return WriteOutcome(
                write, WriteResult.RETRY, code=answer.code, remedy=known, is_own=True
            )
        case Effect.STALE:
            known = answer.row.remedy if answer.row is not None else ""
            return WriteOutcome(
                write, WriteResult.STALE, code=answer.code, remedy=known, is_own=True
            )
        case Effect.UNKNOWN:
            return WriteOutcome(write, WriteResult.UNKNOWN, code=answer.code, remedy=answer.message)
        case Effect.REFUSED | Effect.HALT:
            return _rejected(write, answer.code, answer.fields, answer.message)


def _new_lead(write: Write, record_id: str, names: Sequence[str], now: float) -> Observation:
    """Return the observation of a Lead just created; the response only has its id."""
    return Observation(
        kind=write.kind,
        id=record_id,
        email=write.email,
        version="",
        modified="",
        as_of=now,
        values={name: write.values.get(name) for name in names},
    )


def _rejected(write: Write, code: str, fields: tuple[str, ...], message: str = "") -> WriteOutcome:
    text = remedy(code, message) + words_of_org(code, message)
    return WriteOutcome(write, WriteResult.REJECTED, code=code, remedy=text, fields=fields)
