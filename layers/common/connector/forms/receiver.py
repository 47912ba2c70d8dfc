"""The receiver of forms: authenticate the sender, read the contact, queue a change hint, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from connector.errors import HaltError, RetryError
from connector.forms.keys import FormsKeys
from connector.forms.payload import read_payload
from connector.forms.request import FormRefusedError, WebhookRequest
from connector.forms.signature import SignatureHeaders, is_known_token, is_signed
from connector.log_events import Event, EventLog
from connector.model import ChangeHint, HintedContact, IdempotencyRecord
from connector.secret_version import Secret

RETRY_SECONDS: Final = 30
"""When a sender may try again after status 503: short problems of AWS are over by then."""
SECRET_RETRY_SECONDS: Final = 300
"""The same for an unusable secret: it is read again after five minutes (`aws/secrets.py`)."""
NOT_CONFIGURED: Final = "the form endpoint has no usable key; send the form again later"
NO_KEYS: Final = (
    "the secret for forms has no signing key and no token: put one (docs/operations.md, section "
    "Secrets)"
)
BEARER: Final = "Bearer "
UNAUTHORIZED: Final = (
    "unauthorized: sign each form once, as in Standard Webhooks 1.0.0, with a current key and a "
    "clock that differs by less than five minutes"
)


class IdempotencyStore(Protocol):
    """Where message ids are stored, so that each message has one effect."""

    def begin(self, message: str, trace: str, now: float) -> IdempotencyRecord | None:
        """Store an id before its hint is queued; return the record that existed before, if any."""

    def complete(self, message: str, trace: str, timestamp: str, now: float) -> bool:
        """Record that the hint is queued; return False if this timestamp was recorded before."""


class HintWriter(Protocol):
    """Where it is stored whom hints are about."""

    def save(self, trace: str, contact: HintedContact, now: float) -> None:
        """Store whom a hint is about; it may be repeated."""


class HintQueue(Protocol):
    """Where change hints are queued, without saying whom they are about."""

    def send(self, hint: ChangeHint) -> None:
        """Queue a hint."""


class FormReceiver:
    """Receives forms."""

    def __init__(
        self,
        keys: Callable[[], Secret[FormsKeys]],
        idempotency: IdempotencyStore,
        hints: HintWriter,
        queue: HintQueue,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        log: EventLog,
    ) -> None:
        self._keys = keys
        self._idempotency = idempotency
        self._hints = hints
        self._queue = queue
        self._clock = clock
        self._new_id = new_id
        self._log = log

    def receive(self, request: WebhookRequest) -> str:
        """Queue the change hint of a form; return its trace id once the hint is durable.

        Raises `FormRefusedError`: 401 for a sender that is not authenticated and for a replay, 400
        for a payload that cannot be read, 503 when AWS could not store the hint or the secret with
        the keys cannot be used. Nothing of a refused form is stored.
        """
        try:
            headers = self._authenticate(request)
            email, contact = read_payload(request.media, request.body)
            hint = ChangeHint(self._new_id(), email, contact, received_at=self._clock())
            if headers is None:
                self._send(hint)
                trace_id = hint.trace_id
            else:
                trace_id = self._send_once(headers, hint)
        except (RetryError, BotoCoreError, ClientError) as error:
            raise FormRefusedError(
                503, "the form could not be stored; send it again", retry_after=RETRY_SECONDS
            ) from error
        self._log(
            Event.form_received,
            trace_id=trace_id,
            api_request_id=request.request_id,
            signed=headers is not None,
        )
        return trace_id

    def _authenticate(self, request: WebhookRequest) -> SignatureHeaders | None:
        """Return the signature headers of an authenticated sender, None for one with a token."""
        keys = self._usable_keys()
        headers = SignatureHeaders(
            request.header("webhook-id"),
            request.header("webhook-timestamp"),
            request.header("webhook-signature"),
        )
        if headers.signatures:
            if is_signed(headers, request.body, keys.signing_keys, self._clock()):
                return headers
        elif is_known_token(_token(request), keys.tokens):
            return None
        raise FormRefusedError(401, UNAUTHORIZED)

    def _usable_keys(self) -> FormsKeys:
        """Return the keys; without any, no sender is wrong, so each may send its form again."""
        try:
            secret = self._keys()
        except HaltError as error:
            self._log(Event.forms_secret_unusable, cause=str(error))
            raise _not_configured() from error
        age = self._clock() - secret.created_at if secret.created_at else 0.0
        keys = secret.value.accepted(age)
        if not keys.signing_keys and not keys.tokens:
            self._log(Event.forms_secret_unusable, cause=NO_KEYS)
            raise _not_configured()
        return keys

    def _send_once(self, headers: SignatureHeaders, hint: ChangeHint) -> str:
        """Queue a hint unless its message was queued before; return the trace id of the message.

        The idempotency record is stored first, then whom the hint is about, then the hint is queued
        and the record completed. A process that stops in between leaves an incomplete record, and
        the sender's next attempt queues the hint.
        """
        message = hashlib.sha256(headers.message_id.encode()).hexdigest()
        now = self._clock()
        existing = self._idempotency.begin(message, hint.trace_id, now)
        record = existing or IdempotencyRecord(hint.trace_id, sent=False)
        if not record.sent:
            self._send(replace(hint, trace_id=record.trace_id))
        is_new = self._idempotency.complete(message, record.trace_id, headers.timestamp, now)
        if record.sent and not is_new:
            raise FormRefusedError(401, UNAUTHORIZED)
        return record.trace_id

    def _send(self, hint: ChangeHint) -> None:
        """Store whom a hint is about, then queue it."""
        contact = HintedContact(hint.email, hint.contact_id)
        self._hints.save(hint.trace_id, contact, hint.received_at)
        self._queue.send(hint)


def _not_configured() -> FormRefusedError:
    return FormRefusedError(503, NOT_CONFIGURED, retry_after=SECRET_RETRY_SECONDS)


def _token(request: WebhookRequest) -> str:
    """Return the token of a sender that cannot sign: in our own header, or as a bearer token."""
    authorization = request.header("authorization")
    bearer = authorization.removeprefix(BEARER) if authorization.startswith(BEARER) else ""
    return request.header("x-form-token") or bearer
