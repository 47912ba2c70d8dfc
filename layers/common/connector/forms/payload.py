"""The payload of a form: one e-mail or one Plezi contact id; no other value of it is used.

The body is read strictly and within limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from connector.bounded_json import JsonBounds, JsonBoundsError, load_json
from connector.clean_text import canonical_email, is_email_address
from connector.forms.request import MAX_BODY_BYTES, NOT_UTF8, ContentType, FormRefusedError

MAX_DEPTH: Final = 10
MAX_KEYS: Final = 200
"""A form has tens of fields, two levels deep; these limits leave room and bound the work."""
BOUNDS: Final = JsonBounds(MAX_BODY_BYTES, MAX_DEPTH, MAX_KEYS)
CONTACT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""24 hexadecimal digits in all known examples (assumed); the id becomes part of a URL's path."""
_MUST_BE_EMAIL: Final = "must be one e-mail address"
_MUST_BE_ID: Final = "must be the id of a Plezi contact: 1 to 64 letters, digits, - or _"


class _FieldErrors:
    """Collects what is wrong with the fields of a payload, each with its name; never a value."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def text(
        self,
        data: Mapping[str, Any],
        path: str,
        convert: Callable[[str], str | None],
        expected: str,
    ) -> str:
        """Return a field as converted, '' where it is absent or null.

        `convert` returns None for a text that cannot be used.
        """
        value = data.get(path.rpartition(".")[2])
        if value is None:
            return ""
        converted = convert(value) if isinstance(value, str) else None
        if converted is None:
            self.messages.append(f"{path}: {expected}")
            return ""
        return converted


def _email(text: str) -> str | None:
    email = canonical_email(text)
    return email if not email or is_email_address(email) else None


def _contact_id(text: str) -> str | None:
    return text if not text or CONTACT_ID.fullmatch(text) else None


def _contact_reference(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the canonical e-mail and the contact id that a payload names, '' for one not given.

    Both names of the id are in use by Zapier. Where `contact` names the person (an event of the
    simulated tenant; assumed), an `id` next to it is the event's own. A `contact` that is a text is
    a field of the form. Raises `FormRefusedError` that names every unusable field.
    """
    errors = _FieldErrors()
    email = errors.text(data, "email", _email, _MUST_BE_EMAIL)
    contact_id = errors.text(data, "contact_id", _contact_id, _MUST_BE_ID)
    other_id = errors.text(data, "id", _contact_id, _MUST_BE_ID)
    contact = data.get("contact")
    inner = contact if isinstance(contact, dict) else {}
    inner_email = errors.text(inner, "contact.email", _email, _MUST_BE_EMAIL)
    inner_id = errors.text(inner, "contact.id", _contact_id, _MUST_BE_ID)
    if errors.messages:
        raise FormRefusedError(400, "; ".join(errors.messages))
    if inner_email or inner_id:
        return inner_email, inner_id
    return email, contact_id or other_id


def read_payload(media: ContentType, body: bytes) -> tuple[str, str]:
    """Return the canonical e-mail and the contact id that a body names; one may be ''.

    Raises `FormRefusedError` (400) naming the field and the remedy, never a value.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise FormRefusedError(400, NOT_UTF8) from error
    data = _json(text) if media is ContentType.JSON else _form(text)
    email, contact = _contact_reference(data)
    if not email and not contact:
        raise FormRefusedError(400, "email or contact_id: send at least one of them")
    return email, contact


def _json(text: str) -> Mapping[str, Any]:
    keys = _KeyCounter()
    try:
        data = load_json(text, BOUNDS, pairs=keys.to_object)
    except JsonBoundsError as error:
        raise FormRefusedError(400, f"body: {error}") from None
    except ValueError as error:
        raise FormRefusedError(400, "body: it is not JSON; send one JSON object") from error
    if not isinstance(data, dict):
        raise FormRefusedError(400, "body: it is JSON but not an object; send one JSON object")
    return data


def _form(text: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_KEYS,
        )
    except ValueError as error:
        raise FormRefusedError(
            400, f"body: it is not form-encoded UTF-8 with {MAX_KEYS} fields at most"
        ) from error
    return _KeyCounter().to_object(pairs)


class _KeyCounter:
    """Counts the keys of a body, and refuses one that is given twice."""

    def __init__(self) -> None:
        self._left = MAX_KEYS

    def to_object(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """Return the object that some pairs make."""
        data: dict[str, Any] = {}
        for name, value in pairs:
            self._left -= 1
            if name in data:
                raise FormRefusedError(400, "body: a key is given twice; send each key once")
            data[name] = value
        if self._left < 0:
            raise FormRefusedError(400, f"body: more than {MAX_KEYS} keys; send fewer")
        return data
