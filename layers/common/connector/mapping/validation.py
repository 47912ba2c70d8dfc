"""The validation of a mapping before it is saved: pure, all issues at once, each with its remedy.

A *problem* prevents the save; a *warning* does not. If a pair for both directions can work in only
one direction, it becomes one-way, with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping.bound import TO_SALESFORCE_ONLY, filter_obstacle
from connector.mapping.issues import Issue, IssueCode, ValidationResult
from connector.mapping.mapping_rules import check_required
from connector.mapping.model import ConflictPolicy, Direction, FieldPair, Filter, MappingConfig
from connector.mapping.schema import Field, FieldKind, Schema
from connector.mapping.suggestions import similar_names
from connector.mapping.type_loss import LIST_KINDS, type_loss, value_loss
from connector.mapping.value_table import ValueTable
from connector.mapping.value_table_rules import check_value_table
from connector.model import RecordKind, Side, Value

FUNCTION: Final = "function"
"""Plezi's attribute for the job title."""
ACCOUNT_NAME: Final = "Account.Name"
"""The company of a Contact, which is the name of its Account."""
READ_ACCOUNTS: Final = (
    "give the integration user 'Read' on Account, in Setup > Permission Sets > Object Settings or "
    "in its profile, or switch the pair off"
)
ONE_WAY: Final = "{} is never written to Plezi"


@dataclass(frozen=True)
class _Validator:
    """One mapping and the fields that both sides have at present."""

    mapping: MappingConfig
    schemas: Mapping[RecordKind, Schema]

    def pairs(self) -> Iterator[tuple[FieldPair | None, list[Issue]]]:
        """Yield each pair as it would be saved (None: removed), with its issues."""
        for pair in self.mapping.pairs:
            if pair.direction is Direction.OFF:
                yield (pair if pair.plezi and pair.salesforce else None), []
                continue
            yield self._check_pair(pair)

    def _check_pair(self, pair: FieldPair) -> tuple[FieldPair, list[Issue]]:
        plezi = self.schemas[RecordKind.PLEZI_CONTACT].get(pair.plezi)
        lead = self.schemas[RecordKind.LEAD].get(pair.salesforce)
        issues = list(self._check_names(pair))
        unsupported = list(self._check_types(pair))
        if unsupported:
            return pair, [*issues, *unsupported]
        if plezi is not None and lead is not None:
            pair, direction_issues = _check_direction(pair, plezi, lead)
            issues += direction_issues
            issues += _check_values(pair, plezi, lead)
            issues += check_value_table(pair, plezi, lead)
        if plezi is not None and pair.contact:
            issues += self._check_contact(pair, plezi)
        return pair, issues

    def _check_types(self, pair: FieldPair) -> Iterator[Issue]:
        """Report fields whose type no pair can have."""
        for property_, name, kind, place in (
            ("plezi", pair.plezi, RecordKind.PLEZI_CONTACT, "the attribute"),
            ("salesforce", pair.salesforce, RecordKind.LEAD, "the Lead field"),
            ("contact", pair.contact, RecordKind.CONTACT, "the Contact field"),
        ):
            field = self.schemas[kind].get(name) if name else None
            if field is not None and field.unusable:
                yield Issue(
                    IssueCode.UNSUPPORTED_TYPE,
                    pair.key,
                    property_,
                    f"{place} {name} cannot be synchronized: {field.refusal or 'its type'}",
                    f"{field.remedy or 'choose another field'}, or switch the pair off",
                )

    def _check_names(self, pair: FieldPair) -> Iterator[Issue]:
        """Report names that do not exist, with similar names."""
        names = [
            ("plezi", pair.plezi, RecordKind.PLEZI_CONTACT, "Plezi has no attribute"),
            ("salesforce", pair.salesforce, RecordKind.LEAD, "Lead has no visible field"),
        ]
        if pair.contact:
            names.append(
                ("contact", pair.contact, RecordKind.CONTACT, "Contact has no visible field")
            )
        for field, name, kind, problem in names:
            if name in self.schemas[kind]:
                continue
            yield Issue(
                IssueCode.UNKNOWN_NAME,
                pair.key or pair.plezi,
                field,
                f"{problem} {name!r}",
                _name_remedy(name, self.schemas[kind], kind),
                blocks=not pair.locked,
            )

    def _check_contact(self, pair: FieldPair, plezi: Field) -> Iterator[Issue]:
        """Check the values that a Contact would send to Plezi; a Contact is never written to."""
        contact = self.schemas[RecordKind.CONTACT].get(pair.contact)
        if contact is None or not pair.direction.can_receive(Side.PLEZI):
            return
        if loss := type_loss(contact, plezi):
            yield Issue(
                IssueCode.LOSSY_TYPES,
                pair.key,
                "contact",
                f"Contact.{contact.name} cannot be written to Plezi's {plezi.name}: {loss}",
                "choose another Contact field, or none",
            )

    def filter_issues(self) -> Iterator[Issue]:
        """Yield the issues of the two filters."""
        for name, condition, kind in (
            ("contact_filter", self.mapping.contact_filter, RecordKind.CONTACT),
            ("lead_filter", self.mapping.lead_filter, RecordKind.LEAD),
        ):
            if condition is not None:
                yield from _check_filter(name, condition, kind, self.schemas[kind])
        if self.mapping.contact_filter is None:
            yield Issue(
                IssueCode.NO_FILTER,
                "contact_filter",
                "",
                "without a filter, every Contact of the org is imported into Plezi",
                "set a filter on the field that allows the import, such as sync_to_plezi__c",
                blocks=False,
            )


def validate(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> ValidationResult:
    """Validate a mapping against the fields of both sides; never raises.

    The result holds the mapping as it would be saved: pairs that are off and lack a name are
    removed, pairs that can work in only one direction are made one-way.
    """
    validator = _Validator(mapping, schemas)
    pairs: list[FieldPair] = []
    issues: list[Issue] = []
    for pair, pair_issues in validator.pairs():
        issues += pair_issues
        if pair is not None:
            pairs.append(pair)
    adjusted = replace(mapping, pairs=tuple(pairs))
    issues += check_required(adjusted, schemas)
    issues += validator.filter_issues()
    return ValidationResult(
        adjusted,
        problems=tuple(issue for issue in issues if issue.blocks),
        warnings=tuple(issue for issue in issues if not issue.blocks),
    )


def validate_freshly(
    mapping: MappingConfig,
    schemas: Callable[[], Mapping[RecordKind, Schema]],
    describe_again: Callable[[], None],
) -> ValidationResult:
    """Validate a mapping; if it has problems, again after both sides describe their fields again.

    The one validation of whatever accepts a mapping: a save, an import, a restored version, a dry
    run. A problem may exist only because the fields were described before they changed. Raises the
    errors of the two functions.
    """
    validation = validate(mapping, schemas())
    if not validation.problems:
        return validation
    describe_again()
    return validate(mapping, schemas())


@dataclass(frozen=True, slots=True)
class SupportedDirections:
    """What a pair can do: its directions, and why it has no others ('': it can have both)."""

    directions: tuple[Direction, ...]
    reason: str


def supported_directions(
    pair: FieldPair, schemas: Mapping[RecordKind, Schema]
) -> SupportedDirections:
    """Return the directions in which the fields of a pair can be synchronized.

    The missing name of a side that has no field yet is no obstacle: a field of the same type may be
    created. `off` is always possible, and left out.
    """
    plezi = schemas[RecordKind.PLEZI_CONTACT].get(pair.plezi)
    lead = schemas[RecordKind.LEAD].get(pair.salesforce)
    unusable = [field for field in (plezi, lead) if field is not None and field.unusable]
    if unusable:
        return SupportedDirections((), "; ".join(f"{it.name}: {it.unusable}" for it in unusable))
    obstacles = {
        Side.SALESFORCE: _obstacle(plezi, lead, "Lead"),
        Side.PLEZI: ONE_WAY.format(pair.plezi)
        if pair.plezi in TO_SALESFORCE_ONLY
        else _obstacle(lead, plezi, "Plezi"),
    }
    possible = tuple(
        direction
        for direction in (Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE)
        if not any(obstacles[side] for side in Side if direction.can_receive(side))
    )
    return SupportedDirections(possible, "; ".join(filter(None, obstacles.values())))


def _check_direction(pair: FieldPair, plezi: Field, lead: Field) -> tuple[FieldPair, list[Issue]]:
    """Check the direction, and make a pair one-way if the other direction cannot work."""
    if pair.plezi in TO_SALESFORCE_ONLY and pair.direction is not Direction.TO_SALESFORCE:
        issue = Issue(
            IssueCode.ONE_WAY_SPECIAL,
            pair.key,
            "direction",
            ONE_WAY.format(pair.plezi),
            "set the direction to to_salesforce or off",
        )
        return pair, [issue]
    obstacles = {
        Side.SALESFORCE: _obstacle(plezi, lead, "Lead"),
        Side.PLEZI: "" if pair.plezi in TO_SALESFORCE_ONLY else _obstacle(lead, plezi, "Plezi"),
    }
    blocked = [side for side in Side if obstacles[side] and pair.direction.can_receive(side)]
    if not blocked:
        return pair, []
    if pair.direction is Direction.BOTH and len(blocked) == 1:
        direction = Direction.TO_PLEZI if blocked == [Side.SALESFORCE] else Direction.TO_SALESFORCE
        issue = Issue(
            IssueCode.MADE_ONE_WAY,
            pair.key,
            "direction",
            f"the direction becomes {direction.value}: {obstacles[blocked[0]]}",
            "accept it, or choose a writable field of the same type as the other field",
            blocks=False,
        )
        return replace(pair, direction=direction), [issue]
    targets = {Side.SALESFORCE: lead, Side.PLEZI: plezi}
    is_lossy = any(targets[side].writable and not targets[side].read_only for side in blocked)
    return pair, [
        Issue(
            IssueCode.LOSSY_TYPES if is_lossy else IssueCode.NOT_WRITABLE,
            pair.key,
            "direction",
            "; ".join(obstacles[side] for side in blocked),
            "reverse the direction of the pair, choose another field, or switch the pair off",
        )
    ]


def _obstacle(source: Field | None, target: Field | None, place: str) -> str:
    """Return why values of one field cannot be written to the other; '' if they can.

    A field that does not exist yet (None) is no obstacle.
    """
    if target is None:
        return ""
    if target.read_only:
        return f"the {place} field {target.name} is read-only: {target.read_only}"
    if not target.writable:
        return f"the {place} field {target.name} is read-only (a system field, or no edit access)"
    if source is not None and (loss := type_loss(source, target)):
        return f"{source.name} cannot be written to the {place} field {target.name}: {loss}"
    return ""


def _check_values(pair: FieldPair, plezi: Field, lead: Field) -> Iterator[Issue]:
    """Check the policy, lists, lengths and free text of a pair."""
    if pair.policy is ConflictPolicy.MOST_RESTRICTIVE and {plezi.kind, lead.kind} != {
        FieldKind.CHECKBOX
    }:
        yield Issue(
            IssueCode.POLICY,
            pair.key,
            "policy",
            "most_restrictive requires checkboxes, such as an opt-out, on both sides",
            "choose another policy, or two checkboxes",
        )
    if pair.enforced and pair.direction is not Direction.TO_SALESFORCE:
        yield Issue(
            IssueCode.ENFORCED,
            pair.key,
            "enforced",
            "an enforced pair always writes Plezi's value to Salesforce, so it must be one-way",
            "set the direction to to_salesforce, or enforced to false",
        )
    yield from _check_loss(pair, Side.SALESFORCE, plezi, lead)
    yield from _check_loss(pair, Side.PLEZI, lead, plezi)
    is_free_text = lead.kind is FieldKind.TEXT
    if pair.plezi == FUNCTION and is_free_text and pair.direction.can_receive(Side.PLEZI):
        yield Issue(
            IssueCode.FUNCTION_FREE_TEXT,
            pair.key,
            "direction",
            f"{lead.name} is free text: every spelling in use would be written to Plezi's function",
            "set the direction to to_salesforce, or change the Salesforce field to a picklist",
            blocks=False,
        )


def _check_loss(pair: FieldPair, side: Side, source: Field, target: Field) -> Iterator[Issue]:
    """Report values that a side does not accept; a value table has names for some of them."""
    table = ValueTable(pair.values, is_two_way=pair.direction is Direction.BOTH)
    loss = value_loss(source, target, lambda value: table.translate(value, side.other))
    if not loss or not pair.direction.can_receive(side):
        return
    is_list = {source.kind, target.kind} <= LIST_KINDS
    remedy = "widen the field, or expect links with such values in quarantine"
    if is_list and pair.values:
        remedy = "add rows to the value table; until then, fields with such values are held"
    elif is_list:
        remedy = f"{remedy}, or name equal values in a value table (GET /admin/mapping/values)"
    yield Issue(
        IssueCode.NARROWER,
        pair.key,
        "salesforce" if side is Side.SALESFORCE else "plezi",
        f"{target.name} does not accept all values of {source.name}: {loss}",
        remedy,
        blocks=False,
    )


def _check_filter(
    name: str, condition: Filter, kind: RecordKind, schema: Schema
) -> Iterator[Issue]:
    field = schema.get(condition.field)
    if field is None:
        yield Issue(
            IssueCode.UNKNOWN_NAME,
            name,
            "field",
            f"{kind.value} has no visible field {condition.field!r}",
            _name_remedy(condition.field, schema, kind, "filter by another field"),
        )
        return
    if obstacle := filter_obstacle(field):
        yield Issue(
            IssueCode.UNSUPPORTED_TYPE,
            name,
            "field",
            f"the {kind.value} field {field.name} cannot be compared: {obstacle}",
            "filter by another field",
        )
    possible: tuple[Value, ...] = field.options if field.restricted else ()
    if field.kind is FieldKind.CHECKBOX:
        possible = (True, False)
    if possible and not any(condition.accepts(value) for value in (*possible, None)):
        listed = ", ".join(map(str, possible))
        yield Issue(
            IssueCode.FILTER_VALUE,
            name,
            "value",
            f"no {kind.value} can pass the filter: {condition.field} has only the values {listed}",
            "choose one of these values",
            blocks=False,
        )


def _name_remedy(
    name: str, schema: Schema, kind: RecordKind, otherwise: str = "switch the pair off"
) -> str:
    if (kind, name) == (RecordKind.CONTACT, ACCOUNT_NAME):
        return READ_ACCOUNTS
    similar = similar_names(name, schema)
    if similar:
        return f"did you mean {', '.join(similar)}? If not, create it or {otherwise}"
    grant = "" if kind.side is Side.PLEZI else ", or grant the integration user access to it"
    return f"create it{grant}, or {otherwise}"
