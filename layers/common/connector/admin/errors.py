"""The reasons why a request of an admin is refused, in addition to those of `connector.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.errors import ConnectorError, StaleError
from connector.mapping import MappingConfig
from connector.mapping.issues import Issue


class UnknownItemError(ConnectorError):
    """The requested item does not exist; the message names a route that lists such items."""


class InvalidRequestError(ConnectorError):
    """The request is not valid; the message names the part and the allowed values."""


class InvalidMappingError(ConnectorError):
    """The mapping cannot be saved: `problems` holds all problems, each with its remedy."""

    def __init__(self, problems: tuple[Issue, ...], warnings: tuple[Issue, ...]) -> None:
        super().__init__(
            f"the mapping has {len(problems)} problem(s): correct them, and save again"
        )
        self.problems = problems
        self.warnings = warnings


class MappingConflictError(StaleError):
    """Another version, `current`, was saved since the version of `yours` was read."""

    def __init__(self, yours: MappingConfig, current: MappingConfig) -> None:
        super().__init__(
            f"Conflict: the mapping changed since you read it. You read version {yours.version}, "
            f"and version {current.version} is the current one: compare both, add your change to "
            "the current one, and save that"
        )
        self.yours = yours
        self.current = current


@contextmanager
def page_token_errors() -> Iterator[None]:
    """Raise `InvalidRequestError` for a `ValueError` about the token of a page."""
    try:
        yield
    except ValueError as error:
        raise InvalidRequestError("next: this is not the `next` of an earlier page") from error
