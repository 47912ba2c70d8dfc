"""Credentials from Secrets Manager: cached, versioned, validated, and never printed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connector.errors import HaltError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300.0
"""How long a secret is believed without asking again, as in Powertools' parameters utility."""


class Flow(StrEnum):
    """How we log in to Salesforce."""

    PASSWORD = "password"  # noqa: S105  # the flow's name
    JWT_BEARER = "jwt_bearer"
    CLIENT_CREDENTIALS = "client_credentials"


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


class PleziCredentials(BaseModel):
    """What ops put in the Plezi secret: the key, and the tenant's name as Plezi spells it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_key: SecretStr = Field(min_length=1)
    tenant: str = Field(min_length=1)


KEY_PREFIX: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
"""A signing key's prefix and length (Standard Webhooks 1.0.0, "Signature scheme")."""
LIVE_AT_ONCE: Final = 2
"""Keys, and tokens, that may be live: the one in use and the one that takes its place."""
SHORTEST_TOKEN: Final = 32


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
        default=(), max_length=LIVE_AT_ONCE
    )
    tokens: tuple[Annotated[SecretStr, Field(min_length=SHORTEST_TOKEN)], ...] = Field(
        default=(), max_length=LIVE_AT_ONCE
    )

    def keys(self) -> tuple[bytes, ...]:
        """Return the signing keys as HMAC wants them."""
        return tuple(map(_key_bytes, self.signing_keys))

    def known_tokens(self) -> tuple[str, ...]:
        """Return the tokens in clear."""
        return tuple(token.get_secret_value() for token in self.tokens)


Material = TypeVar("Material", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Secret(Generic[Material]):
    """One version of a secret."""

    version: str
    material: Material


class SecretReader(Generic[Material]):
    """Reads one secret, and believes it for five minutes."""

    def __init__(
        self,
        client: SecretsManagerClient,
        name: str,
        kind: type[Material],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._name = name
        self._kind = kind
        self._clock = clock
        self._held: Secret[Material] | None = None
        self._held_since = 0.0

    def current(self, *, fresh: bool = False) -> Secret[Material]:
        """Return the current version; `fresh` asks Secrets Manager again.

        Raises `HaltError` naming the keys that are missing, never their values.
        """
        now = self._clock()
        if self._held is None or fresh or now - self._held_since > CACHE_SECONDS:
            self._held = self._fetch()
            self._held_since = now
        return self._held

    def _fetch(self) -> Secret[Material]:
        answer = self._client.get_secret_value(SecretId=self._name)
        try:
            material = self._kind.model_validate_json(answer.get("SecretString", ""))
        except ValidationError as error:
            keys = ", ".join(".".join(map(str, it["loc"])) or "JSON" for it in error.errors())
            raise HaltError(
                "secret", f"the secret {self._name!r} lacks or misspells: {keys}; put a new version"
            ) from None
        return Secret(answer["VersionId"], material)
