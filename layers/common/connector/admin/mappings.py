"""The mapping: shown with what is new, saved when it holds, its versions, and going back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connector.admin.context import AdminContext
from connector.admin.errors import (
    InvalidMappingError,
    MappingConflictError,
    UnknownItemError,
)
from connector.errors import ConnectorError, StaleError
from connector.mapping import (
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    SavedMapping,
    Schema,
)
from connector.mapping.diff import MappingChange, diff_mappings
from connector.mapping.document import mapping_document
from connector.mapping.issues import Issue
from connector.mapping.suggestions import suggest_pairs
from connector.mapping.validation import validate
from connector.mapping.yaml_file import to_yaml
from connector.model import RecordKind, state_digest


@dataclass(frozen=True, slots=True)
class PairView(FieldPair):
    """One field pair as an admin sees it: the properties of `FieldPair`, and two more.

    `saved`: False for a suggestion, which is switched off, for a field without a pair. `mandatory`:
    Plezi requires this attribute for each contact, so the pair must write to Plezi.
    """

    saved: bool = True
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class MappingView:
    """One version. `suggestions_error` says why no new fields are shown at the end ('': they are)."""

    version: int
    pairs: tuple[PairView, ...]
    contact_filter: Filter | None
    lead_filter: Filter | None
    duplicates: DuplicatePolicy
    create_lead_beside_contact: bool
    saved_by: str = ""
    saved_at: float = 0.0
    suggestions_error: str = ""


@dataclass(frozen=True, slots=True)
class SaveResult:
    """A mapping that was saved, what changed, and what to mind; nothing new is saved as nothing."""

    mapping: MappingView
    changed: tuple[MappingChange, ...]
    warnings: tuple[Issue, ...]
    manual_sync_due: bool


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version: who saved it, when (seconds since 1970), what changed against the one before."""

    version: int
    saved_by: str
    saved_at: float
    changed: tuple[MappingChange, ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions, newest first; `next` asks for the ones before ('': there are none)."""

    versions: tuple[VersionView, ...]
    next: str


def show_mapping(context: AdminContext) -> MappingView:
    """Return the current mapping, and at its end, switched off, every field that is new (P12).

    A side that cannot be asked now offers nothing: the saved lines are shown all the same.
    """
    saved = _current(context)
    try:
        schemas = context.sides().schemas()
    except ConnectorError as error:
        return replace(_saved_view(saved), suggestions_error=str(error))
    shown = _saved_view(saved, schemas[RecordKind.PLEZI_CONTACT])
    new = tuple(_pair_view(line, saved=False) for line in suggest_pairs(saved.mapping, schemas))
    return replace(shown, pairs=(*shown.pairs, *new))


def save_mapping(
    context: AdminContext, who: str, mapping: MappingConfig, what: str = "mapping"
) -> SaveResult:
    """Save a mapping as the version after its own, which must be the current one.

    Raises `MappingConflictError` with both versions when somebody was quicker,
    `InvalidMappingError` with all problems, and what the sides raise when they cannot be asked for
    their fields.
    """
    current = context.mappings.current()
    if mapping.version != current.version:
        raise MappingConflictError(mapping, current)
    found = validate(mapping, context.sides().schemas())
    if found.problems:
        raise InvalidMappingError(found.problems, found.warnings)
    changed = diff_mappings(current, found.mapping)
    if found.mapping == current:
        due = context.control.applied_version() != current.version
        return SaveResult(mapping_view(current), (), found.warnings, manual_sync_due=due)
    new = replace(found.mapping, version=current.version + 1)
    now = context.clock()
    try:
        context.mappings.save(new, by=who, at=now)
    except StaleError as error:
        raise MappingConflictError(mapping, context.mappings.current()) from error
    context.audit_change(
        who,
        what,
        f"version {new.version}",
        state_digest(mapping_document(current)),
        state_digest(mapping_document(new)),
    )
    shown = replace(mapping_view(new), saved_by=who, saved_at=now)
    return SaveResult(shown, changed, found.warnings, manual_sync_due=True)


def restore_version(context: AdminContext, who: str, number: int, current: int) -> SaveResult:
    """Save an old version anew, after version `current`; judged like any other."""
    old = context.mappings.version(number)
    if old is None:
        raise UnknownItemError(
            f"there is no version {number} of the mapping: GET /admin/mapping/versions lists them"
        )
    return save_mapping(context, who, replace(old, version=current), f"restore version {number}")


def list_versions(context: AdminContext, *, limit: int, before: int | None = None) -> VersionPage:
    """Return the newest versions, each with what changed against the one before it."""
    found = context.mappings.versions(limit + 1, before)
    versions = []
    for place, each in enumerate(found[:limit]):
        older = found[place + 1].mapping if place + 1 < len(found) else None
        changed = diff_mappings(older, each.mapping) if older else ()
        versions.append(VersionView(each.mapping.version, each.saved_by, each.saved_at, changed))
    more = len(found) > limit
    return VersionPage(tuple(versions), str(versions[-1].version) if more else "")


def export_yaml(context: AdminContext) -> str:
    """Return the current mapping as a YAML file."""
    saved = _current(context)
    by = f"saved by {saved.saved_by}" if saved.saved_by else "as shipped"
    return to_yaml(saved.mapping, by)


def mapping_view(mapping: MappingConfig, plezi: Schema | None = None) -> MappingView:
    """Return a mapping as an administrator reads it; `plezi` says which attributes it demands."""
    demanded = {field.name for field in (plezi or {}).values() if field.required}
    return MappingView(
        version=mapping.version,
        pairs=tuple(_pair_view(line, mandatory=line.plezi in demanded) for line in mapping.pairs),
        contact_filter=mapping.contact_filter,
        lead_filter=mapping.lead_filter,
        duplicates=mapping.duplicates,
        create_lead_beside_contact=mapping.create_lead_beside_contact,
    )


def _pair_view(pair: FieldPair, *, saved: bool = True, mandatory: bool = False) -> PairView:
    return PairView(**pair.properties(), saved=saved, mandatory=mandatory)


def _current(context: AdminContext) -> SavedMapping:
    return context.mappings.versions(1)[0]


def _saved_view(saved: SavedMapping, plezi: Schema | None = None) -> MappingView:
    shown = mapping_view(saved.mapping, plezi)
    return replace(shown, saved_by=saved.saved_by, saved_at=saved.saved_at)
