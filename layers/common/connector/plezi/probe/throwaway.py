"""The throwaway contact: the only contact that the probe writes, restores and deletes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.clean_text import canonical_email
from connector.errors import StaleError
from connector.model import Value
from connector.plezi.probe.answers import Answer, Row, attributes_of
from connector.plezi.probe.context import ProbeContext
from connector.plezi.probe.list_steps import NEWEST

FACTS: Final = "throwaway"
POLL_SECONDS: Final = 1.0
MAX_LAG_SECONDS: Final = 10.0
"""For how long a write is looked for: as long as a look of the connector overlaps the one before
(`reader.LOOK_OVERLAP`)."""
TEXTS: Final = ("first_name", "last_name", "company", "function")
"""The attributes that are written, besides one list."""


class Throwaway:
    """Writes and reads one contact. Every write names its e-mail, or an id that has shown it."""

    def __init__(self, context: ProbeContext) -> None:
        self._context = context
        facts = context.evidence.facts
        self._facts: dict[str, Any] = facts.setdefault(FACTS, {"id": "", "created": False})
        self.email = canonical_email(context.evidence.contact)

    @property
    def record_id(self) -> str:
        """The id of the contact ('': it does not exist yet)."""
        return str(self._facts["id"])

    @property
    def is_created(self) -> bool:
        """Whether the probe created it."""
        return bool(self._facts["created"])

    @property
    def before(self) -> Mapping[str, Any]:
        """What an existing contact showed before the first write, by the tenant's names."""
        return dict(self._facts.get("before", {}))

    def is_usable(self) -> bool:
        """Whether there is a contact that can be written."""
        return bool(self.record_id)

    def adopt(self, row: Row, *, created: bool = False, is_before: bool = False) -> None:
        """Use this contact from now on, which must show the e-mail; else raise `StaleError`.

        `is_before`: the probe has not written to it yet.
        """
        record_id = self._context.codec.record_id(row)
        if not record_id or self._context.email_of(row) != self.email:
            raise StaleError("Plezi answered with another contact than the throwaway contact")
        self._facts |= {"id": record_id, "created": created}
        if is_before:
            names = self.tenant_names()
            self._facts["before"] = {name: attributes_of(row).get(name) for name in names}

    def remember(self, tenant_name: str) -> None:
        """Keep what a contact that existed shows for one more attribute, before it is written."""
        before = self._facts.get("before")
        if before is not None and tenant_name not in before:
            before[tenant_name] = attributes_of(self.read() or {}).get(tenant_name)

    def texts(self) -> list[str]:
        """Return our names of the texts that are written, as far as the tenant has them."""
        return list(self.values(**dict.fromkeys(TEXTS, "")))

    def tenant_names(self) -> list[str]:
        """Return the tenant's names of the texts that are written."""
        names = self._context.evidence.dialect.attributes
        return [names.get(name, name) for name in self.texts()]

    def _is_known(self, tenant_name: str) -> bool:
        facts = self._context.evidence.facts
        known = {*facts["shown"], *(each["name"] for each in facts["attributes"])}
        return not known or tenant_name in known

    def values(self, **texts: Value) -> dict[str, Value]:
        """Return those of some values whose attribute the tenant has."""
        names = self._context.evidence.dialect.attributes
        return {name: text for name, text in texts.items() if self._is_known(names.get(name, name))}

    def write(self, method: str, values: Mapping[str, Any]) -> Answer:
        """Write values to the contact: a POST by its e-mail, any other method by its id.

        Raises `StaleError`, and sends nothing, before the contact is known.
        """
        codec = self._context.codec
        if method == "POST":
            document = codec.encode({"email": self.email, **values})
            return self._context.calls.write("POST", "contacts", document)
        if not self.record_id:
            raise StaleError("there is no throwaway contact to write to")
        document = codec.encode(dict(values), self.record_id)
        return self._context.calls.write(method, f"contacts/{self.record_id}", document)

    def delete(self) -> Answer:
        """Delete the contact, if the probe created it; else raise `StaleError`."""
        if not self.record_id or not self.is_created:
            raise StaleError("only a contact that the probe created is deleted")
        return self._context.calls.write("DELETE", f"contacts/{self.record_id}", None)

    def read(self) -> Row | None:
        """Read the contact in a way that the tenant has; None where it does not show it."""
        context, dialect = self._context, self._context.evidence.dialect
        if dialect.reads_by_id and self.record_id:
            row = context.calls.get(f"contacts/{self.record_id}").row
            if row is not None or "reads_by_id" in context.evidence.found:
                return row
        if dialect.finds_by_email:
            row = self._among(context.calls.get("contacts", {"filter[email]": self.email}))
            if row is not None or "finds_by_email" in context.evidence.found:
                return row
        order = NEWEST if dialect.newest_first else None
        return self._among(context.page(1, context.sample_size(), order))

    def _among(self, answer: Answer) -> Row | None:
        """Return the contact among the resources of a list."""
        rows = (row for row in answer.rows or [] if self._context.email_of(row) == self.email)
        return next(rows, None)

    def wait_for(self, is_shown: Callable[[Row | None], bool]) -> tuple[Row | None, float]:
        """Read until the contact is as expected; return it, and the seconds that took.

        After `MAX_LAG_SECONDS` it is returned as it is then.
        """
        started = self._context.clock()
        while True:
            seconds = self._context.clock() - started  # the reading itself is no lag
            row = self.read()
            if is_shown(row) or seconds >= MAX_LAG_SECONDS:
                return row, seconds
            self._context.pause(POLL_SECONDS)

    def wait_after(
        self, answer: Answer, is_shown: Callable[[Row | None], bool]
    ) -> tuple[Row | None, float]:
        """Wait as `wait_for` after a write; where reads do not show the contact, take its answer.

        A tenant may have no way to read one contact: neither by its id nor by its e-mail.
        """
        is_unreadable = self._facts.get("is_unreadable", False)
        return (answer.row, 0.0) if is_unreadable else self.wait_for(is_shown)

    def wait_for_value(self, answer: Answer, name: str, value: object) -> tuple[Row | None, float]:
        """Wait until the contact shows a value, as `wait_after`."""
        return self.wait_after(answer, lambda row: self.shown(row, name) == value)

    def note_unreadable(self) -> None:
        """Judge writes by their answers from now on: reads do not show the contact."""
        self._facts["is_unreadable"] = True

    def shown(self, row: Row | None, name: str) -> object:
        """Return the value that a row shows for one of our names; None where it is blank."""
        names = self._context.evidence.dialect.attributes
        value = None if row is None else attributes_of(row).get(names.get(name, name))
        return None if value in ("", []) else value

    def shows(self, row: Row | None, values: Mapping[str, Any]) -> bool:
        """Return whether a row shows these values, which have the tenant's names."""
        shown = {} if row is None else attributes_of(row)
        blank: tuple[object, ...] = (None, "", [])
        return all(
            shown.get(name) == value or (value in blank and shown.get(name) in blank)
            for name, value in values.items()
        )
