"""What the examination knows: what users typed, the last records, the journal, what admins see.

Fields are named by their attribute in Plezi, values are canonical (`fields.canonical`), times are
seconds since 1970 by the clock of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.e2e.random_workload.fields import PLEZI


@dataclass(frozen=True, slots=True)
class Typing:
    """One value that somebody typed in one field of one record.

    `before` is what the record showed the user, who read it at `began`; the system had the new
    value by `ended`. `how` is `edit`, `clear`, `form` or `creation`.
    """

    number: int
    began: float
    ended: float
    person: int
    side: str
    record: str
    field: str
    value: str
    before: str
    how: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal. `side` and `record` are where the value was written or is held."""

    at: float
    run: str
    kind: str
    side: str
    record: str
    field: str
    before: str
    after: str
    rule: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The direction and the policy of one field pair in one version of the mapping."""

    direction: str
    policy: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the mapping, and since when it was the current one.

    A field that is missing had no pair.
    """

    since: float
    pairs: Mapping[str, Rules]


@dataclass(frozen=True, slots=True)
class FinalPerson:
    """The records of one person when all runs were done, and what an admin sees of them.

    `holds` are the values by record id of each held field; `refused` are the fields that a system
    refused by name.
    """

    plezi: str
    lead: str
    holds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    """What is wrong with the records themselves: a second Lead, a link to another contact."""

    def record(self, side: str) -> str:
        """Return the id of the record on one side."""
        return self.plezi if side == PLEZI else self.lead


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the examination knows.

    `values` are the final values by record id and field. `kills` are the times at which the worker
    was killed; `decisions` are the person and the field for which an admin chose a held value.
    `readings` are the times at which the connector read each record.
    """

    typings: tuple[Typing, ...]
    journal: tuple[Entry, ...]
    versions: tuple[Version, ...]
    people: Mapping[int, FinalPerson]
    values: Mapping[str, Mapping[str, str]]
    kills: tuple[float, ...] = ()
    decisions: frozenset[tuple[int, str]] = frozenset()
    readings: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def rules_between(self, since: float, until: float, name: str) -> Iterable[Rules | None]:
        """Yield the rules of a field in each version that was current at some moment; None: off."""
        for place, version in enumerate(self.versions):
            is_last = place + 1 == len(self.versions)
            ends = float("inf") if is_last else self.versions[place + 1].since
            if version.since <= until and ends >= since:
                rules = version.pairs.get(name)
                yield rules if rules is not None and rules.direction != "off" else None
