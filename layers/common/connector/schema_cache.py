"""The descriptions of fields: read once, shared by all invocations, valid for one generation.

A description is valid while it is young enough and of the stored *generation*. What may change the
fields (a saved mapping, the set-up of the org, a request to read the fields again, a refused field)
raises the generation with one write. Every process compares it with that of its own copy before it
binds a mapping.

While a system cannot describe its fields, a description of this generation is used however old it
is: nothing is known to have changed, and a field that did change is refused when it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import DocumentTooLargeError, RetryError
from connector.mapping import Schema
from connector.model import RecordKind
from connector.stores import DocumentStore

GENERATION_KEY: Final = "schema_generation"
CONFIRMED_KEY: Final = "confirmed_suspensions"
RETRY_SECONDS: Final = 300.0
"""How long a process uses an expired description before it tries to describe again: an invocation
of a worker takes about as long, and then loses the time of one failed call."""

Description = Mapping[str, Any]
"""The answer of a system that describes one kind of record, as JSON."""


def stored_generation(store: DocumentStore) -> str:
    """Return the generation of the descriptions that are valid now; '' before the first change."""
    return str((store.load_document(GENERATION_KEY) or {}).get("generation", ""))


class SchemaCache:
    """The fields of one system's kinds of record.

    `describe` returns the description of one kind of record, or None when the system has none: what
    `parse` returns for None is then valid in this process only. `max_age` is in seconds. Each
    generation is a new id of `new_id`: a number that two processes raise at once would be the same
    number, and a description between the two writes would stay valid.
    """

    def __init__(
        self,
        store: DocumentStore,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        *,
        describe: Mapping[str, tuple[RecordKind, Callable[[], Description | None]]],
        parse: Callable[[RecordKind, Description | None], Schema],
        max_age: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._describe = describe
        self._parse = parse
        self._max_age = max_age
        self._schemas: dict[RecordKind, Schema] | None = None
        self._generation = ""
        self._valid_until = -math.inf
        self._is_refusal_reported = False

    def schemas(self) -> Mapping[RecordKind, Schema]:
        """Return the fields of each kind of record.

        Raises the errors of `describe`; a `RetryError` only if no description is stored that is of
        the present generation.
        """
        if self._schemas is None or self._clock() > self._valid_until:
            # The generation is read first: if another process raises it during the description,
            # the description is stored as one of the generation before, which nobody uses.
            generation = stored_generation(self._store)
            described = {
                kind: self._load_or_describe(key, describe, generation)
                for key, (kind, describe) in self._describe.items()
            }
            self._schemas = {
                kind: self._parse(kind, description) for kind, (description, _) in described.items()
            }
            self._valid_until = min(at for _, at in described.values()) + self._max_age
            self._generation = generation
        return self._schemas

    def refresh(self) -> None:
        """Discard the copy of this process if the generation was raised; costs one read."""
        self._is_refusal_reported = False
        if self._schemas is not None and stored_generation(self._store) != self._generation:
            self._schemas = None

    def discard(self) -> None:
        """Let this process read the shared descriptions again at the next use."""
        self._schemas = None

    def invalidate(self) -> None:
        """Raise the generation, with one write: every process describes again at its next use."""
        self._store.save_document(GENERATION_KEY, {"generation": self._new_id()})
        self._schemas = None

    def report_refusal(self) -> None:
        """Raise the generation because a field is not as described, once until `refresh`.

        Hundreds of records of one run may be refused for the same field.
        """
        if not self._is_refusal_reported:
            self._is_refusal_reported = True
            self.invalidate()

    def _load_or_describe(
        self, key: str, describe: Callable[[], Description | None], generation: str
    ) -> tuple[Description | None, float]:
        """Return a description and when it was made: the shared one if it is valid, else a new one.

        The time is that before the description was requested. A description that is too large to
        be shared is used in this process only. An expired one that replaces a failed one has a time
        from which it is valid for `RETRY_SECONDS`.
        """
        now = self._clock()
        stored = self._store.load_document(key) or {}
        described_at = float(stored.get("described_at", -math.inf))
        is_current = str(stored.get("generation", "")) == generation
        if is_current and 0 <= now - described_at <= self._max_age:
            return stored, described_at
        try:
            description = describe()
        except RetryError:
            if not (stored and is_current):
                raise
            return stored, now + RETRY_SECONDS - self._max_age
        if description is not None:
            shared = {**description, "described_at": now, "generation": generation}
            with suppress(DocumentTooLargeError):  # then this process alone uses it
                self._store.save_document(key, shared)
        return description, now


@dataclass(frozen=True, slots=True)
class ConfirmedSuspensions:
    """The field pairs that a fresh description showed to be unusable, with the reasons.

    `generation` is that of the description: in a later generation they are to be checked again.
    """

    generation: str
    reasons: Mapping[str, str]


def load_confirmed(store: DocumentStore) -> ConfirmedSuspensions:
    """Return the confirmed suspensions; none at first."""
    document = store.load_document(CONFIRMED_KEY) or {}
    return ConfirmedSuspensions(
        str(document.get("generation", "")), dict(document.get("reasons", {}))
    )


def save_confirmed(store: DocumentStore, confirmed: ConfirmedSuspensions) -> None:
    """Store which pairs were unusable by a fresh description."""
    store.save_document(
        CONFIRMED_KEY,
        {"generation": confirmed.generation, "reasons": dict(confirmed.reasons)},
    )
