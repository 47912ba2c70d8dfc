"""The `next` of a page: opaque to who gets it, and refused unless it is one."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode


def encode_page_token(place: str) -> str:
    """Return the `next` that leads to what comes after a place; '' for ''."""
    return urlsafe_b64encode(place.encode()).decode("ascii")


def decode_page_token(token: str) -> str:
    """Return the place that a `next` leads to. Raises `ValueError` when it is none of ours."""
    return b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode("utf-8")
