"""The Plezi side of the synchronization: schema, reading, look-ups and writes of one tenant."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import requests

from connector.clean_text import canonical_email
from connector.deadline import DeadlineError
from connector.errors import (
    ConnectorError,
    RejectedError,
    RetryError,
    StaleError,
    UnknownFieldError,
    describe_defect,
)
from connector.mapping import FieldKind, ReadScope, Schema
from connector.model import (
    Cursor,
    LookupResult,
    Observation,
    Page,
    ProblemCode,
    RecordKind,
    Write,
)
from connector.planning.write_outcome import WriteOutcome, WriteResult, defect_outcome
from connector.plezi.api import (
    REFUSED_IN_SUCCESS,
    NothingDoneError,
    PleziApi,
    PleziResponse,
)
from connector.plezi.api_dialect import PleziDialect, UpdateMethod
from connector.plezi.contact_calls import (
    CONTACT_REFUSED,
    NOT_SUPPORTED,
    ContactCalls,
    ManyRefusedError,
    RefusedContactError,
)
from connector.plezi.contact_codec import (
    ContactCodec,
    ContactProblemError,
    UnreadableContactError,
)
from connector.plezi.rate_limiter import NoSlotError
from connector.plezi.reader import Reader
from connector.plezi.schema import KNOWN_SCHEMA, attribute_rows, list_keys, parse_schema
from connector.schema_cache import Description, SchemaCache
from connector.stores import DocumentStore

DESCRIBE_SECONDS: Final = 3600.0
"""How long the list of attributes is valid: marketers add attributes more often than admins do."""
SCHEMA_KEY: Final = "describe#plezi"
SCHEMA_REFUSALS: Final = frozenset({"400", "422"})
"""Statuses of a write whose attribute may not be as described any more (assumed)."""
REDESCRIBE_SECONDS: Final = 600.0
"""The time after a description in which another refusal does not lead to one: an invocation is
shorter, so a run describes the attributes again once."""
REFUSED_CREATIONS: Final = frozenset({"409", "422", REFUSED_IN_SUCCESS})
"""Statuses of a creation whose e-mail may already belong to a contact (assumed)."""


class PleziClient:
    """One tenant. `store` keeps the described attributes for all invocations.

    `load_dialect` returns the dialect that is valid now; it is asked before the first use, and at
    each `refresh_schemas` (None: `dialect` never changes).
    """

    def __init__(
        self,
        api: PleziApi,
        store: DocumentStore,
        dialect: PleziDialect,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        load_dialect: Callable[[], PleziDialect] | None = None,
    ) -> None:
        self._api = api
        self._clock = clock
        self._redescribed_at = -math.inf
        self._load_dialect = load_dialect
        self._is_loaded = load_dialect is None
        self._use(dialect)
        self._schema_cache = SchemaCache(
            store,
            clock,
            new_id,
            describe={SCHEMA_KEY: (RecordKind.PLEZI_CONTACT, self._describe)},
            parse=self._parse,
            max_age=DESCRIBE_SECONDS,
        )

    def _use(self, dialect: PleziDialect) -> None:
        """Read and write contacts in this dialect."""
        self._dialect = dialect
        self._contacts = ContactCodec(dialect)
        self._calls = ContactCalls(self._api, dialect, self._clock)
        self._reader = Reader(self._api, self._contacts, dialect, self._clock)

    def _reload_dialect(self) -> None:
        """Use the dialect that is valid now: a probe may have found another one."""
        if self._load_dialect is None:
            return
        dialect = self._load_dialect()
        if dialect != self._dialect:
            self._use(dialect)
            self._schema_cache.discard()
        self._is_loaded = True

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._api.calls

    def identity(self) -> str:
        """Return the tenant's name in the secret; from then on no other tenant is called."""
        return self._api.bind_tenant()

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the attributes of a contact, as described within the last hour."""
        if not self._is_loaded:
            self._reload_dialect()
        return self._schema_cache.schemas()

    def _describe(self) -> Description | None:
        """Return the tenant's attributes; None where it does not describe them."""
        if not self._dialect.describes_attributes:
            return None
        try:
            return {"rows": attribute_rows(self._api.read("contact_attributes").body)}
        except (StaleError, RejectedError):
            return None

    def _parse(self, _: RecordKind, description: Description | None) -> Schema:
        if description is None:
            return KNOWN_SCHEMA
        names = self._dialect.attributes
        self._contacts.list_keys = list_keys(description["rows"], names)
        schema = parse_schema(description["rows"], names, self._dialect.attribute_types)
        multiple = {name for name, it in schema.items() if it.kind is FieldKind.MULTI_PICKLIST}
        self._contacts.multi_lists = frozenset(multiple)
        return schema

    def refresh_schemas(self) -> None:
        """Compare the dialect, and the generation of the attributes, with the stored ones."""
        self._reload_dialect()
        self._calls.start()
        self._schema_cache.refresh()

    def invalidate_schemas(self) -> None:
        """Discard the attributes for every process: the next use describes them again."""
        self._schema_cache.invalidate()

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read the contacts that changed since the cursor."""
        return self._reader.read(cursor, scope.field_names[RecordKind.PLEZI_CONTACT])

    @property
    def has_change_feed(self) -> bool:
        """Whether the tenant's list shows what changed since an instant, as far as is known.

        False where the dialect says so, and once a page of the list was neither limited nor
        ordered by the time of the change.
        """
        return self._reader.has_change_feed

    def recent_changes(self, since: str, scope: ReadScope) -> Iterator[Page]:
        """Read what changed since the last look (`SideClient.recent_changes`).

        k changed contacts take about k/100 + 1 calls, where the tenant respects the filter.
        """
        return self._reader.look(since, scope.field_names[RecordKind.PLEZI_CONTACT])

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        scope: ReadScope,
        page_urls: Sequence[str] = (),  # noqa: ARG002  # part of the port; only Salesforce uses it
    ) -> LookupResult:
        """Read contacts by id, and the contacts of some e-mails, one call each.

        A contact counts as deleted only when its id is not found and its e-mail does not lead to
        the same id. Where the tenant cannot read by id (405), the contact is read by its e-mail
        and never counts as deleted: its e-mail may have changed. An error of one contact is its
        problem (`ContactCalls`).
        """
        names = scope.field_names[RecordKind.PLEZI_CONTACT]
        observations: list[Observation] = []
        deleted = set()
        problems = []
        wanted = [*(("", email) for email in emails), *((each.id, each.email) for each in records)]
        for record_id, email in wanted:
            try:
                contact, is_deleted = self._look_up_one(record_id, email, names)
            except ContactProblemError as error:
                problems.append(error.problem_of(record_id, email))
            except ConnectorError:
                raise
            except Exception as error:  # noqa: BLE001  # the problem of one record
                defect = UnreadableContactError(
                    describe_defect(error), record_id, email, ProblemCode.DEFECT
                )
                problems.append(defect.problem)
            else:
                observations += [] if contact is None else [contact]
                deleted |= {record_id} if is_deleted else set()
        return LookupResult(tuple(observations), frozenset(deleted), tuple(problems))

    def _look_up_one(
        self, record_id: str, email: str, names: Sequence[str]
    ) -> tuple[Observation | None, bool]:
        """Return a contact by its id, else by its e-mail, and whether it is deleted."""
        if not record_id:
            return self._find(email, names), False
        try:
            contact = self._look_up(record_id, email, names)
        except RejectedError as error:
            if error.code != NOT_SUPPORTED:
                raise
            return self._find_same(record_id, email, names), False
        return contact, contact is None

    def _look_up(self, record_id: str, email: str, names: Sequence[str]) -> Observation | None:
        as_of = self._clock()
        try:
            response = self._calls.by_id(record_id, email)
        except StaleError:
            return self._find_same(record_id, email, names)
        return self._contacts.decode(response.body.get("data"), names, as_of)

    def _find_same(self, record_id: str, email: str, names: Sequence[str]) -> Observation | None:
        """Return the contact of an e-mail if it has this id."""
        contact = self._find(email, names) if email else None
        return contact if contact is not None and contact.id == record_id else None

    def _find(
        self, email: str, names: Sequence[str], *, is_for_creation: bool = False
    ) -> Observation | None:
        if not self._dialect.finds_by_email:
            return None
        as_of = self._clock()
        try:
            response = self._calls.by_email(email, is_for_creation=is_for_creation)
        except RejectedError:
            return None
        return self._contacts.decode_one(response.body.get("data"), email, names, as_of)

    def seconds_for(self, *, creations: int = 0, updates: int = 0, look_ups: int = 0) -> float:
        """Return how long the calls for some records take, by the rate and the measured pace.

        A creation is a search and a create.
        """
        per_creation = 2 if self._dialect.finds_by_email else 1
        calls = per_creation * creations + updates + look_ups
        return calls * self._api.seconds_per_call

    def _calls_of(self, write: Write) -> int:
        return 2 if write.is_create and self._dialect.finds_by_email else 1

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Apply writes one after the other; yield each outcome as soon as it is known.

        A contact is created only after a search by its e-mail has not found it, because Plezi
        treats a creation with a known e-mail as an update (assumed). When one is found, nothing is
        written: the outcome is stale and has the contact as its observation.

        After the first refusal that an attribute may have caused, the attributes are described
        again. Raises `UnknownFieldError` when they have changed: this write was not carried out.

        Ends early when the invocation has no time for the next write. Raises `NoSlotError` when
        Plezi accepts no calls. Writes without an outcome were not sent.

        Where Plezi refuses many contacts in a row, the last write is made next: it shows whether
        the key may write at all, or these contacts are blocked, such as a list of people who
        unsubscribed. Raises `HaltError` when that one is refused too, and refuses no person then.
        """
        names = scope.field_names[RecordKind.PLEZI_CONTACT]
        waiting = deque(writes)
        is_confirming = False
        while waiting:
            write = waiting.popleft()
            sent = False
            try:
                if not self._api.has_time_for(self._calls_of(write)):
                    return
                outcome = self._existing(write, names)
                if outcome is None:
                    document = self._document(write)  # an error here leaves nothing in doubt
                    sent = True
                    outcome = self._apply(write, document, names)
            except DeadlineError:
                return
            except ManyRefusedError:
                if is_confirming or not waiting:
                    raise
                is_confirming = True
                waiting.rotate(1)
                waiting.append(write)  # it did nothing, and is made again at the end
                continue
            except ConnectorError:
                raise
            except Exception as error:  # noqa: BLE001  # the problem of one write
                result = WriteResult.UNKNOWN if sent else WriteResult.RETRY
                outcome = defect_outcome(write, result, error)
            is_confirming = is_confirming and outcome.result is not WriteResult.DONE
            yield outcome

    def _existing(self, write: Write, names: Sequence[str]) -> WriteOutcome | None:
        """Search for the contact of a creation; return the outcome if it must not be created."""
        if not write.is_create:
            return None
        try:
            found = self._find(write.email, names, is_for_creation=True)
        except NoSlotError:
            raise
        except UnreadableContactError as error:
            return _problem_outcome(write, WriteResult.RETRY, error)
        except RefusedContactError as error:
            return WriteOutcome(
                write, WriteResult.REJECTED, code=CONTACT_REFUSED, remedy=error.problem.detail
            )
        except RetryError:
            return WriteOutcome(write, WriteResult.RETRY, code=ProblemCode.UNANSWERED.value)
        except StaleError:
            return WriteOutcome(write, WriteResult.RETRY)
        return WriteOutcome(write, WriteResult.STALE, observation=found) if found else None

    def _apply(
        self, write: Write, document: Mapping[str, Any], names: Sequence[str]
    ) -> WriteOutcome:
        try:
            response = self._send(write, document)
        except StaleError:
            return self._stale(write, names)
        except RejectedError as error:
            return self._refused(write, error, names)
        except NoSlotError:
            raise
        except NothingDoneError:
            return WriteOutcome(write, WriteResult.RETRY)
        except (RetryError, requests.RequestException):
            return WriteOutcome(write, WriteResult.UNKNOWN)
        return self._done(write, response, names)

    def _document(self, write: Write) -> Mapping[str, Any]:
        """Return the document that carries out a write."""
        if write.is_create:
            return self._contacts.encode(write.values)
        if self._dialect.update_method is UpdateMethod.POST_UPSERT:
            return self._contacts.encode({"email": write.email, **write.values})
        return self._contacts.encode(write.values, write.record_id)

    def _send(self, write: Write, document: Mapping[str, Any]) -> PleziResponse:
        if write.is_create:
            return self._calls.write("POST", "contacts", document, write.email)
        if self._dialect.update_method is UpdateMethod.POST_UPSERT:
            return self._calls.write("POST", "contacts", document, write.record_id)
        method = self._dialect.update_method.value.upper()
        return self._calls.write(method, f"contacts/{write.record_id}", document, write.record_id)

    def _stale(self, write: Write, names: Sequence[str]) -> WriteOutcome:
        """Return the outcome of a write whose contact was not found; it may be deleted.

        Where the contact can still be read, the write has no usable response: it is tried again,
        and shown to an admin when that never ends.
        """
        try:
            deleted = not write.is_create and self._is_deleted(write, names)
        except (RetryError, DeadlineError):
            return WriteOutcome(write, WriteResult.STALE)
        if deleted or write.is_create:
            return WriteOutcome(write, WriteResult.STALE, deleted=deleted)
        return WriteOutcome(write, WriteResult.RETRY, code=ProblemCode.UNANSWERED.value)

    def _is_deleted(self, write: Write, names: Sequence[str]) -> bool:
        try:
            return self._look_up(write.record_id, write.email, names) is None
        except RejectedError as error:  # the id cannot be read: check the e-mail
            if error.code != NOT_SUPPORTED:
                return False
            return self._find_same(write.record_id, write.email, names) is None

    def _refused(self, write: Write, error: RejectedError, names: Sequence[str]) -> WriteOutcome:
        """Return the outcome of a refusal; a creation is stale when the contact exists already."""
        if write.is_create and error.code in REFUSED_CREATIONS:
            try:
                existing = self._find(write.email, names)
            except (RetryError, DeadlineError):
                return WriteOutcome(write, WriteResult.RETRY, code=error.code)
            if existing is not None:
                return WriteOutcome(write, WriteResult.STALE, code=error.code, observation=existing)
        if error.code in SCHEMA_REFUSALS and self._is_redescribed():
            raise UnknownFieldError(error.code, error.remedy) from error
        named = tuple(name for name in write.values if name in error.fields)
        return WriteOutcome(
            write, WriteResult.REJECTED, code=error.code, remedy=error.remedy, fields=named
        )

    def _is_redescribed(self) -> bool:
        """Describe the attributes again, once per run; return whether one has changed."""
        if 0 <= self._clock() - self._redescribed_at <= REDESCRIBE_SECONDS:
            return False
        self._redescribed_at = self._clock()
        try:
            before = dict(self.schemas())
            self.invalidate_schemas()
            return dict(self.schemas()) != before
        except (RetryError, DeadlineError):
            return False  # the answer to this write is recorded; the next run describes again

    def _done(self, write: Write, response: PleziResponse, names: Sequence[str]) -> WriteOutcome:
        """Return the outcome of a success, with the contact of the response if it has one."""
        data = response.body.get("data")
        now = self._clock()
        try:
            contact = self._contacts.decode(data, names, now)
        except UnreadableContactError as error:
            if write.is_create or error.problem.code is ProblemCode.DEFECT:
                return _problem_outcome(write, WriteResult.UNKNOWN, error)
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        if not _is_of_write(contact, write):
            return WriteOutcome(write, WriteResult.UNKNOWN, code=ProblemCode.UNANSWERED.value)
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=contact.id,
            answered_at=now,
            created=write.is_create,
            observation=contact,
        )


def _is_of_write(contact: Observation, write: Write) -> bool:
    """Whether the contact in the response to a write is the one that was to be written.

    Plezi may merge contacts by a key that the connector does not know: nothing of the other person
    may be taken for this one. What happened is found out by reading the contact again.
    """
    if write.is_create:
        return contact.email == canonical_email(write.email)
    return contact.id == write.record_id


def _problem_outcome(
    write: Write, result: WriteResult, error: UnreadableContactError
) -> WriteOutcome:
    """Return the outcome of a write whose contact in the response cannot be used."""
    problem = error.problem
    return WriteOutcome(write, result, code=problem.code.value, remedy=problem.detail)
