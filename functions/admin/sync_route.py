"""The description of `POST /sync`, which another function answers: it is part of the same API."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from functions.admin.responses import ErrorResponse

PATH: Final = "/sync"
REFERENCE: Final = "#/components/schemas/{model}"


class RequestedKind(StrEnum):
    """The kinds of run that can be requested here."""

    CHANGES = "changes"
    FULL = "full"
    SELECTED = "selected"
    DRY_RUN = "dry_run"
    VERIFY = "verify"


class SyncRequest(BaseModel):
    """The run to request.

    `emails` select the people of a `selected` run or of a dry run. `mapping` (one that is not
    saved) and `include_unchanged` (people without a change too) are for a dry run. `first` begins
    the stages of a first synchronization again, `skip_stages` leaves them out.
    """

    model_config = ConfigDict(extra="forbid")

    kind: RequestedKind = RequestedKind.CHANGES
    emails: list[str] = Field(default=[], max_length=200)
    mapping: dict[str, Any] | None = None
    include_unchanged: bool = False
    first: bool = False
    skip_stages: bool = False


class RunRequested(BaseModel):
    """The id of the run that was requested."""

    run_id: str


def describe_sync(described: dict[str, Any]) -> None:
    """Add the route to an OpenAPI document: its function has no routes of its own."""
    schemas = described["components"]["schemas"]
    for model in (SyncRequest, RunRequested):
        schema = model.model_json_schema(ref_template=REFERENCE)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    described["paths"][PATH] = {
        "post": {
            "summary": "Request a run",
            "description": "Request a run now; GET /admin/runs/{run_id} shows its progress.",
            "operationId": "request_run_sync_post",
            "tags": ["runs"],
            "requestBody": {"required": False, "content": _content(SyncRequest)},
            "responses": {
                "202": {"description": "The run is requested.", "content": _content(RunRequested)},
                "400": {
                    "description": "The run cannot be requested: the message names each member.",
                    "content": _content(ErrorResponse),
                },
            },
        }
    }


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}
