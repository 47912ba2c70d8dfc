"""New material for a secret: offered by ops, or by Secrets Manager in its four steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.connecting import SecretKind
from connector.credentials.rotation import RotationStep, error_text
from connector.errors import ConnectorError
from connector.wiring import rotation, rotation_of


class RotationRequest(BaseModel):
    """A pending version that ops put, of one of the two secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1)
    secret: SecretKind = SecretKind.SALESFORCE


class RotationEvent(BaseModel):
    """One step of a rotation, as Secrets Manager asks for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    Step: RotationStep
    SecretId: str
    ClientRequestToken: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Answer an offer with what became of it; a step ends in an error when it cannot be done."""
    if "Step" in event:
        asked = RotationEvent.model_validate(event)
        rotation_of(asked.SecretId).step(asked.Step, asked.ClientRequestToken)
        return {}
    try:
        offer = RotationRequest.model_validate(event)
        return asdict(rotation(offer.secret).test_and_promote(offer.version))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        return {"error": f'{wrong}; for example {{"version": "<VersionId>"}}'}
    except ConnectorError as error:
        return {"error": error_text(error)}
