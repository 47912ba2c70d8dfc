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

from connector.aws.secrets import PENDING, VersionStages
from connector.errors import ConnectorError, HaltError, RetryError, StopReason, UnknownOutcomeError

MAX_TESTS: Final = 2
"""Trials of one version that nobody answered. Each may have been a refused login, and Salesforce's
strictest policy locks the user at the third (reference: salesforce 1.4)."""
LOGIN_LOCK_SECONDS: Final = 120.0
"""How long a trial keeps other logins waiting: longer than the function may run."""


class RotationStep(StrEnum):
    """The steps of Secrets Manager."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


class RotationOutcome(StrEnum):
    """What became of a version that was offered.

    `promoted`: it is current now. `already_current`: it was before. `refused`: it never becomes
    current, and is not tried again.
    """

    PROMOTED = "promoted"
    ALREADY_CURRENT = "already_current"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RotationResult:
    """The answer to an offer; `run_id` is the run that catches up, `causes` are in order."""

    version: str
    outcome: RotationOutcome
    message: str
    causes: tuple[str, ...] = ()
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class TestState:
    """What is known of a version: tried how often, how it ended, and the run that caught up."""

    attempts: int = 0
    accepted: bool = False
    refusal: str = ""
    causes: tuple[str, ...] = ()
    run_id: str = ""


class SecretVersionStore(Protocol):
    """The versions of one secret."""

    def list_versions(self) -> VersionStages:
        """Return which versions there are, and their labels."""

    def text(self, version: str) -> str | None:
        """Return what a version holds, or None when it holds nothing yet."""

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one, in place of another."""


class RotationStore(Protocol):
    """Where is kept what was learnt, and the right to log in."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does."""

    def release_login_lock(self) -> None:
        """Let others log in."""


class Rotation:
    """The rotation of one secret.

    `trial` gets a version and its text, logs in and reads once. It raises `UnknownOutcomeError` when the
    login may have been refused unheard, another `RetryError` when it may be tried again freely, any
    other `ConnectorError` when the side refuses. `request_run` requests a run.
    """

    def __init__(
        self,
        versions: SecretVersionStore,
        test: Callable[[str, str], None],
        store: RotationStore,
        request_run: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._versions = versions
        self._test = test
        self._store = store
        self._request_run = request_run
        self._clock = clock

    def test_and_promote(self, version: str) -> RotationResult:
        """Try a pending version; make it current and catch up if it is good.

        Raises `HaltError` when there is no such pending version, `RetryError` when the side did not
        answer: then the version may be offered again.
        """
        versions = self._versions.list_versions()
        if versions.current == version:
            run_id = self._request_run_once(version)
            return RotationResult(
                version, RotationOutcome.ALREADY_CURRENT, "This version is current.", run_id=run_id
            )
        if PENDING not in versions.labels.get(version, frozenset()):
            raise HaltError(StopReason.ROTATION, NOT_PENDING.format(version=version))
        learnt = self._tested(version)
        if not learnt.accepted:
            return RotationResult(version, RotationOutcome.REFUSED, learnt.refusal, learnt.causes)
        self._versions.promote(version, versions.current)
        run_id = self._request_run_once(version)
        return RotationResult(
            version, RotationOutcome.PROMOTED, "This version is current now.", run_id=run_id
        )

    def step(self, step: RotationStep, version: str) -> None:
        """Do one of the four steps, which Secrets Manager repeats after an error.

        Raises `HaltError` when the step cannot be done, `RetryError` when it may be later.
        """
        versions = self._versions.list_versions()
        if not versions.rotates:
            raise HaltError(StopReason.ROTATION, "rotation is not switched on for this secret")
        if versions.current == version:
            if step is RotationStep.FINISH:
                self._request_run_once(version)
            return
        if PENDING not in versions.labels.get(version, frozenset()):
            raise HaltError(StopReason.ROTATION, NOT_PENDING.format(version=version))
        match step:
            case (
                RotationStep.CREATE | RotationStep.SET
            ):  # Salesforce and Plezi give keys to people, not to us
                self._secret_text(version)
            case RotationStep.TEST:
                learnt = self._tested(version)
                if not learnt.accepted:
                    raise HaltError(StopReason.ROTATION, learnt.refusal)
            case RotationStep.FINISH:
                if not self._load_state(version).accepted:
                    raise HaltError(
                        StopReason.ROTATION, f"version {version} has not passed its trial"
                    )
                self._versions.promote(version, versions.current)
                self._request_run_once(version)

    def _tested(self, version: str) -> TestState:
        """Return what a trial said of a version, trying it if none has."""
        text = self._secret_text(version)
        with self._login_lock():
            learnt = self._load_state(version)
            if learnt.accepted or learnt.refusal:
                return learnt
            if learnt.attempts >= MAX_TESTS:
                return self._save_state(
                    version, replace(learnt, refusal=NO_ANSWER.format(version=version))
                )
            learnt = self._save_state(version, replace(learnt, attempts=learnt.attempts + 1))
            try:
                self._test(version, text)
            except UnknownOutcomeError:
                raise
            except RetryError:
                self._save_state(version, replace(learnt, attempts=learnt.attempts - 1))
                raise
            except ConnectorError as error:
                causes = tuple(getattr(error, "causes", ()))
                return self._save_state(version, replace(learnt, refusal=str(error), causes=causes))
            return self._save_state(version, replace(learnt, accepted=True))

    @contextmanager
    def _login_lock(self) -> Iterator[None]:
        """Let nobody else log in meanwhile: neither a run nor a second trial of this version."""
        if not self._store.acquire_login_lock(self._clock(), LOGIN_LOCK_SECONDS):
            raise RetryError(
                "another login is under way: offer the version again in two minutes",
                reason=StopReason.LOGIN_UNAVAILABLE,
            )
        try:
            yield
        finally:
            self._store.release_login_lock()

    def _secret_text(self, version: str) -> str:
        text = self._versions.text(version)
        if text is None:
            raise HaltError(StopReason.ROTATION, NO_MATERIAL.format(version=version))
        return text

    def _request_run_once(self, version: str) -> str:
        """Request the run that catches up, once for each version."""
        learnt = self._load_state(version)
        if learnt.run_id or not learnt.accepted:
            return learnt.run_id
        return self._save_state(version, replace(learnt, run_id=self._request_run())).run_id

    def _load_state(self, version: str) -> TestState:
        kept = self._store.load_document(f"rotation#{version}") or {}
        return TestState(**{**kept, "causes": tuple(kept.get("causes", ()))})

    def _save_state(self, version: str, learnt: TestState) -> TestState:
        self._store.save_document(f"rotation#{version}", asdict(learnt))
        return learnt


def error_text(error: ConnectorError) -> str:
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
NO_ANSWER: Final = (
    "the side did not answer to version {version} twice, which may have been two refused logins: "
    "see the user's Login History, then put the material again, as a new version"
)
