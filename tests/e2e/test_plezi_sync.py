"""An operator's day with `plezi-sync`, on the deployed stack.

The file comes after the one about the password story, which counts the refused logins of the stack.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.actors import Marketer, SalesPerson
from local.stack import stack_file
from local.stack.commands import StackCommands
from plezi_sync.__main__ import main
from plezi_sync.machine import Machine

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("ops")]

USER = "integration@acme.example"
CONFLICT, REFUSED = "conflict@cli.example", "refused@cli.example"


@dataclass
class CommandLine:
    """Runs commands on the deployed stack; `typed` is what a person answers, hidden or not."""

    file: Path
    output: pytest.CaptureFixture[str]
    errors: str = ""

    def run(self, *arguments: str, typed: tuple[str, ...] = (), piped: str = "") -> tuple[int, str]:
        """Run a command; return its exit status and what it printed."""
        answers = iter(typed)
        keyboard = _Terminal() if typed else io.StringIO(piped)
        machine = Machine(
            stdin=lambda: keyboard,
            ask=lambda _: next(answers),
            ask_secret=lambda _: next(answers),
        )
        status = main([*arguments, "--stack-file", str(self.file)], machine)
        printed = self.output.readouterr()
        self.errors = printed.err
        return status, printed.out

    def done(self, *arguments: str) -> str:
        """Run a command that must work, with every question confirmed; return what it printed."""
        status, text = self.run(*arguments, "--yes")
        assert status == 0, self.errors
        return text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def cli(commands: StackCommands, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(commands.folder / stack_file.FILE, capsys)


@pytest.fixture
def restored_mapping(cli: CommandLine) -> Iterator[None]:
    """Restore the mapping for the tests that come after, and apply it."""
    version = json.loads(cli.done("mapping", "show", "--json"))["version"]
    yield
    cli.done("mapping", "restore", str(version))
    cli.done("mapping", "apply")


def run_id(text: str) -> str:
    """Return the id of the run that a command names as the next to follow."""
    return text.rpartition("runs follow ")[2].strip()


@pytest.mark.usefixtures("restored_mapping")
def test_two_commands_map_a_field_for_everybody_and_a_preview_shows_it_first(
    cli: CommandLine, marketing: Marketer, sales: SalesPerson
) -> None:
    email = "mapped@cli.example"
    person = marketing.add(email=email, last_name="Mapped")
    cli.done("sync", "--wait")
    marketing.edit(person, employees=12)
    assert cli.run("mapping", "show")[1].count("NumberOfEmployees") == 0

    text = cli.done("mapping", "add", "employees", "NumberOfEmployees", "--both")
    assert "+ NumberOfEmployees: employees <-> NumberOfEmployees" in text

    plan = cli.done("preview", "--email", email)
    assert "NumberOfEmployees" in plan
    lead = sales.leads(email)[0]["Id"]
    assert sales.record("Lead", lead).get("NumberOfEmployees") is None

    assert ": done in" in cli.done("mapping", "apply")
    assert sales.record("Lead", lead)["NumberOfEmployees"] == 12


@pytest.mark.usefixtures("restored_mapping")
def test_a_conflict_is_listed_decided_and_explained(
    cli: CommandLine, marketing: Marketer, sales: SalesPerson
) -> None:
    cli.done("mapping", "add", "mobile", "MobilePhone", "--policy", "hold")
    marketing.add(email=CONFLICT, last_name="Conflict", mobile="111")
    lead = sales.add("Lead", Email=CONFLICT, LastName="Conflict", Company="C", MobilePhone="222")
    cli.done("sync", "--wait")
    listed = cli.done("conflicts")
    assert [line.split()[4] for line in listed.splitlines() if CONFLICT in line] == ["111", "222"]

    arguments = ("conflicts", "choose", CONFLICT, "MobilePhone", "--plezi")
    assert cli.run(*arguments, typed=("no",))[0] == 5
    status, text = cli.run(*arguments, typed=("yes",))
    assert status == 0, cli.errors
    cli.done("runs", "follow", run_id(text))

    assert sales.record("Lead", lead)["MobilePhone"] == "111"
    assert CONFLICT not in cli.done("conflicts")
    story = cli.done("why", CONFLICT, "--field", "MobilePhone")
    assert "chosen" in story


def test_a_group_of_errors_is_tried_again_after_the_correction(
    cli: CommandLine, marketing: Marketer, sales: SalesPerson
) -> None:
    person = marketing.add(email=REFUSED, last_name="Refused", first_name="x" * 200)
    cli.done("sync", "--wait")
    assert "STRING_TOO_LONG" in cli.done("errors")
    assert REFUSED in cli.done("errors", "list", "--cause", "STRING_TOO_LONG")
    assert "STRING_TOO_LONG in FirstName" in cli.done("why", REFUSED)

    marketing.edit(person, first_name="Ann")
    requested = cli.done("errors", "retry", "--cause", "STRING_TOO_LONG")
    cli.done("runs", "follow", run_id(requested))

    assert REFUSED not in cli.done("errors", "list", "--cause", "STRING_TOO_LONG")
    assert sales.leads(REFUSED)[0]["FirstName"] == "Ann"


def test_what_the_stack_is_doing_can_be_seen(cli: CommandLine) -> None:
    assert "Synchronization  enabled" in cli.done("status")
    assert "run_ended" in cli.done("logs", "sync_worker", "--since", "1d")
    assert "schedule_dead_letters" in cli.done("redrive")
    assert "behaviour_score" in cli.done("fields", "plezi")
    assert "Lead.score__c" in cli.done("setup", "fields")
    assert "Salesforce" in cli.done("systems")
    findings: list[dict[str, Any]] = json.loads(cli.run("doctor", "--json")[1])
    assert {"login", "plezi", "set-up", "dead letters"} <= {each["name"] for each in findings}
    # Other tests of the session may leave a dead letter.
    problems = {each["name"] for each in findings if each["grade"] == "problem"}
    assert problems <= {"dead letters"}


def test_a_wrong_password_changes_nothing_and_the_right_one_is_used(
    cli: CommandLine, sales: SalesPerson
) -> None:
    reset = sales.simulate("POST", f"users/{USER}/password", {"password": "By-command-7"})
    status, _ = cli.run("sync", "--wait", "--yes")
    assert status == 4
    assert "login refused" in cli.errors

    status, text = cli.run("connect", "rotate", typed=("By-command-7", "mistyped"))
    assert (status, text) == (1, "")
    assert "the current ones stay" in cli.errors
    assert "By-command-7" not in cli.errors
    assert "login refused" in cli.run("breaker")[1]

    new = {"password": "By-command-7", "security_token": reset["security_token"]}
    status, text = cli.run("connect", "rotate", piped=json.dumps(new))
    assert status == 0, cli.errors
    assert ": done in" in cli.done("runs", "follow", run_id(text))
    assert "closed" in cli.run("breaker")[1]
