"""An imitation of SQS with Lambda's poller: visibility, redelivery, groups, dead letters.

Amazon SQS Developer Guide, "Amazon SQS visibility timeout", "FIFO queue delivery logic" and
"Dead-letter queues"; Lambda Developer Guide, "Using Lambda with Amazon SQS": a batch that fails is
visible again when its visibility time-out ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.rehearsal.functions import Function, Invocation, Outcome
from local.rehearsal.kernel import Kernel

DELIVERY_SECONDS: Final = 0.05
"""Assumed: from the send of a message to the start of the function."""
DEDUPLICATION_SECONDS: Final = 300.0
"""For how long a FIFO queue drops a message with a known deduplication id (SQS)."""
MAX_DELAY_SECONDS: Final = 900
MAX_MESSAGE_BYTES: Final = 1_048_576
"""1 MiB (Amazon SQS Developer Guide, "Message quotas", since August 2025)."""


@dataclass(slots=True)
class Message:
    """One message; `visible_at` is when it may be delivered, `receives` how often it was."""

    id: str
    body: str
    group: str
    sent_at: float
    visible_at: float
    receives: int = 0
    in_flight: bool = False


@dataclass(slots=True)
class QueueFaults:
    """What at-least-once delivery may do; 0 is never.

    `duplicate_every`: each n-th message is delivered once more after it was handled.
    """

    duplicate_every: int = 0


@dataclass(slots=True)
class Queue:
    """One queue that invokes one function, one message at a time.

    `is_fifo`: within a group, one message is in flight at a time, in the order of the sends.
    """

    kernel: Kernel
    name: str
    visibility: float
    max_receives: int
    concurrency: int
    is_fifo: bool
    messages: list[Message] = field(default_factory=list)
    dead_letters: list[Message] = field(default_factory=list)
    faults: QueueFaults = field(default_factory=QueueFaults)
    sends: int = 0
    requests: int = 0
    function: Function | None = None
    _handled: int = 0
    _known: dict[str, float] = field(default_factory=dict)

    def send(self, body: str, *, group: str = "", token: str = "", delay: float = 0.0) -> str:
        """Take a message, and return its id; a FIFO queue drops one whose token it knows."""
        if len(body.encode()) > MAX_MESSAGE_BYTES:
            raise ValueError("a message has 1 MiB at most")
        now = self.kernel.time
        self.requests += 1
        if self.is_fifo:
            if not group or not token:
                raise ValueError("a FIFO queue needs a group and a deduplication id")
            if now - self._known.get(token, -DEDUPLICATION_SECONDS) < DEDUPLICATION_SECONDS:
                return token
            self._known[token] = now
        self.sends += 1
        message = Message(f"{self.name}-{self.sends}", body, group, now, now + delay)
        self.messages.append(message)
        self._wake(message.visible_at + DELIVERY_SECONDS)
        return message.id

    @property
    def is_idle(self) -> bool:
        """Whether no message waits, is delayed or is in flight."""
        return not self.messages

    def mentions(self, text: str) -> bool:
        """Return whether a message that waits or is in flight contains a text."""
        return any(text in message.body for message in self.messages)

    def _wake(self, time: float) -> None:
        self.kernel.at(time, self._deliver)

    def _deliver(self) -> None:
        """Start an invocation for each message that may be delivered now."""
        function = self.function
        if function is None:
            return
        busy = {message.group for message in self.messages if message.in_flight}
        for message in list(self.messages):
            if function.running >= self.concurrency:
                return
            if self.is_fifo and message.group in busy:
                continue
            if self.is_fifo:
                busy.add(message.group)  # a later message of the group waits for this one
            if message.in_flight or message.visible_at > self.kernel.time:
                continue
            if message.receives >= self.max_receives:
                self.messages.remove(message)
                self.dead_letters.append(message)
                self._wake(self.kernel.time)
                return
            self._start(function, message)

    def _start(self, function: Function, message: Message) -> None:
        message.receives += 1
        message.in_flight = True
        message.visible_at = self.kernel.time + self.visibility
        self.requests += 1
        record = {
            "messageId": message.id,
            "receiptHandle": f"{message.id}-{message.receives}",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }
        function.invoke({"Records": [record]}, lambda ended: self._ended(message, ended))

    def _ended(self, message: Message, ended: Invocation) -> None:
        message.in_flight = False
        if ended.outcome is Outcome.DONE and not _failed(message, ended.result):
            self.requests += 1
            self._handled += 1
            every = self.faults.duplicate_every
            if every and not self._handled % every and message.receives == 1:
                message.visible_at = self.kernel.time
            else:
                self.messages.remove(message)
            self._wake(self.kernel.time + DELIVERY_SECONDS)
            return
        self._wake(max(self.kernel.time, message.visible_at) + DELIVERY_SECONDS)


def _failed(message: Message, result: object) -> bool:
    """Return whether a response names this message among those that failed."""
    failures = result.get("batchItemFailures", []) if isinstance(result, Mapping) else []
    return any(each["itemIdentifier"] == message.id for each in failures)


class SqsClient:
    """Answers as botocore's SQS client does, for the operation that is used."""

    def __init__(self, queues: Sequence[Queue], travel: Callable[[str, int], None]) -> None:
        self._queues = {queue.name: queue for queue in queues}
        self._travel = travel

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803  # as botocore
        MessageBody: str,  # noqa: N803  # as botocore
        MessageGroupId: str = "",  # noqa: N803  # as botocore
        MessageDeduplicationId: str = "",  # noqa: N803  # as botocore
        DelaySeconds: int = 0,  # noqa: N803  # as botocore
    ) -> dict[str, Any]:
        """Send a message."""
        if not 0 <= DelaySeconds <= MAX_DELAY_SECONDS:
            raise ValueError("DelaySeconds is 0 to 900")
        self._travel("SendMessage", 1)
        message = self._queues[QueueUrl].send(
            MessageBody, group=MessageGroupId, token=MessageDeduplicationId, delay=DelaySeconds
        )
        self._travel("SendMessage", 1)
        return {"MessageId": message}
