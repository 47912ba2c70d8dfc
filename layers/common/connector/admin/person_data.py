"""The parts of the tables that have something about a person, and what is kept outside of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Final

from connector.admin.context import AdminContext
from connector.admin.errors import page_token_errors
from connector.model import PersonNames, StoredItem
from connector.page_token import decode_page_token, encode_page_token

STEP_SECONDS: Final = 15.0
"""How long one request visits the tables: API Gateway waits for 29 s, and a page takes below 2."""
STEP_CHARACTERS: Final = 2_000_000
"""Characters of what one request returns: a response of a function has 6 MB at most (AWS Lambda
Developer Guide, "Lambda quotas")."""
BACKUP_DAYS: Final = 35
"""How far back DynamoDB can restore a table (Amazon DynamoDB Developer Guide, "Point-in-time
recovery")."""
UNLIMITED: Final = 0


@dataclass(frozen=True, slots=True)
class ItemCount:
    """How many stored items of one kind name the person."""

    table: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is not in the tables: where it is, what it is, and for how many days (0: no limit)."""

    where: str
    what: str
    days: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one request found; `next` is the token of the next one ('': the tables are visited)."""

    items: tuple[StoredItem, ...]
    mentions: int
    unreadable: int
    next: str

    def counts(self) -> tuple[ItemCount, ...]:
        """Return how many items of each kind were found."""
        numbers = Counter((item.table, item.kind) for item in self.items)
        return tuple(ItemCount(*key, number) for key, number in sorted(numbers.items()))


def visit_tables(context: AdminContext, names: PersonNames, after: str, *, erase: bool) -> Step:
    """Visit the tables from a token on, for some seconds. Raises `InvalidRequestError`."""
    with page_token_errors():
        position = decode_page_token(after)
    end = context.clock() + STEP_SECONDS
    items: list[StoredItem] = []
    characters = mentions = unreadable = 0
    while True:
        with page_token_errors():
            page = context.people.data.visit(names, position, erase=erase)
        items += page.items
        mentions += page.mentions
        unreadable += page.unreadable
        position = page.position
        if not erase:
            characters += sum(len(json.dumps(item.content)) for item in page.items)
        if not position or context.clock() >= end or characters >= STEP_CHARACTERS:
            return Step(tuple(items), mentions, unreadable, encode_page_token(position))


def remaining(context: AdminContext) -> tuple[Remaining, ...]:
    """Return what the tables do not have: it is neither exported nor erased."""
    return (
        Remaining(
            "point-in-time recovery",
            "earlier states of the ledger and of the journal; after a restore, erase again",
            BACKUP_DAYS,
        ),
        Remaining(
            "logs",
            "no e-mail and no value, but a hash of the e-mail, and record ids in some errors",
            context.people.log_days,
        ),
        Remaining(
            "cursors",
            "a record id, as the position of a reading, until that reading is complete",
            UNLIMITED,
        ),
        Remaining("Plezi and Salesforce", "the records themselves: delete them there", UNLIMITED),
    )
