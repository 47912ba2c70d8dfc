"""Text as both sides can store it, and the only rule for e-mail addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_EMAIL_CHARACTERS: Final = 254
"""RFC 5321, 4.5.3.1.3: a path has at most 256 characters, the angle brackets included."""
EMAIL_ADDRESS: Final = re.compile(
    r"""[^\s\x00-\x20\x7f@,:;<>"()\[\]\\]+@[^\s\x00-\x20\x7f@.,:;<>"()\[\]\\]+"""
    r"""(\.[^\s\x00-\x20\x7f@.,:;<>"()\[\]\\]+)+"""
)
"""One address: a local part without quotes and a domain with a dot.

It refuses the `specials` of RFC 5322, 3.2.3 (only a quoted local part may contain them), spaces and
control characters. Salesforce's own rule is stricter and not published.
"""


def clean(text: str) -> str:
    """Return text as both sides can store it: NFC, no NUL, LF line ends, no spaces around.

    Salesforce trims strings and refuses U+0000 (singer-io/tap-salesforce, issue 21); browsers send
    CR LF.
    """
    if text.isascii() and text.isprintable():  # most texts need no more
        return text.strip()
    with_lf = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", with_lf).strip()


def canonical_email(text: object) -> str:
    """Return the e-mail as identity: trimmed, lower case, NFC; '' if there is none.

    The only rule by which two addresses are equal. Salesforce stores addresses in lower case
    (recorded); Plezi's rule is assumed. The lower case of a text in NFC need not be in NFC, so it
    comes first. Nothing else is changed: an address with `mailto:`, a final dot or the ASCII form
    of a domain (xn--) is another text, by which neither system finds the record. The decoders
    refuse an address that cannot be a key of the ledger.
    """
    return clean(text.lower()) if isinstance(text, str) else ""


def is_email_address(text: str) -> bool:
    """Whether a text is exactly one e-mail address; the only definition in the connector."""
    return (
        len(text) <= MAX_EMAIL_CHARACTERS
        and EMAIL_ADDRESS.fullmatch(text) is not None
        and text.isprintable()
    )


def encodable(text: str) -> str:
    """Return text with U+FFFD in place of each half of a character, so that it can be sent."""
    if is_unicode(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_unicode(text: str) -> bool:
    """Whether a text can be encoded: JSON's escapes also describe half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
