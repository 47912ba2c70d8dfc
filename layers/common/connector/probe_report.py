"""The report of the probe of a Plezi tenant, and the dialect that was found; kept in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from connector.described_enum import DescribedEnum
from connector.stores import DocumentStore

PROBE_KEY: Final = "plezi_probe"
CHECK_KEY: Final = "plezi_probe_check"
"""The key of the last repeat, which uses nothing of what it finds."""
DIALECT_KEY: Final = "plezi_dialect"

DialectValue = str | bool | int | dict[str, str]
"""The value of a key of the dialect, as JSON."""


class Certainty(DescribedEnum):
    """How sure a finding of the probe is."""

    PROVED = "proved", "The tenant's answers show it."
    CONTRADICTED = "contradicted", "The tenant's answers show the opposite of what is assumed."
    ASSUMED = "assumed", "The tenant's answers do not show it: it is still an assumption."


class ProbeState(DescribedEnum):
    """How far a probe is."""

    RUNNING = "running", "The time of the call was used up: repeat the same call to go on."
    DONE = "done", "Every question was asked; the dialect that was found is in use."
    FAILED = "failed", "The tenant cannot be asked; the message says why. Nothing has changed."


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """One question about the tenant's API: its name, how sure the answer is, and the answer."""

    name: str
    certainty: Certainty
    message: str


@dataclass(frozen=True, slots=True)
class ProbeRefusal:
    """Why the connector cannot serve the tenant.

    `key` is the key of the dialect that decides about it: the setting PLEZI_DIALECT may override
    it. `by_writing`: only the writing part of a probe shows it.
    """

    key: str
    reason: str
    by_writing: bool = False


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The result of one probe of one tenant; times are in seconds since 1970.

    `contact` is the throwaway contact that was written ('': nothing was). `dialect` holds the keys
    that were found. `left_behind` says what the probe could not remove. `changed` are the keys that
    an earlier probe of this tenant found otherwise. `ended_at` is 0 while it is running.
    """

    tenant: str
    started_at: float
    contact: str = ""
    state: ProbeState = ProbeState.RUNNING
    ended_at: float = 0.0
    message: str = ""
    calls: int = 0
    steps_left: int = 0
    findings: tuple[ProbeFinding, ...] = ()
    dialect: dict[str, DialectValue] = field(default_factory=dict)
    refusals: tuple[ProbeRefusal, ...] = ()
    left_behind: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundDialect:
    """What differs between one tenant's API and the assumed API, as a probe found it at a time.

    `keys` are keys of PLEZI_DIALECT with their values; what it lacks is as assumed.
    """

    tenant: str = ""
    probed_at: float = 0.0
    keys: dict[str, DialectValue] = field(default_factory=dict)
    refusals: tuple[ProbeRefusal, ...] = ()

    def first_refusal(self, overridden: Collection[str]) -> str:
        """Return why the tenant cannot be served, unless the setting overrides it ('': it can)."""
        reasons = (each.reason for each in self.refusals if each.key not in overridden)
        return next(reasons, "")


def load_found_dialect(store: DocumentStore, tenant: str = "") -> FoundDialect:
    """Return the dialect that a probe found; nothing for another tenant than it was found at.

    The case of a tenant's name has no meaning (assumed). `tenant` '' stands for any.
    """
    stored = store.load_document(DIALECT_KEY) or {}
    if tenant and str(stored.get("tenant", "")).casefold() != tenant.casefold():
        return FoundDialect()
    refusals = tuple(ProbeRefusal(**each) for each in stored.get("refusals", ()))
    return FoundDialect(**{**stored, "refusals": refusals})


def save_found_dialect(store: DocumentStore, found: FoundDialect) -> None:
    """Store the dialect that a probe found."""
    store.save_document(DIALECT_KEY, asdict(found))


def load_probe(
    store: DocumentStore, key: str = PROBE_KEY
) -> tuple[ProbeReport, dict[str, Any]] | None:
    """Return the last probe: its report, and what its next step needs; None if none was made."""
    stored = store.load_document(key)
    if not stored:
        return None
    report = dict(stored["report"])
    return (
        ProbeReport(
            **{
                **report,
                "state": ProbeState(report["state"]),
                "findings": tuple(_finding(each) for each in report["findings"]),
                "refusals": tuple(ProbeRefusal(**each) for each in report["refusals"]),
                "left_behind": tuple(report["left_behind"]),
                "changed": tuple(report["changed"]),
            }
        ),
        dict(stored["progress"]),
    )


def save_probe(
    store: DocumentStore, report: ProbeReport, progress: Mapping[str, Any], key: str = PROBE_KEY
) -> None:
    """Store a probe: its report, and what its next step needs."""
    store.save_document(key, {"report": asdict(report), "progress": dict(progress)})


def _finding(stored: Mapping[str, str]) -> ProbeFinding:
    return ProbeFinding(stored["name"], Certainty(stored["certainty"]), stored["message"])
