"""Credentials: the contents of each secret, validated and never printed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from connector.errors import HaltError, StopReason


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


class SalesforceCredentials(BaseModel):
    """The contents of the Salesforce secret; the flow decides which keys are required."""

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
        missing = [
            name for name in REQUIRED_KEYS[self.flow] if not _plain_text(getattr(self, name))
        ]
        if missing:
            raise ValueError(f"{', '.join(missing)} (for the flow {self.flow.value})")
        return self


def _plain_text(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class PleziCredentials(BaseModel):
    """The contents of the Plezi secret: the API key, and the tenant's name as Plezi spells it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api_key: SecretStr = Field(min_length=1)
    tenant: str = Field(min_length=1)


SecretModel = TypeVar("SecretModel", bound=BaseModel)


def parse_secret(kind: type[SecretModel], text: str, name: str) -> SecretModel:
    """Return the contents of a secret's text.

    Raises `HaltError` with the secret's name and the keys that are missing or wrong, never their
    values.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        keys = ", ".join(_key(dict(problem)) for problem in error.errors())
        raise HaltError(
            StopReason.SECRET, f"the secret {name!r} lacks or misspells: {keys}; put a new version"
        ) from None


def _key(problem: dict[str, Any]) -> str:
    if problem["loc"]:
        return ".".join(map(str, problem["loc"]))
    return str(problem.get("ctx", {}).get("error", "JSON"))
