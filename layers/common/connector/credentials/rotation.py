"""The rotation of a secret: a new version is tested first, and becomes current only if it works.

There are two ways. Ops put new credentials as the pending version and invoke the function
(`Rotation.test_and_promote`), or Secrets Manager rotates in its four steps (`Rotation.step`; AWS
Secrets Manager User Guide, "Rotation by Lambda function"). Every step may be called again and may
be interrupted anywhere: what is known of a version is stored in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from connector.errors import (
    ConnectorError,
    HaltError,
    RetryError,
    StopReason,
    UnknownOutcomeError,
)

PENDING: Final = "AWSPENDING"
"""The staging label of a version that is not current yet (Secrets Manager)."""
MAX_TESTS: Final = 2
"""Tests of one version that got no answer. Each may have been a refused login, and Salesforce's
strictest password policy locks a user after three of them (Setup > Password Policies)."""
LOGIN_LOCK_SECONDS: Final = 120.0
"""How long a test keeps other logins waiting: longer than the function may run."""
NOT_PENDING: Final = (
    "version {version} is not the pending one: put the new credentials with `aws secretsmanager "
    "put-secret-value --version-stages AWSPENDING`, and invoke this function with the VersionId "
    "that the command prints"
)
NO_VALUE: Final = (
    "version {version} is empty, and this function cannot create a token of Salesforce or Plezi: "
    "set the new password there, put it with `aws secretsmanager put-secret-value --version-stages "
    "AWSPENDING`, and invoke this function with that version (docs/operations.md)"
)
NO_ANSWER: Final = (
    "version {version} got no answer twice, which may have been two refused logins: check the "
    "user's Login History, then put the credentials again, as a new version"
)


class RotationStep(StrEnum):
    """The steps of Secrets Manager."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


class RotationOutcome(StrEnum):
    """What became of a version that was tested.

    `promoted`: it is current now. `already_current`: it was current before. `refused`: it never
    becomes current, and is not tested again.
    """

    PROMOTED = "promoted"
    ALREADY_CURRENT = "already_current"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RotationResult:
    """The result of a test; `run_id` is the run that was requested, `causes` are ordered."""

    version: str
    outcome: RotationOutcome
    message: str
    causes: tuple[str, ...] = ()
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class TestState:
    """What is known of a version: how often it was tested, the result, and the requested run."""

    attempts: int = 0
    accepted: bool = False
    refusal: str = ""
    causes: tuple[str, ...] = ()
    run_id: str = ""


class VersionStages(Protocol):
    """The versions of a secret: their staging labels by id, and the id of the current one.

    `rotates`: whether Secrets Manager rotates the secret.
    """

    @property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """Return the staging labels by version."""

    @property
    def current(self) -> str:
        """Return the current version."""

    @property
    def rotates(self) -> bool:
        """Return whether Secrets Manager rotates the secret."""


class SecretVersionStore(Protocol):
    """The versions of one secret."""

    def list_versions(self) -> VersionStages:
        """Return the versions and their labels."""

    def text(self, version: str) -> str | None:
        """Return the value of a version, or None when it has none yet."""

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one, in place of another."""


class RotationStore(Protocol):
    """Where the state of tests is stored, and the login lock."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return the document stored under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Store a document under a key."""

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Keep other processes from logging in; return False while another one holds the lock."""

    def release_login_lock(self) -> None:
        """Let other processes log in."""


class Rotation:
    """The rotation of one secret.

    `test` gets a version and its text, logs in and reads once. It raises `UnknownOutcomeError` when
    the login may have been refused without an answer, another `RetryError` when it may be repeated
    freely, and any other `ConnectorError` when the system refuses. `request_run` requests a run.
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
        """Test a pending version; if it works, make it current and request a run.

        Raises `HaltError` when it is not the pending version, and `RetryError` when the system did
        not answer: the version may be tested again.
        """
        versions = self._versions.list_versions()
        if versions.current == version:
            run_id = self._request_run_once(version)
            return RotationResult(
                version, RotationOutcome.ALREADY_CURRENT, "This version is current.", run_id=run_id
            )
        self._check_pending(versions, version)
        state = self._tested(version)
        if not state.accepted:
            return RotationResult(version, RotationOutcome.REFUSED, state.refusal, state.causes)
        self._versions.promote(version, versions.current)
        run_id = self._request_run_once(version)
        return RotationResult(
            version, RotationOutcome.PROMOTED, "This version is current now.", run_id=run_id
        )

    def step(self, step: RotationStep, version: str) -> None:
        """Do one of the four steps, which Secrets Manager repeats after an error.

        Raises `HaltError` when the step cannot be done, `RetryError` when it may be done later.
        """
        versions = self._versions.list_versions()
        if not versions.rotates:
            raise HaltError(StopReason.ROTATION, "rotation is not enabled for this secret")
        if versions.current == version:
            if step is RotationStep.FINISH:
                self._request_run_once(version)
            return
        self._check_pending(versions, version)
        match step:
            case RotationStep.CREATE | RotationStep.SET:
                # Salesforce and Plezi give tokens to people: ops put them before the rotation.
                self._secret_text(version)
            case RotationStep.TEST:
                state = self._tested(version)
                if not state.accepted:
                    raise HaltError(StopReason.ROTATION, state.refusal)
            case RotationStep.FINISH:
                if not self._load_state(version).accepted:
                    raise HaltError(
                        StopReason.ROTATION, f"version {version} has not passed its test"
                    )
                self._versions.promote(version, versions.current)
                self._request_run_once(version)

    @staticmethod
    def _check_pending(versions: VersionStages, version: str) -> None:
        if PENDING not in versions.labels.get(version, frozenset()):
            raise HaltError(StopReason.ROTATION, NOT_PENDING.format(version=version))

    def _tested(self, version: str) -> TestState:
        """Return the result of a version's test; test it if that was not done yet."""
        text = self._secret_text(version)
        with self._login_lock():
            state = self._load_state(version)
            if state.accepted or state.refusal:
                return state
            if state.attempts >= MAX_TESTS:
                refusal = NO_ANSWER.format(version=version)
                return self._save_state(version, replace(state, refusal=refusal))
            state = self._save_state(version, replace(state, attempts=state.attempts + 1))
            try:
                self._test(version, text)
            except UnknownOutcomeError:
                raise
            except RetryError:
                self._save_state(version, replace(state, attempts=state.attempts - 1))
                raise
            except ConnectorError as error:
                causes = tuple(getattr(error, "causes", ()))
                refused = replace(state, refusal=str(error), causes=causes)
                return self._save_state(version, refused)
            return self._save_state(version, replace(state, accepted=True))

    @contextmanager
    def _login_lock(self) -> Iterator[None]:
        """Keep runs, and a second test of this version, from logging in at the same time."""
        if not self._store.acquire_login_lock(self._clock(), LOGIN_LOCK_SECONDS):
            raise RetryError(
                "another login is in progress: test the version again in two minutes",
                reason=StopReason.LOGIN_UNAVAILABLE,
            )
        try:
            yield
        finally:
            self._store.release_login_lock()

    def _secret_text(self, version: str) -> str:
        text = self._versions.text(version)
        if text is None:
            raise HaltError(StopReason.ROTATION, NO_VALUE.format(version=version))
        return text

    def _request_run_once(self, version: str) -> str:
        """Request the run that uses the new credentials, once for each version."""
        state = self._load_state(version)
        if state.run_id or not state.accepted:
            return state.run_id
        return self._save_state(version, replace(state, run_id=self._request_run())).run_id

    def _load_state(self, version: str) -> TestState:
        document = self._store.load_document(f"rotation#{version}") or {}
        return TestState(**{**document, "causes": tuple(document.get("causes", ()))})

    def _save_state(self, version: str, state: TestState) -> TestState:
        self._store.save_document(f"rotation#{version}", asdict(state))
        return state


def error_text(error: ConnectorError) -> str:
    """Return what to answer for an error, by what must be done next."""
    if isinstance(error, RetryError):
        return f"{error}; nothing was changed, and the version may be tested again"
    return str(error)
