"""Secrets Manager: reads secrets with a cache, lists and promotes their versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic

from botocore.exceptions import BotoCoreError, ClientError

from connector.aws.calls import call_aws, is_temporary
from connector.secret_version import Secret, Value

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from connector.retry import RetryPolicy

CACHE_SECONDS = 300.0
"""How long a secret is used without reading it again, as in Powertools' parameters utility."""
CURRENT: Final = "AWSCURRENT"
GET: Final = "secretsmanager.GetSecretValue"


class SecretReader(Generic[Value]):
    """Reads one secret, and uses the result for five minutes."""

    def __init__(
        self,
        client: SecretsManagerClient,
        name: str,
        parse: Callable[[str], Value],
        clock: Callable[[], float],
        retry: RetryPolicy,
    ) -> None:
        self._client = client
        self._name = name
        self._parse = parse
        self._clock = clock
        self._retry = retry
        self._cached: Secret[Value] | None = None
        self._cached_at = 0.0

    def current(self, *, fresh: bool = False) -> Secret[Value]:
        """Return the current version; `fresh` reads it from Secrets Manager.

        While Secrets Manager is unavailable, the cached version stays in use: a side that refuses
        it causes a fresh read. Raises `HaltError` with the names of missing keys, never their
        values; `RetryError` when there is no cached version or a fresh one is required.
        """
        now = self._clock()
        if self._cached is None or fresh:
            self._cached = call_aws(self._retry, GET, self._fetch)
        elif now - self._cached_at <= CACHE_SECONDS:
            return self._cached
        else:
            self._cached = self._fetch_or_keep(self._cached)
        self._cached_at = now
        return self._cached

    def _fetch_or_keep(self, cached: Secret[Value]) -> Secret[Value]:
        """Read once, without a pause: the cached version serves when the read fails."""
        try:
            return self._fetch()
        except (ClientError, BotoCoreError) as error:
            if not (isinstance(error, BotoCoreError) or is_temporary(error)):
                raise
            return cached

    def _fetch(self) -> Secret[Value]:
        response = self._client.get_secret_value(SecretId=self._name, VersionStage=CURRENT)
        return Secret(
            response["VersionId"],
            self._parse(response.get("SecretString", "")),
            response["CreatedDate"].timestamp(),
        )


@dataclass(frozen=True, slots=True)
class VersionStages:
    """The versions of a secret by id, with their labels; whether Secrets Manager rotates it."""

    labels: Mapping[str, frozenset[str]]
    current: str
    rotates: bool


class SecretVersions:
    """Lists the versions of one secret, reads them, and promotes one."""

    def __init__(self, client: SecretsManagerClient, name: str, retry: RetryPolicy) -> None:
        self._client = client
        self._name = name
        self._retry = retry

    def list_versions(self) -> VersionStages:
        """Return the versions that exist, and their labels."""
        response = call_aws(
            self._retry,
            "secretsmanager.DescribeSecret",
            lambda: self._client.describe_secret(SecretId=self._name),
        )
        labels = {
            version: frozenset(stages)
            for version, stages in response.get("VersionIdsToStages", {}).items()
        }
        current = next(version for version, stages in labels.items() if CURRENT in stages)
        return VersionStages(labels, current, response.get("RotationEnabled", False))

    def text(self, version: str) -> str | None:
        """Return the text of a version, or None when it has none yet."""
        try:
            response = call_aws(
                self._retry,
                GET,
                lambda: self._client.get_secret_value(SecretId=self._name, VersionId=version),
            )
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return response.get("SecretString")

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one, in place of another.

        The label AWSPENDING stays on it, as in AWS's own rotation templates: Secrets Manager
        regards a rotation as complete when the pending version is the current one.
        """
        call_aws(
            self._retry,
            "secretsmanager.UpdateSecretVersionStage",
            lambda: self._client.update_secret_version_stage(
                SecretId=self._name,
                VersionStage=CURRENT,
                MoveToVersionId=version,
                RemoveFromVersionId=current,
            ),
        )
