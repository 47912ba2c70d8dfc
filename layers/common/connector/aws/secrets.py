"""Secrets Manager: secrets are read and believed for a while, their versions looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from connector.errors import HaltError, StopReason
from connector.secrets import Secret, SecretModel

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300.0
"""How long a secret is believed without asking again, as in Powertools' parameters utility."""
SERVER_ERROR: Final = 500
CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"


class SecretReader(Generic[SecretModel]):
    """Reads one secret, and believes it for five minutes."""

    def __init__(
        self,
        client: SecretsManagerClient,
        name: str,
        kind: type[SecretModel],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._name = name
        self._kind = kind
        self._clock = clock
        self._held: Secret[SecretModel] | None = None
        self._held_since = 0.0

    def current(self, *, fresh: bool = False) -> Secret[SecretModel]:
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

    def _fetch(self) -> Secret[SecretModel]:
        answer = self._client.get_secret_value(SecretId=self._name, VersionStage=CURRENT)
        material = parse_secret(self._kind, answer.get("SecretString", ""), self._name)
        return Secret(answer["VersionId"], material)


def _is_away(error: ClientError | BotoCoreError) -> bool:
    """Whether AWS could not be reached, was busy or broken; a refusal is none of these."""
    if isinstance(error, BotoCoreError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= SERVER_ERROR or error.response["Error"]["Code"] == "ThrottlingException"


def parse_secret(kind: type[SecretModel], text: str, name: str) -> SecretModel:
    """Return the material in a secret's text.

    Raises `HaltError` naming the secret and the keys that are missing or wrong, never their values.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        keys = ", ".join(_key(dict(it)) for it in error.errors())
        raise HaltError(
            StopReason.SECRET, f"the secret {name!r} lacks or misspells: {keys}; put a new version"
        ) from None


def _key(problem: dict[str, Any]) -> str:
    if problem["loc"]:
        return ".".join(map(str, problem["loc"]))
    return str(problem.get("ctx", {}).get("error", "JSON"))


@dataclass(frozen=True, slots=True)
class VersionStages:
    """The versions of a secret by id, with their labels; whether Secrets Manager rotates it."""

    labels: Mapping[str, frozenset[str]]
    current: str
    rotates: bool


class SecretVersions:
    """Looks at the versions of one secret, and promotes one."""

    def __init__(self, client: SecretsManagerClient, name: str) -> None:
        self._client = client
        self._name = name

    def list_versions(self) -> VersionStages:
        """Return which versions there are, and their labels."""
        answer = self._client.describe_secret(SecretId=self._name)
        labels = {
            version: frozenset(stages)
            for version, stages in answer.get("VersionIdsToStages", {}).items()
        }
        current = next(version for version, stages in labels.items() if CURRENT in stages)
        return VersionStages(labels, current, answer.get("RotationEnabled", False))

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
