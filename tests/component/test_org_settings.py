"""Settings of an org and of its integration user that change how the connector connects."""

from __future__ import annotations

import pytest

from connector.model import RunState
from tests.component.credential_fixtures import USER, CredentialFixtures, finding
from tests.component.harness import Harness
from tests.component.people_fixtures import lead_of


def test_the_check_says_that_the_org_is_a_sandbox(credentials: CredentialFixtures) -> None:
    credentials.switch(is_sandbox=True)

    checked = credentials.check()

    assert (checked.ok, checked.sandbox) == (True, True)
    assert "a sandbox of Enterprise Edition" in finding(checked, "edition").message


def test_a_user_at_a_trusted_address_needs_no_security_token(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.material(security_token=""))
    assert not credentials.check().ok
    credentials.user(trusted_address=True)
    credentials.put(credentials.material(security_token=""))

    assert credentials.check().ok


@pytest.mark.parametrize("right", ["view_setup", "edit_converted_leads", "use_any_api_auth"])
def test_a_right_that_no_run_needs_may_be_missing(
    harness: Harness, credentials: CredentialFixtures, ana: str, right: str
) -> None:
    credentials.user(**{right: False})
    harness.edit_person(ana, phone="222")

    assert credentials.check().ok
    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert lead_of(harness)["Phone"] == "222"


def test_a_wrong_password_never_locks_the_user_out_of_a_strict_org(
    harness: Harness, credentials: CredentialFixtures
) -> None:
    credentials.switch(max_failed_logins=3, lockout_minutes=0)
    credentials.put(credentials.material(password="wrong"))

    for _ in range(5):
        assert harness.sync().state is RunState.HALTED
        assert not credentials.check().ok

    assert not credentials.locked_out()
    assert credentials.logins()[-1:] == ["Invalid Password"]
    assert credentials.logins().count("Invalid Password") == 1


def test_a_session_that_ended_between_two_runs_costs_one_login(
    harness: Harness, credentials: CredentialFixtures, ana: str
) -> None:
    lead = lead_of(harness)["Id"]
    harness.control("salesforce", "POST", "switches", {"session_timeout_seconds": 60})
    before = len(credentials.logins())
    harness.control("salesforce", "POST", "clock", {"advance": 61})
    harness.edit_person(ana, phone="222")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.control("salesforce", "GET", f"records/Lead/{lead}")["Phone"] == "222"
    assert credentials.logins()[before:] == ["Success"]


def test_an_org_that_moved_to_another_instance_is_called_there(harness: Harness, ana: str) -> None:
    moved = {"instance_url": "https://acme2.my.salesforce.com"}
    fault = {"kind": "instance_change", "parameters": moved}
    harness.control("salesforce", "POST", "faults", fault)
    harness.control("salesforce", "POST", "sessions/kill", {"username": USER})
    harness.edit_person(ana, phone="222")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.org.instance_url == moved["instance_url"]
    assert lead_of(harness)["Phone"] == "222"


def test_an_org_that_lists_changes_to_the_second_is_read_alike(harness: Harness, ana: str) -> None:
    harness.control("salesforce", "POST", "switches", {"replication_to_the_minute": False})
    harness.edit_person(ana, phone="222")
    harness.edit_lead(lead_of(harness)["Id"], MobilePhone="777")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()["ana@example.com"]["mobile"] == "777"
    assert lead_of(harness)["Phone"] == "222"
