"""Sessions: an access token, its user and its last use."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.salesforce_org.ids import SHORT

LETTERS = string.ascii_letters + string.digits + "._"
OPAQUE_LENGTH = 96


@dataclass(slots=True)
class Session:
    """One open session; `flow` is the login flow (oauth or soap).

    `refresh_token` is the one that opened the session, "" where none did.
    """

    token: str
    user_id: str
    last_used: datetime
    flow: str
    refresh_token: str = ""


class Sessions:
    """The open sessions by token. A session ends when it is idle too long, or is killed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._open: dict[str, Session] = {}

    def open(self, org_id: str, user_id: str, now: datetime, flow: str) -> Session:
        """Open a session; its token starts with the 15-character id of the org."""
        opaque = "".join(self._rng.choices(LETTERS, k=OPAQUE_LENGTH))
        session = Session(f"{org_id[:SHORT]}!AQ{opaque}", user_id, now, flow)
        self._open[session.token] = session
        return session

    def use(self, token: str, now: datetime, idle_seconds: int) -> Session | None:
        """Return the open session of a token and update its last use, or return None."""
        session = self._open.get(token)
        if session is None:
            return None
        if now - session.last_used > timedelta(seconds=idle_seconds):
            del self._open[token]
            return None
        session.last_used = max(now, session.last_used)
        return session

    def kill(self, token: str) -> bool:
        """End one session and return whether it was open."""
        return self._open.pop(token, None) is not None

    def kill_of_refresh_token(self, refresh_token: str) -> None:
        """End all sessions that a refresh token opened."""
        for token, session in list(self._open.items()):
            if session.refresh_token == refresh_token:
                del self._open[token]

    def kill_all(self, user_id: str | None = None) -> int:
        """End all sessions, or all sessions of one user; return how many."""
        tokens = [t for t, s in self._open.items() if user_id in (None, s.user_id)]
        for token in tokens:
            del self._open[token]
        return len(tokens)
