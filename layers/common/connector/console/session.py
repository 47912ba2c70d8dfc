"""The session of a signed-in user: an encrypted cookie, and a token in each form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Final

from connector.console.roles import UserRole, roles_from_groups
from connector.console.seals import Seals

COOKIE: Final = "__Secure-console"
SESSION_SECONDS: Final = 8 * 3600
"""A working day; then the user signs in again, with the second factor."""
CHECK_SECONDS: Final = 300
"""How long what the user pool said about a user counts: whether the account is enabled, and its
groups. It is the validity of the pool's own tokens (template.yaml)."""
PURPOSE: Final = "session"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, verified by the user pool, with the roles of that moment.

    `email` is '' where the user pool did not verify one. `form_token` is in every form that the
    console shows: a form of another site does not have it. `refresh_token` is that of the user
    pool, which asks it again with it. `began_at` and `checked_at` are the times of the sign-in and
    of the last answer of the user pool, in seconds since 1970.
    """

    subject: str
    email: str
    roles: frozenset[UserRole]
    form_token: str
    refresh_token: str = field(repr=False)
    began_at: float
    checked_at: float

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

    def __init__(
        self, seals: Seals, new_token: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        self._seals = seals
        self._new_token = new_token
        self._clock = clock

    def begin(
        self, subject: str, email: str, roles: frozenset[UserRole], refresh_token: str = ""
    ) -> str:
        """Return the value of the cookie of a new session, never that of an earlier one.

        Without a `refresh_token` the session ends when the user pool must be asked again.
        """
        now = self._clock()
        return self._seal(
            Session(subject, email, roles, self._new_token(), refresh_token, now, now)
        )

    def renew(self, session: Session, email: str, roles: frozenset[UserRole]) -> Session:
        """Return a session with what the user pool says about its user now."""
        return replace(session, email=email, roles=roles, checked_at=self._clock())

    def cookie(self, session: Session) -> tuple[str, int]:
        """Return the value of the cookie of a session, and the seconds until its end."""
        left = session.began_at + SESSION_SECONDS - self._clock()
        return self._seal(session), max(int(left), 1)

    def must_be_checked(self, session: Session) -> bool:
        """Return whether the user pool must be asked about the user of a session again."""
        return self._clock() - session.checked_at > CHECK_SECONDS

    def read(self, value: str) -> Session | None:
        """Return the session of a cookie; None if there is none, or it has ended."""
        members = self._seals.unseal(PURPOSE, value, SESSION_SECONDS)
        if members is None:
            return None
        try:
            session = Session(
                str(members["subject"]),
                str(members["email"]),
                roles_from_groups(members["roles"]),
                str(members["form_token"]),
                str(members["refresh_token"]),
                float(members["began_at"]),
                float(members["checked_at"]),
            )
        except KeyError:  # of a version without the checks
            return None
        return session if self._clock() - session.began_at < SESSION_SECONDS else None

    def _seal(self, session: Session) -> str:
        members = {
            "subject": session.subject,
            "email": session.email,
            "roles": sorted(role.value for role in session.roles),
            "form_token": session.form_token,
            "refresh_token": session.refresh_token,
            "began_at": session.began_at,
            "checked_at": session.checked_at,
        }
        return self._seals.seal(PURPOSE, members)
