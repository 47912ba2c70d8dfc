"""Single records: create, read, update and delete, by id or by external id."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from local.salesforce_org.coercion import coerce
from local.salesforce_org.dml import SaveOptions, Writer, no_such_column
from local.salesforce_org.errors import NOT_FOUND, RefusedError, not_found
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response, to_json
from local.salesforce_org.ids import full_id
from local.salesforce_org.record_rules import same_value
from local.salesforce_org.rendering import record_sql
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row
from local.salesforce_org.values import parse_stamp

UNKNOWN_KEY = "Provided external ID field does not exist or is not accessible"
CREATED, OK, NO_CONTENT, MULTIPLE_CHOICES, PRECONDITION_FAILED = 201, 200, 204, 300, 412


def object_for(state: OrgState, call: ApiCall, name: str, *, tooling: bool = False) -> ObjectType:
    """Return an object that the caller may see, or refuse with 404."""
    kind = state.schema.find(name)
    if (
        kind is None
        or kind.tooling != tooling
        or not state.security.access_of(call.user).can_see(kind)
    ):
        raise not_found()
    return kind


def save_options_of(call: ApiCall, late_seconds: float = 0) -> SaveOptions:
    """Return the save options in the headers of a call."""
    header = {}
    for part in call.headers.get("Sforce-Duplicate-Rule-Header", "").split(";"):
        name, _, value = part.partition("=")
        header[name.strip().lower()] = value.strip().lower()
    assignment = call.headers.get("Sforce-Auto-Assign", "TRUE").strip().upper() != "FALSE"
    return SaveOptions(
        allow_duplicates=header.get("allowsave") == "true",
        assignment=assignment,
        late_seconds=late_seconds,
        version=call.version,
    )


def create(state: OrgState, call: ApiCall, options: SaveOptions, name: str) -> ApiResponse:
    """`POST /sobjects/{object}`."""
    kind = object_for(state, call, name)
    body = call.json_object()
    _refuse_key(body, "Id")
    record_id = Writer(state, call.user, options).create(kind, body)
    call.records = 1
    location = f"/services/data/v{call.version}/sobjects/{kind.name}/{record_id}"
    result = to_json({"id": record_id, "success": True, "errors": []})
    return ApiResponse(CREATED, result, {"Location": location})


def retrieve(state: OrgState, call: ApiCall, name: str, record_id: str) -> ApiResponse:
    """`GET /sobjects/{object}/{id}?fields=`."""
    kind = object_for(state, call, name)
    sql = record_sql(kind, _requested_fields(state, call, kind), call.version)
    full = path_id(record_id)
    access = state.security.access_of(call.user)
    text = state.queries.record(kind, sql, full, access)
    if text is None:
        raise not_found()
    call.records = 1
    return ApiResponse(OK, text)


def update(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, record_id: str
) -> ApiResponse:
    """`PATCH /sobjects/{object}/{id}`; conditional with `If-Unmodified-Since`."""
    kind = object_for(state, call, name)
    writer = Writer(state, call.user, options)
    body = call.json_object()
    _refuse_key(body, "Id")
    row = writer.find(kind, path_id(record_id))
    if _changed_since(call, row):
        return ApiResponse(PRECONDITION_FAILED, None)
    writer.update(kind, record_id, body)
    call.records = 1
    return ApiResponse(NO_CONTENT)


def delete(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, record_id: str
) -> ApiResponse:
    """`DELETE /sobjects/{object}/{id}`.

    An unknown id is an invalid cross reference (asserted by a client's live tests).
    """
    kind, full = object_for(state, call, name), path_id(record_id)
    try:
        Writer(state, call.user, options).delete(kind, full)
    except RefusedError as refused:
        if refused.code != "NOT_FOUND":
            raise
        message = "invalid cross reference id"
        raise RefusedError("INVALID_CROSS_REFERENCE_KEY", message, status=NOT_FOUND) from refused
    call.records = 1
    return ApiResponse(NO_CONTENT)


def path_id(record_id: str) -> str:
    """Return the 18 characters of an id in a path; a malformed one is refused as an unknown key.

    Recorded from a real org, and asserted by a client's live tests.
    """
    full = full_id(record_id)
    if full is None:
        message = f"{UNKNOWN_KEY}: {record_id}"
        raise RefusedError("NOT_FOUND", message, fields=None, status=NOT_FOUND)
    return full


def key_field(state: OrgState, call: ApiCall, kind: ObjectType, name: str) -> Field:
    """Return a field that can find records: an External ID, or one with `idLookup`."""
    field = kind.find(name)
    if (
        field is None
        or not field.key
        or not state.security.access_of(call.user).can_read(kind, field)
    ):
        message = f"{UNKNOWN_KEY}: {name}"
        raise RefusedError("NOT_FOUND", message, fields=None, status=NOT_FOUND)
    return field


def find_by_key(
    state: OrgState,
    call: ApiCall,
    kind: ObjectType,
    field: Field,
    value: Any,  # noqa: ANN401  # sent
) -> list[Row]:
    """Return the live rows with a key that the caller sees; the value is coerced as in a write."""
    stored = full_id(str(value)) if field.type == "id" else coerce(field, value)
    if stored is None:
        return []
    condition, parameters = same_value(field, str(stored))
    condition += " AND IsDeleted = 0"
    if visible := state.security.access_of(call.user).visible_rows(kind, f'"{kind.name}"'):
        condition += f" AND {visible}"
    return state.store.select(kind, condition, parameters)


def retrieve_by_key(state: OrgState, call: ApiCall, name: str, key: str, value: str) -> ApiResponse:
    """`GET /sobjects/{object}/{external id}/{value}`; several matches return 300."""
    kind = object_for(state, call, name)
    field = key_field(state, call, kind, key)
    matches = find_by_key(state, call, kind, field, value)
    if len(matches) > 1:
        return multiple_matches(kind, matches, call.version)
    if not matches:
        raise not_found()
    return retrieve(state, call, name, str(matches[0]["Id"]))


def upsert(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, key: str, value: str
) -> ApiResponse:
    """`PATCH /sobjects/{object}/{external id}/{value}`."""
    kind = object_for(state, call, name)
    field = key_field(state, call, kind, key)
    body = call.json_object()
    _refuse_key(body, field.name)
    matches = find_by_key(state, call, kind, field, value)
    call.records = 1
    if len(matches) > 1:
        return multiple_matches(kind, matches, call.version)
    writer = Writer(state, call.user, options)
    if matches:
        writer.update(kind, matches[0]["Id"], body)
        return _upserted(matches[0]["Id"], created=False)
    if str(call.argument("updateOnly")).lower() == "true":
        raise not_found()
    return _upserted(writer.create(kind, {**body, field.name: value}), created=True)


def delete_by_key(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, key: str, value: str
) -> ApiResponse:
    """`DELETE /sobjects/{object}/{external id}/{value}`."""
    kind = object_for(state, call, name)
    matches = find_by_key(state, call, kind, key_field(state, call, kind, key), value)
    if len(matches) > 1:
        return multiple_matches(kind, matches, call.version)
    if not matches:
        raise not_found()
    return delete(state, call, options, name, str(matches[0]["Id"]))


def multiple_matches(kind: ObjectType, matches: list[Row], version: str) -> ApiResponse:
    """Return the response 300 with the addresses of the matching records."""
    base = f"/services/data/v{version}/sobjects/{kind.name}/"
    return api_response([base + row["Id"] for row in matches], MULTIPLE_CHOICES)


def readable_fields(state: OrgState, call: ApiCall, kind: ObjectType) -> list[Field]:
    """Return the fields that the caller may read."""
    access = state.security.access_of(call.user)
    return [field for field in kind.fields.values() if access.can_read(kind, field)]


def named_fields(state: OrgState, call: ApiCall, kind: ObjectType, names: list[str]) -> list[Field]:
    """Return the fields with these names; refuse a field that the caller may not read."""
    access = state.security.access_of(call.user)
    fields = []
    for name in names:
        field = kind.find(name.strip())
        if field is None or not access.can_read(kind, field):
            raise no_such_column(kind, name.strip())
        fields.append(field)
    return fields


def _requested_fields(state: OrgState, call: ApiCall, kind: ObjectType) -> list[Field]:
    names = call.argument("fields")
    if not names:
        return readable_fields(state, call, kind)
    fields = named_fields(state, call, kind, names.split(","))
    if all(field.name != "Id" for field in fields):
        fields.append(kind.get("Id"))
    return fields


def _upserted(record_id: str, *, created: bool) -> ApiResponse:
    result = {"id": record_id, "success": True, "errors": [], "created": created}
    return api_response(result, CREATED if created else OK)


def _refuse_key(body: dict[str, Any], key: str) -> None:
    if any(name.lower() == key.lower() for name in body):
        message = f"The {key} field should not be specified in the sobject data."
        raise RefusedError("INVALID_FIELD", message, fields=[key])


def _changed_since(call: ApiCall, row: Row) -> bool:
    header = call.headers.get("If-Unmodified-Since")
    if not header:
        return False
    try:
        since: datetime = parsedate_to_datetime(header)
    except ValueError:
        return False
    return parse_stamp(row["LastModifiedDate"]) > since.astimezone(UTC)
