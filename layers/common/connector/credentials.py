"""Credentials from Secrets Manager: cached, versioned, validated, and never printed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Protocol, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from connector.errors import HaltError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300.0
"""How long a secret is believed without asking again, as in Powertools' parameters utility."""
SERVER_ERROR: Final = 500


CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"


class Flow(StrEnum):
    """How we log in to Salesforce."""

    PASSWORD = "password"  # noqa: S105  # the flow's name
    JWT_BEARER = "jwt_bearer"
    CLIENT_CREDENTIALS = "client_credentials"


NEEDED: Final[Mapping[Flow, tuple[str, ...]]] = {
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
        missing = [name for name in NEEDED[self.flow] if not _said(getattr(self, name))]
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


class Secrets(Protocol[Material]):
    """Where a secret is read; the readers of both sides and of a version on trial satisfy it."""

    def current(self, *, fresh: bool = False) -> Secret[Material]:
        """Return the current version; `fresh` asks Secrets Manager again."""


@dataclass(frozen=True, slots=True)
class FixedSecret(Generic[Material]):
    """One version of a secret as if it were the current one: how a version is put on trial."""

    secret: Secret[Material]

    def current(self, *, fresh: bool = False) -> Secret[Material]:  # noqa: ARG002  # there is one
        """Return the version."""
        return self.secret


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

        While Secrets Manager is away, what is held goes on being believed: a side that refuses it
        asks for a fresh one. Raises `HaltError` naming the keys that are missing, never their
        values; what boto3 raises when nothing is held, or a fresh version is asked for.
        """
        now = self._clock()
        if self._held is None or fresh:
            self._held = self._fetch()
        elif now - self._held_since > CACHE_SECONDS:
            try:
                self._held = self._fetch()
            except (ClientError, BotoCoreError) as error:
                if not _is_away(error):
                    raise
        else:
            return self._held
        self._held_since = now
        return self._held

    def _fetch(self) -> Secret[Material]:
        answer = self._client.get_secret_value(SecretId=self._name, VersionStage=CURRENT)
        material = parsed(self._kind, answer.get("SecretString", ""), self._name)
        return Secret(answer["VersionId"], material)


def _is_away(error: ClientError | BotoCoreError) -> bool:
    """Whether AWS could not be reached, was busy or broken; a refusal is none of these."""
    if isinstance(error, BotoCoreError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= SERVER_ERROR or error.response["Error"]["Code"] == "ThrottlingException"


def parsed(kind: type[Material], text: str, name: str) -> Material:
    """Return the material in a secret's text.

    Raises `HaltError` naming the secret and the keys that are missing or wrong, never their values.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        keys = ", ".join(_key(dict(it)) for it in error.errors())
        raise HaltError(
            "secret", f"the secret {name!r} lacks or misspells: {keys}; put a new version"
        ) from None


def _key(problem: dict[str, Any]) -> str:
    if problem["loc"]:
        return ".".join(map(str, problem["loc"]))
    return str(problem.get("ctx", {}).get("error", "JSON"))


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of a secret by id, with their labels; whether Secrets Manager rotates it."""

    labels: Mapping[str, frozenset[str]]
    current: str
    rotates: bool


class SecretVersions:
    """Looks at the versions of one secret, and promotes one."""

    def __init__(self, client: SecretsManagerClient, name: str) -> None:
        self._client = client
        self._name = name

    def look(self) -> Versions:
        """Return which versions there are, and their labels."""
        answer = self._client.describe_secret(SecretId=self._name)
        labels = {
            version: frozenset(stages)
            for version, stages in answer.get("VersionIdsToStages", {}).items()
        }
        current = next(version for version, stages in labels.items() if CURRENT in stages)
        return Versions(labels, current, answer.get("RotationEnabled", False))

    def text(self, version: str) -> str | None:
        """Return what a version holds, or None when it holds nothing yet."""
        try:
            answer = self._client.get_secret_value(SecretId=self._name, VersionId=version)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return answer.get("SecretString")

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one, in place of another.

        The label AWSPENDING stays on it, as in AWS's own rotation templates: Secrets Manager takes
        a pending version that is current for a rotation that has ended.
        """
        self._client.update_secret_version_stage(
            SecretId=self._name,
            VersionStage=CURRENT,
            MoveToVersionId=version,
            RemoveFromVersionId=current,
        )
