"""Every command of docs/salesforce-setup.md, from an org with standard fields to a first Lead.

What the page lets an administrator do in Setup is done by the control API of the simulated org. In
place of an AWS profile, a command gets the file of the local stack that stands for the profile.
"""

from __future__ import annotations

import io
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.actors import Marketer, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from plezi_sync.__main__ import main
from plezi_sync.machine import Machine
from tests.e2e_setup.conftest import FOLDER
from tests.e2e_setup.page_commands import PageCommand, page_commands

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/salesforce-setup.md"
ANA = "ana@example.com"
USER = "integration@acme.example"
OBJECTS = ("Lead", "Contact", "Account")
GUIDE = "plezi-sync setup status"
NEXT_OF_GUIDE = {("7", "plezi-sync preview"), ("8", ""), ("9", "")}
"""What the guide names as the next command, by section: the last two are complete."""


class Administrator:
    """An administrator of one org, who works in Setup, and one of its stack."""

    def __init__(self, stack: StackFile) -> None:
        self._stack = stack
        self.sales = SalesPerson(stack)

    def begin(self) -> None:
        """Let the org have standard fields only, and the stack no credentials."""
        for kind in OBJECTS:
            described = self.sales.request("GET", f"sobjects/{kind}/describe")
            for each in described["fields"]:
                if each["custom"]:
                    self.sales.simulate("DELETE", f"fields/{kind}/{each['name']}")
            self._permit(kind, read=False)
        for name in ("salesforce", "plezi"):
            EmbeddedAws(self._stack.aws_endpoint).secrets.put_secret_value(
                SecretId=self._stack.secrets[name], SecretString="{}"
            )
        self._user(customize_application=False, approved=False)

    def grant_rights(self) -> None:
        """Section 2: the permission set of the integration user."""
        self._permit("Lead", read=True, create=True, edit=True, delete=False)
        for kind in ("Contact", "Account"):
            self._permit(kind, read=True, create=False, edit=False, delete=False)
        self._user(customize_application=True)

    def upload(self, certificate: Path) -> None:
        """Section 3: the certificate of the app, and the pre-authorized user."""
        text = certificate.read_text(encoding="ascii")
        self.sales.simulate("POST", "certificates", {"certificate": text})
        self._user(approved=True)

    def show_fields_to_sales(self) -> None:
        """Section 6: the permission set for sales; the set-up needs no more permission."""
        assignment = {"username": self._stack.salesforce.sales_user.username}
        self.sales.simulate("POST", "permission_sets/Plezi_Fields/assignments", assignment)
        self._user(customize_application=False)

    def _permit(self, kind: str, **rights: bool) -> None:
        body = {**rights, "username": USER}
        self.sales.simulate("POST", f"objects/{kind}/permissions", body)

    def _user(self, **rights: bool) -> None:
        self.sales.simulate("POST", f"users/{USER}", rights)


@dataclass
class Reader:
    """Somebody who follows the page: runs its commands, and answers their questions."""

    stacks: Mapping[str, StackFile]
    folder: Path
    output: pytest.CaptureFixture[str]
    profile: str = ""
    stack_name: str = ""
    questions: list[str] = field(default_factory=list)

    @property
    def stack(self) -> StackFile:
        return self.stacks[self.profile]

    def follow(self, command: PageCommand) -> str:
        """Run one command of the page; return what it printed. It must end as the page expects."""
        words = shlex.split(command.text)
        match words[0]:
            case "export":
                self._export(words[1])
                return ""
            case "plezi-sync":
                assert self.stack_name == self.stack.stack_name
                return self._run(command, words[1:])
        finished = subprocess.run(  # noqa: S603  # a command of the page
            words, cwd=self.folder, check=True, capture_output=True, text=True
        )
        return finished.stdout

    def _export(self, assignment: str) -> None:
        name, _, value = assignment.partition("=")
        match name:
            case "AWS_PROFILE":
                self.profile = value
            case "PLEZI_SYNC_STACK":
                self.stack_name = value
            case _:
                raise AssertionError(f"what does {name} do?")

    def _run(self, command: PageCommand, words: list[str]) -> str:
        answers = iter(self._answers(command.text))

        def typed(question: str) -> str:
            self.questions.append(question)
            return next(answers)

        machine = Machine(stdin=_Terminal, ask=typed, ask_secret=typed)
        status = main(self._with_files(words), machine)
        printed = self.output.readouterr()
        assert list(answers) == [], "the command asked less than the page says"
        expected = 0
        if command.text == GUIDE:
            following = dict(NEXT_OF_GUIDE)[command.section]
            expected = 4 if following else 0
            assert following in printed.err, printed.out
        assert status == expected, (command.text, printed.out, printed.err)
        return printed.out

    def _with_files(self, words: list[str]) -> list[str]:
        """Replace the profiles of a command by the files of their stacks."""
        if "--to-profile" not in words:
            return [*words, "--stack-file", self._file(self.profile)]
        source, target = (words.index(option) + 1 for option in ("--profile", "--to-profile"))
        others = [word for at, word in enumerate(words) if not {at, at + 1} & {source, target}]
        files = {"--stack-file": words[source], "--to-stack-file": words[target]}
        return [
            *others,
            *(word for each in files.items() for word in (each[0], self._file(each[1]))),
        ]

    def _file(self, profile: str) -> str:
        return str((ROOT / FOLDER / profile / "stack.json").absolute())

    def _answers(self, text: str) -> tuple[str, ...]:
        org, tenant = self.stack.salesforce, self.stack.plezi
        key = "--private-key"
        answers: dict[str, tuple[str, ...]] = {
            "plezi-sync connect set salesforce": (
                *("client_credentials", org.url, org.consumer_key, org.consumer_secret),
            ),
            f"plezi-sync connect set salesforce {key} plezi.key": (
                *(org.url, org.consumer_key, org.integration_user.username),
            ),
            "plezi-sync connect set plezi": (tenant.api_key, tenant.tenant),
            "plezi-sync probe --contact throwaway@example.com": ("y",),
            "plezi-sync setup fields --create": ("y",),
            "plezi-sync start": ("y",),
            "plezi-sync mapping promote --profile sandbox --to-profile production": ("y",),
        }
        return answers.get(text, ())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def reader(
    stacks: dict[str, StackFile],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    monkeypatch.chdir(tmp_path)
    return Reader(stacks, tmp_path, capsys)


def test_the_page_leads_from_a_new_org_to_the_first_lead_and_on_to_production(
    reader: Reader, tmp_path: Path
) -> None:
    administrators = {name: Administrator(stack) for name, stack in reader.stacks.items()}
    for name, stack in reader.stacks.items():
        administrators[name].begin()
        Marketer(stack).add(email=ANA, last_name="Lopez", first_name="Ana", employees=12)
        administrators[name].grant_rights()
    before: Mapping[str, Callable[[Any], None]] = {
        "plezi-sync connect set salesforce --private-key": (
            lambda administrator: administrator.upload(tmp_path / "plezi.crt")
        ),
    }
    after: Mapping[str, Callable[[Any], None]] = {
        "plezi-sync setup fields --create": lambda each: each.show_fields_to_sales(),
    }
    printed: dict[str, str] = {}
    for command in page_commands(PAGE):
        profile = reader.profile
        for start, act in before.items():
            if command.text.startswith(start):
                act(administrators[profile])
        printed[command.text] = reader.follow(command)
        for start, act in after.items():
            if command.text.startswith(start):
                act(administrators[profile])

    assert "NumberOfEmployees" in printed["plezi-sync preview"]
    assert "Salesforce Lead" in printed[f"plezi-sync why {ANA}"]
    for administrator in administrators.values():
        [lead] = administrator.sales.leads(ANA)
        assert (lead["FirstName"], lead["LastName"]) == ("Ana", "Lopez")
        assert lead["plezi_url__c"]
        assert administrator.sales.record("Lead", lead["Id"])["NumberOfEmployees"] == 12
    assert not (tmp_path / "plezi.key").exists()
