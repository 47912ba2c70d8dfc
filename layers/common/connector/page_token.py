"""The token of the next page (`next`): opaque text for the client, validated when it comes back."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode


def encode_page_token(position: str) -> str:
    """Return the token of the page behind a position; '' for ''."""
    return urlsafe_b64encode(position.encode()).decode("ascii")


def decode_page_token(token: str) -> str:
    """Return the position of a token. Raises `ValueError` when it is not one of ours."""
    return b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode("utf-8")
