"""The queries of a look-up: few and long ones, each within Salesforce's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from connector.model import RecordKind
from connector.salesforce.answers import is_unicode
from connector.salesforce.library import format_soql

MAX_URL_BYTES: Final = 16_000
"""Bytes of the percent-encoded address of a query: Salesforce refuses one of more than 16,384 bytes
(REST API Developer Guide, "Status Codes and Error Responses", 414 and 431). No other limit is
documented for a sub-request of a composite call. A query of this length is far below the 100,000
characters of a statement."""
MAX_LITERAL_CHARACTERS: Final = 4_000
"""Characters of a text in a condition (SOQL and SOSL Reference, "SOQL and SOSL Limits")."""
LEGAL_IN_QUERY: Final = "!$'()*,-./:;=?@_~"
"""Characters that an address may have in its query as they are (RFC 3986, section 3.4); a plus
sign is a space there."""


@dataclass(frozen=True, slots=True)
class LookupQuery:
    """A query for the records of one kind whose field has one of these values."""

    select: str
    kind: RecordKind
    field: str
    values: tuple[str, ...]

    @property
    def is_by_id(self) -> bool:
        """Whether the values are ids of records."""
        return self.field == "Id"

    @property
    def soql(self) -> str:
        """The statement."""
        return f"{self.select} WHERE {self.field} IN ({','.join(map(_literal, self.values))})"

    def halves(self) -> tuple[LookupQuery, LookupQuery]:
        """Return two queries for the same values."""
        half = len(self.values) // 2
        first, second = self.values[:half], self.values[half:]
        return (
            LookupQuery(self.select, self.kind, self.field, first),
            LookupQuery(self.select, self.kind, self.field, second),
        )


def lookup_queries(
    select: str, kind: RecordKind, field: str, values: Iterable[str]
) -> Iterator[LookupQuery]:
    """Yield the queries for some values, as few as their length allows.

    A value that no record can have is left out: half of a character, or a text that is too long.
    """
    room = MAX_URL_BYTES - len(encoded(f"{select} WHERE {field} IN ()"))
    part: list[str] = []
    used = 0
    for value in dict.fromkeys(values):
        if len(value) > MAX_LITERAL_CHARACTERS or not is_unicode(value):
            continue
        length = len(encoded(_literal(value))) + 1
        if part and used + length > room:
            yield LookupQuery(select, kind, field, tuple(part))
            part, used = [], 0
        part.append(value)
        used += length
    if part:
        yield LookupQuery(select, kind, field, tuple(part))


def encoded(soql: str) -> str:
    """Return a statement as part of an address."""
    return quote_plus(soql, safe=LEGAL_IN_QUERY)


def _literal(value: str) -> str:
    return format_soql("{}", value)
