"""The deployed worker of a stack, with other settings or another program for some time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile


@contextmanager
def changed_worker(
    stack: StackFile, aws: EmbeddedAws, variables: Mapping[str, str], *, handler: str = ""
) -> Iterator[None]:
    """Let the worker run with some other variables, and with another handler if one is given."""
    name = stack.functions["sync_worker"]
    before = aws.functions.get_function_configuration(FunctionName=name)
    environment = before["Environment"]["Variables"]
    aws.functions.update_function_configuration(
        FunctionName=name,
        Handler=handler or before["Handler"],
        Environment={"Variables": {**environment, **variables}},
    )
    try:
        yield
    finally:
        aws.functions.update_function_configuration(
            FunctionName=name, Handler=before["Handler"], Environment={"Variables": environment}
        )


@contextmanager
def short_visibility(stack: StackFile, aws: EmbeddedAws, seconds: int = 1) -> Iterator[None]:
    """Let the runs queue deliver the message of a failed invocation again after some seconds."""
    url = stack.queues["runs"]
    attributes = aws.queues.get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout"]
    )["Attributes"]
    aws.queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        aws.queues.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": attributes["VisibilityTimeout"]}
        )
