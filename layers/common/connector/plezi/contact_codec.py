"""Contacts between Plezi's words on the wire and our observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector.mapping import canonical_email
from connector.model import Observation, RecordKind, Value, Values
from connector.settings import PleziDialect


class ContactCodec:
    """Reads and says contacts in one tenant's spelling."""

    def __init__(self, dialect: PleziDialect) -> None:
        self._dialect = dialect

    def decode_page(
        self, rows: Sequence[Mapping[str, Any]], names: Sequence[str], as_of: float
    ) -> tuple[tuple[Observation, ...], dict[str, int]]:
        """Return the observations of some resources, and how many had no e-mail."""
        seen = [self.decode(row, names, as_of) for row in rows]
        with_email = tuple(each for each in seen if each.email)
        without = len(seen) - len(with_email)
        return with_email, {"no_email": without} if without else {}

    def decode(self, row: Mapping[str, Any], names: Sequence[str], as_of: float) -> Observation:
        """Return what one contact resource says, mapped attributes only.

        The address of the contact's page is built from its id where the resource does not say it.
        """
        attributes = row.get("attributes") or {}
        record = str(row["id"])
        values: dict[str, Value] = {
            name: _value(attributes.get(self._tenant_name(name))) for name in names
        }
        if "url" in values and not values["url"]:
            values["url"] = self._dialect.contact_url_template.format(id=record)
        stamp = self.stamp(row)
        return Observation(
            kind=RecordKind.PLEZI_CONTACT,
            id=record,
            email=canonical_email(attributes.get(self._tenant_name("email"))),
            version=stamp,
            modified=_modified(stamp),
            as_of=as_of,
            values=values,
        )

    def stamp(self, row: Mapping[str, Any]) -> str:
        """Return when a contact changed, as Plezi writes it ('' where it does not say)."""
        said = (row.get("attributes") or {}).get("updated_at")
        return said if isinstance(said, str) else ""

    def encode(self, values: Values, record: str = "") -> dict[str, Any]:
        """Return the JSON:API document that writes these values."""
        data: dict[str, Any] = {
            "type": "contacts",
            "attributes": {
                self._tenant_name(name): list(value) if isinstance(value, tuple) else value
                for name, value in values.items()
            },
        }
        if record:
            data["id"] = record
        return {"data": data}

    def _tenant_name(self, name: str) -> str:
        return self._dialect.attributes.get(name, name)


def _value(said: object) -> Value:
    """Keep what Plezi says in its own words; tolerate what it should not send."""
    if isinstance(said, list):
        return tuple(str(choice) for choice in said)
    return said if isinstance(said, str | bool | int | float) else None


def _modified(stamp: str) -> str:
    """The stamp in the one spelling in which both sides' stamps are compared; '' sorts first."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
