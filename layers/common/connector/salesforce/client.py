"""The Salesforce side of the synchronization: schemas, reading, look-ups and writes of one org."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from connector.deadline import Deadline
from connector.errors import StaleError
from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Write
from connector.pace import PacedCalls
from connector.planning.write_outcome import WriteOutcome
from connector.salesforce.batch_size import BatchSize
from connector.salesforce.connection import Connection
from connector.salesforce.describe import (
    ACCOUNT,
    checked_describe,
    encrypted_fields,
    parse_schema,
    without_account,
)
from connector.salesforce.diagnosis import error_class
from connector.salesforce.error_table import ErrorClass
from connector.salesforce.failed_lookups import FailedLookups
from connector.salesforce.field_guard import FieldGuard
from connector.salesforce.lookup import LOOK_UP_CALL
from connector.salesforce.lost_writes import LostWrites
from connector.salesforce.object_access import check_describe, describe_with_access
from connector.salesforce.reader import Reader
from connector.salesforce.writer import WRITE_CALL, Writer
from connector.schema_cache import Description, SchemaCache
from connector.stores import DocumentStore

OBJECTS: Final = (RecordKind.LEAD, RecordKind.CONTACT)
DESCRIBE_SECONDS: Final = 24 * 3600.0
"""How long a describe is valid. A describe costs three calls. Salesforce refuses a field that was
hidden or deleted in this time, and the next run describes the objects again."""

REDESCRIBE_SECONDS: Final = 600.0
"""The time after a describe in which another refusal does not lead to one: an invocation of AWS
Lambda is shorter (15 minutes at most, 5 by the template), so a run describes the objects once."""


RECORDS_IN_LOOK_UP: Final = 400
"""People whom one composite call can search, about: five queries of the length of a URL."""


class SalesforceClient:
    """One org. `assign_new_leads`: the org's assignment rules run for the Leads created.

    `guard` decides which fields are never read. No call is made that would probably not end before
    `deadline`.
    """

    def __init__(
        self,
        connection: Connection,
        store: DocumentStore,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        *,
        assign_new_leads: bool,
        deadline: Deadline,
        guard: FieldGuard,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._schema_cache = SchemaCache(
            store,
            clock,
            new_id,
            describe={_cache_key(kind): (kind, partial(self._describe, kind)) for kind in OBJECTS},
            parse=partial(_parse, guard),
            max_age=DESCRIBE_SECONDS,
        )
        self._calls = PacedCalls(deadline, clock)
        self._redescribed_at = -math.inf
        self._batch_size = BatchSize(store, clock)
        self._failed_lookups = FailedLookups(store, clock)
        self._writer = Writer(
            connection,
            clock,
            self._is_redescribed,
            partial(self._describe, RecordKind.LEAD),
            LostWrites(store, clock, self._batch_size),
            self._calls,
            assign_new_leads=assign_new_leads,
        )

    @property
    def connection(self) -> Connection:
        """The connection to the org, for calls outside of the synchronization."""
        return self._connection

    @property
    def calls(self) -> int:
        """HTTP requests sent so far, logins included."""
        return self._connection.calls

    def identity(self) -> str:
        """Return the id of the org of the current secret; from then on no other org is called."""
        return self._connection.bind_org()

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of Lead and Contact, as described within the last day."""
        return self._schema_cache.schemas()

    def refresh_schemas(self) -> None:
        """Compare the generation of the describes with the stored one before they are used."""
        self._schema_cache.refresh()

    def invalidate_schemas(self) -> None:
        """Discard the describes for every process: the next use describes the objects again."""
        self._schema_cache.invalidate()

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read the records that changed since the cursor."""
        return self._reader(scope).read(cursor)

    @property
    def has_change_feed(self) -> bool:
        """Return False: one look-up reads hundreds of records, so no feed is needed."""
        return False

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Return nothing (`has_change_feed`)."""
        del since, scope
        return iter(())

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        """Return how long the calls for some records take, by the measured speed of the org."""
        size = self._batch_size.current
        collections = -(-creations // size) - (-updates // size)
        searches = -(-(look_ups + creations) // RECORDS_IN_LOOK_UP)
        return collections * self._calls.expected_seconds(
            WRITE_CALL
        ) + searches * self._calls.expected_seconds(LOOK_UP_CALL)

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),
    ) -> LookupResult:
        """Read records by id, all records with one of these e-mails, Leads of these Plezi pages."""
        return self._reader(scope).look_up(records, emails, page_urls)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Apply writes; discard the describes when Salesforce refuses a field as unknown.

        Raises `UnknownFieldError` when a field is refused and the objects are described differently
        now: the outcomes yielded before are final, and all other writes were not carried out.
        """
        for outcome in self._writer.apply(writes, scope.field_names[RecordKind.LEAD]):
            if error_class(outcome.code) is ErrorClass.SCHEMA and not self._was_redescribed():
                self._schema_cache.report_refusal()
            yield outcome

    def _is_redescribed(self) -> bool:
        """Describe the objects again, once per run; return whether a field has changed."""
        if self._was_redescribed():
            return False
        before = dict(self.schemas())
        self.invalidate_schemas()
        self._redescribed_at = self._clock()
        return dict(self.schemas()) != before

    def _was_redescribed(self) -> bool:
        """Return whether the objects were described again a moment ago."""
        return 0 <= self._clock() - self._redescribed_at <= REDESCRIBE_SECONDS

    def _reader(self, scope: ReadScope) -> Reader:
        return Reader(self._connection, self._clock, scope, self._calls, self._failed_lookups)

    def _describe(self, kind: RecordKind) -> Description:
        path = f"sobjects/{kind.value}/describe/"
        described = describe_with_access(
            kind, partial(self._connection.decode, checked_describe, path)
        )
        check_describe(kind, described)
        fields = [_reduce_field(field) for field in described["fields"]]
        leads_to_account = any(field.get("relationshipName") == ACCOUNT for field in fields)
        if kind is RecordKind.CONTACT and leads_to_account and not self._can_read_accounts():
            fields = without_account(fields)
        return {"fields": fields}

    def _can_read_accounts(self) -> bool:
        """Return whether the user has "Read" on Account, which does not exist without it."""
        try:
            self._connection.read("sobjects/Account/")
        except StaleError:
            return False
        return True


def _parse(guard: FieldGuard, kind: RecordKind, description: Description | None) -> Schema:
    described = description or {"fields": []}
    return guard.apply(parse_schema(kind, described), encrypted_fields(described))


STORED_FIELD_KEYS: Final = (
    "name", "label", "type", "length", "scale", "nillable", "defaultedOnCreate", "createable",
    "updateable", "externalId", "unique", "restrictedPicklist",
)  # fmt: skip
RARE_FIELD_KEYS: Final = (
    "calculated", "htmlFormatted", "autoNumber", "compoundFieldName", "referenceTo",
    "relationshipName", "encrypted",
)  # fmt: skip
"""Keys that most fields do not have: false, null or an empty list is not stored."""


def _reduce_field(field: object) -> dict[str, Any]:
    """Return the keys of a field that a schema needs: a tenth of a describe of one megabyte."""
    if not isinstance(field, dict):
        return {}
    reduced = {key: field[key] for key in STORED_FIELD_KEYS if key in field}
    reduced |= {key: field[key] for key in RARE_FIELD_KEYS if field.get(key)}
    if isinstance(options := field.get("picklistValues"), list) and options:
        reduced["picklistValues"] = [
            {"value": option.get("value"), "active": option.get("active", True)}
            for option in options
            if isinstance(option, dict)
        ]
    return reduced


def _cache_key(kind: RecordKind) -> str:
    return f"describe#{kind.value}"
