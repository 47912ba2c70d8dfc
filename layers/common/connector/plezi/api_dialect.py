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


class ClearsWith(StrEnum):
    """What clears an attribute when it is written (assumed: null)."""

    NULL = "null"
    EMPTY_TEXT = "empty_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class PleziDialect:
    """One tenant's API. Every field is an assumption; its default is what is known.

    `newest_first` says that the list is known to sort by the time of the change: without a filter
    it is then read from the newest contact on, and shows what changed.
    `attributes` maps our names of attributes to the tenant's (`{"function": "job_title"}`),
    `attribute_types` the tenant's names of types to ours (`{"string": "text"}`).
    """

    update_method: UpdateMethod = UpdateMethod.PUT
    clears_with: ClearsWith = ClearsWith.NULL
    pager: Pager = Pager.PAGE
    changed_since: ChangedSince = ChangedSince.FILTER
    newest_first: bool = False
    page_size: int = 100
    finds_by_email: bool = True
    reads_by_id: bool = True
    describes_attributes: bool = True
    omits_blanks: bool = False
    contact_url_template: str = "https://app.plezi.co/contacts/{id}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    attribute_types: Mapping[str, str] = field(default_factory=dict)


ASSUMED: Final = PleziDialect()
"""The dialect of a tenant of which nothing is known."""


def parse_dialect(text: str, known: PleziDialect = ASSUMED) -> PleziDialect:
    """Return the dialect of a JSON object; a key that it lacks is as `known` says ('': all are).

    Raises `HaltError` that names each key that cannot be used.
    """
    if not text:
        return known
    try:
        return _read(MemberReader(read_json_object(text)), known)
    except JsonObjectError as error:
        raise HaltError(
            StopReason.SETTINGS, f"PLEZI_DIALECT cannot be read: correct {error.names}"
        ) from None


def overridden_keys(text: str) -> frozenset[str]:
    """Return the keys of the JSON object that `parse_dialect` accepted."""
    return frozenset(read_json_object(text)) if text else frozenset()


def _read(members: MemberReader, known: PleziDialect) -> PleziDialect:
    """Return the dialect; raise `JsonObjectError` that names the wrong keys."""
    members.refuse_others([each.name for each in fields(PleziDialect)])
    dialect = PleziDialect(
        update_method=members.choice("update_method", UpdateMethod, known.update_method),
        clears_with=members.choice("clears_with", ClearsWith, known.clears_with),
        pager=members.choice("pager", Pager, known.pager),
        changed_since=members.choice("changed_since", ChangedSince, known.changed_since),
        newest_first=members.flag("newest_first", default=known.newest_first),
        page_size=members.integer("page_size", known.page_size, PAGE_SIZES),
        finds_by_email=members.flag("finds_by_email", default=known.finds_by_email),
        reads_by_id=members.flag("reads_by_id", default=known.reads_by_id),
        describes_attributes=members.flag(
            "describes_attributes", default=known.describes_attributes
        ),
        omits_blanks=members.flag("omits_blanks", default=known.omits_blanks),
        contact_url_template=members.text("contact_url_template", known.contact_url_template),
        attributes=members.texts("attributes", known.attributes),
        attribute_types=members.texts("attribute_types", known.attribute_types),
    )
    members.check()
    return dialect
