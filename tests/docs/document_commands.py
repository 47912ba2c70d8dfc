"""The commands of a document: those in its blocks for the console, one a line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
GUIDES: Final = ("docs/deploy.md", "docs/runbooks.md")
NEEDS_AN_ACCOUNT: Final = {
    "make deploy": "it deploys to an account; `tests/template` builds what it deploys",
    "aws cloudformation describe-stack-resource": "the AWS CLI is not installed with the project",
    "aws lambda get-account-settings": "the quota is that of an account",
    "aws apigateway get-account": "the setting is that of an account",
    "aws lambda get-function-concurrency": "the emulator reserves no concurrency",
    "aws logs tail": "the emulator does not filter log lines",
    "aws scheduler get-schedule": "the AWS CLI is not installed with the project",
    "aws sqs get-queue-attributes": "the AWS CLI is not installed with the project",
    "aws sqs get-queue-url": "the AWS CLI is not installed with the project",
    "aws sqs receive-message": "the AWS CLI is not installed with the project",
    "aws sqs purge-queue": "the AWS CLI is not installed with the project",
    "aws sqs start-message-move-task": "the emulator cannot move dead letters",
    "plezi-sync connect set": "it asks for secrets; `tests/unit/cli` answers its questions",
}
"""The commands that no test executes, with the reason. Their operations and options are compared
with the models of botocore."""
SETS_A_VARIABLE: Final = re.compile(r"(export )?(?P<name>[A-Z_]+)=(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a document, without the variable that takes its output."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of the command; what a substitution prints is a word of its own."""
        return shlex.split(re.sub(r'"\$\(.*?\)"', "SUBSTITUTED", self.text, flags=re.DOTALL))

    @property
    def reason(self) -> str:
        """Why no test executes the command; '' if one does."""
        words = " ".join(self.words)
        return next((why for begin, why in NEEDS_AN_ACCOUNT.items() if words.startswith(begin)), "")


def commands(page: str) -> list[Command]:
    """Return the commands of a page, those inside of others included; settings are left out."""
    found: list[Command] = []
    for block in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            text = line.partition(" #")[0].strip()
            inner = re.findall(r"\$\((aws .*?)\)", text)
            is_command = text and not text.startswith("eval ")
            if is_command and SETS_A_VARIABLE.fullmatch(text) is None:
                inner.append(text)
            found += [Command(page, each) for each in inner]
    return found
