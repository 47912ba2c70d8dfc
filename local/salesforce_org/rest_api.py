"""The routes under `/services/data/v{n}`: method, path, kind of call and handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from local.control import Faults
from local.salesforce_org import (
    composite,
    describe,
    records,
    replication,
    resources,
    sobject_collections,
    tooling,
)
from local.salesforce_org.dml import SaveOptions
from local.salesforce_org.errors import RefusedError, not_found
from local.salesforce_org.exchange import ApiCall, ApiResponse
from local.salesforce_org.fault_kinds import record_refusals
from local.salesforce_org.state import OrgState

METHOD_NOT_ALLOWED = 405
ANY = "*"
Handler = Callable[..., ApiResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path pattern; `kind` is the key of the call counts."""

    method: str
    pattern: tuple[str, ...]
    kind: str
    handler: Handler
    writes: bool = False


class RestApi:
    """Handles authenticated calls; `/composite` calls `dispatch` for each of its parts."""

    def __init__(self, state: OrgState, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._routes = self._read_routes() + self._write_routes()

    def dispatch(self, call: ApiCall) -> ApiResponse:
        """Find the route of a call and handle it; set the kind of the call."""
        segments = [unquote(part) for part in call.path.strip("/").split("/") if part]
        matching = [r for r in self._routes if _matches(r.pattern, segments)]
        best = [r for r in matching if _literal_count(r.pattern) == _max_literal_count(matching)]
        for route in best:
            if route.method == call.method:
                call.kind, call.writes = route.kind, route.writes
                captured = [s for p, s in zip(route.pattern, segments, strict=True) if p == ANY]
                return route.handler(call, *captured)
        if best:
            allowed = ",".join(sorted({r.method for r in best}))
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
            raise RefusedError(
                "METHOD_NOT_ALLOWED", message, fields=None, status=METHOD_NOT_ALLOWED
            )
        raise not_found()

    def _read_routes(self) -> list[Route]:
        s = self._state
        return [
            _get("", "directory", lambda c: resources.directory(s, c)),
            _get("limits", "limits", lambda c: resources.limits(s, c)),
            _get("query", "query", self._query),
            _get("query/*", "query_more", self._query_more),
            _get("queryAll", "queryAll", lambda c: self._query(c, include_deleted=True)),
            _get("queryAll/*", "query_more", self._query_more),
            _get("sobjects", "describe_global", lambda c: describe.every_object(s, c)),
            _get("sobjects/*", "describe_basic", lambda c, o: describe.basic(s, c, o)),
            _get("sobjects/*/describe", "describe", lambda c, o: describe.describe(s, c, o)),
            _get(
                "ui-api/object-info/*/picklist-values/*",
                "picklist_values",
                lambda c, o, t: describe.picklist_values(s, c, o, t),
            ),
            _get("sobjects/*/updated", "updated", lambda c, o: replication.updated(s, c, o)),
            _get("sobjects/*/deleted", "deleted", lambda c, o: replication.deleted(s, c, o)),
            _get("sobjects/*/*", "retrieve", lambda c, o, i: records.retrieve(s, c, o, i)),
            _get(
                "sobjects/*/*/*",
                "retrieve",
                lambda c, o, k, v: records.retrieve_by_key(s, c, o, k, v),
            ),
            _get(
                "composite/sobjects/*",
                "collections_retrieve",
                lambda c, o: sobject_collections.retrieve(s, c, o),
            ),
            Route(
                "POST",
                ("composite", "sobjects", ANY),
                "collections_retrieve",
                lambda c, o: sobject_collections.retrieve(s, c, o),
            ),
            _get("tooling/query", "tooling", lambda c: self._query(c, tooling=True)),
            _get("tooling/sobjects", "tooling", lambda c: describe.every_object(s, c)),
            _get("tooling/sobjects/*/describe", "tooling", lambda c, o: describe.describe(s, c, o)),
            _get(
                "tooling/sobjects/CustomField/*", "tooling", lambda c, i: tooling.retrieve(s, c, i)
            ),
        ]

    def _write_routes(self) -> list[Route]:
        s = self._state
        return [
            _write("POST", "sobjects/*", "create", self._single(records.create)),
            _write("PATCH", "sobjects/*/*", "update", self._single(records.update)),
            _write("DELETE", "sobjects/*/*", "delete", self._single(records.delete)),
            _write("PATCH", "sobjects/*/*/*", "upsert", self._single(records.upsert)),
            _write("DELETE", "sobjects/*/*/*", "delete", self._single(records.delete_by_key)),
            _write(
                "POST",
                "composite/sobjects",
                "collections_create",
                self._many(sobject_collections.create),
            ),
            _write(
                "PATCH",
                "composite/sobjects",
                "collections_update",
                self._many(sobject_collections.update),
            ),
            _write(
                "DELETE",
                "composite/sobjects",
                "collections_delete",
                self._many(sobject_collections.delete),
            ),
            _write(
                "PATCH",
                "composite/sobjects/*/*",
                "collections_upsert",
                self._many(sobject_collections.upsert),
            ),
            Route("POST", ("composite",), "composite", self._composite),
            _write(
                "POST",
                "tooling/sobjects/CustomField",
                "tooling",
                lambda c: tooling.create(s, c),
            ),
            _write(
                "PATCH",
                "tooling/sobjects/CustomField/*",
                "tooling",
                lambda c, i: tooling.update(s, c, i),
            ),
            _write(
                "DELETE",
                "tooling/sobjects/CustomField/*",
                "tooling",
                lambda c, i: tooling.delete(s, c, i),
            ),
        ]

    def _query(
        self, call: ApiCall, *, include_deleted: bool = False, tooling: bool = False
    ) -> ApiResponse:
        path = _request_path(call)
        if self._faults.take(call.method, path, "query_timeout"):
            message = "Your query request was running for too long."
            raise RefusedError("QUERY_TIMEOUT", message, fields=None)
        fault = self._faults.take(call.method, path, "short_page")
        page = int(fault.parameters.get("size", 1)) if fault else None
        return resources.query(
            self._state, call, include_deleted=include_deleted, tooling=tooling, page=page
        )

    def _query_more(self, call: ApiCall, locator: str) -> ApiResponse:
        if self._faults.take(call.method, _request_path(call), "cursor_expired"):
            raise RefusedError("INVALID_QUERY_LOCATOR", "invalid query locator", fields=None)
        return resources.query_more(self._state, call, locator)

    def _save_options(self, call: ApiCall) -> SaveOptions:
        fault = self._faults.take(call.method, _request_path(call), "late_commit")
        late_seconds = float(fault.parameters.get("seconds", 60)) if fault else 0
        return records.save_options_of(call, late_seconds)

    def _single(self, handler: Handler) -> Handler:
        def run(call: ApiCall, *captured: str) -> ApiResponse:
            items = [_body_object(call)]
            refusals = record_refusals(self._faults, call.method, _request_path(call), items)
            refusal = refusals(0, {"id": captured[-1]} if len(captured) > 1 else {})
            if refusal is not None:
                raise refusal
            with self._state.store.savepoint():
                return handler(self._state, call, self._save_options(call), *captured)

        return run

    def _many(self, handler: Handler) -> Handler:
        def run(call: ApiCall, *captured: str) -> ApiResponse:
            items = sobject_collections.records_in(_body_object(call))
            refusals = record_refusals(self._faults, call.method, _request_path(call), items)
            return handler(self._state, call, self._save_options(call), refusals, *captured)

        return run

    def _composite(self, call: ApiCall) -> ApiResponse:
        if call.nested:
            raise RefusedError("INVALID_INPUT", "composite cannot be nested", fields=None)
        return composite.run(self._state, call, self.dispatch)


def _request_path(call: ApiCall) -> str:
    return f"/services/data/v{call.version}{call.path}"


def _body_object(call: ApiCall) -> dict[str, Any]:
    """Return the body of a write, {} where it has none or is refused later."""
    try:
        return call.json_object()
    except RefusedError:
        return {}


def _get(pattern: str, kind: str, handler: Handler) -> Route:
    return Route("GET", tuple(pattern.split("/")) if pattern else (), kind, handler)


def _write(method: str, pattern: str, kind: str, handler: Handler) -> Route:
    return Route(method, tuple(pattern.split("/")), kind, handler, writes=True)


def _matches(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        p in (ANY, s) or p.lower() == s.lower() for p, s in zip(pattern, segments, strict=True)
    )


def _literal_count(pattern: tuple[str, ...]) -> int:
    return sum(part != ANY for part in pattern)


def _max_literal_count(routes: list[Route]) -> int:
    return max((_literal_count(route.pattern) for route in routes), default=0)
