"""Programs that run in the background, each with a log, and a note by which it is found again.

The note holds the process id *and* when that process started: after a crash, or a reboot, the id
may belong to somebody else, who must not be stopped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.05
GRACE_SECONDS: Final = 5.0
LOG_TAIL_LINES: Final = 15
LOG_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
LOG_MODE: Final = 0o600


class StackError(Exception):
    """Something the person at the terminal can act upon; the message says how."""


@dataclass(frozen=True)
class Note:
    """Who runs in the background."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        with suppress(ChildProcessError):  # not our child: another command started it
            os.waitpid(self.pid, os.WNOHANG)
        return bool(self.started) and started(self.pid) == self.started


@dataclass(frozen=True)
class Background:
    """The background programs of one stack."""

    folder: Path

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a program in a process group of its own, so that its children end with it."""
        self._notes.mkdir(parents=True, exist_ok=True)
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        # Not `subprocess`, which expects to see the end of what it starts; this outlives us.
        pid = os.posix_spawn(
            command[0],
            list(command),
            os.environ if environment is None else environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, self.log(name), LOG_FLAGS, LOG_MODE),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setpgroup=0,
        )
        note = Note(pid, started(pid))
        (self._notes / f"{name}.json").write_text(json.dumps(asdict(note)), encoding="utf-8")

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a program is ready.

        Raises:
            StackError: when it ended instead, or took too long; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive(name):
                raise StackError(f"{name} ended instead of starting.\n{self._tail(name)}")
            if time.monotonic() > deadline:
                raise StackError(f"{name} is not ready after {seconds:.0f} s.\n{self._tail(name)}")
            time.sleep(POLL_SECONDS)

    def alive(self, name: str) -> bool:
        """Whether the program of that name runs."""
        note = self._note(name)
        return note is not None and note.alive

    def names(self) -> list[str]:
        """Every program that was started and not stopped, alive or not."""
        return sorted(path.stem for path in self._notes.glob("*.json"))

    def stop(self) -> list[str]:
        """Stop every program, the slow ones by force; return the names of those that were alive."""
        notes = {name: note for name in self.names() if (note := self._note(name)) is not None}
        alive = [name for name, note in notes.items() if note.alive]
        self._signal([notes[name] for name in alive], signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(notes[name].alive for name in alive) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._signal([notes[name] for name in alive if notes[name].alive], signal.SIGKILL)
        shutil.rmtree(self._notes, ignore_errors=True)
        return alive

    def log(self, name: str) -> Path:
        """Where the program writes what it says."""
        return self.folder / "logs" / f"{name}.log"

    @property
    def _notes(self) -> Path:
        return self.folder / "processes"

    def _note(self, name: str) -> Note | None:
        try:
            return Note(**json.loads((self._notes / f"{name}.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _tail(self, name: str) -> str:
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-LOG_TAIL_LINES:])

    @staticmethod
    def _signal(notes: Sequence[Note], number: signal.Signals) -> None:
        for note in notes:
            with suppress(ProcessLookupError):
                os.killpg(note.pid, number)


def started(pid: int) -> str:
    """When a process started, in words of the system; empty when there is no such process."""
    try:
        # After the name, which is in brackets and may hold anything: state is field 3, start is 22.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except ProcessLookupError:
        return ""
    answer = subprocess.run(  # noqa: S603 - the id is a number
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - ps lives where the system put it
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()
