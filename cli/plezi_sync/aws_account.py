"""Direct calls to AWS: outputs of a stack, functions, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)

from plezi_sync.errors import RefusedError, UnreachableError, UsageError

LAMBDA_SECONDS: Final = 900
"""The longest time that AWS allows a function to run (AWS Lambda quotas)."""
PENDING_STAGE: Final = "AWSPENDING"
CURRENT_STAGE: Final = "AWSCURRENT"


@dataclass(frozen=True)
class AwsAccount:
    """The account of a stack. `endpoint_url` names the embedded AWS; None is AWS itself."""

    session: boto3.Session
    endpoint_url: str | None = None

    def stack_outputs(self, name: str) -> dict[str, str]:
        """Return the outputs of a CloudFormation stack.

        Raises:
            RefusedError: when AWS refuses the call, such as for a stack that does not exist.
            UnreachableError: when there is no response.
            UsageError: when credentials or region are missing.
        """
        with translated_errors():
            client = self.session.client(
                "cloudformation", endpoint_url=self.endpoint_url, config=self.config()
            )
            [stack] = client.describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def invoke(self, function: str, event: Mapping[str, object]) -> object:
        """Invoke a function by its physical name, once, and return its response (any JSON).

        Raises the errors of `stack_outputs`; `RefusedError` too when the function raised an error.
        """
        with translated_errors():
            client = self.session.client(
                "lambda", endpoint_url=self.endpoint_url, config=self.config()
            )
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            response: object = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            message = response.get("errorMessage") if isinstance(response, dict) else None
            raise RefusedError(
                f"{function} failed: {message or response}. Its log contains the cause."
            )
        return response

    def store_version(self, secret_id: str, material: Mapping[str, object], stage: str) -> str:
        """Store a new version of a secret and return its id; a pending one is not used yet.

        Raises the errors of `stack_outputs`.
        """
        with translated_errors():
            client = self.session.client(
                "secretsmanager", endpoint_url=self.endpoint_url, config=self.config()
            )
            answer = client.put_secret_value(
                SecretId=secret_id, SecretString=json.dumps(material), VersionStages=[stage]
            )
            return answer["VersionId"]

    def current_secret(self, secret_id: str) -> dict[str, object]:
        """Return the current value of a secret; {} while it is not a JSON object.

        Raises the errors of `stack_outputs`.
        """
        with translated_errors():
            client = self.session.client(
                "secretsmanager", endpoint_url=self.endpoint_url, config=self.config()
            )
            text = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
        try:
            value: object = json.loads(text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def config(self) -> Config:
        """Return the configuration of a client with one attempt: a repeat would run twice."""
        is_local = self.endpoint_url is not None
        return Config(
            retries={"total_max_attempts": 1},
            read_timeout=LAMBDA_SECONDS,
            proxies={} if is_local else None,
        )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Replace the errors of the AWS SDK by errors with a remedy and an exit status."""
    try:
        yield
    except ClientError as error:
        raise RefusedError(
            f"AWS refused the call: {error}. Check the names and the rights of your IAM identity."
        ) from error
    except (EndpointConnectionError, HTTPClientError) as error:
        raise UnreachableError(
            f"No response from AWS: {error}. Start the local stack with `make up`, "
            "or check the network."
        ) from error
    except NoCredentialsError as error:
        raise UsageError(
            "No AWS credentials. Log in as for the AWS CLI, then try again."
        ) from error
    except NoRegionError as error:
        raise UsageError("No AWS region. Give --region or set AWS_REGION.") from error
    except BotoCoreError as error:
        raise UsageError(f"The AWS configuration does not work: {error}.") from error
