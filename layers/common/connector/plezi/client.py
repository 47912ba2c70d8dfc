"""The Plezi side of the synchronization: schema, reading, look-ups and writes of one tenant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import requests

from connector.errors import RejectedError, RetryError, StaleError
from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Write
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.api_dialect import PleziDialect, UpdateMethod
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.reader import Reader
from connector.plezi.schema import KNOWN_SCHEMA, parse_schema
from connector.stores import DocumentStore

DESCRIBE_SECONDS: Final = 3600.0
"""How long the list of attributes is valid: marketers add attributes more often than admins do."""
SCHEMA_KEY: Final = "describe#plezi"
NOT_SUPPORTED: Final = "405"
"""The status of a tenant that cannot read a contact by its id (assumed)."""
REFUSED_CREATIONS: Final = frozenset({"409", "422"})
"""Statuses of a creation whose e-mail may already belong to a contact (assumed)."""


class PleziClient:
    """One tenant. `store` keeps the described attributes for all invocations."""

    def __init__(
        self,
        api: PleziApi,
        store: DocumentStore,
        dialect: PleziDialect,
        clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._store = store
        self._dialect = dialect
        self._clock = clock
        self._contacts = ContactCodec(dialect)
        self._schema: Schema | None = None
        self._valid_until = math.inf

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._api.calls

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the attributes of a contact, as described within the last hour."""
        if self._schema is None or self._clock() > self._valid_until:
            self._schema = self._describe()
        return {RecordKind.PLEZI_CONTACT: self._schema}

    def _describe(self) -> Schema:
        if not self._dialect.describes_attributes:
            return KNOWN_SCHEMA
        stored = self._store.load_document(SCHEMA_KEY) or {}
        if self._clock() - stored.get("described_at", 0.0) > DESCRIBE_SECONDS:
            try:
                rows = self._api.read("contact_attributes").body["data"]
            except (StaleError, RejectedError):
                return KNOWN_SCHEMA
            stored = {"described_at": self._clock(), "rows": rows}
            self._store.save_document(SCHEMA_KEY, stored)
        self._valid_until = stored["described_at"] + DESCRIBE_SECONDS
        return parse_schema(stored["rows"], self._dialect.attributes)

    def invalidate_schemas(self) -> None:
        """Discard the attributes: the next use describes them again."""
        self._schema = None
        self._store.save_document(SCHEMA_KEY, {"described_at": 0.0})

    def read(self, cursor: Cursor, scope: ReadScope) -> Iterator[Page]:
        """Read the contacts that changed since the cursor."""
        reader = Reader(self._api, self._contacts, self._dialect, self._clock)
        return reader.read(cursor, scope.field_names[RecordKind.PLEZI_CONTACT])

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
        and never counts as deleted: its e-mail may have changed.
        """
        names = scope.field_names[RecordKind.PLEZI_CONTACT]
        found = [contact for email in emails if (contact := self._find(email, names)) is not None]
        deleted = set()
        for record in records:
            try:
                contact = self._look_up(record.id, record.email, names)
            except RejectedError as error:
                if error.code != NOT_SUPPORTED:
                    raise
                contact = self._find_same(record.id, record.email, names)
            else:
                if contact is None:
                    deleted.add(record.id)
            if contact is not None:
                found.append(contact)
        return LookupResult(tuple(found), frozenset(deleted))

    def _look_up(self, record_id: str, email: str, names: Sequence[str]) -> Observation | None:
        as_of = self._clock()
        try:
            response = self._api.read(f"contacts/{record_id}")
        except StaleError:
            return self._find_same(record_id, email, names)
        return self._contacts.decode(response.body["data"], names, as_of)

    def _find_same(self, record_id: str, email: str, names: Sequence[str]) -> Observation | None:
        """Return the contact of an e-mail if it has this id."""
        contact = self._find(email, names) if email else None
        return contact if contact is not None and contact.id == record_id else None

    def _find(self, email: str, names: Sequence[str]) -> Observation | None:
        if not self._dialect.finds_by_email:
            return None
        as_of = self._clock()
        try:
            response = self._api.read("contacts", {"filter[email]": email})
        except RejectedError:
            return None
        rows = response.body.get("data") or []
        contacts, _ = self._contacts.decode_page(rows, names, as_of)
        return next((contact for contact in contacts if contact.email == email), None)

    def apply(self, writes: Sequence[Write], scope: ReadScope) -> Iterator[WriteOutcome]:
        """Apply writes, one call each; yield each outcome as soon as it is known."""
        for write in writes:
            yield self._apply(write, scope.field_names[RecordKind.PLEZI_CONTACT])

    def _apply(self, write: Write, names: Sequence[str]) -> WriteOutcome:
        try:
            response = self._send(write)
        except StaleError:
            return self._stale(write, names)
        except RejectedError as error:
            return self._refused(write, error)
        except (RetryError, requests.RequestException):
            return WriteOutcome(write, WriteResult.UNKNOWN)
        return self._done(write, response, names)

    def _send(self, write: Write) -> PleziResponse:
        if write.is_create:
            return self._api.write("POST", "contacts", self._contacts.encode(write.values))
        if self._dialect.update_method is UpdateMethod.POST_UPSERT:
            document = self._contacts.encode({"email": write.email, **write.values})
            return self._api.write("POST", "contacts", document)
        method = self._dialect.update_method.value.upper()
        document = self._contacts.encode(write.values, write.record_id)
        return self._api.write(method, f"contacts/{write.record_id}", document)

    def _stale(self, write: Write, names: Sequence[str]) -> WriteOutcome:
        """Return the outcome of a write whose contact was not found; it may be deleted."""
        try:
            deleted = (
                not write.is_create and self._look_up(write.record_id, write.email, names) is None
            )
        except RejectedError as error:  # the id is unknown: check the e-mail
            contact = self._find_same(write.record_id, write.email, names)
            deleted = error.code == NOT_SUPPORTED and contact is None
        except RetryError:
            deleted = False
        return WriteOutcome(write, WriteResult.STALE, deleted=deleted)

    def _refused(self, write: Write, error: RejectedError) -> WriteOutcome:
        """Return the outcome of a refusal; a creation is stale when the contact exists already."""
        if write.is_create and error.code in REFUSED_CREATIONS:
            existing = self._find(write.email, ["email"])
            if existing is not None:
                return WriteOutcome(write, WriteResult.STALE, code=error.code)
        return WriteOutcome(write, WriteResult.REJECTED, code=error.code, remedy=error.remedy)

    def _done(self, write: Write, response: PleziResponse, names: Sequence[str]) -> WriteOutcome:
        """Return the outcome of a success, with the contact of the response if it has one."""
        data = response.body.get("data")
        now = self._clock()
        if not isinstance(data, dict) or not data.get("id") or not data.get("attributes"):
            if write.is_create:
                return WriteOutcome(write, WriteResult.UNKNOWN)
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        contact = self._contacts.decode(data, names, now)
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=contact.id,
            answered_at=now,
            created=write.is_create,
            observation=contact,
        )
