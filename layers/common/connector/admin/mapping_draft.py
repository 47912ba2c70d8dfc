"""The draft of the mapping: changed step by step, previewed by a dry run, then saved and applied.

There is one draft for all admins, stored as a document. It is no version: no run uses it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from connector.admin.breaker import ALLOWED_SECONDS, approve_preview
from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError, MappingConflictError
from connector.admin.mappings import SaveResult, save_mapping
from connector.errors import StaleError
from connector.mapping import FieldPair, MappingConfig
from connector.mapping.diff import MappingChange, diff_mappings
from connector.mapping.document import mapping_document, parse_mapping
from connector.mapping.issues import Issue
from connector.mapping.validation import validate_freshly
from connector.model import RunKind, RunState, state_digest

DRAFT: Final = "mapping_draft"
"""The key of the document."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping that is not saved yet, and what it changes.

    `version` is that of the mapping that it changes; `is_stale`: another version was saved since.
    `changed_by` and `changed_at` (seconds since 1970) belong to the last change ('' and 0: nothing
    was changed). `preview` is the dry run of exactly this draft ('': none was requested).
    """

    mapping: MappingConfig
    changes: tuple[MappingChange, ...]
    is_stale: bool
    changed_by: str
    changed_at: float
    preview: str


@dataclass(frozen=True, slots=True)
class AppliedDraft:
    """The saved mapping, and the run that applies it to all people."""

    saved: SaveResult
    run_id: str


def show_draft(context: AdminContext) -> Draft:
    """Return the draft; without one, the current mapping without a change."""
    current = context.mappings.current()
    stored = context.documents.load_document(DRAFT)
    if stored is None:
        return Draft(current, (), False, "", 0.0, "")  # noqa: FBT003  # named by the class
    mapping = parse_mapping(stored["mapping"])
    return Draft(
        mapping,
        diff_mappings(current, mapping),
        mapping.version != current.version,
        str(stored["by"]),
        float(stored["at"]),
        str(stored["preview"]),
    )


def change_pairs(context: AdminContext, actor: str, pairs: tuple[FieldPair, ...]) -> Draft:
    """Put pairs into the draft: each replaces the one of its key, and a new key is added.

    Raises `InvalidRequestError` for a change of a locked pair.
    """
    draft = show_draft(context)
    changed = {pair.key: pair for pair in pairs}
    for pair in draft.mapping.pairs:
        if pair.locked and changed.get(pair.key, pair) != pair:
            raise InvalidRequestError(f"pairs: the pair {pair.key} is locked and cannot be changed")
    kept = tuple(changed.pop(pair.key, pair) for pair in draft.mapping.pairs)
    return _save(context, actor, replace(draft.mapping, pairs=(*kept, *changed.values())))


def remove_pair(context: AdminContext, actor: str, key: str) -> Draft:
    """Take a pair out of the draft. Raises `InvalidRequestError` for a locked pair."""
    mapping = show_draft(context).mapping
    if any(pair.key == key and pair.locked for pair in mapping.pairs):
        raise InvalidRequestError(f"pairs: the pair {key} is locked and cannot be removed")
    kept = tuple(pair for pair in mapping.pairs if pair.key != key)
    return _save(context, actor, replace(mapping, pairs=kept))


def discard_draft(context: AdminContext, actor: str) -> None:
    """Forget the draft."""
    if context.documents.load_document(DRAFT) is not None:
        context.documents.delete_document(DRAFT)
        context.audit_change(actor, "discard draft")


def draft_issues(context: AdminContext, draft: Draft) -> tuple[Issue, ...]:
    """Return what is wrong with a draft, problems first. Raises the errors of the sides' clients.

    A problem (`blocks`) prevents the save, a warning does not.
    """
    sides = context.sides()
    found = validate_freshly(draft.mapping, sides.schemas, sides.invalidate_schemas)
    return (*found.problems, *found.warnings)


def request_draft_preview(context: AdminContext, actor: str) -> str:
    """Request the dry run of the draft; return its id. Raises `StaleError` without a change."""
    draft = show_draft(context)
    if not draft.changes:
        raise StaleError("the draft changes nothing: change a field pair first")
    document = mapping_document(draft.mapping)
    run_id = context.run_requester.request_run(RunKind.DRY_RUN, draft=json.dumps(document))
    _store(context, draft.mapping, draft.changed_by, draft.changed_at, run_id)
    context.audit_change(actor, "preview draft", run_id, "", state_digest(document))
    return run_id


def apply_draft(context: AdminContext, actor: str, preview: str) -> AppliedDraft:
    """Save the draft, allow what its preview showed, and request the run that applies it to all.

    Raises `StaleError` when `preview` is not the complete preview of exactly this draft,
    `MappingConflictError` when another version was saved since, and the errors of a save.
    """
    draft = show_draft(context)
    if not preview or preview != draft.preview:
        raise StaleError("this is not the preview of the present draft: preview it again")
    if draft.is_stale:
        raise MappingConflictError(draft.mapping, context.mappings.current())
    run = context.runs.load_run(preview)
    if run is None or run.state is not RunState.DONE:
        raise StaleError("the preview of the draft is not complete: wait until it is")
    if context.clock() - run.finished_at > ALLOWED_SECONDS:
        raise StaleError("the preview of the draft is older than four hours: preview it again")
    saved = save_mapping(context, actor, draft.mapping)
    approve_preview(context, actor, preview)
    context.documents.delete_document(DRAFT)
    run_id = context.run_requester.request_run(RunKind.FULL)
    context.audit_change(actor, f"request run: {RunKind.FULL.value}", run_id)
    return AppliedDraft(saved, run_id)


def _save(context: AdminContext, actor: str, mapping: MappingConfig) -> Draft:
    """Store a changed draft, which begins with the current version; its preview is none any more.

    A draft that changes nothing any more is forgotten.
    """
    current = context.mappings.current()
    mapping = replace(mapping, version=current.version)
    if not diff_mappings(current, mapping):
        context.documents.delete_document(DRAFT)
        return show_draft(context)
    _store(context, mapping, actor, context.clock(), "")
    context.audit_change(
        actor,
        "change draft",
        "",
        state_digest(mapping_document(current)),
        state_digest(mapping_document(mapping)),
    )
    return show_draft(context)


def _store(context: AdminContext, mapping: MappingConfig, by: str, at: float, preview: str) -> None:
    document: dict[str, Any] = {
        "mapping": mapping_document(mapping),
        "by": by,
        "at": at,
        "preview": preview,
    }
    context.documents.save_document(DRAFT, document)
