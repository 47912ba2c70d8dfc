"""The query string of a list call: paging, order and filters, subject to the switches."""

from __future__ import annotations

from typing import Literal

from werkzeug.datastructures import MultiDict

from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.store import ContactQuery
from local.plezi_tenant.switches import MAX_PAGE_SIZE, Switches
from local.plezi_tenant.timestamps import parse_millis

DEFAULT_PAGE = 20
PAGING_PARAMETERS = {"page": ("page", "per_page"), "limit_offset": ("offset", "limit")}
CHANGED_SINCE = ("filter[updated_at][gte]", "updated_since")
CHANGED_SINCE_NAMES = {
    "both": CHANGED_SINCE,
    "filter": CHANGED_SINCE[:1],
    "updated_since": CHANGED_SINCE[1:],
}
EMAIL = "filter[email]"
MAX_NUMBER = 10_000_000
"""Above the size of any list here, and within the integer range of the store."""


def parse_query(parameters: MultiDict[str, str], switches: Switches) -> ContactQuery:
    """Return the query of a list call, or refuse it with 400 and the name of the parameter."""
    _refuse_unknown(parameters, switches)
    start_name, size_name = PAGING_PARAMETERS[switches.pager]
    size = _number(parameters, size_name, DEFAULT_PAGE, minimum=1)
    if size > MAX_PAGE_SIZE and switches.page_size_over_max == "refused":
        raise RefusedError(400, f"{size_name} must be {MAX_PAGE_SIZE} at most")
    size = min(size, switches.page_size_cap)
    if switches.pager == "page":
        offset = (_number(parameters, start_name, 1, minimum=1) - 1) * size
    else:
        offset = _number(parameters, start_name, 0, minimum=0)
    honoured = switches.changed_since == "honoured"
    return ContactQuery(
        sort=_sort(parameters, switches),
        descending=_descending(parameters) and switches.sort == "honoured",
        changed_since=_changed_since(parameters, switches) if honoured else None,
        email=parameters.get(EMAIL) if switches.email_filter == "honoured" else None,
        limit=size,
        offset=offset,
    )


def _refuse_unknown(parameters: MultiDict[str, str], switches: Switches) -> None:
    known = {*PAGING_PARAMETERS[switches.pager], "sort_by", "sort_dir"}
    refused: set[str] = set()
    for names, position in (
        (CHANGED_SINCE_NAMES[switches.changed_since_name], switches.changed_since),
        ((EMAIL,), switches.email_filter),
    ):
        (refused if position == "absent" else known).update(names)
    for name, values in parameters.lists():
        if name in refused or (name not in known and switches.unknown_parameters == "refused"):
            raise RefusedError(400, f"{name} is not a parameter of this list")
        if name in known and len(values) > 1:
            raise RefusedError(400, f"{name} is given twice")


def _number(parameters: MultiDict[str, str], name: str, default: int, *, minimum: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not minimum <= int(text) <= MAX_NUMBER:
        raise RefusedError(400, f"{name} must be a whole number, {minimum} or more")
    return int(text)


def _sort(
    parameters: MultiDict[str, str], switches: Switches
) -> Literal["updated_at", "created_at", "email", "number"]:
    match parameters.get("sort_by", "created_at"):
        case "updated_at" | "created_at" | "email" as column:
            return column if switches.sort == "honoured" else "number"
        case _:
            raise RefusedError(400, "sort_by must be updated_at, created_at or email")


def _descending(parameters: MultiDict[str, str]) -> bool:
    direction = parameters.get("sort_dir", "asc")
    if direction not in {"asc", "desc"}:
        raise RefusedError(400, "sort_dir must be asc or desc")
    return direction == "desc"


def _changed_since(parameters: MultiDict[str, str], switches: Switches) -> int | None:
    known = CHANGED_SINCE_NAMES[switches.changed_since_name]
    names = [name for name in known if name in parameters]
    if not names:
        return None
    if len(names) > 1:
        raise RefusedError(400, "give one of filter[updated_at][gte] and updated_since")
    try:
        return parse_millis(parameters[names[0]])
    except (ValueError, OverflowError) as error:
        raise RefusedError(400, f"{names[0]} must be an instant, ISO 8601 with its zone") from error
