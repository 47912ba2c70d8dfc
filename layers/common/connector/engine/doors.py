"""The verb of every door: write the request down durably, then answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from connector.engine.ports import Clock, Inbox, Ledger
from connector.engine.runs import new_run
from connector.model import Part, RunKind


class Door:
    """Requests runs."""

    def __init__(
        self,
        ledger: Ledger,
        inbox: Inbox,
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

    def request(
        self,
        kind: RunKind,
        *,
        emails: Iterable[str] = (),
        draft: str = "",
        everybody: bool = False,
    ) -> str:
        """Write down a run and ask for its first part; return its id.

        `emails` are canonical; they, `draft` and `everybody` are as in `Run`. Raises `MappingError`
        for a draft that is no mapping: nothing is written down then.
        """
        if draft:
            self._check(draft)
        run = replace(
            new_run(self._new_id(), kind, self._clock()),
            emails=tuple(emails),
            draft=draft,
            everybody=everybody,
        )
        self._ledger.add_run(run)
        self._inbox.send(run.id, Part.OBSERVE)
        return run.id
