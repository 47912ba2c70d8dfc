"""The seal of a stored session: only the holder of the Salesforce secret can open it.

The key is derived from the values of the secret with which the session was made, so no further
secret is stored, and a user who can read the table but not the secret has no session. The host and
the version of the secret are authenticated with the token: another host in the table breaks the
seal. AES-SIV (RFC 5297) needs no random number, and the same session has one sealed form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import replace
from typing import Final

from connector.model import SessionToken
from connector.secrets import SalesforceCredentials

PURPOSE: Final = b"plezi-salesforce session 1"
"""Separates this key from any other that is derived from the same secret."""
SEALED: Final = "sealed1:"
"""The prefix of a sealed token. A token of Salesforce begins with the id of the org."""


def seal(token: SessionToken, credentials: SalesforceCredentials) -> SessionToken:
    """Return a session as it is stored: its access token is encrypted."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415  # 10 ms

    sealed = AESSIV(_key(credentials)).encrypt(token.access_token.encode(), [_context(token)])
    return replace(token, access_token=SEALED + base64.b64encode(sealed).decode())


def open_sealed(token: SessionToken, credentials: SalesforceCredentials) -> SessionToken | None:
    """Return a stored session that can be used; None when the seal is not of these credentials.

    A session that is not sealed gives None too: it was stored by an earlier version, or by hand.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # as above
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415  # as above

    if not token.access_token.startswith(SEALED):
        return None
    try:
        sealed = base64.b64decode(token.access_token.removeprefix(SEALED), validate=True)
        opened = AESSIV(_key(credentials)).decrypt(sealed, [_context(token)])
    except (binascii.Error, ValueError, InvalidTag):
        return None
    return replace(token, access_token=opened.decode())


def _key(credentials: SalesforceCredentials) -> bytes:
    """Return the key, of 64 bytes: AES-SIV uses one half to authenticate and one to encrypt."""
    values = (
        credentials.consumer_secret,
        credentials.password,
        credentials.security_token,
        credentials.private_key,
    )
    material = b"\0".join(value.get_secret_value().encode() for value in values)
    return hmac.new(PURPOSE, material, hashlib.sha512).digest()


def _context(token: SessionToken) -> bytes:
    """Return what is authenticated with the token."""
    return f"{token.instance_url}\n{token.secret_version}".encode()
