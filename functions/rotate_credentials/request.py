"""The events of the rotation: a request of ops, or a step of Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.bootstrap.rotation import SecretKind
from connector.credentials.rotation import RotationStep
from connector.json_object import MemberReader


@dataclass(frozen=True, slots=True)
class RotationRequest:
    """A pending version of one of the two secrets, put by ops."""

    version: str
    secret: SecretKind


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One step of a rotation, as Secrets Manager requests it."""

    step: RotationStep
    secret_arn: str
    version: str


def parse_request(event: Mapping[str, Any]) -> RotationRequest:
    """Return the request in an event; raise `JsonObjectError` that names every wrong member."""
    members = MemberReader(event)
    request = RotationRequest(
        members.text("version", may_be_empty=False),
        members.choice("secret", SecretKind, SecretKind.SALESFORCE),
    )
    members.refuse_others(("version", "secret"))
    members.check()
    return request


def parse_step(event: Mapping[str, Any]) -> StepRequest:
    """Return the step in an event; raise `JsonObjectError` that names every wrong member.

    Secrets Manager may send other members too; they are ignored.
    """
    members = MemberReader(event)
    step = StepRequest(
        members.choice("Step", RotationStep),
        members.text("SecretId"),
        members.text("ClientRequestToken"),
    )
    members.check()
    return step
