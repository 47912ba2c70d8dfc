"""Errors of a page of Plezi's list of contacts that one of its contacts may be the cause of."""

from __future__ import annotations

from typing import Final, Protocol

from connector.errors import RejectedError, RetryError, StaleError
from connector.plezi.api import LargeAnswerError, PleziResponse, TooManyRequestsError
from connector.plezi.list_position import Position
from connector.plezi.rate_limiter import NoSlotError

OF_A_PAGE: Final = (RetryError, RejectedError, StaleError)
"""Errors that a contact of a page may be the cause of."""
NOT_OF_A_PAGE: Final = (NoSlotError, TooManyRequestsError)
"""Errors among them that say something about all calls."""
PageError = RetryError | RejectedError | StaleError


class UnreadablePageError(Exception):
    """The page at a position has too many bytes, or Plezi fails to answer it, although it works."""

    def __init__(self, error: PageError, position: Position) -> None:
        super().__init__(str(error))
        self.error = error
        self.position = position
        self.is_large = isinstance(error, LargeAnswerError)

    @property
    def cause(self) -> str:
        """Why the page cannot be read, without the text of the answer: it may quote values."""
        error = self.error
        return f"Plezi answered {error.code}" if isinstance(error, RejectedError) else str(error)


class Ask(Protocol):
    """Requests a page once; `direction` is another order than that of the position."""

    def __call__(
        self, position: Position, /, *, direction: str = ""
    ) -> PleziResponse | UnreadablePageError:
        """Return the response, or the error that a contact of the page may have caused."""
