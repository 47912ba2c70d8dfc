"""The configuration of botocore: time-outs, its own retries, validation, the user agent."""

from __future__ import annotations

from typing import Final, Literal

from botocore.config import Config

from connector.version import VERSION

Service = Literal["dynamodb", "secretsmanager", "sns", "sqs"]

CONNECT_SECONDS: Final = 2.0
"""A function and the services are in one AWS region, where a connection takes milliseconds; after
2 s a new try is more promising than to wait. botocore's default is 60 s."""
READ_SECONDS: Final = 5.0
"""DynamoDB answers in milliseconds (DynamoDB Developer Guide, "Troubleshooting latency issues",
advises a shorter time-out than the default); 5 s leave room for the largest transaction. botocore's
default of 60 s is longer than the time-out of most functions."""
TOTAL_ATTEMPTS: Final = 1
"""Tries of botocore, the first included: it repeats nothing. `RetryPolicy` covers every call, with
an injected clock and an event for each repetition; two layers of retries would multiply."""
MAX_CONNECTIONS: Final = 16
"""Connections kept open to one service: as many as a function makes calls at the same time (see
`lambda_runtime.PARALLEL_CALLS`). botocore's default is 10."""


def client_config(*, validate: bool) -> Config:
    """Return botocore's configuration, the same for every service that is used.

    `validate` lets botocore check each parameter against the service's model: on in tests, where it
    finds our defects; off in production, where it costs CPU time for each item and AWS checks too.
    """
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
        parameter_validation=validate,
        max_pool_connections=MAX_CONNECTIONS,
        user_agent_extra=f"plezi-salesforce-connector/{VERSION}",
    )
