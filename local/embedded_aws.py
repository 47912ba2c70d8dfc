"""The embedded AWS: ministack, which runs Lambda code in processes of its own interpreter.

It listens on one loopback port, needs neither Docker nor an account, and loses its data when it
stops. Its environment is built from scratch, because ministack passes its whole environment to the
functions: a proxy or a certificate bundle of this machine would reach them, unlike on AWS.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

LOOPBACK: Final = "127.0.0.1"
REGION: Final = "eu-west-1"
# The emulator accepts this key pair. In a log, its name shows that it is not a real credential.
ACCESS_KEY_ID: Final = "embedded"
SECRET_ACCESS_KEY: Final = "embedded"
HEALTH_SECONDS: Final = 2.0


def free_ports(number: int) -> list[int]:
    """Return some different TCP ports that are free at the moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def command() -> list[str]:
    """Return the command that starts the embedded AWS."""
    return [sys.executable, "-m", "ministack"]


def environment(port: int, home: Path, scratch: Path, dynamodb: str) -> dict[str, str]:
    """Return the complete environment of the emulator; it unpacks files into `scratch`.

    `dynamodb` is where the functions reach DynamoDB: the gateway that enforces its limits.
    """
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        # The emulator checks the signature and the role's policies of every call, as AWS does, so
        # that a permission missing in `template.yaml` fails here. This pair is the account's root.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        # These services listen on fixed ports, which a second stack on this machine could not use.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def sdk_environment(endpoint: str) -> dict[str, str]:
    """Return the environment with which an AWS SDK tool uses only the embedded AWS."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return inherited | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def is_alive(endpoint: str) -> bool:
    """Return whether an embedded AWS responds at this address."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/_ministack/health", timeout=HEALTH_SECONDS) as response:
            return bool(response.status == 200)  # noqa: PLR2004
    except (URLError, OSError):
        return False


@dataclass(frozen=True)
class EmbeddedAws:
    """The clients of one embedded AWS. Each is created once: creation takes longer than a call."""

    endpoint: str

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The CloudFormation client."""
        return self._session().client("cloudformation", **self._client_options())

    @cached_property
    def apis(self) -> APIGatewayClient:
        """The API Gateway client."""
        return self._session().client("apigateway", **self._client_options())

    @cached_property
    def users(self) -> CognitoIdentityProviderClient:
        """The client of Cognito user pools."""
        return self._session().client("cognito-idp", **self._client_options())

    @cached_property
    def functions(self) -> LambdaClient:
        """The Lambda client."""
        return self._session().client("lambda", **self._client_options())

    @cached_property
    def tables(self) -> DynamoDBClient:
        """The DynamoDB client."""
        return self._session().client("dynamodb", **self._client_options())

    @cached_property
    def queues(self) -> SQSClient:
        """The SQS client."""
        return self._session().client("sqs", **self._client_options())

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """The Secrets Manager client."""
        return self._session().client("secretsmanager", **self._client_options())

    @cached_property
    def topics(self) -> SNSClient:
        """The SNS client."""
        return self._session().client("sns", **self._client_options())

    def create_bucket(self, name: str) -> None:
        """Create a bucket for the deployment artifacts, unless there is one."""
        buckets = self._session().client("s3", **self._client_options())
        with suppress(buckets.exceptions.BucketAlreadyOwnedByYou):
            buckets.create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
            )

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Invoke a function by its physical name and return its response.

        Raises:
            RuntimeError: when the function raised; it has the message of the function's error.
        """
        response = self.functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(response["Payload"].read())
        if response.get("FunctionError"):
            raise RuntimeError(f"{function}: {payload.get('errorMessage', payload)}")
        return payload

    def signed_headers(self, method: str, url: str, body: bytes = b"") -> dict[str, str]:
        """Return the headers of one call to the deployed API, with its IAM signature (SigV4)."""
        request = AWSRequest(method=method, url=url, data=body)
        credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        return dict(request.headers.items())

    @staticmethod
    def _session() -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            region_name=REGION,
        )

    def _client_options(self) -> dict[str, Any]:
        return {"endpoint_url": self.endpoint, "config": Config(proxies={})}
