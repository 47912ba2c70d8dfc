"""An upgrade and a rollback with state in the tables, in the steps of docs/release.md.

The variable FROM (a commit or tag) names the version that is deployed first; without it, this
version is deployed again. What users type before, between and after the deployments arrives
on the other side, and what the versions stored stays in use: nothing is written without an edit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.commands import HERE, StackCommands
from local.stack.stack_file import StackFile

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

PEOPLE: Final = 42
FORMS: Final = 5
UNFINISHED: Final = ("requested", "running")
HELD: Final = "held@example.com"
ODD: Final = "odd@example.com"


@dataclass
class Users:
    """Everybody who works with the stack, and what they typed."""

    stack: StackFile
    sales: SalesPerson
    marketing: Marketer
    ops: Operator

    @classmethod
    def of(cls, stack: StackFile) -> Users:
        return cls(stack, SalesPerson(stack), Marketer(stack), Operator(stack))

    def synchronize(self) -> None:
        """Make a run of changes."""
        run = self.ops.fire_schedule()
        assert run["state"] == "done", run["message"]

    def work(self, round_: int) -> None:
        """Edit two thirds of the people, in either system, and add a person to each."""
        contacts = self.marketing.stored_contacts()
        for number in range(0, PEOPLE, 3):
            person = contacts[email(number)]
            self.marketing.edit(person["id"], phone=phone(round_, number))
            [lead] = self.sales.leads(email(number + 1))
            self.sales.edit("Lead", lead["Id"], LastName=name(round_, number + 1))
        self.marketing.add(email=f"new{round_}@example.com", last_name="Roi", phone="1")
        self.sales.add("Lead", Email=f"lead{round_}@example.com", LastName="Roi", Company="Roi")

    def assert_arrived(self, round_: int) -> None:
        """Check that what was typed in a round is in both systems."""
        contacts = self.marketing.stored_contacts()
        leads = {lead["Email"].lower(): lead for lead in self.sales.leads()}
        assert len(leads) == len(self.sales.leads()), "a Lead was created twice"
        for number in range(0, PEOPLE, 3):
            edited, other = email(number), email(number + 1)
            assert leads[edited]["Phone"] == phone(round_, number)
            assert contacts[edited]["phone"] == phone(round_, number)
            assert leads[other]["LastName"] == name(round_, number + 1)
            assert contacts[other]["last_name"] == name(round_, number + 1)
        assert {f"new{round_}@example.com", f"lead{round_}@example.com"} <= leads.keys()
        assert {f"new{round_}@example.com", f"lead{round_}@example.com"} <= contacts.keys()

    def assert_idle(self) -> None:
        """Check that a run without an edit writes to neither system."""
        for system in (self.sales, self.marketing):
            system.simulate("POST", "mark")
        self.synchronize()
        for system in (self.sales, self.marketing):
            assert system.simulate("GET", "calls")["writes"] == 0

    def submit_forms(self, name: str) -> list[str]:
        """Submit some forms of new visitors; return their e-mails."""
        emails = [f"{name}{number}@example.com" for number in range(FORMS)]
        for address in emails:
            self.marketing.submit_form(email=address, first_name="Ana", last_name="Lopez")
        return emails

    def state(self) -> dict[str, Any]:
        """Return what admins decided and see: the mapping, decisions to make, the history."""

        def read(path: str, **query: str) -> dict[str, Any]:
            answer = self.ops.admin("GET", path, None, **query)
            assert "error" not in answer, answer  # such as `newer_schema` after a rollback
            return answer

        attention = {
            kind: {person["email"] for person in read("/admin/attention", kind=kind)["people"]}
            for kind in ("hold", "quarantine")
        }
        journal = read(f"/admin/contacts/{email(0)}")["journal"]["entries"]
        return {
            "mapping": read("/admin/mapping"),
            "attention": attention,
            "journal": [(it["kind"], it["field"], it["before"], it["after"]) for it in journal],
            "audit": [it["action"] for it in read("/admin/audit")["entries"]],
        }

    def pause(self) -> None:
        """Pause, and wait until no run is in progress."""
        self.ops.admin("POST", "/admin/pause")
        for run in self.ops.admin("GET", "/admin/runs")["runs"]:
            if run["state"] in UNFINISHED:
                self.ops.wait(run["run_id"])


def email(number: int) -> str:
    return f"person{number:03}@example.com"


def phone(round_: int, number: int) -> str:
    return f"+33 {round_} {number:03}"


def name(round_: int, number: int) -> str:
    return f"Roi {round_} {number}"


def deploy(users: Users, commands: StackCommands, source: Path, *, round_: int) -> Users:
    """Deploy another version as docs/release.md says; check that secrets and state stay."""
    before = users.state()
    users.pause()
    users.work(round_)  # users go on: they do not know of a deployment
    secrets = secrets_of(users.stack)

    after = Users.of(commands.deploy(source))

    assert secrets_of(after.stack) == secrets
    found = after.state()
    assert found.pop("audit")[-len(before["audit"]) :] == before.pop("audit")
    assert found == before
    after.ops.admin("POST", "/admin/connection/check")
    preview = after.ops.request_run(kind="dry_run")
    assert preview["state"] == "done", preview["message"]
    after.ops.admin("POST", "/admin/start")
    after.synchronize()
    after.assert_arrived(round_)
    after.assert_idle()
    return after


def secrets_of(stack: StackFile) -> dict[str, str]:
    """Return the contents of each secret."""
    aws = EmbeddedAws(stack.aws_endpoint)
    return {
        name: aws.secrets.get_secret_value(SecretId=arn)["SecretString"]
        for name, arn in stack.secrets.items()
    }


def begin(users: Users) -> None:
    """Let the first version meet people, hold a field, and put a person in quarantine."""
    mapping = users.ops.admin("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == "MobilePhone":
            pair["policy"] = "hold"
    users.ops.admin("PUT", "/admin/mapping", mapping)
    for number in range(0, PEOPLE, 2):
        users.marketing.add(email=email(number), last_name="Roi", phone=phone(0, number))
        users.sales.add("Lead", Email=email(number + 1), LastName="Roi", Company="Roi")
    users.marketing.add(email=HELD, last_name="Roi", mobile="1")
    users.sales.add("Lead", Email=HELD, LastName="Roi", Company="Roi", MobilePhone="2")
    odd = users.marketing.add(email=ODD, last_name="Roi")
    users.synchronize()
    users.marketing.put_row(
        odd, json.dumps({"id": odd, "type": "contacts", "attributes": "a text"})
    )
    users.work(1)
    users.synchronize()
    users.assert_arrived(1)
    users.assert_idle()
    assert users.state()["attention"] == {"hold": {HELD}, "quarantine": {ODD}}


def test_an_upgrade_a_rollback_and_another_upgrade_lose_nothing_that_users_typed(
    commands: StackCommands, other_version: Path
) -> None:
    users = Users.of(commands.up(start=True, source=other_version))
    begin(users)

    users = deploy(users, commands, HERE, round_=2)
    upgraded = users.submit_forms("upgraded")
    users = deploy(users, commands, other_version, round_=3)
    rolled_back = users.submit_forms("rolledback")
    users = deploy(users, commands, HERE, round_=4)

    for address in (*upgraded, *rolled_back):
        assert len(users.sales.leads(address)) == 1
