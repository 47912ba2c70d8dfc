"""What follows from the findings of a probe: the dialect, and why a tenant cannot be served."""

from __future__ import annotations

import json
from typing import Final

from connector.plezi.api_dialect import ChangedSince, parse_dialect
from connector.plezi.probe.answers import TenantCalls
from connector.plezi.probe.evidence import Evidence
from connector.probe_report import Certainty, FoundDialect, ProbeFinding, ProbeReport

FRESHNESS_KEY: Final = "finds_by_email"
NOT_FRESH: Final = (
    "the tenant's list neither shows what changed nor finds an e-mail, and a contact cannot be "
    "read by its id: no value could be checked before it is overwritten"
)
NEEDS_CONTACT: Final = 'name a throwaway contact to ask it: {"contact": "..."}'
WRITING_FINDINGS: Final = (
    *("write_right", "create", "read_lag", "known_email", "update_method", "null", "empty_text"),
    *("unchanged_write", "lists", "deletion"),
)
"""The findings that need a write, in the order of the report."""


def keep_former_findings(evidence: Evidence, former: ProbeReport | None) -> None:
    """Keep what an earlier probe of this tenant found by writing, where this one only read."""
    known = {each.name: each for each in former.findings} if former is not None else {}
    for name in WRITING_FINDINGS:
        if name not in evidence.findings:
            evidence.findings[name] = known.get(
                name, ProbeFinding(name, Certainty.ASSUMED, NEEDS_CONTACT)
            )


def record_pace(evidence: Evidence, calls: TenantCalls) -> None:
    """Record the headers of limits, the refusals for the rate, and the pace that was measured."""
    facts = evidence.facts
    headers, refusals = facts.get("rate_headers", ()), facts.get("rate_refusals", 0)
    if refusals:
        evidence.prove("rate_limit", f"{refusals} calls were refused because of the rate")
    elif headers:
        evidence.prove("rate_limit", f"answers tell a limit of calls: {', '.join(headers)}")
    else:
        evidence.assume("rate_limit", "no answer told a limit of calls, and none was refused")
    if calls.number:
        pace = calls.seconds / calls.number
        evidence.prove("pace", f"a call took {pace:.2f} s on average, with the wait for its turn")


def changed_keys(former: FoundDialect, found: FoundDialect) -> tuple[str, ...]:
    """Return the keys that an earlier probe found otherwise: the tenant's API has changed."""
    known = former.keys
    return tuple(sorted(name for name in known if found.keys.get(name) != known[name]))


def found_dialect(
    evidence: Evidence, former: FoundDialect, tenant: str, now: float
) -> FoundDialect:
    """Return the dialect that follows; what was not asked is as an earlier probe found it."""
    keys = {**former.keys, **evidence.found}
    dialect = parse_dialect(json.dumps(keys))
    evidence.refusals.pop(FRESHNESS_KEY, None)
    has_feed = dialect.changed_since is not ChangedSince.NONE or dialect.newest_first
    if not (has_feed or dialect.finds_by_email or dialect.reads_by_id):
        evidence.refuse(FRESHNESS_KEY, NOT_FRESH)
    if not evidence.contact:
        for each in former.refusals:
            if each.by_writing:
                evidence.refusals.setdefault(each.key, each)
    return FoundDialect(tenant, now, keys, tuple(evidence.refusals.values()))
