"""The pages of the console, and the routes to them."""

from __future__ import annotations

from typing import Final

from connector.console.pages import (
    mapping,
    overview,
    people,
    records,
    review,
    runs,
    settings,
    setup,
)
from connector.console.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *overview.ROUTES,
    *runs.ROUTES,
    *review.ROUTES,
    *people.ROUTES,
    *mapping.ROUTES,
    *setup.ROUTES,
    *records.ROUTES,
    *settings.ROUTES,
)
