"""The mapping bound to the fields that both sides really have today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.mapping.lines import Direction, FieldMapping, Filter, Line, Policy
from connector.mapping.loss import loss
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.values import Canonical, canonical, convert
from connector.model import Kind, Side, Value

ONE_WAY_SPECIALS = frozenset({"behaviour_score", "state", "url"})
"""Attributes that never travel to Plezi, whatever the mapping says (reference: product P9)."""


@dataclass(frozen=True)
class BoundLine:
    """One field line with the fields that it joins; no Contact field where none is mapped."""

    line: Line
    fields: Mapping[Kind, Field]

    @property
    def key(self) -> str:
        """The line's name."""
        return self.line.key

    @cached_property
    def kind(self) -> FieldKind:
        """The kind in which both sides compare: the more particular one of the two.

        A score is a number in Plezi and a text in Salesforce: '25' and 25 must be equal.
        """
        salesforce = self.fields[Kind.LEAD].kind
        return self.fields[Kind.PLEZI_CONTACT].kind if salesforce is FieldKind.TEXT else salesforce

    @cached_property
    def scale(self) -> int | None:
        """The decimals that every side can hold."""
        scales = [field.scale for field in self.fields.values() if field.scale is not None]
        return min(scales, default=None)

    def canonical(self, side: Side, value: Value) -> Canonical:
        """Return the form in which a value of this line may be compared.

        The placeholder for a value that Plezi lacks is blank: it never travels back.
        """
        if side is Side.SALESFORCE and self.line.placeholder and value == self.line.placeholder:
            return None
        return canonical(self.kind, value, scale=self.scale)

    def is_blank(self, side: Side, value: Value) -> bool:
        """Whether a value says nothing."""
        return self.canonical(side, value) in (None, False)

    def say(self, kind: Kind, value: Value) -> Value:
        """Say a value in the words of a kind of record; the placeholder where one is needed."""
        said = convert(value, self.fields[kind], kind.side)
        if said is None and kind is Kind.LEAD and self.line.placeholder:
            return self.line.placeholder
        return said

    def listens(self, kind: Kind) -> bool:
        """Whether the line is ever written on this kind: Contacts of Salesforce never are."""
        if kind is Kind.CONTACT or kind not in self.fields:
            return False
        if kind is Kind.PLEZI_CONTACT and self.line.plezi in ONE_WAY_SPECIALS:
            return False
        return self.line.direction.listens(kind.side)

    def writable(self, kind: Kind, *, create: bool) -> bool:
        """Whether the side lets us write the field today; creating and updating are two rights."""
        return self.fields[kind].creatable if create else self.fields[kind].updatable


@dataclass(frozen=True, slots=True)
class ParkedLine:
    """A line that cannot work today; the others go on. `reason` names the field and the remedy."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """What is read of each kind of record, and who takes part.

    `names` are the mapped fields. A filter that is None lets everybody through; nobody of a kind
    that is `closed` takes part, for its filter cannot be used today.
    """

    names: Mapping[Kind, tuple[str, ...]]
    filters: Mapping[Kind, Filter | None]
    closed: frozenset[Kind] = frozenset()


@dataclass(frozen=True)
class BoundMapping:
    """A version of the mapping, ready to use: what works, and what is parked."""

    mapping: FieldMapping
    lines: tuple[BoundLine, ...]
    parked: tuple[ParkedLine, ...]
    closed: frozenset[Kind] = frozenset()

    @cached_property
    def by_field(self) -> Mapping[tuple[Kind, str], BoundLine]:
        """The line of a field, by the kind of record and the field's name there."""
        return {(kind, f.name): line for line in self.lines for kind, f in line.fields.items()}

    @cached_property
    def fields_of(self) -> Mapping[Kind, tuple[tuple[str, str], ...]]:
        """By kind of record: each line that has a field there, by its key, and the field's name."""
        return {
            kind: tuple((it.key, it.fields[kind].name) for it in self.lines if kind in it.fields)
            for kind in Kind
        }

    @cached_property
    def compared_always(self) -> tuple[BoundLine, ...]:
        """The lines that may tell one record what another says though neither has changed."""
        policies = (Policy.FILL_BLANK, Policy.MOST_RESTRICTIVE)
        return tuple(it for it in self.lines if it.line.enforced or it.line.policy in policies)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Return the field names to read from this kind of record, in the mapping's order."""
        return tuple(line.fields[kind].name for line in self.lines if kind in line.fields)

    @cached_property
    def view(self) -> View:
        """What is read of each kind of record, and who takes part."""
        return View(
            names={kind: self.names(kind) for kind in Kind},
            filters={
                kind: None if kind in self.closed else only
                for kind, only in _filters(self.mapping).items()
            },
            closed=self.closed,
        )


def bind(mapping: FieldMapping, schemas: Mapping[Kind, Schema]) -> BoundMapping:
    """Join each line to the fields that exist; park the ones that cannot work, with the reason."""
    lines: list[BoundLine] = []
    parked: list[ParkedLine] = []
    for line in mapping.lines:
        if line.direction is Direction.OFF:
            continue
        reason = _obstacle(line, schemas)
        if reason:
            parked.append(ParkedLine(line.key, reason))
            continue
        fields = {
            Kind.PLEZI_CONTACT: schemas[Kind.PLEZI_CONTACT][line.plezi],
            Kind.LEAD: schemas[Kind.LEAD][line.salesforce],
        }
        if line.contact and line.contact in schemas[Kind.CONTACT]:
            fields[Kind.CONTACT] = schemas[Kind.CONTACT][line.contact]
        lines.append(BoundLine(line, fields))
    closed = set()
    for kind, only in _filters(mapping).items():
        if only is not None and only.field not in schemas[kind]:
            closed.add(kind)
            parked.append(ParkedLine(f"{kind.value} filter", _filter_reason(kind, only)))
    return BoundMapping(mapping, tuple(lines), tuple(parked), frozenset(closed))


def _filters(mapping: FieldMapping) -> Mapping[Kind, Filter | None]:
    return {Kind.LEAD: mapping.lead_filter, Kind.CONTACT: mapping.contact_filter}


def _filter_reason(kind: Kind, only: Filter) -> str:
    return (
        f"{kind.value} has no field {only.field!r} that the integration user can see, so nobody "
        f"of that kind takes part: create it, or grant it field-level security, or change the "
        "filter"
    )


def _obstacle(line: Line, schemas: Mapping[Kind, Schema]) -> str:
    """Say why a line cannot work today; '' when it can."""
    if line.plezi not in schemas[Kind.PLEZI_CONTACT]:
        return f"Plezi has no attribute {line.plezi!r}: create it, or switch the line off"
    if line.salesforce not in schemas[Kind.LEAD]:
        return (
            f"Lead has no field {line.salesforce!r} that the integration user can see: create it, "
            "or grant it field-level security, or switch the line off"
        )
    plezi = schemas[Kind.PLEZI_CONTACT][line.plezi]
    lead = schemas[Kind.LEAD][line.salesforce]
    for side, source, target in ((Side.PLEZI, lead, plezi), (Side.SALESFORCE, plezi, lead)):
        special = side is Side.PLEZI and line.plezi in ONE_WAY_SPECIALS
        if special or not line.direction.listens(side):
            continue
        if not _writable(target):
            return (
                f"{side.value.capitalize()} does not let us write {target.name!r}: grant edit "
                "access to it, or turn the line the other way, or switch it off"
            )
        if lost := loss(source, target):
            return (
                f"{source.name!r} cannot be told to {target.name!r} as they are typed now: {lost}; "
                "give the fields types that fit, or turn the line the other way"
            )
    return ""


def _writable(field: Field) -> bool:
    return field.creatable or field.updatable
