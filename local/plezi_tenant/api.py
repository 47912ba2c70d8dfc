"""The API of the tenant, under `/api/v1`: authorization, actions and call counts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from local.control import ControlPanel
from local.plezi_tenant.contact_repository import ContactRepository
from local.plezi_tenant.errors import RefusedError, html_refusal, json_refusal
from local.plezi_tenant.fault_injection import (
    AFTER,
    BEFORE,
    STALE,
    STALE_SECONDS,
    TRUNCATED_PAGE,
    Sleep,
    inject_after,
    inject_before,
    truncate_page,
)
from local.plezi_tenant.forms import parse_submission
from local.plezi_tenant.limits import TokenBucket
from local.plezi_tenant.query import parse_query
from local.plezi_tenant.schema import NEWSLETTERS
from local.plezi_tenant.store import Contact
from local.plezi_tenant.timestamps import format_millis, to_millis
from local.plezi_tenant.wire_format import (
    WireFormat,
    document,
    encoded,
    encoded_document,
    encoded_rows,
)

PREFIX = "/api/v1"
API_KEY = "kE9_sim-Plezi-7Qw2xA"
TENANT_NAME = "ExampleSAS"
"""The header carries the name of the company as one word, not an id."""
JSON = "application/json"
JSON_API = "application/vnd.api+json"
WRITES = frozenset({"create", "update", "delete"})
"""Kinds of calls that change contacts. `form` is excluded: visitors submit forms, not clients."""
READS = frozenset({"list", "get", "lists", "schema"})
ONE_CONTACT = "contacts/{id}"
KINDS = {
    ("contacts", "GET"): "list",
    ("contacts", "POST"): "create",
    (ONE_CONTACT, "GET"): "get",
    (ONE_CONTACT, "PUT"): "update",
    (ONE_CONTACT, "PATCH"): "update",
    (ONE_CONTACT, "DELETE"): "delete",
    ("contact_lists", "GET"): "lists",
    ("contact_attributes", "GET"): "schema",
    ("create_contact_after_webform", "GET"): "form",
}
UPDATE_METHODS: Mapping[str, tuple[str, ...]] = {
    "put": ("PUT",),
    "patch": ("PATCH",),
    "put_or_patch": ("PUT", "PATCH"),
    "post_upsert": (),
}
NEWSLETTERS_SINCE = "2024-01-01T00:00:00.000Z"
FORM_RESPONSE = {
    "email_contact_sent": True,
    "redirect_after_submit": True,
    "redirection_url": "https://www.example.com/thanks",
}

CONTACT_ROW: Final = re.compile(r'"id": ?"([^"]+)", ?"type": ?"contacts"')
"""The beginning of a contact in an answer."""


@dataclass(slots=True)
class Call:
    """One API call: the request, its kind for the call counts, and its number of records."""

    request: Request
    resource: str
    identity: str
    kind: str
    records: int = 0
    invisible_seconds: float = 0.0


class Api:
    """Handles every call under `/api/v1`, strictly."""

    def __init__(
        self,
        contacts: ContactRepository,
        control: ControlPanel,
        publish: Callable[[dict[str, object]], None],
    ) -> None:
        self.api_key = API_KEY
        self.tenant_name = TENANT_NAME
        self.public_url = "https://app.plezi.co"
        self.sleep: Sleep = control.clock.advance
        self.submissions = 0
        self._contacts = contacts
        self._control = control
        self._publish = publish
        self._lock = threading.Lock()
        self._bucket = TokenBucket(control.clock)
        self._actions: dict[str, Callable[[Call], Response]] = {
            "list": self._list,
            "create": self._create,
            "get": self._get,
            "update": self._update,
            "delete": self._delete,
            "lists": self._lists,
            "schema": self._schema,
            "form": self._form,
        }

    @property
    def wire_format(self) -> WireFormat:
        """The wire format for the current switches."""
        return WireFormat(self._contacts.schema, self._contacts.switches, self.public_url)

    def reset(self) -> None:
        """Restore the first API key and set the number of submitted forms to zero."""
        self.api_key = API_KEY
        self.submissions = 0

    def handle(self, request: Request) -> Response:
        """Handle one call and count it, also when it is refused."""
        call = _call_of(request)
        try:
            return self._noted(request, self._with_faults(call))
        except RefusedError as error:
            if self._contacts.switches.error_format == "html":
                return html_refusal(error.status, error.headers)
            return json_refusal(error)
        finally:
            self._control.calls.count(call.kind, call.records)

    def _noted(self, request: Request, response: Response) -> Response:
        """Return a response, and note which contacts were read."""
        if request.method == "GET" and self._control.readings.are_kept:
            self._control.readings.note(response.get_data(as_text=True), CONTACT_ROW)
        return response

    def _with_faults(self, call: Call) -> Response:
        method, path = call.request.method, call.request.path
        faults = self._control.faults
        if fault := faults.take(method, path, *BEFORE):
            replacement = inject_before(fault, self.sleep)
            if replacement is not None:
                return replacement
        self._authorize(call)
        if call.kind in WRITES and (stale := faults.take(method, path, STALE)):
            call.invisible_seconds = float(stale.parameters.get("seconds", STALE_SECONDS))
        response = self._execute(call)
        if call.kind == "list" and (fault := faults.take(method, path, TRUNCATED_PAGE)):
            response = truncate_page(fault, response)
        if fault := faults.take(method, path, *AFTER):
            response = inject_after(fault, response, self.sleep)
        return response

    def _authorize(self, call: Call) -> None:
        """Check the headers, the rate limit, the rights of the key and the accepted media types."""
        switches, headers = self._contacts.switches, call.request.headers
        tenant, key = headers.get("X-Tenant-Company"), headers.get("X-API-Key")
        if not tenant or not key:
            raise RefusedError(401, "X-API-Key and X-Tenant-Company are needed")
        if tenant != self.tenant_name:
            raise RefusedError(int(switches.unknown_tenant), "unknown tenant")
        if key != self.api_key:
            raise RefusedError(401, "the key is not valid")
        if seconds := self._bucket.take(switches.rate_limit_per_minute):
            headers_sent = switches.retry_after == "sent"
            retry_headers = {"Retry-After": str(seconds)} if headers_sent else None
            raise RefusedError(429, "too many calls", headers=retry_headers)
        reads = call.kind in READS
        if switches.key_rights == "none" or (switches.key_rights == "read" and not reads):
            raise RefusedError(403, "the key has no right to do this")
        accepted = call.request.accept_mimetypes
        if accepted and not accepted.best_match([JSON, JSON_API]):
            raise RefusedError(406, f"answers are {JSON}")

    def _execute(self, call: Call) -> Response:
        switches, method = self._contacts.switches, call.request.method
        resources = {resource for resource, _ in KINDS}
        if call.resource not in resources:
            raise RefusedError(404, f"no route {call.request.path}")
        if call.kind == "schema" and switches.schema_call == "absent":
            raise RefusedError(404, f"no route {call.request.path}")
        allowed = [verb for resource, verb in KINDS if resource == call.resource]
        if call.resource == ONE_CONTACT:
            allowed = [verb for verb in allowed if self._is_offered(verb)]
        if method not in allowed:
            headers = {"Allow": ", ".join(allowed)}
            raise RefusedError(405, f"{method} is not offered here", headers=headers)
        if method in {"POST", "PUT", "PATCH"} and call.request.mimetype not in {JSON, JSON_API}:
            raise RefusedError(415, f"the body must be {JSON}")
        return self._actions[call.kind](call)

    def _is_offered(self, verb: str) -> bool:
        """Return whether the tenant offers a verb on one contact."""
        switches = self._contacts.switches
        match verb:
            case "GET":
                return switches.get_by_id != "absent"
            case "DELETE":
                return switches.deletion == "offered"
            case _:
                return verb in UPDATE_METHODS[switches.update_method]

    def _list(self, call: Call) -> Response:
        switches = self._contacts.switches
        contacts, total = self._contacts.page(parse_query(call.request.args, switches))
        call.records = len(contacts)
        reported_total = {"right": total, "low": total // 2, "high": total + 7}[
            switches.total_results
        ]
        meta = {"total_results": reported_total} if switches.meta == "present" else None
        wire_format = self.wire_format
        rows = [self._row(contact, wire_format) for contact in contacts]
        return _json_response(encoded_document(encoded_rows(rows), meta))

    def _get(self, call: Call) -> Response:
        contact = self._contacts.read(call.identity)
        if contact is None or self._contacts.switches.get_by_id == "not_found":
            raise RefusedError(404, f"no contact {call.identity}")
        call.records = 1
        return _json_response(encoded_document(self._row(contact, self.wire_format)))

    def _create(self, call: Call) -> Response:
        changes = self.wire_format.parse_changes(call.request.get_data())
        contact, created = self._contacts.post(changes, invisible_seconds=call.invisible_seconds)
        call.records = 1
        return self._resource(contact, 201 if created else 200)

    def _update(self, call: Call) -> Response:
        changes = self.wire_format.parse_changes(call.request.get_data(), call.identity)
        contact = self._contacts.update(
            call.identity,
            changes,
            invisible_seconds=call.invisible_seconds,
            method=call.request.method,
        )
        call.records = 1
        return self._resource(contact)

    def _delete(self, call: Call) -> Response:
        self._contacts.delete(call.identity, invisible_seconds=call.invisible_seconds)
        call.records = 1
        return Response(status=204)

    def _schema(self, call: Call) -> Response:
        rows = self.wire_format.schema_rows()
        call.records = len(rows)
        return _json_response(document(rows, {"total_results": len(rows)}))

    def _lists(self, call: Call) -> Response:
        rows = [
            {
                "id": str(newsletter.key),
                "type": "contact_lists",
                "attributes": {
                    "name": newsletter.label,
                    "created_at": NEWSLETTERS_SINCE,
                    "updated_at": NEWSLETTERS_SINCE,
                },
            }
            for newsletter in NEWSLETTERS
        ]
        call.records = len(rows)
        return _json_response(document(rows, {"total_results": len(rows)}))

    def _form(self, call: Call) -> Response:
        created = self.submit_form(call.request.args)
        call.records = 1
        return _json_response(json.dumps(FORM_RESPONSE).encode(), 201 if created else 200)

    def submit_form(self, fields: MultiDict[str, str]) -> bool:
        """Store a form submission, notify the connector; return whether the contact is new."""
        submission = parse_submission(fields, self.wire_format)
        contact, created = self._contacts.submit(
            submission.changes, keep=submission.keep, source=submission.source
        )
        with self._lock:
            self.submissions += 1
        self._publish(
            {
                "event": "form.submitted",
                "contact": {"id": contact.id, "email": contact.email},
                "content_web_form_id": submission.content_web_form_id,
                "occurred_at": format_millis(to_millis(self._control.clock.now())),
            }
        )
        return created

    def _row(self, contact: Contact, wire_format: WireFormat) -> bytes:
        """Return how a read shows a contact: the row stored for it by a test, or the usual one."""
        odd_row = self._contacts.odd_row(contact.id)
        return odd_row if odd_row is not None else encoded(wire_format.resource(contact))

    def _resource(self, contact: Contact, status: int = 200) -> Response:
        return _json_response(document(self.wire_format.resource(contact)), status)


def _call_of(request: Request) -> Call:
    """Return the call that a request makes; its kind is 'other' when no route matches."""
    parts = request.path.removeprefix(PREFIX).strip("/").split("/")
    resource, identity = parts[0], ""
    match parts:
        case ["contacts", identity]:
            resource = ONE_CONTACT
        case [_]:
            pass
        case _:
            resource = ""
    return Call(request, resource, identity, KINDS.get((resource, request.method), "other"))


def _json_response(body: bytes, status: int = 200) -> Response:
    return Response(body, status=status, content_type="application/json; charset=utf-8")
