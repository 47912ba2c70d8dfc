"""JSON from outside, within limits that are checked before it is parsed.

`json` needs time and memory for whatever it is given: this module bounds the size, the depth, the
number of keys and the length of a number, in one pass over the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

MAX_DIGITS: Final = 64
"""Characters of a number. An id or a time has 20; Python refuses an integer of 4,300 digits, and
needs seconds for a long decimal fraction."""
_TOKENS: Final = re.compile(r'"(?>[^"\\]+|\\.)*"?|[\[\]{}:]|[-+.0-9A-Za-z]+', re.DOTALL)
"""Strings, which are skipped, brackets, colons, numbers and words. A string without an end matches
too, so that the search never goes back: it takes one pass, whatever the text is."""

Pairs = Callable[[Iterable[tuple[str, Any]]], Any]


@dataclass(frozen=True, slots=True)
class JsonBounds:
    """What a text may have at most; `keys` are those of all its objects together."""

    characters: int
    depth: int
    keys: int
    digits: int = MAX_DIGITS


class JsonBoundsError(ValueError):
    """A text is beyond a bound; its message names the bound and the remedy, never a value."""


def load_json(text: object, bounds: JsonBounds, *, pairs: Pairs = dict) -> Any:  # noqa: ANN401  # any JSON
    """Return the value of a JSON text; `pairs` makes an object of its members.

    Raises `JsonBoundsError` beyond a bound, and `ValueError` for what is no JSON text: NaN and
    Infinity are none (RFC 8259).
    """
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004  # to the caller it is a text that is no JSON
    check_bounds(text, bounds)
    return json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)


def check_bounds(text: str, bounds: JsonBounds) -> None:
    """Raise `JsonBoundsError` if a text is beyond a bound; it need not be JSON."""
    if len(text) > bounds.characters:
        raise JsonBoundsError(f"more than {bounds.characters} characters; send less")
    keys = depth = 0
    for token in _TOKENS.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case ":":
                keys += 1
            case '"':
                continue
            case _ if token.end() - token.start() > bounds.digits:
                raise JsonBoundsError(f"a number of more than {bounds.digits} characters")
        if depth > bounds.depth:
            raise JsonBoundsError(f"more than {bounds.depth} levels deep; send a flat object")
        if keys > bounds.keys:
            raise JsonBoundsError(f"more than {bounds.keys} keys; send fewer")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
