"""sObject Collections: up to 200 records in one call, saved one by one or all or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from local.salesforce_org import records
from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.errors import NOT_FOUND, RefusedError, WholeCallRefusedError
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response, wrong_shape
from local.salesforce_org.ids import full_id
from local.salesforce_org.rendering import record_sql
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

MAX_RECORDS = 200
MAX_CHUNKS = 10  # runs of records of one type, when types are mixed
MAX_RETRIEVED = 2000
ROLLED_BACK = RefusedError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone"
    " header",
)

Item = dict[str, Any]
Result = dict[str, Any]
RecordRefusals = Callable[[int, Item], RefusedError | None]


class _RollbackError(Exception):
    """Raised to roll back a collection."""


def create(
    state: OrgState, call: ApiCall, options: SaveOptions, refusals: RecordRefusals
) -> ApiResponse:
    """`POST /composite/sobjects`."""
    items, all_or_none = _body(call)
    writer = Writer(state, call.user, options)

    def save(item: Item) -> Result:
        kind = _type_of(state, call, item)
        values = {k: v for k, v in item.items() if k.lower() not in {"attributes", "id"}}
        if _id_of(item):
            message = "cannot specify Id in an insert call"
            raise RefusedError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=["Id"])
        return {"id": writer.create(kind, values), "success": True, "errors": []}

    return _save_all(state, call, items, save, refusals, all_or_none)


def update(
    state: OrgState, call: ApiCall, options: SaveOptions, refusals: RecordRefusals
) -> ApiResponse:
    """`PATCH /composite/sobjects`."""
    items, all_or_none = _body(call)
    writer = Writer(state, call.user, options)
    saved_ids: set[str] = set()

    def save(item: Item) -> Result:
        kind = _type_of(state, call, item)
        record_id = _id_of(item)
        if not record_id:
            raise RefusedError("MISSING_ARGUMENT", "Id not specified in an update call")
        full = full_id(str(record_id)) or str(record_id)
        if full in saved_ids:  # not proved: the second of a pair is refused
            raise RefusedError("DUPLICATE_VALUE", f"duplicate id specified: {full}")
        saved_ids.add(full)
        values = {k: v for k, v in item.items() if k.lower() not in {"attributes", "id"}}
        _with_collection_codes(lambda: writer.update(kind, full, values))
        return {"id": full, "success": True, "errors": []}

    return _save_all(state, call, items, save, refusals, all_or_none)


def upsert(
    state: OrgState,
    call: ApiCall,
    options: SaveOptions,
    refusals: RecordRefusals,
    name: str,
    key: str,
) -> ApiResponse:
    """`PATCH /composite/sobjects/{object}/{external id}`: one type; results contain `created`.

    So do the results of failed records (asserted by a client's live tests). Of records with one
    external id in one call, all fail (documentation: REST API Developer Guide, "Upsert Multiple
    Records with an External ID").
    """
    kind = records.object_for(state, call, name)
    field = records.key_field(state, call, kind, key)
    items, all_or_none = _body(call)
    writer = Writer(state, call.user, options)
    keys = Counter(_fold_key(item, field) for item in items)

    def save(item: Item) -> Result:
        if _type_of(state, call, item) is not kind:
            message = f"sobject type {item['attributes']['type']} is not {kind.name}"
            raise RefusedError("INVALID_TYPE", message)
        value = _key_of(item, field)
        if value is None and field.name != "Id":
            message = f"{field.name} not specified"
            raise RefusedError("MISSING_ARGUMENT", message, fields=[field.name])
        if value is not None and keys[_fold_key(item, field)] > 1:
            message = f"Duplicate external id specified: {value}"
            raise RefusedError("DUPLICATE_VALUE", message, fields=[field.name])
        matches = records.find_by_key(state, call, kind, field, value)
        if len(matches) > 1:
            message = "The external ID provided matches more than one record"
            raise RefusedError("DUPLICATE_EXTERNAL_ID", message, fields=[field.name])
        values = {k: v for k, v in item.items() if k.lower() not in {"attributes", "id"}}
        record_id = _upsert_one(
            writer, kind, matches, values, is_id=field.name == "Id" and value is not None
        )
        return {"id": record_id, "success": True, "errors": [], "created": not matches}

    return _save_all(state, call, items, save, refusals, all_or_none, {"created": False})


def delete(
    state: OrgState, call: ApiCall, options: SaveOptions, refusals: RecordRefusals
) -> ApiResponse:
    """`DELETE /composite/sobjects?ids=&allOrNone=`."""
    ids = [part for part in (call.argument("ids") or "").split(",") if part]
    _check_count(ids)
    writer = Writer(state, call.user, options)

    def save(item: Item) -> Result:
        full = full_id(item["id"])
        kind = state.schema.of_id(full) if full else None
        if full is None or kind is None:
            raise RefusedError("MALFORMED_ID", f"malformed id {item['id']}")
        _with_collection_codes(lambda: writer.delete(kind, full))
        return {"id": full, "success": True, "errors": []}

    items = [{"id": record_id} for record_id in ids]
    all_or_none = str(call.argument("allOrNone")).lower() == "true"
    return _save_all(state, call, items, save, refusals, all_or_none)


def retrieve(state: OrgState, call: ApiCall, name: str) -> ApiResponse:
    """`GET /composite/sobjects/{object}?ids=&fields=` and `POST {ids, fields}`."""
    kind = records.object_for(state, call, name)
    if call.method == "GET":
        ids = [part for part in (call.argument("ids") or "").split(",") if part]
        names = [part for part in (call.argument("fields") or "").split(",") if part]
    else:
        body = call.json_object()
        ids, names = list(body.get("ids", [])), list(body.get("fields", []))
    if not ids or not names:
        missing = "ids" if not ids else "fields"
        raise RefusedError("MISSING_ARGUMENT", f"{missing} not specified", fields=None)
    if len(ids) > MAX_RETRIEVED:
        message = f"The number of ids exceeds the limit of {MAX_RETRIEVED}"
        raise RefusedError("EXCEEDED_ID_LIMIT", message, fields=None)
    fields = records.named_fields(state, call, kind, names)
    if all(field.name != "Id" for field in fields):
        fields.append(kind.get("Id"))
    sql = record_sql(kind, fields, call.version)
    access = state.security.access_of(call.user)
    rows = []
    for record_id in ids:
        full = full_id(str(record_id))
        if full is None:
            raise RefusedError("MALFORMED_ID", f"malformed id {record_id}", fields=None)
        rows.append(state.queries.record(kind, sql, full, access) or "null")
    call.records = len(rows)
    return ApiResponse(records.OK, f"[{','.join(rows)}]")


def records_in(body: Item) -> list[Item]:
    """Return the records of a body; those of a wrong type are left out."""
    items = body.get("records")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _save_all(
    state: OrgState,
    call: ApiCall,
    items: list[Item],
    save: Callable[[Item], Result],
    refusals: RecordRefusals,
    all_or_none: bool,  # noqa: FBT001  # a value of the body
    of_failure: Result | None = None,
) -> ApiResponse:
    call.records = len(items)
    results: list[Result] = []
    try:
        with state.store.savepoint():
            for position, item in enumerate(items):
                result = _save_one(state, item, position, save, refusals)
                results.append(result if result["success"] else result | (of_failure or {}))
            if all_or_none and not all(result["success"] for result in results):
                raise _RollbackError  # noqa: TRY301  # leaves the savepoint
    except _RollbackError:
        results = [_rolled_back(result, of_failure or {}) for result in results]
    return api_response(results)


def _save_one(
    state: OrgState,
    item: Item,
    position: int,
    save: Callable[[Item], Result],
    refusals: RecordRefusals,
) -> Result:
    try:
        refusal = refusals(position, item)
        if refusal is not None:
            raise refusal
        with state.store.savepoint():
            return save(item)
    except WholeCallRefusedError:
        raise
    except RefusedError as refused:
        return {"success": False, "errors": [refused.collection_item()]}


def _rolled_back(result: Result, of_failure: Result) -> Result:
    """Return the result of a record after the rollback: a success becomes an error without id."""
    if not result["success"]:
        return result
    return {"success": False, "errors": [ROLLED_BACK.collection_item()]} | of_failure


def _body(call: ApiCall) -> tuple[list[Item], bool]:
    body = call.json_object()
    items = body.get("records")
    if items is None:
        items = []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise wrong_shape("VALUE_STRING")
    _check_count(items)
    types = [str(_type_name(item)).lower() for item in items]
    if sum(1 for _ in groupby(types)) > MAX_CHUNKS:
        message = f"Cannot have more than {MAX_CHUNKS} chunks in a single operation."
        raise RefusedError("INVALID_INPUT", message, fields=None)
    return items, body.get("allOrNone") is True


def _check_count(items: Sequence[object]) -> None:
    if not items:
        raise RefusedError("REQUIRED_FIELD_MISSING", "At least 1 record is required", fields=None)
    if len(items) > MAX_RECORDS:  # text not proved
        message = f"The number of records exceeds the limit of {MAX_RECORDS}: {len(items)}"
        raise RefusedError("EXCEEDED_ID_LIMIT", message, fields=None)


def _key_of(item: Item, field: Field) -> Any:  # noqa: ANN401  # any JSON value
    return next((v for k, v in item.items() if k.lower() == field.name.lower()), None)


def _fold_key(item: Item, field: Field) -> str | None:
    value = _key_of(item, field)
    return None if value is None else str(value).casefold()


def _type_of(state: OrgState, call: ApiCall, item: Item) -> ObjectType:
    name = _type_name(item)
    if not isinstance(name, str):
        raise RefusedError("INVALID_INPUT", "Missing entity type information.", fields=None)
    kind = state.schema.find(name)
    if kind is None or kind.tooling or not state.security.access_of(call.user).can_see(kind):
        message = f"sObject type '{name}' is not supported."
        raise RefusedError("INVALID_TYPE", message)
    return kind


def _type_name(item: Item) -> object:
    attributes = item.get("attributes")
    return attributes.get("type") if isinstance(attributes, dict) else None


def _id_of(item: Item) -> Any:  # noqa: ANN401  # any JSON value
    return next((v for k, v in item.items() if k.lower() == "id"), None)


def _with_collection_codes(save: Callable[[], None]) -> None:
    """Run a save; in a collection, a missing record has another error code."""
    try:
        save()
    except RefusedError as refused:
        if refused.code == "NOT_FOUND" and refused.status == NOT_FOUND:
            message = "invalid cross reference id"
            raise RefusedError("INVALID_CROSS_REFERENCE_KEY", message) from refused
        raise


def _upsert_one(
    writer: Writer, kind: ObjectType, matches: list[Row], values: Item, *, is_id: bool
) -> str:
    if is_id and not matches:
        raise RefusedError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if not matches:
        return writer.create(kind, values)
    writer.update(kind, matches[0]["Id"], values)
    return str(matches[0]["Id"])
