"""Credentials: what each secret holds, validated and never printed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Generic, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)


class Flow(StrEnum):
    """How we log in to Salesforce."""

    PASSWORD = "password"  # noqa: S105  # the flow's name
    JWT_BEARER = "jwt_bearer"
    CLIENT_CREDENTIALS = "client_credentials"


REQUIRED_KEYS: Final[Mapping[Flow, tuple[str, ...]]] = {
    Flow.PASSWORD: ("consumer_secret", "username", "password"),
    Flow.JWT_BEARER: ("username", "private_key"),
    Flow.CLIENT_CREDENTIALS: ("consumer_secret",),
}
"""What each flow needs besides the account URL and the consumer key. The security token may be
empty: from a trusted address none is asked for."""


class SalesforceCredentials(BaseModel):
    """What ops put in the Salesforce secret; which keys are needed depends on the flow."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    flow: Flow = Flow.PASSWORD
    account_url: str = Field(min_length=1)
    consumer_key: str = Field(min_length=1)
    consumer_secret: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    security_token: SecretStr = SecretStr("")
    private_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in REQUIRED_KEYS[self.flow] if not _said(getattr(self, name))]
        if missing:
            raise ValueError(f"{', '.join(missing)} (for the flow {self.flow.value})")
        return self


def _said(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class PleziCredentials(BaseModel):
    """What ops put in the Plezi secret: the key, and the tenant's name as Plezi spells it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_key: SecretStr = Field(min_length=1)
    tenant: str = Field(min_length=1)


KEY_PREFIX: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
"""A signing key's prefix and length (Standard Webhooks 1.0.0, "Signature scheme")."""
MAX_LIVE_KEYS: Final = 2
"""Keys, and tokens, that may be live: the one in use and the one that takes its place."""
MIN_TOKEN_CHARACTERS: Final = 32


def _signing_key(text: SecretStr) -> SecretStr:
    if len(_key_bytes(text)) not in KEY_BYTES:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
    return text


def _key_bytes(text: SecretStr) -> bytes:
    """Return what a key's text holds; nothing when it is not a key."""
    prefix, encoded = text.get_secret_value().partition(KEY_PREFIX)[::2]
    try:
        return b"" if prefix else base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


class FormsCredentials(BaseModel):
    """What ops put in the forms secret: who may hand in a form.

    `signing_keys` sign as Standard Webhooks does. `tokens` are for senders that cannot sign;
    without any, that scheme is off. Of both, two may be live, so that one can be replaced. Without
    either, every form is refused.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    signing_keys: tuple[Annotated[SecretStr, AfterValidator(_signing_key)], ...] = Field(
        default=(), max_length=MAX_LIVE_KEYS
    )
    tokens: tuple[Annotated[SecretStr, Field(min_length=MIN_TOKEN_CHARACTERS)], ...] = Field(
        default=(), max_length=MAX_LIVE_KEYS
    )

    def keys(self) -> tuple[bytes, ...]:
        """Return the signing keys as HMAC wants them."""
        return tuple(map(_key_bytes, self.signing_keys))

    def known_tokens(self) -> tuple[str, ...]:
        """Return the tokens in clear."""
        return tuple(token.get_secret_value() for token in self.tokens)


SecretModel = TypeVar("SecretModel", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Secret(Generic[SecretModel]):
    """One version of a secret."""

    version: str
    value: SecretModel


class SecretProvider(Protocol[SecretModel]):
    """Where a secret is read; the readers of both sides and of a version on trial satisfy it."""

    def current(self, *, fresh: bool = False) -> Secret[SecretModel]:
        """Return the current version; `fresh` asks Secrets Manager again."""


@dataclass(frozen=True, slots=True)
class FixedSecret(Generic[SecretModel]):
    """One version of a secret as if it were the current one: how a version is put on trial."""

    secret: Secret[SecretModel]

    def current(self, *, fresh: bool = False) -> Secret[SecretModel]:  # noqa: ARG002  # there is one
        """Return the version."""
        return self.secret
