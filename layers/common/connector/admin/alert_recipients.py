"""Who gets the alerts by e-mail: people are added and removed."""

from __future__ import annotations

import re
from typing import Final, Protocol

from connector.admin.context import AdminContext, Recipient
from connector.admin.errors import InvalidRequestError, UnknownItemError
from connector.clean_text import canonical_email
from connector.errors import StaleError

EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MAX_EMAIL_CHARACTERS: Final = 254
"""The longest address that a server accepts (RFC 5321, 4.5.3.1.3, without the brackets)."""
MAX_RECIPIENTS: Final = 50
"""Half of what is listed; more people are reached by the address of a group."""
PROTOCOL: Final = "email"


class Subscriptions(Protocol):
    """The subscriptions of the topic of alerts."""

    def subscribe(self, email: str) -> None:
        """Send somebody the request to confirm that alerts are wanted."""

    def unsubscribe(self, email: str) -> None:
        """Send no more alerts to a confirmed recipient."""


def add_recipient(
    context: AdminContext, subscriptions: Subscriptions, actor: str, text: str
) -> None:
    """Ask somebody by e-mail to confirm the alerts. Raises `InvalidRequestError`, `StaleError`."""
    email = canonical_email(text)
    if not EMAIL.fullmatch(email) or len(email) > MAX_EMAIL_CHARACTERS:
        raise InvalidRequestError("email: must be one e-mail address, such as ops@example.com")
    present = context.recipients()
    if _of(present, email) is not None:
        raise StaleError(f"{email} is a recipient already")
    if len(present) >= MAX_RECIPIENTS:
        raise StaleError(
            f"there are {len(present)} recipients: add the address of a group instead of its people"
        )
    subscriptions.subscribe(email)
    context.audit_change(actor, "add recipient", email)


def remove_recipient(
    context: AdminContext, subscriptions: Subscriptions, actor: str, text: str
) -> None:
    """Send no more alerts to somebody. Raises `UnknownItemError`, or `StaleError`.

    The last recipient is not removed. Who did not confirm gets no alerts, and is removed by AWS.
    """
    email = canonical_email(text)
    present = context.recipients()
    found = _of(present, email)
    if found is None:
        raise UnknownItemError(f"{email} is not a recipient by e-mail")
    if not found.confirmed:
        raise StaleError(f"{email} has not confirmed: this recipient gets no alerts, and lapses")
    if not any(it.confirmed and it is not found for it in present):
        raise StaleError(
            f"{email} is the last recipient: nobody would learn of a problem. Add another one "
            "first, who must confirm"
        )
    subscriptions.unsubscribe(found.endpoint)
    context.audit_change(actor, "remove recipient", email)


def _of(recipients: tuple[Recipient, ...], email: str) -> Recipient | None:
    """Return the recipient with an e-mail, a confirmed one first."""
    found = [
        it for it in recipients if it.protocol == PROTOCOL and canonical_email(it.endpoint) == email
    ]
    return next(iter(sorted(found, key=lambda it: not it.confirmed)), None)
