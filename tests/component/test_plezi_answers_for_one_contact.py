"""An error of one Plezi contact is the problem of this contact; an error of Plezi ends the run."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Request, Response

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.errors import StopReason
from connector.model import AttentionKind, Phase, RunKind, RunState, Side
from tests.component.altered_answers import (
    alter_answers,
    is_one_contact_list,
    json_answer,
    let_hours_pass,
    lost_answer,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB, lead_of

BLOCKED = "this contact is blocked"
FORBIDDEN = json_answer({"errors": [{"detail": BLOCKED}]}, 403).get_data()


def forbid() -> Response:
    return Response(FORBIDDEN, status=403, content_type="application/json")


def add_people(harness: Harness, *emails: str) -> list[str]:
    """Let people with these e-mails be on both sides; return the ids of their contacts."""
    ids = [harness.add_person(email=email, last_name="Name", phone="1") for email in emails]
    harness.sync()
    return ids


def quarantines(harness: Harness) -> dict[str, tuple[str, str]]:
    emails = harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 1000)
    links = harness.ledger.load_links(emails)
    return {
        email: (link.quarantine.code, link.quarantine.remedy)
        for email, link in links.items()
        if link.quarantine is not None
    }


class UnreadableById:
    """Answers reads of some contacts by id with an error; the first write of each is lost."""

    def __init__(self, ids: list[str], status: int) -> None:
        self.ids = ids
        self.status = status
        self._lost: set[str] = set()

    def __call__(self, request: Request) -> Response | None:
        contact = request.path.rsplit("/", 1)[-1]
        if contact not in self.ids:
            return None
        if request.method == "GET":
            return json_answer({"errors": []}, self.status)
        if contact not in self._lost:
            self._lost.add(contact)
            return lost_answer()
        return None


@pytest.mark.parametrize("status", [301, 400, 403, 410, 500])
def test_a_contact_that_cannot_be_read_by_its_id_waits_and_the_others_go_on(
    harness: Harness, status: int
) -> None:
    ana, _ = add_people(harness, ANA, BOB)
    unreadable = UnreadableById([ana], status)
    alter_answers(harness, Side.PLEZI, unreadable)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    harness.sync()
    let_hours_pass(harness)
    harness.edit_lead(lead_of(harness, BOB)["Id"], Phone="333")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()[BOB]["phone"] == "333"
    assert str(status) in quarantines(harness)[ANA][1]

    unreadable.ids = []
    let_hours_pass(harness)
    harness.sync()

    assert harness.people()[ANA]["phone"] == "222"
    assert not quarantines(harness)


@pytest.mark.parametrize("status", [400, 500])
def test_three_contacts_in_a_row_that_cannot_be_read_show_that_a_failing_plezi_is_not_available(
    harness: Harness, status: int
) -> None:
    ids = add_people(harness, *(f"p{number}@example.com" for number in range(3)))
    unreadable = UnreadableById(ids, status)

    def before(request: Request) -> Response | None:
        if is_one_contact_list(request):
            return json_answer({"errors": []}, status)
        return unreadable(request)

    alter_answers(harness, Side.PLEZI, before)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    harness.sync()
    let_hours_pass(harness)

    run = harness.sync()

    assert run.reason is StopReason.PLEZI_UNAVAILABLE
    assert not quarantines(harness)


@pytest.mark.parametrize("status", [410, 500])
@pytest.mark.parametrize("is_first_contact_listed", [True, False])
def test_many_contacts_in_a_row_that_cannot_be_read_wait_while_plezi_works(
    harness: Harness, status: int, *, is_first_contact_listed: bool
) -> None:
    unreadable = [f"p{number:02}@example.com" for number in range(12)]
    ids = add_people(harness, *unreadable)
    add_people(harness, "zoe@example.com")
    failing = UnreadableById(ids, status)
    confirmations = []

    def before(request: Request) -> Response | None:
        if is_one_contact_list(request):
            confirmations.append(request.args["page"])
            if confirmations[-1] == "1" and not is_first_contact_listed:
                return json_answer({"errors": []}, 500)
        return failing(request)

    alter_answers(harness, Side.PLEZI, before)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    harness.sync()
    let_hours_pass(harness)
    harness.edit_lead(lead_of(harness, "zoe@example.com")["Id"], Phone="333")
    confirmations.clear()

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()["zoe@example.com"]["phone"] == "333"
    assert set(quarantines(harness)) == set(unreadable)
    assert 1 <= confirmations.count("1") <= 2, "one for ten contacts"
    assert (set(confirmations) == {"1"}) is is_first_contact_listed

    failing.ids = []
    let_hours_pass(harness)
    harness.sync()

    assert {person["phone"] for person in harness.people().values()} == {"222", "333"}


def test_contacts_whose_reads_hang_leave_time_for_the_others(harness: Harness) -> None:
    emails = [f"p{number:02}@example.com" for number in range(16)]
    ids = add_people(harness, *emails)
    hanging = UnreadableById(ids[::2], 500)

    def before(request: Request) -> Response | None:
        answer = hanging(request)
        if answer is not None and request.method == "GET":
            harness.let_pass(20)
            return lost_answer()
        return answer

    alter_answers(harness, Side.PLEZI, before)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    harness.sync()
    let_hours_pass(harness)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="333")
    deadline = Deadline(harness.clock)
    deadline.start(remaining=300, budget=240)
    engine = build_app(harness.settings, **harness.runtime, deadline=deadline).engine
    run_id = harness.run_requester.request_run(RunKind.CHANGES)

    for phase in Phase:
        engine.run_phase(run_id, phase, lambda: deadline.is_over)

    people = harness.people()
    assert {people[email]["phone"] for email in emails[1::2]} == {"333"}
    assert set(quarantines(harness)) == set(emails[::2])


def test_searches_that_plezi_forbids_do_not_stop_a_manual_run_while_the_key_works(
    harness: Harness,
) -> None:
    blocked = [f"p{number:02}@blocked.example" for number in range(12)]
    harness.add_lead(Email=BOB, LastName="Name")

    def before(request: Request) -> Response | None:
        return forbid() if "blocked" in request.args.get("filter[email]", "") else None

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync(kind=RunKind.SELECTED, emails=(*blocked, BOB))

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {BOB}


def test_a_key_that_may_not_search_stops_the_run_after_ten_contacts(harness: Harness) -> None:
    for number in range(30):
        harness.add_lead(Email=f"p{number:02}@example.com", LastName="Name")
    searched = []

    def before(request: Request) -> Response | None:
        if "filter[email]" not in request.args:
            return None
        searched.append(request.args["filter[email]"])
        return forbid()

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.PLEZI_REFUSED)
    assert len(searched) == 10
    assert len(quarantines(harness)) < 10


def test_an_update_that_plezi_forbids_for_one_contact_is_the_refusal_of_this_contact(
    harness: Harness,
) -> None:
    ana, _ = add_people(harness, ANA, BOB)

    def before(request: Request) -> Response | None:
        return forbid() if request.method == "PUT" and request.path.endswith(ana) else None

    alter_answers(harness, Side.PLEZI, before)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert harness.people()[BOB]["phone"] == "222"
    code, remedy = quarantines(harness)[ANA]
    assert code == "contact_refused"
    assert BLOCKED in remedy


def test_a_search_that_plezi_forbids_for_one_e_mail_is_the_refusal_of_this_contact(
    harness: Harness,
) -> None:
    def before(request: Request) -> Response | None:
        return forbid() if request.args.get("filter[email]") == ANA else None

    alter_answers(harness, Side.PLEZI, before)
    for email in (ANA, BOB):
        harness.add_lead(Email=email, LastName="Name")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {BOB}
    assert BLOCKED in quarantines(harness)[ANA][1]


def test_a_key_that_plezi_refuses_for_every_call_stops_the_run(harness: Harness) -> None:
    harness.add_lead(Email=ANA, LastName="Name")
    wrote = []

    def before(request: Request) -> Response | None:
        wrote.extend([request.path] if request.method == "POST" else [])
        return forbid() if wrote else None

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.PLEZI_REFUSED)
    assert not quarantines(harness)


def test_a_key_that_may_only_read_stops_the_run_after_ten_contacts(harness: Harness) -> None:
    for number in range(30):
        harness.add_lead(Email=f"p{number:02}@example.com", LastName="Name")
    calls: list[str] = []

    def before(request: Request) -> Response | None:
        calls.append(f"{request.method} {request.args.get('per_page', '')}")
        return forbid() if request.method == "POST" else None

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.PLEZI_REFUSED)
    assert sum(call.startswith("POST") for call in calls) == 10
    assert calls.count("GET 1") == 1
