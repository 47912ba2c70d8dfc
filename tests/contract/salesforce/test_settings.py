"""Settings of an org that no other test changes: flows of an app, the lockout, a sandbox."""

from __future__ import annotations

import pytest

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from tests.contract.salesforce.conftest import PrefixedSession
from tests.contract.salesforce.test_logins import (
    FAILURE,
    TOKEN,
    assertion,
    client_credentials,
    refusal,
)


@pytest.mark.parametrize("flow", ["client_credentials", "jwt"])
def test_a_flow_that_is_off_in_the_app_is_refused(
    web: PrefixedSession, control: PrefixedSession, org: SalesforceOrg, flow: str
) -> None:
    form = client_credentials(org) if flow == "client_credentials" else assertion(org)
    assert web.post(TOKEN, data=form).status_code == 200
    switch = {"client_credentials": "client_credentials_in_app", "jwt": "jwt_flow_in_app"}
    control.post("/switches", json={switch[flow]: False})
    assert refusal(web.post(TOKEN, data=form)) == (
        "unsupported_grant_type",
        "grant type not supported",
    )


def test_an_org_chooses_its_own_lockout(
    web: PrefixedSession,
    control: PrefixedSession,
    clock: SimulatedClock,
    password_form: dict[str, str],
) -> None:
    control.post("/switches", json={"max_failed_logins": 3, "lockout_minutes": 60})
    for _ in range(3):
        web.post(TOKEN, data=password_form | {"password": "wrong"})
    clock.advance(59 * 60)
    assert web.post(TOKEN, data=password_form).json() == FAILURE
    clock.advance(60)
    assert web.post(TOKEN, data=password_form).status_code == 200


def test_without_a_limit_no_failure_locks_the_user_out(
    web: PrefixedSession, control: PrefixedSession, password_form: dict[str, str]
) -> None:
    control.post("/switches", json={"max_failed_logins": 0})
    for _ in range(20):
        web.post(TOKEN, data=password_form | {"password": "wrong"})
    assert web.post(TOKEN, data=password_form).status_code == 200


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_a_sandbox_says_that_it_is_one(
    api: PrefixedSession, control: PrefixedSession, *, is_sandbox: bool
) -> None:
    control.post("/switches", json={"is_sandbox": is_sandbox})
    [row] = api.soql("SELECT IsSandbox FROM Organization")
    assert row["IsSandbox"] is is_sandbox


def test_a_certificate_must_be_uploaded_before_its_key_logs_in(
    web: PrefixedSession, control: PrefixedSession, org: SalesforceOrg
) -> None:
    form = assertion(org)
    certificate = org.state.jwt_certificates.pop()
    assert refusal(web.post(TOKEN, data=form)) == ("invalid_grant", "invalid assertion")
    assert control.post("/certificates", json={"certificate": "text"}).status_code == 400
    assert control.post("/certificates", json={"certificate": certificate}).status_code == 200
    assert web.post(TOKEN, data=form).status_code == 200


def test_only_an_existing_permission_set_can_be_assigned(
    api: PrefixedSession, control: PrefixedSession
) -> None:
    api.post("/sobjects/PermissionSet", json={"Name": "P", "Label": "P"})
    assert control.post("/permission_sets/Q/assignments", json={}).status_code == 400
    assert control.post("/permission_sets/P/assignments", json={}).status_code == 200
    soql = "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'P'"
    assert len(api.soql(soql)) == 1


def test_orgs_of_other_seeds_have_no_id_in_common(clock: SimulatedClock) -> None:
    found: list[set[str]] = []
    for seed in range(5):
        org = SalesforceOrg(clock, seed=seed)
        org.load(leads=100, contacts=20, first=0)
        rows = org.state.store.run('SELECT Id FROM "Lead" UNION SELECT Id FROM "Contact"')
        found.append({row[0] for row in rows.fetchall()} | {org.state.org_id})
        org.close()
    assert all(len(ids) == 121 for ids in found)
    assert len(set.union(*found)) == 5 * 121
