"""The mapping: one row a pair, a draft that is changed, previewed and applied, and the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connector.admin.errors import InvalidRequestError
from connector.admin.fields import FieldList, FieldView, list_fields
from connector.admin.mapping_draft import (
    Draft,
    apply_draft,
    change_pairs,
    discard_draft,
    draft_issues,
    remove_pair,
    request_draft_preview,
    show_draft,
)
from connector.admin.mappings import (
    MappingView,
    PairView,
    list_versions,
    restore_version,
    view_with_suggestions,
)
from connector.admin.people import Person, show_person
from connector.console.context import PageContext
from connector.console.pages.people import ARROWS
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.web import Response
from connector.errors import ConnectorError
from connector.mapping import ConflictPolicy, Direction, FieldPair, ValuePair
from connector.mapping.issues import Issue
from connector.model import Value

VERSIONS_LIMIT: Final = 20
MAX_TEXT_CHARACTERS: Final = 255
"""The length of a text field in Salesforce, from which a name or a placeholder comes."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of both sides by their names; empty while a system cannot be read."""

    plezi: Mapping[str, FieldView] = field(default_factory=dict)
    lead: Mapping[str, FieldView] = field(default_factory=dict)
    contact: Mapping[str, FieldView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair, as a row. `change` is 'new', 'changed' or ''; `examples` are of one person."""

    pair: PairView
    plezi: FieldView | None
    lead: FieldView | None
    arrow: str
    change: str
    is_consent: bool
    is_new_field: bool
    issues: tuple[Issue, ...]
    examples: tuple[Value, Value] | None

    @property
    def plezi_label(self) -> str:
        """The label of the attribute; its name where there is none."""
        return (self.plezi.label if self.plezi else "") or self.pair.plezi

    @property
    def lead_label(self) -> str:
        """The label of the Lead field; its name where there is none."""
        return (self.lead.label if self.lead else "") or self.pair.salesforce


@dataclass(frozen=True, slots=True)
class MappingPageView:
    """The mapping with its draft. `example` is the id of the person of the examples ('': none)."""

    mapping: MappingView
    draft: Draft
    rows: tuple[PairRow, ...]
    suggestions: tuple[PairRow, ...]
    other_issues: tuple[Issue, ...]
    is_blocked: bool
    example: str


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One value of Plezi's list, and what stands for it in Salesforce.

    `row` is that of the value table ('': the value of the same name). `is_lacking`: Salesforce has
    no value of the same name.
    """

    value: str
    row: str
    is_lacking: bool


@dataclass(frozen=True, slots=True)
class PairPageView:
    """One pair in a form. `is_new`: it is not in the mapping yet."""

    pair: PairView
    is_new: bool
    fields: Fields
    options: tuple[OptionRow, ...]
    directions: tuple[Direction, ...]
    policies: tuple[ConflictPolicy, ...]


def show_mapping(page: PageContext) -> Response:
    """Show the mapping: the draft if there is one."""
    draft = show_draft(page.admin)
    view = view_with_suggestions(page.admin, draft.mapping)
    fields = read_fields(page)
    issues = _issues(page, draft)
    person = _example(page)
    changed = {change.pair: change for change in draft.changes}
    saved_keys = {pair.key for pair in page.admin.mappings.current().pairs}
    rows = [
        pair_row(
            pair,
            fields,
            change=""
            if pair.key not in changed
            else "changed"
            if pair.key in saved_keys
            else "new",
            issues=tuple(issue for issue in issues if issue.pair in (pair.key, pair.plezi)),
            person=person,
        )
        for pair in view.pairs
        if pair.saved
    ]
    suggestions = [pair_row(pair, fields) for pair in view.pairs if not pair.saved]
    keys = {pair.key for pair in view.pairs if pair.saved}
    shown = MappingPageView(
        mapping=view,
        draft=draft,
        rows=tuple(rows),
        suggestions=tuple(sorted(suggestions, key=_usefulness)),
        other_issues=tuple(issue for issue in issues if issue.pair not in keys),
        is_blocked=any(issue.blocks for issue in issues),
        example=page.query("example"),
    )
    return page.render("mapping.html", view=shown, arrows=ARROWS)


def _usefulness(row: PairRow) -> tuple[bool, int]:
    """Sort what can be mapped at once first, then attributes of Plezi; new fields stay the last."""
    order = 0 if row.plezi and row.lead else 1 if row.plezi else 2
    return row.is_new_field, order


def _issues(page: PageContext, draft: Draft) -> tuple[Issue, ...]:
    """Return what is wrong with a draft; nothing without a change, or while it is not known."""
    if not draft.changes:
        return ()
    try:
        return draft_issues(page.admin, draft)
    except ConnectorError:
        return ()


def _example(page: PageContext) -> Person | None:
    """Return the person whose values are shown as examples."""
    chosen = page.query("example")
    return show_person(page.admin, page.person_email(chosen), limit=1) if chosen else None


def read_fields(page: PageContext) -> Fields:
    """Return the fields of both sides; none while a system cannot be read."""
    try:
        found: FieldList = list_fields(page.admin)
    except ConnectorError:
        return Fields()

    def by_name(views: Iterable[FieldView]) -> dict[str, FieldView]:
        return {view.name: view for view in views}

    return Fields(by_name(found.plezi), by_name(found.lead), by_name(found.contact))


def pair_row(
    pair: PairView,
    fields: Fields,
    *,
    change: str = "",
    issues: tuple[Issue, ...] = (),
    person: Person | None = None,
) -> PairRow:
    """Return the row of a pair, or of a suggestion."""
    plezi, lead = fields.plezi.get(pair.plezi), fields.lead.get(pair.salesforce)
    return PairRow(
        pair=pair,
        plezi=plezi,
        lead=lead,
        arrow=ARROWS[pair.direction],
        change=change,
        is_consent=pair.policy is ConflictPolicy.MOST_RESTRICTIVE,
        is_new_field=any(it is not None and it.is_new for it in (plezi, lead)),
        issues=issues,
        examples=None if person is None else _examples(pair, person),
    )


def _examples(pair: FieldPair, person: Person) -> tuple[Value, Value]:
    lead = next(iter(person.salesforce), None)
    return (
        person.plezi.values.get(pair.plezi) if person.plezi else None,
        lead.values.get(pair.salesforce) if lead else None,
    )


def show_pair(page: PageContext) -> Response:
    """Show one pair in a form: one of the mapping, or a new one of two fields."""
    view = view_with_suggestions(page.admin, show_draft(page.admin).mapping)
    fields = read_fields(page)
    key, plezi, salesforce = page.query("key"), page.query("plezi"), page.query("salesforce")
    known = next((pair for pair in view.pairs if pair.saved and pair.key == key), None)
    suggested = next(
        (
            pair
            for pair in view.pairs
            if not pair.saved and (pair.plezi, pair.salesforce) == (plezi, salesforce)
        ),
        None,
    )
    pair = known or _proposal(plezi, salesforce, suggested)
    shown = PairPageView(
        pair=pair,
        is_new=known is None,
        fields=fields,
        options=option_rows(pair, fields.plezi.get(pair.plezi), fields.lead.get(pair.salesforce)),
        directions=_directions(pair),
        policies=tuple(ConflictPolicy),
    )
    return page.render("pair.html", view=shown, arrows=ARROWS)


def _proposal(plezi: str, salesforce: str, suggested: PairView | None) -> PairView:
    """Return a new pair, in both directions if its fields allow it."""
    pair = suggested or PairView(plezi, salesforce, Direction.OFF)
    order = (Direction.BOTH, Direction.TO_SALESFORCE, Direction.TO_PLEZI)
    possible = pair.directions or order
    direction = next((it for it in order if it in possible), Direction.OFF)
    values = {**pair.properties(), "direction": direction}
    return PairView(**values, saved=False, directions=pair.directions, reason=pair.reason)


def _directions(pair: PairView) -> tuple[Direction, ...]:
    """Return the directions to choose from: those that the fields allow, the present one, off."""
    allowed = {*pair.directions, pair.direction, Direction.OFF}
    if not pair.directions:
        return tuple(Direction)
    return tuple(direction for direction in Direction if direction in allowed)


def option_rows(
    pair: FieldPair, plezi: FieldView | None, lead: FieldView | None
) -> tuple[OptionRow, ...]:
    """Return the values of Plezi's list with those of Salesforce; nothing if a field is no list."""
    if plezi is None or lead is None or not (plezi.options and lead.options):
        return ()
    rows = {row.plezi.casefold(): row.salesforce for row in pair.values}
    in_lead = {option.casefold() for option in lead.options}
    return tuple(
        OptionRow(value, rows.get(value.casefold(), ""), value.casefold() not in in_lead)
        for value in plezi.options
    )


def save_pair(page: PageContext) -> Response:
    """Put a pair into the draft."""
    change_pairs(page.admin, page.actor, (posted_pair(page),))
    return page.go("/mapping", "draft_saved")


def posted_pair(page: PageContext) -> FieldPair:
    """Return the pair of a form. Raises `InvalidRequestError` that names the wrong field."""
    texts = {
        name: page.request.value(name).strip()
        for name in ("plezi", "salesforce", "contact", "placeholder")
    }
    for name, text in texts.items():
        if len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
            raise InvalidRequestError(
                f"{name}: must have at most {MAX_TEXT_CHARACTERS} characters, and no line break"
            )
    if not texts["plezi"] or not texts["salesforce"]:
        raise InvalidRequestError("plezi, salesforce: choose a field on both sides")
    try:
        direction = Direction(page.request.value("direction"))
        policy = ConflictPolicy(page.request.value("policy"))
    except ValueError as error:
        raise InvalidRequestError("direction, policy: choose one of the list") from error
    known = next(
        (it for it in show_draft(page.admin).mapping.pairs if it.key == texts["salesforce"]), None
    )
    return FieldPair(
        texts["plezi"],
        texts["salesforce"],
        direction,
        policy=policy,
        contact=texts["contact"],
        placeholder=texts["placeholder"],
        locked=known.locked if known else False,
        enforced=known.enforced if known else False,
        values=_posted_rows(page, known),
    )


def _posted_rows(page: PageContext, known: FieldPair | None) -> tuple[ValuePair, ...]:
    """Return the value table of a form: a row for each value of Plezi that stands for another.

    A form without a table, such as that of a field that cannot be read now, changes no row.
    """
    names = page.request.values("plezi_value"), page.request.values("salesforce_value")
    if not names[0] or len(names[0]) != len(names[1]):
        return known.values if known else ()
    return tuple(ValuePair(plezi, lead) for plezi, lead in zip(*names, strict=True) if lead)


def delete_pair(page: PageContext) -> Response:
    """Take a pair out of the draft."""
    remove_pair(page.admin, page.actor, page.request.value("key"))
    return page.go("/mapping", "draft_saved")


def discard(page: PageContext) -> Response:
    """Forget the draft."""
    discard_draft(page.admin, page.actor)
    return page.go("/mapping", "discarded")


def preview(page: PageContext) -> Response:
    """Request the preview of the draft, and show it."""
    run_id = request_draft_preview(page.admin, page.actor)
    return page.go(f"/runs/{run_id}")


def apply(page: PageContext) -> Response:
    """Apply the draft that was previewed, and show the run that applies it to all people."""
    applied = apply_draft(page.admin, page.actor, page.request.value("preview"))
    return page.go(f"/runs/{applied.run_id}", "applied")


def show_history(page: PageContext) -> Response:
    """Show the versions of the mapping, each with its changes."""
    token = page.query("next")
    before = int(token) if token.isdecimal() and token.isascii() else None
    found = list_versions(page.admin, limit=VERSIONS_LIMIT, before=before)
    current = page.admin.mappings.current().version
    return page.render("mapping_history.html", found=found, current=current)


def restore(page: PageContext) -> Response:
    """Save an old version as the newest one."""
    texts = page.request.value("number"), page.request.value("current")
    if not all(text.isdecimal() and text.isascii() for text in texts):
        raise InvalidRequestError("number, current: must be numbers of versions")
    restore_version(page.admin, page.actor, int(texts[0]), int(texts[1]))
    return page.go("/mapping", "restored")


ROUTES: Final = (
    Route("GET", "/mapping", UserRole.VIEWER, show_mapping),
    Route("GET", "/mapping/history", UserRole.VIEWER, show_history),
    Route("GET", "/mapping/pair", UserRole.VIEWER, show_pair),
    Route("POST", "/mapping/pair", UserRole.MAPPER, save_pair),
    Route("POST", "/mapping/remove", UserRole.MAPPER, delete_pair),
    Route("POST", "/mapping/discard", UserRole.MAPPER, discard),
    Route("POST", "/mapping/preview", UserRole.MAPPER, preview),
    Route("POST", "/mapping/apply", UserRole.MAPPER, apply),
    Route("POST", "/mapping/restore", UserRole.MAPPER, restore),
)
