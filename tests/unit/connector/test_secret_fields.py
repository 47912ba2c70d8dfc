"""Each field of a secret is repaired or refused by what it becomes, without its value (S8)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest

from connector.errors import HaltError, StopReason
from connector.forms.keys import parse_forms_keys
from connector.secrets import PleziCredentials, SalesforceCredentials, parse_secret
from local.salesforce_org.certificates import jwt_key_pair

PAIR = jwt_key_pair()
PEM = PAIR.private_key
SALESFORCE = {
    "flow": "password",
    "account_url": "https://acme.my.salesforce.com",
    "consumer_key": "3MVG9.key",
    "consumer_secret": "hidden-consumer",
    "username": "sync@acme.example",
    "password": "hidden-password",
    "security_token": "hidden-token",
}
JWT = {**SALESFORCE, "flow": "jwt_bearer", "private_key": PEM}
PLEZI = {"api_key": "hidden-key", "tenant": "acme"}


def plezi(**changes: str) -> PleziCredentials:
    return parse_secret(PleziCredentials, json.dumps({**PLEZI, **changes}), "plezi-arn")


def salesforce(**changes: str) -> SalesforceCredentials:
    return parse_secret(SalesforceCredentials, json.dumps({**SALESFORCE, **changes}), "sf-arn")


def jwt(private_key: str) -> str:
    secret = json.dumps({**JWT, "private_key": private_key})
    return parse_secret(SalesforceCredentials, secret, "sf-arn").private_key.get_secret_value()


def refusal(read: Any, **changes: str) -> str:
    with pytest.raises(HaltError) as caught:
        read(**changes)
    assert caught.value.reason is StopReason.SECRET
    return str(caught.value)


@pytest.mark.parametrize("around", ["\n", "\r\n", " ", "\t", "\u00a0", "\ufeff", "\u200b", " \n "])
def test_blanks_and_line_breaks_around_a_key_are_removed(around: str) -> None:
    read = plezi(api_key=f"{around}hidden-key{around}", tenant=f"{around}Acme{around}")
    login = salesforce(
        consumer_key=f"3MVG9.key{around}",
        consumer_secret=f"hidden-consumer{around}",
        security_token=f"{around}hidden-token{around}",
        username=f"{around}sync@acme.example{around}",
        account_url=f"{around}https://acme.my.salesforce.com{around}",
    )

    assert (read.api_key.get_secret_value(), read.tenant) == ("hidden-key", "Acme")
    assert login == salesforce()


@pytest.mark.parametrize(
    ("tenant", "shown"),
    [
        ("Cœur & Cie", "tenant has a character outside of ASCII (œ, U+0153 LATIN SMALL LIGATURE"),
        ("L\u2019Atelier", "(\u2019, U+2019 RIGHT SINGLE QUOTATION MARK) at position 2"),
        ("Société", "(é, U+00E9 LATIN SMALL LETTER E WITH ACUTE) at position 5"),
        ("  Cœur", "at position 4"),
        ("Acme\nX-Other: 1", "tenant has a line break at position 5"),
        ("Acme\tSA", "tenant has a tab at position 5"),
        ("Acme\u200bSA", "tenant has an invisible character at position 5"),
    ],
)
def test_s8_a_tenant_that_cannot_be_a_header_is_refused_with_the_character(
    tenant: str, shown: str
) -> None:
    message = refusal(plezi, tenant=tenant)

    assert message.startswith("the secret 'plezi-arn' cannot be used: tenant has ")
    assert shown in message
    assert "the company's name as one word" in message
    assert tenant not in message


@pytest.mark.parametrize(
    ("read", "field", "value", "shown"),
    [
        (plezi, "api_key", "hidden\nkey", "api_key has a line break at position 7"),
        (plezi, "api_key", "hidden key", "api_key has a blank at position 7"),
        (plezi, "api_key", "hiddenékey", "api_key has a character outside of ASCII at position 7"),
        (salesforce, "consumer_key", "hid den", "consumer_key has a blank at position 4"),
        (salesforce, "consumer_secret", "hid\tden", "consumer_secret has a tab at position 4"),
        (salesforce, "security_token", "hid\x00den", "has a control character at position 4"),
        (salesforce, "password", "hid\nden", "password has a line break at position 4"),
        (salesforce, "account_url", "https://hid den", "account_url has a blank at position 12"),
        (salesforce, "username", "hidden", "username is not in the form of an e-mail address"),
        (salesforce, "username", "hid den@x.fr", "username is not in the form"),
    ],
)
def test_a_field_that_cannot_be_repaired_is_named_without_its_value(
    read: Any, field: str, value: str, shown: str
) -> None:
    message = refusal(read, **{field: value})

    assert shown in message
    assert "hidden" not in message.replace("hidden by", "")


def test_all_fields_with_problems_are_named_at_once() -> None:
    message = refusal(plezi, tenant="Cœur", api_key="a b")

    assert "api_key has a blank" in message
    assert "tenant has a character" in message


@pytest.mark.parametrize(
    ("read", "field"),
    [(plezi, "api_key"), (plezi, "tenant"), (salesforce, "username"), (salesforce, "account_url")],
)
def test_a_required_field_of_blanks_is_refused(read: Any, field: str) -> None:
    assert f"{field} consists of blanks" in refusal(read, **{field: " \n "})


def test_a_password_keeps_everything_but_a_line_break_behind_it() -> None:
    password = " L\u2019été, 100 % & plus "

    assert salesforce(password=password + "\r\n").password.get_secret_value() == password


def test_fields_that_the_flow_does_not_use_have_no_rules() -> None:
    assert salesforce(private_key="no key").private_key.get_secret_value() == "no key"


@pytest.mark.parametrize(
    "damaged",
    [
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", " "),
        f"\ufeff \n{PEM}\n\n",
        PEM.strip(),
    ],
)
def test_a_private_key_with_damaged_line_breaks_is_repaired(damaged: str) -> None:
    repaired = load_pem_private_key(jwt(damaged).encode(), None)

    assert repaired.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ) == load_pem_private_key(PEM.encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def encrypted() -> str:
    key = load_pem_private_key(PEM.encode(), None)
    secret = BestAvailableEncryption(b"passphrase")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret).decode()


def elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "pem", [PAIR.certificate, encrypted(), elliptic(), PEM[:200], "hidden", "-----BEGIN X-----"]
)
def test_another_text_than_a_private_key_is_refused_without_it(pem: str) -> None:
    with pytest.raises(HaltError) as caught:
        jwt(pem)

    assert "private_key is not an RSA key in PEM without a passphrase" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert pem[40:80] not in str(caught.value) or not pem[40:80]


def test_a_certificate_in_place_of_the_key_is_recognized() -> None:
    with pytest.raises(HaltError, match="it begins as CERTIFICATE"):
        jwt(PAIR.certificate)


def test_blanks_around_the_keys_of_forms_are_removed_and_others_are_named() -> None:
    token = "t" * 40
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    read = parse_forms_keys(
        json.dumps({"tokens": [f" {token}\n"], "signing_keys": [f"{key}\n"]}), "forms"
    )
    assert read.tokens == (token,)
    assert len(read.signing_keys) == 1
    with pytest.raises(
        HaltError, match=r"'forms' cannot be used: tokens\.0 has a character outside"
    ):
        parse_forms_keys(json.dumps({"tokens": ["é" * 40]}), "forms")


@given(st.dictionaries(st.sampled_from([*PLEZI, "other"]), st.text() | st.integers()))
def test_a_plezi_secret_that_is_read_can_be_sent_and_every_other_is_refused(
    changes: dict[str, Any],
) -> None:
    try:
        read = parse_secret(PleziCredentials, json.dumps({**PLEZI, **changes}), "plezi-arn")
    except HaltError:
        return
    request = PreparedRequest()
    request.prepare_headers(
        {"X-API-Key": read.api_key.get_secret_value(), "X-Tenant-Company": read.tenant}
    )
    for value in (read.api_key.get_secret_value(), read.tenant):
        assert value == value.strip() != ""
        value.encode("ascii")


@given(st.dictionaries(st.sampled_from([*JWT]), st.text() | st.sampled_from([PEM, "jwt_bearer"])))
def test_every_salesforce_secret_is_read_or_refused(changes: dict[str, Any]) -> None:
    with suppress(HaltError):
        parse_secret(SalesforceCredentials, json.dumps({**JWT, **changes}), "sf-arn")
