"""Links as attributes of an item: one attribute of compact JSON for each part of a link.

Most parts are read and written together, so one attribute for each of their fields would only cost
more bytes. `codec` describes the JSON. The number of this form is `SCHEMAS[ItemKind.LINK]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from connector.aws.dynamodb.dataclass_json import decode, dumps
from connector.model import Link

OTHER_FIELDS: Final = frozenset({"email", "dirty", "revision", "indexed_records"})
"""Fields of a link that are the key, an attribute of an index or a number, or that follow from the
other fields."""
LINK_PARTS: Final = tuple(field.name for field in fields(Link) if field.name not in OTHER_FIELDS)
"""The fields of a link that are stored as JSON, each in the attribute of its name."""


def to_attributes(link: Link) -> dict[str, str]:
    """Return the parts of a link as JSON text, by attribute name; empty parts are left out."""
    parts = {name: getattr(link, name) for name in LINK_PARTS}
    return {name: dumps(part) for name, part in parts.items() if part}


def from_attributes(
    email: str, attributes: Mapping[str, str], *, dirty: bool, revision: int
) -> Link:
    """Return the link that attributes contain. Raises as `codec.decode`."""
    tree: dict[str, Any] = {name: json.loads(text) for name, text in attributes.items()}
    link = decode(Link, tree | {"email": email, "dirty": dirty, "revision": revision})
    return replace(link, indexed_records=link.record_ids)
