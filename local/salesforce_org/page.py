"""The web interface of the org: list Leads, Contacts and Accounts, and edit one as a sales user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import NUMBERS, Field, ObjectType
from local.salesforce_org.security import OrgUser
from local.salesforce_org.sharing import NONE
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

ROWS = 25
MAX_PAGE = 1_000_000
"""Above the last page of any list here, and within the integer range of SQLite."""
TABS = ("Lead", "Contact", "Account")
TABS_BY_PREFIX = {"00Q": "Lead", "003": "Contact", "001": "Account"}
"""The first three characters of a record's id name its object (Salesforce Help, "Standard Field
Record ID Prefix Decoder")."""
COLUMNS = ("Name", "Email", "Company", "Title", "score__c", "status__c", "sync_to_plezi__c")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
}
INPUT_TYPES = {"email": "email", "phone": "tel", "url": "url", "date": "date"}
MULTIPLE = "multipicklist"


@dataclass(frozen=True, slots=True)
class FieldInput:
    """One field of one record, as an input of the web page."""

    field: Field
    text: str
    locked: bool

    @property
    def chosen(self) -> list[str]:
        """The selected values of a field with several values."""
        return self.text.split(";") if self.text else []

    @property
    def options(self) -> list[str]:
        """The options of a list: its values, and the stored values that are not among them."""
        stored = self.chosen if self.field.type == MULTIPLE else [self.text]
        return [*self.field.values, *(v for v in stored if v and v not in self.field.values)]

    @property
    def input_type(self) -> str:
        """The type of the HTML input."""
        return INPUT_TYPES.get(self.field.type, "text")


class WebInterface:
    """Handles every request that is neither an API call nor a control call."""

    def __init__(self, state: OrgState, author: OrgUser) -> None:
        self._state = state
        self._author = author
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def handle(self, request: Request) -> Response:
        """Handle one request of a browser."""
        self._state.transactions.apply_due(self._state.now())
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return self._list(request, "Lead")
            case "GET", [name] if name in TABS:
                return self._list(request, name)
            case "GET", [record_id] if record_id[:3] in TABS_BY_PREFIX:
                # As the org does with the short address of a record, which other products link to.
                return redirect(f"/{TABS_BY_PREFIX[record_id[:3]]}/{record_id}", 302)
            case "GET", [name, record_id] if name in TABS:
                return self._record(name, record_id, saved="saved" in request.args)
            case "POST", [name, record_id] if name in TABS:
                return self._save(name, record_id, request.form)
            case _:
                return self._not_found()

    def _list(self, request: Request, name: str) -> Response:
        kind = self._state.schema.get(name)
        text = request.args.get("q", "").strip()
        page = max(1, min(request.args.get("page", 1, type=int), MAX_PAGE))
        search_columns = [c for c in ("Email", "Name") if kind.find(c)]
        condition, parameters = "IsDeleted = 0", list[object]()
        access = self._state.security.access_of(self._author)
        if visible := access.visible_rows(kind, f'"{kind.name}"'):
            condition += f" AND {visible}"
        if text:
            condition += (
                " AND (" + " OR ".join(f"instr(fold({c}), ?)" for c in search_columns) + ")"
            )
            parameters = [text.casefold()] * len(search_columns)
        total = self._state.store.count(kind, condition, parameters)
        order = " ORDER BY SystemModstamp DESC, Id DESC LIMIT ? OFFSET ?"
        rows = self._state.store.select(
            kind, condition + order, [*parameters, ROWS, (page - 1) * ROWS]
        )
        pages = max(1, -(-total // ROWS))
        links = {
            number: f"/{name}?" + urlencode({"q": text, "page": number})
            for number in (page - 1, page + 1)
            if 1 <= number <= pages
        }
        return self._render(
            "records.html",
            kind=kind,
            columns=[kind.get(c) for c in COLUMNS if kind.find(c)],
            rows=rows,
            total=total,
            text=text,
            page=page,
            pages=pages,
            links=links,
        )

    def _record(self, name: str, record_id: str, *, saved: bool = False) -> Response:
        kind, row = self._row(name, record_id)
        if row is None:
            return self._not_found()
        # A view changes no other stamp (recorded from a real org).
        viewed = dict.fromkeys(("LastViewedDate", "LastReferencedDate"), self._state.stamp())
        if all(kind.find(name) for name in viewed):
            self._state.store.update(kind, row["rowid"], viewed)
        return self._render_record(
            kind, row, [_input_of(f, row) for f in self._fields(kind)], saved=saved
        )

    def _render_record(
        self,
        kind: ObjectType,
        row: Row,
        fields: list[FieldInput],
        *,
        saved: bool = False,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        return self._render(
            "record.html",
            status,
            kind=kind,
            row=row,
            fields=fields,
            saved=saved,
            problem=problem,
            author=self._author,
        )

    def _save(self, name: str, record_id: str, form: MultiDict[str, str]) -> Response:
        """Write only the inputs that differ from the stored values, with the rules of the API."""
        kind, row = self._row(name, record_id)
        if row is None:
            return self._not_found()
        inputs = [_submitted_input(f, form) for f in self._fields(kind)]
        edited = [g for g in inputs if g.text != _input_of(g.field, row).text and not g.locked]
        values = {edit.field.name: _value(edit) for edit in edited}
        try:
            if values:
                writer = Writer(self._state, self._author, SaveOptions(allow_duplicates=True))
                writer.update(kind, row["Id"], values)
        except RefusedError as refused:
            return self._render_record(kind, row, inputs, problem=refused.message, status=422)
        return redirect(f"/{name}/{row['Id']}?saved", 303)

    def _fields(self, kind: ObjectType) -> list[Field]:
        """Return the fields of the page: those that the author may see and that a user edits."""
        access = self._state.security.access_of(self._author)
        return [
            field
            for field in kind.fields.values()
            if access.can_read(kind, field)
            and field.type not in {"reference", "address", "id"}
            and (field.updateable or field.calculated or field.name == "IsConverted")
        ]

    def _row(self, name: str, record_id: str) -> tuple[ObjectType, Row | None]:
        kind = self._state.schema.get(name)
        row = self._state.store.fetch(kind, full_id(record_id) or "")
        access = self._state.security.access_of(self._author)
        if row is None or row["IsDeleted"] or access.level(kind, row) == NONE:
            return kind, None
        return kind, row

    def _not_found(self) -> Response:
        return self._render("missing.html", 404)

    def _render(self, template: str, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(template).render(tabs=TABS, **values)
        return Response(html, status, SECURITY_HEADERS, content_type="text/html; charset=utf-8")


def _input_of(field: Field, row: Row) -> FieldInput:
    value = row[field.name]
    if field.type == "boolean":
        text = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer():
        text = str(int(value))
    else:
        text = "" if value is None else str(value)
    return FieldInput(field, text, locked=not field.updateable)


def _submitted_input(field: Field, form: MultiDict[str, str]) -> FieldInput:
    if field.type == MULTIPLE:
        return FieldInput(field, ";".join(form.getlist(field.name)), locked=not field.updateable)
    text = form.get(field.name, "").replace("\r\n", "\n")  # browsers send CRLF
    return FieldInput(field, text, locked=not field.updateable)


def _value(field_input: FieldInput) -> Any:  # noqa: ANN401  # a JSON value
    if field_input.field.type == "boolean":
        return field_input.text == "true"
    if field_input.field.type in NUMBERS or not field_input.text.strip():
        return field_input.text.strip() or None
    return field_input.text
