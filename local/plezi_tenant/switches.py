"""The switches: one for each behaviour of the Plezi API that is assumed and not proved.

The first value of each choice is the default, the most likely behaviour.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Switches:
    """The behaviour of this tenant where no public source describes it."""

    # Writing
    update_method: Literal["put", "patch", "put_or_patch", "post_upsert"] = "put"
    known_email: Literal["upsert", "conflict", "conflict_409"] = "upsert"
    # Of a PUT, and of a POST with a known e-mail; a PATCH keeps them (RFC 5789, section 2).
    unnamed_attributes: Literal["kept", "cleared"] = "kept"
    null_write: Literal["clears", "ignored", "refused"] = "clears"
    multi_list_write: Literal["replaces", "adds"] = "replaces"
    unchanged_write: Literal["keeps_updated_at", "moves_updated_at"] = "keeps_updated_at"
    read_only_attributes: Literal["refused", "ignored"] = "refused"
    deletion: Literal["refused", "offered"] = "refused"
    email_case: Literal["kept", "lowered"] = "kept"
    # Reading
    pager: Literal["page", "limit_offset"] = "page"
    page_size_over_max: Literal["capped", "refused"] = "capped"
    page_size_cap: int = MAX_PAGE_SIZE
    changed_since: Literal["honoured", "ignored", "absent"] = "honoured"
    changed_since_name: Literal["both", "filter", "updated_since"] = "both"
    email_filter: Literal["honoured", "ignored", "absent"] = "honoured"
    unknown_parameters: Literal["refused", "ignored"] = "refused"
    sort: Literal["honoured", "ignored"] = "honoured"
    meta: Literal["present", "missing"] = "present"
    total_results: Literal["right", "low", "high"] = "right"
    get_by_id: Literal["offered", "absent", "not_found"] = "offered"
    schema_call: Literal["offered", "absent"] = "offered"
    read_lag_seconds: float = 0.0
    # Spelling
    attribute_spelling: Mapping[str, str] = field(default_factory=dict)
    type_names: Mapping[str, str] = field(default_factory=dict)
    state_spelling: Literal["lower", "capitals"] = "lower"
    score_type: Literal["number", "text"] = "number"
    empty_values: Literal["typed", "null", "omitted"] = "typed"
    updated_at: Literal["present", "missing"] = "present"
    page_url: Literal["present", "missing"] = "present"
    stamps: Literal["utc", "local"] = "utc"
    score_change: Literal["moves_updated_at", "keeps_updated_at"] = "moves_updated_at"
    # Refusing
    rate_limit_per_minute: int = 0
    retry_after: Literal["sent", "withheld"] = "sent"
    unknown_tenant: Literal["401", "404"] = "401"
    key_rights: Literal["read_write", "read", "none"] = "read_write"
    error_format: Literal["json", "html"] = "json"
    # Forms
    form_invisible_seconds: float = 0.0

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with some switches changed.

        Raises:
            ValueError: when a name or a value is not allowed; the message names it.
        """
        hints = get_type_hints(type(self))
        for name, value in changes.items():
            if name not in hints:
                raise ValueError(f"unknown switch {name!r}; known: {', '.join(sorted(hints))}")
            _check(name, value, hints[name])
        switches = dataclasses.replace(self, **changes)
        if len(set(switches.type_names.values())) < len(switches.type_names):
            raise ValueError("type_names gives two types one name")
        if switches.update_method == "post_upsert" and switches.known_email != "upsert":
            raise ValueError("update_method post_upsert needs known_email upsert")
        if not 1 <= switches.page_size_cap <= MAX_PAGE_SIZE:
            raise ValueError(f"page_size_cap must be 1 to {MAX_PAGE_SIZE}")
        return switches

    def listing(self) -> dict[str, Any]:
        """Return all switches and their values as a JSON object."""
        return {
            switch.name: dict(value) if isinstance(value, Mapping) else value
            for switch in dataclasses.fields(self)
            for value in (getattr(self, switch.name),)
        }


def _check(name: str, value: object, hint: object) -> None:
    """Raise `ValueError` for a value that is not a choice, or not of the type, of a switch."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{name} must be one of {', '.join(get_args(hint))}")
    elif hint in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} must be a number, 0 or more")
        if hint is int and not isinstance(value, int):
            raise ValueError(f"{name} must be a whole number")
    elif not isinstance(value, Mapping) or not all(
        isinstance(part, str) for part in value.values()
    ):
        raise ValueError(f"{name} must be an object of texts: {{'function': 'job_title'}}")
