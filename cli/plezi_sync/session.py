"""One command's options, its stack, and where it prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from rich.console import Console

from plezi_sync.admin_api import AdminApi
from plezi_sync.errors import CancelledError, UsageError
from plezi_sync.machine import Machine
from plezi_sync.refusals import accepted_text
from plezi_sync.targets import STACK_FILE, LocalStack, StackOnAws, api_on_aws

CONFIRMATIONS: Final = ("y", "yes")
"""Answers that confirm a change."""
CANCELLED: Final = "Cancelled: nothing was changed."


@dataclass(frozen=True)
class Options:
    """The options that every command accepts: which stack, which form of output, no questions."""

    stack: str = ""
    api_url: str = ""
    profile: str = ""
    region: str = ""
    stack_file: Path = STACK_FILE
    as_json: bool = False
    yes: bool = False


@dataclass(frozen=True)
class Answer:
    """A response of the API: its text as it was received, and its JSON object."""

    text: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    machine: Machine
    out: Console
    err: Console
    options: Options = field(default_factory=Options)

    @property
    def as_json(self) -> bool:
        """Return whether the output is for programs."""
        return self.options.as_json

    @cached_property
    def api(self) -> AdminApi:
        """The admin API of the chosen stack. Raises `UsageError`, `UnreachableError`."""
        options = self.options
        if options.api_url:
            return api_on_aws(options.api_url, options.region, options.profile)
        return self.deployment.api()

    @cached_property
    def deployment(self) -> LocalStack | StackOnAws:
        """The chosen stack, with the names of its functions, secrets and queues.

        Raises `UsageError` when only the URL of its API is known.
        """
        options = self.options
        if options.api_url:
            raise UsageError(
                "This command needs the names of the stack's resources, which the API does not "
                "tell. Give --stack NAME in place of --api-url."
            )
        if options.stack or options.profile or options.region:
            return StackOnAws.find(options.stack, options.region, options.profile)
        return LocalStack.read(options.stack_file)

    def request(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> Answer:
        """Send one request and return the accepted response.

        Raises `RefusedError`, with a remedy, when the API refuses it.
        """
        content = None if body is None else json.dumps(body).encode()
        text = accepted_text(self.api.call(method, path + query_text(query), content))
        value: object = json.loads(text)
        if not isinstance(value, dict):
            raise UsageError(f"{path} did not answer with a JSON object. Check the API URL.")
        return Answer(text, value)

    def get(self, path: str, **query: object) -> Answer:
        """Send a GET request; parameters that are empty or false are left out."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object = None) -> Answer:
        """Send a POST request with a JSON body."""
        return self.request("POST", path, {} if body is None else body)

    def print_json(self, answer: Answer) -> None:
        """Print the body of a response exactly as it was received."""
        self.raw(answer.text)

    def raw(self, text: str) -> None:
        """Print a text as it is: no wrapping, no colours."""
        self.out.out(text, highlight=False)

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line for people; `text` is not markup."""
        self.out.print(text, style=style or None, markup=False, highlight=False, emoji=False)

    def note(self, text: str) -> None:
        """Print a line that is not part of the result, on standard error."""
        self.err.print(text, markup=False, highlight=False, emoji=False)

    def confirm(self, question: str) -> None:
        """Ask before a change, unless --yes was given.

        Raises `UsageError` without a terminal, and `CancelledError` for any answer but yes.
        """
        if self.options.yes:
            return
        if not self.machine.is_interactive:
            raise UsageError(
                f"{question} There is no terminal for the answer: give --yes to confirm."
            )
        if self.ask(f"{question} [y/N] ").lower() not in CONFIRMATIONS:
            raise CancelledError(CANCELLED)

    def ask(self, question: str, *, is_secret: bool = False) -> str:
        """Return what a person types, without blanks around it; a secret is not shown.

        Raises `CancelledError` when the input ends (Ctrl-D).
        """
        ask = self.machine.ask_secret if is_secret else self.machine.ask
        try:
            return ask(question).strip()
        except EOFError:
            raise CancelledError(CANCELLED) from None


def segment(value: str) -> str:
    """Return a name for use in a path, such as an e-mail address."""
    return quote(value, safe="")


def query_text(query: Mapping[str, object] | None) -> str:
    """Return the query of a URL; values that are empty or false are left out."""
    present = {name: value for name, value in (query or {}).items() if value}
    texts = {name: "true" if value is True else str(value) for name, value in present.items()}
    return f"?{urlencode(texts)}" if texts else ""
