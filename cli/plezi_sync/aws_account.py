"""Direct calls to AWS: invoke a function, store a pending secret version."""

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


@dataclass(frozen=True)
class AwsAccount:
    """The account of a stack. `endpoint_url` names the embedded AWS; None is AWS itself."""

    session: boto3.Session
    endpoint_url: str | None = None

    def invoke(self, function: str, event: Mapping[str, object]) -> object:
        """Invoke a function by its physical name, once, and return its response (any JSON).

        Raises:
            RefusedError: when AWS refuses the call, or the function raised an error.
            UnreachableError: when there is no response.
            UsageError: when credentials or region are missing.
        """
        with translated_errors():
            client = self.session.client(
                "lambda", endpoint_url=self.endpoint_url, config=self._config()
            )
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            response: object = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            message = response.get("errorMessage") if isinstance(response, dict) else None
            raise RefusedError(
                f"{function} failed: {message or response}. Its log contains the cause."
            )
        return response

    def store_pending_version(self, secret_id: str, material: Mapping[str, object]) -> str:
        """Store a new pending version of a secret and return its id. The current one stays.

        Raises the same errors as `invoke`.
        """
        with translated_errors():
            client = self.session.client(
                "secretsmanager", endpoint_url=self.endpoint_url, config=self._config()
            )
            answer = client.put_secret_value(
                SecretId=secret_id,
                SecretString=json.dumps(material),
                VersionStages=[PENDING_STAGE],
            )
            return answer["VersionId"]

    def _config(self) -> Config:
        """One attempt: a repeated invocation would run the function twice."""
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
