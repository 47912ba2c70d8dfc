"""The connector's share of the daily API calls: a run pauses and later resumes, forms continue."""

from __future__ import annotations

from connector.model import ChangeHint, HintResult, RunKind, RunState
from connector.verification import load_verification
from tests.component.harness import Harness

ANA = "ana@example.com"


def set_quota(harness: Harness, **numbers: int) -> None:
    harness.control("salesforce", "POST", "quota", numbers)


def test_a_run_that_used_its_share_is_paused_and_continues_the_next_day(
    harness: Harness,
) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    set_quota(harness, max=10)  # the share is 2 calls

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.PAUSED, "api_budget")
    assert "Nothing is lost" in run.message
    harness.mark()
    assert harness.sync().state is RunState.PAUSED
    assert harness.calls("salesforce")["total"] == 0

    set_quota(harness, max=15000, used=0)
    harness.ledger.save_document("api_usage", {"used": 0, "total": 15000})
    assert harness.sync().state is RunState.DONE
    assert [lead["Email"] for lead in harness.leads()] == [ANA]


def test_the_connector_s_calls_are_counted_across_invocations(harness: Harness) -> None:
    harness.mark()
    harness.sync()
    harness.sync()

    hour = int(harness.context.clock()) // 3600
    counted = harness.ledger.calls_since(hour - 23)
    calls = harness.calls("salesforce")
    assert counted == calls["total"] + calls["logins"]


def test_a_run_pauses_when_other_programs_used_the_org_s_calls(harness: Harness) -> None:
    harness.sync()
    harness.add_person(email=ANA, last_name="Lopez")
    set_quota(harness, max=15000, used=14900)

    assert harness.sync().state is RunState.PAUSED
    assert harness.leads() == []

    set_quota(harness, max=15000, used=100)
    assert harness.sync().state is RunState.DONE
    assert len(harness.leads()) == 1


def test_forms_have_a_reserve_beyond_the_share(harness: Harness) -> None:
    harness.sync()
    harness.add_person(email=ANA, last_name="Lopez")
    calls = harness.ledger.calls_since(int(harness.context.clock()) // 3600 - 23)
    set_quota(harness, max=calls * 5 - 2)  # a little above 20 %, below 25 %
    harness.ledger.save_document("api_usage", {"used": 0, "total": calls * 5 - 2})

    assert harness.sync().state is RunState.PAUSED
    result = harness.engine.sync_contact(ChangeHint("trace", email=ANA))

    assert result is HintResult.RESOLVED
    assert len(harness.leads()) == 1


def test_the_next_run_continues_a_paused_full_run(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    set_quota(harness, max=15000, used=14900)
    assert harness.sync(kind=RunKind.FULL).state is RunState.PAUSED
    set_quota(harness, max=15000, used=100)

    harness.sync()

    assert harness.ledger.applied_version() == 0


def test_a_verification_that_is_paused_has_no_result_and_says_so(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    set_quota(harness, max=15000, used=14900)

    run = harness.sync(kind=RunKind.VERIFY)

    assert run.state is RunState.PAUSED
    assert "request it again" in run.message
    assert load_verification(harness.ledger) is None
