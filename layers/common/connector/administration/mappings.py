"""The mapping: shown with what is new, saved when it holds, its versions, and going back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connector.administration.office import Office
from connector.administration.refusals import (
    MappingMovedError,
    MappingRefusedError,
    NotKnownError,
)
from connector.configuration import SavedMapping, to_document, to_yaml
from connector.errors import ConnectorError, StaleError
from connector.journal import digest
from connector.mapping import (
    Direction,
    Duplicates,
    FieldMapping,
    Filter,
    Line,
    Policy,
    Schema,
)
from connector.mapping.differences import Difference, differences
from connector.mapping.names import offers
from connector.mapping.review import review
from connector.mapping.verdicts import Remark
from connector.model import Kind


@dataclass(frozen=True, slots=True)
class LineTold:
    """One line. `saved`: False for a field that no line named yet, offered and switched off.

    `mandatory`: Plezi takes no contact without this attribute, so the line must reach it.
    """

    plezi: str
    salesforce: str
    direction: Direction
    contact: str
    policy: Policy
    placeholder: str
    locked: bool
    enforced: bool
    saved: bool = True
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class MappingTold:
    """One version. `not_offered` says why no new fields are shown at the end ('': they are)."""

    version: int
    lines: tuple[LineTold, ...]
    contact_filter: Filter | None
    lead_filter: Filter | None
    duplicates: Duplicates
    create_lead_beside_contact: bool
    saved_by: str = ""
    saved_at: float = 0.0
    not_offered: str = ""


@dataclass(frozen=True, slots=True)
class SaveTold:
    """A mapping that was saved, what changed, and what to mind; nothing new is saved as nothing."""

    mapping: MappingTold
    changed: tuple[Difference, ...]
    warnings: tuple[Remark, ...]
    manual_sync_due: bool


@dataclass(frozen=True, slots=True)
class VersionTold:
    """One version: who saved it, when (seconds since 1970), what changed against the one before."""

    version: int
    saved_by: str
    saved_at: float
    changed: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Some versions, newest first; `next` asks for the ones before ('': there are none)."""

    versions: tuple[VersionTold, ...]
    next: str


def show(office: Office) -> MappingTold:
    """Return the current mapping, and at its end, switched off, every field that is new (P12).

    A side that cannot be asked now offers nothing: the saved lines are shown all the same.
    """
    saved = _newest(office)
    try:
        schemas = office.sides().schemas()
    except ConnectorError as error:
        return replace(_told_saved(saved), not_offered=str(error))
    shown = _told_saved(saved, schemas[Kind.PLEZI_CONTACT])
    new = tuple(_line(line, saved=False) for line in offers(saved.mapping, schemas))
    return replace(shown, lines=(*shown.lines, *new))


def save(office: Office, who: str, mapping: FieldMapping, what: str = "mapping") -> SaveTold:
    """Save a mapping as the version after its own, which must be the current one.

    Raises `MappingMovedError` with both versions when somebody was quicker, `MappingRefusedError`
    with all problems, and what the sides raise when they cannot be asked for their fields.
    """
    current = office.configuration.current()
    if mapping.version != current.version:
        raise MappingMovedError(mapping, current)
    found = review(mapping, office.sides().schemas())
    if found.problems:
        raise MappingRefusedError(found.problems, found.warnings)
    changed = differences(current, found.mapping)
    if found.mapping == current:
        due = office.ledger.applied_version() != current.version
        return SaveTold(told(current), (), found.warnings, manual_sync_due=due)
    new = replace(found.mapping, version=current.version + 1)
    now = office.clock()
    try:
        office.configuration.save(new, by=who, at=now)
    except StaleError as error:
        raise MappingMovedError(mapping, office.configuration.current()) from error
    office.note(
        who,
        what,
        f"version {new.version}",
        digest(to_document(current)),
        digest(to_document(new)),
    )
    shown = replace(told(new), saved_by=who, saved_at=now)
    return SaveTold(shown, changed, found.warnings, manual_sync_due=True)


def restore(office: Office, who: str, number: int, current: int) -> SaveTold:
    """Save an old version anew, after version `current`; judged like any other."""
    old = office.configuration.version(number)
    if old is None:
        raise NotKnownError(
            f"there is no version {number} of the mapping: GET /admin/mapping/versions lists them"
        )
    return save(office, who, replace(old, version=current), f"restore version {number}")


def list_versions(office: Office, *, limit: int, before: int | None = None) -> VersionPage:
    """Return the newest versions, each with what changed against the one before it."""
    found = office.configuration.versions(limit + 1, before)
    versions = []
    for place, each in enumerate(found[:limit]):
        older = found[place + 1].mapping if place + 1 < len(found) else None
        changed = differences(older, each.mapping) if older else ()
        versions.append(VersionTold(each.mapping.version, each.saved_by, each.saved_at, changed))
    more = len(found) > limit
    return VersionPage(tuple(versions), str(versions[-1].version) if more else "")


def export(office: Office) -> str:
    """Return the current mapping as a YAML file."""
    saved = _newest(office)
    by = f"saved by {saved.saved_by}" if saved.saved_by else "as shipped"
    return to_yaml(saved.mapping, by)


def told(mapping: FieldMapping, plezi: Schema | None = None) -> MappingTold:
    """Return a mapping as an administrator reads it; `plezi` says which attributes it demands."""
    demanded = {field.name for field in (plezi or {}).values() if field.required}
    return MappingTold(
        version=mapping.version,
        lines=tuple(_line(line, mandatory=line.plezi in demanded) for line in mapping.lines),
        contact_filter=mapping.contact_filter,
        lead_filter=mapping.lead_filter,
        duplicates=mapping.duplicates,
        create_lead_beside_contact=mapping.create_lead_beside_contact,
    )


def _line(line: Line, *, saved: bool = True, mandatory: bool = False) -> LineTold:
    return LineTold(
        line.plezi,
        line.salesforce,
        line.direction,
        line.contact,
        line.policy,
        line.placeholder,
        line.locked,
        line.enforced,
        saved,
        mandatory,
    )


def _newest(office: Office) -> SavedMapping:
    return office.configuration.versions(1)[0]


def _told_saved(saved: SavedMapping, plezi: Schema | None = None) -> MappingTold:
    shown = told(saved.mapping, plezi)
    return replace(shown, saved_by=saved.saved_by, saved_at=saved.saved_at)
