"""The login host of an account URL, and that no password goes to another host."""

from __future__ import annotations

import pytest

from connector.errors import HaltError
from connector.salesforce.auth.hosts import checked_instance, login_host

NO_TRUSTED_HOST = ""


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("https://acme.lightning.force.com", "acme.my.salesforce.com"),
        ("https://acme.lightning.force.com/lightning/page/home", "acme.my.salesforce.com"),
        (" acme.my.salesforce.com ", "acme.my.salesforce.com"),
        (
            "https://acme--sbx.sandbox.lightning.force.com",
            "acme--sbx.sandbox.my.salesforce.com",
        ),
        (
            "https://acme-dev-ed.develop.lightning.force.com",
            "acme-dev-ed.develop.my.salesforce.com",
        ),
        ("https://eu11.lightning.force.com", "login.salesforce.com"),
        ("https://eu11.salesforce.com", "login.salesforce.com"),
        ("https://cs87.lightning.force.com", "test.salesforce.com"),
        ("https://login.salesforce.com", "login.salesforce.com"),
        ("https://test.salesforce.com/", "test.salesforce.com"),
    ],
)
def test_a_pasted_address_leads_to_its_login_host(pasted: str, host: str) -> None:
    assert login_host(pasted, NO_TRUSTED_HOST) == host


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "https://acme.example.com",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com.evil.example",
        "https://user:pass@acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://evil.example/acme.my.salesforce.com",
        "https://evil.example#.my.salesforce.com",
        "https://evil.example\\.my.salesforce.com",
        "https://.my.salesforce.com",
        "https://127.0.0.1",
        "ftp://acme.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://xn--acme\u3002my.salesforce.com",
    ],
)
def test_any_other_address_is_refused_before_a_password_is_sent(pasted: str) -> None:
    with pytest.raises(HaltError, match="not a Salesforce address"):
        login_host(pasted, NO_TRUSTED_HOST)


def test_only_the_trusted_host_may_have_a_port() -> None:
    assert login_host("https://127.0.0.1:8443", "127.0.0.1:8443") == "127.0.0.1:8443"
    with pytest.raises(HaltError):
        login_host("https://127.0.0.1:8444", "127.0.0.1:8443")


@pytest.mark.parametrize(
    "answered",
    ["https://evil.example", "http://acme.my.salesforce.com", "https://salesforce.com.x"],
)
def test_a_token_is_never_sent_to_an_instance_outside_of_salesforce(answered: str) -> None:
    with pytest.raises(HaltError, match="not a Salesforce address"):
        checked_instance(answered, NO_TRUSTED_HOST)
