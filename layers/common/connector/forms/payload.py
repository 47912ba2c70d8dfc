"""What a form says: one e-mail or one Plezi contact id, and nothing else that is believed.

The body is read strictly and within limits; every other value in it stops here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connector.forms.request import NOT_UTF8, FormRefusedError, Media
from connector.mapping import canonical_email

MAX_DEPTH: Final = 10
MAX_KEYS: Final = 200
"""A form has tens of fields, two levels deep; these leave room and bound the work."""
MAX_EMAIL_CHARACTERS: Final = 254
"""RFC 5321, 4.5.3.1: a path of 256 characters, brackets included."""
EMAIL: Final = re.compile(r"[^\s\x00-\x20\x7f@,;<>\"()\[\]\\]+@[^\s\x00-\x20\x7f@,;<>\"()\[\]\\]+")
"""One address and nothing around it. What is more particular is Plezi's to say."""
CONTACT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""24 hexadecimal digits in all examples (inferred); opaque, but it becomes part of a path."""
_TOKENS: Final = re.compile(r'"(?>[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
"""Strings, to pass over them, and brackets. A string that never ends matches too, so that the
search never goes back: one pass, whatever the text."""


def _email(text: str) -> str:
    email = canonical_email(text)
    proper = len(email) <= MAX_EMAIL_CHARACTERS and EMAIL.fullmatch(email) and email.isprintable()
    if email and not proper:
        raise ValueError("must be one e-mail address")
    return email


def _contact_id(text: str) -> str:
    if text and not CONTACT_ID.fullmatch(text):
        raise ValueError("must be the id of a Plezi contact: 1 to 64 letters, digits, - or _")
    return text


def _blank_for_null(text: object) -> object:
    """JSON's null says as little as an absent key."""
    return "" if text is None else text


def _object(said: object) -> object:
    """A `contact` that is a text is a field of the form, not the contact of an event."""
    return said if isinstance(said, dict) else {}


Email = Annotated[str, BeforeValidator(_blank_for_null), AfterValidator(_email)]
ContactId = Annotated[str, BeforeValidator(_blank_for_null), AfterValidator(_contact_id)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Contact(_Strict):
    """The contact inside an event, as the simulated tenant sends it (assumed)."""

    email: Email = ""
    id: ContactId = ""


class FormPayload(_Strict):
    """What may be said of whom a form is about; both spellings of the id are known to Zapier."""

    email: Email = ""
    contact_id: ContactId = ""
    id: ContactId = ""
    contact: Annotated[_Contact, BeforeValidator(_object)] = Field(default_factory=_Contact)

    def contact_reference(self) -> tuple[str, str]:
        """Return the canonical e-mail and the contact id, '' for the one not given.

        A `contact` is about the person; an `id` beside it is then the event's own.
        """
        inner = self.contact
        if inner.email or inner.id:
            return inner.email, inner.id
        return self.email, self.contact_id or self.id


def read_payload(media: Media, body: bytes) -> tuple[str, str]:
    """Return the canonical e-mail and the contact id that a body names; one may be ''.

    Raises `FormRefusedError` (400) naming the field and the remedy, never a value.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise FormRefusedError(400, NOT_UTF8) from error
    said = _json(text) if media is Media.JSON else _form(text)
    try:
        email, contact = FormPayload.model_validate(said).contact_reference()
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, it['loc']))}: {it['msg'].removeprefix('Value error, ')}"
            for it in error.errors(include_input=False, include_url=False)
        )
        raise FormRefusedError(400, wrong) from None
    if not email and not contact:
        raise FormRefusedError(400, "email or contact_id: give at least one")
    return email, contact


def _json(text: str) -> Mapping[str, Any]:
    if _depth(text) > MAX_DEPTH:
        raise FormRefusedError(400, f"body: more than {MAX_DEPTH} levels deep; send a flat object")
    keys = _KeyCounter()
    try:
        said = json.loads(text, object_pairs_hook=keys.to_object, parse_constant=_no_constant)
    except ValueError as error:
        raise FormRefusedError(400, "body: it is not JSON; send one JSON object") from error
    if not isinstance(said, dict):
        raise FormRefusedError(400, "body: it is JSON but not an object; send one JSON object")
    return said


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


def _depth(text: str) -> int:
    """Return how deep the brackets of a JSON text go, without reading it as JSON."""
    deepest = depth = 0
    for token in _TOKENS.finditer(text):
        match token.group():
            case "[" | "{":
                depth += 1
                deepest = max(deepest, depth)
            case "]" | "}":
                depth -= 1
    return deepest


class _KeyCounter:
    """Counts the keys of a body, and refuses one that is given twice."""

    def __init__(self) -> None:
        self._left = MAX_KEYS

    def to_object(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """Return the object that some pairs make."""
        said: dict[str, Any] = {}
        for name, value in pairs:
            self._left -= 1
            if name in said:
                raise FormRefusedError(400, "body: a key is given twice; send each key once")
            said[name] = value
        if self._left < 0:
            raise FormRefusedError(400, f"body: more than {MAX_KEYS} keys; send fewer")
        return said


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
