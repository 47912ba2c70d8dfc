"""Incidents and configuration changes: faults of both sides, time, automations, mappings."""

from __future__ import annotations

from typing import Final

from local.salesforce_org import login
from local.salesforce_org.automation import Flow, ValidationRule
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.events import DAY, UNCERTAIN_FAULTS, Event
from tests.simulation.history.values import AUTOMATED

CLOCK_JUMPS: Final = (-3600.0, 3600.0, -60.0)
"""Seconds by which the connector's clock is ahead after a jump."""


class Incidents:
    """Handles the events that neither users nor invocations of the connector cause."""

    def __init__(self, context: HistoryContext) -> None:
        self._context = context
        self._sides = context.sides
        self.password_was_reset = False

    def do_fault(self, event: Event) -> None:
        """Order a fault of one side; it strikes after some calls."""
        context = self._context
        context.plezi_may_be_stale = context.plezi_may_be_stale or event.field == "stale"
        panel = (self._sides.org if event.side == "salesforce" else self._sides.tenant).control
        panel.faults.inject(event.field, **{"after": event.value, **event.options})
        context.counted[f"{event.side} {event.field}"] += 1
        if event.field in UNCERTAIN_FAULTS:
            context.note_uncertainty()
        context.log_event(f"fault ordered in {event.side.capitalize()}: {event.field}")

    def do_wait(self, event: Event) -> None:
        """Let time pass."""
        self._sides.clock.advance(event.value)
        if event.value >= DAY:
            self._context.counted["days pass"] += 1
        self._context.trace.add(f"{event.value} seconds pass")

    def do_clock_jump(self, event: Event) -> None:
        """Set the connector's clock ahead or back; the clocks of both sides do not change."""
        ahead = CLOCK_JUMPS[event.value % len(CLOCK_JUMPS)]
        self._context.stack.offset = ahead
        self._context.oracle.clock_was_set()
        self._context.counted["46 clock jump"] += 1
        self._context.log_event(f"the connector's clock jumps: it is {ahead:.0f} seconds ahead")

    def do_lose_ledger(self, _event: Event) -> None:
        """Delete links, cursors and runs; both sides and the journal keep their data."""
        # The journal gets the losses of an unfinished write when it is recovered: now it never is.
        unfinished = {
            it.intent.run_id for it in self._context.ports.ledger.all_links() if it.intent
        }
        self._context.oracle.forget_losses_of(unfinished)
        self._context.stack.drop_ledger()
        self._context.oracle.forget_all_agreements()
        self._context.counted["48 ledger lost"] += 1
        self._context.log_event("the ledger is lost and replaced by an empty one")

    def do_expire_sessions(self, _event: Event) -> None:
        """Expire every session of Salesforce."""
        self._sides.org.state.sessions.kill_all(None)
        self._context.counted["1 session expired"] += 1
        self._context.log_event("Salesforce expires every session")

    def do_reset_password(self, _event: Event) -> None:
        """Reset the integration user's password; the final check stores the new secret."""
        user = self._sides.org.integration_user
        login.reset_password(self._sides.org.state, user, user.password + "x")
        self._context.counted["2 password reset"] += 1
        self._context.log_event("the integration user's password is reset")
        self.password_was_reset = True

    def do_add_flow(self, event: Event) -> None:
        """Add a flow to the org that edits every saved Lead."""
        condition = ""
        values = {"Description": "seen by a flow"}
        if event.side == "plezi":  # a flow on a mapped field, in the connector's transaction
            values = {"MobilePhone": AUTOMATED}
            condition = "MobilePhone != null"
        self._sides.org.state.automation.flows.append(Flow("Lead", values, condition))
        self._context.counted["12 automation"] += 1
        self._context.log_event("a new flow of the org edits every saved Lead")

    def do_add_validation_rule(self, event: Event) -> None:
        """Add a validation rule to the org that refuses some phone numbers."""
        rule = ValidationRule(
            object="Lead",
            condition=f"Phone LIKE '{event.person + 1}%5'",
            message="no",
            field="Phone",
        )
        self._sides.org.state.automation.validations.append(rule)
        self._context.counted["10 validation rule"] += 1
        self._context.log_event("a new validation rule refuses phone numbers that end in 5")
