"""One person: both sides and the agreed base side by side, why a value is so, the actions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from connector.admin.people import FieldHistory, Person, RecordView, show_person
from connector.admin.person_erasure import Erasure, erase_person
from connector.admin.person_export import export_person
from connector.admin.person_search import search_people
from connector.admin.record_pages import RecordPage, show_record_pages
from connector.admin.run_requests import request_run
from connector.console.context import PageContext
from connector.console.journal_view import (
    EntryPage,
    entry_row,
    last_of_each_field,
    without_repetition,
)
from connector.console.labels import FieldLabels, read_labels
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.errors import ConnectorError
from connector.mapping import Direction
from connector.mapping.values import to_text
from connector.model import MergeRule, RunKind, Value

HISTORY_LIMIT: Final = 50
MAX_PARTS: Final = 20
"""Parts of an export or an erasure in one request: the tables of a small stack have one."""
MAX_SEARCH_CHARACTERS: Final = 300
JSON: Final = "application/json; charset=utf-8"
WEB: Final = ("https://", "http://127.0.0.1")
"""How the address of a record's page begins; the second one is that of a simulator."""
ARROWS: Final = {
    Direction.BOTH: "↔",
    Direction.TO_SALESFORCE: "→",
    Direction.TO_PLEZI: "←",
    Direction.OFF: "·",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """The value of a field in one record; `is_known`: the record was read with the field."""

    value: Value
    is_known: bool
    differs: bool


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field pair of a person: the value in each record, the agreed one, and the reason.

    `is_apart`: an undo left the records with different values, which no run makes equal.
    """

    history: FieldHistory
    label: str
    attribute: str
    arrow: str
    plezi: Cell
    salesforce: tuple[Cell, ...]
    base: Cell
    is_held: bool
    is_refused: bool
    is_apart: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """What the page of a person shows."""

    person: Person
    person_id: str
    name: str
    records: tuple[RecordView, ...]
    fields: tuple[FieldRow, ...]
    labels: FieldLabels
    history: EntryPage
    pages: Mapping[str, RecordPage]


def show_search(page: PageContext) -> Response:
    """Show the search; a search is sent with POST, because addresses of pages are logged."""
    return page.render("people.html", text="", found=None)


def search(page: PageContext) -> Response:
    """Find people by an e-mail, the id of a record, or a part of a name; open the only one."""
    text = page.request.value("text").strip()[:MAX_SEARCH_CHARACTERS]
    if not text:
        return page.go("/people")
    found = search_people(page.admin, text)
    known = [person for person in found.people if person.known]
    if len(known) == 1 and len(found.people) == 1:
        return page.go(f"/people/{page.seals.person_id(known[0].email)}")
    status = HTTPStatus.OK if found.people else HTTPStatus.NOT_FOUND
    return page.render("people.html", status=status, text=text, found=found)


def show_one(page: PageContext) -> Response:
    """Show one person."""
    email = page.person_email(page.parameters["person"])
    after = page.query("next")
    person = show_person(page.admin, email, limit=HISTORY_LIMIT, after=after)
    labels = read_labels(page.admin)
    entries = (entry_row(entry, labels) for entry in person.journal.entries)
    rows = last_of_each_field(without_repetition(entries))
    view = PersonView(
        person=person,
        person_id=page.parameters["person"],
        name=person_name(person),
        records=tuple(filter(None, (person.plezi, *person.salesforce))),
        fields=tuple(field_row(person, history, labels) for history in person.fields),
        labels=labels,
        history=EntryPage(rows, person.journal.next),
        pages=record_pages(page, [email]),
    )
    return page.render("person.html", view=view)


def person_name(person: Person) -> str:
    """Return the name of a person as Plezi, or else Salesforce, has it; '' if neither has one."""
    records = tuple(filter(None, (person.plezi, *person.salesforce)))
    for first, last in (("first_name", "last_name"), ("FirstName", "LastName")):
        for record in records:
            parts = (to_text(record.values.get(first)), to_text(record.values.get(last)))
            if any(parts):
                return " ".join(filter(None, parts))
    return ""


def record_pages(page: PageContext, emails: Collection[str]) -> dict[str, RecordPage]:
    """Return the page and the last change of each record of some people, by its id.

    They are left out while Salesforce cannot be read, and an address that is none of the web.
    """
    try:
        found = show_record_pages(page.admin, list(emails))
    except ConnectorError:
        return {}
    return {
        record.id: record if record.page.startswith(WEB) else replace(record, page="")
        for person in found.people
        for record in person.records
    }


def field_row(person: Person, history: FieldHistory, labels: FieldLabels) -> FieldRow:
    """Return the row of one field pair."""
    agreed = next(iter(history.base.values()), None)
    base = Cell(agreed, bool(history.base), differs=False)

    def cell(record: RecordView | None) -> Cell:
        if record is None or record.id not in history.values:
            return Cell(None, is_known=False, differs=False)
        value = history.values[record.id]
        own = history.base.get(record.id)
        return Cell(value, is_known=True, differs=record.id in history.base and own != value)

    refused = person.quarantine.fields if person.quarantine else ()
    return FieldRow(
        history=history,
        label=labels.pair(history.field),
        attribute=labels.plezi.get(history.plezi) or history.plezi,
        arrow=ARROWS[history.direction],
        plezi=cell(person.plezi),
        salesforce=tuple(map(cell, person.salesforce)),
        base=base,
        is_held=any(hold.field == history.field for hold in person.holds),
        is_refused=history.field in refused,
        is_apart=_is_apart(history),
    )


def _is_apart(history: FieldHistory) -> bool:
    is_undone = history.last is not None and history.last.rule == MergeRule.UNDONE.value
    return is_undone and len({to_text(value) for value in history.values.values()}) > 1


def sync_now(page: PageContext) -> Response:
    """Request a run of one person."""
    email = page.person_email(page.parameters["person"])
    requested = request_run(page.admin, page.actor, RunKind.SELECTED, [email])
    return page.go(f"/runs/{requested.run_id}", "run_requested", person=page.parameters["person"])


def export(page: PageContext) -> Response:
    """Return what is stored about a person as a JSON file."""
    email = page.person_email(page.parameters["person"])
    parts = []
    after = ""
    for _ in range(MAX_PARTS):
        part = export_person(page.admin, page.actor, email, after)
        parts.append(part)
        after = part.next
        if not after:
            break
    content: dict[str, Any] = asdict(parts[0])
    content["items"] = [asdict(item) for part in parts for item in part.items]
    content["mentions"] = sum(part.mentions for part in parts)
    content["unreadable"] = sum(part.unreadable for part in parts)
    content["next"] = after
    text = json.dumps(content, ensure_ascii=False, indent=2, default=to_text)
    headers = {"Content-Disposition": 'attachment; filename="person.json"'}
    return Response(HTTPStatus.OK, text, JSON, headers)


def erase(page: PageContext) -> Response:
    """Show what an erasure would remove; confirmed, erase the person."""
    email = page.person_email(page.parameters["person"])
    if page.request.value("confirmed") != "yes":
        shown = erase_person(page.admin, page.actor, email, is_preview=True)
        return page.render("erase.html", erasure=shown, person=page.parameters["person"])
    erasure = _erase_completely(page, email)
    return page.render("erased.html", erasure=erasure)


def _erase_completely(page: PageContext, email: str) -> Erasure:
    """Erase in as many steps as the tables need; what is left is reported by the last one."""
    after = ""
    for _ in range(MAX_PARTS):
        erasure = erase_person(page.admin, page.actor, email, is_preview=False, after=after)
        after = erasure.next
        if not after:
            break
    return erasure


ROUTES: Final = (
    Route("GET", "/people", UserRole.VIEWER, show_search),
    Route("POST", "/people", UserRole.VIEWER, search),
    Route("GET", "/people/{person}", UserRole.VIEWER, show_one),
    Route("POST", "/people/{person}/sync", UserRole.OPERATOR, sync_now),
    Route("POST", "/people/{person}/export", UserRole.PRIVACY, export),
    Route("POST", "/people/{person}/erase", UserRole.PRIVACY, erase),
)
