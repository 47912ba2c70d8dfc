"""One Plezi tenant as the engine knows a side: schema, reading, look-ups, writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import requests

from connector.errors import RejectedError, RetryError, StaleError
from connector.mapping import ReadScope, Schema
from connector.model import Cursor, LookupResult, Observation, Page, RecordKind, Write
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.reader import Reader
from connector.plezi.schema import KNOWN_SCHEMA, parse_schema
from connector.settings import PleziDialect, UpdateMethod

DESCRIBE_SECONDS: Final = 3600.0
"""How long the list of attributes is believed: marketers add fields more often than admins."""
SCHEMA_KEY: Final = "describe#plezi"
NOT_OFFERED: Final = "405"
"""The status of a tenant that reads no contact by its id (assumed)."""
REFUSED_CREATIONS: Final = frozenset({"409", "422"})
"""Statuses with which a creation may mean that the e-mail is known already (assumed)."""


class DocumentStore(Protocol):
    """Where the attributes are kept for all invocations."""

    def load_document(self, key: str) -> dict[str, Any] | None:
        """Return a document kept under a key."""

    def save_document(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a key."""


class PleziClient:
    """The engine's Plezi."""

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
        self._good_until = math.inf

    @property
    def calls(self) -> int:
        """HTTP requests sent so far."""
        return self._api.calls

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the attributes of a contact, as described within the last hour."""
        if self._schema is None or self._clock() > self._good_until:
            self._schema = self._describe()
        return {RecordKind.PLEZI_CONTACT: self._schema}

    def _describe(self) -> Schema:
        if not self._dialect.describes_attributes:
            return KNOWN_SCHEMA
        kept = self._store.load_document(SCHEMA_KEY) or {}
        if self._clock() - kept.get("described_at", 0.0) > DESCRIBE_SECONDS:
            try:
                rows = self._api.read("contact_attributes").body["data"]
            except (StaleError, RejectedError):
                return KNOWN_SCHEMA
            kept = {"described_at": self._clock(), "rows": rows}
            self._store.save_document(SCHEMA_KEY, kept)
        self._good_until = kept["described_at"] + DESCRIBE_SECONDS
        return parse_schema(kept["rows"], self._dialect.attributes)

    def invalidate_schemas(self) -> None:
        """Describe again at the next need."""
        self._schema = None
        self._store.save_document(SCHEMA_KEY, {"described_at": 0.0})

    def read(self, cursor: Cursor, view: ReadScope) -> Iterator[Page]:
        """Read what changed since the cursor."""
        reader = Reader(self._api, self._contacts, self._dialect, self._clock)
        return reader.read(cursor, view.field_names[RecordKind.PLEZI_CONTACT])

    def look_up(
        self,
        records: Sequence[Observation],
        emails: Sequence[str],
        view: ReadScope,
        page_urls: Sequence[str] = (),  # noqa: ARG002  # a port; Plezi knows its own pages
    ) -> LookupResult:
        """Read contacts by id, and the contacts of some e-mails, one call each.

        A contact counts as gone only when its id is not found *and* its e-mail does not lead to the
        same id. A tenant that offers no read by id (405) is asked by e-mail alone, and then nobody
        counts as gone: the e-mail may have changed.
        """
        mine = view.field_names[RecordKind.PLEZI_CONTACT]
        seen = [found for email in emails if (found := self._find(email, mine)) is not None]
        gone = set()
        for record in records:
            try:
                found = self._look_up(record.id, record.email, mine)
            except RejectedError as error:
                if error.code != NOT_OFFERED:
                    raise
                found = self._found_as(record.id, record.email, mine)
            else:
                if found is None:
                    gone.add(record.id)
            if found is not None:
                seen.append(found)
        return LookupResult(tuple(seen), frozenset(gone))

    def _look_up(self, record: str, email: str, names: Sequence[str]) -> Observation | None:
        as_of = self._clock()
        try:
            answer = self._api.read(f"contacts/{record}")
        except StaleError:
            return self._found_as(record, email, names)
        return self._contacts.decode(answer.body["data"], names, as_of)

    def _found_as(self, record: str, email: str, names: Sequence[str]) -> Observation | None:
        found = self._find(email, names) if email else None
        return found if found is not None and found.id == record else None

    def _find(self, email: str, names: Sequence[str]) -> Observation | None:
        if not self._dialect.finds_by_email:
            return None
        as_of = self._clock()
        try:
            answer = self._api.read("contacts", {"filter[email]": email})
        except RejectedError:
            return None
        rows = answer.body.get("data") or []
        seen, _ = self._contacts.decode_page(rows, names, as_of)
        return next((each for each in seen if each.email == email), None)

    def apply(self, writes: Sequence[Write], view: ReadScope) -> Iterator[WriteOutcome]:
        """Carry out writes, one call each; yield each outcome as soon as it is known."""
        for write in writes:
            yield self._apply(write, view.field_names[RecordKind.PLEZI_CONTACT])

    def _apply(self, write: Write, names: Sequence[str]) -> WriteOutcome:
        try:
            answer = self._send(write)
        except StaleError:
            return self._stale(write, names)
        except RejectedError as error:
            return self._refused(write, error)
        except (RetryError, requests.RequestException):
            return WriteOutcome(write, WriteResult.UNKNOWN)
        return self._done(write, answer, names)

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
        """A contact that is not found to be written may have been deleted: look, once."""
        try:
            gone = (
                not write.is_create and self._look_up(write.record_id, write.email, names) is None
            )
        except RejectedError as error:  # its id is unknown to the write; is its e-mail too?
            found = self._found_as(write.record_id, write.email, names)
            gone = error.code == NOT_OFFERED and found is None
        except RetryError:
            gone = False
        return WriteOutcome(write, WriteResult.STALE, deleted=gone)

    def _refused(self, write: Write, error: RejectedError) -> WriteOutcome:
        """A refused creation may mean that somebody was quicker: then it is theirs to be read."""
        if write.is_create and error.code in REFUSED_CREATIONS:
            known = self._find(write.email, ["email"])
            if known is not None:
                return WriteOutcome(write, WriteResult.STALE, code=error.code)
        return WriteOutcome(write, WriteResult.REJECTED, code=error.code, remedy=error.remedy)

    def _done(self, write: Write, answer: PleziResponse, names: Sequence[str]) -> WriteOutcome:
        """Keep what the answer says of the contact; without a resource, what was written."""
        data = answer.body.get("data")
        now = self._clock()
        if not isinstance(data, dict) or not data.get("id") or not data.get("attributes"):
            if write.is_create:
                return WriteOutcome(write, WriteResult.UNKNOWN)
            return WriteOutcome(write, WriteResult.DONE, record_id=write.record_id, answered_at=now)
        seen = self._contacts.decode(data, names, now)
        return WriteOutcome(
            write,
            WriteResult.DONE,
            record_id=seen.id,
            answered_at=now,
            created=write.is_create,
            observation=seen,
        )
