"""One version of a secret, and its provider; `connector.secrets` has the contents of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from connector.errors import ConnectorError, HaltError, StopReason

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Secret(Generic[Value]):
    """One version of a secret; `created_at` in seconds since 1970 (0: not known)."""

    version: str
    value: Value
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SecretState:
    """The state of a secret: its current version, or why it cannot be used ('': it can).

    `created_at` is in seconds since 1970 (0: not known).
    """

    version: str = ""
    created_at: float = 0.0
    problem: str = ""


class SecretProvider(Protocol[Value]):
    """Provides a secret: the current version, or a version under test."""

    def current(self, *, fresh: bool = False) -> Secret[Value]:
        """Return the current version; `fresh` reads Secrets Manager again."""


@dataclass(frozen=True, slots=True)
class FixedSecret(Generic[Value]):
    """Provides one fixed version of a secret as the current one, for a test of that version."""

    secret: Secret[Value]

    def current(self, *, fresh: bool = False) -> Secret[Value]:  # noqa: ARG002  # there is only one version
        """Return the version."""
        return self.secret


def oldest_secret(
    providers: Iterable[SecretProvider[Any]], clock: Callable[[], float]
) -> float | None:
    """Return the age in seconds of the oldest current version; None while none is known.

    A secret that cannot be read has no age: the run that reads it reports why.
    """
    created = []
    for provider in providers:
        try:
            created.append(provider.current().created_at)
        except ConnectorError:
            continue
    known = [at for at in created if at > 0]
    return clock() - min(known) if known else None


def secret_state(provider: SecretProvider[Any]) -> SecretState:
    """Return the state of a secret, read again; no system is called.

    Raises `RetryError` when Secrets Manager does not answer.
    """
    try:
        secret = provider.current(fresh=True)
    except HaltError as error:
        return SecretState(problem=str(error))
    return SecretState(secret.version, secret.created_at)


def unusable_secret(name: str, keys: str) -> HaltError:
    """Return the error for a secret whose `keys` are missing or wrong."""
    return HaltError(
        StopReason.SECRET, f"the secret {name!r} lacks or misspells: {keys}; put a new version"
    )


def invalid_secret(name: str, problems: Mapping[str, str]) -> HaltError:
    """Return the error for a secret whose fields cannot be used: each with its problem."""
    listed = "; ".join(f"{field} {problem}" for field, problem in problems.items())
    return HaltError(
        StopReason.SECRET, f"the secret {name!r} cannot be used: {listed}; then put a new version"
    )
