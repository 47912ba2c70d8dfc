"""The work of a run: lists of links to resolve, and the result of storing links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_LISTED: Final = 1000
"""E-mails in one list: 254 characters each at most, so a list has 254 KB at most, before it is
compressed."""


@dataclass(frozen=True, slots=True)
class WorkList:
    """The key of a list of links to resolve: its run, and its number within the run."""

    run_id: str
    number: int


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The links that were not stored, by e-mail.

    `refused`: the stored link had changed. `too_large`: the link does not fit into an item.
    `defects`: the link cannot be encoded, with the reason. `displaced` are records of
    stored links, by id, each with the e-mail of the other link that was found by it until now.
    """

    refused: frozenset[str] = frozenset()
    too_large: frozenset[str] = frozenset()
    defects: Mapping[str, str] = field(default_factory=dict)
    displaced: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_emails(self) -> frozenset[str]:
        """The e-mails of all links that were not stored, for whatever reason."""
        return self.refused | self.too_large | self.defects.keys()
