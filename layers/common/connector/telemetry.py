"""The log and the metrics of the deployed functions, by Powertools.

The logger is made at first use, so that importing a function reads no environment. The name of the
service, a dimension of every metric, comes from POWERTOOLS_SERVICE_NAME. Metric names are members
of an enumeration, so that a dashboard and the code cannot differ.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar

from aws_lambda_powertools import Logger

from connector.log_events import Event, Level
from connector.version import VERSION

NAMESPACE: Final = "PleziSalesforce"
OUR_PACKAGES: Final = ("/connector/", "/functions/")
"""Parts of the path of a file of our own, in the layer and in the checkout."""

Result = TypeVar("Result")


class Metric(StrEnum):
    """The metrics that the connector publishes; Powertools adds the dimensions.

    `HEARTBEAT` is 1 for an invocation that ended as it should: its run is done, continues, or found
    synchronization paused or not enabled yet.
    """

    RUNS_DONE = "RunsDone"
    HEARTBEAT = "Heartbeat"
    RUNS_HALTED = "RunsHalted"
    RECORDS_SEEN = "RecordsSeen"
    RECORDS_WRITTEN = "RecordsWritten"
    LINKS_QUARANTINED = "LinksQuarantined"
    FIELDS_HELD = "FieldsHeld"
    API_CALLS = "ApiCalls"
    DRIFT_RATE = "DriftRate"
    FORMS_ACCEPTED = "FormsAccepted"
    FORMS_REFUSED = "FormsRefused"
    FORM_SECONDS = "FormSeconds"
    FORMS_GIVEN_UP = "FormsGivenUp"
    QUARANTINE_LINKS = "QuarantineLinks"
    QUARANTINE_DAYS = "QuarantineDays"
    API_SHARE_PERCENT = "ApiSharePercent"
    PASSWORD_DAYS = "PasswordDays"  # noqa: S105  # the name of a metric
    CREDENTIAL_DAYS = "CredentialDays"
    ROTATIONS_REFUSED = "RotationsRefused"
    ALERTS_FAILED = "AlertsFailed"


FRACTIONS: Final = frozenset({Metric.DRIFT_RATE})
"""The metrics without a unit: a fraction, as the parameter of the template; others are counts."""


COUNTED: Final[Mapping[Event, Metric]] = {
    Event.form_received: Metric.FORMS_ACCEPTED,
    Event.form_refused: Metric.FORMS_REFUSED,
    Event.form_given_up: Metric.FORMS_GIVEN_UP,
    Event.rotation_refused: Metric.ROTATIONS_REFUSED,
    Event.alert_failed: Metric.ALERTS_FAILED,
}
"""Each of these events is one more of its metric."""
MEASURED: Final[Mapping[Event, Mapping[str, Metric]]] = {
    Event.form_processed: {"seconds": Metric.FORM_SECONDS},
    Event.health_measured: {
        "quarantine_links": Metric.QUARANTINE_LINKS,
        "quarantine_days": Metric.QUARANTINE_DAYS,
        "api_share_percent": Metric.API_SHARE_PERCENT,
        "password_days": Metric.PASSWORD_DAYS,
        "credential_days": Metric.CREDENTIAL_DAYS,
    },
}
"""These fields of an event are the values of metrics; None is no value."""


@lru_cache(maxsize=1)
def logger() -> Logger:
    """Return the logger: one JSON object a line, each with the version of the connector."""
    log = Logger()
    log.append_keys(version=VERSION)
    return log


def log_event(event: Event, /, **fields: object) -> None:
    """Write one event to the log, and publish its metrics. Satisfies `log_events.EventLog`."""
    write: dict[Level, Callable[..., None]] = {
        Level.DEBUG: logger().debug,
        Level.INFO: logger().info,
        Level.WARNING: logger().warning,
        Level.ERROR: logger().error,
    }
    write[event.level](event.name, extra=fields)
    numbers = event_metrics(event, fields)
    if numbers:
        publish(numbers)


def event_metrics(event: Event, fields: Mapping[str, object]) -> dict[str, float]:
    """Return the metrics of one event: its count, and the numbers in its fields."""
    numbers = {COUNTED[event].value: 1.0} if event in COUNTED else {}
    for name, metric in MEASURED.get(event, {}).items():
        value = fields.get(name)
        if isinstance(value, (int, float)):
            numbers[metric.value] = float(value)
    return numbers


def with_lambda_context(
    handler: Callable[[dict[str, Any], Any], Result],
) -> Callable[[dict[str, Any], Any], Result]:
    """Add request id, function name and whether this is a cold start to every log line."""

    @wraps(handler)
    def handle(event: dict[str, Any], context: Any) -> Result:  # noqa: ANN401  # Lambda's object
        call: Callable[..., Result] = logger().inject_lambda_context(handler)
        return call(event, context)

    return handle


def describe_error(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an error: its class, its place, and AWS's code and operation.

    Its text may not: the libraries below may quote an address or an e-mail in it. `frame` is the
    last place in our own code, `library_frame` the place where the error was raised, if that is
    another one.
    """
    frames = [f"{it.filename}:{it.lineno}" for it in traceback.extract_tb(error.__traceback__)]
    ours = [frame for frame in frames if any(name in frame for name in OUR_PACKAGES)]
    described = {"error": type(error).__name__, "frame": ours[-1] if ours else ""}
    if frames and frames[-1] != described["frame"]:
        described["library_frame"] = frames[-1]
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        described["aws_code"] = str(response.get("Error", {}).get("Code", ""))
        described["aws_operation"] = str(getattr(error, "operation_name", ""))
    return described


def publish(numbers: Mapping[str, float]) -> None:
    """Publish numbers, by the metric's name, as one line of CloudWatch's embedded metric format."""
    # Imported at first use; the import of the logger has loaded these modules already.
    from aws_lambda_powertools import Metrics  # noqa: PLC0415
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace=NAMESPACE)
    for metric, number in numbers.items():
        unit = MetricUnit.NoUnit if metric in FRACTIONS else MetricUnit.Count
        metrics.add_metric(name=Metric(metric).value, unit=unit, value=number)
    metrics.flush_metrics()
