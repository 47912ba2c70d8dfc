"""The routes of what is stored about a person: its export, its erasure, the lifting of a tombstone.

An e-mail is in the body of a request and never in its path, because paths are logged.
"""

from __future__ import annotations

from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from connector.admin import person_erasure, person_export, person_search, record_pages
from connector.admin.person_erasure import Erasure, LiftedTombstones
from connector.admin.person_export import PersonExport
from connector.admin.person_search import SearchResult
from connector.admin.record_pages import RecordPages
from functions.admin.admin_app import ADMIN
from functions.admin.request import MAX_TOKEN_CHARACTERS, caller, new_router
from functions.admin.responses import responses

router = new_router()

MAX_EMAIL_CHARACTERS: Final = 254
"""The longest address of an e-mail (RFC 5321, 4.5.3.1.3, and its erratum 1690)."""


class NamedPerson(BaseModel):
    """A person, named by an e-mail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str = Field(min_length=1, max_length=MAX_EMAIL_CHARACTERS)


class ExportRequest(NamedPerson):
    """Whose data is exported. `next` is that of the answer before ('': from the start)."""

    next: str = Field(default="", max_length=MAX_TOKEN_CHARACTERS)


class ErasureRequest(NamedPerson):
    """Who is erased. With `preview` (the default) nothing is removed.

    `next` is that of the answer before ('': from the start).
    """

    preview: bool = True
    next: str = Field(default="", max_length=MAX_TOKEN_CHARACTERS)


class SearchRequest(BaseModel):
    """A text to find people with: an e-mail, the id of a record, or a part of a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=2, max_length=MAX_EMAIL_CHARACTERS)


class RecordsRequest(BaseModel):
    """The people whose records are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    emails: tuple[Annotated[str, Field(max_length=MAX_EMAIL_CHARACTERS)], ...] = Field(
        min_length=1, max_length=100
    )


@router.post(
    "/admin/people/search",
    summary="Search people",
    responses=responses(200, "The people who were found.", 502),
    tags=["people"],
)
def search(request: Annotated[SearchRequest, Body()]) -> SearchResult:
    """Find people by e-mail, by the id of a record of either side, or by name (in Salesforce)."""
    return person_search.search_people(ADMIN.get(), request.text)


@router.post(
    "/admin/people/records",
    summary="Get the pages and the last changes of records",
    responses=responses(200, "The records of the people.", 502),
    tags=["people"],
)
def records(request: Annotated[RecordsRequest, Body()]) -> RecordPages:
    """Return the pages of the records of people in both systems, and who changed them last."""
    return record_pages.show_record_pages(ADMIN.get(), request.emails)


@router.post(
    "/admin/people/export",
    summary="Export what is stored about a person",
    responses=responses(200, "What is stored, or the next part of it."),
    tags=["people"],
)
def export(request: Annotated[ExportRequest, Body()]) -> PersonExport:
    """Return everything that the connector stores about one person, in several parts if needed."""
    actor = caller(router.current_event.raw_event)
    return person_export.export_person(ADMIN.get(), actor, request.email, request.next)


@router.post(
    "/admin/people/erase",
    summary="Erase a person",
    responses=responses(200, "What was removed, or would be, and what remains elsewhere.", 409),
    tags=["people"],
)
def erase(request: Annotated[ErasureRequest, Body()]) -> Erasure:
    """Remove everything that the connector stores about one person, and leave a tombstone."""
    return person_erasure.erase_person(
        ADMIN.get(),
        caller(router.current_event.raw_event),
        request.email,
        is_preview=request.preview,
        after=request.next,
    )


@router.post(
    "/admin/people/tombstones/lift",
    summary="Lift the tombstone of a person",
    responses=responses(200, "The person may come back.", 404),
    tags=["people"],
)
def lift(request: Annotated[NamedPerson, Body()]) -> LiftedTombstones:
    """Let an erased person be synchronized again, as somebody who was never met."""
    actor = caller(router.current_event.raw_event)
    return person_erasure.lift_tombstone(ADMIN.get(), actor, request.email)
