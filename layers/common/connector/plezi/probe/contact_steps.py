"""Questions about contacts: attributes and their names and types, blanks, stamps, reads by id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connector.plezi.probe.answers import Row, attributes_of
from connector.plezi.probe.attribute_names import resolve_names, resolve_types
from connector.plezi.probe.context import ProbeContext
from connector.plezi.probe.list_steps import NO_CONTACT, NOT_FOUND, note_error_form

MIN_SAMPLE: Final = 30
"""Contacts whose attributes are compared, where the tenant has as many."""
MAX_SAMPLE_PAGES: Final = 3
MAX_NAMES: Final = 12
"""Names of attributes in one message."""
MAX_OPTIONS: Final = 20
"""Keys of each list that are kept; the writing part needs two."""
NO_ID: Final = "0" * 24
"""An id that no contact has; ids have 24 hexadecimal digits on the older host (inferred)."""
NEVER_BLANK: Final = frozenset({"created_at", "updated_at", "url"})
"""Attributes that Plezi sets: that they are missing says nothing about blanks."""
ZONE: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def describe_attributes(context: ProbeContext) -> None:
    """Ask the tenant to describe its attributes, and keep what later steps need of them."""
    evidence = context.evidence
    answer = context.calls.get("contact_attributes")
    described = [_described(attributes_of(row)) for row in answer.rows or []]
    named = [each for each in described if each["name"]]
    evidence.facts["attributes"] = named
    if named:
        message = f"contact_attributes describes {len(named)} attributes"
        evidence.prove("attribute_call", message, describes_attributes=True)
        _record_types(context, named)
        _record_list_keys(context, named)
        return
    why = "describes none" if answer.is_ok else f"is refused: {answer.error}"
    message = f"contact_attributes {why}; the attributes of the help pages are used"
    evidence.contradict("attribute_call", message, describes_attributes=False)


def _described(attributes: Row) -> dict[str, Any]:
    """Return what is needed of one row of the attribute call, as JSON."""
    name, options = attributes.get("name"), attributes.get("options")
    rows = options if isinstance(options, list) else []
    keys = [each.get("key") for each in rows if isinstance(each, dict)]
    return {
        "name": name if isinstance(name, str) else "",
        "label": str(attributes.get("label", "")),
        "type": str(attributes.get("type", "")),
        "is_writable": not attributes.get("read_only", False),
        "is_custom": attributes.get("system") is False,
        "options": [key for key in keys if isinstance(key, str | int)][:MAX_OPTIONS],
    }


def _record_types(context: ProbeContext, named: Sequence[Mapping[str, Any]]) -> None:
    names = resolve_names(named, ()).names
    types, unknown = resolve_types(named, names)
    evidence = context.evidence
    if unknown:
        message = f"types that the connector does not know: {_listed(unknown)}; name them in "
        message += "attribute_types of PleziDialect, else their attributes cannot be mapped"
        evidence.contradict("attribute_types", message, attribute_types=types)
    elif types:
        named_types = _listed(f"{name} is {kind}" for name, kind in sorted(types.items()))
        message = f"types have other names: {named_types}"
        evidence.contradict("attribute_types", message, attribute_types=types)
    else:
        evidence.prove("attribute_types", "types have the assumed names", attribute_types={})


def _record_list_keys(context: ProbeContext, named: Sequence[Mapping[str, Any]]) -> None:
    """Record the type of the keys of lists; the connector writes each key in its own type."""
    lists = {each["name"]: each["options"] for each in named if each["options"]}
    others = sorted(name for name, keys in lists.items() if not isinstance(keys[0], str))
    if others:
        message = f"the keys of {_listed(others)} are numbers, those of other lists are texts"
        context.evidence.contradict("list_keys", message)
    elif lists:
        context.evidence.prove("list_keys", "the keys of lists are texts")
    else:
        context.evidence.assume("list_keys", "the tenant describes no list")


def compare_contacts(context: ProbeContext) -> None:
    """Read some contacts; find the tenant's names of attributes, blanks, stamps and page address.

    No value of a contact is kept.
    """
    rows = _sample(context)
    _record_names(context, rows)
    if not rows:
        for name in ("blanks", "stamps", "score", "state", "page_address"):
            context.evidence.assume(name, NO_CONTACT)
        return
    _record_blanks(context, rows)
    _record_stamps(context, rows)
    _record_value_types(context, rows)
    record_page_address(context, rows[0])


def _sample(context: ProbeContext) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, MAX_SAMPLE_PAGES + 1):
        page = context.page(number, context.sample_size()).rows or []
        rows += page
        if len(rows) >= MIN_SAMPLE or len(page) < context.sample_size():
            break
    return rows


def _record_names(context: ProbeContext, rows: Sequence[Row]) -> None:
    evidence = context.evidence
    described = evidence.facts["attributes"]
    shown = {name for row in rows for name in attributes_of(row)}
    evidence.facts["shown"] = sorted(shown)
    if not shown and not described:
        evidence.assume("attribute_names", NO_CONTACT)
        return
    resolved = resolve_names(described, shown)
    evidence.refusals.pop("attributes", None)
    if "email" in resolved.missing:
        reason = "no attribute of a contact is known to be its e-mail: set 'attributes' in "
        evidence.refuse("attributes", f"{reason}PleziDialect, as in {{'email': 'mail'}}")
    missing = [name for name in resolved.missing if name != "updated_at"]  # see `stamps`
    if missing:
        others = shown | {each["name"] for each in described}
        message = f"no attribute is known to be {_listed(missing)}; the tenant has "
        message += f"{_listed(sorted(others))}. Set 'attributes' in PleziDialect"
        evidence.contradict("attribute_names", message, attributes=resolved.names)
    elif resolved.names:
        pairs = _listed(f"{ours} is {theirs}" for ours, theirs in sorted(resolved.names.items()))
        message = f"attributes have other names: {pairs}"
        evidence.contradict("attribute_names", message, attributes=resolved.names)
    else:
        evidence.prove("attribute_names", "attributes have the assumed names", attributes={})


def _record_blanks(context: ProbeContext, rows: Sequence[Row]) -> None:
    """Record whether answers leave out blanks: one contact shows what another one lacks."""
    names = context.evidence.dialect.attributes
    ignored = {names.get(name, name) for name in NEVER_BLANK}
    counts = Counter(name for row in rows for name in attributes_of(row))
    partly = sorted(n for n, count in counts.items() if count < len(rows) and n not in ignored)
    if partly:
        message = f"some contacts lack {_listed(partly)}: blank attributes are left out"
        context.evidence.contradict("blanks", message, omits_blanks=True)
    elif any(value is None or value == [] for row in rows for value in attributes_of(row).values()):
        message = "blank attributes are shown, as null or an empty list"
        context.evidence.prove("blanks", message, omits_blanks=False)
    else:
        context.evidence.assume("blanks", "no contact that was seen has a blank attribute")


def _record_stamps(context: ProbeContext, rows: Sequence[Row]) -> None:
    name = context.evidence.dialect.attributes.get("updated_at", "updated_at")
    stamps = [attributes_of(row).get(name) for row in rows]
    texts = [stamp for stamp in stamps if isinstance(stamp, str)]
    if not texts or not all(context.codec.stamp(row) for row in rows):
        message = "contacts show no usable 'updated_at': all are read in each run"
        context.evidence.contradict("stamps", message)
        return
    zones = {(ZONE.search(text) or [""])[0] for text in texts}
    decimals = {len(ZONE.sub("", text).partition(".")[2]) for text in texts}
    form = f"{_listed(sorted(map(str, decimals)))} decimals"
    if "" in zones:
        message = f"'updated_at' has no zone: it is taken for UTC ({form})"
        context.evidence.contradict("stamps", message)
    else:
        zone = _listed(sorted(zones))
        record = context.evidence.prove if zones == {"Z"} else context.evidence.contradict
        record("stamps", f"'updated_at' has the zone {zone}, {form}")


def _record_value_types(context: ProbeContext, rows: Sequence[Row]) -> None:
    """Record how score and state are written; the connector reads each of these forms."""
    names = context.evidence.dialect.attributes
    evidence = context.evidence
    for name, ours, expected in (
        ("score", "behaviour_score", "number"),
        ("state", "state", "text in lower case"),
    ):
        values = [attributes_of(row).get(names.get(ours, ours)) for row in rows]
        forms = sorted({_form(value) for value in values if value is not None})
        if not forms:
            evidence.assume(name, f"no contact that was seen has a {ours}")
        else:
            record = evidence.prove if forms == [expected] else evidence.contradict
            record(name, f"{ours} is a {_listed(forms)}")


def _form(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "list or object"
    if value.isdigit():
        return "number as text"
    return "text in lower case" if value == value.lower() else "text with capitals"


def record_page_address(context: ProbeContext, row: Row) -> None:
    """Record the address of a contact's page, if the contact shows it with its id."""
    url, record_id = attributes_of(row).get("url"), str(row.get("id", ""))
    if isinstance(url, str) and record_id and record_id in url:
        template = url.replace("{", "%7B").replace("}", "%7D").replace(record_id, "{id}")
        message = f"contacts show the address of their page: {template}"
        context.evidence.prove("page_address", message, contact_url_template=template)
    else:
        message = "contacts do not show the address of their page: compare contact_url_template"
        context.evidence.assume("page_address", f"{message} with an address in the browser")


def read_by_id(context: ProbeContext) -> None:
    """Ask for one contact by its id, and for one that does not exist."""
    evidence = context.evidence
    row = context.first_contact()
    if row is None:
        evidence.assume("read_by_id", NO_CONTACT)
        return
    record_id = str(row.get("id", ""))
    answer = context.calls.get(f"contacts/{record_id}")
    if answer.row is None or str(answer.row.get("id", "")) != record_id:
        note_error_form(context, answer)
        message = f"a contact cannot be read by its id: {answer.status}"
        evidence.contradict("read_by_id", message, reads_by_id=False)
        return
    evidence.prove("read_by_id", "a contact is read by its id", reads_by_id=True)
    unknown = context.calls.get(f"contacts/{NO_ID}")
    if unknown.status == NOT_FOUND:
        evidence.prove("unknown_id", "an unknown id is answered with 404")
        note_error_form(context, unknown)
    else:
        message = f"an unknown id is answered with {unknown.status}: a deleted contact is not seen"
        evidence.contradict("unknown_id", message)


def _listed(names: Iterable[object]) -> str:
    """Return some names as a text, the first of them where they are many."""
    texts = [str(each) for each in names]
    more = f" and {len(texts) - MAX_NAMES} more" if len(texts) > MAX_NAMES else ""
    return ", ".join(texts[:MAX_NAMES]) + more
