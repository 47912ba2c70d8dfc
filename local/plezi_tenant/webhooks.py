"""Webhooks: signed, asynchronous notifications of submitted forms to the connector.

It is not known whether Plezi has such a webhook (assumed). The signature is that of Standard
Webhooks 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import requests

from local.control import SimulatedClock
from local.plezi_tenant.sample import IdGenerator

Deliver: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body with headers to a URL and returns the status of the response."""

TIMEOUT_SECONDS = 10.0
"""Time-out of one delivery. Senders of webhooks use time-outs of 15 to 30 s."""
SECRET_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The target of the webhooks and its credentials."""

    url: str
    signing_key: str = ""
    token: str = ""
    delay_seconds: float = 0.0
    copies: int = 1

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("'url' must begin with http:// or https://")
        if self.delay_seconds < 0 or self.copies < 1:
            raise ValueError("'delay_seconds' is 0 or more, 'copies' is 1 or more")
        if self.signing_key:
            key_bytes(self.signing_key)


def key_bytes(signing_key: str) -> bytes:
    """Return the key of `whsec_<base64>`; the prefix is optional.

    Raises:
        ValueError: when the text is not base64.
    """
    try:
        return base64.b64decode(signing_key.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("'signing_key' must be whsec_ and base64") from error


def signature(signing_key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the `webhook-signature` of a message (Standard Webhooks 1.0.0)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key_bytes(signing_key), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def post_over_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Deliver one message over the network and return the status."""
    with requests.post(
        url, data=body, headers=dict(headers), timeout=TIMEOUT_SECONDS, allow_redirects=False
    ) as response:
        return response.status_code


class Webhooks:
    """The messages sent since the last reset, and their target."""

    def __init__(self, clock: SimulatedClock, seed: int, deliver: Deliver | None) -> None:
        self._clock = clock
        self._seed = seed
        self._deliver = deliver
        self._lock = threading.Lock()
        self._message_ids = IdGenerator(seed)
        self._sent: list[dict[str, Any]] = []
        self._in_progress: list[threading.Timer] = []
        self.target: WebhookTarget | None = None

    def reset(self) -> None:
        """Remove the target and the sent messages."""
        with self._lock:
            self.target = None
            self._sent.clear()
            self._message_ids = IdGenerator(self._seed)

    def publish(self, event: Mapping[str, object]) -> None:
        """Send an event to the target, if there is one, without blocking the caller.

        With an injected `deliver` the event is sent synchronously, so that tests need not wait.
        """
        target = self.target
        if target is None:
            return
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        with self._lock:
            message_id = f"msg_{self._message_ids.next_id()}"
            entry: dict[str, Any] = {
                "id": message_id,
                "url": target.url,
                "body": dict(event),
                "statuses": [],
                "error": None,
                "done": False,
            }
            self._sent.append(entry)
        if self._deliver is not None:
            self._send_copies(self._deliver, target, message_id, body, entry)
            return
        timer = threading.Timer(
            target.delay_seconds,
            self._send_copies,
            (post_over_http, target, message_id, body, entry),
        )
        timer.daemon = True
        with self._lock:
            self._in_progress = [other for other in self._in_progress if other.is_alive()]
            self._in_progress.append(timer)
            timer.start()

    def wait_until_delivered(self, seconds: float = TIMEOUT_SECONDS) -> None:
        """Wait for the deliveries in progress, at most `seconds` for each."""
        with self._lock:
            in_progress = list(self._in_progress)
        for timer in in_progress:
            timer.join(seconds)

    def listing(self) -> list[dict[str, Any]]:
        """Return all messages and their results, the oldest first."""
        with self._lock:
            return [{**entry, "statuses": list(entry["statuses"])} for entry in self._sent]

    def _send_copies(
        self,
        deliver: Deliver,
        target: WebhookTarget,
        message_id: str,
        body: bytes,
        entry: dict[str, Any],
    ) -> None:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
        }
        if target.signing_key:
            headers["webhook-signature"] = signature(
                target.signing_key, message_id, timestamp, body
            )
        if target.token:
            headers["Authorization"] = f"Bearer {target.token}"
        for _ in range(target.copies):
            try:
                status = deliver(target.url, body, headers)
            except (requests.RequestException, OSError) as error:
                with self._lock:
                    entry["error"] = type(error).__name__
            else:
                with self._lock:
                    entry["statuses"].append(status)
        with self._lock:
            entry["done"] = True
