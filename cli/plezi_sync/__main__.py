"""Entry point: parse the arguments, run one command, return its exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

from plezi_sync.application import NAME, new_application
from plezi_sync.errors import ClosedOutputError, CommandError, ExitStatus, RefusedError
from plezi_sync.machine import Machine
from plezi_sync.output.consoles import new_console
from plezi_sync.session import Session

TRACEBACK_VARIABLE: Final = "PLEZI_SYNC_TRACEBACK"


def main(arguments: Sequence[str] | None = None, machine: Machine | None = None) -> int:
    """Run one command and return its exit status (see `ExitStatus`)."""
    session = Session(machine or Machine(), new_console(), new_console(stderr=True))
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _run(given, session)
        sys.stdout.flush()  # a closed pipe must be found here, not at the end of the process
    except SystemExit as end:  # Typer's: the help, a wrong argument, the end of a command
        return end.code if isinstance(end.code, int) else ExitStatus.DONE
    except (BrokenPipeError, ClosedOutputError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.CLOSED_OUTPUT
    except CommandError as error:
        _report(error, session, as_json="--json" in given)
        return error.exit_status
    except KeyboardInterrupt:
        session.note(f"{NAME}: interrupted.")
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # people never see a traceback
        return _report_defect(error, session)
    return ExitStatus.DONE


def _run(arguments: list[str], session: Session) -> None:
    try:
        new_application()(arguments, prog_name=NAME, obj=session)
    except SystemExit as end:
        if end.code not in (0, None):
            raise


def _report(error: CommandError, session: Session, *, as_json: bool) -> None:
    """Print an error; for a program, the body of the refusal is on standard output too."""
    if as_json and isinstance(error, RefusedError) and error.body:
        session.raw(error.body)
    if str(error):
        session.note(f"{NAME}: {error}")


def _report_defect(error: Exception, session: Session) -> int:
    """Print an unexpected error in one sentence; its traceback only where it is asked for."""
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exc()
    session.note(
        f"{NAME}: this is a defect of {NAME} ({type(error).__name__}: {error}). Repeat the command "
        f"with {TRACEBACK_VARIABLE}=1 and report what it prints."
    )
    return ExitStatus.DEFECT


if __name__ == "__main__":
    sys.exit(main())
