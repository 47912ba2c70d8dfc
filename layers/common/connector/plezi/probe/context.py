"""What each step of the probe works with, and the pages that several steps ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.errors import ConnectorError, StopReason
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.probe.answers import Answer, Row, TenantCalls, paging
from connector.plezi.probe.evidence import Evidence

MAX_SAMPLE: Final = 100
"""Contacts that are looked at: the assumed size of one page."""


class TenantNotUsableError(ConnectorError):
    """The tenant cannot be asked at all; the message says why and what to do."""

    reason = StopReason.PLEZI_REFUSED


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """The calls to the tenant, what was found so far, the clock (seconds), and pauses."""

    calls: TenantCalls
    evidence: Evidence
    clock: Callable[[], float]
    pause: Callable[[float], None]

    @property
    def codec(self) -> ContactCodec:
        """The codec for the names of attributes that were found."""
        return ContactCodec(self.evidence.dialect)

    def page(
        self, number: int = 1, size: int = 1, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Read a page of contacts with the pager that was found."""
        pages = paging(self.evidence.dialect.pager, number, size)
        return self.calls.get("contacts", {**pages, **(params or {})})

    def sample_size(self) -> int:
        """Return how many contacts one page of a sample has."""
        return min(self.evidence.dialect.page_size, MAX_SAMPLE)

    def first_contact(self) -> Row | None:
        """Read one contact of the tenant; None where it has none."""
        rows = self.page().rows or []
        return rows[0] if rows else None

    def email_of(self, row: Row) -> str:
        """Return the canonical e-mail of a resource ('' where it cannot be read)."""
        try:
            return self.codec.decode(row, ("email",), self.clock()).email
        except ConnectorError:
            return ""
