"""Alerts are sent once until their problem is over, and again when it is back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.aws.sns import MAX_SUBJECT_CHARACTERS, subject, text
from connector.errors import StopReason
from connector.model import AlertKind, Breaker, RunState
from connector.sync.alert_rules import AlertEvaluation, evaluate_alerts, notify_new
from tests.unit.connector.alert_fixtures import CALM, REFUSED, Topic, stopped
from tests.unit.connector.sync_fixtures_stores import NOW, Ledger

LOGIN: Final = stopped(RunState.HALTED, StopReason.LOGIN_REFUSED)


def test_what_was_sent_is_noted_with_its_time_and_forgotten_when_it_is_over() -> None:
    ledger = Ledger()
    first = evaluate_alerts(replace(CALM, quarantine_size=10, suspended={"Phone": "gone"}))
    quarantine, phone = first.alerts

    sent = notify_new(first, Topic(AlertKind.QUARANTINE), ledger, NOW)

    assert sent == ([phone], [quarantine])
    assert ledger.load_document("alerts") == {"suspended_field#Phone": NOW}
    assert notify_new(first, Topic(), ledger, NOW + 1) == ([quarantine], [])
    both = {"suspended_field#Phone": NOW, "quarantine#": NOW + 1}
    assert ledger.load_document("alerts") == both
    unchecked = AlertEvaluation((), frozenset({AlertKind.DRIFT}))
    assert notify_new(unchecked, Topic(), ledger, NOW + 2) == ([], [])
    assert ledger.load_document("alerts") == both
    over = AlertEvaluation((quarantine,), frozenset(AlertKind))
    assert notify_new(over, Topic(), ledger, NOW + 3) == ([], [])
    assert ledger.load_document("alerts") == {"quarantine#": NOW + 1}


def test_a_problem_is_over_whatever_its_key_has_in_it() -> None:
    ledger = Ledger()
    breaker = Breaker(StopReason.LOGIN_REFUSED, "reset it", NOW, "v#1")
    notify_new(evaluate_alerts(replace(CALM, breaker=breaker)), Topic(), ledger, NOW)

    notify_new(evaluate_alerts(CALM), Topic(), ledger, NOW)

    assert ledger.load_document("alerts") == {}


def test_an_alert_that_was_sent_does_not_keep_the_next_one_back() -> None:
    ledger, topic = Ledger(), Topic()
    phone = evaluate_alerts(replace(CALM, suspended={"Phone": "gone"}))
    both = evaluate_alerts(replace(CALM, suspended={"Phone": "gone", "Title": "gone"}))

    notify_new(phone, topic, ledger, NOW)
    notify_new(both, topic, ledger, NOW + 1)

    assert [it.key for it in topic.published] == ["Phone", "Title"]


def test_an_alert_is_sent_once_until_it_is_over_and_again_when_it_is_back() -> None:
    topic, ledger = Topic(), Ledger()
    halted = replace(CALM, run=LOGIN, breaker=REFUSED)

    for situation in (halted, halted, halted, CALM, halted):
        assert notify_new(evaluate_alerts(situation), topic, ledger, NOW)[1] == []

    assert [alert.key for alert in topic.published] == ["v1", "v1"]


def test_another_version_that_is_refused_is_sent_too() -> None:
    topic, ledger = Topic(), Ledger()

    for version in ("v1", "v2"):
        breaker = replace(REFUSED, secret_version=version)
        notify_new(evaluate_alerts(replace(CALM, run=LOGIN, breaker=breaker)), topic, ledger, NOW)

    assert [alert.key for alert in topic.published] == ["v1", "v2"]


def test_what_a_run_could_not_look_at_is_not_over() -> None:
    topic, ledger = Topic(), Ledger()
    suspended = replace(CALM, suspended={"Phone": "gone"}, password_days=10.0, org_calls=0.9)
    blind = replace(
        CALM,
        run=stopped(RunState.FAILED, StopReason.SALESFORCE_UNAVAILABLE),
        suspended={},
        password_days=None,
        org_calls=None,
        our_calls=None,
    )

    for situation in (suspended, blind, suspended):
        notify_new(evaluate_alerts(situation), topic, ledger, NOW)

    assert [alert.kind for alert in topic.published] == [
        AlertKind.SUSPENDED_FIELD,
        AlertKind.API_BUDGET,
        AlertKind.CREDENTIALS_EXPIRING,
        AlertKind.RUN_FAILED,
    ]


def test_a_number_around_its_threshold_is_sent_once() -> None:
    topic, ledger = Topic(), Ledger()

    for share, links in ((0.81, 10), (0.79, 9), (0.82, 10), (0.75, 6), (0.8, 10)):
        situation = replace(CALM, our_calls=share, quarantine_size=links)
        notify_new(evaluate_alerts(situation), topic, ledger, NOW)

    assert [alert.kind for alert in topic.published] == [AlertKind.QUARANTINE, AlertKind.API_BUDGET]


def test_the_warnings_before_expiry_come_at_14_7_3_and_1_days_each_once() -> None:
    topic, ledger = Topic(), Ledger()

    for twelfth in range(20 * 12, -12, -1):  # every two hours, from 20 days before to a day after
        situation = replace(CALM, password_days=twelfth / 12)
        notify_new(evaluate_alerts(situation), topic, ledger, NOW)

    assert [alert.key for alert in topic.published] == ["14", "7", "3", "1"]


def test_the_next_password_is_warned_of_again() -> None:
    topic, ledger = Topic(), Ledger()

    for days in (6.0, 89.0, 6.0):
        notify_new(evaluate_alerts(replace(CALM, password_days=days)), topic, ledger, NOW)

    assert [alert.key for alert in topic.published] == ["7", "7"]


def test_an_alert_says_what_since_when_what_to_do_and_what_is_safe() -> None:
    [alert] = evaluate_alerts(replace(CALM, run=LOGIN, breaker=REFUSED)).alerts

    body = text(alert)

    assert "Salesforce refuses the login" in body
    assert "Since: 15 January 2027, 07:59 UTC" in body
    assert "What to do: 1. the password was reset" in body
    assert "Nothing is lost" in body


def test_a_subject_is_one_short_line_of_plain_letters() -> None:
    line = subject("The field Numéro\nde téléphone\t" + "x" * 200)
    assert line.startswith("The field Num?ro de t?l?phone x")
    assert len(line) == MAX_SUBJECT_CHARACTERS
