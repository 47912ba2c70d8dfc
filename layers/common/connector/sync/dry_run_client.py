"""One system in a dry run: it is read for real, and its writes are only predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.errors import ConnectorError, UnstorableError
from connector.mapping import ReadScope, Schema
from connector.model import (
    Cursor,
    LookupResult,
    Observation,
    Page,
    ProblemCode,
    RecordKind,
    Side,
    Write,
)
from connector.planning.preflight import expected_refusal
from connector.planning.write_outcome import WriteOutcome, WriteResult, defect_outcome
from connector.sync.ports import ScratchStore, SideClient

PREDICTED: Final = "new record "
NEW_RECORD_ID: Final = PREDICTED + "{number} in {side}"
IDS_OF_INVOCATION: Final = 1_000_000
"""More records than one invocation creates: the ids of each invocation are different."""
SET_BY_PLEZI: Final = "(what Plezi gives a new contact)"
"""Stands for the attributes of a new contact that Plezi sets itself: page address, score, state."""
WRITES_PER_CALL: Final = {Side.SALESFORCE: 200, Side.PLEZI: 1}
"""Salesforce REST API Developer Guide, sObject Collections: 200 records. Plezi has no bulk call
(assumed)."""
REMEDY: Final = "predicted from Salesforce's description of its own fields"


def _is_predicted(observation: Observation) -> bool:
    """Return whether a record exists in a dry run only."""
    return observation.id.startswith(PREDICTED)


def _not_stored(write: Write, detail: str) -> WriteOutcome:
    """Return the outcome of a write whose values cannot be stored with the dry run."""
    code = ProblemCode.DEFECT.value
    return WriteOutcome(write, WriteResult.RETRY, code=code, remedy=detail)


class DryRunClient:
    """Reads one system; `write_calls` is the number of calls that its writes would have taken."""

    def __init__(
        self,
        client: SideClient,
        side: Side,
        clock: Callable[[], float],
        scratch: ScratchStore,
        invocation: int,
    ) -> None:
        self._scratch = scratch
        self._first_id = invocation * IDS_OF_INVOCATION + 1
        self._client = client
        self._side = side
        self._clock = clock
        self._created: dict[str, Observation] = {}
        self.write_calls = 0

    @property
    def calls(self) -> int:
        """Return the number of requests sent so far: reads only."""
        return self._client.calls

    @property
    def search_calls(self) -> int:
        """Return the calls that a real run makes before it creates, and a dry run does not."""
        return len(self._created) if self._side is Side.PLEZI else 0

    def identity(self) -> str:
        """Return the org or tenant that today's credentials lead to."""
        return self._client.identity()

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record of this system."""
        return self._client.schemas()

    def refresh_schemas(self) -> None:
        """Read the description again if another process invalidated it."""
        self._client.refresh_schemas()

    def invalidate_schemas(self) -> None:
        """Read the description again when it is next needed."""
        self._client.invalidate_schemas()

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor."""
        return self._client.read(cursor, scope)

    @property
    def has_change_feed(self) -> bool:
        """Return False: nothing is written, so no observation must be fresh."""
        return False

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since a position."""
        return self._client.recent_changes(since, scope)

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:  # noqa: ARG002  # a port
        """Return how long the look-ups take: nothing is written."""
        return self._client.seconds_for(look_ups=look_ups)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records again, with the values that would have been written to them."""
        predicted = [
            each for each in records if _is_predicted(each) and each.id not in self._created
        ]
        known = [each for each in records if not _is_predicted(each)]
        created_emails = {each.email for each in self._created.values()}
        unwritten = [email for email in emails if email not in created_emails]
        found = (
            self._client.look_up(known, unwritten, scope, page_urls)
            if known or unwritten
            else LookupResult()
        )
        written = self._scratch.load_written([each.id for each in found.observations])
        observations = predicted + [
            replace(each, values={**each.values, **written.get(each.id, {})})
            for each in found.observations
        ]
        ids = {each.id for each in records}
        observations += [
            each for each in self._created.values() if each.id in ids or each.email in emails
        ]
        return LookupResult(tuple(observations), found.deleted, found.problems)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Predict the outcome of writes, as far as the system's own description allows.

        Where each write is a call of its own, a run may stop after any of them: the next invocation
        predicts the rest, and counts it.
        """
        per_call = WRITES_PER_CALL[self._side]
        for part in [writes] if per_call > 1 else [[write] for write in writes]:
            yield from self._apply(part, scope, per_call)

    def _apply(
        self, writes: Sequence[Write], scope: ReadScope, per_call: int
    ) -> Iterator[WriteOutcome]:
        for is_create in (True, False):
            number = sum(write.is_create is is_create for write in writes)
            self.write_calls += -(-number // per_call)
        outcomes = [self._predict_one(write, scope) for write in writes]
        done = [it.write for it in outcomes if it.result is WriteResult.DONE]
        updates = [write for write in done if not write.is_create]
        before = self._scratch.load_written([write.record_id for write in updates])
        after = {it.record_id: {**before.get(it.record_id, {}), **it.values} for it in updates}
        failed: Mapping[str, str] = {}
        try:
            self._scratch.save_written(after)
        except UnstorableError as error:
            failed = error.details
        for each in outcomes:
            detail = failed.get(each.write.record_id)
            yield each if detail is None else _not_stored(each.write, detail)

    def _predict_one(self, write: Write, scope: ReadScope) -> WriteOutcome:
        """Predict the outcome of one write; what fails is the problem of this write."""
        try:
            return self._predict(write, scope)
        except ConnectorError:
            raise
        except Exception as error:  # noqa: BLE001  # the problem of one write
            return defect_outcome(write, WriteResult.RETRY, error)

    def _predict(self, write: Write, scope: ReadScope) -> WriteOutcome:
        schema = self._client.schemas()[write.kind]
        known = {name: value for name, value in write.values.items() if value != SET_BY_PLEZI}
        checked = replace(write, values=known)
        refusal = expected_refusal(checked, schema) if self._side is Side.SALESFORCE else None
        if refusal is not None:
            return WriteOutcome(
                write,
                WriteResult.REJECTED,
                code=refusal.code,
                remedy=REMEDY,
                fields=refusal.fields,
            )
        now = self._clock()
        if not write.is_create:
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        created = self._create(write, scope, now)
        self._created[created.id] = created
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=created.id,
            answered_at=now,
            created=True,
            observation=created,
        )

    def _create(self, write: Write, scope: ReadScope, now: float) -> Observation:
        values = {name: write.values.get(name) for name in scope.field_names[write.kind]}
        if self._side is Side.PLEZI:
            schema = self._client.schemas()[write.kind]
            set_by_plezi = [name for name in values if not schema[name].creatable]
            values |= dict.fromkeys(set_by_plezi, SET_BY_PLEZI)
        return Observation(
            kind=write.kind,
            id=NEW_RECORD_ID.format(
                number=self._first_id + len(self._created), side=self._side.value
            ),
            email=write.email,
            version="",
            modified="",
            as_of=now,
            values=values,
        )
