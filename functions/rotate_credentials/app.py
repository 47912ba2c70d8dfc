"""A new version of a secret: tested for ops, or by Secrets Manager in its four steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.bootstrap.lambda_runtime import LambdaApp
from connector.bootstrap.rotation import RotationApp, SecretKind
from connector.credentials.rotation import RotationStep, error_text
from connector.errors import ConnectorError
from connector.settings import RotationSettings
from connector.telemetry import with_lambda_context

APP: LambdaApp[RotationApp] = LambdaApp(RotationSettings)


class RotationRequest(BaseModel):
    """A pending version of one of the two secrets, put by ops."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1)
    secret: SecretKind = SecretKind.SALESFORCE


class RotationEvent(BaseModel):
    """One step of a rotation, as Secrets Manager requests it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    Step: RotationStep
    SecretId: str
    ClientRequestToken: str


@with_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Answer a request with its result; raise an error when a step cannot be done."""
    if "Step" in event:
        step = RotationEvent.model_validate(event)
        APP.get().of_arn(step.SecretId).step(step.Step, step.ClientRequestToken)
        return {}
    try:
        request = RotationRequest.model_validate(event)
        return asdict(APP.get().by_kind[request.secret].test_and_promote(request.version))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        return {"error": f'{wrong}; for example {{"version": "<VersionId>"}}'}
    except ConnectorError as error:
        return {"error": error_text(error)}
