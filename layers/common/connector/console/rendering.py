"""The HTML of the console: Jinja2 templates, in which every value is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from connector.console.context import PageContext
from connector.console.labels import actor_name
from connector.console.roles import UserRole
from connector.console.shown_settings import RATE
from connector.console.texts import Texts
from connector.mapping.values import to_text
from connector.model import LongText

FOLDER: Final = Path(__file__).parent
STATIC: Final[Mapping[str, str]] = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
DIGEST_CHARACTERS: Final = 12


@cache
def static_file(name: str) -> str:
    """Return the text of a stylesheet or script."""
    return (FOLDER / "static" / name).read_text(encoding="utf-8")


@cache
def static_version() -> str:
    """Return a digest of all static files: with it in the address, a browser may keep them."""
    texts = "".join(static_file(name) for name in STATIC)
    return hashlib.sha256(texts.encode()).hexdigest()[:DIGEST_CHARACTERS]


@cache
def environment() -> Environment:
    """Return the templates; a template that uses an unknown name fails."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals.update(UserRole=UserRole, static_version=static_version(), shown=shown)
    found.filters["actor"] = actor_name
    found.filters["utc"] = utc_text
    found.filters["iso"] = iso_text
    found.filters["number"] = number_text
    found.filters["schedule"] = schedule_text
    return found


def render(template: str, page: PageContext, /, **view: object) -> str:
    """Return the HTML of a template; satisfies `context.Renderer`."""
    members: dict[str, Any] = {
        "page": page,
        "session": page.session,
        "t": page.texts,
        "url": page.url,
        "person_url": page.person_url,
        "run_url": page.run_url,
        **view,
    }
    return environment().get_template(template).render(members)


def utc_text(at: float) -> str:
    """Return a time for people, in UTC: the script of the page shows it in the viewer's zone."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


@pass_context
def number_text(context: Context, number: int) -> str:
    """Return a whole number for people, in the language of the page."""
    texts: Texts = context["t"]
    return texts.number(number)


@pass_context
def schedule_text(context: Context, expression: str) -> str:
    """Return how often a schedule starts a run; an expression that is no rate, as it is."""
    rate = RATE.fullmatch(expression)
    if rate is None:
        return expression
    texts: Texts = context["t"]
    return texts.count(f"schedule.{rate[2]}", int(rate[1]))


def iso_text(at: float) -> str:
    """Return a time for `<time datetime>`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def shown(value: Any, blank: Callable[[], str] = str) -> str | Markup:  # noqa: ANN401  # any value
    """Return a value of a field for people; `blank` is the text for a value that is empty."""
    if isinstance(value, LongText):
        return f"({value.length} …)"
    return to_text(value) or blank()
