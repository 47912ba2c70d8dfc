"""The routes of the mapping and of its versions."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import BaseModel, ConfigDict

from connector.admin import mappings as use_cases
from connector.admin import value_tables
from connector.admin.errors import InvalidRequestError
from connector.admin.mappings import MappingView, SaveResult, VersionPage
from connector.admin.value_tables import ValueTableView
from connector.mapping.yaml_file import from_yaml
from functions.admin.admin_app import ADMIN
from functions.admin.mapping_body import MappingBody
from functions.admin.request import DEFAULT_PAGE, Limit, Next, caller, new_router, path_value
from functions.admin.responses import responses

router = new_router()

YAML = "application/yaml"
YAML_CONTENT = {YAML: {"schema": {"type": "string"}}}


class RestoreRequest(BaseModel):
    """The current version, as the client read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int


@router.get(
    "/admin/mapping",
    summary="Get the mapping",
    responses=responses(200, "The mapping, with suggestions at its end, which are off."),
    tags=["mapping"],
)
def mapping() -> MappingView:
    """Return the current mapping, and a suggestion, which is off, for each field without a pair."""
    return use_cases.show_mapping(ADMIN.get())


@router.put(
    "/admin/mapping",
    summary="Save the mapping",
    responses=responses(200, "The mapping is saved.", 409, 502),
    tags=["mapping"],
)
def save(body: Annotated[MappingBody, Body()]) -> SaveResult:
    """Save a mapping, after it is validated. Its `version` is the version that was read."""
    return use_cases.save_mapping(ADMIN.get(), _actor(), body.config())


@router.get(
    "/admin/mapping.yaml",
    summary="Export the mapping as a file",
    responses=responses(200, "The YAML file.", content=YAML_CONTENT),
    tags=["mapping"],
)
def export() -> Response[str]:
    """Return the mapping as a YAML file with one line for each field pair."""
    return Response(200, content_type=YAML, body=use_cases.export_yaml(ADMIN.get()))


@router.put(
    "/admin/mapping.yaml",
    summary="Import the mapping from a file",
    responses=responses(200, "The mapping is saved.", 409, 502),
    tags=["mapping"],
)
def import_() -> SaveResult:
    """Save the mapping of a YAML file, with the same validation as JSON."""
    document = from_yaml(router.current_event.decoded_body or "")
    return use_cases.save_mapping(
        ADMIN.get(), _actor(), MappingBody.model_validate(document).config(), "import"
    )


@router.get(
    "/admin/mapping/values/<field>",
    summary="Get the value table of a pair",
    responses=responses(200, "The rows, proposed ones, and what has no counterpart.", 404, 502),
    tags=["mapping"],
)
def value_table(field: str) -> ValueTableView:
    """Return the value table of the pair of a Salesforce field, with rows that are proposed."""
    return value_tables.show_value_table(ADMIN.get(), path_value(field))


@router.get(
    "/admin/mapping/versions",
    summary="List the versions of the mapping",
    responses=responses(200, "The versions, with their authors, times and changes."),
    tags=["mapping"],
)
def versions(limit: Limit = DEFAULT_PAGE, after: Next = "") -> VersionPage:
    """List the versions, newest first, each with its changes to the version before."""
    if after and not after.isdecimal():
        raise InvalidRequestError("next: this is not the `next` of an earlier page")
    return use_cases.list_versions(ADMIN.get(), limit=limit, before=int(after) if after else None)


@router.post(
    "/admin/mapping/versions/<number>/restore",
    summary="Restore an old version",
    responses=responses(200, "The old version is saved as the newest one.", 404, 409, 502),
    tags=["mapping"],
)
def restore(
    number: Annotated[int, Path(ge=0, description="The version to restore.")],
    request: Annotated[RestoreRequest, Body()],
) -> SaveResult:
    """Save an old version as the newest one, with the same validation as any mapping."""
    return use_cases.restore_version(ADMIN.get(), _actor(), number, request.version)


def _actor() -> str:
    event: dict[str, Any] = router.current_event.raw_event
    return caller(event)
