"""The codec between Plezi's JSON:API contacts and observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector.clean_text import canonical_email
from connector.model import Observation, RecordKind, SkipReason, Value, Values
from connector.plezi.api_dialect import PleziDialect


class ContactCodec:
    """Decodes and encodes contacts with the attribute names of one tenant."""

    def __init__(self, dialect: PleziDialect) -> None:
        self._dialect = dialect

    def decode_page(
        self, rows: Sequence[Mapping[str, Any]], names: Sequence[str], as_of: float
    ) -> tuple[tuple[Observation, ...], dict[SkipReason, int]]:
        """Return the observations of some resources, and how many have no e-mail."""
        observations = [self.decode(row, names, as_of) for row in rows]
        with_email = tuple(observation for observation in observations if observation.email)
        without = len(observations) - len(with_email)
        return with_email, {SkipReason.NO_EMAIL: without} if without else {}

    def decode(self, row: Mapping[str, Any], names: Sequence[str], as_of: float) -> Observation:
        """Return the observation of one contact resource, mapped attributes only.

        The URL of the contact's page is built from its id where the resource does not have it.
        """
        attributes = row.get("attributes") or {}
        record_id = str(row["id"])
        values: dict[str, Value] = {
            name: _value(attributes.get(self._tenant_name(name))) for name in names
        }
        if "url" in values and not values["url"]:
            values["url"] = self._dialect.contact_url_template.format(id=record_id)
        stamp = self.stamp(row)
        return Observation(
            kind=RecordKind.PLEZI_CONTACT,
            id=record_id,
            email=canonical_email(attributes.get(self._tenant_name("email"))),
            version=stamp,
            modified=_modified(stamp),
            as_of=as_of,
            values=values,
        )

    def stamp(self, row: Mapping[str, Any]) -> str:
        """Return when a contact changed, in Plezi's format ('' where it is not known)."""
        stamp = (row.get("attributes") or {}).get("updated_at")
        return stamp if isinstance(stamp, str) else ""

    def encode(self, values: Values, record_id: str = "") -> dict[str, Any]:
        """Return the JSON:API document that writes these values."""
        data: dict[str, Any] = {
            "type": "contacts",
            "attributes": {
                self._tenant_name(name): list(value) if isinstance(value, tuple) else value
                for name, value in values.items()
            },
        }
        if record_id:
            data["id"] = record_id
        return {"data": data}

    def _tenant_name(self, name: str) -> str:
        return self._dialect.attributes.get(name, name)


def _value(raw: object) -> Value:
    """Return a value as Plezi sends it; None for a type that is not expected."""
    if isinstance(raw, list):
        return tuple(str(choice) for choice in raw)
    return raw if isinstance(raw, str | bool | int | float) else None


def _modified(stamp: str) -> str:
    """Return the stamp in the format in which both sides' stamps are compared; '' is first."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
