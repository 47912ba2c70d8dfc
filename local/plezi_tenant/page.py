"""The web interface of the tenant: list contacts, edit one, fill in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.plezi_tenant.api import Api
from local.plezi_tenant.contact_repository import ContactRepository
from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.schema import SET_BY_PLEZI, Attribute, AttributeType, Value
from local.plezi_tenant.store import Contact, ContactQuery
from local.plezi_tenant.timestamps import format_millis

ROWS = 25
MAX_PAGE = 1_000_000
"""Above the last page of any list here, and within the integer range of the store."""
FORM_IDS = {
    "form_id": "5f00000000000000000000f1",
    "content_web_form_id": "5f00000000000000000000c1",
}
"""The only form of the web interface."""
FORM_FIELDS = ("email", "first_name", "last_name", "company", "phone", "function")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class FieldInput:
    """One attribute of one contact, as an input of the web page."""

    attribute: Attribute
    text: str
    chosen: frozenset[str]
    locked: bool

    def value(self) -> Value | None:
        """Return the value of the input.

        Raises:
            ValueError: when the text is not a value of the attribute.
        """
        if self.attribute.type is AttributeType.MULTI_LIST:
            return self.attribute.accept_text(",".join(sorted(self.chosen)))
        if not self.text and self.attribute.mandatory:
            raise ValueError("is mandatory")
        return self.attribute.accept_text(self.text) if self.text else None


class WebInterface:
    """Handles every request that is neither an API call nor a control call."""

    def __init__(self, contacts: ContactRepository, api: Api) -> None:
        self._contacts = contacts
        self._api = api
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def handle(self, request: Request) -> Response:
        """Handle one request of a browser."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return self._list(request)
            case "GET", ["contacts", identity]:
                return self._contact(identity, saved="saved" in request.args)
            case "POST", ["contacts", identity]:
                return self._save(identity, request.form)
            case "GET", ["form"]:
                return self._form({}, "")
            case "POST", ["form"]:
                return self._submit(request.form)
            case _:
                return self._not_found()

    def _list(self, request: Request) -> Response:
        text = request.args.get("email", "").strip()
        page = max(1, min(request.args.get("page", 1, type=int), MAX_PAGE))
        listing = ContactQuery(
            sort="updated_at", descending=True, text=text, limit=ROWS, offset=(page - 1) * ROWS
        )
        contacts, total = self._contacts.current_page(listing)
        rows = [
            {
                "id": contact.id,
                "updated_at": format_millis(contact.updated_at),
                **{name: contact.values.get(name, "") for name in COLUMNS},
            }
            for contact in contacts
        ]
        pages = max(1, -(-total // ROWS))
        links = {
            number: "/?" + urlencode({"email": text, "page": number})
            for number in (page - 1, page + 1)
            if 1 <= number <= pages
        }
        return self._render(
            "contacts.html", rows=rows, total=total, text=text, page=page, pages=pages, links=links
        )

    def _contact(self, identity: str, *, saved: bool = False) -> Response:
        contact = self._contacts.find_current(identity)
        if contact is None:
            return self._not_found()
        fields = [_input_of(attribute, contact) for attribute in self._visible_attributes()]
        return self._render_contact(contact, fields, saved=saved)

    def _render_contact(
        self,
        contact: Contact,
        fields: list[FieldInput],
        *,
        saved: bool = False,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        return self._render(
            "contact.html",
            status,
            contact=contact,
            fields=fields,
            created_at=format_millis(contact.created_at),
            updated_at=format_millis(contact.updated_at),
            saved=saved,
            problem=problem,
        )

    def _visible_attributes(self) -> list[Attribute]:
        return [a for a in self._contacts.schema if not a.read_only or a.name in SET_BY_PLEZI]

    def _save(self, identity: str, form: MultiDict[str, str]) -> Response:
        """Write only the inputs that differ from the stored values."""
        contact = self._contacts.find_current(identity)
        if contact is None:
            return self._not_found()
        inputs = [_submitted_input(attribute, form) for attribute in self._visible_attributes()]
        edited = [field for field in inputs if field != _input_of(field.attribute, contact)]
        changes: dict[str, Value | None] = {}
        problems: list[str] = []
        for field in edited:
            try:
                changes[field.attribute.name] = field.value()
            except ValueError as error:
                problems.append(f"{field.attribute.label} {error}")
        if problems:
            return self._render_contact(contact, inputs, problem="; ".join(problems), status=422)
        try:
            self._contacts.update(identity, changes)
        except RefusedError as error:
            problem = "; ".join(error.details)
            return self._render_contact(contact, inputs, problem=problem, status=error.status)
        return redirect(f"/contacts/{identity}?saved", 303)

    def _form(self, values: Mapping[str, str], problem: str, status: int = 200) -> Response:
        attributes = [a for a in self._contacts.schema if a.name in FORM_FIELDS]
        return self._render(
            "form.html", status, attributes=attributes, values=values, problem=problem
        )

    def _submit(self, form: MultiDict[str, str]) -> Response:
        values = {name: form.get(name, "").strip() for name in FORM_FIELDS}
        wire_format = self._api.wire_format
        fields = {wire_format.wire_name(name): text for name, text in values.items()}
        try:
            self._api.submit_form(MultiDict({**FORM_IDS, **fields}))
        except RefusedError as error:
            return self._form(values, "; ".join(error.details), error.status)
        return redirect("/?" + urlencode({"email": values["email"]}), 303)

    def _not_found(self) -> Response:
        return self._render("missing.html", 404)

    def _render(self, template: str, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(template).render(**values)
        return Response(html, status, SECURITY_HEADERS, content_type="text/html; charset=utf-8")


COLUMNS = ("email", "first_name", "last_name", "company", "behaviour_score", "state")


def _input_of(attribute: Attribute, contact: Contact) -> FieldInput:
    value = contact.values.get(attribute.name)
    chosen = frozenset(map(str, value)) if isinstance(value, list) else frozenset()
    if value is None or isinstance(value, list):
        text = ""
    elif attribute.type is AttributeType.CHECKBOX:
        text = str(value).lower()
    else:
        text = str(value)
    return FieldInput(attribute, text, chosen, attribute.name in SET_BY_PLEZI)


def _submitted_input(attribute: Attribute, form: MultiDict[str, str]) -> FieldInput:
    texts = form.getlist(attribute.name)
    multiple = attribute.type is AttributeType.MULTI_LIST
    return FieldInput(
        attribute,
        "" if multiple else "".join(texts),
        frozenset(texts) if multiple else frozenset(),
        attribute.name in SET_BY_PLEZI,
    )
