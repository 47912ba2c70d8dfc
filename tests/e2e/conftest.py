"""One deployed stack for the whole session. It is not the stack of `make up`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack import stack_file
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile
from plezi_sync.admin_api import AdminApi
from plezi_sync.targets import LocalStack
from tests.e2e.console_pages import CHROMIUM, ConsolePages, OpenPages, install_axe, new_pages

FOLDER = Path(".build/e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that create many people last: all others then read few pages.

    The test of the killed worker changes the mapping; the tests of forms make the full run that
    this requires. Before it, a dry run reads everybody, but the run of changes that it is compared
    with does not.
    """
    with_many_people = (
        "test_killed_worker",
        "test_submitted_forms",
        "test_main_job",
        "test_dry_run",
        "test_unusable_data",
        "test_random_workload",
    )

    def rank(item: pytest.Item) -> int:
        name = item.path.stem
        return with_many_people.index(name) + 1 if name in with_many_people else 0

    items.sort(key=rank)


@pytest.fixture(scope="session")
def commands() -> StackCommands:
    return StackCommands(FOLDER)


@pytest.fixture(scope="session")
def stack(commands: StackCommands) -> Iterator[StackFile]:
    """The deployed stack. Synchronization is not enabled yet."""
    commands.down()
    running = commands.up(start=False)
    yield running
    commands.down()


@pytest.fixture(scope="session")
def aws(stack: StackFile) -> EmbeddedAws:
    """The AWS clients of the stack."""
    return EmbeddedAws(stack.aws_endpoint)


@pytest.fixture(scope="session")
def admin_api(stack: StackFile, commands: StackCommands) -> AdminApi:
    """The admin API of the stack, as the command line calls it."""
    api = LocalStack.read(commands.folder / stack_file.FILE).api()
    assert api.url == stack.api_url
    return api


@pytest.fixture
def sales(stack: StackFile) -> SalesPerson:
    """A sales person of the org."""
    return SalesPerson(stack)


@pytest.fixture
def marketing(stack: StackFile) -> Marketer:
    """A marketer of the tenant."""
    return Marketer(stack)


@pytest.fixture
def ops(stack: StackFile) -> Operator:
    """An operator of the stack, on which synchronization is enabled."""
    operator = Operator(stack)
    operator.admin("POST", "/admin/start")
    return operator


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is missing: `make browser` installs it"
    with sync_playwright() as playwright:
        # The sandbox of Chromium needs rights that a container does not give.
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return install_axe()


@pytest.fixture
def open_pages(browser: Browser, stack: StackFile, axe: str) -> Iterator[OpenPages]:
    """Return a function that opens a browser and signs in with a role."""
    opened: list[ConsolePages] = []

    def open_them(role: str = "", **options: Any) -> ConsolePages:
        pages = new_pages(browser, stack, axe, **options)
        opened.append(pages)
        if role:
            pages.sign_in(role)
        return pages

    yield open_them
    for pages in opened:
        pages.page.context.close()
