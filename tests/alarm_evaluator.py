"""CloudWatch for tests: metrics that were recorded, and the state of an alarm of the template.

The embedded AWS stores alarms and never evaluates them. The rules here are those of the CloudWatch
User Guide, "Using Amazon CloudWatch alarms": the last periods are compared with the threshold, and
a period without data is treated as the alarm states. One rule is left out: CloudWatch looks at some
earlier periods too when data is missing, so a real alarm may be raised a few minutes later.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from tests.template.conftest import ROOT, Template, _Loader

Dimensions = frozenset[tuple[str, str]]
Key = tuple[str, str, Dimensions]

STATISTICS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
}
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "LessThanThreshold": lambda value, limit: value < limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}
MISSING_IS_BREACHING: Final = {"breaching": True, "notBreaching": False}


@dataclass
class MetricRecorder:
    """The values of metrics with their times, in seconds, in the order of time."""

    values: dict[Key, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, at: float
    ) -> None:
        """Record one value."""
        key = (namespace, name, frozenset(dimensions.items()))
        insort(self.values[key], (at, value))

    def add_printed(self, printed: str, at: float) -> None:
        """Record the metrics in the lines of a function's output, as CloudWatch Logs does.

        Source: CloudWatch User Guide, "Specification: Embedded metric format".
        """
        for line in printed.splitlines():
            if not line.startswith('{"_aws"'):
                continue
            document = json.loads(line)
            for directive in document["_aws"]["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    dimensions = {name: document[name] for name in names}
                    for metric in directive["Metrics"]:
                        for value in document[metric["Name"]]:
                            self.add(directive["Namespace"], metric["Name"], dimensions, value, at)


def load_template() -> Template:
    """Return the template."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return Template(yaml.load(text, _Loader))  # noqa: S506  # a safe loader, with constructors for tags


def resource_name(value: Any) -> str:
    """Return a dimension's value as tests record it: the logical name of a resource, or a text."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    return str(value)


@dataclass(frozen=True)
class AlarmEvaluator:
    """Evaluates the alarms of the template on recorded metrics."""

    template: Template
    recorder: MetricRecorder

    @property
    def names(self) -> list[str]:
        """The logical names of all alarms."""
        return sorted(self.template.of_type("AWS::CloudWatch::Alarm"))

    def raised(self, now: float) -> set[str]:
        """Return the alarms that are in the state ALARM."""
        return {name for name in self.names if self.is_raised(name, now)}

    def is_raised(self, name: str, now: float) -> bool:
        """Return whether an alarm is in the state ALARM at a time, in seconds."""
        alarm = self.template.properties(name)
        periods = range(alarm["EvaluationPeriods"])
        seconds = alarm["Period"]
        return all(
            self._is_breaching(alarm, now - (number + 1) * seconds, now - number * seconds)
            for number in periods
        )

    def _is_breaching(self, alarm: Mapping[str, Any], start: float, end: float) -> bool:
        values = list(self._values(alarm, start, end))
        if not values:
            return MISSING_IS_BREACHING[alarm["TreatMissingData"]]
        limit = self.template.default(alarm["Threshold"])
        assert isinstance(limit, (int, float))
        value = STATISTICS[alarm["Statistic"]](values)
        return COMPARISONS[alarm["ComparisonOperator"]](value, limit)

    def _values(self, alarm: Mapping[str, Any], start: float, end: float) -> Iterable[float]:
        dimensions = frozenset(
            (each["Name"], resource_name(each["Value"])) for each in alarm["Dimensions"]
        )
        recorded = self.recorder.values.get(
            (alarm["Namespace"], alarm["MetricName"], dimensions), []
        )
        first = bisect_right(recorded, (start, math.inf))
        last = bisect_right(recorded, (end, math.inf))
        return (value for _, value in recorded[first:last])
