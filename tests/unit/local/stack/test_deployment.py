"""The parameters of the local stack: those of a laptop, or the template's own defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.embedded_aws import EmbeddedAws
from local.stack.deployment import LAPTOP_PARAMETERS, Deployment
from local.stack.stack_file import PleziTenant, SalesforceOrg, SalesforceUser
from local.template_settings import template_value

NEEDED = {
    "PleziBaseUrl",
    "SalesforceTrustedHost",
    "SalesforceCaPem",
    "ClearTextEndpoints",
    "Console",
    "ConsoleUrl",
    "ConsoleSignInUrl",
}
"""What the embedded AWS and the simulators need: addresses, a certificate, clear text; and the
console, which is not deployed by default."""
USER = SalesforceUser(username="u@x.fr", password="p", security_token="t")
TENANT = PleziTenant(url="http://127.0.0.1:2/api/v1", api_key="k", tenant="T")


@pytest.fixture
def org(tmp_path: Path) -> SalesforceOrg:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("-----BEGIN CERTIFICATE-----", encoding="ascii")
    return SalesforceOrg(
        url="https://127.0.0.1:3",
        ca_bundle=str(certificate),
        consumer_key="c",
        consumer_secret="s",
        integration_user=USER,
        sales_user=USER,
    )


def deployment(folder: Path, *, defaults: bool) -> Deployment:
    return Deployment(folder, folder, EmbeddedAws("http://127.0.0.1:1"), defaults=defaults)


def test_a_stack_with_the_template_s_defaults_changes_only_what_the_embedded_aws_needs(
    tmp_path: Path, org: SalesforceOrg
) -> None:
    assert deployment(tmp_path, defaults=True).parameters(org, TENANT).keys() == NEEDED


def test_the_stack_of_a_laptop_changes_pace_and_times_of_the_template(
    tmp_path: Path, org: SalesforceOrg
) -> None:
    parameters = deployment(tmp_path, defaults=False).parameters(org, TENANT)

    assert parameters.keys() == NEEDED | LAPTOP_PARAMETERS.keys()
    for name, value in LAPTOP_PARAMETERS.items():
        assert isinstance(template_value(name), int), name  # a parameter with a default
        assert value != str(template_value(name))
