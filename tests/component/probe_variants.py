"""Random combinations of the simulated tenant's switches, and what a probe must find in each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from connector.plezi.api_dialect import PleziDialect
from local.plezi_tenant import Switches

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "function": ("job_title", "fonction"),
    "mobile": ("mobile_phone", "telephone_portable"),
    "company": ("company_name", "societe"),
    "first_name": ("firstName", "prenom"),
    "last_name": ("surname", "nom"),
    "phone": ("phone_number", "telephone"),
    "email": ("email_address", "mail"),
    "state": ("lead_status", "statut"),
    "behaviour_score": ("score", "behavior_score"),
    "updated_at": ("modified_at", "last_modified_at"),
}
TYPE_NAMES: Mapping[str, tuple[str, ...]] = {
    "text": ("string",),
    "number": ("integer", "decimal"),
    "checkbox": ("boolean",),
    "multi_list": ("multi_select",),
    "list": ("picklist",),
    "phone": ("kind_7", "tel"),
    "datetime": ("timestamp",),
}
NOT_DRAWN = frozenset({"form_invisible_seconds", "unknown_tenant"})
"""Switches of what the connector does not call."""
NUMBERS: Mapping[str, tuple[float, ...]] = {
    "page_size_cap": (7, 30, 100),
    "read_lag_seconds": (0, 0, 0, 3, 7),
    "rate_limit_per_minute": (0, 0, 0, 30),
}


@dataclass(frozen=True)
class Variant:
    """One combination: the switches that differ, how many contacts there are, where pages are."""

    number: int
    switches: Mapping[str, Any]
    contacts: int
    spread_seconds: float
    public_url: str

    def __str__(self) -> str:
        return str(self.number)


def variants(count: int, seed: int = 0) -> Iterator[Variant]:
    """Yield combinations; each switch has each of its values in about an even share of them."""
    rng = random.Random(seed)  # noqa: S311  # repeatable examples
    for number in range(count):
        yield Variant(
            number,
            _switches(rng),
            rng.choice((0, 1, 3, 45, 130)),
            rng.choice((0, 3600, 3600)),
            rng.choice(("https://app.plezi.co", "https://enjoy.plezi.co/x")),
        )


def _switches(rng: random.Random) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    for name, hint in get_type_hints(Switches).items():
        if name in NUMBERS:
            drawn[name] = rng.choice(NUMBERS[name])
        elif get_origin(hint) is Literal and name not in NOT_DRAWN:
            drawn[name] = rng.choice(get_args(hint))
    drawn["key_rights"] = rng.choice(("read_write",) * 9 + ("read",))
    drawn["attribute_spelling"] = _some(rng, SPELLINGS)
    drawn["type_names"] = _some(rng, TYPE_NAMES)
    if drawn["update_method"] == "post_upsert":
        drawn["known_email"] = "upsert"
    return drawn


def _some(rng: random.Random, names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    chosen = rng.sample(sorted(names), rng.choice((0, 0, 1, 3, len(names))))
    return {name: rng.choice(names[name]) for name in chosen}


def can_update(switches: Switches) -> str:
    """Return the way to update that keeps what it does not name ('': there is none)."""
    if switches.key_rights != "read_write":
        return ""
    clears = switches.unnamed_attributes == "cleared"
    ways = {
        "put": ("put",) if not clears else (),
        "patch": ("patch",),
        "put_or_patch": ("patch",) if clears else ("put",),
        "post_upsert": ("post_upsert",) if not clears else (),
    }[switches.update_method]
    if not ways and switches.known_email == "upsert" and not clears:
        return "post_upsert"
    return ways[0] if ways else ""


def can_create(variant: Variant, switches: Switches) -> bool:
    """Return whether a contact can be created: the key may, and its attributes can be known."""
    is_shown = variant.contacts > 0 or switches.schema_call == "offered"
    needed = {"email", "first_name", "last_name"}
    has_names = is_shown or not needed & set(switches.attribute_spelling)
    return switches.key_rights == "read_write" and has_names


def wrong_keys(variant: Variant, dialect: PleziDialect, *, is_writing: bool) -> list[str]:
    """Return what differs between a dialect that was found and the switches, for the connector."""
    switches = Switches().with_changes(variant.switches)
    is_written = is_writing and can_create(variant, switches)
    has_contact = variant.contacts > 0 or is_written
    expected = _expected(variant, switches, is_written=is_written)
    wrong = [
        f"{key}: {getattr(dialect, key)!r}, not {value!r}"
        for key, value in expected.items()
        if getattr(dialect, key) != value
    ]
    cap = switches.page_size_cap
    shows_cap = variant.contacts > cap
    if shows_cap and dialect.page_size != cap:
        wrong.append(f"page_size: {dialect.page_size}, not {cap}")
    counts_contacts = switches.pager == "limit_offset" and has_contact
    if counts_contacts and variant.contacts and dialect.page_size > cap:
        wrong.append(f"page_size: {dialect.page_size} is more than {cap}")
    return wrong


def _expected(variant: Variant, switches: Switches, *, is_written: bool) -> dict[str, Any]:
    expected: dict[str, Any] = {
        "describes_attributes": switches.schema_call == "offered",
        "finds_by_email": switches.email_filter == "honoured",
    }
    if switches.email_filter == "ignored" and not (variant.contacts or is_written):
        del expected["finds_by_email"]  # an empty list is the answer to every question
    if switches.schema_call == "offered":
        expected["attribute_types"] = {new: old for old, new in switches.type_names.items()}
    is_omitted = switches.empty_values == "omitted" and not variant.contacts
    if switches.schema_call == "offered" or variant.contacts or (is_written and not is_omitted):
        expected["attributes"] = {
            name: spelling
            for name, spelling in switches.attribute_spelling.items()
            if (name, switches.updated_at, switches.schema_call)
            != ("updated_at", "missing", "absent")
        }
    if variant.contacts > 0 or is_written:
        expected |= _shown_by_a_contact(variant, switches)
    if variant.contacts >= 3:  # the sample has blanks in some of three contacts
        expected["omits_blanks"] = switches.empty_values == "omitted"
    if is_written and can_update(switches):
        expected["update_method"] = can_update(switches)
        expected["clears_with"] = "null" if switches.null_write == "clears" else "empty_text"
    return expected


def _shown_by_a_contact(variant: Variant, switches: Switches) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "pager": switches.pager,
        "reads_by_id": switches.get_by_id == "offered",
    }
    if switches.page_url == "present":
        shown["contact_url_template"] = f"{variant.public_url}/contacts/{{id}}"
    has_order = variant.contacts > 1 and variant.spread_seconds > 0
    is_sorted = switches.sort == "honoured"
    if switches.updated_at == "missing" or (has_order and not is_sorted):
        return {**shown, "changed_since": "none", "newest_first": False}
    if has_order:
        shown["newest_first"] = True
    is_limited = switches.changed_since == "honoured"
    if is_limited and switches.changed_since_name == "updated_since":
        return {**shown, "changed_since": "updated_since"}
    return {**shown, "changed_since": "filter" if is_limited else "none"}
