"""The sound protocol, and weaker ones that other products use: every weaker one must fail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from connector.mapping import BoundMapping
from connector.model import HoldReason, Link
from connector.planning.plan import Plan, plan_link
from connector.planning.recovery import recover_intent
from tests.simulation.protocol.holds import with_lasting_choices
from tests.simulation.protocol.mapping_changes import with_agreement_by_field


@dataclass(frozen=True)
class Protocol:
    """The rules that a run follows.

    `precondition`: a write is refused if its target has changed since it was read (rule 5).
    `allows_overwrite`: an edit between that read and the write may be lost, and no other edit; this
    is the limit that README documents. `stores_intent`: the decision is stored before it is carried
    out. `records_first`: the base is stored before the write. `records_last_read`: the base is a
    last read of both sides. `assumes_not_sent`: an intent whose target does not have the intended
    value counts as not delivered. `stores_agreements`: storing an intent also stores the agreements
    observed. `holds_uncertain`: a field whose write has an unknown outcome is held for review.
    `keeps_meeting`: a first meeting stays one until its writes are done. `knows_cleared`: a Lead
    without an e-mail stays known. `refuses_untyped`: no blank that nobody typed can be chosen.
    `ends_choices`: a choice is over when a shown value changes. `sends_rest`: what a refusal does
    not name is sent at once. `stores_smaller`: a creation without the refused fields is stored
    before it is sent. `agrees_by_pair`: a pair that is pointed at another attribute has not agreed
    yet.
    """

    name: str
    precondition: bool = True
    allows_overwrite: bool = False
    stores_intent: bool = True
    records_first: bool = False
    records_last_read: bool = False
    assumes_not_sent: bool = False
    stores_agreements: bool = True
    holds_uncertain: bool = True
    keeps_meeting: bool = True
    knows_cleared: bool = True
    refuses_untyped: bool = True
    ends_choices: bool = True
    sends_rest: bool = True
    stores_smaller: bool = True
    agrees_by_pair: bool = True

    def decide(self, link: Link, bound: BoundMapping) -> Plan:
        """Recover the unfinished intent, then plan, with the connector's own functions."""
        recovery = recover_intent(link, bound, now=0.0)
        recovered, repeated = recovery.link, recovery.repeated
        if link.intent is not None and (self.assumes_not_sent or not self.holds_uncertain):
            holds = {
                key: hold
                for key, hold in recovered.holds.items()
                if hold.reason != HoldReason.IN_DOUBT
            }
            recovered, repeated = replace(recovered, holds=holds), frozenset()
        plan = self.plan(recovered, bound, repeated=repeated)
        if not self.stores_agreements and plan.writes:
            plan = replace(plan, link=replace(plan.link, base=link.base))
        return plan

    def plan(
        self, link: Link, bound: BoundMapping, *, repeated: Collection[tuple[str, str]] = ()
    ) -> Plan:
        """Plan a link that has no unfinished intent, with the connector's own function."""
        if not self.knows_cleared:
            for it in link.salesforce:
                link = link if it.email else link.without_record(it.id)
        if not self.ends_choices:
            link = with_lasting_choices(link)
        if not self.agrees_by_pair:
            link = with_agreement_by_field(link, bound)
        plan = plan_link(link, bound, now=0.0, repeated=repeated)
        if not self.keeps_meeting:
            plan = replace(plan, link=replace(plan.link, meeting=frozenset()))
        return plan


SOUND = Protocol("the six rules")
WITHOUT_PRECONDITION = Protocol(
    "the six rules, without a precondition", precondition=False, allows_overwrite=True
)
WEAKER = (
    Protocol("record the base, then write", records_first=True, stores_intent=False),
    Protocol("write, then record", stores_intent=False),
    Protocol("without the new value: not delivered", assumes_not_sent=True),
    Protocol("the base is a last read", records_last_read=True),
    Protocol("write without a precondition", precondition=False),
    Protocol("an intent stores no agreements", stores_agreements=False),
    Protocol("an uncertain write follows the policy", holds_uncertain=False),
)
CLEARED_MEANS_NEW = Protocol("a cleared e-mail means a new Lead", knows_cleared=False)
BLANKS_CHOSEN = Protocol("a choice spreads blanks", refuses_untyped=False)
CHOICE_LASTS = Protocol("a choice outlives an edit", ends_choices=False)
AGREED_BY_FIELD = Protocol("agreement by field, not by pair", agrees_by_pair=False)
PERSON_REFUSED = Protocol("a refusal holds the person", sends_rest=False)
REFUSED_NOT_STORED = Protocol("a smaller creation is not stored", stores_smaller=False)
MEETING_FORGOTTEN = Protocol("an interrupted meeting is forgotten", keeps_meeting=False)
