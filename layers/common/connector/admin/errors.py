"""Why an administrator's request is not done; besides the errors of `connector.errors`."""

from __future__ import annotations

from connector.errors import ConnectorError, StaleError
from connector.mapping import MappingConfig
from connector.mapping.issues import Issue


class UnknownItemError(ConnectorError):
    """What is asked for does not exist; the message says where to look."""


class InvalidRequestError(ConnectorError):
    """The request cannot be understood; the message names the part and what it may be."""


class InvalidMappingError(ConnectorError):
    """The mapping cannot be saved: `problems` holds all that is wrong, each with its remedy."""

    def __init__(self, problems: tuple[Issue, ...], warnings: tuple[Issue, ...]) -> None:
        super().__init__(
            f"the mapping has {len(problems)} problem(s): correct them, and save again"
        )
        self.problems = problems
        self.warnings = warnings


class MappingConflictError(StaleError):
    """Somebody saved another version since `yours` was read; `current` is theirs."""

    def __init__(self, yours: MappingConfig, current: MappingConfig) -> None:
        super().__init__(
            f"you read version {yours.version}, and version {current.version} is the current one: "
            "compare both, put your change into the current one, and save that"
        )
        self.yours = yours
        self.current = current
