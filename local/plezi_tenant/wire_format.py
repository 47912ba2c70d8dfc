"""The wire format of contacts: JSON:API documents, with the spelling switches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from local.plezi_tenant.contact_repository import Changes
from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.schema import Attribute, AttributeType, Schema, Value
from local.plezi_tenant.store import Contact
from local.plezi_tenant.switches import Switches
from local.plezi_tenant.timestamps import format_local, format_millis

IDENTITY = "id"
MAX_BODY_BYTES = 1_000_000
"""Far above the size of one contact; a larger body is refused before it is parsed."""


class WireFormat:
    """The wire format of this tenant, for its current switches and schema."""

    def __init__(self, schema: Schema, switches: Switches, public_url: str) -> None:
        self._schema = schema
        self._switches = switches
        self._public_url = public_url

    def wire_name(self, name: str) -> str:
        """Return the name of an attribute in the API."""
        return self._switches.attribute_spelling.get(name, name)

    def attribute(self, wire_name: str) -> Attribute | None:
        """Return the attribute with this API name; a respelled attribute has only its new name."""
        return next(
            (known for known in self._schema if self.wire_name(known.name) == wire_name), None
        )

    def resource(self, contact: Contact) -> dict[str, Any]:
        """Return a contact as a JSON:API resource."""
        attributes: dict[str, Any] = {}
        for attribute in self._schema:
            value = self._wire_value(attribute, contact)
            if value is None and self._switches.empty_values == "omitted":
                continue
            if attribute.name in self._missing():
                continue
            attributes[self.wire_name(attribute.name)] = value
        return {"id": contact.id, "type": "contacts", "attributes": attributes}

    def _missing(self) -> frozenset[str]:
        """Return the attributes that no contact shows."""
        switches = {"updated_at": self._switches.updated_at, "url": self._switches.page_url}
        return frozenset(name for name, value in switches.items() if value == "missing")

    def parse_changes(self, raw: bytes, identity: str | None = None) -> Changes:
        """Return the changes in a document; refuse a wrong form with 400, wrong values with 422."""
        resource = _resource_of(_parsed(raw))
        if resource.get(IDENTITY) not in (None, identity):
            raise RefusedError(422, f"{IDENTITY} is read-only")
        attributes = resource.get("attributes")
        if not isinstance(attributes, dict):
            raise RefusedError(400, "data.attributes must be an object")
        changes = self.validated(attributes)
        if identity is None and changes.get("email") is None:
            raise RefusedError(422, "email is mandatory")
        return changes

    def validated(self, attributes: Mapping[str, object]) -> Changes:
        """Return the changes by schema name, with validated values."""
        unknown = [name for name in attributes if name != IDENTITY and self.attribute(name) is None]
        if unknown:
            raise RefusedError(
                400, *(f"{name} is not an attribute of contacts" for name in unknown)
            )
        changes: dict[str, Value | None] = {}
        problems: list[str] = []
        for name, value in attributes.items():
            attribute = self.attribute(name)
            if attribute is None or attribute.read_only:
                if self._switches.read_only_attributes == "refused":
                    problems.append(f"{name} is read-only")
            elif value is None and attribute.mandatory:
                problems.append(f"{name} is mandatory")
            elif value is None and self._switches.null_write == "refused":
                problems.append(f"{name} must not be null")
            elif value is None:
                changes[attribute.name] = None
            else:
                try:
                    changes[attribute.name] = attribute.accept(value)
                except ValueError as error:
                    problems.append(f"{name} {error}")
        if problems:
            raise RefusedError(422, *problems)
        return changes

    def schema_rows(self) -> list[dict[str, Any]]:
        """Return the schema: one resource per attribute, ordered by position."""
        return [
            {
                "id": self.wire_name(attribute.name),
                "type": "contact_attributes",
                "attributes": {
                    "name": self.wire_name(attribute.name),
                    "label": attribute.label,
                    "type": self._switches.type_names.get(
                        attribute.type.value, attribute.type.value
                    ),
                    "options": [
                        {"key": option.key, "label": option.label} for option in attribute.options
                    ],
                    "mandatory": attribute.mandatory,
                    "read_only": attribute.read_only,
                    "system": attribute.system,
                    "position": position,
                },
            }
            for position, attribute in enumerate(self._schema, start=1)
        ]

    def _wire_value(self, attribute: Attribute, contact: Contact) -> object:
        match attribute.name:
            case "created_at":
                return self._stamp(contact.created_at)
            case "updated_at":
                return self._stamp(contact.updated_at)
            case "url":
                return f"{self._public_url}/contacts/{contact.id}"
        value = contact.values.get(attribute.name)
        if value is None or value == []:
            multiple = attribute.type is AttributeType.MULTI_LIST
            return [] if multiple and self._switches.empty_values == "typed" else None
        if attribute.name == "state" and self._switches.state_spelling == "capitals":
            return str(value).upper()
        if attribute.name == "behaviour_score" and self._switches.score_type == "text":
            return str(value)
        return value

    def _stamp(self, millis: int) -> str:
        is_local = self._switches.stamps == "local"
        return format_local(millis) if is_local else format_millis(millis)


def encoded(value: object) -> bytes:
    """Return a value as JSON, in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


def document(data: object, meta: Mapping[str, int] | None = None) -> bytes:
    """Return a JSON:API document."""
    return encoded_document(encoded(data), meta)


def encoded_document(data: bytes, meta: Mapping[str, int] | None = None) -> bytes:
    """Return a JSON:API document whose data are encoded already."""
    end = b"" if meta is None else b', "meta": ' + encoded(dict(meta))
    return b'{"data": ' + data + end + b"}"


def encoded_rows(rows: Iterable[bytes]) -> bytes:
    """Return a list of rows that are encoded already."""
    return b"[" + b", ".join(rows) + b"]"


def _parsed(raw: bytes) -> object:
    if len(raw) > MAX_BODY_BYTES:
        raise RefusedError(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        return json.loads(
            raw, parse_constant=_refuse_constant, object_pairs_hook=_without_repeated_members
        )
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _without_repeated_members(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return an object; raise `ValueError` when a member is repeated."""
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"{name} is there twice")
        members[name] = value
    return members


def _resource_of(body: object) -> Mapping[str, object]:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise RefusedError(400, "the body must be an object with 'data', an object")
    if data.get("type") != "contacts":
        raise RefusedError(400, "data.type must be 'contacts'")
    return data
