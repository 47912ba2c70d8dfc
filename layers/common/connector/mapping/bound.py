"""The mapping bound to the fields that both sides really have today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.mapping.model import ConflictPolicy, Direction, FieldPair, Filter, MappingConfig
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.type_loss import type_loss
from connector.mapping.values import Canonical, canonical, convert
from connector.model import RecordKind, Side, Value

TO_SALESFORCE_ONLY = frozenset({"behaviour_score", "state", "url"})
"""Attributes that never travel to Plezi, whatever the mapping says (reference: product P9)."""


@dataclass(frozen=True)
class BoundPair:
    """One field line with the fields that it joins; no Contact field where none is mapped."""

    pair: FieldPair
    fields: Mapping[RecordKind, Field]

    @property
    def key(self) -> str:
        """The line's name."""
        return self.pair.key

    @cached_property
    def kind(self) -> FieldKind:
        """The kind in which both sides compare: the more particular one of the two.

        A score is a number in Plezi and a text in Salesforce: '25' and 25 must be equal.
        """
        salesforce = self.fields[RecordKind.LEAD].kind
        return (
            self.fields[RecordKind.PLEZI_CONTACT].kind
            if salesforce is FieldKind.TEXT
            else salesforce
        )

    @cached_property
    def scale(self) -> int | None:
        """The decimals that every side can hold."""
        scales = [field.scale for field in self.fields.values() if field.scale is not None]
        return min(scales, default=None)

    def canonical(self, side: Side, value: Value) -> Canonical:
        """Return the form in which a value of this line may be compared.

        The placeholder for a value that Plezi lacks is blank: it never travels back.
        """
        if side is Side.SALESFORCE and self.pair.placeholder and value == self.pair.placeholder:
            return None
        return canonical(self.kind, value, scale=self.scale)

    def is_blank(self, side: Side, value: Value) -> bool:
        """Whether a value says nothing."""
        return self.canonical(side, value) in (None, False)

    def convert(self, kind: RecordKind, value: Value) -> Value:
        """Say a value in the words of a kind of record; the placeholder where one is needed."""
        said = convert(value, self.fields[kind], kind.side)
        if said is None and kind is RecordKind.LEAD and self.pair.placeholder:
            return self.pair.placeholder
        return said

    def can_receive(self, kind: RecordKind) -> bool:
        """Whether the line is ever written on this kind: Contacts of Salesforce never are."""
        if kind is RecordKind.CONTACT or kind not in self.fields:
            return False
        if kind is RecordKind.PLEZI_CONTACT and self.pair.plezi in TO_SALESFORCE_ONLY:
            return False
        return self.pair.direction.can_receive(kind.side)

    def is_writable(self, kind: RecordKind, *, create: bool) -> bool:
        """Whether the side lets us write the field today; creating and updating are two rights."""
        return self.fields[kind].creatable if create else self.fields[kind].updatable


@dataclass(frozen=True, slots=True)
class SuspendedPair:
    """A line that cannot work today; the others go on. `reason` names the field and the remedy."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadScope:
    """What is read of each kind of record, and who takes part.

    `names` are the mapped fields. A filter that is None lets everybody through; nobody of a kind
    that is `excluded` takes part, for its filter cannot be used today.
    """

    field_names: Mapping[RecordKind, tuple[str, ...]]
    filters: Mapping[RecordKind, Filter | None]
    excluded: frozenset[RecordKind] = frozenset()


@dataclass(frozen=True)
class BoundMapping:
    """A version of the mapping, ready to use: what works, and what is parked."""

    config: MappingConfig
    pairs: tuple[BoundPair, ...]
    suspended: tuple[SuspendedPair, ...]
    excluded: frozenset[RecordKind] = frozenset()

    @cached_property
    def by_field(self) -> Mapping[tuple[RecordKind, str], BoundPair]:
        """The line of a field, by the kind of record and the field's name there."""
        return {(kind, f.name): line for line in self.pairs for kind, f in line.fields.items()}

    @cached_property
    def fields_of(self) -> Mapping[RecordKind, tuple[tuple[str, str], ...]]:
        """By kind of record: each line that has a field there, by its key, and the field's name."""
        return {
            kind: tuple((it.key, it.fields[kind].name) for it in self.pairs if kind in it.fields)
            for kind in RecordKind
        }

    @cached_property
    def always_compared(self) -> tuple[BoundPair, ...]:
        """The lines that may tell one record what another says though neither has changed."""
        policies = (ConflictPolicy.FILL_BLANK, ConflictPolicy.MOST_RESTRICTIVE)
        return tuple(it for it in self.pairs if it.pair.enforced or it.pair.policy in policies)

    def field_names(self, kind: RecordKind) -> tuple[str, ...]:
        """Return the field names to read from this kind of record, in the mapping's order."""
        return tuple(line.fields[kind].name for line in self.pairs if kind in line.fields)

    @cached_property
    def read_scope(self) -> ReadScope:
        """What is read of each kind of record, and who takes part."""
        return ReadScope(
            field_names={kind: self.field_names(kind) for kind in RecordKind},
            filters={
                kind: None if kind in self.excluded else only
                for kind, only in _filters(self.config).items()
            },
            excluded=self.excluded,
        )


def bind_mapping(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> BoundMapping:
    """Join each line to the fields that exist; park the ones that cannot work, with the reason."""
    lines: list[BoundPair] = []
    parked: list[SuspendedPair] = []
    for line in mapping.pairs:
        if line.direction is Direction.OFF:
            continue
        reason = _obstacle(line, schemas)
        if reason:
            parked.append(SuspendedPair(line.key, reason))
            continue
        fields = {
            RecordKind.PLEZI_CONTACT: schemas[RecordKind.PLEZI_CONTACT][line.plezi],
            RecordKind.LEAD: schemas[RecordKind.LEAD][line.salesforce],
        }
        if line.contact and line.contact in schemas[RecordKind.CONTACT]:
            fields[RecordKind.CONTACT] = schemas[RecordKind.CONTACT][line.contact]
        lines.append(BoundPair(line, fields))
    closed = set()
    for kind, only in _filters(mapping).items():
        if only is not None and only.field not in schemas[kind]:
            closed.add(kind)
            parked.append(SuspendedPair(f"{kind.value} filter", _filter_reason(kind, only)))
    return BoundMapping(mapping, tuple(lines), tuple(parked), frozenset(closed))


def _filters(mapping: MappingConfig) -> Mapping[RecordKind, Filter | None]:
    return {RecordKind.LEAD: mapping.lead_filter, RecordKind.CONTACT: mapping.contact_filter}


def _filter_reason(kind: RecordKind, only: Filter) -> str:
    return (
        f"{kind.value} has no field {only.field!r} that the integration user can see, so nobody "
        f"of that kind takes part: create it, or grant it field-level security, or change the "
        "filter"
    )


def _obstacle(line: FieldPair, schemas: Mapping[RecordKind, Schema]) -> str:
    """Say why a line cannot work today; '' when it can."""
    if line.plezi not in schemas[RecordKind.PLEZI_CONTACT]:
        return f"Plezi has no attribute {line.plezi!r}: create it, or switch the line off"
    if line.salesforce not in schemas[RecordKind.LEAD]:
        return (
            f"Lead has no field {line.salesforce!r} that the integration user can see: create it, "
            "or grant it field-level security, or switch the line off"
        )
    plezi = schemas[RecordKind.PLEZI_CONTACT][line.plezi]
    lead = schemas[RecordKind.LEAD][line.salesforce]
    for side, source, target in ((Side.PLEZI, lead, plezi), (Side.SALESFORCE, plezi, lead)):
        special = side is Side.PLEZI and line.plezi in TO_SALESFORCE_ONLY
        if special or not line.direction.can_receive(side):
            continue
        if not _writable(target):
            return (
                f"{side.value.capitalize()} does not let us write {target.name!r}: grant edit "
                "access to it, or turn the line the other way, or switch it off"
            )
        if lost := type_loss(source, target):
            return (
                f"{source.name!r} cannot be told to {target.name!r} as they are typed now: {lost}; "
                "give the fields types that fit, or turn the line the other way"
            )
    return ""


def _writable(field: Field) -> bool:
    return field.creatable or field.updatable
