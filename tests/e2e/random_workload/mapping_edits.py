"""Random changes of the mapping: pairs come and go, directions and policies change."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

from tests.e2e.random_workload.evidence import Rules, Version
from tests.e2e.random_workload.fields import EMAIL, MEANINGS, OPT_OUT, REQUIRED, SALESFORCE

DIRECTIONS: Final = ("both", "both", "to_plezi", "to_salesforce", "off")
POLICIES: Final = ("newest", "plezi_wins", "salesforce_wins", "fill_blank", "hold")
UNCHANGED: Final = (EMAIL.plezi, OPT_OUT.plezi)
"""Pairs that no admin changes here: the identity, and the opt-out."""


class MappingEdits:
    """The pairs that are mapped now, and the versions of the mapping so far."""

    def __init__(self, randomness: Random) -> None:
        self._random = randomness
        self._pairs = {name: it.pair for name, it in MEANINGS.items() if it is not EMAIL}
        self._removed: set[str] = set()
        self.versions: list[Version] = []
        self.counted: Counter[str] = Counter()

    @property
    def mapped(self) -> list[dict[str, str]]:
        """The pairs of the workload that the mapping has, but that of the e-mail."""
        return [pair for name, pair in self._pairs.items() if name not in self._removed]

    def note_version(self, since: float) -> None:
        """Note that the present pairs are those of the mapping since a time."""
        pairs = {it["plezi"]: Rules(it["direction"], it["policy"]) for it in self.mapped}
        pairs[EMAIL.plezi] = Rules(EMAIL.direction, EMAIL.policy)
        self.versions.append(Version(since, pairs))

    def change(self) -> None:
        """Remove a pair, add it again, or change the direction or the policy of one.

        Of a field that a new Lead needs, only the policy changes: else no Lead is created.
        """
        name = self._random.choice([name for name in self._pairs if name not in UNCHANGED])
        pair, is_needed = self._pairs[name], name in REQUIRED[SALESFORCE]
        if name in self._removed:
            self._removed.discard(name)
            self.counted["pair added again"] += 1
        elif (roll := self._random.random()) < 1 / 3 and not is_needed:
            self._removed.add(name)
            self.counted["pair removed"] += 1
        elif roll < 2 / 3 and not is_needed:
            self._pairs[name] = {**pair, "direction": self._random.choice(DIRECTIONS)}
            self.counted["direction changed"] += 1
        else:
            self._pairs[name] = {**pair, "policy": self._random.choice(POLICIES)}
            self.counted["policy changed"] += 1

    def add_all(self) -> None:
        """Add all removed pairs again."""
        self.counted["pair added again"] += len(self._removed)
        self._removed.clear()
