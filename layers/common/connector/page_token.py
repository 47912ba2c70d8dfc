"""The token of the next page (`next`): opaque text for the client, validated when it is used."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode


def encode_page_token(position: str) -> str:
    """Return the token of the page after a position; '' for ''."""
    return urlsafe_b64encode(position.encode()).decode("ascii")


def decode_page_token(token: str) -> str:
    """Return the position of a token. Raises `ValueError` when the text is not such a token."""
    return b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode("utf-8")
