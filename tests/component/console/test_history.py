"""The overview of the last 30 days, and the counts of people who wait."""

from __future__ import annotations

import json

import boto3

from connector.aws.dynamodb.attention_counts import AttentionCounts
from connector.aws.dynamodb.table import Table
from connector.console.history import DAYS, KEY, last_days
from connector.model import AttentionKind, Hold, HoldReason, Link, LinkChange, Quarantine, Side
from functions.console import app as console_function
from local.template_settings import template_properties
from tests.component.console.conftest import OpenBrowser
from tests.component.harness import REGION, Harness
from tests.component.lambda_context import FakeLambdaContext
from tests.component.people_fixtures import ANA, BOB
from tests.retry_policies import IMMEDIATE

HOLD = {"Phone": Hold(HoldReason.CONFLICT, 1.0, {"1": "a", "2": "b"})}
REFUSAL = Quarantine(Side.SALESFORCE, "STRING_TOO_LONG", "shorten it", ("Title",), 1.0)
DAY = 86_400.0


def store(harness: Harness, *links: Link) -> None:
    harness.ledger.save_links([LinkChange(link) for link in links])


def counts(harness: Harness) -> AttentionCounts:
    client = boto3.client("dynamodb", region_name=REGION)
    return AttentionCounts(Table(client, harness.settings.ledger_table, IMMEDIATE))


def test_a_person_with_two_reasons_counts_for_each(harness: Harness) -> None:
    store(harness, Link(ANA, holds=HOLD, quarantine=REFUSAL), Link(BOB, holds=HOLD))
    found = counts(harness).count(10)
    assert (found[AttentionKind.HOLD], found[AttentionKind.QUARANTINE]) == (2, 1)
    assert found[AttentionKind.DUPLICATE] == 0


def test_no_more_people_are_counted_than_the_limit(harness: Harness) -> None:
    store(harness, *(Link(f"{number}@example.com", holds=HOLD) for number in range(5)))
    assert counts(harness).count(3)[AttentionKind.HOLD] == 3


def test_the_chart_of_waiting_people_has_a_number_for_each_day_that_was_counted(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    browser = open_browser("viewer")
    store(harness, Link(ANA, holds=HOLD), Link(BOB, holds=HOLD))
    browser.get("/")
    harness.ledger.remove_link(harness.ledger.load_links([BOB])[BOB])
    harness.let_pass(DAY)
    browser.sign_in("viewer")
    page = browser.get("/")
    days = last_days(harness.clock())
    for day, number in zip(days[-3:], ("not counted", "2", "1"), strict=True):
        assert f'<td>{day}</td><td class="number">{number}</td>' in page.text


def test_what_runs_wrote_is_kept_by_day_and_read_again_only_after_a_new_run(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    browser = open_browser("viewer")
    today = last_days(harness.clock())[-1]

    def written() -> int:
        browser.get("/")
        document = harness.ledger.load_document(KEY) or {}
        return int(document["written"][today])

    first = written()
    assert first > 0
    assert written() == first
    harness.edit_person(ana, phone="222")
    harness.sync()
    assert written() == first + 1


def test_days_before_the_last_30_are_forgotten(harness: Harness, open_browser: OpenBrowser) -> None:
    open_browser("viewer").get("/")
    harness.let_pass((DAYS + 5) * DAY)
    browser = open_browser("viewer")
    browser.get("/")
    document = harness.ledger.load_document(KEY) or {}
    assert list(document["waiting"]) == last_days(harness.clock())[-1:]
    assert set(document["written"]) <= set(last_days(harness.clock()))


def test_a_damaged_document_of_the_history_is_made_again(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    harness.ledger.save_document(KEY, {"written": {"no day": 1}, "waiting": 7})
    assert open_browser("viewer").get("/").status == 200
    assert last_days(harness.clock())[-1] in (harness.ledger.load_document(KEY) or {})["waiting"]


def test_the_daily_schedule_counts_for_a_day_on_which_nobody_looks(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    browser = open_browser()
    console_function.APP.use(browser.console)
    store(harness, Link(ANA, holds=HOLD))
    event = json.loads(
        template_properties("ConsoleFunction")["Events"]["Day"]["Properties"]["Input"]
    )
    assert console_function.handler(event, FakeLambdaContext()) == {}
    document = harness.ledger.load_document(KEY) or {}
    assert document["waiting"] == {last_days(harness.clock())[-1]: 1}
