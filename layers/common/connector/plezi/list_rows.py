"""What Plezi's list shows of its contacts: who they are, and when they changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector.plezi.contact_codec import ContactCodec, text_of

Rows = Sequence[Mapping[str, Any]]


class ListRows:
    """Reads rows of a list, whatever they hold."""

    def __init__(self, contacts: ContactCodec) -> None:
        self._contacts = contacts

    def ids(self, rows: Rows) -> frozenset[str]:
        """Return the ids of some rows."""
        return frozenset(text_of(self._contacts.record_id, row) for row in rows)

    def edges(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, None]:
        """Return, in order, short texts that stand for contacts that have not changed since."""
        names = {text_of(self._state, row): None for row in rows}
        return {_short(name): None for name in names if name}

    def _state(self, row: object) -> str:
        record_id = self._contacts.record_id(row)
        return record_id and f"{record_id} {self._contacts.stamp(row)}"

    def digest(self, rows: Rows) -> str:
        """Return a short text that stands for the contacts of a page, in any order."""
        ids = sorted(text_of(self._contacts.record_id, row) or json.dumps(row) for row in rows)
        return _short("\n".join(ids))

    def instants(self, rows: Rows) -> list[datetime]:
        """Return when the contacts of some rows changed, where that is known."""
        return [instant for _, instant in self.stamps(rows)]

    def stamps(self, rows: Rows) -> Iterator[tuple[str, datetime]]:
        """Yield the usable stamps of some rows, with their instants."""
        for row in rows:
            stamp = text_of(self._contacts.stamp, row)
            if (instant := instant_of(stamp)) is not None:
                yield stamp, instant


def instant_of(stamp: str) -> datetime | None:
    """Return the instant of a stamp, in UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _short(text: str) -> str:
    """Return a text that hardly any other text has."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
