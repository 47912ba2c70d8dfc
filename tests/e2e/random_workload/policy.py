"""The rules of docs/mapping.md and docs/admin.md, slow and obvious: which of them may overwrite."""

from __future__ import annotations

from typing import Final

from tests.e2e.random_workload.evidence import Entry, Evidence, Typing
from tests.e2e.random_workload.fields import PLEZI, SALESFORCE

RECEIVERS: Final = {"to_plezi": PLEZI, "to_salesforce": SALESFORCE}
RUN_SECONDS: Final = 60.0
"""A run keeps the version of the mapping with which it began, and no run here takes as long."""


def permits(evidence: Evidence, typing: Typing, entry: Entry) -> bool:
    """Return whether the rule of an `overwritten` entry may take this typed value."""
    since = typing.began - RUN_SECONDS
    versions = [it for it in evidence.rules_between(since, entry.at, typing.field) if it]
    two_way = {it.policy for it in versions if it.direction == "both"}
    mapped = {it.policy for it in versions}
    match entry.rule:
        case "newest":
            return "newest" in two_way
        case "plezi_wins" | "salesforce_wins":
            winner = PLEZI if entry.rule == "plezi_wins" else SALESFORCE
            return entry.rule in two_way and typing.side != winner
        case "fill_blank":
            return "fill_blank" in mapped and not entry.before
        case "most_restrictive":
            return "most_restrictive" in mapped and not entry.before and bool(entry.after)
        case "one_way":
            return any(RECEIVERS.get(it.direction) == typing.side for it in versions)
        case "edited":
            return was_held(evidence, typing, entry.at)
        case "chosen":
            return (typing.person, typing.field) in evidence.decisions
        case "repeated" | "in_doubt":
            return any(kill <= entry.at for kill in evidence.kills)
        case _:
            return False


def was_held(evidence: Evidence, typing: Typing, until: float) -> bool:
    """Return whether the journal has a hold of this field of this record."""
    return any(
        it.kind == "held"
        and (it.record, it.field) == (typing.record, typing.field)
        and it.at <= until
        for it in evidence.journal
    )
