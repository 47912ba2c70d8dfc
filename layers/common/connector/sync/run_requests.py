"""Requests for runs: stored first, then queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.log_events import Event, EventLog
from connector.model import Phase, Run, RunKind, RunState, UndoRequest

if TYPE_CHECKING:
    from connector.sync.ports import Clock, RunQueue, RunRegistry


def new_run(run_id: str, kind: RunKind, now: float) -> Run:
    """Return the record of a run that is requested now."""
    return Run(run_id, kind, RunState.REQUESTED, requested_at=now)


class RunRequester:
    """Requests runs."""

    def __init__(
        self,
        runs: RunRegistry,
        queue: RunQueue,
        clock: Clock,
        new_id: Callable[[], str],
        log: EventLog,
    ) -> None:
        self._runs = runs
        self._queue = queue
        self._clock = clock
        self._new_id = new_id
        self._log = log

    def request_run(  # noqa: PLR0913  # the parts of a request, each by its name
        self,
        kind: RunKind,
        *,
        emails: Iterable[str] = (),
        draft: str = "",
        include_unchanged: bool = False,
        first: bool = False,
        skip_stages: bool = False,
        undo: UndoRequest | None = None,
        repairs: str = "",
    ) -> str:
        """Store a run and queue its first phase; return its id.

        `emails` are canonical; the other arguments are those of `Run`. Raises `MappingError` for a
        draft that is no mapping; nothing is stored then.
        """
        if draft:
            # Imported here: only the dry run of a draft needs the mapping, and the functions that
            # request runs must start fast.
            from connector.mapping.document import parse_draft  # noqa: PLC0415

            parse_draft(draft)
        run = replace(
            new_run(self._new_id(), kind, self._clock()),
            emails=tuple(emails),
            draft=draft,
            include_unchanged=include_unchanged,
            first=first,
            skip_stages=skip_stages,
            undo=undo,
            repairs=repairs,
        )
        self._runs.create_run(run)
        self._queue.send(run.id, Phase.READ)
        self._log(Event.run_requested, run_id=run.id, kind=kind.value)
        return run.id
