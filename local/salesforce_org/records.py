"""Single records: create, read, update, delete, and the same by an external id."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from local.salesforce_org.coercion import coerce
from local.salesforce_org.dml import SaveOptions, Writer, no_such_column
from local.salesforce_org.errors import NOT_FOUND, RefusedError, resource_missing
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response, to_json
from local.salesforce_org.ids import full_id
from local.salesforce_org.record_rules import same_value
from local.salesforce_org.rendering import record_sql
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row
from local.salesforce_org.values import parse_stamp

CREATED, OK, NO_CONTENT, MULTIPLE_CHOICES, PRECONDITION_FAILED = 201, 200, 204, 300, 412


def object_for(state: OrgState, call: ApiCall, name: str, *, tooling: bool = False) -> ObjectType:
    """Return an object that exists for the caller, or refuse with 404."""
    kind = state.schema.find(name)
    if (
        kind is None
        or kind.tooling != tooling
        or not state.security.access_of(call.user).can_see(kind)
    ):
        raise resource_missing()
    return kind


def save_options_of(call: ApiCall, late_seconds: float = 0) -> SaveOptions:
    """Return what the headers of a call ask of a save."""
    wishes = {}
    for part in call.headers.get("Sforce-Duplicate-Rule-Header", "").split(";"):
        name, _, value = part.partition("=")
        wishes[name.strip().lower()] = value.strip().lower()
    automatic = call.headers.get("Sforce-Auto-Assign", "TRUE").strip().upper() != "FALSE"
    return SaveOptions(
        allow_duplicates=wishes.get("allowsave") == "true",
        assignment=automatic,
        late_seconds=late_seconds,
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
    sql = record_sql(kind, _wanted_fields(state, call, kind), call.version)
    long = full_id(record_id)
    text = state.queries.record(kind, sql, long) if long else None
    if text is None:
        raise resource_missing()
    call.records = 1
    return ApiResponse(OK, text)


def update(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, record_id: str
) -> ApiResponse:
    """`PATCH /sobjects/{object}/{id}`, on condition when `If-Unmodified-Since` says so."""
    kind = object_for(state, call, name)
    writer = Writer(state, call.user, options)
    body = call.json_object()
    _refuse_key(body, "Id")
    row = writer.find(kind, record_id)
    if _changed_since(call, row):
        return ApiResponse(PRECONDITION_FAILED, None)
    writer.update(kind, record_id, body)
    call.records = 1
    return ApiResponse(NO_CONTENT)


def delete(
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, record_id: str
) -> ApiResponse:
    """`DELETE /sobjects/{object}/{id}`."""
    Writer(state, call.user, options).delete(object_for(state, call, name), record_id)
    call.records = 1
    return ApiResponse(NO_CONTENT)


def key_field(state: OrgState, call: ApiCall, kind: ObjectType, name: str) -> Field:
    """Return a field that can find records: an External ID, or one with `idLookup`."""
    field = kind.find(name)
    if (
        field is None
        or not field.key
        or not state.security.access_of(call.user).can_read(kind, field)
    ):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise RefusedError("NOT_FOUND", message, fields=None, status=NOT_FOUND)
    return field


def found_by_key(state: OrgState, kind: ObjectType, field: Field, value: Any) -> list[Row]:  # noqa: ANN401  # sent
    """Return the live rows that carry a key; the value is coerced as a write would be."""
    stored = full_id(str(value)) if field.type == "id" else coerce(field, value)
    if stored is None:
        return []
    condition, parameters = same_value(field, str(stored))
    return state.store.select(kind, f"{condition} AND IsDeleted = 0", parameters)


def retrieve_by_key(state: OrgState, call: ApiCall, name: str, key: str, value: str) -> ApiResponse:
    """`GET /sobjects/{object}/{external id}/{value}`; several matches answer 300."""
    kind = object_for(state, call, name)
    field = key_field(state, call, kind, key)
    found = found_by_key(state, kind, field, value)
    if len(found) > 1:
        return multiple_matches(kind, found, call.version)
    if not found:
        raise resource_missing()
    return retrieve(state, call, name, str(found[0]["Id"]))


def upsert(  # the parts of the path
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, key: str, value: str
) -> ApiResponse:
    """`PATCH /sobjects/{object}/{external id}/{value}`."""
    kind = object_for(state, call, name)
    field = key_field(state, call, kind, key)
    body = call.json_object()
    _refuse_key(body, field.name)
    found = found_by_key(state, kind, field, value)
    call.records = 1
    if len(found) > 1:
        return multiple_matches(kind, found, call.version)
    writer = Writer(state, call.user, options)
    if found:
        writer.update(kind, found[0]["Id"], body)
        return _upserted(found[0]["Id"], created=False)
    if str(call.argument("updateOnly")).lower() == "true":
        raise resource_missing()
    return _upserted(writer.create(kind, {**body, field.name: value}), created=True)


def delete_by_key(  # the parts of the path
    state: OrgState, call: ApiCall, options: SaveOptions, name: str, key: str, value: str
) -> ApiResponse:
    """`DELETE /sobjects/{object}/{external id}/{value}`."""
    kind = object_for(state, call, name)
    found = found_by_key(state, kind, key_field(state, call, kind, key), value)
    if len(found) > 1:
        return multiple_matches(kind, found, call.version)
    if not found:
        raise resource_missing()
    return delete(state, call, options, name, str(found[0]["Id"]))


def multiple_matches(kind: ObjectType, found: list[Row], version: str) -> ApiResponse:
    """Answer 300: the addresses of the records that match."""
    base = f"/services/data/v{version}/sobjects/{kind.name}/"
    return api_response([base + row["Id"] for row in found], MULTIPLE_CHOICES)


def readable_fields(state: OrgState, call: ApiCall, kind: ObjectType) -> list[Field]:
    """Return the fields that the caller sees."""
    view = state.security.access_of(call.user)
    return [field for field in kind.fields.values() if view.can_read(kind, field)]


def named_fields(state: OrgState, call: ApiCall, kind: ObjectType, names: list[str]) -> list[Field]:
    """Return the fields of these names; one that the caller does not see is refused."""
    view = state.security.access_of(call.user)
    chosen = []
    for name in names:
        field = kind.find(name.strip())
        if field is None or not view.can_read(kind, field):
            raise no_such_column(kind, name.strip())
        chosen.append(field)
    return chosen


def _wanted_fields(state: OrgState, call: ApiCall, kind: ObjectType) -> list[Field]:
    wanted = call.argument("fields")
    if not wanted:
        return readable_fields(state, call, kind)
    chosen = named_fields(state, call, kind, wanted.split(","))
    if all(field.name != "Id" for field in chosen):
        chosen.append(kind.get("Id"))
    return chosen


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
        instant: datetime = parsedate_to_datetime(header)
    except ValueError:
        return False
    return parse_stamp(row["LastModifiedDate"]) > instant.astimezone(UTC)
