"""The mapping: read, saved, exported, imported, its versions."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import BaseModel, ConfigDict

from connector.admin import mappings as verbs
from connector.admin.errors import InvalidRequestError
from connector.admin.mappings import MappingView, SaveResult, VersionPage
from connector.mapping.yaml_file import from_yaml
from functions.admin.admin_app import ADMIN
from functions.admin.mapping_body import MappingBody
from functions.admin.request import DEFAULT_PAGE, Limit, Next, caller, new_router
from functions.admin.responses import MappingConflict, responses

router = new_router()

YAML = "application/yaml"
YAML_CONTENT = {YAML: {"schema": {"type": "string"}}}


class RestoreRequest(BaseModel):
    """The version that is current as far as the asker knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int


@router.get(
    "/admin/mapping",
    summary="The current mapping",
    responses=responses(200, "The mapping; fields that are new stand at its end, switched off."),
    tags=["mapping"],
)
def mapping() -> MappingView:
    """Show the current mapping, and every field that no line names yet, switched off."""
    return verbs.show_mapping(ADMIN.get())


@router.put(
    "/admin/mapping",
    summary="Save the mapping",
    responses=responses(200, "It is saved.", 409, 502, conflict=MappingConflict),
    tags=["mapping"],
)
def save(wanted: Annotated[MappingBody, Body()]) -> SaveResult:
    """Save a mapping; it carries the version that was read, and is judged against both sides."""
    return verbs.save_mapping(ADMIN.get(), _who(), wanted.config())


@router.get(
    "/admin/mapping.yaml",
    summary="The current mapping as a file",
    responses=responses(200, "The file.", content=YAML_CONTENT),
    tags=["mapping"],
)
def export() -> Response[str]:
    """Export the mapping as a YAML file with one line of text for each line of the mapping."""
    return Response(200, content_type=YAML, body=verbs.export_yaml(ADMIN.get()))


@router.put(
    "/admin/mapping.yaml",
    summary="Save the mapping from a file",
    responses=responses(200, "It is saved.", 409, 502, conflict=MappingConflict),
    tags=["mapping"],
)
def import_() -> SaveResult:
    """Save the mapping of a YAML file, as if it had been sent as JSON."""
    document = from_yaml(router.current_event.decoded_body or "")
    return verbs.save_mapping(
        ADMIN.get(), _who(), MappingBody.model_validate(document).config(), "import"
    )


@router.get(
    "/admin/mapping/versions",
    summary="The versions of the mapping",
    responses=responses(200, "Who saved each, when, and what changed."),
    tags=["mapping"],
)
def versions(limit: Limit = DEFAULT_PAGE, after: Next = "") -> VersionPage:
    """List the versions, newest first, each with what changed against the one before."""
    if after and not after.isdecimal():
        raise InvalidRequestError("next: not the `next` of an earlier page")
    return verbs.list_versions(ADMIN.get(), limit=limit, before=int(after) if after else None)


@router.post(
    "/admin/mapping/versions/<number>/restore",
    summary="Restore an old version",
    responses=responses(200, "It is saved anew.", 404, 409, 502, conflict=MappingConflict),
    tags=["mapping"],
)
def restore(
    number: Annotated[int, Path(ge=0, description="The version to go back to.")],
    asked: Annotated[RestoreRequest, Body()],
) -> SaveResult:
    """Save an old version anew; it carries the current version, and is judged again."""
    return verbs.restore_version(ADMIN.get(), _who(), number, asked.version)


def _who() -> str:
    event: dict[str, Any] = router.current_event.raw_event
    return caller(event)
