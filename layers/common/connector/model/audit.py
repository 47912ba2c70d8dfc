"""The audit log of the admins: its entries, and the hashes in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

DIGEST_CHARACTERS: Final = 16
"""64 bits of SHA-256: enough to distinguish two states, and short enough to compare by eye."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change by an admin.

    `actor` is an IAM ARN, or a user of the console with the id of the user pool. `at` is in seconds
    since 1970. `before` and `after` are hashes of both states ('': there was, or is, no state).
    """

    actor: str
    action: str
    at: float
    subject: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of entries, newest first; `next` is the token of the next page ('': there is none)."""

    entries: tuple[AuditEntry, ...]
    next: str = ""


def state_digest(state: object) -> str:
    """Return the hash of a JSON-ready state; '' for None."""
    if state is None:
        return ""
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
