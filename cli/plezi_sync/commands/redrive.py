"""`redrive`: messages that failed five times, and their way back to their queue."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.aws_account import AwsAccount, translated_errors
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import count
from plezi_sync.session import Session

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

DEAD_LETTERS: Final = "{queue}_dead_letters"
BATCH: Final = 10
"""The most messages of one receive (Amazon SQS, quotas)."""
COUNT: Final = "ApproximateNumberOfMessages"
HIDDEN_COUNT: Final = "ApproximateNumberOfMessagesNotVisible"
GROUP: Final = "MessageGroupId"
DEDUPLICATION: Final = "MessageDeduplicationId"


class Queue(StrEnum):
    """The queues whose messages can go back. Those of the schedule came from no queue."""

    RUNS = "runs"
    FORMS = "forms"


def redrive(
    session: Session,
    queue: Annotated[
        Queue | None, typer.Argument(help="Move the messages of this queue back.")
    ] = None,
) -> None:
    """Count the messages that failed five times, or move those of a queue back to it.

    Correct the cause first (`plezi-sync logs`). A message that is moved back has the effect of a
    late one: contacts are read again, and no write is repeated blindly.
    """
    account = session.deployment.account()
    if queue is None:
        _print_counts(session, account)
        return
    source = session.deployment.queue(DEAD_LETTERS.format(queue=queue.value))
    waiting = waiting_messages(account, source)
    if not waiting and not session.as_json:
        session.say(f"No message of the queue {queue.value} waits.")
        return
    moved = 0
    if waiting:
        session.confirm(f"Move {count(waiting, 'message')} back to the queue {queue.value}?")
        moved = _move(account, source, session.deployment.queue(queue.value))
    if session.as_json:
        session.raw(json.dumps({"queue": queue.value, "moved": moved}))
        return
    session.say(f"Moved {count(moved, 'message')}. Next: plezi-sync runs list")


def waiting_messages(account: AwsAccount, url: str) -> int:
    """Return the approximate number of messages of a queue, hidden ones included."""
    with translated_errors():
        found = _client(account).get_queue_attributes(
            QueueUrl=url, AttributeNames=[COUNT, HIDDEN_COUNT]
        )
    return sum(int(number) for number in found["Attributes"].values())


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, redrive, "redrive", panel=Panel.OPERATE, examples=("redrive", "redrive runs"))


def _print_counts(session: Session, account: AwsAccount) -> None:
    names = [name for name in session.deployment.queues if name.endswith("dead_letters")]
    counts = {name: waiting_messages(account, session.deployment.queue(name)) for name in names}
    if session.as_json:
        session.raw(json.dumps(counts))
        return
    rows = [(name, str(number)) for name, number in counts.items()]
    print_table(session, ("Queue", "Messages"), rows, numbers=frozenset({"Messages"}))
    if any(counts.values()):
        session.say("Move them back: plezi-sync redrive runs (or forms)")


def _move(account: AwsAccount, source: str, target: str) -> int:
    """Move messages one by one: each is sent before it is deleted, so that none is lost."""
    moved = 0
    with translated_errors():
        client = _client(account)
        while messages := client.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=BATCH,
            MessageSystemAttributeNames=[GROUP],
        ).get("Messages", []):
            for message in messages:
                _send(client, target, message)
                client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
    return moved


def _send(client: SQSClient, target: str, message: MessageTypeDef) -> None:
    """Send a message again, in its group; its id keeps an interrupted move from doubling it."""
    attributes = message.get("Attributes", {})
    options: Any = {}
    if GROUP in attributes:
        options = {GROUP: attributes[GROUP], DEDUPLICATION: f"redrive-{message['MessageId']}"}
    client.send_message(QueueUrl=target, MessageBody=message["Body"], **options)


def _client(account: AwsAccount) -> SQSClient:
    return account.session.client("sqs", endpoint_url=account.endpoint_url, config=account.config())
