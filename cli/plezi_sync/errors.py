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


class CommandError(Exception):
    """A command cannot be completed. The message contains the remedy."""

    exit_status: ClassVar[ExitStatus]


class RefusedError(CommandError):
    """The stack received the request and refused it."""

    exit_status = ExitStatus.REFUSED


class UsageError(CommandError):
    """The arguments, a file or the AWS configuration are wrong."""

    exit_status = ExitStatus.USAGE


class UnreachableError(CommandError):
    """The stack sends no response."""

    exit_status = ExitStatus.UNREACHABLE
