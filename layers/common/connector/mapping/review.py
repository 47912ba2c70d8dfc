"""The judging of a mapping before it is saved: pure, everything at once, each with its remedy.

A *problem* keeps the mapping from being saved; a *warning* does not. A line in both directions of
which only one can work is made one-way, and a warning tells so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from connector.mapping.demands import demands
from connector.mapping.lines import Direction, FieldMapping, Filter, Line, Policy
from connector.mapping.loss import loss, narrowing
from connector.mapping.names import nearest
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.table import ONE_WAY_SPECIALS
from connector.mapping.verdicts import Remark, Review, Rule
from connector.model import Kind, Side

FUNCTION = "function"
"""The job title (reference: product P13)."""


@dataclass(frozen=True)
class _Judge:
    """One mapping against what both sides have today."""

    mapping: FieldMapping
    schemas: Mapping[Kind, Schema]

    def lines(self) -> Iterator[tuple[Line | None, list[Remark]]]:
        """Yield each line as it would be saved (None: dropped), with its remarks."""
        for line in self.mapping.lines:
            if line.direction is Direction.OFF:
                kept = line if line.plezi and line.salesforce else None
                yield kept, []
                continue
            yield self._line(line)

    def _line(self, line: Line) -> tuple[Line, list[Remark]]:
        plezi = self.schemas[Kind.PLEZI_CONTACT].get(line.plezi)
        lead = self.schemas[Kind.LEAD].get(line.salesforce)
        remarks = list(self._unknown(line))
        if plezi is not None and lead is not None:
            line, turned = _direction(line, plezi, lead)
            remarks += turned
            remarks += _values(line, plezi, lead)
        if plezi is not None and line.contact:
            remarks += self._contact(line, plezi)
        return line, remarks

    def _unknown(self, line: Line) -> Iterator[Remark]:
        """Name what does not exist, with what comes near to it."""
        places = [
            ("plezi", line.plezi, Kind.PLEZI_CONTACT, "Plezi has no attribute"),
            ("salesforce", line.salesforce, Kind.LEAD, "Lead has no visible field"),
        ]
        if line.contact:
            places.append(("contact", line.contact, Kind.CONTACT, "Contact has no visible field"))
        for field, name, kind, lacks in places:
            if name in self.schemas[kind]:
                continue
            yield Remark(
                Rule.UNKNOWN_NAME,
                line.key or line.plezi,
                field,
                f"{lacks} {name!r}",
                _instead(name, self.schemas[kind], kind.side),
                blocks=not line.locked,
            )

    def _contact(self, line: Line, plezi: Field) -> Iterator[Remark]:
        """Judge what a Contact would tell Plezi; a Contact itself is never written."""
        contact = self.schemas[Kind.CONTACT].get(line.contact)
        if contact is None or not line.direction.listens(Side.PLEZI):
            return
        if lost := loss(contact, plezi):
            yield Remark(
                Rule.LOSSY_TYPES,
                line.key,
                "contact",
                f"Contact.{contact.name} cannot be told to {plezi.name}: {lost}",
                "choose another Contact field, or none",
            )

    def filters(self) -> Iterator[Remark]:
        """Judge who takes part."""
        for name, only, kind in (
            ("contact_filter", self.mapping.contact_filter, Kind.CONTACT),
            ("lead_filter", self.mapping.lead_filter, Kind.LEAD),
        ):
            if only is not None:
                yield from _filter(name, only, kind, self.schemas[kind])
        if self.mapping.contact_filter is None:
            yield Remark(
                Rule.NO_FILTER,
                "contact_filter",
                "",
                "without a filter every Contact of the org is imported in Plezi",
                "set the filter to the field that says who may be, such as sync_to_plezi__c",
                blocks=False,
            )


def review(mapping: FieldMapping, schemas: Mapping[Kind, Schema]) -> Review:
    """Judge a mapping against the fields of both sides; never raises.

    The answer holds the mapping as it would be saved: lines that are off and lack a name are
    dropped, lines that can only work one way are made one-way.
    """
    judge = _Judge(mapping, schemas)
    lines: list[Line] = []
    remarks: list[Remark] = []
    for line, found in judge.lines():
        remarks += found
        if line is not None:
            lines.append(line)
    adjusted = replace(mapping, lines=tuple(lines))
    remarks += demands(adjusted, schemas)
    remarks += judge.filters()
    return Review(
        adjusted,
        problems=tuple(remark for remark in remarks if remark.blocks),
        warnings=tuple(remark for remark in remarks if not remark.blocks),
    )


def _direction(line: Line, plezi: Field, lead: Field) -> tuple[Line, list[Remark]]:
    """Judge the direction, and turn a line one-way where the other way cannot work."""
    if line.plezi in ONE_WAY_SPECIALS and line.direction is not Direction.TO_SALESFORCE:
        message = f"{line.plezi} never travels to Plezi"
        wrong = Remark(
            Rule.ONE_WAY_SPECIAL, line.key, "direction", message, "set to_salesforce, or off"
        )
        return line, [wrong]
    obstacles = {
        Side.SALESFORCE: _obstacle(plezi, lead, "Lead"),
        Side.PLEZI: "" if line.plezi in ONE_WAY_SPECIALS else _obstacle(lead, plezi, "Plezi"),
    }
    blocked = [side for side in Side if obstacles[side] and line.direction.listens(side)]
    if not blocked:
        return line, []
    if line.direction is Direction.BOTH and len(blocked) == 1:
        towards = Direction.TO_PLEZI if blocked == [Side.SALESFORCE] else Direction.TO_SALESFORCE
        told = Remark(
            Rule.MADE_ONE_WAY,
            line.key,
            "direction",
            f"made {towards.value}: {obstacles[blocked[0]]}",
            "leave it so, or choose a field of the other one's type that may be written",
            blocks=False,
        )
        return replace(line, direction=towards), [told]
    return line, [
        Remark(
            Rule.LOSSY_TYPES if loss(plezi, lead) or loss(lead, plezi) else Rule.NOT_WRITABLE,
            line.key,
            "direction",
            "; ".join(obstacles[side] for side in blocked),
            "turn the line the other way, choose another field, or switch it off",
        )
    ]


def _obstacle(source: Field, target: Field, place: str) -> str:
    """Say why values cannot be brought to a field; '' if they can."""
    if not (target.creatable or target.updatable):
        return f"{place} field {target.name} cannot be written (a formula, or read-only)"
    if lost := loss(source, target):
        return f"{source.name} cannot be told to {place} field {target.name}: {lost}"
    return ""


def _values(line: Line, plezi: Field, lead: Field) -> Iterator[Remark]:
    """Judge what the values of a line will meet: policy, lists, lengths, wordings."""
    if line.policy is Policy.MOST_RESTRICTIVE and {plezi.kind, lead.kind} != {FieldKind.CHECKBOX}:
        yield Remark(
            Rule.POLICY,
            line.key,
            "policy",
            "most_restrictive is for checkboxes, such as an opt-out, on both sides",
            "choose another policy, or two checkboxes",
        )
    if line.enforced and line.direction is not Direction.TO_SALESFORCE:
        yield Remark(
            Rule.ENFORCED,
            line.key,
            "enforced",
            "an enforced line is written again whenever Salesforce lost it, so it is one-way",
            "set the direction to to_salesforce, or enforced to false",
        )
    for side, source, target in ((Side.SALESFORCE, plezi, lead), (Side.PLEZI, lead, plezi)):
        if line.direction.listens(side) and (less := narrowing(source, target)):
            yield Remark(
                Rule.NARROWER,
                line.key,
                "salesforce" if side is Side.SALESFORCE else "plezi",
                f"{target.name} takes less than {source.name}: {less}",
                "widen the field, or expect these values in quarantine",
                blocks=False,
            )
    free_text = lead.kind is FieldKind.TEXT
    if line.plezi == FUNCTION and free_text and line.direction.listens(Side.PLEZI):
        yield Remark(
            Rule.FUNCTION_FREE_TEXT,
            line.key,
            "direction",
            f"{lead.name} is free text: every wording in use would come to Plezi's functions",
            "set to_salesforce, or make the Salesforce field a list",
            blocks=False,
        )


def _filter(name: str, only: Filter, kind: Kind, schema: Schema) -> Iterator[Remark]:
    field = schema.get(only.field)
    if field is None:
        yield Remark(
            Rule.UNKNOWN_NAME,
            name,
            "field",
            f"{kind.value} has no visible field {only.field!r}",
            _instead(only.field, schema, kind.side),
        )
        return
    possible: tuple[object, ...] = field.options if field.restricted else ()
    if field.kind is FieldKind.CHECKBOX:
        possible = (True, False)
    if possible and not any(only.accepts(value) for value in (*possible, None)):  # type: ignore[arg-type]
        words = ", ".join(map(str, possible))
        yield Remark(
            Rule.FILTER_VALUE,
            name,
            "value",
            f"no {kind.value} can pass: {only.field} takes only {words}",
            "choose one of these values",
            blocks=False,
        )


def _instead(name: str, schema: Schema, side: Side) -> str:
    near = nearest(name, schema)
    if near:
        return f"did you mean {', '.join(near)}? If not, create it or switch the line off"
    grant = "" if side is Side.PLEZI else ", or grant it to the integration user"
    return f"create it{grant}, or switch the line off"
