"""Rules of the alarms: text, runbook, metric, and what must have one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.telemetry import NAMESPACE, Metric
from tests.template.conftest import ROOT, resource_names

if TYPE_CHECKING:
    from tests.template.conftest import Template

WORKED_QUEUES = {"RunsQueue", "FormsQueue"}


def test_every_dead_letter_queue_has_an_alarm(template: Template) -> None:
    watched = {
        name
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for name in resource_names(alarm["Properties"]["Dimensions"])
    }
    queues = template.of_type("AWS::SQS::Queue")
    assert watched == {name for name in queues if name.endswith("DeadLetters")}


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Return the properties of every alarm, by its logical name."""
    return {name: template.properties(name) for name in template.of_type("AWS::CloudWatch::Alarm")}


def runbooks() -> dict[str, str]:
    """Return the sections of the runbooks, by their headings."""
    text = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_an_alarm_states_what_happened_what_to_do_and_its_runbook_and_is_sent(
    template: Template,
) -> None:
    """The text: one sentence with the event, one with the remedy, one with a runbook."""
    used = set()
    for name, alarm in alarms(template).items():
        event, remedy, link = alarm["AlarmDescription"].strip().split(". ")
        assert event
        assert remedy
        place = re.fullmatch(r"See docs/runbooks\.md, section (.+)\.", link)
        assert place, link
        assert f"`{name}`" in runbooks()[place[1]], f"{place[1]} does not name {name}"
        used.add(place[1])
        for actions in ("AlarmActions", "OKActions"):
            assert set(resource_names(alarm[actions])) == {"Alerts"}
    assert used == set(runbooks()) - {"Before an alarm"}


def test_a_runbook_has_its_meaning_where_to_look_and_what_to_do() -> None:
    for heading, text in runbooks().items():
        if heading != "Before an alarm":
            for part in ("**What it means.**", "**Look here.**", "**Do this.**"):
                assert part in text, f"{heading}: {part}"


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm_for_its_errors_and_its_throttles(
    template: Template, metric: str
) -> None:
    watched = {
        name
        for alarm in alarms(template).values()
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", metric)
        for name in resource_names(alarm["Dimensions"])
    }
    assert watched == set(template.functions)


def test_every_queue_that_is_worked_on_has_an_alarm_for_its_age(template: Template) -> None:
    watched = {
        name
        for alarm in alarms(template).values()
        if alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
        for name in resource_names(alarm["Dimensions"])
    }
    assert watched == WORKED_QUEUES


def test_an_alarm_on_a_metric_of_the_connector_has_its_name_and_dimension(
    template: Template,
) -> None:
    shared = template.document["Globals"]["Function"]["Environment"]["Variables"]
    assert shared["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE
    own = [alarm for alarm in alarms(template).values() if alarm["Namespace"] == NAMESPACE]
    assert own
    for alarm in own:
        assert alarm["MetricName"] in set(Metric)
        service = {"Name": "service", "Value": shared["POWERTOOLS_SERVICE_NAME"]}
        assert alarm["Dimensions"] == [service]


def test_an_alarm_watches_one_metric_because_the_embedded_aws_has_no_metric_math(
    template: Template,
) -> None:
    assert not any("Metrics" in alarm for alarm in alarms(template).values())


def test_the_dashboard_shows_every_alarm_and_every_metric_of_the_connector(
    template: Template,
) -> None:
    text = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    [shown] = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]
    # The alarms of the console exist only where it is deployed, and the dashboard exists always.
    always = [
        name
        for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items()
        if "Condition" not in alarm
    ]
    assert set(shown) == {f"${{{name}.Arn}}" for name in always}
    metrics = [metric for each in widgets for metric in each["properties"].get("metrics", [])]
    own = {metric[1] for metric in metrics if metric[0] == NAMESPACE}
    assert own == set(Metric)
    assert {name for text in map(str, metrics) for name in re.findall(r"\$\{(\w+)", text)} <= {
        *template.functions,
        *template.of_type("AWS::SQS::Queue"),
        "AWS",
    }


def test_a_missed_schedule_raises_an_alarm(template: Template) -> None:
    alarm = template.properties("MissedScheduleAlarm")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2.5 * 3600
    assert set(resource_names(alarm["Dimensions"])) == {"ScheduledSyncFunction"}


def test_the_lack_of_a_successful_run_raises_an_alarm_while_the_schedule_is_enabled(
    template: Template,
) -> None:
    alarm = template.properties("NoSuccessfulRunAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, Metric.HEARTBEAT)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2.5 * 3600
    assert alarm["ActionsEnabled"] == {"Fn::If": ["ScheduleIsEnabled", True, False]}
