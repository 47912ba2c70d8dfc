"""The sound protocol, and each weaker one that somebody has shipped: all of them must break."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connector.mapping import BoundMapping
from connector.model import HoldReason, Link
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent


@dataclass(frozen=True)
class Protocol:
    """Which rules a run keeps.

    `precondition`: a write is refused when its target moved since it was read (rule 5). `window`:
    what is typed between that reading and the write may be lost, as README says, and only that.
    `intends`: the decision is stored before it is carried out. `records_first`: the base is stored
    before the write. `reads_again`: the base is what a last reading says. `believes`: an intent
    whose target does not say what was meant was never delivered. `adopts`: an intent also keeps the
    agreements that it sees. `holds_doubt`: what nobody can know waits for a person.
    """

    name: str
    precondition: bool = True
    window: bool = False
    intends: bool = True
    records_first: bool = False
    reads_again: bool = False
    believes: bool = False
    adopts: bool = True
    holds_doubt: bool = True

    def decide(self, link: Link, bound: BoundMapping) -> Plan:
        """Judge the unfinished intent, then plan, by the connector's own functions."""
        judged = recover_intent(link, bound, now=0.0).link
        if link.intent is not None and (self.believes or not self.holds_doubt):
            holds = {k: it for k, it in judged.holds.items() if it.reason != HoldReason.IN_DOUBT}
            judged = replace(judged, holds=holds)
        decided = plan_link(judged, bound, now=0.0)
        if not self.adopts and decided.writes:
            decided = replace(decided, link=replace(decided.link, base=link.base))
        return decided


SOUND = Protocol("the six rules")
AS_BUILT = Protocol("the six rules, without a precondition", precondition=False, window=True)
WEAKER = (
    Protocol("record the base, then apply", records_first=True, intends=False),
    Protocol("apply, then record", intends=False),
    Protocol("intend, apply, record, believing the values", believes=True),
    Protocol("record the base from a last reading", reads_again=True),
    Protocol("write without a precondition", precondition=False),
    Protocol("an intent that adopts no agreement", adopts=False),
    Protocol("what is uncertain decided by the policy", holds_doubt=False),
)
