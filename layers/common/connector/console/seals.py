"""What the console encrypts: cookies, and the ids of people in addresses.

The key comes from Secrets Manager. During a rotation the secret has a `previous` key too: what it
encrypted can still be read, and everything new has the current key.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.json_object import JsonObjectError, read_json_object
from connector.secret_version import unusable_secret

MIN_KEY_CHARACTERS: Final = 32
"""At least 128 bits: the template generates 64 letters and digits, of about 6 bits each."""
FERNET_BYTES: Final = 32
SIV_BYTES: Final = 64
"""Two keys of AES-256 (RFC 5297)."""
MAX_SEALED_CHARACTERS: Final = 4096
"""The longest cookie that browsers keep (RFC 6265, 6.1); longer text is none of ours."""


@dataclass(frozen=True, slots=True)
class ConsoleKeys:
    """The keys of the console, the current one first; their texts are never shown."""

    texts: tuple[str, ...]

    def __repr__(self) -> str:
        """Return a text without the keys."""
        return "ConsoleKeys(...)"


def parse_console_keys(text: str, name: str) -> ConsoleKeys:
    """Return the keys in a secret's text. Raises `HaltError` that names the secret, no value."""
    try:
        members = read_json_object(text)
    except JsonObjectError as error:
        raise unusable_secret(name, error.names) from None
    keys = [members.get("key"), members.get("previous", "")]
    if not isinstance(keys[0], str) or len(keys[0]) < MIN_KEY_CHARACTERS:
        raise unusable_secret(name, "key")
    return ConsoleKeys(tuple(key for key in keys if isinstance(key, str) and key))


class Seals:
    """Encrypts and decrypts; what anybody else made, or changed, cannot be decrypted."""

    def __init__(self, read_keys: Callable[[], ConsoleKeys], clock: Callable[[], float]) -> None:
        self._read_keys = read_keys
        self._clock = clock
        self._made_from: ConsoleKeys | None = None
        self._fernet = MultiFernet([Fernet(Fernet.generate_key())])
        self._ciphers: Sequence[AESSIV] = ()

    def seal(self, purpose: str, members: dict[str, Any]) -> str:
        """Return text that only `unseal` can read, with its time."""
        self._use_current_keys()
        content = json.dumps({"purpose": purpose, **members}).encode()
        return self._fernet.encrypt_at_time(content, int(self._clock())).decode("ascii")

    def unseal(self, purpose: str, text: str, seconds: int) -> dict[str, Any] | None:
        """Return what was sealed for a purpose in the last seconds; None for any other text."""
        if not text or len(text) > MAX_SEALED_CHARACTERS:
            return None
        self._use_current_keys()
        try:
            content = self._fernet.decrypt_at_time(text.encode(), seconds, int(self._clock()))
        except (InvalidToken, ValueError):
            return None
        members: dict[str, Any] = json.loads(content)
        return members if members.pop("purpose") == purpose else None

    def person_id(self, email: str) -> str:
        """Return the id of a person: always the same for an e-mail, and says nothing about it."""
        self._use_current_keys()
        sealed = self._ciphers[0].encrypt(email.encode(), None)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def email(self, person_id: str) -> str:
        """Return the e-mail of an id; '' for a text that is no such id."""
        self._use_current_keys()
        try:
            sealed = urlsafe_b64decode(person_id.encode("ascii") + b"==")
        except (NotBase64Error, ValueError):
            return ""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed, None).decode()
            except (InvalidTag, ValueError):
                continue
        return ""

    def _use_current_keys(self) -> None:
        keys = self._read_keys()
        if keys == self._made_from:
            return
        fernets = [urlsafe_b64encode(_derive(it, "cookies", FERNET_BYTES)) for it in keys.texts]
        self._fernet = MultiFernet([Fernet(key) for key in fernets])
        self._ciphers = [AESSIV(_derive(it, "person ids", SIV_BYTES)) for it in keys.texts]
        self._made_from = keys


def _derive(text: str, purpose: str, length: int) -> bytes:
    """Return a key for one purpose (RFC 5869)."""
    derivation = HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose.encode())
    return derivation.derive(text.encode())
