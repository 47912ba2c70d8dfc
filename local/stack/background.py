"""Programs that run in the background. Each has a log and a process record.

The record contains the process id *and* the start time of the process: after a crash or a reboot
another process can have the same id, and it must not be stopped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """A problem with the local stack. The message contains the remedy."""


@dataclass(frozen=True)
class ProcessRecord:
    """One process that was started in the background."""

    pid: int
    start_time: str

    @property
    def alive(self) -> bool:
        """Whether the same process still runs."""
        with suppress(
            ChildProcessError
        ):  # another command started it: it is no child of this process
            os.waitpid(self.pid, os.WNOHANG)
        return bool(self.start_time) and start_time(self.pid) == self.start_time


@dataclass(frozen=True)
class BackgroundPrograms:
    """The background programs of one stack."""

    folder: Path

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a program in its own process group, so that its children end with it."""
        self._records.mkdir(parents=True, exist_ok=True)
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        # Not `subprocess`, which expects to wait for the program; this one outlives the command.
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
        record = ProcessRecord(pid, start_time(pid))
        self._record_file(name).write_text(json.dumps(asdict(record)), encoding="utf-8")

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a program is ready.

        Raises:
            StackError: when it ended, or took too long. The message contains the end of its log.
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
        record = self._read_record(name)
        return record is not None and record.alive

    def names(self) -> list[str]:
        """Names of the programs that were started and not stopped, alive or not."""
        return sorted(path.stem for path in self._records.glob("*.json"))

    def stop(self) -> list[str]:
        """Stop every program, by force after 5 s; return the names of those that were alive."""
        records = {name: self._read_record(name) for name in self.names()}
        alive = {name: record for name, record in records.items() if record and record.alive}
        self._signal(alive.values(), signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(record.alive for record in alive.values()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._signal([record for record in alive.values() if record.alive], signal.SIGKILL)
        shutil.rmtree(self._records, ignore_errors=True)
        return list(alive)

    def log(self, name: str) -> Path:
        """Return the file that receives the output of the program."""
        return self.folder / "logs" / f"{name}.log"

    @property
    def _records(self) -> Path:
        return self.folder / "processes"

    def _record_file(self, name: str) -> Path:
        return self._records / f"{name}.json"

    def _read_record(self, name: str) -> ProcessRecord | None:
        try:
            return ProcessRecord(**json.loads(self._record_file(name).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _tail(self, name: str) -> str:
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-LOG_TAIL_LINES:])

    @staticmethod
    def _signal(records: Iterable[ProcessRecord], number: signal.Signals) -> None:
        for record in records:
            with suppress(ProcessLookupError):
                os.killpg(record.pid, number)


def start_time(pid: int) -> str:
    """Return when a process started, in the format of the system; '' when there is no process."""
    try:
        # The name is in brackets and can contain any character. After it: field 3 is the state,
        # field 22 the start time (Linux manual page proc_pid_stat(5)).
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except ProcessLookupError:
        return ""
    listed = subprocess.run(  # noqa: S603 - the id is a number
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - the folder of ps depends on the system
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.strip()
