"""Links as one compressed attribute of an item.

All parts of a link are read and written together. DynamoDB bills a write by the kilobyte, and the
values of one person repeat in the observations of both sides, in the base and in an intent: as
compressed JSON, a link of ten fields takes half a kilobyte instead of two. `dataclass_json`
describes the JSON. The number of this form is `SCHEMAS[ItemKind.LINK]`.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields, replace
from typing import Any, Final

from connector.aws.dynamodb.dataclass_json import decode, dumps, encode
from connector.mapping.values import stored_value, stored_values
from connector.model import BaseUpdate, Link, Observation

OTHER_FIELDS: Final = frozenset({"email", "dirty", "revision", "indexed", "readable"})
"""Fields of a link that are the key or a number of the item, or that follow from the others."""
PARTS: Final = tuple(field.name for field in fields(Link) if field.name not in OTHER_FIELDS)
SURROGATES: Final = "surrogatepass"
"""How half of a character is encoded: JSON can contain one, and its person must be stored."""
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Bytes of the JSON of one link; DynamoDB's 400 KB cannot hold more, however well it compresses."""


def pack(link: Link) -> bytes:
    """Return the parts of a link as compressed JSON; empty parts are left out."""
    stored = _with_digests(link)
    parts = {name: part for name in PARTS if (part := getattr(stored, name))}
    tree = {name: encode(part) for name, part in parts.items()}
    text = dumps(tree | {"dirty": True} if link.dirty else tree)
    return zlib.compress(text.encode(errors=SURROGATES))


def _with_digests(link: Link) -> Link:
    """Return a link with a digest in place of each long text; it is read again when it is written.

    No number of long texts makes an item too large then.
    """
    intent = link.intent
    return replace(
        link,
        plezi=None if link.plezi is None else _observation(link.plezi),
        salesforce=tuple(map(_observation, link.salesforce)),
        base={record: stored_values(values) for record, values in link.base.items()},
        intent=None
        if intent is None
        else replace(
            intent,
            writes=tuple(
                replace(it, values=stored_values(it.values), before=stored_values(it.before))
                for it in intent.writes
            ),
            base_updates=tuple(map(_base_update, intent.base_updates)),
            overwritten=tuple(
                replace(it, value=stored_value(it.value), replaced_by=stored_value(it.replaced_by))
                for it in intent.overwritten
            ),
        ),
        holds={
            key: replace(hold, values=stored_values(hold.values))
            for key, hold in link.holds.items()
        },
    )


def _observation(observation: Observation) -> Observation:
    values = stored_values(observation.values)
    return observation if values is observation.values else replace(observation, values=values)


def _base_update(update: BaseUpdate) -> BaseUpdate:
    values = {
        record: agreed._replace(value=stored_value(agreed.value))
        for record, agreed in update.values.items()
    }
    return replace(update, values=values)


def unpack(email: str, body: bytes, *, revision: int) -> Link:
    """Return the link that a body contains.

    Raises `ValueError`, `TypeError`, `KeyError`, `AttributeError` or `zlib.error` for a body that
    no version of the connector has stored.
    """
    decompressor = zlib.decompressobj()
    text = decompressor.decompress(body, MAX_BODY_BYTES)
    if not decompressor.eof:
        raise ValueError("the body of a link is incomplete or too large")
    tree: dict[str, Any] = json.loads(text.decode(errors=SURROGATES))
    link = decode(Link, tree | {"email": email, "revision": revision})
    return replace(link, indexed=link.names)
