"""The routes of the console: a method, a path, the role that they need, and the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote

from connector.console.context import PageContext
from connector.console.roles import UserRole
from connector.console.web import Response

Page = Callable[[PageContext], Response]
PARAMETER: Final = re.compile(r"\\\{(\w+)\\\}")
MAX_PARAMETER_CHARACTERS: Final = 1024
"""Longer parts of a path are no id of ours: an encrypted e-mail has at most 362 characters."""


@dataclass(frozen=True)
class Route:
    """One page or action. `{name}` in the path stands for one part of it."""

    method: str
    path: str
    role: UserRole
    page: Page

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(self.path)))

    def parameters(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return the parts of a path that this route names; None if it is another route's path."""
        found = self._pattern.fullmatch(path)
        if method != self.method or found is None:
            return None
        parts = {name: unquote(part) for name, part in found.groupdict().items()}
        is_short = all(len(part) <= MAX_PARAMETER_CHARACTERS for part in parts.values())
        return parts if is_short else None


def find_route(
    routes: Iterable[Route], method: str, path: str
) -> tuple[Route, Mapping[str, str]] | None:
    """Return the route of a request, with the parts of its path."""
    for route in routes:
        parameters = route.parameters(method, path)
        if parameters is not None:
            return route, parameters
    return None
