"""Exit statuses, and the errors that end a command with one of them."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """How a command ended. Scripts can rely on these numbers."""

    DONE = 0
    REFUSED = 1
    """The API, a function or AWS received the request and refused it."""
    USAGE = 2
    """The arguments, a file or the AWS configuration are wrong. No change was made."""
    UNREACHABLE = 3
    """No response: the stack is not up, or the network does not reach it."""
    PROBLEM = 4
    """The command worked, and what it found is a problem: a failed run, a wrong mapping."""
    CANCELLED = 5
    """The question was not answered with yes. No change was made."""
    DEFECT = 70
    """An unexpected error of the command line itself (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    """128 + SIGINT, as shells report it."""
    CLOSED_OUTPUT = 141
    """128 + SIGPIPE, as shells report it: the reader of the output ended."""


class CommandError(Exception):
    """A command cannot be completed. The message contains the remedy."""

    exit_status: ClassVar[ExitStatus]


class RefusedError(CommandError):
    """The stack received the request and refused it.

    `status` and `body` are the response of the API (0 and '': AWS or a function refused).
    """

    exit_status = ExitStatus.REFUSED

    def __init__(self, message: str, status: int = 0, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class UsageError(CommandError):
    """The arguments, a file or the AWS configuration are wrong."""

    exit_status = ExitStatus.USAGE


class UnreachableError(CommandError):
    """The stack sends no response."""

    exit_status = ExitStatus.UNREACHABLE


class ProblemError(CommandError):
    """The command worked, and found a problem. An empty message: the output shows it."""

    exit_status = ExitStatus.PROBLEM


class CancelledError(CommandError):
    """A change was not confirmed."""

    exit_status = ExitStatus.CANCELLED


class ClosedOutputError(CommandError):
    """The reader of the output ended, as `head` does."""

    exit_status = ExitStatus.CLOSED_OUTPUT
