"""The progress of a run until its end: a bar in a terminal, else a line for each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from plezi_sync.errors import ProblemError, RefusedError, UnreachableError
from plezi_sync.output.texts import counts_text, duration, sentence, with_commands
from plezi_sync.session import Answer, Session, segment

POLL_SECONDS: Final = 2.0
"""Between two looks at a run; API Gateway accepts 10 calls a second of all clients."""
RETRY_SECONDS: Final = 10.0
MAX_FAILED_LOOKS: Final = 5
PASSING_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
"""Refusals of API Gateway or of a busy function that another try may not meet."""
UNFINISHED: Final = frozenset({"requested", "running"})
GOOD_ENDS: Final = frozenset({"done"})


def follow(session: Session, run_id: str) -> Answer:
    """Show the progress of a run until it has ended; return its last response.

    Ctrl-C stops the looking, not the run. Some failed looks in a row are tolerated, because a run
    may take hours. Raises `RefusedError` when there is no such run.
    """
    with _new_progress(session) as progress:
        task = progress.add_task("waiting", total=None, rest="")
        try:
            return _follow(session, f"/admin/runs/{segment(run_id)}", progress, task)
        except KeyboardInterrupt:
            session.note(f"The run goes on. See it again: plezi-sync runs follow {run_id}")
            raise


def _follow(session: Session, path: str, progress: Progress, task: TaskID) -> Answer:
    printed = ""
    while True:
        answer = _look(session, path)
        run = answer.body
        text = progress_text(run)
        _update(progress, task, run)
        if not session.err.is_terminal and text != printed:
            session.note(text)
            printed = text
        if run["state"] not in UNFINISHED:
            return answer
        session.machine.sleep(POLL_SECONDS)


def _look(session: Session, path: str) -> Answer:
    """Return a run; repeat a look that failed for a reason that passes."""
    for _ in range(MAX_FAILED_LOOKS):
        try:
            return session.get(path, limit=1)
        except UnreachableError:
            session.machine.sleep(RETRY_SECONDS)
        except RefusedError as error:
            if error.status not in PASSING_STATUSES:
                raise
            session.machine.sleep(RETRY_SECONDS)
    return session.get(path, limit=1)


def require_good_end(run: Mapping[str, Any]) -> None:
    """Raise `ProblemError`, with the reason, when a run has not ended as done."""
    if run["state"] in GOOD_ENDS:
        return
    reason = f" ({sentence(run['reason'])})" if run["reason"] else ""
    message = run["message"] or "`plezi-sync doctor` shows what to do."
    raise ProblemError(
        f"The run {run['run_id']} ended {run['state']}{reason}. {with_commands(message)}"
    )


def progress_text(run: Mapping[str, Any]) -> str:
    """Return how far a run is, with its pace and the time left, in one line."""
    state, progress = sentence(run["state"]), run["progress"]
    if run["state"] == "requested":
        return "requested: waiting for a worker"
    if run["state"] not in UNFINISHED:
        return f"{state} in {duration(run['duration_seconds'])}"
    parts = [f"{state}: {sentence(progress['phase'])}" if progress["phase"] else state]
    if progress["stage"]:
        parts.append(f"stage {progress['stage']}")
    parts.append(f"{progress['people_finished']:,} of {progress['people_listed']:,} contacts")
    return ", ".join([*parts, *_pace(progress)])


def result_lines(run: Mapping[str, Any]) -> list[str]:
    """Return what a run did: one line for each side."""
    return [f"{side}: {counts_text(counts)}" for side, counts in sorted(run["counts"].items())]


def _pace(progress: Mapping[str, Any]) -> list[str]:
    parts = []
    if progress["people_an_hour"]:
        parts.append(f"{progress['people_an_hour']:,.0f} an hour")
    if progress["seconds_left"] > 0:
        parts.append(f"{duration(progress['seconds_left'])} left")
    return parts


def _new_progress(session: Session) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rest]}", markup=False),
        console=session.err,
        transient=True,
        disable=not session.err.is_terminal,
    )


def _update(progress: Progress, task: TaskID, run: Mapping[str, Any]) -> None:
    state = run["progress"]
    phase = sentence(state["phase"] or run["state"])
    numbers = f"{state['people_finished']:,} of {state['people_listed']:,}"
    progress.update(
        task,
        description=phase,
        completed=state["people_finished"],
        total=state["people_listed"] or None,
        rest=", ".join([numbers, *_pace(state)]),
    )
