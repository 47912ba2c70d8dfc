"""Authentication of forms: Standard Webhooks 1.0.0, and a token for senders that cannot sign.

Pure: the caller passes the clock, the keys and the raw bytes. No function returns *why* a sender is
not authenticated, so that the answer does not help an attacker to guess.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TOLERANCE_SECONDS: Final = 300
"""How far a timestamp may differ from our clock, in both directions: five minutes, as at Stripe
and Svix."""
SCHEME: Final = "v1"
"""HMAC-SHA256; other schemes (`v1a`: ed25519) may be sent in addition and are ignored."""
MAX_SIGNATURES: Final = 8
"""A sender that changes its key sends two; further signatures are ignored."""
MESSAGE_ID: Final = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)
"""Visible ASCII without the full stop, which would let an id run into the timestamp (the
specification, "Signature scheme"); none known is longer than 40."""
TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignatureHeaders:
    """The three headers of Standard Webhooks as they were sent; '' where one is missing."""

    message_id: str
    timestamp: str
    signatures: str


def is_signed(claim: SignatureHeaders, body: bytes, keys: Iterable[bytes], now: float) -> bool:
    """Return whether one of the keys signed this body, with this id, within five minutes of `now`.

    `now` is in seconds since 1970. Every key is compared with every signature, in constant time;
    also for an id or a time that is refused, so that the time of the answer does not depend on why
    a sender is not authenticated.
    """
    is_current = (
        MESSAGE_ID.fullmatch(claim.message_id) is not None
        and TIMESTAMP.fullmatch(claim.timestamp) is not None
        and abs(now - int(claim.timestamp)) <= TOLERANCE_SECONDS
    )
    given = [
        signature.encode(errors="replace")
        for scheme, comma, signature in (it.partition(",") for it in claim.signatures.split(" "))
        if comma and scheme == SCHEME
    ]
    signed = f"{claim.message_id}.{claim.timestamp}.".encode(errors="replace") + body
    found = False
    for key in keys:
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        for signature in given[:MAX_SIGNATURES]:
            found |= hmac.compare_digest(expected, signature)
    return found and is_current


def is_known_token(token: str, tokens: Iterable[str]) -> bool:
    """Return whether a token is one of ours. The comparison takes constant time."""
    found = False
    for ours in tokens:
        found |= hmac.compare_digest(ours.encode(), token.encode(errors="replace"))
    return found and bool(token)
