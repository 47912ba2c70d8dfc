"""A secret that cannot be used says so wherever it is offered, checked and used (S8)."""

from __future__ import annotations

import pytest

from connector.bootstrap.rotation import SecretKind
from connector.connection_report import Grade
from connector.errors import StopReason
from connector.model import RunState
from tests.component.credential_fixtures import CredentialFixtures, finding

SHOWN = {
    "Cœur & Cie": "tenant has a character outside of ASCII (œ, U+0153",
    "L\u2019Atelier": "tenant has a character outside of ASCII (\u2019, U+2019",
}


@pytest.mark.parametrize("tenant", SHOWN)
def test_s8_a_tenant_that_cannot_be_sent_is_refused_where_it_is_offered(
    credentials: CredentialFixtures, tenant: str
) -> None:
    version = credentials.put_plezi("AWSPENDING", tenant=tenant)

    result = credentials.rotation(SecretKind.PLEZI).test_and_promote(version)

    assert result.outcome == "refused"
    assert SHOWN[tenant] in result.message


@pytest.mark.parametrize("tenant", SHOWN)
def test_s8_a_tenant_that_cannot_be_sent_is_named_by_the_check_and_by_the_run(
    credentials: CredentialFixtures, tenant: str
) -> None:
    credentials.put_plezi(tenant=tenant)

    found = finding(credentials.check(), "plezi")
    run = credentials.run()

    assert found.grade is Grade.FAILED
    assert SHOWN[tenant] in found.message
    assert found.causes == ()
    assert (run.state, run.reason) == (RunState.HALTED, StopReason.SECRET)
    assert SHOWN[tenant] in run.message


@pytest.mark.parametrize("behind", ["\n", "\r\n", " "])
def test_s8_a_key_with_a_line_break_or_a_blank_behind_it_works(
    credentials: CredentialFixtures, behind: str
) -> None:
    tenant = credentials.harness.tenant
    credentials.put_plezi(api_key=tenant.api_key + behind, tenant=tenant.tenant_name + behind)
    material = credentials.material()
    keys = ("consumer_key", "consumer_secret", "username", "security_token", "account_url")
    credentials.put({**material, **{key: material[key] + behind for key in keys}})

    assert credentials.check().ok
    assert credentials.run().state is RunState.DONE


def test_a_private_key_that_is_a_certificate_is_refused_where_it_is_offered(
    credentials: CredentialFixtures,
) -> None:
    certificate = credentials.harness.org.jwt.certificate
    material = {**credentials.jwt(), "private_key": certificate}
    version = credentials.put(material, "AWSPENDING")

    result = credentials.rotation().test_and_promote(version)

    assert result.outcome == "refused"
    assert "private_key is not an RSA key" in result.message
    assert credentials.logins() == []
