"""What goes wrong, or is changed by admins, around the people and the runs."""

from __future__ import annotations

from typing import Final

from local.salesforce_org import login
from local.salesforce_org.automation import Flow, ValidationRule
from tests.simulation.history.actor import Actor
from tests.simulation.history.events import Event, mapping
from tests.simulation.history.wire import AUTOMATED

CLOCK_JUMPS: Final = (-3600.0, 3600.0, -60.0)
"""Seconds by which our own clock may be ahead all at once (reference: reliability, fault 46)."""


class Incidents:
    """Faults of both sides, of the clock and of the ledger; automations; admins."""

    def __init__(self, scene: Actor) -> None:
        self._scene = scene
        self._sides = scene.sides
        self.password_due = False

    def do_fault(self, event: Event) -> None:
        """Order a fault of one side."""
        self._scene.lags = self._scene.lags or event.field == "stale"
        panel = (self._sides.org if event.side == "salesforce" else self._sides.tenant).control
        panel.faults.inject(event.field, **{"after": event.value, **event.extra})
        self._scene.counted[f"{event.side} {event.field}"] += 1
        self._scene.describe(f"{event.side.capitalize()} is about to suffer {event.field}")

    def do_wait(self, event: Event) -> None:
        """Let time pass."""
        self._sides.clock.advance(event.value)
        self._scene.trace.add(f"{event.value} seconds pass")

    def do_clock(self, event: Event) -> None:
        """Let our own clock jump, while those of both sides go on."""
        ahead = CLOCK_JUMPS[event.value % len(CLOCK_JUMPS)]
        self._scene.connected.offset = ahead
        self._scene.counted["46 our clock jumps"] += 1
        self._scene.describe(f"our own clock jumps: it is {ahead:.0f} seconds ahead now")

    def do_lose(self, _event: Event) -> None:
        """Lose the ledger: links, cursors and runs are gone, both sides and the journal are not."""
        self._scene.connected.drop_ledger()
        self._scene.oracle.everybody_is_a_stranger()
        self._scene.counted["48 ledger lost"] += 1
        self._scene.describe("the ledger is lost, and begun anew")

    def do_kill_sessions(self, _event: Event) -> None:
        """Let Salesforce forget every session."""
        self._sides.org.state.sessions.kill_all(None)
        self._scene.counted["1 session killed"] += 1
        self._scene.describe("Salesforce forgets every session")

    def do_password(self, _event: Event) -> None:
        """Reset the integration user's password; the secret is put when people have stopped."""
        user = self._sides.org.integration_user
        login.reset_password(self._sides.org.state, user, user.password + "x")
        self._scene.counted["2 password reset"] += 1
        self._scene.describe("the integration user's password is reset")
        self.password_due = True

    def do_flow(self, event: Event) -> None:
        """Let an automation of the org edit whatever Lead is saved."""
        condition = ""
        values = {"Description": "seen by a flow"}
        self._scene.oracle.automated.add("Description")
        if event.side == "plezi":  # an automation of a mapped field, in our own transaction
            values = {"MobilePhone": AUTOMATED}
            condition = "MobilePhone != null"
        self._sides.org.state.automation.flows.append(Flow("Lead", values, condition))
        self._scene.counted["12 automation"] += 1
        self._scene.describe("a flow of the org edits whatever Lead is saved")

    def do_validation(self, event: Event) -> None:
        """Let a validation rule refuse some phones."""
        rule = ValidationRule(
            object="Lead", condition=f"Phone LIKE '{event.who + 1}%5'", message="no", field="Phone"
        )
        self._sides.org.state.automation.validations.append(rule)
        self._scene.counted["10 validation rule"] += 1
        self._scene.describe("a validation rule refuses phones that end in 5")

    def do_mapping(self, event: Event) -> None:
        """Save a mapping without a field, or with it again."""
        configuration = self._scene.connected.configuration
        now = configuration.current()
        gone = any(it.plezi == event.field for it in now.pairs)
        policies = dict(self._scene.story.policies)
        without = event.field if gone else ""
        configuration.save(mapping(policies, version=now.version + 1, without=without))
        self._scene.counted["64 mapping saved"] += 1
        self._scene.describe(f"a mapping is saved {'without' if gone else 'with'} {event.field}")
