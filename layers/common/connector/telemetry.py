"""One logger and one set of metric names. Never a value that a person typed.

Both are made at first use, so that importing a function reads no environment; the name of the
service, a dimension of every metric, comes from POWERTOOLS_SERVICE_NAME. Metric names are
members of an enumeration, so that a dashboard and the code cannot drift apart.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "PleziSalesforce"


class Metric(StrEnum):
    """The metrics that the connector publishes; dimensions are added by Powertools."""

    RUNS_DONE = "RunsDone"
    RUNS_HALTED = "RunsHalted"
    RECORDS_SEEN = "RecordsSeen"
    RECORDS_WRITTEN = "RecordsWritten"
    LINKS_QUARANTINED = "LinksQuarantined"
    FIELDS_HELD = "FieldsHeld"
    API_CALLS = "ApiCalls"


@lru_cache(maxsize=1)
def logger() -> Logger:
    """Return the logger: one JSON object a line."""
    return Logger()


@lru_cache(maxsize=1)
def _metrics() -> Metrics:
    return Metrics(namespace=NAMESPACE)


def place_of(error: BaseException) -> dict[str, str]:
    """Return the kind and the place of an error, which is all that may be logged of it.

    The libraries below may quote an address or an e-mail in an error's text.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return {"error": type(error).__name__, "where": where}


def publish(numbers: Mapping[Metric, float]) -> None:
    """Publish some numbers now, as one embedded-metric line of the log."""
    for metric, number in numbers.items():
        _metrics().add_metric(name=metric.value, unit=MetricUnit.Count, value=number)
    _metrics().flush_metrics()
