"""Users of both systems, and the main scenarios: both directions, conflict, clearing, silence."""

from __future__ import annotations

from typing import Any

from connector.model import RunState
from tests.component.harness import Harness

ANA, BOB, CLEO = "ana@example.com", "bob@example.com", "cleo@example.com"


class Users:
    """Users of both systems; what they do in Plezi does not depend on its API."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness

    def add_person(self, **attributes: Any) -> str:
        created = self.harness.control("plezi", "POST", "contacts", attributes)
        return str(created["id"])

    def edit_person(self, person: str, **attributes: Any) -> None:
        self.harness.control("plezi", "PATCH", f"contacts/{person}", attributes)

    def lead(self, email: str) -> dict[str, Any]:
        (lead,) = self.harness.leads(email)
        return lead

    def person(self, email: str) -> dict[str, Any]:
        return self.harness.people()[email]

    def wait(self) -> None:
        for side in ("plezi", "salesforce"):
            self.harness.control(side, "POST", "clock", {"advance": 60})

    def sync(self) -> None:
        run = self.harness.sync()
        assert run.state is RunState.DONE, run.message


def main_scenarios(users: Users) -> None:
    """Let users edit on both sides, and assert what everybody sees; a last run writes nothing."""
    harness = users.harness
    ana = users.add_person(email=ANA, last_name="Lopez", phone="111", function="CMO")
    cleo = users.add_person(email=CLEO, last_name="Roi", phone="555", company="Nord")
    harness.add_lead(Email=BOB, LastName="Roi", Company="Roi SA", Phone="444")
    users.sync()
    assert (users.lead(ANA)["Phone"], users.lead(ANA)["Title"]) == ("111", "CMO")
    assert users.lead(ANA)["plezi_url__c"].endswith(f"/contacts/{ana}")
    bob = users.person(BOB)
    assert (bob["company"], bob["phone"]) == ("Roi SA", "444")

    users.edit_person(ana, first_name="Ana")  # both directions, fields that others keep
    harness.edit_lead(users.lead(BOB)["Id"], MobilePhone="+33 6 11 22 33 44")
    users.sync()
    assert (users.lead(ANA)["FirstName"], users.lead(ANA)["Phone"]) == ("Ana", "111")
    bob = users.person(BOB)
    assert (bob["mobile"], bob["company"], bob["phone"]) == (
        "+33 6 11 22 33 44",
        "Roi SA",
        "444",
    )

    users.wait()  # a conflict: the newest wins, Plezi's edit is older or has no time
    users.edit_person(ana, phone="222")
    users.wait()
    harness.edit_lead(users.lead(ANA)["Id"], Phone="333")
    users.sync()
    assert users.lead(ANA)["Phone"] == users.person(ANA)["phone"] == "333"

    users.edit_person(cleo, phone=None)  # clearing, on each side
    harness.edit_lead(users.lead(BOB)["Id"], Phone=None)
    users.sync()
    assert not users.lead(CLEO)["Phone"]
    assert not users.person(BOB)["phone"]
    assert users.person(BOB)["company"] == "Roi SA"
    assert users.person(CLEO)["company"] == "Nord"

    assert len(harness.leads()) == len(harness.people())
    harness.mark()
    users.sync()
    writes = [harness.calls(side)["writes"] for side in ("plezi", "salesforce")]
    assert writes == [0, 0]
