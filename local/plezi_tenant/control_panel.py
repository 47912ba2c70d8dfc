"""The control routes of this simulator under `/_sim/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from local.control import ControlPanel, json_object, json_response
from local.plezi_tenant.api import READS, WRITES, Api
from local.plezi_tenant.contact_repository import Changes, ContactRepository
from local.plezi_tenant.errors import RefusedError
from local.plezi_tenant.schema import SET_BY_PLEZI, Value, custom_attribute
from local.plezi_tenant.store import Contact, ContactQuery
from local.plezi_tenant.switches import Switches
from local.plezi_tenant.webhooks import Webhooks, WebhookTarget
from local.plezi_tenant.wire_format import WireFormat

PREFIX = "/_sim/"
DEFAULT_COUNT = 100
MAX_LOAD = 1_000_000
"""Larger than any tenant of this product; more would fill the memory of a laptop."""
MAX_LISTING = 1000


class TenantControlPanel:
    """Handles `/_sim/`: the shared routes, and the routes that only a Plezi tenant has."""

    def __init__(
        self, contacts: ContactRepository, api: Api, webhooks: Webhooks, control: ControlPanel
    ) -> None:
        self._contacts = contacts
        self._api = api
        self._webhooks = webhooks
        self._control = control

    def handle(self, request: Request) -> Response:
        """Handle one control call; an invalid call returns `{"error": ...}`."""
        try:
            return self._route(request)
        except HTTPException as error:
            return json_response({"error": error.description}, error.code or 500)
        except RefusedError as error:
            return json_response({"error": "; ".join(error.details)}, error.status)
        except ValueError as error:
            return json_response({"error": str(error)}, 400)

    def reset(self) -> None:
        """Restore an empty tenant: no contact, fault, webhook or submission, default switches."""
        self._contacts.reset()
        self._webhooks.reset()
        self._api.reset()
        self._control.faults.clear()
        self._control.calls.mark()

    def _route(self, request: Request) -> Response:
        path = request.path.removeprefix(PREFIX).strip("/")
        match request.method, path.split("/"):
            case "GET", ["calls"]:
                return json_response(self._calls())
            case "POST", ["reset"]:
                self.reset()
                return json_response({"reset": True})
            case "POST", ["load"]:
                return json_response({"loaded": self._load(json_object(request))}, 201)
            case (("GET" | "POST"), ["switches"]):
                changes = json_object(request) if request.method == "POST" else {}
                self._contacts.set_switches(changes)
                return json_response(self._contacts.switches.listing())
            case "POST", ["key"]:
                return json_response(self._rotate(json_object(request)))
            case _, [("push" | "pushes" | "forms"), *_]:
                return self._webhook_routes(request, path)
            case _, ["attributes", *rest]:
                return self._attribute_routes(request, rest)
            case _, ["contacts", *rest]:
                return self._contact_routes(request, rest)
        response = self._control.handle(request)
        if response is None:
            raise NotFound(f"no control route {request.method} {request.path}")
        return response

    def _calls(self) -> dict[str, Any]:
        counts = self._control.calls.since_mark()
        calls: Mapping[str, int] = counts["calls"]
        return {
            **counts,
            "writes": sum(calls.get(kind, 0) for kind in WRITES),
            "reads": sum(calls.get(kind, 0) for kind in READS),
        }

    def _load(self, body: Mapping[str, Any]) -> int:
        count, first = body.get("contacts", DEFAULT_COUNT), body.get("first", 0)
        spread = body.get("spread_seconds", 0)
        if not _is_count(count) or not _is_count(first) or not _is_count(spread):
            raise BadRequest(
                "'contacts', 'first' and 'spread_seconds' are whole numbers, 0 or more"
            )
        if count > MAX_LOAD:
            raise BadRequest(f"'contacts' is {MAX_LOAD} at most")
        return self._contacts.load(count, first, spread)

    def _rotate(self, body: Mapping[str, Any]) -> dict[str, str]:
        key = body.get("api_key")
        if not isinstance(key, str) or not key:
            raise BadRequest("give 'api_key', a text")
        self._api.api_key = key
        return {"api_key": key, "tenant": self._api.tenant_name}

    def _webhook_routes(self, request: Request, path: str) -> Response:
        match request.method, path:
            case "GET", "forms":
                return json_response({"submissions": self._api.submissions})
            case "GET", "pushes":
                return json_response({"pushes": self._webhooks.listing()})
            case "POST", "push":
                self._webhooks.target = _target(json_object(request))
            case "DELETE", "push":
                self._webhooks.target = None
            case "GET", "push":
                pass
            case _:
                raise NotFound(f"no control route {request.method} {request.path}")
        target = self._webhooks.target
        return json_response({"url": target.url if target is not None else None})

    def _attribute_routes(self, request: Request, rest: list[str]) -> Response:
        match request.method, rest:
            case "POST", []:
                self._contacts.schema.add(custom_attribute(json_object(request)))
            case "DELETE", [name]:
                self._contacts.schema.remove(name)
            case _:
                raise NotFound(f"no control route {request.method} {request.path}")
        return json_response({"done": True})

    def _contact_routes(self, request: Request, rest: list[str]) -> Response:
        match request.method, rest:
            case "GET", []:
                return json_response(self._listing(request))
            case "POST", []:
                changes = self._user_changes(json_object(request))
                return json_response(self._flat(self._contacts.create_as_user(changes)), 201)
            case "GET", [identity]:
                contact = self._contacts.find_current(identity)
                if contact is None:
                    raise NotFound(f"no contact {identity}")
                return json_response(self._flat(contact))
            case "PATCH", [identity]:
                changes = self._user_changes(json_object(request))
                return json_response(self._flat(self._contacts.update(identity, changes)))
            case "DELETE", [identity]:
                self._contacts.delete(identity)
            case (("PUT" | "DELETE"), [identity, "row"]):
                row = request.get_data() if request.method == "PUT" else None
                self._contacts.set_odd_row(identity, row)
            case _:
                raise NotFound(f"no control route {request.method} {request.path}")
        return json_response({"done": True})

    def _listing(self, request: Request) -> dict[str, Any]:
        limit = request.args.get("limit", DEFAULT_COUNT, type=int)
        listing = ContactQuery(
            sort="number",
            email=request.args.get("email"),
            limit=max(0, min(limit, MAX_LISTING)),
            offset=max(0, min(request.args.get("offset", 0, type=int), MAX_LOAD)),
        )
        contacts, total = self._contacts.current_page(listing)
        return {"contacts": [self._flat(contact) for contact in contacts], "total": total}

    def _user_changes(self, body: Mapping[str, Any]) -> Changes:
        """Return the changes of a user or of Plezi itself, which may set score, state and source.

        These three accept any value, so that a test can set an unusual score or an unknown state.
        """
        changes: dict[str, Value | None] = {}
        for name, value in body.items():
            attribute = self._contacts.schema.find(name)
            if attribute is None:
                raise BadRequest(f"{name} is not an attribute of contacts")
            if attribute.read_only and name not in SET_BY_PLEZI:
                raise BadRequest(f"{name} is read-only")
            if value is None and attribute.mandatory:
                raise BadRequest(f"{name} is mandatory")
            try:
                changes[name] = None if value is None else attribute.accept(value)
            except ValueError as error:
                raise BadRequest(f"{name} {error}") from error
        return changes

    def _flat(self, contact: Contact) -> dict[str, Any]:
        """Return a contact as a flat object with the schema's names and the default switches."""
        wire_format = WireFormat(self._contacts.schema, Switches(), self._api.public_url)
        return {"id": contact.id, **wire_format.resource(contact)["attributes"]}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _target(body: Mapping[str, Any]) -> WebhookTarget:
    known = {"url", "signing_key", "token", "delay_seconds", "copies"}
    if unknown := set(body) - known:
        raise BadRequest(f"unknown option {sorted(unknown)}; known: {sorted(known)}")
    try:
        return WebhookTarget(**body)
    except (TypeError, AttributeError) as error:
        raise BadRequest(f"give 'url' and texts or numbers for the rest: {error}") from error
