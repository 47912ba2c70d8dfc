"""A real browser on the console of the deployed stack: sign-in, checks of each page, pictures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from local.stack.stack_file import Console, StackFile

CHROMIUM: Final = Path("/usr/bin/chromium")
HERE: Final = Path(__file__).parent
NODE: Final = Path(".build/node")
AXE: Final = NODE / "node_modules/axe-core/axe.min.js"
PICTURES: Final = Path(".build/console")
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
CHECKED: Final = (("desktop", "light"), ("phone", "dark"))
MAX_TABS: Final = 60
"""More than the stops of any page before what a task needs."""
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def install_axe() -> str:
    """Return the script of axe-core, installed once from the pinned list with its hash."""
    if not AXE.exists():
        NODE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            (NODE / name).write_bytes((HERE / name).read_bytes())
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True)  # noqa: S603  # as pinned
    return AXE.read_text(encoding="utf-8")


@dataclass
class ConsolePages:
    """The console in one browser, as one user sees it."""

    page: Page
    console: Console
    axe: str

    def open(self, path: str = "/") -> None:
        """Open a page of the console."""
        self.page.goto(f"{self.console.url}{path}")

    def sign_in(self, role: str, path: str = "/") -> None:
        """Sign in as the demo user of a role, on the pages of the user pool."""
        user = next(it for it in self.console.users if it.email.startswith(f"{role}@"))
        self.open(path)
        self.page.get_by_label("Username").fill(user.email)
        self.page.get_by_label("Password").fill(user.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.console.url}**")

    def find(self, text: str) -> None:
        """Search a person."""
        self.page.get_by_role("link", name="People", exact=True).first.click()
        self.page.get_by_label("E-mail, name").fill(text)
        self.page.get_by_role("button", name="Find").click()

    def press(self, name: str, *, within: Any = None) -> None:
        """Press a button."""
        (within or self.page).get_by_role("button", name=name).first.click()

    def wait_for_run(self) -> None:
        """Wait until the run of the page is over; the page follows it without a reload."""
        self.page.locator("[data-live]").wait_for(state="detached", timeout=60_000)

    def tab_to(self, text: str) -> None:
        """Press Tab until what has the focus is called so, as a user without a mouse does."""
        script = (
            "(it => it.matches('a, button, input, select, summary')"
            " ? (it.innerText || '') + ' ' + (it.labels?.[0]?.innerText || '') : '')"
        )
        seen = []
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            name = " ".join(self.page.evaluate(f"{script}(document.activeElement)").split())
            if text in name:
                return
            seen.append(name[:30])
        raise AssertionError(f"{text!r} was not reached by {MAX_TABS} times Tab: {seen}")

    def type_enter(self, text: str) -> None:
        """Go to a link or button by Tab, and press Enter."""
        self.tab_to(text)
        self.page.keyboard.press("Enter")

    def violations(self) -> list[str]:
        """Return what axe-core finds on the page."""
        self.page.evaluate(self.axe)
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        return [
            f"{it['id']}: {node['target']} {node.get('failureSummary', '')}"
            for it in found["violations"]
            for node in it["nodes"]
        ]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))

    def picture(self, name: str) -> None:
        """Store a picture of the screen, where a user sees it without scrolling."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def defects(self, name: str) -> list[str]:
        """Return what is wrong with a page on a desk and on a phone, and store pictures of it."""
        found = []
        for width, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
            self.page.set_viewport_size(viewport)
            if self.overflow() > 0:
                found.append(f"{name}, {width}: {self.overflow()} pixels wider than the screen")
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme=scheme)
                self.picture(f"{name}-{width}-{scheme}")
                # Colours are the same in both widths, and the layout in both schemes.
                if (width, scheme) in CHECKED:
                    found += [f"{name}, {width}, {scheme}: {it}" for it in self.violations()]
        return found


OpenPages = Callable[..., ConsolePages]
"""Opens a browser and signs in with a role, if one is named."""


def new_pages(browser: Browser, stack: StackFile, axe: str, **options: Any) -> ConsolePages:
    """Open a browser window of its own, with its own cookies."""
    context: BrowserContext = browser.new_context(
        **{"locale": "en-GB", "timezone_id": "Europe/Paris", "viewport": DESKTOP, **options}
    )
    # A check adds its script to the page from outside: the page's own policy stays as it is.
    return ConsolePages(context.new_page(), stack.console, axe)
