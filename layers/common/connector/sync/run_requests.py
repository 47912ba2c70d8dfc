"""The verb of every door: write the request down durably, then answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from connector.model import Phase, RunKind
from connector.sync.ports import Clock, Ledger, RunQueue
from connector.sync.runs import new_run


class RunRequester:
    """Requests runs."""

    def __init__(
        self,
        ledger: Ledger,
        inbox: RunQueue,
        clock: Clock,
        new_id: Callable[[], str],
        check: Callable[[str], object] = lambda draft: draft,
    ) -> None:
        """Take what a door needs; `check` raises `MappingError` for a draft that is none."""
        self._ledger = ledger
        self._check = check
        self._inbox = inbox
        self._clock = clock
        self._new_id = new_id

    def request_run(
        self,
        kind: RunKind,
        *,
        emails: Iterable[str] = (),
        draft: str = "",
        everybody: bool = False,
    ) -> str:
        """Write down a run and ask for its first part; return its id.

        `emails` are canonical; they, `draft` and `include_unchanged` are as in `Run`. Raises `MappingError`
        for a draft that is no mapping: nothing is written down then.
        """
        if draft:
            self._check(draft)
        run = replace(
            new_run(self._new_id(), kind, self._clock()),
            emails=tuple(emails),
            draft=draft,
            include_unchanged=everybody,
        )
        self._ledger.create_run(run)
        self._inbox.send(run.id, Phase.READ)
        return run.id
