"""Our share of Salesforce's daily API calls: a run pauses and keeps its place, forms go on."""

from __future__ import annotations

from connector.model import Heard, Hint, RunKind, RunState
from tests.component.stage import Stage

ANA = "ana@example.com"


def quota(stage: Stage, **numbers: int) -> None:
    stage.control("salesforce", "POST", "quota", numbers)


def test_a_run_that_has_spent_its_share_is_paused_and_the_next_day_goes_on(stage: Stage) -> None:
    stage.add_person(email=ANA, last_name="Lopez")
    quota(stage, max=10)  # our share is 2 calls

    run = stage.sync()

    assert (run.state, run.reason) == (RunState.PAUSED, "api_budget")
    assert "Nothing is lost" in run.message
    stage.mark()
    assert stage.sync().state is RunState.PAUSED
    assert stage.calls("salesforce")["total"] == 0

    quota(stage, max=15000, used=0)
    stage.ledger.keep_document("api_usage", {"used": 0, "total": 15000})
    assert stage.sync().state is RunState.DONE
    assert [lead["Email"] for lead in stage.leads()] == [ANA]


def test_our_calls_are_counted_over_invocations(stage: Stage) -> None:
    stage.mark()
    stage.sync()
    stage.sync()

    hour = int(stage.world.clock()) // 3600
    counted = stage.ledger.calls_since(hour - 23)
    calls = stage.calls("salesforce")
    assert counted == calls["total"] + calls["logins"]


def test_what_others_used_up_is_left_to_others(stage: Stage) -> None:
    stage.sync()
    stage.add_person(email=ANA, last_name="Lopez")
    quota(stage, max=15000, used=14900)

    assert stage.sync().state is RunState.PAUSED
    assert stage.leads() == []

    quota(stage, max=15000, used=100)
    assert stage.sync().state is RunState.DONE
    assert len(stage.leads()) == 1


def test_forms_have_a_reserve_beyond_the_share(stage: Stage) -> None:
    stage.sync()
    stage.add_person(email=ANA, last_name="Lopez")
    ours = stage.ledger.calls_since(int(stage.world.clock()) // 3600 - 23)
    quota(stage, max=ours * 5 - 2)  # a little beyond 20 %, below 25 %
    stage.ledger.keep_document("api_usage", {"used": 0, "total": ours * 5 - 2})

    assert stage.sync().state is RunState.PAUSED
    heard = stage.engine.hear(Hint("trace", email=ANA))

    assert heard is Heard.SETTLED
    assert len(stage.leads()) == 1


def test_a_paused_full_run_is_gone_on_with_by_the_next_run(stage: Stage) -> None:
    stage.add_person(email=ANA, last_name="Lopez")
    stage.sync()
    quota(stage, max=15000, used=14900)
    assert stage.sync(kind=RunKind.FULL).state is RunState.PAUSED
    quota(stage, max=15000, used=100)

    stage.sync()

    assert stage.ledger.applied_version() == 0
