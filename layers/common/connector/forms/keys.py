"""The keys and tokens of form senders, as the secret for forms holds them.

The secret is read without pydantic: the function that receives forms must start fast.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from connector.json_object import JsonObjectError, read_json_object
from connector.secret_fields import FieldRules
from connector.secret_version import invalid_secret, unusable_secret

KEY_PREFIX: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
"""A signing key's prefix and length (Standard Webhooks 1.0.0, "Signature scheme")."""
MAX_CURRENT: Final = 2
"""Keys, and tokens, that may be current: the one in use and the one that replaces it."""
MIN_TOKEN_CHARACTERS: Final = 32
OVERLAP_SECONDS: Final = 24 * 3600.0
"""How long an old key is accepted beside the one that replaces it, from the time at which the
secret was put. Senders change a key within minutes; Standard Webhooks 1.0.0 names no time."""


@dataclass(frozen=True, slots=True, repr=False)
class FormsKeys:
    """Who may send forms; never printed.

    `signing_keys` are as HMAC needs them (Standard Webhooks). `tokens` are for senders that cannot
    sign; without any, that scheme is disabled. Two of each may be current, so that one can be
    replaced: the last one is the new one. Without any of both, every form gets status 503.
    """

    signing_keys: tuple[bytes, ...] = ()
    tokens: tuple[str, ...] = ()

    def accepted(self, age: float) -> FormsKeys:
        """Return the keys that are accepted when the secret was put `age` seconds ago."""
        if age <= OVERLAP_SECONDS:
            return self
        return FormsKeys(self.signing_keys[-1:], self.tokens[-1:])


def parse_forms_keys(text: str, name: str) -> FormsKeys:
    """Return the keys in a secret's text.

    Raises `HaltError` that names the secret and every key of it that is wrong, never a value.
    """
    try:
        data = read_json_object(text)
    except JsonObjectError as error:
        raise unusable_secret(name, error.names) from None
    wrong: list[str] = []
    rules = FieldRules()
    signing_keys = [_signing_key(each) for each in _list(data, "signing_keys", wrong, rules)]
    tokens = [_token(each) for each in _list(data, "tokens", wrong, rules)]
    if rules.problems:
        raise invalid_secret(name, rules.problems)
    wrong += [f"signing_keys.{at}" for at, key in enumerate(signing_keys) if key is None]
    wrong += [f"tokens.{at}" for at, token in enumerate(tokens) if token is None]
    if wrong:
        raise unusable_secret(name, ", ".join(wrong))
    return FormsKeys(
        tuple(key for key in signing_keys if key is not None),
        tuple(token for token in tokens if token is not None),
    )


def _list(data: dict[str, object], key: str, wrong: list[str], rules: FieldRules) -> list[object]:
    """Return the texts of a list: a token is compared with a header, which has no blanks around."""
    values = data.get(key, [])
    if isinstance(values, list) and len(values) <= MAX_CURRENT:
        return [
            rules.token(f"{key}.{at}", value) if isinstance(value, str) else value
            for at, value in enumerate(values)
        ]
    wrong.append(key)
    return []


def _signing_key(value: object) -> bytes | None:
    """Return a key's bytes; None unless it is whsec_ and the base64 of 24 to 64 random bytes."""
    if not isinstance(value, str) or not value.startswith(KEY_PREFIX):
        return None
    try:
        key = base64.b64decode(value.removeprefix(KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) in KEY_BYTES else None


def _token(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) >= MIN_TOKEN_CHARACTERS else None
