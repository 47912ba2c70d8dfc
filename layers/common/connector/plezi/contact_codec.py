"""The codec between Plezi's JSON:API contacts and observations; it accepts every JSON value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from connector.clean_text import MAX_EMAIL_CHARACTERS, canonical_email, is_unicode
from connector.errors import RetryError, StopReason, describe_defect
from connector.mapping.literals import format_stamp, parse_time, to_utc
from connector.mapping.values import to_text
from connector.model import (
    Observation,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Value,
    Values,
)
from connector.plezi.api_dialect import ClearsWith, PleziDialect
from connector.plezi.schema import ListKeys
from connector.record_stamps import plausible_stamp

MAX_ID_CHARACTERS: Final = 255
"""An id is part of a key of DynamoDB, which has at most 1,024 bytes (sort key); ids of Plezi are
shorter (assumed)."""
NOT_IN_AN_ID: Final = frozenset("/\\?#%")
"""An id is part of the URL by which its contact is read and written."""
MAX_STAMP_CHARACTERS: Final = 40
"""ISO 8601 with nanoseconds and a zone takes 35."""
NO_LIST_KEYS: Final[ListKeys] = MappingProxyType({})


def is_usable_id(record_id: str) -> bool:
    """Return whether an id can be a part of a URL's path; dots alone would lead to another one."""
    return (
        0 < len(record_id) <= MAX_ID_CHARACTERS
        and record_id.isprintable()
        and not NOT_IN_AN_ID & set(record_id)
        and bool(record_id.strip("."))
    )


class ContactProblemError(RetryError):
    """One contact cannot be used, the others can; `problem` says why."""

    def __init__(self, problem: RecordProblem) -> None:
        super().__init__(
            f"a contact of Plezi cannot be used: {problem.detail}",
            reason=StopReason.PLEZI_UNAVAILABLE,
        )
        self.problem = problem

    def problem_of(self, record_id: str, email: str) -> RecordProblem:
        """Return the problem; with what was asked for where the response does not show it."""
        return replace(
            self.problem,
            record_id=self.problem.record_id or record_id,
            email=self.problem.email or email,
        )


class UnreadableContactError(ContactProblemError):
    """A contact of a response has an unexpected form."""

    def __init__(
        self,
        detail: str,
        record_id: str = "",
        email: str = "",
        code: ProblemCode = ProblemCode.UNREADABLE_RECORD,
    ) -> None:
        super().__init__(RecordProblem(RecordKind.PLEZI_CONTACT, record_id, email, code, detail))


@dataclass(frozen=True, slots=True)
class DecodedPage:
    """The contacts of a response, and those that are unusable."""

    observations: tuple[Observation, ...]
    problems: tuple[RecordProblem, ...]


class ContactCodec:
    """Decodes and encodes contacts with the attribute names of one tenant.

    The keys of a list are texts in observations and writes, and have their own type in Plezi:
    `list_keys` is of the last description of the attributes, and so are `multi_lists`: the names of
    the lists of several choices.
    """

    def __init__(self, dialect: PleziDialect, list_keys: ListKeys = NO_LIST_KEYS) -> None:
        self._dialect = dialect
        self.list_keys = list_keys
        self.multi_lists: frozenset[str] = frozenset()

    def decode_page(
        self, rows: Sequence[object], names: Sequence[str], as_of: float
    ) -> DecodedPage:
        """Return the observations of some resources, and the problems of those without one."""
        observations = []
        problems = []
        for row in rows:
            try:
                observations.append(self.decode(row, names, as_of))
            except UnreadableContactError as error:
                problems.append(error.problem)
        return DecodedPage(tuple(observations), tuple(problems))

    def decode_one(
        self, rows: object, email: str, names: Sequence[str], as_of: float
    ) -> Observation | None:
        """Return the contact of an e-mail (canonical) among the resources of a search.

        Raises `UnreadableContactError` if there is none, but resources that cannot be read, which
        may be the contact; `RetryError` for a response that has no list.
        """
        if not isinstance(rows, list):
            raise RetryError("Plezi's list has no 'data'", reason=StopReason.PLEZI_UNAVAILABLE)
        unreadable = None
        for row in rows:
            try:
                contact = self.decode(row, names, as_of)
            except UnreadableContactError as error:
                unreadable = error if self._may_be_of(row, email) else unreadable
                continue
            if contact.email == email:
                return contact
        if unreadable is not None:
            raise unreadable
        return None

    def decode(self, row: object, names: Sequence[str], as_of: float) -> Observation:
        """Return the observation of one contact resource, mapped attributes only.

        An attribute that the resource lacks is unknown; it is blank where the tenant omits blanks.
        One that is an object, or a list of them, is unreadable: it is unknown too, and waits alone.
        The URL of the contact's page is built from its id where the resource does not have it.
        Raises `UnreadableContactError`, and nothing else, for what is not a contact resource.
        """
        try:
            return self._decode(row, names, as_of)
        except UnreadableContactError:
            raise
        except Exception as error:  # the problem of one record
            record_id = text_of(self.record_id, row)
            email = text_of(self._email_of, row)
            code = ProblemCode.DEFECT
            raise UnreadableContactError(describe_defect(error), record_id, email, code) from error

    def _may_be_of(self, row: object, email: str) -> bool:
        """Whether a resource that cannot be read may be the contact of an e-mail (canonical).

        An e-mail that is not a text, or is blank, is nobody's: a tenant that ignores the filter of
        a search answers with contacts that were not asked for.
        """
        attributes = _attributes(row)
        if attributes is None:
            return True
        name = self._tenant_name("email")
        if name not in attributes:
            return not self._dialect.omits_blanks
        raw = attributes[name]
        return isinstance(raw, str) and canonical_email(raw) == email

    def _email_of(self, row: object) -> str:
        return self._email(_attributes(row) or {}, "")

    def _decode(self, row: object, names: Sequence[str], as_of: float) -> Observation:
        record_id = self.record_id(row)
        attributes = _attributes(row)
        if attributes is None:
            raise UnreadableContactError("'attributes' is not an object with members", record_id)
        email = self._email(attributes, record_id)
        if not record_id:
            raise UnreadableContactError("'id' is neither a short text nor a number", "", email)
        values: dict[str, Value] = {}
        unreadable = set()
        for name in names:
            is_unknown = self._tenant_name(name) not in attributes
            if is_unknown and not self._dialect.omits_blanks:
                continue
            raw = attributes.get(self._tenant_name(name))
            value = self._value(name, raw)
            if value is None and raw is not None:
                unreadable.add(name)
            else:
                values[name] = value
        if "url" in names and not values.get("url"):
            unreadable.discard("url")
            values["url"] = self._dialect.contact_url_template.format(id=record_id)
        changed_at = self._changed_at(row)
        if changed_at is not None:
            changed_at = plausible_stamp(changed_at, as_of)
        return Observation(
            kind=RecordKind.PLEZI_CONTACT,
            id=record_id,
            email=email,
            version="" if changed_at is None else format_stamp(changed_at),
            modified="" if changed_at is None else changed_at.isoformat(timespec="milliseconds"),
            as_of=as_of,
            values=values,
            unreadable=frozenset(unreadable),
        )

    def record_id(self, row: object) -> str:
        """Return the id of a resource ('' where it has none that can be used)."""
        raw = row.get("id") if isinstance(row, dict) else None
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            return ""
        record_id = to_text(raw)
        return record_id if is_usable_id(record_id) else ""

    def _email(self, attributes: Mapping[str, Any], record_id: str) -> str:
        """Return the canonical e-mail ('' for none), which can be a key of the ledger."""
        raw = attributes.get(self._tenant_name("email"))
        if raw is not None and not isinstance(raw, str):
            raise UnreadableContactError("the e-mail is not a text", record_id)
        email = canonical_email(raw)
        if len(email) > MAX_EMAIL_CHARACTERS:
            detail = f"the e-mail has more than {MAX_EMAIL_CHARACTERS} characters"
            raise UnreadableContactError(detail, record_id)
        if not is_unicode(email):
            raise UnreadableContactError("the e-mail has half of a character", record_id)
        return email

    def stamp(self, row: object) -> str:
        """Return when a contact changed, as text that sorts ('' where it is not known).

        The text is in UTC and has milliseconds, whatever the zone and the decimals of Plezi's stamp
        are: 02:30+02:00 is before 02:10+01:00, the same night.
        """
        changed_at = self._changed_at(row)
        return "" if changed_at is None else format_stamp(changed_at)

    def _changed_at(self, row: object) -> datetime | None:
        return _instant((_attributes(row) or {}).get(self._tenant_name("updated_at")))

    def encode(self, values: Values, record_id: str = "") -> dict[str, Any]:
        """Return the JSON:API document that writes these values."""
        data: dict[str, Any] = {
            "type": "contacts",
            "attributes": {
                self._tenant_name(name): self._wire_value(name, value)
                for name, value in values.items()
            },
        }
        if record_id:
            data["id"] = record_id
        return {"data": data}

    def _value(self, name: str, raw: object) -> Value:
        """Return a value as Plezi sends it, with the text of each key of a list.

        Returns None for null, and for a type that is not expected.
        """
        if isinstance(raw, list):
            scalars = [choice for choice in raw if isinstance(choice, str | bool | int | float)]
            return tuple(map(to_text, scalars)) if len(scalars) == len(raw) else None
        if not isinstance(raw, str | bool | int | float):
            return None
        return to_text(raw) if name in self.list_keys else raw

    def _wire_value(self, name: str, value: Value) -> object:
        """Return a value for Plezi: a list's key in its own type, a blank as the tenant clears."""
        if value is None and self._dialect.clears_with is ClearsWith.EMPTY_TEXT:
            # Also for a number or a date: a refusal is seen, and an ignored null is not.
            return [] if name in self.multi_lists else ""
        keys = self.list_keys.get(name, {})
        if isinstance(value, tuple):
            return [keys.get(choice, choice) for choice in value]
        return keys.get(value, value) if isinstance(value, str) else value

    def _tenant_name(self, name: str) -> str:
        return self._dialect.attributes.get(name, name)


def text_of(read: Callable[[object], str], row: object) -> str:
    """Return what a row shows; '' where an unexpected error prevents it: `decode` reports it."""
    try:
        return read(row)
    except Exception:  # noqa: BLE001  # as the docstring says
        return ""


def _attributes(row: object) -> Mapping[str, Any] | None:
    """Return the attributes of a resource; None where it has none: all its values are unknown."""
    attributes = row.get("attributes") if isinstance(row, dict) else None
    return attributes if isinstance(attributes, dict) and attributes else None


def _instant(stamp: object) -> datetime | None:
    """Return the instant of a stamp, in UTC where it has no zone; None where it is none."""
    if not isinstance(stamp, str) or len(stamp) > MAX_STAMP_CHARACTERS:
        return None
    moment = parse_time(stamp)
    return None if moment is None else to_utc(moment)
