"""Tenants that answer the list of contacts in another way than is assumed: each edit arrives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.mapping import ConflictPolicy
from connector.model import RunState, Side
from tests.component.altered_answers import (
    alter_answers,
    edit_json,
    is_list,
    json_answer,
    let_hours_pass,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, save_policy
from tests.component.test_plezi_list_answers import answers_without_filter
from tests.component.test_plezi_list_moves import (
    BulkUpdate,
    add_people_and_edit_all,
    emails_with_the_old_phone,
)

SMALL_PAGES = '{"page_size": 10}'
WITHOUT_FILTER = '{"page_size": 10, "changed_since": "none"}'


def run_twice(harness: Harness) -> None:
    """Let two ordinary runs end well, two hours apart."""
    for _ in range(2):
        run = harness.sync()
        assert run.state is RunState.DONE, run.message
        let_hours_pass(harness)


class OwnOrder:
    """A list of contacts in an order of its own, whatever sort and filter are asked for."""

    def __init__(self, harness: Harness, stamps: dict[str, str]) -> None:
        self.edited: set[str] = set()
        self._harness = harness
        self._stamps = stamps
        alter_answers(harness, Side.PLEZI, None, self.alter)

    def alter(self, request: Request, response: Response) -> None:
        if not (is_list(request) and response.status_code == 200):
            return
        size, number = int(request.args["per_page"]), int(request.args["page"])
        ids = list(self._stamps)[(number - 1) * size : number * size]
        edit_json(response, lambda document: document.update(data=[self._row(it) for it in ids]))

    def _row(self, identity: str) -> Any:
        row = self._harness.plezi("GET", f"contacts/{identity}")["data"]
        if identity not in self.edited:
            row["attributes"]["updated_at"] = self._stamps[identity]
        return row


@pytest.mark.parametrize("dialect", [SMALL_PAGES, WITHOUT_FILTER])
@pytest.mark.parametrize(("has_one_stamp", "place"), [(False, 29), (True, 25)])
def test_an_edit_arrives_where_the_tenant_ignores_sort_and_filter(
    harness: Harness, dialect: str, place: int, *, has_one_stamp: bool
) -> None:
    ids = [
        harness.add_person(email=f"p{at:03}@example.com", last_name="N", phone="1")
        for at in range(35)
    ]
    run_twice(harness)
    harness.settings = replace(harness.settings, plezi_dialect=dialect)
    seconds = [0 if has_one_stamp else 59 - at for at in range(35)]
    times = [f"2026-01-01T00:00:{second:02}.000Z" for second in seconds]
    order = OwnOrder(harness, dict(zip(ids, times, strict=True)))
    run_twice(harness)
    order.edited.add(ids[place])
    harness.edit_person(ids[place], phone="2")
    let_hours_pass(harness)
    run_twice(harness)

    assert [lead["Email"] for lead in harness.leads() if lead["Phone"] == "2"] == [
        f"p{place:03}@example.com"
    ]


@pytest.mark.parametrize("status", [404, 400, 500])
@pytest.mark.parametrize("number", [1, 10, 35])
@pytest.mark.parametrize("has_filter", [True, False])
def test_an_error_behind_the_last_page_is_the_end_of_the_list(
    harness: Harness, status: int, number: int, *, has_filter: bool
) -> None:
    harness.settings = replace(harness.settings, plezi_dialect=SMALL_PAGES)
    for at in range(number):
        harness.add_person(email=f"p{at:03}@example.com", last_name="N")
    calls: list[str] = []

    def after(request: Request, response: Response) -> None:
        if not is_list(request):
            return
        calls.append(request.path)
        is_later = int(request.args.get("page", "1")) > 1 and response.status_code == 200
        if is_later and not json.loads(response.get_data())["data"]:
            response.status_code = status
            response.set_data(b'{"errors": [{"title": "Invalid page"}]}')

    before = None if has_filter else answers_without_filter
    alter_answers(harness, Side.PLEZI, before, after)
    run_twice(harness)

    assert len(harness.leads()) == number
    assert len(calls) <= 2 * (number // 10 + 30)


@pytest.mark.parametrize("minutes", range(8))
def test_the_only_contact_that_changed_and_cannot_be_read_ends_no_run_with_an_error(
    harness: Harness, minutes: int
) -> None:
    """The proof that the list works tries other contacts at each of eight minutes."""
    harness.add_person(email="p@example.com", last_name="N")
    harness.sync()
    let_hours_pass(harness, 7200 + 60 * minutes)
    failing = harness.add_person(email=ANA, last_name="N")

    def after(request: Request, response: Response) -> None:
        if is_list(request) and response.status_code == 200:
            rows = json.loads(response.get_data())["data"]
            if any(row["id"] == failing for row in rows):
                response.status_code = 500
            elif not rows and int(request.args.get("page", "1")) > 1:
                response.status_code = 404

    alter_answers(harness, Side.PLEZI, None, after)
    run_twice(harness)


@pytest.mark.parametrize("has_filter", [True, False])
def test_a_page_behind_the_last_may_show_the_last_one_again(
    harness: Harness, *, has_filter: bool
) -> None:
    harness.add_person(email=ANA, last_name="N")
    shown: list[Any] = []

    def after(request: Request, response: Response) -> None:
        if not (is_list(request) and response.status_code == 200 and "sort_by" in request.args):
            return
        document = json.loads(response.get_data())
        if request.args["page"] == "1":
            shown[:] = document["data"]
        elif not document["data"]:
            response.set_data(json.dumps({**document, "data": shown}))

    before = None if has_filter else answers_without_filter
    alter_answers(harness, Side.PLEZI, before, after)
    run_twice(harness)

    assert harness.leads(ANA)


@pytest.mark.parametrize("has_filter", [True, False])
def test_a_contact_that_cannot_be_read_hides_nobody_where_pages_are_limited(
    harness: Harness, *, has_filter: bool
) -> None:
    ids = add_people_and_edit_all(harness, 60, seconds_apart=1)
    harness.control("plezi", "POST", "switches", {"page_size_cap": 10})

    def after(request: Request, response: Response) -> None:
        if is_list(request) and response.status_code == 200:
            rows = json.loads(response.get_data())["data"]
            if any(row["id"] == ids[25] for row in rows):
                response.status_code = 500

    before = None if has_filter else answers_without_filter
    alter_answers(harness, Side.PLEZI, before, after)
    run_twice(harness)

    assert emails_with_the_old_phone(harness) == {"p025@example.com"}


@pytest.mark.parametrize(
    ("number", "edit_after"),
    [(31, {5: [0]}), (40, {5: list(range(10))}), (32, {2: [0], 4: [1]})],
)
def test_contacts_that_changed_alone_on_the_last_page_show_that_it_is_not_the_oldest(
    harness: Harness, number: int, edit_after: dict[int, list[int]]
) -> None:
    ids = add_people_and_edit_all(harness, number)
    harness.settings = replace(harness.settings, plezi_dialect=SMALL_PAGES)
    BulkUpdate(harness, ids, edit_after, sorts_newest_first=False)
    run_twice(harness)

    assert emails_with_the_old_phone(harness) == set()


@pytest.mark.parametrize("has_filter", [True, False])
@pytest.mark.parametrize("sizes", [(10, 20), (20, 10)])
def test_a_page_size_that_is_corrected_between_two_runs_hides_nobody(
    harness: Harness, sizes: tuple[int, int], *, has_filter: bool
) -> None:
    ids = add_people_and_edit_all(harness, 60)
    harness.settings = replace(harness.settings, plezi_dialect=f'{{"page_size": {sizes[0]}}}')
    bulk = BulkUpdate(harness, ids, {})
    down = [True]

    def before(request: Request) -> Response | None:
        if down and len(bulk.calls) >= 4:
            return json_answer({}, 500)
        return None if has_filter else answers_without_filter(request)

    alter_answers(harness, Side.PLEZI, before, bulk.alter)
    assert harness.sync().state is RunState.FAILED
    down.clear()
    harness.settings = replace(harness.settings, plezi_dialect=f'{{"page_size": {sizes[1]}}}')
    alter_answers(harness, Side.PLEZI, before, bulk.alter)
    let_hours_pass(harness)
    bulk.calls.clear()
    run_twice(harness)

    assert emails_with_the_old_phone(harness) == set()
    sizes_used = {call["per_page"] for call in bulk.calls}
    assert str(sizes[1]) in sizes_used
    assert str(sizes[0]) not in sizes_used


def test_a_filter_that_a_new_probe_does_not_find_is_left_within_a_reading(
    harness: Harness,
) -> None:
    ids = add_people_and_edit_all(harness, 60)
    harness.settings = replace(harness.settings, plezi_dialect=SMALL_PAGES)
    bulk = BulkUpdate(harness, ids, {})
    alter_answers(
        harness,
        Side.PLEZI,
        lambda _: json_answer({}, 500) if len(bulk.calls) >= 4 else None,
        bulk.alter,
    )
    assert harness.sync().state is RunState.FAILED
    harness.settings = replace(harness.settings, plezi_dialect=WITHOUT_FILTER)
    alter_answers(harness, Side.PLEZI)
    let_hours_pass(harness)
    run_twice(harness)

    assert emails_with_the_old_phone(harness) == set()


@pytest.mark.parametrize("dialect", [SMALL_PAGES, WITHOUT_FILTER])
@pytest.mark.parametrize("has_stamps", [True, False])
@pytest.mark.parametrize(("page", "place"), [(1, 0), (2, -1), (4, -1)])
def test_an_edit_that_a_page_has_left_out_is_found_in_the_same_run_and_not_replaced(
    harness: Harness, dialect: str, place: int, page: int, *, has_stamps: bool
) -> None:
    """Two answers of the list lack the contact that changed; it is at a `place` of a `page`."""
    save_policy(harness, "Phone", ConflictPolicy.PLEZI_WINS)
    harness.settings = replace(harness.settings, plezi_dialect=dialect)
    people = [
        harness.add_person(email=f"p{at:03}@example.com", last_name="N", phone="1")
        for at in range(35)
    ]
    left_out: dict[str, int] = {}

    def alter(request: Request, response: Response) -> None:
        if not (is_list(request) and response.status_code == 200):
            return

        def edit(document: dict[str, Any]) -> None:
            if any(left_out.get(row["id"]) for row in document["data"]):
                lost = next(row for row in document["data"] if left_out.get(row["id"]))
                left_out[lost["id"]] -= 1
                document["data"].remove(lost)
            for row in document["data"]:
                if not has_stamps:
                    row["attributes"].pop("updated_at", None)

        edit_json(response, edit)

    alter_answers(harness, Side.PLEZI, None, alter)
    run_twice(harness)
    order = list(people) if dialect == SMALL_PAGES and has_stamps else people[::-1]
    edited = order[10 * (page - 1) : 10 * page][place]
    leads = {lead["Email"]: lead["Id"] for lead in harness.leads()}
    for person in people:
        harness.edit_person(person, company="Nord")
    harness.edit_person(edited, phone=None)
    email = f"p{people.index(edited):03}@example.com"
    harness.edit_lead(leads[email], Phone="2")
    left_out[edited] = 2

    run_twice(harness)

    assert not left_out[edited]
    assert harness.people()[email]["phone"] is None
    assert [lead["Phone"] for lead in harness.leads() if lead["Email"] == email] == [None]
