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
DEFAULT_STACK: Final = "plezi-salesforce"
"""The name that `make deploy` proposes (samconfig.toml)."""
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
FUNCTION_OUTPUTS: Final[Mapping[str, str]] = {
    "scheduled_sync": "ScheduledSyncFunctionName",
    "manual_sync": "ManualSyncFunctionName",
    "form_sync": "FormSyncFunctionName",
    "form_worker": "FormWorkerFunctionName",
    "sync_worker": "SyncWorkerFunctionName",
    "admin": "AdminFunctionName",
    "rotate_credentials": "RotateCredentialsFunctionName",
}
"""The output of the stack with the physical name of each function (template.yaml)."""
SECRET_OUTPUTS: Final[Mapping[str, str]] = {
    "salesforce": "SalesforceSecretArn",
    "plezi": "PleziSecretArn",
    "forms": "FormsSecretArn",
}
QUEUE_OUTPUTS: Final[Mapping[str, str]] = {
    "runs": "RunsQueueUrl",
    "runs_dead_letters": "RunsDeadLettersUrl",
    "forms": "FormsQueueUrl",
    "forms_dead_letters": "FormsDeadLettersUrl",
    "schedule_dead_letters": "ScheduleDeadLettersUrl",
}


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, and the physical names of its resources.

    `functions`, `secrets` and `queues` map our names (`sync_worker`, `salesforce`, `runs`) to
    physical names, ARNs and URLs.
    """

    name: str
    api_url: str
    region: str
    functions: Mapping[str, str]
    secrets: Mapping[str, str]
    queues: Mapping[str, str]

    def log_group(self, function: str) -> str:
        """Return the log group of a function (template.yaml). Raises `UsageError` if unknown."""
        self.function(function)
        return f"/aws/lambda/{self.name}/{function.replace('_', '-')}"

    def function(self, name: str) -> str:
        """Return the physical name of a function. Raises `UsageError` when there is none."""
        return _named(self.functions, name, "function")

    def secret(self, name: str) -> str:
        """Return the ARN of a secret. Raises `UsageError` when there is none."""
        return _named(self.secrets, name, "secret")

    def queue(self, name: str) -> str:
        """Return the URL of a queue. Raises `UsageError` when there is none."""
        return _named(self.queues, name, "queue")


@dataclass(frozen=True)
class LocalStack(Deployment):
    """What the commands use of `.local/stack.json`; `pages` are those of the simulators."""

    aws_endpoint: str
    access_key_id: str
    secret_access_key: str
    pages: Mapping[str, str]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the file of a running stack.

        Raises:
            UnreachableError: when there is no such file, because no stack is up.
            UsageError: when it is not the file of a stack.
        """
        if not file.exists():
            raise UnreachableError(
                f"No local stack is up in this folder ({file.absolute()} does not exist). Run "
                "`make up` first, change to the folder where you did, or give --stack or "
                "--api-url for a stack on AWS."
            )
        content = read_json_object(file)
        try:
            return cls(
                name=str(content["stack_name"]),
                api_url=str(content["api_url"]),
                region=str(content["region"]),
                aws_endpoint=str(content["aws_endpoint"]),
                access_key_id=str(content["aws_access_key_id"]),
                secret_access_key=str(content["aws_secret_access_key"]),
                functions=_names(content["functions"]),
                secrets=_names(content["secrets"]),
                queues=_names(content["queues"]),
                pages={side: _names(content[side])["url"] for side in ("salesforce", "plezi")},
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


@dataclass(frozen=True)
class StackOnAws(Deployment):
    """A stack on AWS, found by its name in CloudFormation."""

    profile: str

    @classmethod
    def find(cls, name: str, region: str, profile: str) -> Self:
        """Read the outputs of a stack, with the credentials that the AWS CLI would use.

        Raises `RefusedError` when there is no such stack, and `UsageError` when the AWS
        configuration is wrong or the stack is another product's.
        """
        stack = name or DEFAULT_STACK
        session = _session(profile, region)
        outputs = AwsAccount(session).stack_outputs(stack)
        try:
            return cls(
                name=stack,
                api_url=outputs["ApiUrl"],
                region=session.region_name or "",
                functions=_chosen(outputs, FUNCTION_OUTPUTS),
                secrets=_chosen(outputs, SECRET_OUTPUTS),
                queues=_chosen(outputs, QUEUE_OUTPUTS),
                profile=profile,
            )
        except KeyError as error:
            raise UsageError(
                f"The stack {stack} has no output {error}: it is not a stack of this product, or "
                "of an older version. Check --stack, or deploy the current template."
            ) from error

    def api(self) -> AdminApi:
        """Return its admin API."""
        return api_on_aws(self.api_url, self.region, self.profile)

    def account(self) -> AwsAccount:
        """Return its AWS account."""
        return AwsAccount(_session(self.profile, self.region))


def api_on_aws(url: str, region: str = "", profile: str = "") -> AdminApi:
    """Return an admin API on AWS, with the credentials that the AWS CLI would use.

    The region is `region`, else the one in the host name of the API, else that of the environment.
    Raises `UsageError` when the URL is not safe to use, or credentials or region are missing.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or (parts.scheme != "https" and host not in LOOPBACK_HOSTS):
        raise UsageError(f"The API URL {url!r} must start with https:// (the output ApiUrl).")
    session = _session(profile, "")
    with translated_errors():
        credentials = session.get_credentials()
    if credentials is None:
        raise UsageError("No AWS credentials. Log in as for the AWS CLI, then try again.")
    labels = host.split(".")
    of_host = labels[labels.index(SERVICE) + 1] if SERVICE in labels[:-1] else ""
    region = region or of_host or session.region_name or ""
    if not region:
        raise UsageError("No AWS region. Give --region or set AWS_REGION.")
    return AdminApi(url, region, credentials, use_proxy=True)


def _session(profile: str, region: str) -> boto3.Session:
    """Return a session of the AWS SDK. Raises `UsageError` when the configuration is not valid."""
    with translated_errors():
        return boto3.Session(profile_name=profile or None, region_name=region or None)


def _named(names: Mapping[str, str], name: str, kind: str) -> str:
    if name not in names:
        raise UsageError(f"There is no {kind} {name!r}. Choose one of: {', '.join(sorted(names))}.")
    return names[name]


def _chosen(outputs: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: outputs[output] for name, output in wanted.items()}


def _names(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("names are missing")
    return {str(name): str(physical) for name, physical in value.items()}
