"""An error of one Plezi contact is the problem of this contact; an error of Plezi ends the run."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Request, Response

from connector.bootstrap import build_app
from connector.deadline import Deadline
from connector.errors import StopReason
from connector.model import AttentionKind, Phase, RunKind, RunState, Side
from tests.component.admin_client import AdminClient
from tests.component.altered_answers import (
    alter_answers,
    edit_json,
    is_one_contact_list,
    json_answer,
    let_call_hang,
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
            let_call_hang(harness, 20)
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


def answer_writes_of(harness: Harness, name: str, answer: object) -> None:
    """Let Plezi answer each write of a contact that has this text with the same document."""

    def before(request: Request) -> Response | None:
        is_write = request.method in ("POST", "PUT")
        return json_answer(answer) if is_write and name in request.get_data(as_text=True) else None

    alter_answers(harness, Side.PLEZI, before)


def document_of(person: dict[str, object]) -> dict[str, object]:
    """Return a contact as Plezi's answer to a write shows it."""
    attributes = {name: person[name] for name in ("email", "last_name", "phone", "company")}
    return {"data": {"id": person["id"], "type": "contacts", "attributes": attributes}}


def test_a_creation_that_plezi_answers_with_another_contact_takes_nothing_of_that_person(
    harness: Harness,
) -> None:
    [bob] = add_people(harness, BOB)
    harness.edit_person(bob, phone="222", company="Bob SA")
    harness.sync()
    let_hours_pass(harness)
    harness.add_lead(Email=ANA, LastName="Lopez", Company="Ana SA")
    answer_writes_of(harness, "Lopez", document_of(harness.people()[BOB]))
    harness.sync()
    let_hours_pass(harness)
    harness.edit_person(bob, email="bob.new@example.com")
    for _ in range(2):
        harness.sync()
        let_hours_pass(harness)

    lead = lead_of(harness, ANA)
    assert (lead["LastName"], lead["Company"], lead["Phone"]) == ("Lopez", "Ana SA", None)
    assert lead_of(harness, "bob.new@example.com")["LastName"] == "Name"
    assert quarantines(harness)[ANA][0] == "unanswered"


def test_an_update_that_plezi_answers_with_another_contact_takes_nothing_of_that_person(
    harness: Harness,
) -> None:
    ana, bob = add_people(harness, ANA, BOB)
    harness.edit_lead(lead_of(harness, ANA)["Id"], LastName="Lopez")
    answer_writes_of(harness, "Lopez", document_of(harness.people()[BOB]))
    for _ in range(2):
        harness.sync()
        let_hours_pass(harness)
    harness.edit_person(bob, email="bob.new@example.com", company="Bob SA")
    for _ in range(2):
        harness.sync()
        let_hours_pass(harness)

    assert lead_of(harness, "bob.new@example.com")["Company"] == "Bob SA"
    assert harness.people()[ANA]["id"] == ana
    assert lead_of(harness, ANA)["LastName"] == "Lopez"


def test_a_write_that_plezi_answers_with_200_and_errors_is_a_refusal_and_undoes_nothing(
    harness: Harness,
) -> None:
    add_people(harness, ANA, BOB)
    harness.edit_lead(lead_of(harness, ANA)["Id"], LastName="Lopez")
    harness.edit_lead(lead_of(harness, BOB)["Id"], LastName="Martin")
    answer_writes_of(harness, "Lopez", {"errors": [{"detail": "last_name is locked"}]})

    for kind in (RunKind.CHANGES, RunKind.FULL):
        harness.sync(kind=kind)
        let_hours_pass(harness)

    assert lead_of(harness, ANA)["LastName"] == "Lopez"
    assert harness.people()[BOB]["last_name"] == "Martin"
    assert quarantines(harness)[ANA] == ("refused_in_success", "last_name is locked")


@pytest.mark.parametrize("email", [7, None, ["a@x.fr"]])
def test_a_search_that_ignores_its_filter_is_not_stopped_by_a_contact_without_an_e_mail(
    harness: Harness, email: object
) -> None:
    add_people(harness, BOB)
    harness.control("plezi", "POST", "switches", {"email_filter": "ignored"})

    def after(request: Request, response: Response) -> None:
        if request.method == "GET" and request.path.endswith("/contacts"):
            edit_json(response, spoil)

    def spoil(document: dict[str, list[dict[str, dict[str, object]]]]) -> None:
        for row in document["data"]:
            if row["attributes"]["email"] == BOB:
                row["attributes"] |= {"email": email, "phone": {"a": 1}}

    alter_answers(harness, Side.PLEZI, after=after)
    harness.add_lead(Email=ANA, LastName="Lopez")

    harness.sync()

    assert harness.people()[ANA]["last_name"] == "Lopez"


def test_half_of_a_character_in_the_reason_of_a_refusal_hides_no_other_one(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.add_lead(Email=ANA, LastName="Lopez")
    refusal = json_answer({"errors": [{"detail": "phone is wrong: \ud83d"}]}, 422)
    alter_answers(
        harness, Side.PLEZI, lambda request: refusal if request.method == "POST" else None
    )
    harness.sync()

    answer = admin_client.request("GET", "/admin/attention", kind="quarantine")

    assert ANA in answer.text
    assert "phone is wrong: \ufffd".encode() in answer.text.encode()


def test_an_update_that_plezi_never_finds_though_the_contact_is_there_is_shown_to_the_admin(
    harness: Harness,
) -> None:
    ana, _ = add_people(harness, ANA, BOB)

    def before(request: Request) -> Response | None:
        is_update = request.method == "PUT" and request.path.endswith(ana)
        return json_answer({}, 404) if is_update else None

    alter_answers(harness, Side.PLEZI, before)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")

    for _ in range(3):
        harness.sync()
        let_hours_pass(harness)

    assert harness.people()[BOB]["phone"] == "222"
    assert quarantines(harness)[ANA][0] == "unanswered"


def test_forty_contacts_that_plezi_forbids_do_not_delay_the_others(harness: Harness) -> None:
    """A list of people who unsubscribed from everything: the key may write all others."""
    add_people(harness, BOB)
    for number in range(40):
        harness.add_lead(Email=f"blocked{number:02}@example.com", LastName="Blocked")
    harness.add_lead(Email="zoe@example.com", LastName="Martin")

    def before(request: Request) -> Response | None:
        is_creation = request.method == "POST" and "Blocked" in request.get_data(as_text=True)
        return forbid() if is_creation else None

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {BOB, "zoe@example.com"}
    assert {code for code, _ in quarantines(harness).values()} == {"contact_refused"}
    assert len(quarantines(harness)) == 40


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_revoked_while_contacts_are_written_puts_no_person_in_quarantine(
    harness: Harness, status: int
) -> None:
    add_people(harness, ANA, BOB)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Phone="222")
    is_revoked = False

    def before(request: Request) -> Response | None:
        nonlocal is_revoked
        is_revoked = is_revoked or request.method == "PUT"
        return json_answer({"errors": [{"detail": "no"}]}, status) if is_revoked else None

    alter_answers(harness, Side.PLEZI, before)

    run = harness.sync()

    assert run.state is RunState.HALTED, run.message
    assert quarantines(harness) == {}
