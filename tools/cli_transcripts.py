"""The transcripts of docs/cli.md, made by running the commands on a deployed local stack.

    make transcripts                          start a stack of its own, run, write docs/cli.md
    python -m tools.cli_transcripts check     compare the commands of docs/cli.md with the list here

A block begins with `<!-- transcript: NAME -->` and ends with `<!-- end -->`. In a command, `{run}`
is the run that was named last. `check` needs no stack: it compares the commands, not their output.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.actors import Marketer, SalesPerson
from local.stack import stack_file
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile
from plezi_sync.__main__ import main as run_command
from plezi_sync.machine import Machine

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs/cli.md"
FOLDER: Final = Path(".build/transcripts")
COLUMNS: Final = "110"
PROMPT: Final = "$ plezi-sync "
RUN_ID: Final = re.compile(r"\b\d{8}T\d{12}-[0-9a-f]{8}\b")
USER: Final = "integration@acme.example"
NEW_PASSWORD: Final = "Spring-2027"  # noqa: S105  # of the simulated org
COMPANY: Final = "Company"
OLD_NAME: Final = "Atelier Nord"
EARLIER_SECONDS: Final = 1500
"""An edit that is more than ten minutes older than the last reading does not count as recent."""
ANA, BOB, GUS = (f"{name}@example.com" for name in ("ana", "bob", "gus"))

_BLOCK = re.compile(r"(<!-- transcript: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass
class Actors:
    """The users of the two systems, the ids that they know, and what an operator types."""

    sales: SalesPerson
    marketing: Marketer
    ids: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One command, what happens in the two systems before it, and its exit status."""

    command: str
    before: Callable[[Actors], None] = lambda _: None
    status: int = 0


def _people(actors: Actors) -> None:
    actors.ids["ana"] = actors.marketing.add(
        email=ANA, first_name="Ana", last_name="Lopez", company=OLD_NAME, employees=12
    )
    actors.ids["lead"] = actors.sales.add(
        "Lead", **{"Email": ANA, "LastName": "Lopez", "Phone": "0123456789", COMPANY: OLD_NAME}
    )
    bob = {"Email": BOB, "FirstName": "Bob", "LastName": "Roi", COMPANY: "Roi SA"}
    actors.sales.add("Lead", **bob)


def _both_rename_the_company(actors: Actors) -> None:
    actors.marketing.edit(actors.ids["ana"], company="Atelier du Nord")
    actors.sales.edit("Lead", actors.ids["lead"], **{COMPANY: "Atelier Nord SARL"})


def _a_long_title(actors: Actors) -> None:
    actors.ids["gus"] = actors.marketing.add(
        email=GUS, last_name="Gus", function="Chief of everything that " + "matters " * 20
    )


def _a_shorter_title(actors: Actors) -> None:
    actors.marketing.edit(actors.ids["gus"], function="Chief")


def _both_rename_it_again(actors: Actors) -> None:
    actors.marketing.edit(actors.ids["ana"], company="Atelier N")
    actors.sales.edit("Lead", actors.ids["lead"], **{COMPANY: "Atelier du Nord SAS"})


def _a_wrong_phone(actors: Actors) -> None:
    actors.marketing.edit(actors.ids["ana"], phone="0199999999")


def _a_lead_that_no_list_shows(actors: Actors) -> None:
    """Import a Lead with a modification time before the last reading of changes."""
    actors.sales.simulate("POST", "clock", {"advance": -EARLIER_SECONDS})
    hal = {"Email": "hal@example.com", "LastName": "Hal", COMPANY: "Hal SA"}
    actors.sales.add("Lead", **hal)
    actors.sales.simulate("POST", "clock", {"advance": EARLIER_SECONDS})


def _more_people(actors: Actors) -> None:
    for number in range(12):
        actors.marketing.add(email=f"new{number}@example.com", last_name=f"New {number}")


def _reset(actors: Actors) -> None:
    path = f"users/{USER}/password"
    reset = actors.sales.simulate("POST", path, {"password": NEW_PASSWORD})
    actors.ids["token"] = reset["security_token"]


def _wrong_token(actors: Actors) -> None:
    actors.typed[:] = [NEW_PASSWORD, "mistyped"]


def _right_token(actors: Actors) -> None:
    actors.typed[:] = [NEW_PASSWORD, actors.ids["token"]]


def _a_shorter_file(_: Actors) -> None:
    file = Path("mapping.yaml")
    text = file.read_text("utf-8")
    file.write_text(
        text.replace(
            "salesforce: Phone, direction: both", "salesforce: Phone, direction: to_plezi"
        ),
        "utf-8",
    )


TRANSCRIPTS: Final[Mapping[str, Sequence[Step]]] = {
    "look": (Step("doctor", _people), Step("preview"), Step("start --yes"), Step("sync --wait")),
    "map": (
        Step("mapping add employees NumberOfEmployees --both"),
        Step("preview"),
        Step("mapping apply --yes"),
    ),
    "file": (
        Step("mapping export"),
        Step("mapping diff", _a_shorter_file, status=4),
        Step("mapping validate"),
        Step("mapping history"),
    ),
    "conflict": (
        Step("mapping add company Company --policy hold --yes"),
        Step("sync --wait", _both_rename_the_company),
        Step("conflicts"),
        Step(f"conflicts choose {ANA} Company --plezi --yes"),
        Step("runs follow {run}"),
        Step(f"why {ANA} --field Company"),
    ),
    "always": (
        Step("sync --wait", _both_rename_it_again),
        Step(f"conflicts choose {ANA} Company --salesforce --always --yes"),
        Step("runs follow {run}"),
        Step("mapping history --limit 2"),
    ),
    "undo": (
        Step("sync --wait", _a_wrong_phone),
        Step("undo {first}"),
        Step("undo {first} --apply --yes"),
        Step(f"why {ANA} --field Phone --records"),
    ),
    "errors": (
        Step("sync --wait", _a_long_title),
        Step("errors"),
        Step("errors retry --cause STRING_TOO_LONG --yes", _a_shorter_title),
        Step("runs follow {run}"),
        Step("errors"),
        Step("runs list --limit 3"),
    ),
    "erase": (
        Step(f"people export {GUS} --file gus.json"),
        Step("pause"),
        Step(f"people erase {GUS} --yes"),
        Step("start --yes"),
        Step("sync --wait --kind full"),
    ),
    "verify": (
        Step("verify", _a_lead_that_no_list_shows),
        Step("verify --run {run} --repair --yes"),
        Step("verify"),
    ),
    "stages": (
        Step("forecast --to-salesforce 20000 --to-plezi 5000 --pace 2"),
        Step("sync --first --wait", _more_people),
    ),
    "rotation": (
        Step("sync --wait", _reset, status=4),
        Step("connect rotate", _wrong_token, status=1),
        Step("connect rotate", _right_token),
        Step("runs follow {run}"),
        Step("status"),
    ),
    "logs": (Step("logs sync_worker --level WARNING --since 1h"), Step("redrive")),
}
"""The blocks of docs/cli.md, in the order in which they are run."""


class TranscriptError(Exception):
    """A command did not end as its transcript says."""


def record(steps: Sequence[Step], actors: Actors, stack: Path) -> str:
    """Run the commands of a block and return its transcript. Raises `TranscriptError`."""
    lines: list[str] = []
    for step in steps:
        step.before(actors)
        known = RUN_ID.findall("\n".join(lines))
        ids = {"run": known[-1], "first": known[0]} if known else {}
        command = step.command.format(**ids)
        status, output = _run([*shlex.split(command), "--stack-file", str(stack)], actors)
        if status != step.status:
            raise TranscriptError(f"{command} ended with {status}, not {step.status}:\n{output}")
        lines += ["", PROMPT + command, *(line.rstrip() for line in output.splitlines())]
        if status:
            lines.append(f"[exit status {status}]")
    return "\n".join(lines).strip("\n")


def _run(arguments: list[str], actors: Actors) -> tuple[int, str]:
    """Run one command; the output has both streams in their order, as a terminal shows them."""
    output = io.StringIO()

    def ask_secret(question: str) -> str:
        output.write(f"{question}\n")
        return actors.typed.pop(0)

    keyboard = _Terminal() if actors.typed else io.StringIO()
    machine = Machine(stdin=lambda: keyboard, ask_secret=ask_secret)
    with redirect_stdout(output), redirect_stderr(output):
        status = run_command(arguments, machine)
    return status, output.getvalue()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def with_transcripts(page: str, transcripts: Mapping[str, str]) -> str:
    """Return the page with every block filled. Raises a KeyError for a block without transcript."""
    return _BLOCK.sub(
        lambda block: f"{block[1]}\n```console\n{transcripts[block['name']]}\n```\n\n{block[3]}",
        page,
    )


def commands_of(page: str) -> dict[str, list[str]]:
    """Return the commands of each block of a page."""
    return {
        block["name"]: [
            line.removeprefix(PROMPT) for line in block[0].splitlines() if line.startswith(PROMPT)
        ]
        for block in _BLOCK.finditer(page)
    }


def problems(page: str, expected: Mapping[str, Sequence[Step]] = TRANSCRIPTS) -> list[str]:
    """Return which blocks of a page do not show the commands of the list, one sentence each."""
    found = commands_of(page)
    listed = {
        name: [step.command.replace("{first}", "{run}") for step in steps]
        for name, steps in expected.items()
    }
    shown = {
        name: [RUN_ID.sub("{run}", command) for command in commands]
        for name, commands in found.items()
    }
    return [
        f"docs/cli.md: the block {name} is out of date: make transcripts"
        for name in sorted(listed.keys() | shown.keys())
        if listed.get(name) != shown.get(name)
    ]


def write() -> None:
    """Run every command on a stack of its own, and write the transcripts into docs/cli.md."""
    os.environ["COLUMNS"] = COLUMNS
    commands = StackCommands(FOLDER)
    commands.down()
    stack: StackFile = commands.up(start=False)
    file = (commands.folder / stack_file.FILE).resolve()
    actors = Actors(SalesPerson(stack), Marketer(stack))
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            found = {name: record(steps, actors, file) for name, steps in TRANSCRIPTS.items()}
    finally:
        commands.down()
    PAGE.write_text(with_transcripts(PAGE.read_text("utf-8"), found), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the transcripts, or check the commands; return 1 when the check finds a problem."""
    parser = argparse.ArgumentParser(prog="tools.cli_transcripts")
    parser.add_argument("action", choices=["write", "check"])
    if parser.parse_args(arguments).action == "write":
        write()
        return 0
    found = problems(PAGE.read_text("utf-8"))
    print("\n".join(found) if found else "The transcripts show the commands of the list.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
