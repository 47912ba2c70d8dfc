"""The progress of many calls: a bar with the pace and the time left, in a terminal only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from plezi_sync.session import Session


def tracked(session: Session, items: Sequence[str], text: str) -> Iterator[str]:
    """Yield each item, and show on standard error how many are done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )
    is_hidden = not session.err.is_terminal
    with Progress(*columns, console=session.err, transient=True, disable=is_hidden) as progress:
        yield from progress.track(items, description=text)
