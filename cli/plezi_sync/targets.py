"""The stack that a command works on: the local one (`.local/stack.json`), or one on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials

from plezi_sync.admin_api import SERVICE, AdminApi
from plezi_sync.aws_account import AwsAccount, translated_errors
from plezi_sync.errors import UnreachableError, UsageError
from plezi_sync.files import read_json_object

STACK_FILE: Final = Path(".local/stack.json")
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class LocalStack:
    """The part of `.local/stack.json` that the commands use.

    `functions` and `secrets` map our names (`sync_worker`, `salesforce`) to physical names.
    """

    api_url: str
    region: str
    aws_endpoint: str
    access_key_id: str
    secret_access_key: str
    functions: Mapping[str, str]
    secrets: Mapping[str, str]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the file of a running stack.

        Raises:
            UnreachableError: when there is no such file, because no stack is up.
            UsageError: when it is not the file of a stack.
        """
        if not file.exists():
            raise UnreachableError(
                f"The local stack is not up ({file} does not exist). Run `make up` first, "
                "or give --api-url for a stack on AWS."
            )
        content = read_json_object(file)
        try:
            return cls(
                api_url=str(content["api_url"]),
                region=str(content["region"]),
                aws_endpoint=str(content["aws_endpoint"]),
                access_key_id=str(content["aws_access_key_id"]),
                secret_access_key=str(content["aws_secret_access_key"]),
                functions=_names(content["functions"]),
                secrets=_names(content["secrets"]),
            )
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"{file} is not the file of a local stack ({error}). Run `make down`, `make up`."
            ) from error

    def api(self) -> AdminApi:
        """Return its admin API."""
        credentials = Credentials(self.access_key_id, self.secret_access_key)
        return AdminApi(self.api_url, self.region, credentials, use_proxy=False)

    def account(self) -> AwsAccount:
        """Return its embedded AWS account."""
        session = boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
        )
        return AwsAccount(session, self.aws_endpoint)


def api_on_aws(url: str, region: str = "") -> AdminApi:
    """Return an admin API on AWS, with the credentials that the AWS CLI would use.

    The region is `region`, else the one in the host name of the API, else that of the environment.
    Raises `UsageError` when the URL is not safe to use, or credentials or region are missing.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or (parts.scheme != "https" and host not in LOOPBACK_HOSTS):
        raise UsageError(f"The API URL {url!r} must start with https:// (the output ApiUrl).")
    with translated_errors():
        session = boto3.Session()
        credentials = session.get_credentials()
    if credentials is None:
        raise UsageError("No AWS credentials. Log in as for the AWS CLI, then try again.")
    labels = host.split(".")
    of_host = labels[labels.index(SERVICE) + 1] if SERVICE in labels[:-1] else ""
    region = region or of_host or session.region_name or ""
    if not region:
        raise UsageError("No AWS region. Give --region or set AWS_REGION.")
    return AdminApi(url, region, credentials, use_proxy=True)


def account_on_aws(region: str = "") -> AwsAccount:
    """Return the AWS account of the environment, with the credentials of the AWS CLI.

    Raises `UsageError` when the AWS configuration is not valid.
    """
    with translated_errors():
        return AwsAccount(boto3.Session(region_name=region or None))


def _names(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("names are missing")
    return {str(name): str(physical) for name, physical in value.items()}
