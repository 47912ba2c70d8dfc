"""One logger, one set of metric names, one tracer. Never a value that a person typed.

Names of metrics are members of an enumeration, so that a dashboard and the code cannot drift apart.
"""

from __future__ import annotations

from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = "plezi-salesforce"


class Metric(StrEnum):
    """The metrics that the connector publishes."""

    SEEN = "RecordsSeen"
    WRITTEN = "RecordsWritten"
    HELD = "FieldsHeld"
    QUARANTINED = "LinksQuarantined"
    CALLS = "ApiCalls"
    WINDOW = "ReadToWriteWindow"
    RUN_DONE = "RunsDone"
    RUN_HALTED = "RunsHalted"


logger = Logger(service=SERVICE)
tracer = Tracer(service=SERVICE)
metrics = Metrics(namespace="PleziSalesforce", service=SERVICE)


def count(metric: Metric, number: float, unit: MetricUnit = MetricUnit.Count) -> None:
    """Publish a number under a metric's name."""
    metrics.add_metric(name=metric.value, unit=unit, value=number)
