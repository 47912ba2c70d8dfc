"""`forecast`: the calls of a day, and what would be with other settings."""

from __future__ import annotations

import json

import pytest

from functions.admin.times import with_utc_times
from tests.unit.cli import api_bodies as bodies
from tests.unit.cli.conftest import Person
from tests.unit.cli.fake_stack import FakeStack, query

pytestmark = pytest.mark.usefixtures("local_stack")
Output = pytest.CaptureFixture[str]
PATH = "/admin/forecast"


def test_the_forecast_has_causes_limits_and_the_day_on_which_the_share_is_spent(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", PATH, bodies.forecast())

    assert person.run("forecast") == 0

    shown = capsys.readouterr().out
    assert "the runs of 7 d" in shown
    assert "computed: none was seen" in shown
    assert "48 calls a day of 172,800 (0.0%)" in shown
    assert "120 calls a day of 20,000 (0.6%)" in shown
    assert "in 1,988 days, with 10.0 calls more each day" in shown
    assert "plezi-sync forecast --to-plezi N --to-salesforce N" in shown
    assert stack.calls == [("GET", PATH)]


def test_other_settings_are_shown_beside_the_present_ones(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    first = {
        "to_plezi": 20_000,
        "to_salesforce": 5_000,
        "basis": "request",
        "plezi_calls": 40_731.0,
        "salesforce_calls": 915.0,
        "hours": 5.8,
        "paused_hours": 0.0,
    }
    then = bodies.outlook(first_sync={**first, "hours": 30.0, "paused_hours": 24.0})
    then["plezi"] = {**then["plezi"], "calls_per_second": 0.0, "limit_a_day": None}
    stack.on("GET", PATH, bodies.forecast(now=bodies.outlook(first_sync=first), changed=then))

    status = person.run("forecast", "--pace", "0", "--share", "0.4", "--to-plezi", "20000")

    assert status == 0
    requested = query(PATH, calls_per_second="0.0", api_share="0.4", to_plezi="20000")
    assert stack.calls == [("GET", requested)]
    shown = capsys.readouterr().out
    assert "5 h 48 min" in shown
    assert "1 d 6 h, with 1 d of pauses for the share" in shown
    assert "48 calls a day; the limit is not known" in shown
    assert "no limit of the pace, 20% of the org's calls" in shown


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"days_until_spent": 0.0}, "every day: runs pause"),
        ({"days_until_spent": None, "growth_a_day": None}, "not known yet: less than two days"),
        ({"days_until_spent": None, "growth_a_day": -1.0}, "never, at the present trend"),
    ],
)
def test_the_day_on_which_the_share_is_spent_may_be_today_or_never_or_not_known(
    stack: FakeStack, person: Person, capsys: Output, changes: dict[str, object], text: str
) -> None:
    now = bodies.outlook()
    now["salesforce"] |= changes
    stack.on("GET", PATH, bodies.forecast(now=now))

    assert person.run("forecast") == 0
    assert text in capsys.readouterr().out


def test_the_json_is_the_answer_of_the_api(
    stack: FakeStack, person: Person, capsys: Output
) -> None:
    stack.on("GET", PATH, bodies.forecast())

    assert person.run("forecast", "--json") == 0
    assert json.loads(capsys.readouterr().out) == with_utc_times(bodies.forecast())


def test_a_share_above_one_is_refused_before_anything_is_sent(
    stack: FakeStack, person: Person
) -> None:
    assert person.run("forecast", "--share", "2") == 2
    assert stack.calls == []
