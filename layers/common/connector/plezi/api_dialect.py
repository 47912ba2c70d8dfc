"""What differs between Plezi tenants: each assumption about an API without public documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

from connector.errors import HaltError, StopReason
from connector.json_object import JsonObjectError, MemberReader, read_json_object

PAGE_SIZES: Final = range(1, 1001)
"""The contacts that a page may have (assumed)."""


class UpdateMethod(StrEnum):
    """How an existing contact is written (assumed: put)."""

    PUT = "put"
    PATCH = "patch"
    POST_UPSERT = "post_upsert"


class Pager(StrEnum):
    """How lists are paged (assumed: page)."""

    PAGE = "page"
    LIMIT_OFFSET = "limit_offset"


class ChangedSince(StrEnum):
    """How a list is limited to what changed since an instant (assumed: filter)."""

    FILTER = "filter"
    UPDATED_SINCE = "updated_since"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PleziDialect:
    """One tenant's API. Every field is an assumption; its default is what is assumed.

    `attributes` maps our names of attributes to the tenant's (`{"function": "job_title"}`),
    `attribute_types` the tenant's names of types to ours (`{"string": "text"}`).
    """

    update_method: UpdateMethod = UpdateMethod.PUT
    pager: Pager = Pager.PAGE
    changed_since: ChangedSince = ChangedSince.FILTER
    page_size: int = 100
    finds_by_email: bool = True
    describes_attributes: bool = True
    omits_blanks: bool = False
    contact_url_template: str = "https://app.plezi.co/contacts/{id}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    attribute_types: Mapping[str, str] = field(default_factory=dict)


def parse_dialect(text: str) -> PleziDialect:
    """Return the dialect of a JSON object ('': everything is as assumed).

    Raises `HaltError` that names each key that cannot be used.
    """
    if not text:
        return PleziDialect()
    try:
        return _read(MemberReader(read_json_object(text)))
    except JsonObjectError as error:
        raise HaltError(
            StopReason.SETTINGS, f"PLEZI_DIALECT cannot be read: correct {error.names}"
        ) from None


def _read(members: MemberReader) -> PleziDialect:
    """Return the dialect; raise `JsonObjectError` that names the wrong keys."""
    assumed = PleziDialect()
    members.refuse_others([each.name for each in fields(PleziDialect)])
    dialect = PleziDialect(
        update_method=members.choice("update_method", UpdateMethod, assumed.update_method),
        pager=members.choice("pager", Pager, assumed.pager),
        changed_since=members.choice("changed_since", ChangedSince, assumed.changed_since),
        page_size=members.integer("page_size", assumed.page_size, PAGE_SIZES),
        finds_by_email=members.flag("finds_by_email", default=assumed.finds_by_email),
        describes_attributes=members.flag(
            "describes_attributes", default=assumed.describes_attributes
        ),
        omits_blanks=members.flag("omits_blanks", default=assumed.omits_blanks),
        contact_url_template=members.text("contact_url_template", assumed.contact_url_template),
        attributes=members.texts("attributes"),
        attribute_types=members.texts("attribute_types"),
    )
    members.check()
    return dialect
