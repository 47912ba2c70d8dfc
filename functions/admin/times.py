"""Times for people: beside each time in seconds since 1970, the same one in ISO 8601."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

SUFFIX: Final = "_utc"
TIME_MEMBERS: Final = frozenset(
    {
        *("at", "ended_at", "finished_at", "last_invocation_at", "probed_at", "read_at"),
        *("requested_at", "saved_at", "started_at", "since", "until", "previous_view"),
        *("clearing_allowed_until", "defects_allowed_until"),
    }
)
"""The members of the API that are times."""
OPAQUE: Final = frozenset(
    {"values", "base", "before", "after", "counts", "changes", "keys", "dialect"}
)
"""Members whose own members have names that the API does not choose, such as fields of a record."""
MAPPING_MEMBER: Final = "contact_filter"
"""Only a mapping has this member: it may be sent back as it was read, so that nothing is added."""


def with_utc_times(tree: Any) -> Any:  # noqa: ANN401  # any JSON
    """Return JSON-ready data with each time in ISO 8601 too, in UTC ('': not yet, or never)."""
    if isinstance(tree, list):
        return [with_utc_times(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found[name] = value if name in OPAQUE else with_utc_times(value)
        if name in TIME_MEMBERS and MAPPING_MEMBER not in tree and not isinstance(value, dict):
            found[name + SUFFIX] = utc_time(value)
    return found


def utc_time(seconds: object) -> str:
    """Return a time in seconds since 1970 in ISO 8601; '' for 0, and for what is no such time."""
    if not isinstance(seconds, int | float) or not seconds:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return ""


def add_utc_times(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response of the function with the times of its body in both forms."""
    headers = response.get("multiValueHeaders") or {}
    if headers.get("Content-Type") != ["application/json"]:
        return dict(response)
    body = with_utc_times(json.loads(response["body"]))
    return {**response, "body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}


def describe_utc_times(described: dict[str, Any]) -> None:
    """Declare the second form of each time in the schemas of an OpenAPI document."""
    for schema in described["components"]["schemas"].values():
        properties = schema.get("properties", {})
        if MAPPING_MEMBER in properties:
            continue
        times = sorted(TIME_MEMBERS & properties.keys())
        for time in times:
            text = {"type": "string", "description": f"`{time}` in ISO 8601, UTC ('': none)."}
            properties[time + SUFFIX] = text
        if times:
            schema["required"] = [*schema.get("required", []), *(it + SUFFIX for it in times)]
