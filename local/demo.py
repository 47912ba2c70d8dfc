"""The demo on the deployed local stack: `make demo`. It checks each statement that it prints."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from local.actors import Marketer, Operator, SalesPerson
from local.demo_password import PasswordChapter
from local.on_call import OnCall
from local.stack.background import StackError
from local.stack.commands import StackCommands

FOLDER: Final = Path(".local/demo")
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""
TERMINATED: Final = 143
"""128 + SIGTERM, as shells report it."""
ANA, BOB, CLEO, DAN, EVE = (f"{name}@example.com" for name in ("ana", "bob", "cleo", "dan", "eve"))


class CheckError(Exception):
    """A statement of the demo is not true."""


class Demo:
    """The chapters, in order."""

    def __init__(self, console: Console, commands: StackCommands) -> None:
        self._print = console.print
        self._commands = commands
        stack = commands.up(start=False)
        self._sales = SalesPerson(stack)
        self._marketing = Marketer(stack)
        self._ops = Operator(stack)
        self._on_call = OnCall(stack)
        self._ids: dict[str, str] = {}
        self._predicted: dict[str, dict[str, int]] = {}

    def run(self) -> None:
        """Run all chapters. Raises `CheckError` when a statement is not true."""
        self._people_on_both_sides()
        self._preview()
        self._first_run()
        self._edits_on_both_sides()
        self._a_conflict()
        self._a_rejected_record()
        self._a_form()
        self._a_password_reset()
        self._second_run()
        self._stages()

    def _people_on_both_sides(self) -> None:
        self._chapter("Two teams, two systems")
        self._ids["ana"] = self._marketing.add(
            email=ANA, first_name="Ana", last_name="Lopez", company="Atelier Nord", function="CMO"
        )
        self._ids["dan"] = self._marketing.add(email="DAN@Example.com", last_name="Petit")
        self._sales.add("Lead", Email=BOB, FirstName="Bob", LastName="Roi", Company="Roi SA")
        self._sales.add("Lead", Email=DAN, LastName="Petit", Company="Banque du Lac")
        self._sales.add("Lead", LastName="Nobody", Company="No e-mail SA")
        self._ids["cleo"] = self._sales.add(
            "Contact", Email=CLEO, FirstName="Cleo", LastName="Noël", sync_to_plezi__c="yes"
        )
        self._sales.add("Contact", Email=EVE, LastName="Vidal", sync_to_plezi__c="no")
        self._show("Before")

    def _preview(self) -> None:
        self._chapter("A dry run; nothing is written before synchronization is enabled")
        run = self._ops.request_run(kind="dry_run")
        for side, counts in sorted(run["counts"].items()):
            predicted = ", ".join(
                f"{counts[kind]} {kind}" for kind in ("created", "updated") if counts.get(kind)
            )
            self._print(f"  {side}: {predicted}; {counts['predicted_calls']} calls")
        for entry in run["journal"]:
            if entry["email"] == ANA:
                self._print(
                    f"  [dim]{entry['email']}: {entry['field']} would change: "
                    f"{entry['before']!r} -> {entry['after']!r} ({entry['rule']})[/dim]"
                )
        self._predicted = run["counts"]
        run = self._ops.fire_schedule()
        self._check(
            run["state"] == "not_started", "the schedule requests a run, and the run does not start"
        )
        self._check(len(self._sales.leads()) == 3, "no record was written")  # noqa: PLR2004  # as added

    def _first_run(self) -> None:
        self._chapter("Synchronization is enabled; the schedule starts a run")
        self._ops.admin("POST", "/admin/start")
        run = self._run_schedule()
        self._check(
            all(
                run["counts"][side].get(kind, 0) == counts.get(kind, 0)
                for side, counts in self._predicted.items()
                for kind in ("created", "updated")
            ),
            "the run did what the dry run predicted",
        )
        self._show("After")
        contacts = self._marketing.contacts()
        leads = {lead["Email"]: lead for lead in self._sales.leads()}
        self._check(ANA in leads, "Ana became a Lead")
        self._check(
            leads[ANA]["plezi_url__c"].endswith(self._ids["ana"]),
            "... with the address of her Plezi page",
        )
        self._check(BOB in contacts, "Bob became a Plezi contact")
        self._check(
            len([e for e in leads if e == DAN]) == 1,
            "DAN@Example.com and dan@example.com are matched",
        )
        self._check(
            contacts[DAN]["company"] == "Banque du Lac", "... and his company is in Plezi now"
        )
        self._check(CLEO in contacts, "Cleo, a Contact with sync_to_plezi = yes, is in Plezi")
        self._check(EVE not in contacts, "Eve, a Contact with sync_to_plezi = no, is not")
        self._check(
            run["counts"]["salesforce"]["skipped.no_email"] == 1,
            "the Lead without an e-mail was skipped",
        )

    def _edits_on_both_sides(self) -> None:
        self._chapter("Different fields of one person are edited on both sides")
        lead = self._sales.leads(ANA)[0]["Id"]
        self._marketing.edit(self._ids["ana"], phone="+33 1 23 45 67 89")
        self._sales.edit("Lead", lead, MobilePhone="+33 6 11 22 33 44")
        cleo = self._marketing.contacts()[CLEO]["id"]
        self._marketing.edit(cleo, phone="+33 9 99 99 99 99")
        self._run_schedule()
        [after] = self._sales.leads(ANA)
        self._check(
            after["Phone"] == "+33 1 23 45 67 89", "Ana's phone, edited in Plezi, is in Salesforce"
        )
        self._check(
            self._marketing.contacts()[ANA]["mobile"] == "+33 6 11 22 33 44",
            "Ana's mobile, edited in Salesforce, is in Plezi",
        )
        contact = self._sales.record("Contact", self._ids["cleo"])
        self._check(
            not contact["Phone"], "Cleo is a Contact: Contacts are never written in Salesforce"
        )

    def _a_conflict(self) -> None:
        self._chapter("The same field is edited on both sides: a conflict")
        lead = self._sales.leads(ANA)[0]["Id"]
        self._marketing.edit(self._ids["ana"], company="Atelier du Nord")
        time.sleep(1.1)  # Salesforce stores whole seconds: the second edit must be the newer one
        self._sales.edit("Lead", lead, Company="Atelier Nord SARL")
        run = self._run_schedule()
        [entry] = [entry for entry in run["journal"] if entry["kind"] == "overwritten"]
        self._print(
            f"  Salesforce's value wins by the rule [b]{entry['rule']}[/b]; the journal keeps "
            f"Plezi's value: {entry['before']!r} was replaced by {entry['after']!r}"
        )
        self._check(entry["before"] == "Atelier du Nord", "the overwritten value is in the journal")
        self._check(
            self._marketing.contacts()[ANA]["company"] == "Atelier Nord SARL",
            "both sides have the same value",
        )

    def _a_rejected_record(self) -> None:
        self._chapter("Salesforce rejects one field")
        bad = self._marketing.add(email="gus@example.com", last_name="Gus", function="x" * 200)
        self._marketing.add(email="hal@example.com", last_name="Hal")
        run = self._run_schedule()
        [entry] = [entry for entry in run["journal"] if entry["kind"] == "refused"]
        self._print(f"  rejected: {entry['rule']} in {entry['field']}; everything else continued")
        self._check(len(self._sales.leads("hal@example.com")) == 1, "Hal is a Lead")
        [gus] = self._sales.leads("gus@example.com")
        self._check(gus["Title"] is None, "Gus is a Lead without the refused title")
        status = self._ops.admin("GET", "/admin/status")
        self._check(
            status["attention"]["quarantine"] == 1, "... and is listed in the admin's review queue"
        )
        self._print("  the remedy: a user shortens the value in Plezi")
        self._marketing.edit(bad, function="Buyer")
        self._run_schedule()
        [gus] = self._sales.leads("gus@example.com")
        self._check(gus["Title"] == "Buyer", "Gus has the title after the correction")

    def _a_form(self) -> None:
        self._chapter("A visitor submits a form; it is processed without the schedule")
        start = time.monotonic()
        self._marketing.submit_form(email="ida@example.com", last_name="Ida", company="Ida & Co")
        lead = self._sales.wait_for_lead("ida@example.com")
        self._print(f"  Lead {lead['Id']}, {time.monotonic() - start:.1f} s after the form")
        self._check(lead["Company"] == "Ida & Co", "the contact of the form is a Lead")

    def _a_password_reset(self) -> None:
        self._chapter("The password is reset")
        actors = (self._sales, self._marketing, self._ops, self._on_call)
        PasswordChapter(actors, self._print, self._check).run()

    def _second_run(self) -> None:
        self._chapter("A run without changes")
        self._sales.simulate("POST", "mark")
        self._marketing.simulate("POST", "mark")
        self._ops.fire_schedule()
        salesforce = self._sales.simulate("GET", "calls")
        plezi = self._marketing.simulate("GET", "calls")
        writes = salesforce["writes"] + plezi["writes"]
        self._print(
            f"  [b]second run: {writes} writes[/b]; {salesforce['total']} calls to Salesforce, "
            f"{plezi['total']} to Plezi"
        )
        self._check(writes == 0, "no record was written")
        self._check(salesforce["total"] <= 5, "at most five calls to Salesforce")  # noqa: PLR2004  # the promised limit

    def _stages(self) -> None:
        self._chapter("A first synchronization runs in stages: 10, 100 and 1,000 people, then all")
        emails = [f"stage{number:02d}@example.com" for number in range(15)]
        ids = [self._marketing.add(email=it, last_name="Roy", function="x" * 200) for it in emails]
        run = self._ops.request_run(kind="changes", first=True)
        self._print(f"  [dim]{run['message']}[/dim]")
        self._check(run["reason"] == "first_sync", "Salesforce refuses all: the run stops itself")
        self._check(run["progress"]["stage"] == "10", "... after its first stage, of 10 people")
        for contact in ids:
            self._marketing.edit(contact, function="Buyer")
        self._ops.admin("POST", "/admin/breaker/release", {"intended": False})
        run = self._ops.request_run(kind="changes")
        self._check(run["state"] == "done", "the cause is corrected: the next run ends")
        self._check(run["progress"]["stage"] == "all", "... and went through its stages by itself")
        self._check(
            {*emails} <= {lead["Email"] for lead in self._sales.leads()}, "everybody is a Lead"
        )

    def _run_schedule(self) -> dict[str, Any]:
        run = self._ops.fire_schedule()
        if run["state"] != "done":
            raise CheckError(f"the run ended as {run['state']}: {run['message']}")
        self._print(f"  [dim]scheduled run: {run['duration_seconds']:.2f} s[/dim]")
        for side, counts in sorted(run["counts"].items()):
            numbers = ", ".join(
                f"{number} {kind}" for kind, number in sorted(counts.items()) if number
            )
            self._print(f"  [dim]{side}: {numbers}[/dim]")
        return run

    def _show(self, title: str) -> None:
        contacts = self._marketing.contacts()
        self._table(
            f"{title}: Plezi",
            ("email", "first_name", "last_name", "company", "function"),
            [contacts[email] for email in sorted(contacts)],
        )
        self._table(
            f"{title}: Salesforce Leads",
            ("Email", "FirstName", "LastName", "Company", "Title", "plezi_url__c"),
            self._sales.leads(),
        )

    def _table(self, title: str, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
        table = Table(title=title, title_justify="left")
        for name in names:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(str(row.get(name) or "") for name in names))
        self._print(table)

    def _chapter(self, title: str) -> None:
        self._print(f"\n[bold cyan]{title}[/bold cyan]")

    def _check(self, is_true: bool, statement: str) -> None:  # noqa: FBT001  # a condition
        if not is_true:
            raise CheckError(statement)
        self._print(f"  [green]✓[/green] {statement}")


def main() -> int:
    """Bring a stack up, run the demo, stop everything; return 1 when a statement is not true."""
    console = Console(highlight=False)
    start = time.monotonic()
    commands = StackCommands(FOLDER)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # the stack is stopped then too
    if commands.running() is not None:
        console.print(
            f"[bold red]Another demo is running in {FOLDER}. Wait until it ends.[/bold red]"
        )
        return 1
    try:
        Demo(console, commands).run()
    except CheckError as error:
        console.print(f"\n[bold red]not true:[/bold red] {error}")
        return 1
    except (StackError, RuntimeError) as error:
        console.print(f"\n[bold red]{error}[/bold red]")
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted; all programs are stopped.")
        return INTERRUPTED
    finally:
        commands.down()
    console.print(
        f"\nDone in {time.monotonic() - start:.0f} s; all programs are stopped.\n"
        "Next: [b]make up[/b], edit records in the pages of both systems, "
        "[b]make invoke F=scheduled_sync[/b], [b]make test[/b], docs/architecture.md."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
