"""The form door: believe the sender, read whom the form is about, write it down, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from connector.aws.forms_queue import FormsQueue
from connector.aws.secrets import SecretReader
from connector.errors import HaltError
from connector.forms.payload import read_payload
from connector.forms.request import FormRefusedError, WebhookRequest
from connector.forms.signature import SignatureHeaders, is_known_token, is_signed
from connector.model import ChangeHint, IdempotencyRecord
from connector.secrets import FormsCredentials
from connector.telemetry import logger

RETRY_SECONDS: Final = 30
"""When a sender may come back after a 503: AWS's own short troubles are over by then."""
BEARER: Final = "Bearer "


class IdempotencyStore(Protocol):
    """Where message ids are remembered, so that a message has one effect."""

    def begin(self, message: str, trace: str, now: float) -> IdempotencyRecord | None:
        """Remember an id before its hint is sent; return what was remembered already, if it was."""

    def complete(self, message: str, trace: str, timestamp: str, now: float) -> bool:
        """Note that an id's hint is sent; False when this very timestamp was noted before."""


class FormReceiver:
    """Takes forms."""

    def __init__(
        self,
        secrets: SecretReader[FormsCredentials],
        guards: IdempotencyStore,
        inbox: FormsQueue,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._secrets = secrets
        self._guards = guards
        self._inbox = inbox
        self._clock = clock
        self._new_id = new_id

    def receive(self, knock: WebhookRequest) -> str:
        """Write down the hint that a form is; return its trace id once the hint is durable.

        Raises `FormRefusedError`: 401 for a sender that is not believed, and for a replay; 400 for
        what cannot be read; 503 when AWS could not keep it. Nothing is kept of a refused form.
        """
        try:
            claim = self._authenticate(knock)
            email, contact = read_payload(knock.media, knock.body)
            hint = ChangeHint(self._new_id(), email, contact)
            if claim is None:
                self._inbox.send(hint)
                trace = hint.trace_id
            else:
                trace = self._send_once(claim, hint)
        except (BotoCoreError, ClientError) as error:
            logger().error("a form could not be kept", extra={"error": type(error).__name__})
            raise FormRefusedError(
                503, "the form could not be kept; send it again", retry_after=RETRY_SECONDS
            ) from error
        logger().info("a form was taken", extra={"trace_id": trace, "request_id": knock.request_id})
        return trace

    def _authenticate(self, knock: WebhookRequest) -> SignatureHeaders | None:
        """Return the sender's claim, None for a sender with a token."""
        try:
            credentials = self._secrets.current().value
        except HaltError as error:
            logger().error("no form can be taken", extra={"reason": str(error)})
            credentials = FormsCredentials()
        claim = SignatureHeaders(
            knock.header("webhook-id"),
            knock.header("webhook-timestamp"),
            knock.header("webhook-signature"),
        )
        if claim.signatures:
            if is_signed(claim, knock.body, credentials.keys(), self._clock()):
                return claim
        elif is_known_token(_token(knock), credentials.known_tokens()):
            return None
        raise FormRefusedError(401, UNAUTHORIZED)

    def _send_once(self, claim: SignatureHeaders, hint: ChangeHint) -> str:
        """Send a hint unless its message was sent before; return the trace it was sent with.

        First the guard, then the hint, then the note that it was sent: whoever dies in between
        leaves a guard without that note, and the sender's next try sends the hint.
        """
        message, now = hashlib.sha256(claim.message_id.encode()).hexdigest(), self._clock()
        guard = self._guards.begin(message, hint.trace_id, now) or IdempotencyRecord(
            hint.trace_id, sent=False
        )
        if not guard.sent:
            self._inbox.send(ChangeHint(guard.trace_id, hint.email, hint.contact_id))
        fresh = self._guards.complete(message, guard.trace_id, claim.timestamp, now)
        if guard.sent and not fresh:
            raise FormRefusedError(401, UNAUTHORIZED)
        return guard.trace_id


def _token(knock: WebhookRequest) -> str:
    """Return the token of a sender that cannot sign: in our own header, or as a bearer token."""
    authorization = knock.header("authorization")
    bearer = authorization.removeprefix(BEARER) if authorization.startswith(BEARER) else ""
    return knock.header("x-form-token") or bearer


UNAUTHORIZED: Final = (
    "unauthorized: sign each form once, as Standard Webhooks 1.0.0 does, with a live key and a "
    "clock that is right to five minutes"
)
