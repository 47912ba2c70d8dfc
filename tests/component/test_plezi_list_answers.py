"""Wrong answers of Plezi's list of contacts: repeated or very large pages, future times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from connector import http_session
from connector.errors import StopReason
from connector.model import Counts, Phase, RecordKind, RunKind, RunState, Side
from connector.plezi import reader
from tests.component.altered_answers import (
    alter_answers,
    edit_json,
    is_list,
    json_answer,
    let_call_hang,
    let_hours_pass,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB
from tests.component.test_calls_that_hang import HANG_SECONDS, run_in_invocations

FUTURE_DATE = "Fri, 01 Jan 2038 00:00:00 GMT"
FUTURE_STAMP = "2038-01-01T00:00:00.000Z"
SAME_STAMP = "2026-01-01T00:00:00.000Z"


def filters_changes(request: Request) -> bool:
    return any("updated" in name for name in request.args if name != "sort_by")


def answers_without_filter(request: Request) -> Response | None:
    """Refuse the filter of changed contacts, as a tenant without it does."""
    is_refused = is_list(request) and filters_changes(request)
    return json_answer({"errors": []}, 400) if is_refused else None


def emails_of_leads(harness: Harness) -> set[str]:
    return {lead["Email"] for lead in harness.leads()}


@pytest.mark.parametrize("pages_per_invocation", [1, 10])
@pytest.mark.parametrize("has_filter", [True, False])
def test_a_list_that_does_not_advance_ends_the_run_and_names_the_setting(
    harness: Harness, pages_per_invocation: int, *, has_filter: bool
) -> None:
    attributes = [{"email": f"q{i}@example.com", "updated_at": SAME_STAMP} for i in range(100)]
    rows = [
        {"type": "contacts", "id": f"c{number}", "attributes": each}
        for number, each in enumerate(attributes)
    ]
    calls = []

    def before(request: Request) -> Response | None:
        if not is_list(request):
            return None
        calls.append(request.path)
        if not has_filter and filters_changes(request):
            return json_answer({"errors": []}, 400)
        return json_answer({"data": rows})

    alter_answers(harness, Side.PLEZI, before)
    run_id = harness.run_requester.request_run(RunKind.CHANGES)
    state = RunState.RUNNING
    for _ in range(5):
        checks: list[int] = []

        def is_over(checks: list[int] = checks) -> bool:
            checks.append(1)
            return len(checks) >= pages_per_invocation

        state = harness.engine.run_phase(run_id, Phase.READ, is_over)
        if state is not RunState.RUNNING:
            break

    run = harness.ledger.load_run(run_id)
    assert run is not None
    assert state is not RunState.RUNNING
    assert "PLEZI_DIALECT" in run.message
    assert len(calls) <= 9  # each page again, and a call that compares the contact behind it


def test_a_wrong_date_of_plezi_in_the_future_does_not_hide_later_changes(
    harness: Harness,
) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    wrong = [FUTURE_DATE]

    def after(_request: Request, response: Response) -> None:
        for date in wrong:
            response.headers["Date"] = date

    alter_answers(harness, Side.PLEZI, after=after)
    harness.sync()
    wrong.clear()
    let_hours_pass(harness)
    harness.add_person(email=BOB, last_name="Roi")
    harness.sync()

    assert emails_of_leads(harness) == {ANA, BOB}


@pytest.mark.parametrize("has_filter", [True, False])
def test_a_contact_that_changed_in_the_future_does_not_hide_later_changes(
    harness: Harness, *, has_filter: bool
) -> None:
    ana = harness.add_person(email=ANA, last_name="Lopez")

    def before(request: Request) -> Response | None:
        is_refused = is_list(request) and not has_filter and filters_changes(request)
        return json_answer({"errors": []}, 400) if is_refused else None

    def after(request: Request, response: Response) -> None:
        def edit(document: dict[str, Any]) -> None:
            for row in document["data"]:
                if row["id"] == ana:
                    row["attributes"]["updated_at"] = FUTURE_STAMP
            newest_last = request.args.get("sort_dir") == "asc"
            document["data"].sort(
                key=lambda row: row["attributes"]["updated_at"], reverse=not newest_last
            )

        if is_list(request):
            edit_json(response, edit)

    alter_answers(harness, Side.PLEZI, before, after)
    harness.sync()
    let_hours_pass(harness)
    harness.add_person(email=BOB, last_name="Roi")
    harness.sync()

    assert emails_of_leads(harness) == {ANA, BOB}


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("place", [0, 7, 29])
def test_a_contact_that_is_too_large_to_read_is_left_out_and_the_list_goes_on(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, place: int, *, has_filter: bool
) -> None:
    monkeypatch.setattr(http_session, "MAX_RESPONSE_BYTES", 500_000)
    emails = [f"p{number:02}@example.com" for number in range(30)]
    ids = [harness.add_person(email=email, last_name="Name") for email in emails]
    calls = []

    def before(request: Request) -> Response | None:
        is_refused = is_list(request) and not has_filter and filters_changes(request)
        return json_answer({"errors": []}, 400) if is_refused else None

    def after(request: Request, response: Response) -> None:
        def edit(document: dict[str, Any]) -> None:
            for row in document["data"]:
                if row["id"] == ids[place]:
                    row["attributes"]["notes"] = "x" * 600_000

        if is_list(request):
            calls.append(request.args)
            edit_json(response, edit)

    alter_answers(harness, Side.PLEZI, after=after, before=before)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails} - {emails[place]}
    assert run.counts["plezi"]["skipped.quarantined"] >= 1
    assert len(calls) <= 60


class FailingList:
    """Answers each page of the list with an error that has one of some contacts.

    `fails_alone`: also the page that shows whether Plezi works.
    """

    def __init__(self, ids: list[str], *, has_filter: bool = True, status: int = 500) -> None:
        self.ids = ids
        self.fails_alone = False
        self.body = b'{"errors": []}'
        self.calls = 0
        self._has_filter = has_filter
        self._status = status

    def before(self, request: Request) -> Response | None:
        return None if self._has_filter else answers_without_filter(request)

    def after(self, request: Request, response: Response) -> None:
        if not is_list(request) or response.status_code != 200:
            return
        self.calls += 1
        rows = json.loads(response.get_data())["data"]
        is_confirmation = "sort_by" not in request.args
        fails = self.fails_alone if is_confirmation else any(row["id"] in self.ids for row in rows)
        if fails:
            response.status_code = self._status
            response.set_data(self.body)


def add_thirty_people(harness: Harness) -> tuple[list[str], list[str]]:
    """Return the e-mails and the ids of thirty new contacts."""
    emails = [f"p{number:02}@example.com" for number in range(30)]
    return emails, [harness.add_person(email=email, last_name="Name") for email in emails]


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("places", [[0], [7], [29], [3, 4, 5, 20]])
def test_a_contact_with_which_every_page_fails_is_left_out_and_the_list_goes_on(
    harness: Harness, places: list[int], *, has_filter: bool
) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FailingList([ids[place] for place in places], has_filter=has_filter)
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails} - {emails[place] for place in places}
    assert run.counts["plezi"]["skipped.quarantined"] >= len(places)

    failing.ids = []
    let_hours_pass(harness)
    for place in places:
        harness.edit_person(ids[place], phone="222")
    harness.sync()

    assert emails_of_leads(harness) == {*emails}


def test_a_page_that_is_no_json_is_read_in_smaller_pages(harness: Harness) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FailingList(ids[7:8], status=200)
    failing.body = b'{"data": [{"type": '
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails} - {emails[7]}


class FaultOfList(FailingList):
    """A list whose pages with one of some contacts have a certain fault; `calls_of_all`: requests.

    `is_down`: every call has the fault, not only those pages.
    """

    def __init__(self, harness: Harness, fault: str, ids: list[str]) -> None:
        super().__init__(ids)
        self.is_down = False
        self.calls_of_all = 0
        self._harness = harness
        self._fault = fault

    def after(self, request: Request, response: Response) -> None:
        self.calls_of_all += 1
        if not self.is_down:
            if not is_list(request):
                return
            rows = json.loads(response.get_data()).get("data", [])
            if not any(row["id"] in self.ids for row in rows):
                return
        match self._fault:
            case "time-out":
                let_call_hang(self._harness, HANG_SECONDS)
                raise requests.ReadTimeout
            case "reset":
                raise requests.ConnectionError
            case "no list":
                response.set_data(json.dumps({"errors": [{"detail": ANA}]}))
            case "web page":
                response.status_code = 403
                response.set_data("<html>blocked</html>")
            case status:
                response.status_code = int(status)
                response.set_data(json.dumps({"errors": [{"detail": ANA}]}))


FAULTS_OF_A_PAGE = ["time-out", "reset", "no list", "web page", "302", "400", "404", "408", "422"]


@pytest.mark.parametrize("fault", FAULTS_OF_A_PAGE)
def test_one_contact_that_breaks_its_page_in_any_way_stops_nobody(
    harness: Harness, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    emails, ids = add_thirty_people(harness)
    harness.add_lead(Email=BOB, LastName="Roi")
    failing = FaultOfList(harness, fault, [ids[7]])
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = run_in_invocations(harness)

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails, BOB} - {emails[7]}
    assert BOB in harness.people()
    assert run.counts["plezi"]["skipped.quarantined"] >= 1
    assert ANA not in capsys.readouterr().out

    failing.ids = []
    let_hours_pass(harness)
    harness.edit_person(ids[7], phone="222")
    harness.sync()

    assert emails_of_leads(harness) == {*emails, BOB}


@pytest.mark.parametrize("fault", [*FAULTS_OF_A_PAGE, "500"])
def test_a_fault_of_every_call_ends_the_run_after_few_calls_and_leaves_nobody_out(
    harness: Harness, fault: str
) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FaultOfList(harness, fault, ids)
    failing.is_down = True
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = run_in_invocations(harness)

    assert run.state is RunState.FAILED
    assert "skipped.quarantined" not in run.counts.get("plezi", {})
    assert failing.calls_of_all <= 20

    failing.is_down, failing.ids = False, []
    harness.sync()

    assert emails_of_leads(harness) == {*emails}


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refusal_of_the_key_for_a_page_stays_a_refusal_of_all_calls(
    harness: Harness, status: str
) -> None:
    _, ids = add_thirty_people(harness)
    failing = FaultOfList(harness, status, [ids[7]])
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.reason is StopReason.PLEZI_REFUSED
    assert failing.calls_of_all <= 2


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("seconds", [0, 60, 120, 240, 420])
@pytest.mark.parametrize("places", [(0, 1, 4, 16), range(17), range(43, 60)])
def test_contacts_that_cannot_be_read_where_the_list_is_proved_stop_nobody(
    harness: Harness, places: Sequence[int], seconds: int, *, has_filter: bool
) -> None:
    emails = [f"p{at:03}@example.com" for at in range(60)]
    ids = [harness.add_person(email=email, last_name="Name") for email in emails]
    let_hours_pass(harness, seconds)
    failing = FailingList([ids[place] for place in places], has_filter=has_filter)
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.state is RunState.DONE
    assert emails_of_leads(harness) == {*emails} - {emails[place] for place in places}


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("first", [0, 9, 18])
def test_twelve_contacts_side_by_side_that_cannot_be_read_stop_nobody(
    harness: Harness, first: int, *, has_filter: bool
) -> None:
    emails, ids = add_thirty_people(harness)
    left_out = slice(first, first + 12)
    failing = FailingList(ids[left_out], has_filter=has_filter)
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails} - {*emails[left_out]}
    assert failing.calls <= 14 * 12  # 2 log2(100) for each contact


def test_contacts_that_hang_side_by_side_cost_several_invocations_and_stop_nobody(
    harness: Harness,
) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FaultOfList(harness, "time-out", ids[:12])
    let_hours_pass(harness)
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = run_in_invocations(harness)

    assert run.state is RunState.DONE, run.message
    assert emails_of_leads(harness) == {*emails[12:]}


def test_a_run_that_may_leave_nobody_else_out_ends_and_the_next_one_goes_on_behind_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_LEFT_OUT", 5)
    emails, ids = add_thirty_people(harness)
    failing = FailingList(ids[3:15])
    let_hours_pass(harness)
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    states = []
    for _ in range(3):
        states.append(harness.sync().state)
        let_hours_pass(harness)

    assert states == [RunState.FAILED, RunState.FAILED, RunState.DONE]
    assert emails_of_leads(harness) == {*emails} - {*emails[3:15]}


def test_a_page_that_fails_while_plezi_fails_for_every_call_ends_the_run(
    harness: Harness,
) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FailingList(ids[7:8])
    failing.fails_alone = True
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.reason is StopReason.PLEZI_UNAVAILABLE
    assert failing.calls <= 8

    failing.ids = []
    harness.sync()

    assert emails_of_leads(harness) == {*emails}


def test_a_list_that_fails_as_a_whole_ends_the_run_and_leaves_nobody_out(
    harness: Harness,
) -> None:
    emails, ids = add_thirty_people(harness)
    failing = FailingList(list(ids))
    alter_answers(harness, Side.PLEZI, failing.before, failing.after)

    run = harness.sync()

    assert run.reason is StopReason.PLEZI_UNAVAILABLE

    failing.ids = []
    harness.sync()

    assert emails_of_leads(harness) == {*emails}


@pytest.mark.parametrize("advice", ["", "5"])
def test_a_page_that_is_refused_for_the_rate_is_not_read_in_smaller_pages(
    harness: Harness, advice: str
) -> None:
    _, ids = add_thirty_people(harness)
    failing = FailingList(ids[7:8], status=429)
    sizes = set()

    def after(request: Request, response: Response) -> None:
        failing.after(request, response)
        if is_list(request):
            sizes.add(request.args["per_page"])
            if advice and response.status_code == 429:
                response.headers["Retry-After"] = advice

    alter_answers(harness, Side.PLEZI, after=after)

    run = harness.sync()

    assert run.reason is StopReason.PLEZI_UNAVAILABLE
    assert len(sizes) == 1


def test_the_time_of_pages_that_failed_hides_no_change(harness: Harness) -> None:
    """A contact that is behind the reading changes while the next pages fail."""
    _, ids = add_thirty_people(harness)
    harness.sync()
    let_hours_pass(harness)
    for record_id in ids:
        harness.edit_person(record_id, phone="1")
    failing = FailingList([ids[29]], has_filter=False)

    def after(request: Request, response: Response) -> None:
        failing.after(request, response)
        if is_list(request) and response.status_code == 500:
            let_call_hang(harness, 10)

    alter_answers(harness, Side.PLEZI, failing.before, after)
    started_at = harness.clock()

    harness.sync()

    cursor = harness.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    assert harness.clock() - started_at > 60
    assert cursor.look <= datetime.fromtimestamp(started_at, UTC).isoformat()


@pytest.mark.parametrize("raw", [b"\x00", b"\x08", b"\t", b"\n", b"\r\n", b"\x0b", b"\x1f"])
@pytest.mark.parametrize("member", ["last_name", "email", "notes", "updated_at"])
def test_a_raw_control_character_in_the_text_of_one_contact_stops_nobody(
    harness: Harness, raw: bytes, member: str
) -> None:
    """JSON allows these characters only as escapes (RFC 8259, section 7)."""
    odd = harness.add_person(email=ANA, last_name="Lopez")
    harness.add_person(email=BOB, last_name="Roi")

    def mark(document: dict[str, Any]) -> None:
        for row in document["data"]:
            if row["id"] == odd:
                row["attributes"][member] = f"RAW{row['attributes'].get(member) or ''}"

    def after(request: Request, response: Response) -> None:
        if is_list(request):
            edit_json(response, mark)
            response.set_data(response.get_data().replace(b"RAW", b"a" + raw))

    alter_answers(harness, Side.PLEZI, after=after)

    runs = [harness.sync(), harness.sync()]

    assert {run.state for run in runs} == {RunState.DONE}, runs[0].message
    assert BOB in emails_of_leads(harness)
    assert harness.people()[BOB]["last_name"] == "Roi"
    names = [lead["LastName"] for lead in harness.leads(ANA)]
    if member == "last_name":
        assert [name[:1] + name[-5:] for name in names] == ["aLopez"]
    assert all("\x00" not in name for name in names)


def test_a_stored_watermark_in_the_future_is_replaced_by_a_reading_of_everything(
    harness: Harness,
) -> None:
    """An earlier version stored the time of a wrong clock."""
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    cursor = harness.ledger.load_cursor(RecordKind.PLEZI_CONTACT)
    wrong = replace(cursor, watermark=FUTURE_STAMP, look="")
    harness.ledger.checkpoint(wrong, "r", Counts())
    harness.add_person(email=BOB, last_name="Roi")
    let_hours_pass(harness)

    harness.sync()

    assert emails_of_leads(harness) == {ANA, BOB}
