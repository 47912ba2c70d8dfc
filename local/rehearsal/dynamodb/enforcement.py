"""DynamoDB's limits in front of an emulator that does not enforce all of them.

The checks are those of the client in memory: sizes, counts, keys, expressions. What depends on the
stored item (the size after an update) is found by reading it from the emulator first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from local.rehearsal.dynamodb.errors import InvalidRequestError, invalid
from local.rehearsal.dynamodb.expressions import parse_condition, parse_update
from local.rehearsal.dynamodb.limits import (
    MAX_TRANSACTION_BYTES,
    Item,
    TableSchema,
    check_request,
    check_stored,
)

ReadItem: TypeAlias = Callable[[str, Item], Item | None]
"""Returns the item that the emulator has stored in a table under a key."""
EVENT: Final = "provide-client-params.dynamodb"
"""The event of botocore before it builds a request, with the parameters of the call."""


class LimitCheck:
    """Checks each request as DynamoDB does, before an emulator receives it."""

    def __init__(self, schemas: Mapping[str, TableSchema], read: ReadItem) -> None:
        self._schemas = schemas
        self._read = read

    def check(self, operation: str, request: Mapping[str, Any]) -> None:
        """Raise `InvalidRequestError` for a request that DynamoDB refuses and an emulator may not.

        A condition that does not hold is left to the emulator.
        """
        check_request(operation, request, self._schemas)
        if operation == "UpdateItem":
            self._updated_size(request)
        if operation == "TransactWriteItems":
            sizes = [
                self._updated_size(action["Update"])
                for action in request["TransactItems"]
                if "Update" in action
            ]
            sizes += [
                check_stored(self._schemas[action["Put"]["TableName"]], action["Put"]["Item"])
                for action in request["TransactItems"]
                if "Put" in action and action["Put"]["TableName"] in self._schemas
            ]
            if sum(sizes) > MAX_TRANSACTION_BYTES:
                raise InvalidRequestError(
                    "Transaction item size has exceeded the maximum allowed size"
                )

    def _updated_size(self, request: Mapping[str, Any]) -> int:
        """Return the size of an item after an update; 0 when the condition does not hold."""
        schema = self._schemas.get(request["TableName"])
        if schema is None or "UpdateExpression" not in request:
            return 0
        names = request.get("ExpressionAttributeNames") or {}
        values = request.get("ExpressionAttributeValues") or {}
        stored = self._read(request["TableName"], request["Key"])
        text = request.get("ConditionExpression")
        if text is not None and not parse_condition(text).test(stored or {}, names, values):
            return 0
        update = parse_update(request["UpdateExpression"])
        return check_stored(schema, update.apply(stored or request["Key"], names, values))


def enforce_limits(client: Any, check: LimitCheck) -> None:  # noqa: ANN401  # any botocore client
    """Let a botocore client of DynamoDB refuse what DynamoDB refuses, with its error."""

    def before_call(params: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401  # botocore's
        try:
            check.check(model.name, params)
        except InvalidRequestError as error:
            raise invalid(str(error), model.name) from error

    client.meta.events.register_first(EVENT, before_call)
