"""The mapping bound to today's fields: a pair is suspended only after a fresh description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.mapping import BoundMapping, MappingConfig, Schema, bind_mapping
from connector.mapping.issues import ValidationResult
from connector.mapping.validation import validate, validate_freshly
from connector.model import RecordKind, Run
from connector.schema_cache import (
    ConfirmedSuspensions,
    load_confirmed,
    save_confirmed,
    stored_generation,
)
from connector.sync.context import SyncContext


class MappingBinder:
    """Binds mappings for one context. A bind costs a few reads of the ledger."""

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._generation = ""

    def bind(self, mapping: MappingConfig) -> BoundMapping:
        """Return the mapping with its fields, as both systems describe them in this generation.

        If a pair or a filter would be suspended that was not suspended before, or for another
        reason, both systems describe their fields again first: what is cached may be older than the
        field. Raises the errors of the clients.
        """
        self._generation = stored_generation(self._context.documents)
        for client in self._context.clients.values():
            client.refresh_schemas()
        bound = self._bind(mapping)
        suspended = self._suspended(bound)
        if not suspended or suspended.items() <= self._confirmed().items():
            return bound
        return self.bind_afresh(mapping)

    def bind_afresh(self, mapping: MappingConfig) -> BoundMapping:
        """Let both systems describe their fields again, then bind."""
        self._invalidate_schemas()
        self._generation = stored_generation(self._context.documents)
        bound = self._bind(mapping)
        if suspended := self._suspended(bound):
            self._confirm(suspended)
        return replace(bound, is_fresh=True)

    def validate(self, run: Run, mapping: MappingConfig) -> ValidationResult:
        """Validate the mapping of a dry run, as a save does, with the fields of this generation.

        A draft with problems is validated again after both systems describe their fields again. So
        is a saved mapping with a pair that was not suspended before: `bind` does that. Raises the
        errors of the clients.
        """
        if not run.draft:
            return validate(self.bind(mapping).config, self._schemas())
        for client in self._context.clients.values():
            client.refresh_schemas()
        return validate_freshly(mapping, self._schemas, self._invalidate_schemas)

    def update_suspended(self, bound: BoundMapping) -> bool:
        """Store which pairs and filters of the last bind are suspended; return whether one returns.

        When a pair can be used again, all people are to be read again: what users typed in its
        field while it was suspended was not read.
        """
        suspended = self._suspended(bound)
        before = self._context.control.suspended_pairs()
        if suspended != before:
            self._context.control.save_suspended_pairs(suspended)
        self._confirm(suspended)
        return bool(before.keys() - suspended.keys())

    def _bind(self, mapping: MappingConfig) -> BoundMapping:
        return bind_mapping(mapping, self._schemas())

    def _schemas(self) -> dict[RecordKind, Schema]:
        schemas: dict[RecordKind, Schema] = {}
        for client in self._context.clients.values():
            schemas.update(client.schemas())
        return schemas

    def _invalidate_schemas(self) -> None:
        for client in self._context.clients.values():
            client.invalidate_schemas()

    def _confirmed(self) -> dict[str, str]:
        """Return what a fresh description confirmed, in the last run or since then."""
        confirmed = load_confirmed(self._context.documents).reasons
        return {**self._context.control.suspended_pairs(), **confirmed}

    def _confirm(self, suspended: Mapping[str, str]) -> None:
        """Store that the descriptions of the last bind show these suspensions."""
        documents = self._context.documents
        confirmed = ConfirmedSuspensions(self._generation, suspended)
        if load_confirmed(documents) != confirmed:
            save_confirmed(documents, confirmed)

    @staticmethod
    def _suspended(bound: BoundMapping) -> dict[str, str]:
        return {pair.key: pair.reason for pair in bound.suspended}
