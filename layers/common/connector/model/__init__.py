"""The data classes of the connector: immutable, without clock, network, environment or logger.

A module is imported when one of its names is first used (PEP 562): to make a data class takes about
0.7 ms, and a function that only accepts requests uses three of forty.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from connector.model.alerts import Alert, AlertKind, Breaker
    from connector.model.audit import AuditEntry, AuditPage, state_digest
    from connector.model.change_hints import (
        ChangeHint,
        HintDelivery,
        HintedContact,
        HintResult,
        IdempotencyRecord,
    )
    from connector.model.journal import JournalEntry, JournalPage
    from connector.model.links import (
        IN_PLEZI,
        NEW_RECORD,
        NO_VALUES,
        AgreedValue,
        BaseUpdate,
        Hold,
        Intent,
        Link,
        LinkChange,
        LongText,
        Observation,
        Overwritten,
        Quarantine,
        RecentWrite,
        Value,
        Values,
        Write,
    )
    from connector.model.personal_data import PersonNames, StoredItem, VisitedPage
    from connector.model.reading import Cursor, LookupResult, Page, RecordProblem
    from connector.model.reasons import (
        AttentionKind,
        DriftCause,
        HoldReason,
        JournalKind,
        MergeRule,
        ProblemCode,
        SkipReason,
        UndoReason,
    )
    from connector.model.record_details import LastChange, LeadOwner, NamedRecord
    from connector.model.runs import (
        Counts,
        MappingProblem,
        Phase,
        Progress,
        Run,
        RunDelivery,
        RunKind,
        RunState,
        UndoRequest,
    )
    from connector.model.sessions import SessionToken
    from connector.model.sides import RecordKind, Side
    from connector.model.work import MAX_LISTED, SaveResult, WorkList

__all__ = [
    "IN_PLEZI",
    "MAX_LISTED",
    "NEW_RECORD",
    "NO_VALUES",
    "AgreedValue",
    "Alert",
    "AlertKind",
    "AttentionKind",
    "AuditEntry",
    "AuditPage",
    "BaseUpdate",
    "Breaker",
    "ChangeHint",
    "Counts",
    "Cursor",
    "DriftCause",
    "HintDelivery",
    "HintResult",
    "HintedContact",
    "Hold",
    "HoldReason",
    "IdempotencyRecord",
    "Intent",
    "JournalEntry",
    "JournalKind",
    "JournalPage",
    "LastChange",
    "LeadOwner",
    "Link",
    "LinkChange",
    "LongText",
    "LookupResult",
    "MappingProblem",
    "MergeRule",
    "NamedRecord",
    "Observation",
    "Overwritten",
    "Page",
    "PersonNames",
    "Phase",
    "ProblemCode",
    "Progress",
    "Quarantine",
    "RecentWrite",
    "RecordKind",
    "RecordProblem",
    "Run",
    "RunDelivery",
    "RunKind",
    "RunState",
    "SaveResult",
    "SessionToken",
    "Side",
    "SkipReason",
    "StoredItem",
    "UndoReason",
    "UndoRequest",
    "Value",
    "Values",
    "VisitedPage",
    "WorkList",
    "Write",
    "state_digest",
]

_NAMES: Final = {
    "alerts": ("Alert", "AlertKind", "Breaker"),
    "audit": ("AuditEntry", "AuditPage", "state_digest"),
    "change_hints": (
        "ChangeHint",
        "HintDelivery",
        "HintedContact",
        "HintResult",
        "IdempotencyRecord",
    ),
    "journal": ("JournalEntry", "JournalPage"),
    "links": (
        "IN_PLEZI",
        "NEW_RECORD",
        "NO_VALUES",
        "AgreedValue",
        "BaseUpdate",
        "Hold",
        "Intent",
        "Link",
        "LinkChange",
        "LongText",
        "Observation",
        "Quarantine",
        "Overwritten",
        "RecentWrite",
        "Value",
        "Values",
        "Write",
    ),
    "reading": ("Cursor", "LookupResult", "Page", "RecordProblem"),
    "reasons": (
        "AttentionKind",
        "DriftCause",
        "HoldReason",
        "JournalKind",
        "MergeRule",
        "ProblemCode",
        "SkipReason",
        "UndoReason",
    ),
    "runs": (
        "Counts",
        "MappingProblem",
        "Phase",
        "Progress",
        "Run",
        "RunDelivery",
        "RunKind",
        "RunState",
        "UndoRequest",
    ),
    "personal_data": ("PersonNames", "StoredItem", "VisitedPage"),
    "record_details": ("LastChange", "LeadOwner", "NamedRecord"),
    "sessions": ("SessionToken",),
    "sides": ("RecordKind", "Side"),
    "work": ("MAX_LISTED", "SaveResult", "WorkList"),
}
_MODULE_OF: Final = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return a name of one of the modules, and keep it for the next use."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
