"""The judging of a mapping before it is saved: pure, everything at once, each with its remedy.

A *problem* keeps the mapping from being saved; a *warning* does not. A line in both directions of
which only one can work is made one-way, and a warning tells so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from connector.mapping.bound import TO_SALESFORCE_ONLY
from connector.mapping.issues import Issue, IssueCode, ValidationResult
from connector.mapping.model import ConflictPolicy, Direction, FieldPair, Filter, MappingConfig
from connector.mapping.required import check_required
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.suggestions import similar_names
from connector.mapping.type_loss import type_loss, value_loss
from connector.model import RecordKind, Side

FUNCTION = "function"
"""The job title (reference: product P13)."""


@dataclass(frozen=True)
class _Validator:
    """One mapping against what both sides have today."""

    mapping: MappingConfig
    schemas: Mapping[RecordKind, Schema]

    def pairs(self) -> Iterator[tuple[FieldPair | None, list[Issue]]]:
        """Yield each line as it would be saved (None: dropped), with its remarks."""
        for line in self.mapping.pairs:
            if line.direction is Direction.OFF:
                kept = line if line.plezi and line.salesforce else None
                yield kept, []
                continue
            yield self._check_pair(line)

    def _check_pair(self, line: FieldPair) -> tuple[FieldPair, list[Issue]]:
        plezi = self.schemas[RecordKind.PLEZI_CONTACT].get(line.plezi)
        lead = self.schemas[RecordKind.LEAD].get(line.salesforce)
        remarks = list(self._check_names(line))
        if plezi is not None and lead is not None:
            line, turned = _check_direction(line, plezi, lead)
            remarks += turned
            remarks += _check_values(line, plezi, lead)
        if plezi is not None and line.contact:
            remarks += self._check_contact(line, plezi)
        return line, remarks

    def _check_names(self, line: FieldPair) -> Iterator[Issue]:
        """Name what does not exist, with what comes near to it."""
        places = [
            ("plezi", line.plezi, RecordKind.PLEZI_CONTACT, "Plezi has no attribute"),
            ("salesforce", line.salesforce, RecordKind.LEAD, "Lead has no visible field"),
        ]
        if line.contact:
            places.append(
                ("contact", line.contact, RecordKind.CONTACT, "Contact has no visible field")
            )
        for field, name, kind, lacks in places:
            if name in self.schemas[kind]:
                continue
            yield Issue(
                IssueCode.UNKNOWN_NAME,
                line.key or line.plezi,
                field,
                f"{lacks} {name!r}",
                _name_remedy(name, self.schemas[kind], kind.side),
                blocks=not line.locked,
            )

    def _check_contact(self, line: FieldPair, plezi: Field) -> Iterator[Issue]:
        """Judge what a Contact would tell Plezi; a Contact itself is never written."""
        contact = self.schemas[RecordKind.CONTACT].get(line.contact)
        if contact is None or not line.direction.can_receive(Side.PLEZI):
            return
        if lost := type_loss(contact, plezi):
            yield Issue(
                IssueCode.LOSSY_TYPES,
                line.key,
                "contact",
                f"Contact.{contact.name} cannot be told to {plezi.name}: {lost}",
                "choose another Contact field, or none",
            )

    def filter_issues(self) -> Iterator[Issue]:
        """Judge who takes part."""
        for name, only, kind in (
            ("contact_filter", self.mapping.contact_filter, RecordKind.CONTACT),
            ("lead_filter", self.mapping.lead_filter, RecordKind.LEAD),
        ):
            if only is not None:
                yield from _check_filter(name, only, kind, self.schemas[kind])
        if self.mapping.contact_filter is None:
            yield Issue(
                IssueCode.NO_FILTER,
                "contact_filter",
                "",
                "without a filter every Contact of the org is imported in Plezi",
                "set the filter to the field that says who may be, such as sync_to_plezi__c",
                blocks=False,
            )


def validate(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> ValidationResult:
    """Judge a mapping against the fields of both sides; never raises.

    The answer holds the mapping as it would be saved: lines that are off and lack a name are
    dropped, lines that can only work one way are made one-way.
    """
    judge = _Validator(mapping, schemas)
    lines: list[FieldPair] = []
    remarks: list[Issue] = []
    for line, found in judge.pairs():
        remarks += found
        if line is not None:
            lines.append(line)
    adjusted = replace(mapping, pairs=tuple(lines))
    remarks += check_required(adjusted, schemas)
    remarks += judge.filter_issues()
    return ValidationResult(
        adjusted,
        problems=tuple(remark for remark in remarks if remark.blocks),
        warnings=tuple(remark for remark in remarks if not remark.blocks),
    )


def _check_direction(line: FieldPair, plezi: Field, lead: Field) -> tuple[FieldPair, list[Issue]]:
    """Judge the direction, and turn a line one-way where the other way cannot work."""
    if line.plezi in TO_SALESFORCE_ONLY and line.direction is not Direction.TO_SALESFORCE:
        message = f"{line.plezi} never travels to Plezi"
        wrong = Issue(
            IssueCode.ONE_WAY_SPECIAL, line.key, "direction", message, "set to_salesforce, or off"
        )
        return line, [wrong]
    obstacles = {
        Side.SALESFORCE: _obstacle(plezi, lead, "Lead"),
        Side.PLEZI: "" if line.plezi in TO_SALESFORCE_ONLY else _obstacle(lead, plezi, "Plezi"),
    }
    blocked = [side for side in Side if obstacles[side] and line.direction.can_receive(side)]
    if not blocked:
        return line, []
    if line.direction is Direction.BOTH and len(blocked) == 1:
        towards = Direction.TO_PLEZI if blocked == [Side.SALESFORCE] else Direction.TO_SALESFORCE
        told = Issue(
            IssueCode.MADE_ONE_WAY,
            line.key,
            "direction",
            f"made {towards.value}: {obstacles[blocked[0]]}",
            "leave it so, or choose a field of the other one's type that may be written",
            blocks=False,
        )
        return replace(line, direction=towards), [told]
    return line, [
        Issue(
            IssueCode.LOSSY_TYPES
            if type_loss(plezi, lead) or type_loss(lead, plezi)
            else IssueCode.NOT_WRITABLE,
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
    if lost := type_loss(source, target):
        return f"{source.name} cannot be told to {place} field {target.name}: {lost}"
    return ""


def _check_values(line: FieldPair, plezi: Field, lead: Field) -> Iterator[Issue]:
    """Judge what the values of a line will meet: policy, lists, lengths, wordings."""
    if line.policy is ConflictPolicy.MOST_RESTRICTIVE and {plezi.kind, lead.kind} != {
        FieldKind.CHECKBOX
    }:
        yield Issue(
            IssueCode.POLICY,
            line.key,
            "policy",
            "most_restrictive is for checkboxes, such as an opt-out, on both sides",
            "choose another policy, or two checkboxes",
        )
    if line.enforced and line.direction is not Direction.TO_SALESFORCE:
        yield Issue(
            IssueCode.ENFORCED,
            line.key,
            "enforced",
            "an enforced line is written again whenever Salesforce lost it, so it is one-way",
            "set the direction to to_salesforce, or enforced to false",
        )
    for side, source, target in ((Side.SALESFORCE, plezi, lead), (Side.PLEZI, lead, plezi)):
        if line.direction.can_receive(side) and (less := value_loss(source, target)):
            yield Issue(
                IssueCode.NARROWER,
                line.key,
                "salesforce" if side is Side.SALESFORCE else "plezi",
                f"{target.name} takes less than {source.name}: {less}",
                "widen the field, or expect these values in quarantine",
                blocks=False,
            )
    free_text = lead.kind is FieldKind.TEXT
    if line.plezi == FUNCTION and free_text and line.direction.can_receive(Side.PLEZI):
        yield Issue(
            IssueCode.FUNCTION_FREE_TEXT,
            line.key,
            "direction",
            f"{lead.name} is free text: every wording in use would come to Plezi's functions",
            "set to_salesforce, or make the Salesforce field a list",
            blocks=False,
        )


def _check_filter(name: str, only: Filter, kind: RecordKind, schema: Schema) -> Iterator[Issue]:
    field = schema.get(only.field)
    if field is None:
        yield Issue(
            IssueCode.UNKNOWN_NAME,
            name,
            "field",
            f"{kind.value} has no visible field {only.field!r}",
            _name_remedy(only.field, schema, kind.side),
        )
        return
    possible: tuple[object, ...] = field.options if field.restricted else ()
    if field.kind is FieldKind.CHECKBOX:
        possible = (True, False)
    if possible and not any(only.accepts(value) for value in (*possible, None)):  # type: ignore[arg-type]
        words = ", ".join(map(str, possible))
        yield Issue(
            IssueCode.FILTER_VALUE,
            name,
            "value",
            f"no {kind.value} can pass: {only.field} takes only {words}",
            "choose one of these values",
            blocks=False,
        )


def _name_remedy(name: str, schema: Schema, side: Side) -> str:
    near = similar_names(name, schema)
    if near:
        return f"did you mean {', '.join(near)}? If not, create it or switch the line off"
    grant = "" if side is Side.PLEZI else ", or grant it to the integration user"
    return f"create it{grant}, or switch the line off"
