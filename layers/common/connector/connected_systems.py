"""Which org and which tenant the ledger belongs to, and what is to be forgotten of a former one.

Record ids, bases and cursors have a meaning in one system only. The id of each system is stored at
the first run. When the credentials lead to another one, an admin decides whether it has the same
people; if so, the links forget the records of the former system, step by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from connector.errors import HaltError, StopReason
from connector.model import Side
from connector.stores import DocumentStore

SYSTEM_KEY: Final = "connected_system#{side}"
PROGRESS_KEY: Final = "forget_progress#{side}"
NAMES: Final[Mapping[Side, str]] = {
    Side.SALESFORCE: "Salesforce org",
    Side.PLEZI: "Plezi tenant",
}
REASONS: Final[Mapping[Side, StopReason]] = {
    Side.SALESFORCE: StopReason.OTHER_ORG,
    Side.PLEZI: StopReason.OTHER_TENANT,
}


@dataclass(frozen=True, slots=True)
class ConnectedSystem:
    """The system of one side that the ledger belongs to; '' and 0.0 where nothing is stored.

    `found` is another system that the credentials led to, which no admin has accepted.
    `forget_since` is when an admin accepted the present system in place of another one (seconds
    since 1970).
    """

    id: str = ""
    found: str = ""
    forget_since: float = 0.0


@dataclass(frozen=True, slots=True)
class ForgetProgress:
    """How far the links have forgotten a former system.

    `since` is the `forget_since` that this progress belongs to; `after` is the e-mail of the last
    link that was visited.
    """

    since: float = 0.0
    after: str = ""
    done: bool = False


def load_system(store: DocumentStore, side: Side) -> ConnectedSystem:
    """Return the system of a side that the ledger belongs to."""
    return ConnectedSystem(**store.load_document(SYSTEM_KEY.format(side=side.value)) or {})


def save_system(store: DocumentStore, side: Side, system: ConnectedSystem) -> None:
    """Store which system the ledger belongs to."""
    store.save_document(SYSTEM_KEY.format(side=side.value), asdict(system))


def load_progress(
    store: DocumentStore, side: Side, system: ConnectedSystem
) -> ForgetProgress | None:
    """Return how far the links have forgotten a former system; None if none is to be forgotten."""
    if not system.forget_since:
        return None
    stored = ForgetProgress(**store.load_document(PROGRESS_KEY.format(side=side.value)) or {})
    progress = stored if stored.since == system.forget_since else None
    if progress is None:
        return ForgetProgress(system.forget_since)
    return None if progress.done else progress


def save_progress(store: DocumentStore, side: Side, progress: ForgetProgress) -> None:
    """Store how far the links have forgotten a former system."""
    store.save_document(PROGRESS_KEY.format(side=side.value), asdict(progress))


def same_system(side: Side, one: str, other: str) -> bool:
    """Return whether two ids name the same org or tenant.

    An org id has 15 characters, and 3 more that say which of them are upper case (Salesforce Help,
    "Record ID"). The case of a tenant's name has no meaning (assumed).
    """
    if side is Side.SALESFORCE:
        return one[:ORG_ID_CHARACTERS] == other[:ORG_ID_CHARACTERS]
    return one.casefold() == other.casefold()


ORG_ID_CHARACTERS: Final = 15


def other_system_error(side: Side, known: str, found: str) -> HaltError:
    """Return the error that stops every run until an admin has decided."""
    name = NAMES[side]
    return HaltError(
        REASONS[side],
        f"The credentials lead to the {name} {found!r}, and all records that are linked are of the "
        f"{name} {known!r}. Nothing was read or written. Decide with POST /admin/systems: "
        '"same_people" if the other one has taken the place of the known one (a sandbox was '
        'refreshed, the company moved): people are matched by e-mail again. "wrong_credentials" '
        "if not: put the secret of the known one.",
    )
