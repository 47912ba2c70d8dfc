"""A column emptied by accident does not empty the other side: the run stops before it does."""

from __future__ import annotations

from dataclasses import replace

from connector.engine.runs import Engine
from connector.model import RunKind, RunState
from tests.component.clerk import Clerk
from tests.component.stage import Stage

LIMIT = 3


def crowd(stage: Stage, number: int) -> list[str]:
    stage.engine = Engine(replace(stage.world, most_emptied=LIMIT))
    people = [
        stage.add_person(email=f"p{each}@example.com", last_name="Roi", phone="111")
        for each in range(number)
    ]
    stage.sync()
    return people


def empty(stage: Stage, people: list[str]) -> None:
    for person in people:
        stage.edit_person(person, phone=None)


def test_fields_of_some_people_may_be_emptied(stage: Stage) -> None:
    empty(stage, crowd(stage, LIMIT))

    assert stage.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in stage.leads()} == {None}


def test_fields_of_very_many_are_not_and_a_person_is_asked(stage: Stage) -> None:
    empty(stage, crowd(stage, LIMIT + 1))

    run = stage.sync()

    assert (run.state, run.reason) == (RunState.HALTED, "mass_emptying")
    assert {lead["Phone"] for lead in stage.leads()} == {"111"}
    assert stage.sync().state is RunState.HALTED
    breaker = stage.ledger.breaker()
    assert breaker is not None
    assert "POST /admin/breaker/release" in breaker.message


def test_a_dry_run_shows_whom_meanwhile(stage: Stage) -> None:
    empty(stage, crowd(stage, LIMIT + 1))
    stage.sync()

    run, lines = stage.dry_run()

    assert run.state is RunState.DONE, run.message
    assert run.counts["salesforce"]["emptied"] == LIMIT + 1
    assert {it.after for it in lines if it.field == "Phone"} == {None}


def test_once_a_person_says_that_it_is_meant_the_next_run_goes_on(stage: Stage) -> None:
    empty(stage, crowd(stage, LIMIT + 1))
    stage.sync()

    stage.ledger.allow_emptying(stage.world.clock() + 3600)

    assert stage.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in stage.leads()} == {None}


def test_an_administrator_says_that_it_is_meant_or_that_it_is_mended(
    stage: Stage, clerk: Clerk
) -> None:
    people = crowd(stage, LIMIT + 1)
    empty(stage, people)
    stage.sync()
    assert clerk.good("GET", "/admin/status")["breaker"]["reason"] == "mass_emptying"

    mended = clerk.good("POST", "/admin/breaker/release", {"meant": False})
    assert mended["emptying_allowed_until"] == 0
    assert stage.sync().state is RunState.HALTED
    meant = clerk.good("POST", "/admin/breaker/release", {"meant": True})
    assert meant["emptying_allowed_until"] > stage.world.clock()

    assert stage.sync().state is RunState.DONE
    assert {lead["Phone"] for lead in stage.leads()} == {None}
    assert clerk.ask("POST", "/admin/breaker/release", {"meant": True}).status == 409
    told = [entry["what"] for entry in clerk.good("GET", "/admin/audit")["entries"]]
    assert told == ["release: the emptying is meant", "release: the emptying is mended"]


def test_an_accident_that_is_mended_leaves_nothing_behind(stage: Stage) -> None:
    people = crowd(stage, LIMIT + 1)
    empty(stage, people)
    stage.sync()
    for person in people:
        stage.edit_person(person, phone="111")
    stage.ledger.close_breaker()
    stage.mark()

    assert stage.sync().state is RunState.DONE
    assert stage.calls("salesforce")["writes"] == 0


def test_people_who_are_named_may_be_settled_while_the_breaker_is_open(stage: Stage) -> None:
    empty(stage, crowd(stage, LIMIT + 1))
    stage.sync()

    run = stage.sync(kind=RunKind.SELECTED, emails=["p0@example.com"])

    assert run.state is RunState.DONE
    assert [lead["Phone"] for lead in stage.leads("p0@example.com")] == [None]
