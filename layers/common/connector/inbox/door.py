"""The form door: believe the sender, read whom the form is about, write it down, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from connector.credentials import FormsCredentials
from connector.errors import HaltError
from connector.inbox.contents import read_content
from connector.inbox.forms import FormsInbox
from connector.inbox.knocks import FormRefusedError, Knock
from connector.model import Hint
from connector.secrets_manager import SecretReader
from connector.signatures import Claim, Guard, is_known, is_signed
from connector.telemetry import logger

RETRY_SECONDS: Final = 30
"""When a sender may come back after a 503: AWS's own short troubles are over by then."""
BEARER: Final = "Bearer "


class Guards(Protocol):
    """Where message ids are remembered, so that a message has one effect."""

    def open_guard(self, message: str, trace: str, now: float) -> Guard | None:
        """Remember an id before its hint is sent; return what was remembered already, if it was."""

    def close_guard(self, message: str, trace: str, timestamp: str, now: float) -> bool:
        """Note that an id's hint is sent; False when this very timestamp was noted before."""


class FormDoor:
    """Takes forms."""

    def __init__(
        self,
        secrets: SecretReader[FormsCredentials],
        guards: Guards,
        inbox: FormsInbox,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._secrets = secrets
        self._guards = guards
        self._inbox = inbox
        self._clock = clock
        self._new_id = new_id

    def take(self, knock: Knock) -> str:
        """Write down the hint that a form is; return its trace id once the hint is durable.

        Raises `FormRefusedError`: 401 for a sender that is not believed, and for a replay; 400 for
        what cannot be read; 503 when AWS could not keep it. Nothing is kept of a refused form.
        """
        try:
            claim = self._believed(knock)
            email, contact = read_content(knock.media, knock.body)
            hint = Hint(self._new_id(), email, contact)
            if claim is None:
                self._inbox.send(hint)
                trace = hint.trace
            else:
                trace = self._once(claim, hint)
        except (BotoCoreError, ClientError) as error:
            logger().error("a form could not be kept", extra={"error": type(error).__name__})
            raise FormRefusedError(
                503, "the form could not be kept; send it again", retry_after=RETRY_SECONDS
            ) from error
        logger().info("a form was taken", extra={"trace_id": trace, "request_id": knock.request_id})
        return trace

    def _believed(self, knock: Knock) -> Claim | None:
        """Return the sender's claim, None for a sender with a token."""
        try:
            credentials = self._secrets.current().material
        except HaltError as error:
            logger().error("no form can be taken", extra={"reason": str(error)})
            credentials = FormsCredentials()
        claim = Claim(
            knock.header("webhook-id"),
            knock.header("webhook-timestamp"),
            knock.header("webhook-signature"),
        )
        if claim.signatures:
            if is_signed(claim, knock.body, credentials.keys(), self._clock()):
                return claim
        elif is_known(_token(knock), credentials.known_tokens()):
            return None
        raise FormRefusedError(401, NOT_BELIEVED)

    def _once(self, claim: Claim, hint: Hint) -> str:
        """Send a hint unless its message was sent before; return the trace it was sent with.

        First the guard, then the hint, then the note that it was sent: whoever dies in between
        leaves a guard without that note, and the sender's next try sends the hint.
        """
        message, now = hashlib.sha256(claim.message_id.encode()).hexdigest(), self._clock()
        guard = self._guards.open_guard(message, hint.trace, now) or Guard(hint.trace, sent=False)
        if not guard.sent:
            self._inbox.send(Hint(guard.trace, hint.email, hint.contact))
        fresh = self._guards.close_guard(message, guard.trace, claim.timestamp, now)
        if guard.sent and not fresh:
            raise FormRefusedError(401, NOT_BELIEVED)
        return guard.trace


def _token(knock: Knock) -> str:
    """Return the token of a sender that cannot sign: in our own header, or as a bearer token."""
    authorization = knock.header("authorization")
    bearer = authorization.removeprefix(BEARER) if authorization.startswith(BEARER) else ""
    return knock.header("x-form-token") or bearer


NOT_BELIEVED: Final = (
    "unauthorized: sign each form once, as Standard Webhooks 1.0.0 does, with a live key and a "
    "clock that is right to five minutes"
)
