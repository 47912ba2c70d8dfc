"""Credentials: the contents of each secret, validated and never printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol, Self, TypeVar

from connector.json_object import JsonObjectError, MemberReader, read_json_object
from connector.secret_fields import FieldRules
from connector.secret_version import invalid_secret, unusable_secret

MASK: Final = "**********"


class SecretText:
    """A text that is never printed: `get_secret_value` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._value

    def __str__(self) -> str:
        """Return the mask; '' for an empty text."""
        return MASK if self._value else ""

    def __repr__(self) -> str:
        """Return the class with the masked text."""
        return f"SecretText({str(self)!r})"

    def __bool__(self) -> bool:
        """Return whether there is a text."""
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        """Compare with another secret text; a plain text is never equal."""
        if not isinstance(other, SecretText):
            return NotImplemented
        return self._value == other._value

    def __hash__(self) -> int:
        """Return the hash of the text."""
        return hash((SecretText, self._value))


NO_TEXT: Final = SecretText("")


class Flow(StrEnum):
    """The OAuth flow of the Salesforce login."""

    PASSWORD = "password"  # noqa: S105  # the flow's name
    JWT_BEARER = "jwt_bearer"
    CLIENT_CREDENTIALS = "client_credentials"


REQUIRED_KEYS: Final[Mapping[Flow, tuple[str, ...]]] = {
    Flow.PASSWORD: ("consumer_secret", "username", "password"),
    Flow.JWT_BEARER: ("username", "private_key"),
    Flow.CLIENT_CREDENTIALS: ("consumer_secret",),
}
"""Keys that each flow needs in addition to the account URL and the consumer key. The security token
may be empty: Salesforce does not require it from a trusted IP address."""


USED_KEYS: Final[Mapping[Flow, tuple[str, ...]]] = {
    **REQUIRED_KEYS,
    Flow.PASSWORD: (*REQUIRED_KEYS[Flow.PASSWORD], "security_token"),
}
"""Keys that each flow sends, in addition to the account URL and the consumer key."""
TENANT_REMEDY: Final = (
    "the tenant is sent in a header, and Plezi expects the company's name as one word of plain "
    "letters, as its page about the API shows it (assumed)"
)


class SecretContents(Protocol):
    """The contents of one kind of secret; keys that it does not use are ignored."""

    @classmethod
    def read(cls, members: MemberReader, rules: FieldRules) -> Self:
        """Return the repaired contents, with their problems in `rules`.

        Raises `JsonObjectError` that names the keys that are missing or of another type.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceCredentials:
    """The contents of the Salesforce secret; the flow decides which keys are required."""

    flow: Flow = Flow.PASSWORD
    account_url: str
    consumer_key: str
    consumer_secret: SecretText = NO_TEXT
    username: str = ""
    password: SecretText = NO_TEXT
    security_token: SecretText = NO_TEXT
    private_key: SecretText = NO_TEXT

    @classmethod
    def read(cls, members: MemberReader, rules: FieldRules) -> Self:
        """Return the contents; raise `JsonObjectError` that names the wrong keys."""
        credentials = cls(
            flow=members.choice("flow", Flow, Flow.PASSWORD),
            account_url=members.text("account_url", may_be_empty=False),
            consumer_key=members.text("consumer_key", may_be_empty=False),
            consumer_secret=SecretText(members.text("consumer_secret", "")),
            username=members.text("username", ""),
            password=SecretText(members.text("password", "")),
            security_token=SecretText(members.text("security_token", "")),
            private_key=SecretText(members.text("private_key", "")),
        )
        members.check()
        flow = credentials.flow
        missing = [name for name in REQUIRED_KEYS[flow] if not getattr(credentials, name)]
        if missing:
            keys = f"{', '.join(missing)} (for the flow {flow.value})"
            raise JsonObjectError({keys: "required"})
        return credentials._repaired(rules)

    def _repaired(self, rules: FieldRules) -> Self:
        """Return the contents by the rules of their fields; a flow's other fields have none."""
        used = USED_KEYS[self.flow]

        def repaired(name: str, rule: Callable[[str, str], str], value: SecretText) -> SecretText:
            return SecretText(rule(name, value.get_secret_value())) if name in used else value

        return replace(
            self,
            account_url=rules.key("account_url", self.account_url),
            consumer_key=rules.key("consumer_key", self.consumer_key),
            consumer_secret=repaired("consumer_secret", rules.key, self.consumer_secret),
            username=self._username(rules),
            password=repaired("password", rules.password, self.password),
            security_token=repaired("security_token", rules.key, self.security_token),
            private_key=repaired("private_key", rules.private_key, self.private_key),
        )

    def _username(self, rules: FieldRules) -> str:
        is_used = "username" in USED_KEYS[self.flow]
        return rules.username("username", self.username) if is_used else self.username


@dataclass(frozen=True, slots=True, kw_only=True)
class PleziCredentials:
    """The contents of the Plezi secret: the API key, and the tenant's name as Plezi spells it."""

    api_key: SecretText
    tenant: str

    @classmethod
    def read(cls, members: MemberReader, rules: FieldRules) -> Self:
        """Return the contents; raise `JsonObjectError` that names the wrong keys."""
        api_key = members.text("api_key", may_be_empty=False)
        tenant = members.text("tenant", may_be_empty=False)
        members.check()
        return cls(
            api_key=SecretText(rules.key("api_key", api_key)),
            tenant=rules.header("tenant", tenant, TENANT_REMEDY),
        )


SecretModel = TypeVar("SecretModel", bound=SecretContents)


def parse_secret(kind: type[SecretModel], text: str, name: str) -> SecretModel:
    """Return the contents of a secret's text.

    Raises `HaltError` with the secret's name and the keys that are missing or wrong, never their
    values.
    """
    rules = FieldRules()
    try:
        contents = kind.read(MemberReader(read_json_object(text)), rules)
    except JsonObjectError as error:
        raise unusable_secret(name, error.names) from None
    if rules.problems:
        raise invalid_secret(name, rules.problems)
    return contents
