"""The session of a signed-in user: an encrypted cookie, and a token in each form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from connector.console.roles import UserRole, roles_from_groups
from connector.console.seals import Seals

COOKIE: Final = "__Secure-console"
SESSION_SECONDS: Final = 8 * 3600
"""A working day; then the user pool is asked again, which also renews the roles."""
PURPOSE: Final = "session"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, verified by the user pool, with the roles of that moment.

    `email` is '' where the user pool did not verify one. `form_token` is in every form that the
    console shows: a form of another site does not have it.
    """

    subject: str
    email: str
    roles: frozenset[UserRole]
    form_token: str

    @property
    def actor(self) -> str:
        """The name of the user in the audit log."""
        return (
            f"console: {self.email} ({self.subject})" if self.email else f"console: {self.subject}"
        )

    @property
    def name(self) -> str:
        """The name that the pages show."""
        return self.email or self.subject

    def allows(self, role: UserRole) -> bool:
        """Return whether the user has a role."""
        return role in self.roles

    def accepts(self, token: str) -> bool:
        """Return whether a form is one that this session was shown."""
        return compare_digest(token.encode(), self.form_token.encode())


class Sessions:
    """Makes the cookie of a session, and reads it."""

    def __init__(self, seals: Seals, new_token: Callable[[], str]) -> None:
        self._seals = seals
        self._new_token = new_token

    def begin(self, subject: str, email: str, roles: frozenset[UserRole]) -> str:
        """Return the value of the cookie of a new session, never that of an earlier one."""
        members = {
            "subject": subject,
            "email": email,
            "roles": sorted(role.value for role in roles),
            "form_token": self._new_token(),
        }
        return self._seals.seal(PURPOSE, members)

    def read(self, value: str) -> Session | None:
        """Return the session of a cookie; None if there is none, or it has ended."""
        members = self._seals.unseal(PURPOSE, value, SESSION_SECONDS)
        if members is None:
            return None
        return Session(
            str(members["subject"]),
            str(members["email"]),
            roles_from_groups(members["roles"]),
            str(members["form_token"]),
        )
