"""The mapping bound to the fields that both sides have at present."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from connector.clean_text import clean
from connector.mapping.model import ConflictPolicy, Direction, FieldPair, Filter, MappingConfig
from connector.mapping.phones import DEFAULT_REGION
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.type_loss import LIST_KINDS, type_loss
from connector.mapping.value_table import ValueTable, folded
from connector.mapping.values import (
    LONG_TEXT_CHARACTERS,
    MULTI_PICKLIST_SEPARATOR,
    Canonical,
    UnusableValue,
    canonical,
    convert,
    is_identical,
    to_choices,
    to_text,
)
from connector.model import LongText, ProblemCode, RecordKind, Side, Value

TO_SALESFORCE_ONLY: Final = frozenset({"behaviour_score", "state", "url"})
"""Attributes that are never written to Plezi, because Plezi computes them."""
COMPARABLE_TYPES: Final = frozenset({"reference", "id", "string", "textarea"})
"""Types of Salesforce whose values a filter can compare although they may be refused in a pair: the
id of the owner, the full name of a person."""
NOT_IN_TABLE: Final = "the value table has no row for it, and the list of the field lacks it"
TOO_LONG: Final = "it is too long for a value table"


@dataclass(frozen=True)
class BoundPair:
    """One field pair with its fields; without a Contact field if none is mapped.

    `phone_region` is that of the mapping.
    """

    pair: FieldPair
    fields: Mapping[RecordKind, Field]
    phone_region: str = DEFAULT_REGION

    @property
    def key(self) -> str:
        """The name of the pair."""
        return self.pair.key

    @cached_property
    def base_keys(self) -> Mapping[RecordKind, str]:
        """The names of the pair in the base of each kind of record."""
        return {kind: self.pair.base_key(kind) for kind in self.fields}

    @cached_property
    def kind(self) -> FieldKind:
        """The kind in which both sides are compared: the more specific of the two.

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
        """The number of decimals that every side can store (None: no limit)."""
        scales = [field.scale for field in self.fields.values() if field.scale is not None]
        return min(scales, default=None)

    def canonical(self, side: Side, value: Value) -> Canonical:
        """Return the form in which a value of this pair is compared.

        The placeholder for a missing Plezi value counts as blank: it is never sent back.
        """
        if side is Side.SALESFORCE and self._is_placeholder(value):
            return None
        if self.table is not None and side is not self.language:
            return self._canonical_in_other_language(self.table, side, value)
        return canonical(self.kind, value, scale=self.scale, region=self.phone_region)

    @property
    def is_opt_out(self) -> bool:
        """Whether the pair is a checkbox that, ticked on one record, is ticked on all."""
        is_ticked_on_all = self.pair.policy is ConflictPolicy.MOST_RESTRICTIVE
        return is_ticked_on_all and self.kind is FieldKind.CHECKBOX

    def _is_placeholder(self, value: Value) -> bool:
        placeholder = self.pair.placeholder
        return bool(placeholder) and is_identical(value, placeholder)

    @cached_property
    def table(self) -> ValueTable | None:
        """The value table of the pair; None if it has no rows, or no list."""
        if not self.pair.values or self.kind not in LIST_KINDS:
            return None
        return ValueTable(self.pair.values, is_two_way=self.pair.direction is Direction.BOTH)

    @property
    def language(self) -> Side:
        """The side whose names are used to compare values: the receiving one.

        In that direction a table has one value for each.
        """
        return Side.PLEZI if self.pair.direction is Direction.TO_PLEZI else Side.SALESFORCE

    def _canonical_in_other_language(
        self, table: ValueTable, side: Side, value: Value
    ) -> Canonical:
        """Return the canonical form with the names of the other side.

        A value for which nothing stands there differs from every value of the other side.
        """
        if isinstance(value, LongText) or len(to_text(value)) > LONG_TEXT_CHARACTERS:
            return canonical(self.kind, value)
        if self.kind is FieldKind.PICKLIST:
            text = to_text(value)
            known = table.translate(text, side)
            return (text.casefold(),) if known is None else canonical(self.kind, known)
        translated = (table.translate(choice, side) for choice in to_choices(value))
        names = {
            # No choice contains the separator.
            f"{choice.casefold()}{MULTI_PICKLIST_SEPARATOR}"
            if known is None
            else clean(known).casefold()
            for choice, known in zip(to_choices(value), translated, strict=True)
        }
        return tuple(sorted(names)) or None

    def is_blank(self, side: Side, value: Value) -> bool:
        """Whether a value is blank or an unticked checkbox."""
        return self.canonical(side, value) in (None, False)

    def convert(self, kind: RecordKind, value: Value, source: Side) -> Value | UnusableValue:
        """Convert a value of a side for a kind of record, with the value table of the pair.

        A blank for a Lead becomes the placeholder, and the placeholder a blank for Plezi, also if a
        user typed it.
        """
        if source is Side.SALESFORCE and self._is_placeholder(value):
            value = None
        translated: Value | UnusableValue = value
        if self.table is not None and source is not kind.side:
            translated = self._translated(self.table, self.fields[kind], value, source)
        if isinstance(translated, UnusableValue):
            return translated
        converted = convert(translated, self.fields[kind], kind.side)
        if converted is None and kind is RecordKind.LEAD and self.pair.placeholder:
            return self.pair.placeholder
        return converted

    def _translated(
        self, table: ValueTable, target: Field, value: Value, source: Side
    ) -> Value | UnusableValue:
        """Return a value with the names of the other side; the value of a long list is not stored.

        A name that the list of the other side lacks is unknown.
        """
        if isinstance(value, LongText):
            return UnusableValue(target.name, TOO_LONG, ProblemCode.UNKNOWN_VALUE)
        is_multiple = self.kind is FieldKind.MULTI_PICKLIST
        choices = to_choices(value) if is_multiple else tuple(filter(None, (to_text(value),)))
        known = {folded(option) for option in target.options}
        names = []
        for choice in choices:
            name = table.translate(choice, source)
            if name is None or (known and folded(name) not in known):
                return UnusableValue(target.name, NOT_IN_TABLE, ProblemCode.UNKNOWN_VALUE)
            names.append(name)
        translated = tuple(dict.fromkeys(names))
        if len(to_text(value)) > LONG_TEXT_CHARACTERS or (
            len(to_text(translated)) > LONG_TEXT_CHARACTERS
        ):
            return UnusableValue(target.name, TOO_LONG, ProblemCode.UNKNOWN_VALUE)
        return translated if is_multiple else next(iter(translated), None)

    def convert_or_keep(self, kind: RecordKind, value: Value, source: Side) -> Value:
        """Convert a value for a kind of record to compare or to show it, never to write it.

        A value that cannot be converted is returned as it is.
        """
        converted = self.convert(kind, value, source)
        return value if isinstance(converted, UnusableValue) else converted

    def can_receive(self, kind: RecordKind) -> bool:
        """Whether the pair is ever written to this kind of record; never to Salesforce Contacts."""
        if kind is RecordKind.CONTACT or kind not in self.fields:
            return False
        if kind is RecordKind.PLEZI_CONTACT and self.pair.plezi in TO_SALESFORCE_ONLY:
            return False
        return self.pair.direction.can_receive(kind.side)

    def is_writable(self, kind: RecordKind, *, create: bool) -> bool:
        """Whether the side allows the write at present; create and update are separate rights."""
        return self.fields[kind].creatable if create else self.fields[kind].updatable


@dataclass(frozen=True, slots=True)
class SuspendedPair:
    """A pair or filter that cannot work at present; `reason` names the field and the remedy."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadScope:
    """The fields to read of each kind of record, and the filters.

    A filter that is None accepts every record. Records of a kind in `excluded` take no part,
    because the filter of that kind cannot be evaluated at present. `opt_outs` are the fields that
    are read of a record outside the filter too: it may have left it together with an opt-out.
    """

    field_names: Mapping[RecordKind, tuple[str, ...]]
    filters: Mapping[RecordKind, Filter | None]
    excluded: frozenset[RecordKind] = frozenset()
    opt_outs: Mapping[RecordKind, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundMapping:
    """A version of the mapping that is ready to use: active pairs and suspended pairs.

    `is_fresh`: both systems described their fields for this bind.
    """

    config: MappingConfig
    pairs: tuple[BoundPair, ...]
    suspended: tuple[SuspendedPair, ...]
    excluded: frozenset[RecordKind] = frozenset()
    is_fresh: bool = False

    @cached_property
    def by_field(self) -> Mapping[tuple[RecordKind, str], BoundPair]:
        """The pair of a field, by the kind of record and the field name there.

        Several pairs may read an attribute of Plezi, and only one writes it (`mapping_rules`): that
        one is the pair of the attribute, because a value is written through it.
        """
        uses = [
            (pair, kind, field.name) for pair in self.pairs for kind, field in pair.fields.items()
        ]
        uses.sort(key=lambda use: use[0].pair.direction.can_receive(use[1].side))
        return {(kind, name): pair for pair, kind, name in uses}

    @cached_property
    def shared_fields(self) -> frozenset[tuple[RecordKind, str]]:
        """The fields of several pairs: what one of them writes is news for the others."""
        uses = Counter(
            (kind, field.name) for pair in self.pairs for kind, field in pair.fields.items()
        )
        return frozenset(use for use, number in uses.items() if number > 1)

    @cached_property
    def fields_of(self) -> Mapping[RecordKind, tuple[tuple[str, str, str], ...]]:
        """By kind of record: the key of each pair with a field there, its field, its base key."""
        return {
            kind: tuple(
                (pair.key, pair.fields[kind].name, pair.base_keys[kind])
                for pair in self.pairs
                if kind in pair.fields
            )
            for kind in RecordKind
        }

    @cached_property
    def always_compared(self) -> tuple[BoundPair, ...]:
        """The pairs that may need a write although no value changed since the last agreement."""
        policies = (ConflictPolicy.FILL_BLANK, ConflictPolicy.MOST_RESTRICTIVE)
        return tuple(
            pair for pair in self.pairs if pair.pair.enforced or pair.pair.policy in policies
        )

    def field_names(self, kind: RecordKind) -> tuple[str, ...]:
        """Return the field names to read from this kind of record, in the order of the mapping."""
        return tuple(pair.fields[kind].name for pair in self.pairs if kind in pair.fields)

    @cached_property
    def read_scope(self) -> ReadScope:
        """The fields to read of each kind of record, and the filters."""
        return ReadScope(
            field_names={kind: self.field_names(kind) for kind in RecordKind},
            filters={
                kind: None if kind in self.excluded else condition
                for kind, condition in _filters(self.config).items()
            },
            excluded=self.excluded,
            opt_outs={
                kind: tuple(
                    pair.fields[kind].name
                    for pair in self.pairs
                    if kind in pair.fields and pair.is_opt_out
                )
                for kind in RecordKind
            },
        )


def bind_mapping(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> BoundMapping:
    """Join each pair with its fields; suspend pairs that cannot work, each with the reason."""
    pairs: list[BoundPair] = []
    suspended: list[SuspendedPair] = []
    for pair in mapping.pairs:
        if pair.direction is Direction.OFF:
            continue
        reason = _suspension_reason(pair, schemas)
        if reason:
            suspended.append(SuspendedPair(pair.key, reason))
            continue
        fields = {
            RecordKind.PLEZI_CONTACT: schemas[RecordKind.PLEZI_CONTACT][pair.plezi],
            RecordKind.LEAD: schemas[RecordKind.LEAD][pair.salesforce],
        }
        contact = schemas[RecordKind.CONTACT].get(pair.contact) if pair.contact else None
        if contact is not None and (reason := _contact_reason(pair, contact, schemas)):
            suspended.append(SuspendedPair(f"{pair.key} of Contact", reason))
        elif contact is not None:
            fields[RecordKind.CONTACT] = contact
        pairs.append(BoundPair(pair, fields, mapping.phone_region))
    excluded = set()
    for kind, condition in _filters(mapping).items():
        if condition is None:
            continue
        if reason := _filter_reason(kind, condition, schemas[kind]):
            excluded.add(kind)
            suspended.append(SuspendedPair(f"{kind.value} filter", reason))
    return BoundMapping(mapping, tuple(pairs), tuple(suspended), frozenset(excluded))


def _filters(mapping: MappingConfig) -> Mapping[RecordKind, Filter | None]:
    return {RecordKind.LEAD: mapping.lead_filter, RecordKind.CONTACT: mapping.contact_filter}


def _contact_reason(pair: FieldPair, contact: Field, schemas: Mapping[RecordKind, Schema]) -> str:
    """Return why Contacts cannot send the field of a pair; '' if they can, or need not."""
    loss = type_loss(contact, schemas[RecordKind.PLEZI_CONTACT][pair.plezi])
    if not loss or not pair.direction.can_receive(Side.PLEZI):
        return contact.unusable
    return (
        f"Contact.{contact.name} cannot be written to {pair.plezi!r} of Plezi, so Contacts do not "
        f"send it: {loss}; choose another Contact field, or none"
    )


def _filter_reason(kind: RecordKind, condition: Filter, schema: Schema) -> str:
    """Return why a filter cannot be evaluated; '' if it can."""
    field = schema.get(condition.field)
    if field is not None:
        reason = filter_obstacle(field)
        return reason and (
            f"the {kind.value} filter cannot use {field.name!r}, so no {kind.value} is "
            f"synchronized: {reason}; change the filter"
        )
    return (
        f"{kind.value} has no field {condition.field!r} that is visible to the integration user, "
        f"so no {kind.value} is synchronized: create the field, or grant field-level security, or "
        "change the filter"
    )


def filter_obstacle(field: Field) -> str:
    """Return why no filter can compare the values of a field; '' if one can."""
    is_comparable = field.type_name in COMPARABLE_TYPES and not field.guarded
    return "" if is_comparable else field.refusal


def _suspension_reason(pair: FieldPair, schemas: Mapping[RecordKind, Schema]) -> str:
    """Return why a pair cannot work at present; '' if it can."""
    if pair.plezi not in schemas[RecordKind.PLEZI_CONTACT]:
        return f"Plezi has no attribute {pair.plezi!r}: create it, or switch the pair off"
    if pair.salesforce not in schemas[RecordKind.LEAD]:
        return (
            f"Lead has no field {pair.salesforce!r} that is visible to the integration user: "
            "create it, or grant field-level security, or switch the pair off"
        )
    plezi = schemas[RecordKind.PLEZI_CONTACT][pair.plezi]
    lead = schemas[RecordKind.LEAD][pair.salesforce]
    for described in (plezi, lead):
        if described.unusable:
            return (
                f"{described.name!r} cannot be synchronized: {described.unusable}; "
                "or switch the pair off"
            )
    for side, source, target in ((Side.PLEZI, lead, plezi), (Side.SALESFORCE, plezi, lead)):
        is_never_sent = side is Side.PLEZI and pair.plezi in TO_SALESFORCE_ONLY
        if is_never_sent or not pair.direction.can_receive(side):
            continue
        if target.read_only:
            return (
                f"{target.name!r} cannot be written in {side.value.capitalize()}: "
                f"{target.read_only}; reverse the direction of the pair, or switch it off"
            )
        if not target.writable:
            return (
                f"the integration user cannot write to {target.name!r} in "
                f"{side.value.capitalize()}: grant edit access, or reverse the direction of the "
                "pair, or switch it off"
            )
        if loss := type_loss(source, target):
            return (
                f"the current types of {source.name!r} and {target.name!r} do not fit: {loss}; "
                "change a field type, or reverse the direction of the pair, or switch it off"
            )
    return ""
