"""The mapping: the current one with suggestions, the validated save, the versions, the restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.admin.context import AdminContext, Sides
from connector.admin.errors import (
    InvalidMappingError,
    MappingConflictError,
    UnknownItemError,
)
from connector.admin.status import manual_sync
from connector.errors import ConnectorError, StaleError
from connector.mapping import (
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    SavedMapping,
    Schema,
)
from connector.mapping.diff import MappingChange, diff_mappings
from connector.mapping.document import mapping_document
from connector.mapping.issues import Issue, ValidationResult
from connector.mapping.suggestions import suggest_pairs
from connector.mapping.validation import (
    supported_directions,
    validate_freshly,
)
from connector.mapping.yaml_file import to_yaml
from connector.model import Alert, AlertKind, RecordKind, state_digest


@dataclass(frozen=True, slots=True)
class PairView(FieldPair):
    """One field pair as an admin sees it: the properties of `FieldPair`, and four more.

    `saved`: False for a suggestion, which is switched off, for a field without a pair. `mandatory`:
    Plezi requires this attribute for each contact, so the pair must write to Plezi. `directions`
    are those that the types and the rights of the fields allow, beside `off`, and `reason` is why
    others are missing ('': all are possible, or the fields could not be read).
    """

    saved: bool = True
    mandatory: bool = False
    directions: tuple[Direction, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MappingView:
    """One version; `suggestions_error` is why no suggestions were added ('': they were)."""

    version: int
    pairs: tuple[PairView, ...]
    contact_filter: Filter | None
    lead_filter: Filter | None
    duplicates: DuplicatePolicy
    create_lead_beside_contact: bool
    phone_region: str
    saved_by: str = ""
    saved_at: float = 0.0
    suggestions_error: str = ""


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The result of a save: the mapping, its changes and its warnings.

    A mapping without changes is not saved as a new version.
    """

    mapping: MappingView
    changed: tuple[MappingChange, ...]
    warnings: tuple[Issue, ...]
    manual_sync_due: bool


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version: its author, its time (seconds since 1970), its changes to the version before."""

    version: int
    saved_by: str
    saved_at: float
    changed: tuple[MappingChange, ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A page of versions, newest first; `next` is the token of the next page ('': none)."""

    versions: tuple[VersionView, ...]
    next: str


def show_mapping(context: AdminContext) -> MappingView:
    """Return the current mapping, with a suggestion at its end for each field without a pair.

    Suggestions are off. If a side cannot be read now, only the saved pairs are returned.
    """
    saved = _current(context)
    view = view_with_suggestions(context, saved.mapping)
    return replace(view, saved_by=saved.saved_by, saved_at=saved.saved_at)


def view_with_suggestions(context: AdminContext, mapping: MappingConfig) -> MappingView:
    """Return the view of a mapping, with suggestions as `show_mapping` has them."""
    try:
        schemas = context.sides().schemas()
    except ConnectorError as error:
        return replace(mapping_view(mapping), suggestions_error=str(error))
    view = mapping_view(mapping, schemas)
    suggestions = (
        _pair_view(pair, schemas, saved=False) for pair in suggest_pairs(mapping, schemas)
    )
    return replace(view, pairs=(*view.pairs, *suggestions))


def save_mapping(
    context: AdminContext, actor: str, mapping: MappingConfig, action: str = "mapping"
) -> SaveResult:
    """Save a mapping as the version after its own, which must be the current one.

    Raises `MappingConflictError` with both versions when another version was saved before,
    `InvalidMappingError` with all problems, and the errors of the sides' clients.
    """
    current = context.mappings.current()
    if mapping.version != current.version:
        raise MappingConflictError(mapping, current)
    sides = context.sides()
    validation = validated_mapping(sides, mapping)
    changed = diff_mappings(current, validation.mapping)
    if validation.mapping == current:
        due = manual_sync(context, current.version).due
        return SaveResult(mapping_view(current), (), validation.warnings, manual_sync_due=due)
    new = replace(validation.mapping, version=current.version + 1)
    now = context.clock()
    try:
        context.mappings.save(new, by=actor, at=now)
    except StaleError as error:
        raise MappingConflictError(mapping, context.mappings.current()) from error
    sides.invalidate_schemas()  # the next run describes the fields that the new version names
    context.audit_change(
        actor,
        action,
        f"version {new.version}",
        state_digest(mapping_document(current)),
        state_digest(mapping_document(new)),
    )
    context.notify(_notice(new.version, len(changed), now))
    view = replace(mapping_view(new), saved_by=actor, saved_at=now)
    return SaveResult(view, changed, validation.warnings, manual_sync_due=True)


def validated_mapping(sides: Sides, mapping: MappingConfig) -> ValidationResult:
    """Return the validation of a mapping that may be saved.

    Raises `InvalidMappingError` with all problems, and the errors of the sides' clients.
    """
    validation = validate_freshly(mapping, sides.schemas, sides.invalidate_schemas)
    if validation.problems:
        raise InvalidMappingError(validation.problems, validation.warnings)
    return validation


def _notice(version: int, changes: int, now: float) -> Alert:
    """Return the notice of a save: a mapping decides what is written to both systems."""
    return Alert(
        kind=AlertKind.MAPPING_CHANGED,
        summary=f"The mapping was changed: version {version} has {changes} change(s)",
        since=now,
        remedy="If you did not expect this, see with GET /admin/audit who saved it, see with "
        "GET /admin/mapping/versions what changed, and restore the version before",
        impact="Every version is kept, and the next run uses the new one.",
        key=str(version),
    )


def restore_version(context: AdminContext, actor: str, number: int, current: int) -> SaveResult:
    """Save an old version again as the version after `current`, with the same validation.

    Raises `UnknownItemError` when there is no such version, and the errors of `save_mapping`.
    """
    old = context.mappings.version(number)
    if old is None:
        raise UnknownItemError(
            f"there is no version {number} of the mapping: GET /admin/mapping/versions lists them"
        )
    return save_mapping(context, actor, replace(old, version=current), f"restore version {number}")


def list_versions(context: AdminContext, *, limit: int, before: int | None = None) -> VersionPage:
    """Return the newest versions, each with its changes to the version before."""
    found = context.mappings.versions(limit + 1, before)
    versions = []
    for index, saved in enumerate(found[:limit]):
        older = found[index + 1].mapping if index + 1 < len(found) else None
        changed = diff_mappings(older, saved.mapping) if older else ()
        versions.append(VersionView(saved.mapping.version, saved.saved_by, saved.saved_at, changed))
    more = len(found) > limit
    return VersionPage(tuple(versions), str(versions[-1].version) if more else "")


def export_yaml(context: AdminContext) -> str:
    """Return the current mapping as a YAML file."""
    saved = _current(context)
    author = f"saved by {saved.saved_by}" if saved.saved_by else "as shipped"
    return to_yaml(saved.mapping, author)


def mapping_view(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema] | None = None
) -> MappingView:
    """Return the view of a mapping; with the fields of both sides, what each pair can do."""
    return MappingView(
        version=mapping.version,
        pairs=tuple(_pair_view(pair, schemas) for pair in mapping.pairs),
        contact_filter=mapping.contact_filter,
        lead_filter=mapping.lead_filter,
        duplicates=mapping.duplicates,
        create_lead_beside_contact=mapping.create_lead_beside_contact,
        phone_region=mapping.phone_region,
    )


def _pair_view(
    pair: FieldPair, schemas: Mapping[RecordKind, Schema] | None, *, saved: bool = True
) -> PairView:
    if schemas is None:
        return PairView(**pair.properties(), saved=saved)
    attribute = schemas[RecordKind.PLEZI_CONTACT].get(pair.plezi)
    supported = supported_directions(pair, schemas)
    return PairView(
        **pair.properties(),
        saved=saved,
        mandatory=saved and attribute is not None and attribute.required,
        directions=supported.directions,
        reason=supported.reason,
    )


def _current(context: AdminContext) -> SavedMapping:
    return context.mappings.versions(1)[0]
