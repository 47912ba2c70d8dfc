"""E-mails that move between people, and looks and writes that do not end, stop nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.model import AttentionKind, HoldReason, LinkChange, Phase, RunKind, RunState, Side
from tests.component.altered_answers import (
    alter_answers,
    edit_json,
    is_list,
    json_answer,
    let_hours_pass,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB

PEOPLE = 12


def test_people_whose_e_mails_moved_by_one_row_stop_nobody(harness: Harness) -> None:
    """An import with a wrong column gives each contact the e-mail of the next one."""
    ids = [
        harness.add_person(email=f"p{number}@example.com", last_name=f"N{number}")
        for number in range(PEOPLE)
    ]
    harness.sync()
    for number in reversed(range(PEOPLE)):
        harness.edit_person(ids[number], email=f"p{number + 1}@example.com")
    harness.add_lead(Email=BOB, LastName="Roi")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert BOB in harness.people()


def test_a_lead_whose_contact_left_with_another_e_mail_joins_the_person_of_its_own(
    harness: Harness,
) -> None:
    """A look-up found the contact deleted: its Lead was read before, and is not read again."""
    ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    link = harness.ledger.load_links([ANA])[ANA]
    assert link.plezi is not None
    values = {**link.plezi.values, "email": BOB}
    contact = replace(link.plezi, email=BOB, values=values, deleted=True)
    moved = replace(link, email=BOB, plezi=contact, revision=0, indexed=frozenset(), dirty=True)
    harness.control("plezi", "DELETE", f"contacts/{ana}")
    for email in ("zoe@example.com", "zita@example.com"):  # a run reads what the one before saw
        let_hours_pass(harness)
        harness.add_lead(Email=email, LastName="Zola")
        harness.sync()
    harness.ledger.save_links([LinkChange(moved, harness.ledger.load_links([ANA])[ANA])])

    harness.sync()

    other = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    [link] = harness.ledger.load_links([ANA, BOB]).values()
    assert link.email == ANA
    assert link.record_ids >= {other, harness.leads(ANA)[0]["Id"]}
    assert len(harness.leads(ANA)) == 1


def test_no_contact_is_created_while_another_one_is_known_to_have_the_e_mail(
    harness: Harness,
) -> None:
    """The search finds nobody, and Plezi overwrites a contact that has the e-mail of a new one.

    Links are written in the order of their e-mails: the creation would be first.
    """
    ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    let_hours_pass(harness)
    harness.edit_lead(harness.leads(ANA)[0]["Id"], Email="zoe@example.com")
    harness.add_lead(Email=ANA, LastName="Ruiz", Phone="2")

    def find_nobody(request: Request) -> Response | None:
        is_search = "filter[email]" in request.args
        return json_answer({"data": []}) if is_search else None

    alter_answers(harness, Side.PLEZI, find_nobody)
    for _ in range(2):
        harness.sync()
        let_hours_pass(harness)

    people = {email: (row["last_name"], row["phone"]) for email, row in harness.people().items()}
    assert people == {"zoe@example.com": ("Lopez", "1"), ANA: ("Ruiz", "2")}
    assert harness.people()["zoe@example.com"]["id"] == ana


@pytest.mark.parametrize("is_answered", [True, False])
def test_no_contact_is_created_with_the_e_mail_that_another_one_gets_at_the_same_time(
    harness: Harness, *, is_answered: bool
) -> None:
    """The search finds nobody: the Lead of a page of Plezi has an e-mail that Plezi has not yet.

    Nor does it where the response is lost, and the search lags behind.
    """
    ana = harness.add_person(email="zoe@example.com", last_name="Lopez", phone="1")
    page = f"https://app.plezi.co/contacts/{ana}"
    harness.add_lead(Email=ANA, LastName="Lopez", Phone="1", plezi_url__c=page)
    harness.add_contact(Email=ANA, LastName="Ruiz", Phone="2", sync_to_plezi__c="yes")
    lost: list[str] = []

    def find_nobody(request: Request) -> Response | None:
        is_search = "filter[email]" in request.args and len(lost) == 1
        return json_answer({"data": []}) if is_search else None

    def lose_one(request: Request, response: Response) -> None:
        if request.method == "PUT" and not lost:
            lost.append(request.path)
            response.status_code = HTTPStatus.INTERNAL_SERVER_ERROR

    if not is_answered:
        alter_answers(harness, Side.PLEZI, find_nobody, after=lose_one)
    harness.sync()
    lost.append("the search shows the contact from now on")

    for _ in range(2):
        people = {email: (it["id"], it["phone"]) for email, it in harness.people().items()}
        assert people == {ANA: (ana, "1")}
        let_hours_pass(harness)
        harness.sync()
    assert is_answered or lost[0].endswith(ana)
    links = harness.ledger.load_links([ANA, "zoe@example.com"])
    reasons = {email: link.holds["Email"].reason for email, link in links.items()}
    assert reasons == {
        ANA: HoldReason.EMAIL_IN_USE,  # an administrator decides whose it is
        "zoe@example.com": HoldReason.EMAIL_TAKEN,
    }


def test_a_contact_that_is_listed_twice_with_two_e_mails_stops_nobody(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()

    def list_ana_twice(request: Request, response: Response) -> None:
        def edit(document: Any) -> None:
            for row in list(document["data"]):
                if row["attributes"]["email"] == ANA:
                    former = json.loads(json.dumps(row))
                    former["attributes"]["email"] = "ana.old@example.com"
                    former["attributes"]["updated_at"] = "2020-01-01T00:00:00.000Z"
                    document["data"].append(former)

        if is_list(request):
            edit_json(response, edit)

    alter_answers(harness, Side.PLEZI, after=list_ana_twice)
    harness.add_person(email=BOB, last_name="Roi")
    for _ in range(3):
        run = harness.sync()
        assert run.state is RunState.DONE, run.message
        let_hours_pass(harness)
    assert {lead["Email"] for lead in harness.leads()} == {ANA, BOB}


class ManyChanges:
    """A tenant in which a page of contacts changes each second, for 40 seconds, and is slow."""

    PAGES = 40
    CALL_SECONDS = 8.0

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._start = int(harness.clock()) + 60
        self.is_busy = False

    def answer(self, request: Request) -> Response | None:
        if not self.is_busy:
            return None
        self._harness.let_pass(self.CALL_SECONDS)
        if not is_list(request):
            return None
        since = [text for name, text in request.args.items() if "updated" in name]
        dates = [text for text in since if text[:1].isdigit()]
        number = self.PAGES
        if dates:
            number = max(0, int(datetime.fromisoformat(dates[0]).timestamp() - self._start))
        if number >= self.PAGES:
            return json_answer({"data": []})
        changed_at = datetime.fromtimestamp(self._start + number + 1, UTC)
        attributes = {
            "email": f"z{number}@example.com",
            "last_name": "Z",
            "updated_at": f"{changed_at:%Y-%m-%dT%H:%M:%S.000Z}",
        }
        row = {"type": "contacts", "id": f"z{number}", "attributes": attributes}
        return json_answer({"data": [row]})


def test_a_look_that_is_longer_than_an_invocation_is_replaced_by_a_reading(
    harness: Harness,
) -> None:
    harness.add_person(email=ANA, last_name="Lopez", phone="1")
    harness.sync()
    harness.edit_lead(harness.leads(ANA)[0]["Id"], Phone="222")
    run_id, phase = harness.run_requester.request_run(RunKind.CHANGES), Phase.READ
    tenant = ManyChanges(harness)
    alter_answers(harness, Side.PLEZI, tenant.answer)
    deadline = Deadline(harness.clock)

    def invoke(phase: Phase, *, ends_at: Phase | None = None) -> tuple[RunState, Phase]:
        """Work as one invocation of the worker with the template's times does."""
        deadline.start(remaining=300, budget=240)
        engine = build_app(harness.settings, **harness.runtime, deadline=deadline).engine
        while True:
            state = engine.run_phase(run_id, phase, lambda: ends_at is not None or deadline.is_over)
            phase = harness.queued_phase() if state is RunState.RUNNING else phase
            if ends_at in {None, phase}:
                return state, phase

    _, phase = invoke(phase, ends_at=Phase.WRITE_PLEZI)
    harness.ledger.end_invocation(run_id, idle=0)
    tenant.is_busy = True
    let_hours_pass(harness, 500)
    for _ in range(4):
        state, phase = invoke(phase)
        if state is not RunState.RUNNING:
            break

    run = harness.ledger.load_run(run_id)
    assert run is not None
    assert run.reason is None, f"{run.reason}: {run.message}"


def test_a_write_to_plezi_that_never_has_a_response_is_shown_for_review(harness: Harness) -> None:
    contact = harness.add_person(email=ANA, last_name="Lopez", phone="1")
    other = harness.add_person(email=BOB, last_name="Roi", phone="1")
    harness.sync()

    def fail_for_ana(request: Request) -> Response | None:
        is_write = request.method == "PUT" and request.path.endswith(contact)
        return Response("<html>Internal Server Error</html>", status=500) if is_write else None

    alter_answers(harness, Side.PLEZI, fail_for_ana)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    for _ in range(4):
        harness.sync()
        let_hours_pass(harness)

    link = harness.ledger.load_links([ANA])[ANA]
    assert link.attention == (AttentionKind.QUARANTINE,)
    assert link.quarantine is not None
    assert link.quarantine.code == "unanswered"
    assert harness.people()[BOB]["phone"] == "222"
    assert harness.people()[BOB]["id"] == other
