"""What a probe has found so far: its findings, the keys of the dialect, and facts for later steps.

Everything is JSON, because a probe that runs out of time goes on in another invocation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.errors import HaltError
from connector.plezi.api_dialect import PleziDialect, parse_dialect
from connector.probe_report import Certainty, DialectValue, ProbeFinding, ProbeRefusal

NO_FACTS: Final[Mapping[str, Any]] = {
    "seen": 0,
    "total": None,
    "is_all": False,
    "attributes": [],
    "shown": [],
}
"""What later steps take for known where a step could not ask: nothing."""


@dataclass(slots=True)
class Evidence:
    """The findings by name, the keys of the dialect that were found, and facts.

    `contact` is the throwaway contact ('': only reads), `may_exist` whether it may exist already.
    A finding that is made again replaces the former one.
    """

    contact: str = ""
    may_exist: bool = False
    findings: dict[str, ProbeFinding] = field(default_factory=dict)
    found: dict[str, DialectValue] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=lambda: dict(NO_FACTS))
    refusals: dict[str, ProbeRefusal] = field(default_factory=dict)
    left_behind: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> PleziDialect:
        """The dialect as far as it is known; the rest is as assumed."""
        return parse_dialect(json.dumps(self.found))

    def prove(self, name: str, message: str, **keys: DialectValue) -> None:
        """Record an answer that the tenant has shown, with the keys of the dialect it decides."""
        self._record(name, Certainty.PROVED, message, keys)

    def contradict(self, name: str, message: str, **keys: DialectValue) -> None:
        """Record that something is not as assumed, with the keys of the dialect it decides."""
        self._record(name, Certainty.CONTRADICTED, message, keys)

    def assume(self, name: str, message: str) -> None:
        """Record that the answers do not show something."""
        self._record(name, Certainty.ASSUMED, message, {})

    def refuse(self, key: str, reason: str, *, by_writing: bool = False) -> None:
        """Record why the connector cannot serve this tenant."""
        self.refusals[key] = ProbeRefusal(key, reason, by_writing)

    def _record(
        self, name: str, certainty: Certainty, message: str, keys: Mapping[str, DialectValue]
    ) -> None:
        try:
            parse_dialect(json.dumps(dict(keys)))
        except HaltError:  # an answer of any form, such as a page of a million contacts
            message = f"{message}: the connector cannot use it"
            certainty, keys = Certainty.CONTRADICTED, {}
        self.findings[name] = ProbeFinding(name, certainty, message)
        self.found |= keys
