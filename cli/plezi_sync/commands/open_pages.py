"""`open`: a web page of the stack, of a person, or of a simulator."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.errors import UsageError
from plezi_sync.session import Session, segment
from plezi_sync.targets import Deployment, LocalStack

CONSOLE: Final = "https://{region}.console.aws.amazon.com"
STACK_PAGE: Final = CONSOLE + "/cloudformation/home?region={region}#/stacks?filteringText={name}"
LOGS_PAGE: Final = CONSOLE + "/cloudwatch/home?region={region}#logsV2:log-groups"
PAGE_FIELDS: Final = ("url", "plezi_url__c")
"""The page of a contact in Plezi: the attribute, and the field of Lead that has its address."""


class Page(StrEnum):
    """The pages that can be opened."""

    PERSON = "person"
    STACK = "stack"
    LOGS = "logs"
    PLEZI = "plezi"
    SALESFORCE = "salesforce"


def open_page(
    session: Session,
    page: Annotated[Page, typer.Argument(help="What to open.")],
    email: Annotated[str, typer.Argument(help="With person: the e-mail.")] = "",
    *,
    show: Annotated[bool, typer.Option("--print", help="Only print the address.")] = False,
) -> None:
    """Open a page in the browser: a person in Plezi, the stack or the logs in the AWS console.

    On the local stack, plezi and salesforce are the pages of the simulators.
    """
    url = _person_page(session, email) if page is Page.PERSON else _page(session.deployment, page)
    if session.as_json:
        session.raw(json.dumps({"url": url}))
    else:
        session.say(url)
    if not show and session.machine.is_interactive and not session.machine.open_page(url):
        session.note("No browser was found. Open the address by hand.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        open_page,
        "open",
        panel=Panel.OPERATE,
        examples=("open person ana@example.com", "open stack --print"),
    )


def _page(stack: Deployment, page: Page) -> str:
    """Return the address of a page. Raises `UsageError` for one that this stack does not have."""
    if isinstance(stack, LocalStack):
        if page.value not in stack.pages:
            raise UsageError("The local stack has the pages plezi and salesforce, and person.")
        parts = urlsplit(stack.pages[page.value])
        return f"{parts.scheme}://{parts.netloc}/"
    patterns = {Page.STACK: STACK_PAGE, Page.LOGS: LOGS_PAGE}
    if page not in patterns:
        raise UsageError("Only the local stack has this page. Choose person, stack or logs.")
    return patterns[page].format(region=stack.region, name=stack.name)


def _person_page(session: Session, email: str) -> str:
    if not email:
        raise UsageError("Give the e-mail of the person: plezi-sync open person E-MAIL")
    person = session.get(f"/admin/contacts/{segment(email)}", limit=1).body
    records = [person["plezi"], *person["salesforce"]]
    for record in filter(None, records):
        for name in PAGE_FIELDS:
            if address := record["values"].get(name):
                return _web_address(address)
    raise UsageError("The page of this person in Plezi is not known yet. Run: plezi-sync sync")


def _web_address(value: object) -> str:
    """Return an address of the web. Raises `UsageError` for anything else that a field may hold."""
    text = str(value)
    if urlsplit(text).scheme not in ("http", "https") or not text.isprintable():
        raise UsageError(f"The page address of this person is no web address: {text!r}.")
    return text
