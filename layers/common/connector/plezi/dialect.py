"""What differs between Plezi tenants, and every assumption about an API without public documents."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import HaltError, StopReason


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


class PleziDialect(BaseModel):
    """One tenant's API. Every field is an assumption; its default is what is assumed.

    `attributes` maps our names of attributes to the tenant's (`{"function": "job_title"}`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    update_method: UpdateMethod = UpdateMethod.PUT
    pager: Pager = Pager.PAGE
    changed_since: ChangedSince = ChangedSince.FILTER
    page_size: int = Field(default=100, ge=1, le=1000)
    finds_by_email: bool = True
    describes_attributes: bool = True
    contact_url_template: str = "https://app.plezi.co/contacts/{id}"
    attributes: Mapping[str, str] = Field(default_factory=dict)


def parse_dialect(text: str) -> PleziDialect:
    """Return the dialect of a JSON object ('': everything is as assumed).

    Raises `HaltError` that names each key that cannot be used.
    """
    if not text:
        return PleziDialect()
    try:
        return PleziDialect.model_validate_json(text)
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, each["loc"])) or "JSON" for each in error.errors())
        raise HaltError(
            StopReason.SETTINGS, f"PLEZI_DIALECT cannot be read: correct {keys}"
        ) from None
