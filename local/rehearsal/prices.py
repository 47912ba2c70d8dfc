"""What a rehearsal would cost on AWS, by the public on-demand prices.

Region eu-west-1 (Ireland), US dollars, without the free tier, as of November 2026. Sources: Amazon
DynamoDB pricing, "On-demand capacity" (1.4135 and 0.283 a million until AWS halved both in November
2024), AWS Lambda pricing (Arm), Amazon SQS pricing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000
DYNAMODB_WRITE_PER_MILLION: Final = 0.70675
"""Write request units, standard table class."""
DYNAMODB_READ_PER_MILLION: Final = 0.1415
"""Read request units, standard table class."""
LAMBDA_GB_SECOND: Final = 0.0000133334
"""Arm, first tier."""
LAMBDA_PER_MILLION: Final = 0.20
SQS_PER_MILLION: Final = 0.50
"""FIFO requests; standard requests cost 0.40."""


@dataclass(frozen=True, slots=True)
class Money:
    """US dollars, by service."""

    dynamodb_writes: float
    dynamodb_reads: float
    lambda_time: float
    requests: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.dynamodb_writes + self.dynamodb_reads + self.lambda_time + self.requests


def money(
    *, writes: float, reads: float, gigabyte_seconds: float, invocations: int, messages: int
) -> Money:
    """Return what units, memory time, invocations and requests to queues cost."""
    return Money(
        writes * DYNAMODB_WRITE_PER_MILLION / MILLION,
        reads * DYNAMODB_READ_PER_MILLION / MILLION,
        gigabyte_seconds * LAMBDA_GB_SECOND,
        (invocations * LAMBDA_PER_MILLION + messages * SQS_PER_MILLION) / MILLION,
    )
