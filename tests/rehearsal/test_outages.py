"""Small outages and ordinary days: nothing is lost, and the alarms say what people must know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from local.rehearsal import populations
from local.rehearsal.world import HOUR, Conditions, World
from tests.rehearsal.outages import (
    ALARM_EVERY,
    OUTAGES,
    Report,
    Watched,
    pass_hours,
    rehearse_outage,
)

PLEZI, SALESFORCE = OUTAGES
DAYS: Final = 7


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "")  # restored after the test


def check(report: Report) -> None:
    """Check what holds for every outage."""
    assert report.before == ()
    assert report.disagreeing == 0
    assert (report.kills, report.dead_letters) == (0, 0)
    assert report.agreed_after is not None
    assert 1.5 < report.agreed_after < 2.5, "the next run of the schedule does the work"


def test_a_form_that_arrives_while_plezi_is_down_becomes_a_lead_when_it_is_back() -> None:
    report = rehearse_outage(replace(PLEZI, forms=20, people=20))

    check(report)
    alarms = {notice.name: notice for notice in report.alarms}
    assert set(alarms) == {"FormsGivenUpAlarm", "NoSuccessfulRunAlarm"}
    assert alarms["NoSuccessfulRunAlarm"].begin <= 2.6
    assert all(notice.end is not None for notice in report.alarms)
    assert [notice.name for notice in report.alerts] == ["A run ended failed (plezi_unavailable)"]


def test_edits_and_forms_of_hours_without_salesforce_are_there_when_it_is_back() -> None:
    report = rehearse_outage(replace(SALESFORCE, hours=6.0, forms=10, edits=10, people=20))

    check(report)
    assert "NoSuccessfulRunAlarm" in {notice.name for notice in report.alarms}
    assert all(notice.end is not None for notice in report.alarms)


@pytest.fixture
def world() -> Iterator[World]:
    started = World()
    yield started
    started.close()


@pytest.mark.nightly
def test_no_alarm_is_raised_in_an_ordinary_week(world: World) -> None:
    """Users edit on both sides every day, and forms arrive; the weekly verification is made."""
    populations.establish(world, 30)
    world.restart(Conditions())
    watched = Watched(world)
    world.start_schedule()
    begin = world.kernel.time
    pass_hours(world, 4)
    for day in range(DAYS):
        populations.edit_contacts(world, day, 3)
        populations.edit_leads(world, 10 + day, 3)
        for number in range(4):
            world.later((1 + number) * HOUR, partial(world.submit_form, 4 * day + number))
        pass_hours(world, 24)

    assert watched.raised(begin + ALARM_EVERY, world.kernel.time) == {}
    kinds = {run.kind.value for run in world.runs()}
    assert {"changes", "verify", "form"} <= kinds
