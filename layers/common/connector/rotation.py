"""A new version of a secret: put on trial first, current only then, and never tried twice in vain.

Two ways lead here. Ops put the new material as the pending version and offer it (`Rotation.offer`);
or Secrets Manager rotates in its four steps (`Rotation.step`; reference: reliability 1.3). Every
step may be called again, and may die anywhere: what was learnt of a version is in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from connector.errors import ConnectorError, HaltError, RetryError, UnknownError
from connector.secrets_manager import PENDING, Versions

MOST_TRIES: Final = 2
"""Trials of one version that nobody answered. Each may have been a refused login, and Salesforce's
strictest policy locks the user at the third (reference: salesforce 1.4)."""
CLAIM_SECONDS: Final = 120.0
"""How long a trial keeps other logins waiting: longer than the function may run."""


class Step(StrEnum):
    """The steps of Secrets Manager."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


class Outcome(StrEnum):
    """What became of a version that was offered.

    `promoted`: it is current now. `already_current`: it was before. `refused`: it never becomes
    current, and is not tried again.
    """

    PROMOTED = "promoted"
    ALREADY_CURRENT = "already_current"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The answer to an offer; `run_id` is the run that catches up, `causes` are in order."""

    version: str
    outcome: Outcome
    message: str
    causes: tuple[str, ...] = ()
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of a version: tried how often, how it ended, and the run that caught up."""

    tries: int = 0
    accepted: bool = False
    refusal: str = ""
    causes: tuple[str, ...] = ()
    run_id: str = ""


class Vault(Protocol):
    """The versions of one secret."""

    def look(self) -> Versions:
        """Return which versions there are, and their labels."""

    def text(self, version: str) -> str | None:
        """Return what a version holds, or None when it holds nothing yet."""

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one, in place of another."""


class Memory(Protocol):
    """Where is kept what was learnt, and the right to log in."""

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def keep_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""

    def claim_login(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does."""

    def release_login(self) -> None:
        """Let others log in."""


class Rotation:
    """The rotation of one secret.

    `trial` gets a version and its text, logs in and reads once. It raises `UnknownError` when the
    login may have been refused unheard, another `RetryError` when it may be tried again freely, any
    other `ConnectorError` when the side refuses. `catch_up` requests a run.
    """

    def __init__(
        self,
        vault: Vault,
        trial: Callable[[str, str], None],
        memory: Memory,
        catch_up: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._vault = vault
        self._trial = trial
        self._memory = memory
        self._catch_up = catch_up
        self._clock = clock

    def offer(self, version: str) -> Rotated:
        """Try a pending version; make it current and catch up if it is good.

        Raises `HaltError` when there is no such pending version, `RetryError` when the side did not
        answer: then the version may be offered again.
        """
        versions = self._vault.look()
        if versions.current == version:
            run_id = self._caught_up(version)
            return Rotated(
                version, Outcome.ALREADY_CURRENT, "This version is current.", run_id=run_id
            )
        if PENDING not in versions.labels.get(version, frozenset()):
            raise HaltError("rotation", NOT_PENDING.format(version=version))
        learnt = self._tried(version)
        if not learnt.accepted:
            return Rotated(version, Outcome.REFUSED, learnt.refusal, learnt.causes)
        self._vault.promote(version, versions.current)
        run_id = self._caught_up(version)
        return Rotated(version, Outcome.PROMOTED, "This version is current now.", run_id=run_id)

    def step(self, step: Step, version: str) -> None:
        """Do one of the four steps, which Secrets Manager repeats after an error.

        Raises `HaltError` when the step cannot be done, `RetryError` when it may be later.
        """
        versions = self._vault.look()
        if not versions.rotates:
            raise HaltError("rotation", "rotation is not switched on for this secret")
        if versions.current == version:
            if step is Step.FINISH:
                self._caught_up(version)
            return
        if PENDING not in versions.labels.get(version, frozenset()):
            raise HaltError("rotation", NOT_PENDING.format(version=version))
        match step:
            case Step.CREATE | Step.SET:  # Salesforce and Plezi give keys to people, not to us
                self._material(version)
            case Step.TEST:
                learnt = self._tried(version)
                if not learnt.accepted:
                    raise HaltError("rotation", learnt.refusal)
            case Step.FINISH:
                if not self._learnt(version).accepted:
                    raise HaltError("rotation", f"version {version} has not passed its trial")
                self._vault.promote(version, versions.current)
                self._caught_up(version)

    def _tried(self, version: str) -> Learnt:
        """Return what a trial said of a version, trying it if none has."""
        text = self._material(version)
        with self._alone():
            learnt = self._learnt(version)
            if learnt.accepted or learnt.refusal:
                return learnt
            if learnt.tries >= MOST_TRIES:
                return self._keep(version, replace(learnt, refusal=UNHEARD.format(version=version)))
            learnt = self._keep(version, replace(learnt, tries=learnt.tries + 1))
            try:
                self._trial(version, text)
            except UnknownError:
                raise
            except RetryError:
                self._keep(version, replace(learnt, tries=learnt.tries - 1))
                raise
            except ConnectorError as error:
                causes = tuple(getattr(error, "causes", ()))
                return self._keep(version, replace(learnt, refusal=str(error), causes=causes))
            return self._keep(version, replace(learnt, accepted=True))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else log in meanwhile: neither a run nor a second trial of this version."""
        if not self._memory.claim_login(self._clock(), CLAIM_SECONDS):
            raise RetryError("another login is under way: offer the version again in two minutes")
        try:
            yield
        finally:
            self._memory.release_login()

    def _material(self, version: str) -> str:
        text = self._vault.text(version)
        if text is None:
            raise HaltError("rotation", NO_MATERIAL.format(version=version))
        return text

    def _caught_up(self, version: str) -> str:
        """Request the run that catches up, once for each version."""
        learnt = self._learnt(version)
        if learnt.run_id or not learnt.accepted:
            return learnt.run_id
        return self._keep(version, replace(learnt, run_id=self._catch_up())).run_id

    def _learnt(self, version: str) -> Learnt:
        kept = self._memory.document(f"rotation#{version}") or {}
        return Learnt(**{**kept, "causes": tuple(kept.get("causes", ()))})

    def _keep(self, version: str, learnt: Learnt) -> Learnt:
        self._memory.keep_document(f"rotation#{version}", asdict(learnt))
        return learnt


def told(error: ConnectorError) -> str:
    """Return what to say of an error, by what must be done next."""
    if isinstance(error, RetryError):
        return f"{error}; nothing was changed, and the version may be offered again"
    return str(error)


NOT_PENDING: Final = (
    "version {version} is not the pending one: put the new material with `aws secretsmanager "
    "put-secret-value --version-stages AWSPENDING` and offer the VersionId that it answers"
)
NO_MATERIAL: Final = (
    "version {version} holds nothing, and a token of Salesforce or Plezi cannot be made up here: "
    "set the new password there, put it with `aws secretsmanager put-secret-value --version-stages "
    "AWSPENDING` and invoke this function with that version (docs/operations.md)"
)
UNHEARD: Final = (
    "the side did not answer to version {version} twice, which may have been two refused logins: "
    "see the user's Login History, then put the material again, as a new version"
)
