"""The rules for each field of a secret, by what it becomes: a header, a login, a private key.

All secrets are read with these rules, where they are offered, tested and used. What has one meaning
only is repaired: a line break after a pasted key. Anything else is refused with the field, the kind
of character and its position, counted from 1 in the text of the secret; never with the value.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

VISIBLE: Final = re.compile(r"[\x21-\x7e]*", re.ASCII)
"""A key: visible characters of ASCII."""
HEADER: Final = re.compile(r"[\x20-\x7e]*", re.ASCII)
"""The value of a header (RFC 9110, 5.5, "Field Values"), without tabs. Characters above ASCII have
no encoding that the recipient must know."""
INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Categories of characters that nobody sees at the ends of a text (Unicode Standard, 4.5)."""
LINE_BREAKS: Final = "\r\n\u2028\u2029"
PEM: Final = re.compile(
    r"-----BEGIN (?P<label>[A-Z ]+)-----(?P<body>[A-Za-z0-9+/=\s]+)-----END (?P=label)-----"
)
PEM_LINE: Final = 64
"""Characters of a line of PEM (RFC 7468, 2)."""
ONLY_BLANKS: Final = "consists of blanks: put its value"
NOT_A_KEY: Final = "is not an RSA key in PEM without a passphrase"
KEY_REMEDY: Final = "put the private key of the app's certificate, from BEGIN to END"


class FieldRules:
    """Applies the rules, and collects a problem for each field that breaks one.

    Each method returns the repaired text; call `problems` before it is used. An empty text has no
    problem: whether it is required is another rule.
    """

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def key(self, name: str, text: str) -> str:
        """Return a key, a token or an address: visible ASCII, blanks around it are removed."""
        return self._refuse_others(name, text, VISIBLE, remedy="copy it again")

    def token(self, name: str, text: str) -> str:
        """Return a token that is compared with a header, and may contain blanks."""
        return self._refuse_others(name, text, HEADER, remedy="generate another one")

    def header(self, name: str, text: str, remedy: str) -> str:
        """Return the value of a header, which is no secret: the message shows the character."""
        return self._refuse_others(name, text, HEADER, remedy=remedy, shows=True)

    def username(self, name: str, text: str) -> str:
        """Return a username of Salesforce, which has the form of an e-mail address."""
        username = self._trimmed(name, text)
        if username and not (username.isprintable() and " " not in username and "@" in username):
            self.problems[name] = "is not in the form of an e-mail address: copy it from the user"
        return username

    def password(self, name: str, text: str) -> str:
        """Return a password: any characters of a line; a line break behind it is removed."""
        password = text.rstrip(LINE_BREAKS)
        if text and not password:
            self.problems[name] = ONLY_BLANKS
        for position, character in enumerate(password, 1):
            if unicodedata.category(character) == "Cc" or character in LINE_BREAKS:
                self._refuse_character(name, character, position, remedy="copy it again")
                break
        return password

    def private_key(self, name: str, text: str) -> str:
        r"""Return an RSA key in PEM; broken, lost and escaped (`\n`) line breaks are repaired."""
        key = _repaired_pem(self._trimmed(name, text))
        if key and (problem := _key_problem(key)):
            self.problems[name] = f"{problem}: {KEY_REMEDY}"
        return key

    def _refuse_others(
        self, name: str, text: str, allowed: re.Pattern[str], *, remedy: str, shows: bool = False
    ) -> str:
        trimmed = self._trimmed(name, text)
        match = allowed.match(trimmed)
        valid = match.end() if match is not None else 0
        if valid < len(trimmed):
            position = text.index(trimmed) + valid + 1
            self._refuse_character(name, trimmed[valid], position, remedy=remedy, shows=shows)
        return trimmed

    def _trimmed(self, name: str, text: str) -> str:
        """Return a text without blanks around it, which may not be all of it."""
        trimmed = _trimmed(text)
        if text and not trimmed:
            self.problems[name] = ONLY_BLANKS
        return trimmed

    def _refuse_character(
        self, name: str, character: str, position: int, *, remedy: str, shows: bool = False
    ) -> None:
        kind = _kind(character)
        if shows and character.isprintable():
            code, words = f"U+{ord(character):04X}", unicodedata.name(character, "no name")
            kind = f"{kind} ({character}, {code} {words})"
        self.problems[name] = f"has {kind} at position {position}: {remedy}"


def _trimmed(text: str) -> str:
    """Return a text without invisible characters at its ends."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) in INVISIBLE:
        start += 1
    while end > start and unicodedata.category(text[end - 1]) in INVISIBLE:
        end -= 1
    return text[start:end]


def _kind(character: str) -> str:
    """Return what kind of character breaks a rule."""
    if character in LINE_BREAKS:
        return "a line break"
    if character == "\t":
        return "a tab"
    match unicodedata.category(character):
        case "Zs":
            return "a blank"
        case "Cc":
            return "a control character"
        case "Cf":
            return "an invisible character"
        case _:
            return "a character outside of ASCII"


def _repaired_pem(text: str) -> str:
    r"""Return PEM with its lines; `\n` as two characters is no part of base64."""
    trimmed = _trimmed(text.replace("\\r", "").replace("\\n", "\n"))
    match = PEM.fullmatch(trimmed)
    if match is None:
        return trimmed
    body = "".join(match["body"].split())
    lines = [body[at : at + PEM_LINE] for at in range(0, len(body), PEM_LINE)]
    label = match["label"]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _key_problem(pem: str) -> str:
    """Return why a text is not a private key of RSA without a passphrase; '' if it is one."""
    # One flow needs this library, which takes longer to import than all the rest of the module.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
    )

    label = re.search(r"-----BEGIN ([A-Z ]+)-----", pem)
    found = f" (it begins as {label[1]})" if label and "PRIVATE KEY" not in label[1] else ""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return f"{NOT_A_KEY}{found}"
    return "" if isinstance(key, RSAPrivateKey) else NOT_A_KEY
