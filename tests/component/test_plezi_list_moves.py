"""Contacts that move to an earlier page of Plezi's list while it is read hide no other one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.model import RunState, Side
from tests.component.altered_answers import alter_answers, is_list, let_hours_pass
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks
from tests.component.test_plezi_list_answers import FailingList, answers_without_filter


def add_people_and_edit_all(harness: Harness, number: int, *, seconds_apart: int = 0) -> list[str]:
    """Add people who are known, and whose phones were edited in Plezi; return their ids."""
    ids = [
        harness.add_person(email=f"p{at:03}@example.com", last_name="N", phone="1")
        for at in range(number)
    ]
    harness.sync()
    let_hours_pass(harness)
    for each in ids:
        harness.edit_person(each, phone="2")
        if seconds_apart:
            advance_clocks(harness, seconds_apart)
            harness.let_pass(seconds_apart)
    let_hours_pass(harness, 1800)
    return ids


def emails_with_the_old_phone(harness: Harness) -> set[str]:
    return {lead["Email"] for lead in harness.leads() if lead["Phone"] == "1"}


class BulkUpdate:
    """A list in which all contacts have the same stamp, but those that were edited since.

    `calls` are the requests for the list; `edit_after` maps the number of a request to the places
    of contacts that are edited behind it.
    """

    def __init__(
        self,
        harness: Harness,
        ids: list[str],
        edit_after: dict[int, list[int]],
        *,
        sorts_newest_first: bool = True,
    ) -> None:
        self.calls: list[dict[str, str]] = []
        self._harness = harness
        self._ids = ids
        self._edit_after = edit_after
        self.edited: set[str] = set()
        self._sorts_newest_first = sorts_newest_first
        self._same = min(each["updated_at"] for each in harness.people().values())
        alter_answers(harness, Side.PLEZI, None, self.alter)

    def alter(self, request: Request, response: Response) -> None:
        if not (is_list(request) and response.status_code == 200 and "sort_by" in request.args):
            return
        self.calls.append(dict(request.args))
        for place in self._edit_after.get(len(self.calls), []):
            self.edited.add(self._ids[place])
            self._harness.edit_person(self._ids[place], phone="5")
        size, number = int(request.args["per_page"]), int(request.args["page"])
        rows = self._rows(request.args.get("filter[updated_at][gte]", ""))
        if request.args["sort_dir"] == "desc" and self._sorts_newest_first:
            rows.reverse()
        document = json.loads(response.get_data())
        document["data"] = rows[(number - 1) * size : number * size]
        response.set_data(json.dumps(document))

    def _rows(self, since: str) -> list[dict[str, Any]]:
        rows = []
        for identity in self._ids:
            row = self._harness.plezi("GET", f"contacts/{identity}")["data"]
            if identity not in self.edited:
                row["attributes"]["updated_at"] = self._same
            rows.append(row)
        rows.sort(key=lambda row: str(row["attributes"]["updated_at"]))
        return [row for row in rows if row["attributes"]["updated_at"] >= since]


@pytest.mark.parametrize(
    "edit_after",
    [
        {},
        {4: [0]},  # the first contact of the list
        {4: [29]},  # the last one that was read, which is the first of the next page then
        {4: [27, 28, 29]},  # all contacts that are known to be before the page
        {4: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]},  # more than a page
        {2: [0], 4: [1], 6: [2], 8: [3]},
        {3: [5], 5: [34]},
    ],
)
def test_people_of_one_bulk_update_arrive_while_some_of_them_are_edited(
    harness: Harness, edit_after: dict[int, list[int]]
) -> None:
    ids = add_people_and_edit_all(harness, 35)
    harness.settings = replace(harness.settings, plezi_dialect='{"page_size": 10}')
    bulk = BulkUpdate(harness, ids, edit_after)

    assert harness.sync().state is RunState.DONE
    assert len(bulk.calls) < 10

    let_hours_pass(harness)
    assert harness.sync().state is RunState.DONE  # reads those that were edited during the first
    assert emails_with_the_old_phone(harness) == set()


@pytest.mark.parametrize("edit_after", [{4: [0]}, {4: [29]}, {4: [*range(12)]}, {3: [1], 6: [2]}])
def test_people_of_one_bulk_update_arrive_where_the_tenant_does_not_sort_the_newest_first(
    harness: Harness, edit_after: dict[int, list[int]]
) -> None:
    ids = add_people_and_edit_all(harness, 35)
    harness.edit_person(ids[34], phone="2")
    harness.settings = replace(harness.settings, plezi_dialect='{"page_size": 10}')
    bulk = BulkUpdate(harness, ids, edit_after, sorts_newest_first=False)
    bulk.edited.add(ids[34])

    assert harness.sync().state is RunState.DONE
    assert len(bulk.calls) < 30

    let_hours_pass(harness)
    assert harness.sync().state is RunState.DONE
    assert emails_with_the_old_phone(harness) == set()


@pytest.mark.parametrize("place", [0, 3, 17, 34])
def test_a_contact_of_a_bulk_update_that_cannot_be_read_is_left_out_alone(
    harness: Harness, place: int
) -> None:
    ids = add_people_and_edit_all(harness, 35)
    harness.settings = replace(harness.settings, plezi_dialect='{"page_size": 10}')
    bulk = BulkUpdate(harness, ids, {})
    failing = FailingList([ids[place]])

    def after(request: Request, response: Response) -> None:
        bulk.alter(request, response)
        failing.after(request, response)

    alter_answers(harness, Side.PLEZI, None, after)

    assert harness.sync().state is RunState.DONE
    assert emails_with_the_old_phone(harness) == {f"p{place:03}@example.com"}


def test_a_list_whose_order_changes_at_each_call_ends(harness: Harness) -> None:
    ids = add_people_and_edit_all(harness, 35)
    harness.settings = replace(harness.settings, plezi_dialect='{"page_size": 10}')
    bulk = BulkUpdate(harness, ids, {})
    rows_of = bulk._rows

    def turned(since: str) -> list[dict[str, Any]]:
        rows = rows_of(since)
        start = 7 * len(bulk.calls) % max(1, len(rows))
        return [*rows[start:], *rows[:start]]

    bulk._rows = turned  # type: ignore[method-assign]

    assert harness.sync().state is RunState.DONE
    assert len(bulk.calls) < 100


def test_a_deletion_between_two_pages_newest_first_hides_nobody(harness: Harness) -> None:
    add_people_and_edit_all(harness, 130)
    deleted: list[str] = []
    first_page: list[str] = []

    def before(request: Request) -> Response | None:
        if first_page and not deleted and request.args.get("page") == "2":
            deleted.append(first_page[3])
            harness.control("plezi", "DELETE", f"contacts/{first_page[3]}")
        return answers_without_filter(request)

    def after(request: Request, response: Response) -> None:
        if is_list(request) and response.status_code == 200 and not first_page:
            rows = json.loads(response.get_data())["data"]
            first_page.extend(row["id"] for row in rows if len(rows) == 100)

    alter_answers(harness, Side.PLEZI, before, after)
    email = {person["id"]: email for email, person in harness.people().items()}

    assert harness.sync().state is RunState.DONE

    assert emails_with_the_old_phone(harness) <= {email[each] for each in deleted}
    assert len(deleted) == 1
