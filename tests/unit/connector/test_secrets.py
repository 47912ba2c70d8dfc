"""The contents of each secret: every wrong key is named, no value is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from connector.errors import HaltError, StopReason
from connector.secrets import (
    Flow,
    PleziCredentials,
    SalesforceCredentials,
    SecretModel,
    SecretText,
    parse_secret,
)
from local.salesforce_org.certificates import jwt_key_pair

SALESFORCE = {
    "flow": "password",
    "account_url": "https://acme.my.salesforce.com",
    "consumer_key": "3MVG9.key",
    "consumer_secret": "hidden-consumer",
    "username": "sync@acme.example",
    "password": "hidden-password",
    "security_token": "hidden-token",
    "private_key": "hidden-pem",
}
PLEZI = {"api_key": "hidden-key", "tenant": "acme"}
TYPES: Mapping[type[SalesforceCredentials | PleziCredentials], Mapping[str, str]] = {
    SalesforceCredentials: SALESFORCE,
    PleziCredentials: PLEZI,
}
WRONG_TYPES = [None, 70770, True, ["quoted-value"], {"quoted": "quoted-value"}]


def error_of(kind: type[SecretModel], text: str) -> HaltError:
    with pytest.raises(HaltError) as caught:
        parse_secret(kind, text, "the-arn")
    assert caught.value.reason is StopReason.SECRET
    assert str(caught.value).startswith("the secret 'the-arn' lacks or misspells: ")
    return caught.value


def names_in(error: HaltError) -> str:
    return str(error).removesuffix("; put a new version").partition("misspells: ")[2]


def test_a_complete_salesforce_secret_is_read_key_by_key() -> None:
    assert parse_secret(SalesforceCredentials, json.dumps(SALESFORCE), "s") == (
        SalesforceCredentials(
            flow=Flow.PASSWORD,
            account_url="https://acme.my.salesforce.com",
            consumer_key="3MVG9.key",
            consumer_secret=SecretText("hidden-consumer"),
            username="sync@acme.example",
            password=SecretText("hidden-password"),
            security_token=SecretText("hidden-token"),
            private_key=SecretText("hidden-pem"),
        )
    )


def test_the_flow_is_password_and_the_token_is_empty_where_they_are_absent() -> None:
    keys = ("account_url", "consumer_key", "consumer_secret", "username", "password")
    text = json.dumps({key: SALESFORCE[key] for key in keys})

    credentials = parse_secret(SalesforceCredentials, text, "s")

    assert credentials.flow is Flow.PASSWORD
    assert credentials.security_token == credentials.private_key == SecretText("")


def test_a_complete_plezi_secret_is_read() -> None:
    credentials = parse_secret(PleziCredentials, json.dumps(PLEZI), "p")

    assert credentials == PleziCredentials(api_key=SecretText("hidden-key"), tenant="acme")


@pytest.mark.parametrize("kind", TYPES)
def test_a_key_that_is_not_used_is_ignored(
    kind: type[SalesforceCredentials | PleziCredentials],
) -> None:
    text = json.dumps(TYPES[kind])
    with_comment = json.dumps({**TYPES[kind], "comment": ["rotated", 2026]})

    assert parse_secret(kind, with_comment, "s") == parse_secret(kind, text, "s")


@pytest.mark.parametrize("value", WRONG_TYPES)
@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind in TYPES for key in TYPES[kind]])
def test_a_key_of_another_type_is_named_and_not_quoted(
    kind: type[SalesforceCredentials | PleziCredentials], key: str, value: object
) -> None:
    error = error_of(kind, json.dumps({**TYPES[kind], key: value}))

    assert names_in(error) == key
    assert "70770" not in str(error)
    assert "quoted" not in str(error)


@pytest.mark.parametrize(
    ("kind", "names"),
    [(SalesforceCredentials, "account_url, consumer_key"), (PleziCredentials, "api_key, tenant")],
)
def test_every_required_key_that_is_absent_or_empty_is_named(
    kind: type[SalesforceCredentials | PleziCredentials], names: str
) -> None:
    empty = dict.fromkeys(names.split(", "), "")

    assert names_in(error_of(kind, "{}")) == names
    assert names_in(error_of(kind, json.dumps({**TYPES[kind], **empty}))) == names


@pytest.mark.parametrize(
    ("flow", "names"),
    [
        ("password", "consumer_secret, username, password"),
        ("jwt_bearer", "username, private_key"),
        ("client_credentials", "consumer_secret"),
    ],
)
def test_each_flow_names_the_keys_that_it_needs(flow: str, names: str) -> None:
    keys = {"flow": flow, "account_url": "acme.my.salesforce.com", "consumer_key": "key"}
    empty = dict.fromkeys(names.split(", "), "")
    expected = f"{names} (for the flow {flow})"

    assert names_in(error_of(SalesforceCredentials, json.dumps(keys))) == expected
    assert names_in(error_of(SalesforceCredentials, json.dumps({**keys, **empty}))) == expected
    values = {"username": "sync@acme.example", "private_key": jwt_key_pair().private_key}
    complete = json.dumps({**keys, **dict.fromkeys(names.split(", "), "x"), **values})
    assert parse_secret(SalesforceCredentials, complete, "s").flow == flow


def test_an_unknown_flow_is_named_and_not_quoted() -> None:
    error = error_of(SalesforceCredentials, json.dumps({**SALESFORCE, "flow": "quoted-flow"}))

    assert names_in(error) == "flow"


def test_a_text_with_half_a_character_is_refused() -> None:
    text = json.dumps({**SALESFORCE, "password": "hidden\ud800"})

    assert names_in(error_of(SalesforceCredentials, text)) == "password"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hidden-key",
        '{"api_key": "hidden-key", "tenant": "acme"',
        '["hidden-key"]',
        '"hidden-key"',
        "null",
        '{"api_key": "hidden-key", "tenant": "acme", "limit": NaN}',
        '{"api_key": "hidden-key", "tenant": "acme", "limit": -Infinity}',
        '{"api_key": "hidden-key", "tenant": "acme", "\\ud800": 1}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_a_text_that_is_not_a_json_object_is_refused_without_the_text(text: str) -> None:
    error = error_of(PleziCredentials, text)

    assert names_in(error) == "JSON"
    assert "hidden" not in repr(error)


def test_a_key_that_is_given_twice_is_named() -> None:
    text = '{"api_key": "hidden-key", "tenant": "acme", "api_key": "hidden-other"}'

    assert names_in(error_of(PleziCredentials, text)) == "api_key (given twice)"


@pytest.mark.parametrize("kind", TYPES)
def test_no_text_of_credentials_contains_a_secret(
    kind: type[SalesforceCredentials | PleziCredentials],
) -> None:
    credentials = parse_secret(kind, json.dumps(TYPES[kind]), "s")

    for text in (repr(credentials), str(credentials), f"{credentials}", f"{[credentials]}"):
        assert "**********" in text
        assert "hidden" not in text


def test_a_secret_text_is_masked_in_every_text_of_it() -> None:
    secret = SecretText("hidden")

    assert repr(secret) == "SecretText('**********')"
    assert [str(secret), f"{secret}", "%s" % secret] == ["**********"] * 3  # noqa: UP031  # logging's way
    assert secret.get_secret_value() == "hidden"


def test_an_empty_secret_text_is_false_and_shows_that_it_is_empty() -> None:
    assert not SecretText("")
    assert SecretText("hidden")
    assert (repr(SecretText("")), str(SecretText(""))) == ("SecretText('')", "")


def test_secret_texts_are_equal_by_their_text_and_never_equal_to_a_plain_text() -> None:
    secret = SecretText("hidden")

    assert secret == SecretText("hidden")
    assert hash(secret) == hash(SecretText("hidden"))
    assert secret != SecretText("other")
    assert secret != "hidden"


def test_a_secret_text_cannot_be_written_as_json() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(SecretText("hidden"))
