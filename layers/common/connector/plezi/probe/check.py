"""The weekly check of the tenant's API: a probe that only reads, and uses nothing that it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.plezi.probe.probe import Probe
from connector.probe_report import (
    CHECK_KEY,
    DialectValue,
    FoundDialect,
    ProbeState,
    load_found_dialect,
    load_probe,
)
from connector.stores import DocumentStore

CHECK_SECONDS: Final = 7 * 86_400.0
"""A week. A check makes 22 calls to the simulated tenant; the default rate allows a million."""
PAGE_SIZE: Final = "page_size"


class ApiCheck:
    """Checks a tenant that was probed; `probe` is stored under `CHECK_KEY`."""

    def __init__(self, probe: Probe, store: DocumentStore, clock: Callable[[], float]) -> None:
        self._probe = probe
        self._store = store
        self._clock = clock

    def changed_keys(self) -> tuple[str, ...] | None:
        """Return the keys of the dialect in use that the tenant's API no longer has.

        Checks the tenant when it was not probed or checked for a week; a check that runs out of
        time goes on after the next run. None: no probe was made, or no check is done yet. Raises
        the errors of `Probe.run`.
        """
        found = load_found_dialect(self._store)
        if not found.tenant:
            return None
        stored = load_probe(self._store, CHECK_KEY)
        report = stored[0] if stored is not None and stored[0].tenant == found.tenant else None
        checked_at = max(found.probed_at, report.started_at if report is not None else 0.0)
        is_unfinished = report is not None and report.state is ProbeState.RUNNING
        if is_unfinished or self._clock() - checked_at > CHECK_SECONDS:
            report = self._probe.run()
        if report is None or report.state is not ProbeState.DONE:
            return None
        if report.tenant != found.tenant or report.ended_at < found.probed_at:
            return ()  # a later probe has used what is true now
        return tuple(
            sorted(name for name in found.keys if _is_changed(name, found, report.dialect))
        )


def _is_changed(name: str, found: FoundDialect, now: dict[str, DialectValue]) -> bool:
    """Return whether a key differs; a page that is larger now is seen as the tenant grows."""
    before, after = found.keys[name], now.get(name, found.keys[name])
    if name == PAGE_SIZE and isinstance(before, int) and isinstance(after, int):
        return after < before
    return after != before
