"""People are told through the topic, in plain words, once; and a run never fails for it."""

from __future__ import annotations

import boto3
import pytest

from connector.alerts import SnsAlerts
from connector.connecting import tell_people
from connector.errors import RetryError
from connector.model import Alert, AlertKind, RunState
from tests.component.keyring import Keyring
from tests.component.stage import REGION

DAY = 86_400


def test_a_refused_record_too_many_is_told_once_with_the_remedy(keyring: Keyring) -> None:
    keyring.stage.control(
        "salesforce",
        "POST",
        "validation_rules",
        {"object": "Lead", "condition": "LastName LIKE 'Bad%'", "message": "no"},
    )
    for number in range(10):
        keyring.stage.add_person(email=f"p{number}@example.com", last_name=f"Bad {number}")

    keyring.run()
    keyring.run()

    [(subject, text)] = keyring.mail()
    assert subject == "10 people or more are refused by a side and wait"
    assert "GET /admin/attention?kind=quarantine" in text
    assert "Everybody else is synchronised" in text


def test_a_field_that_disappears_is_told_and_that_it_comes_back_by_itself(
    keyring: Keyring,
) -> None:
    keyring.run()
    keyring.stage.control(
        "salesforce",
        "POST",
        "fields/Lead/MobilePhone/visibility",
        {"read": False, "edit": False},
    )
    for client in keyring.stage.world.clients.values():
        client.forget_schemas()

    keyring.run()
    keyring.run()

    [(subject, text)] = keyring.mail()
    assert subject == "The field MobilePhone is not synchronised any more"
    assert "synchronised again by itself" in text


def test_a_side_that_is_away_is_told_once(keyring: Keyring) -> None:
    keyring.switch(org_status="maintenance")
    assert keyring.run().state is RunState.FAILED
    assert keyring.run().state is RunState.FAILED
    keyring.switch(org_status="active")
    assert keyring.run().state is RunState.DONE

    [(subject, text)] = keyring.mail()
    assert subject == "A run ended failed (LoginLaterError)"
    assert "tries again by itself" in text


def test_the_org_s_calls_running_out_are_told(keyring: Keyring) -> None:
    keyring.run()
    keyring.stage.control("salesforce", "POST", "quota", {"max": 110_000, "used": 95_000})

    keyring.run()
    keyring.run()

    [(subject, text)] = keyring.mail()
    assert subject == "86% of the org's API calls of 24 hours are used"
    assert "API Usage" in text


def test_a_password_near_its_end_is_told_by_a_run_that_went_well(keyring: Keyring) -> None:
    keyring.stage.control("salesforce", "POST", "clock", {"advance": -87 * DAY})
    keyring.reset_password()
    keyring.stage.control("salesforce", "POST", "clock", {"follow": True})
    keyring.put(keyring.material())

    keyring.run()
    keyring.run()

    [(subject, text)] = keyring.mail()
    assert subject == "The Salesforce password expires within 3 days"
    assert "leave the password flow" in text


def test_the_password_s_age_is_asked_once_a_day_by_one_call(keyring: Keyring) -> None:
    keyring.run()
    keyring.stage.mark()
    first = keyring.stage.calls("salesforce")["total"]
    keyring.run()
    idle = keyring.stage.calls("salesforce")["total"] - first
    keyring.stage.mark()
    keyring.stage.ledger.keep_document("password", {})
    keyring.run()

    assert keyring.stage.calls("salesforce")["total"] == idle + 1


def test_flows_without_a_password_are_never_asked_for_its_age(keyring: Keyring) -> None:
    keyring.put(keyring.client_credentials())

    keyring.run()

    assert keyring.stage.ledger.document("password") is None


def test_an_alert_carries_its_kind_for_those_who_choose(keyring: Keyring) -> None:
    alert = Alert(AlertKind.BREAKER, "What", 0.0, "remedy", "kept")

    keyring.stage.world.alerts.tell(alert)

    assert keyring.mail()[0][0] == "What"


@pytest.mark.usefixtures("keyring")
def test_a_topic_that_is_gone_is_an_error_that_may_pass() -> None:
    with pytest.raises(RetryError, match="does not take an alert"):
        SnsAlerts(
            boto3.client("sns", region_name=REGION),
            f"arn:aws:sns:{REGION}:123456789012:gone",
        ).tell(Alert(AlertKind.BREAKER, "What", 0.0, "remedy", "kept"))


def test_a_topic_that_is_gone_does_not_disturb_the_run(keyring: Keyring) -> None:
    gone = SnsAlerts(
        boto3.client("sns", region_name=REGION), f"arn:aws:sns:{REGION}:123456789012:gone"
    )
    there = keyring.stage.world.alerts
    keyring.put(keyring.material(password="wrong"))
    object.__setattr__(keyring.stage.world, "alerts", gone)
    assert keyring.run().state is RunState.HALTED
    object.__setattr__(keyring.stage.world, "alerts", there)

    keyring.run()

    assert len(keyring.mail()) == 1


def test_without_a_topic_nothing_is_told_and_nothing_fails(keyring: Keyring) -> None:
    silent = SnsAlerts(boto3.client("sns", region_name=REGION), "")
    keyring.put(keyring.material(password="wrong"))
    object.__setattr__(keyring.stage.world, "alerts", silent)

    run = keyring.run()
    tell_people(keyring.stage.world, keyring.stage.settings, run)

    assert keyring.mail() == []
