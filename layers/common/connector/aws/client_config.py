"""The configuration of botocore: time-outs, its own retries, validation, the user agent."""

from __future__ import annotations

from typing import Final, Literal

from botocore.config import Config

from connector.version import VERSION

Service = Literal["dynamodb", "secretsmanager", "sns", "sqs"]

CONNECT_SECONDS: Final = 2.0
"""A connection inside one AWS region is made within milliseconds; after 2 s the host is not
reachable, and another try reaches another host. botocore's default is 60 s."""
READ_SECONDS: Final = 5.0
"""DynamoDB, SQS and Secrets Manager answer within milliseconds, the largest transaction within one
second. botocore's default of 60 s is longer than the time-out of most functions."""
SNS_READ_SECONDS: Final = 10.0
"""SNS publishes to every subscription's queue before it answers; alerts are rare and may wait."""
TOTAL_ATTEMPTS: Final = 2
"""Tries of botocore, the first included. One repetition covers a reused connection that the server
closed; it keeps the token of a transaction. `RetryPolicy` does everything else, with its own
pauses and events, so that two layers of retries do not multiply."""
MAX_CONNECTIONS: Final = 4
"""Connections kept open to one service. A function sends its calls one after another; botocore's
default is 10."""


def client_config(service: Service, *, validate: bool) -> Config:
    """Return botocore's configuration for a service.

    `validate` lets botocore check each parameter against the service's model: on in tests, where it
    finds our defects; off in production, where it costs CPU time for each item and AWS checks too.
    """
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=SNS_READ_SECONDS if service == "sns" else READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
        parameter_validation=validate,
        max_pool_connections=MAX_CONNECTIONS,
        user_agent_extra=f"plezi-salesforce-connector/{VERSION}",
    )
