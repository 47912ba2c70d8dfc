"""Sessions: an access token, whose it is, and when it was last used."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.salesforce_org.ids import SHORT

LETTERS = string.ascii_letters + string.digits + "._"
OPAQUE = 96


@dataclass(slots=True)
class Session:
    """One living session."""

    token: str
    user_id: str
    last_used: datetime
    by: str


class Sessions:
    """The living sessions by token. A session dies when it is idle too long, or is killed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._alive: dict[str, Session] = {}

    def open(self, org_id: str, user_id: str, now: datetime, by: str) -> Session:
        """Open a session; its token starts with the 15-character id of the org."""
        opaque = "".join(self._chance.choices(LETTERS, k=OPAQUE))
        session = Session(f"{org_id[:SHORT]}!AQ{opaque}", user_id, now, by)
        self._alive[session.token] = session
        return session

    def use(self, token: str, now: datetime, idle_seconds: int) -> Session | None:
        """Return the living session of a token and note that it was used, or None."""
        session = self._alive.get(token)
        if session is None:
            return None
        if now - session.last_used > timedelta(seconds=idle_seconds):
            del self._alive[token]
            return None
        session.last_used = max(now, session.last_used)
        return session

    def kill(self, token: str) -> bool:
        """End one session; tell whether it was alive."""
        return self._alive.pop(token, None) is not None

    def kill_all(self, user_id: str | None = None) -> int:
        """End every session, or every session of one user; return how many."""
        dead = [t for t, s in self._alive.items() if user_id in (None, s.user_id)]
        for token in dead:
            del self._alive[token]
        return len(dead)
