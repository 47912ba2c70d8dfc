"""The connection check reports every problem, and never repeats a refused login."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from connector.connection_report import ConnectionReport, Grade
from tests.component.credential_fixtures import CredentialFixtures, finding


def grades(checked: ConnectionReport) -> dict[str, str]:
    return {finding.name: finding.grade.value for finding in checked.findings}


def test_a_good_connection_has_all_findings_and_converts_to_json(
    credentials: CredentialFixtures,
) -> None:
    checked = credentials.check()

    assert checked.ok
    assert grades(checked) == {
        "flow": "warning",
        "login": "ok",
        "api": "ok",
        "edition": "ok",
        "scopes": "ok",
        "password": "ok",
        "leads": "ok",
        "contacts": "ok",
        "accounts": "ok",
        "sharing": "ok",
        "quota": "ok",
        "plezi": "ok",
    }
    assert checked.edition == "Enterprise Edition"
    assert checked.org_id == credentials.harness.org.state.org_id
    assert (checked.calls_used or 0) > 0
    assert json.loads(json.dumps(asdict(checked)))["findings"][0]["grade"] == "warning"


def test_the_check_logs_in_and_does_not_use_an_old_session(
    credentials: CredentialFixtures,
) -> None:
    credentials.check()
    credentials.put(credentials.material(password="wrong"))

    checked = credentials.check()

    assert not checked.ok
    login = finding(checked, "login")
    assert login.grade is Grade.FAILED
    assert "password was reset" in login.causes[0]
    assert len(login.causes) > 3


def test_a_check_after_a_refusal_has_the_same_causes_without_a_login(
    credentials: CredentialFixtures,
) -> None:
    credentials.put(credentials.material(password="wrong"))
    first = finding(credentials.check(), "login")

    for _ in range(5):
        assert finding(credentials.check(), "login") == first

    assert credentials.logins() == ["Invalid Password"]


def test_a_check_with_a_new_version_closes_the_breaker(credentials: CredentialFixtures) -> None:
    credentials.put(credentials.material(password="wrong"))
    credentials.check()
    credentials.put(credentials.material())

    assert credentials.check().ok

    assert credentials.harness.ledger.breaker() is None


@pytest.mark.parametrize(
    "edition", ["Professional Edition", "Team Edition", "Contact Manager Edition"]
)
def test_an_edition_without_the_api_is_reported_with_a_remedy(
    credentials: CredentialFixtures, edition: str
) -> None:
    credentials.switch(edition=edition)

    checked = credentials.check()

    assert (checked.ok, checked.has_api) == (False, False)
    found = finding(checked, "edition")
    assert "Enterprise, Unlimited, Developer and Performance" in found.causes[0]
    assert "ask Salesforce to enable it" in found.causes[1]


@pytest.mark.parametrize(
    "edition",
    ["Enterprise Edition", "Unlimited Edition", "Developer Edition", "Performance Edition"],
)
def test_an_edition_with_the_api_is_ok(credentials: CredentialFixtures, edition: str) -> None:
    credentials.switch(edition=edition)

    assert credentials.check().edition == edition


def test_a_professional_edition_that_bought_the_api_is_ok(
    credentials: CredentialFixtures,
) -> None:
    credentials.switch(edition="Professional Edition", api_add_on=True)

    checked = credentials.check()

    assert checked.ok
    assert "with the API added" in finding(checked, "edition").message


def test_a_missing_permission_of_the_user_is_reported_by_name(
    credentials: CredentialFixtures,
) -> None:
    credentials.user(api_enabled=False)

    checked = credentials.check()

    assert not checked.ok
    assert "API Enabled" in finding(checked, "api").causes[0]


def test_a_session_that_is_not_valid_for_the_api_lacks_the_scope(
    credentials: CredentialFixtures,
) -> None:
    credentials.switch(session_opens_rest=False)

    checked = credentials.check()

    assert not checked.ok
    assert "scope 'api'" in finding(checked, "scopes").causes[0]


@pytest.mark.parametrize(
    ("scope", "grade", "present", "missing"),
    [
        ("api refresh_token full", "ok", ("api", "refresh_token", "full"), ()),
        ("full offline_access", "ok", ("refresh_token", "full"), ("api",)),
        ("api id", "ok", ("api",), ("refresh_token", "full")),
        ("refresh_token id", "failed", ("refresh_token",), ("api", "full")),
    ],
)
def test_the_scopes_of_the_login_response_are_checked(
    credentials: CredentialFixtures,
    scope: str,
    grade: str,
    present: tuple[str, ...],
    missing: tuple[str, ...],
) -> None:
    credentials.put(credentials.client_credentials())
    credentials.switch(answered_scopes=scope)

    checked = credentials.check()

    assert finding(checked, "scopes").grade.value == grade
    assert (checked.scopes_present, checked.scopes_missing) == (present, missing)


def test_an_org_that_hides_its_organization_object_is_ok(credentials: CredentialFixtures) -> None:
    credentials.switch(hidden_objects=["Organization"])

    checked = credentials.check()

    assert checked.ok
    assert finding(checked, "edition").grade is Grade.UNKNOWN
    sharing = finding(checked, "sharing")
    assert sharing.grade is Grade.UNKNOWN
    assert "look for 'View All Records' on Lead, Contact, Account" in sharing.causes[0]


def test_the_end_of_the_password_flow_is_reported_with_the_alternatives(
    credentials: CredentialFixtures,
) -> None:
    checked = credentials.check()

    assert checked.flow_ends == "2027-02-20"
    flow = finding(checked, "flow")
    assert "20 February 2027" in flow.message
    assert "client_credentials" in flow.causes[0]


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
def test_the_other_flows_have_no_password_that_expires(
    credentials: CredentialFixtures, flow: str
) -> None:
    credentials.put(getattr(credentials, flow)())

    checked = credentials.check()

    assert checked.ok
    assert checked.flow_ends == ""
    assert finding(checked, "flow").grade is Grade.OK
    assert checked.password_expires_in_days is None


@pytest.mark.parametrize(("age", "grade"), [(10, Grade.OK), (77, Grade.WARNING)])
def test_the_days_until_the_password_expires_are_counted(
    credentials: CredentialFixtures, age: int, grade: Grade
) -> None:
    credentials.harness.control("salesforce", "POST", "clock", {"advance": -age * 86_400})
    credentials.reset_password()
    credentials.put(credentials.material())
    credentials.harness.control("salesforce", "POST", "clock", {"advance": age * 86_400})

    checked = credentials.check(password_expires_days=90)

    assert checked.password_expires_in_days in (90 - age - 1, 90 - age)
    assert finding(checked, "password").grade is grade


def test_a_password_without_a_policy_does_not_expire(credentials: CredentialFixtures) -> None:
    assert "never" in finding(credentials.check(password_expires_days=0), "password").message


def test_a_quota_that_is_nearly_used_up_is_a_warning(credentials: CredentialFixtures) -> None:
    credentials.harness.control("salesforce", "POST", "quota", {"max": 1000, "used": 850})

    checked = credentials.check()

    assert finding(checked, "quota").grade is Grade.WARNING
    assert checked.calls_allowed == 1000


def test_an_org_in_maintenance_is_not_reported_as_a_refusal(
    credentials: CredentialFixtures,
) -> None:
    credentials.switch(org_status="maintenance")

    checked = credentials.check()

    assert finding(checked, "login").grade is Grade.UNKNOWN
    assert credentials.harness.ledger.breaker() is None


def test_a_refused_plezi_key_is_reported(credentials: CredentialFixtures) -> None:
    credentials.put_plezi(api_key="wrong")

    checked = credentials.check()

    assert not checked.ok
    assert finding(checked, "plezi").grade is Grade.FAILED
    assert finding(checked, "login").grade is Grade.OK


def test_a_plezi_that_does_not_respond_is_unknown(credentials: CredentialFixtures) -> None:
    credentials.harness.control("plezi", "POST", "faults", {"kind": "reset_before", "count": None})

    assert finding(credentials.check(), "plezi").grade is Grade.UNKNOWN


def test_a_secret_that_is_not_json_is_reported_without_its_text(
    credentials: CredentialFixtures,
) -> None:
    credentials.put_text("hunter2-is-no-json")

    checked = credentials.check()

    assert not checked.ok
    assert "hunter2" not in json.dumps(asdict(checked))
