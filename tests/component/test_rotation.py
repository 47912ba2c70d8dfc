"""Rotation: new credentials are tested once before they become current, even after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from connector.aws.secrets import SecretVersions, VersionStages
from connector.bootstrap.rotation import SecretKind
from connector.credentials.rotation import MAX_TESTS, Rotation, RotationOutcome, RotationStep
from connector.errors import HaltError, RetryError, UnknownOutcomeError
from connector.model import RunState
from functions.rotate_credentials import app
from tests.component.credential_fixtures import CredentialFixtures
from tests.component.deployment import deploy
from tests.component.harness import REGION
from tests.component.lambda_context import FakeLambdaContext

EVENTS = Path(__file__).parents[2] / "events"
STEPS = [RotationStep.CREATE, RotationStep.SET, RotationStep.TEST, RotationStep.FINISH]


class KilledError(Exception):
    """The function was killed."""


@pytest.fixture
def reset(credentials: CredentialFixtures) -> CredentialFixtures:
    """The password was reset: the current version is refused."""
    credentials.reset_password()
    return credentials


@pytest.fixture
def rotates(reset: CredentialFixtures, monkeypatch: pytest.MonkeyPatch) -> CredentialFixtures:
    """As `reset`, with rotation enabled; set here, because moto would rotate by itself."""

    def list_versions(self: SecretVersions) -> VersionStages:
        return replace(list_stages(self), rotates=True)

    list_stages = SecretVersions.list_versions
    monkeypatch.setattr(SecretVersions, "list_versions", list_versions)
    return reset


def runs(credentials: CredentialFixtures) -> int:
    return len(credentials.harness.ledger.list_runs(limit=100))


def test_a_valid_version_becomes_current_and_a_run_is_requested(reset: CredentialFixtures) -> None:
    version = reset.put(reset.material(), "AWSPENDING")

    rotated = reset.rotation().test_and_promote(version)

    assert rotated.outcome is RotationOutcome.PROMOTED
    assert reset.current() == version
    run = reset.harness.ledger.load_run(rotated.run_id)
    assert run is not None
    assert run.state is RunState.REQUESTED


def test_an_invalid_version_is_refused_and_stays_pending(
    reset: CredentialFixtures,
) -> None:
    before = reset.current()
    version = reset.put(reset.material(password="wrong"), "AWSPENDING")

    rotated = reset.rotation().test_and_promote(version)

    assert rotated.outcome is RotationOutcome.REFUSED
    assert "password was reset" in rotated.causes[0]
    assert reset.current() == before
    assert reset.labels(version) == ["AWSPENDING"]
    assert runs(reset) == 0


def test_an_invalid_version_is_tested_once_for_many_requests(reset: CredentialFixtures) -> None:
    version = reset.put(reset.material(password="wrong"), "AWSPENDING")

    results = {reset.rotation().test_and_promote(version) for _ in range(10)}

    assert len(results) == 1
    assert reset.logins() == ["Invalid Password"]


def test_a_version_that_logs_in_but_cannot_read_is_refused(credentials: CredentialFixtures) -> None:
    version = credentials.put(credentials.client_credentials(), "AWSPENDING")
    credentials.switch(hidden_objects=["Lead"])

    rotated = credentials.rotation().test_and_promote(version)

    assert rotated.outcome is RotationOutcome.REFUSED
    assert credentials.current() != version


def test_a_credential_test_changes_neither_the_breaker_nor_the_shared_session(
    reset: CredentialFixtures,
) -> None:
    reset.run()
    breaker = reset.harness.ledger.breaker()
    assert breaker is not None

    reset.rotation().test_and_promote(reset.put(reset.material(password="wrong"), "AWSPENDING"))

    assert reset.harness.ledger.breaker() == breaker
    assert reset.harness.ledger.load_session() is None


def test_an_incomplete_version_is_refused_without_a_login(reset: CredentialFixtures) -> None:
    version = reset.put({"flow": "password"}, "AWSPENDING")

    rotated = reset.rotation().test_and_promote(version)

    assert rotated.outcome is RotationOutcome.REFUSED
    assert "consumer_key" in rotated.message
    assert reset.logins() == []


@pytest.mark.parametrize("version", ["a-version-that-is-not-there", "previous"])
def test_only_the_pending_version_can_be_tested(reset: CredentialFixtures, version: str) -> None:
    previous = reset.current()
    reset.put(reset.material())
    tested = previous if version == "previous" else version

    with pytest.raises(HaltError, match="put the new credentials with"):
        reset.rotation().test_and_promote(tested)

    assert reset.logins() == []


def test_the_current_version_is_not_tested(credentials: CredentialFixtures) -> None:
    rotated = credentials.rotation().test_and_promote(credentials.current())

    assert rotated.outcome is RotationOutcome.ALREADY_CURRENT
    assert credentials.logins() == []
    assert runs(credentials) == 0


def test_a_version_can_be_tested_again_after_a_maintenance(reset: CredentialFixtures) -> None:
    version = reset.put(reset.material(), "AWSPENDING")
    reset.switch(org_status="maintenance")
    for _ in range(5):
        with pytest.raises(RetryError):
            reset.rotation().test_and_promote(version)
    reset.switch(org_status="active")

    assert reset.rotation().test_and_promote(version).outcome is RotationOutcome.PROMOTED


def test_a_version_is_tested_a_limited_number_of_times_when_responses_are_lost(
    reset: CredentialFixtures,
) -> None:
    version = reset.put(reset.material(password="wrong"), "AWSPENDING")
    fault = {"kind": "reset_after_commit", "path": "oauth2/token", "count": None}
    reset.harness.control("salesforce", "POST", "faults", fault)
    for _ in range(MAX_TESTS):
        with pytest.raises(UnknownOutcomeError):
            reset.rotation().test_and_promote(version)

    for _ in range(5):
        assert reset.rotation().test_and_promote(version).outcome is RotationOutcome.REFUSED

    assert reset.logins() == ["Invalid Password"] * MAX_TESTS


def test_no_version_is_tested_while_a_run_logs_in(reset: CredentialFixtures) -> None:
    version = reset.put(reset.material(), "AWSPENDING")
    reset.harness.ledger.acquire_login_lock(reset.harness.context.clock(), 60)

    with pytest.raises(RetryError, match="another login is in progress"):
        reset.rotation().test_and_promote(version)

    assert reset.logins() == []


def test_a_new_plezi_key_is_tested_with_a_read(credentials: CredentialFixtures) -> None:
    rotation = credentials.rotation(SecretKind.PLEZI)

    invalid = rotation.test_and_promote(credentials.put_plezi("AWSPENDING", api_key="wrong"))
    valid = rotation.test_and_promote(credentials.put_plezi("AWSPENDING"))

    assert (invalid.outcome, valid.outcome) == (RotationOutcome.REFUSED, RotationOutcome.PROMOTED)


def test_the_four_steps_each_done_twice_promote_a_valid_version(
    rotates: CredentialFixtures,
) -> None:
    version = rotates.put(rotates.material(), "AWSPENDING")

    for step in STEPS:
        for _ in range(2):
            rotates.rotation().step(step, version)

    assert rotates.current() == version
    assert rotates.logins() == ["Success"]
    assert runs(rotates) == 1


def test_the_four_steps_stop_at_an_invalid_version(rotates: CredentialFixtures) -> None:
    before = rotates.current()
    version = rotates.put(rotates.material(password="wrong"), "AWSPENDING")
    rotates.rotation().step(RotationStep.CREATE, version)
    rotates.rotation().step(RotationStep.SET, version)

    for _ in range(5):  # Secrets Manager repeats a step that failed
        with pytest.raises(HaltError, match="refused the login"):
            rotates.rotation().step(RotationStep.TEST, version)
        with pytest.raises(HaltError, match="has not passed its test"):
            rotates.rotation().step(RotationStep.FINISH, version)

    assert rotates.current() == before
    assert rotates.logins() == ["Invalid Password"]


def test_a_version_without_text_is_an_error_with_the_remedy(
    rotates: CredentialFixtures,
) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    empty = "11111111-2222-4333-8444-555555555555"
    client.put_secret_value(
        SecretId="salesforce",
        SecretBinary=b"nothing",
        ClientRequestToken=empty,
        VersionStages=["AWSPENDING"],
    )

    for step in (RotationStep.CREATE, RotationStep.SET, RotationStep.TEST):
        with pytest.raises(HaltError, match="put-secret-value --version-stages AWSPENDING"):
            rotates.rotation().step(step, empty)


def test_the_steps_are_refused_when_rotation_is_not_enabled(reset: CredentialFixtures) -> None:
    version = reset.put(reset.material(), "AWSPENDING")

    for step in STEPS:
        with pytest.raises(HaltError, match="rotation is not enabled"):
            reset.rotation().step(step, version)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_for_a_version_that_is_not_pending_is_refused(
    rotates: CredentialFixtures, step: RotationStep
) -> None:
    with pytest.raises(HaltError, match="is not the pending one"):
        rotates.rotation().step(step, "unknown")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_for_the_current_version_does_nothing(
    rotates: CredentialFixtures, step: RotationStep
) -> None:
    rotates.rotation().step(step, rotates.current())

    assert rotates.logins() == []
    assert runs(rotates) == 0


class CallKiller:
    """Kills the function at the n-th call out of the rotation, before or after that call."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._remaining = at
        self._after = after

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def call_or_kill(*arguments: Any, **options: Any) -> Any:
            self._remaining -= 1
            if self._remaining == 0 and not self._after:
                raise KilledError
            result = call(*arguments, **options)
            if self._remaining == 0:
                raise KilledError
            return result

        return call_or_kill


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("direct", [True, False])
def test_a_rotation_killed_at_any_call_is_finished_by_the_next_one(
    rotates: CredentialFixtures, *, after: bool, direct: bool
) -> None:
    for at in range(1, 40):
        if not _is_killed_and_finished(rotates, CallKiller(at, after=after), direct=direct):
            assert at > 8  # the number of calls at which it was killed
            return
    pytest.fail("the rotation does not end")


def _is_killed_and_finished(
    credentials: CredentialFixtures, killer: CallKiller, *, direct: bool
) -> bool:
    version = credentials.put(credentials.material(), "AWSPENDING")
    logins_before, runs_before = len(credentials.logins()), runs(credentials)
    rotation = credentials.rotation()
    for owner, names in (
        (rotation._versions, ("promote",)),
        (rotation._store, ("load_document", "save_document")),
        (rotation, ("_test", "_request_run")),
    ):
        for name in names:
            setattr(owner, name, killer.wrap(getattr(owner, name)))

    def rotate(rotation: Rotation) -> None:
        if direct:
            rotation.test_and_promote(version)
            return
        for step in STEPS:
            rotation.step(step, version)

    was_killed = False
    try:
        rotate(rotation)
    except KilledError:
        was_killed = True
        credentials.harness.ledger.release_login_lock()  # it expires after two minutes
    rotate(credentials.rotation())

    assert credentials.current() == version
    assert credentials.logins()[logins_before:] in (["Success"], ["Success", "Success"])
    # A kill between the run request and its record gives two runs: the second writes nothing.
    assert runs(credentials) - runs_before in (1, 2)
    return was_killed


def test_a_version_stored_directly_as_current_is_tested_once_by_the_next_run(
    reset: CredentialFixtures,
) -> None:
    reset.put(reset.material(security_token="mistyped"))
    for _ in range(3):
        assert reset.run().state is RunState.HALTED
    reset.put(reset.material())

    assert reset.run().state is RunState.DONE
    assert reset.logins() == ["Invalid Password", "Success"]
    assert reset.harness.ledger.breaker() is None


# The function


@pytest.fixture
def deployed(reset: CredentialFixtures, monkeypatch: pytest.MonkeyPatch) -> CredentialFixtures:
    deploy(reset.harness, monkeypatch, "RotateCredentialsFunction")
    return reset


def event(name: str, **changes: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return {**loaded, **changes}


def test_the_function_returns_the_outcome_of_a_credential_test(
    deployed: CredentialFixtures,
) -> None:
    invalid = deployed.put(deployed.material(password="wrong"), "AWSPENDING")
    refused = app.handler(event("rotate_credentials", version=invalid), FakeLambdaContext())
    valid = deployed.put(deployed.material(), "AWSPENDING")
    promoted = app.handler(event("rotate_credentials", version=valid), FakeLambdaContext())

    assert (refused["outcome"], promoted["outcome"]) == ("refused", "promoted")
    assert json.loads(json.dumps(refused))["causes"]
    assert deployed.harness.ledger.load_run(promoted["run_id"]) is not None
    assert deployed.current() == valid


@pytest.mark.parametrize(
    "request_event", [{}, {"version": ""}, {"version": "v", "secret": "forms"}]
)
def test_the_function_names_the_error_in_a_request(request_event: dict[str, str]) -> None:
    assert "version" in app.handler(request_event, FakeLambdaContext())["error"]


def test_a_version_that_cannot_be_tested_is_answered_with_the_remedy(
    deployed: CredentialFixtures,
) -> None:
    assert "AWSPENDING" in app.handler({"version": "unknown"}, FakeLambdaContext())["error"]
    version = deployed.put(deployed.material(), "AWSPENDING")
    deployed.switch(org_status="maintenance")
    assert "may be tested again" in app.handler({"version": version}, FakeLambdaContext())["error"]


def test_a_step_that_cannot_be_done_is_an_error_for_secrets_manager(
    deployed: CredentialFixtures,
) -> None:
    request_event = event(
        "rotation_step", SecretId="salesforce", ClientRequestToken=deployed.current()
    )

    with pytest.raises(HaltError, match="rotation is not enabled"):
        app.handler(request_event, FakeLambdaContext())
    with pytest.raises(HaltError, match="rotates the Salesforce and the Plezi secret"):
        app.handler({**request_event, "SecretId": "another"}, FakeLambdaContext())


def test_a_process_that_remembers_the_plezi_key_from_before_a_rotation_uses_the_new_one(
    credentials: CredentialFixtures,
) -> None:
    harness = credentials.harness
    harness.sync()
    harness.control("plezi", "POST", "key", {"api_key": "another-key"})
    credentials.put_plezi()
    harness.add_person(email="ana@example.com", last_name="Lopez")

    run = credentials.run()

    assert (run.state, run.message) == (RunState.DONE, "")
    assert len(harness.leads("ana@example.com")) == 1


def test_a_plezi_key_that_is_refused_is_used_once(credentials: CredentialFixtures) -> None:
    harness = credentials.harness
    harness.sync()
    harness.control("plezi", "POST", "key", {"api_key": "another-key"})
    harness.mark()

    run = credentials.run()

    assert (run.state, run.reason) == (RunState.HALTED, "plezi_refused")
    assert harness.calls("plezi")["total"] == 1
