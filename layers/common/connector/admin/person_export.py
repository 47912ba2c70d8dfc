"""The export of everything that is stored about one person."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.person_data import Remaining, remaining, visit_tables
from connector.admin.person_names import find_names, require_email
from connector.model import StoredItem


@dataclass(frozen=True, slots=True)
class PersonExport:
    """What is stored about a person, or a part of it; `next` is the token of the next part.

    `emails` and `records` are the names under which something is stored. `mentions` counts links
    of other people that have one of these names, `unreadable` items that cannot be decoded; both
    are not part of the export. `elsewhere` is what the tables do not have.
    """

    emails: tuple[str, ...]
    records: tuple[str, ...]
    items: tuple[StoredItem, ...]
    mentions: int
    unreadable: int
    elsewhere: tuple[Remaining, ...]
    next: str


def export_person(context: AdminContext, actor: str, email: str, after: str = "") -> PersonExport:
    """Return what is stored about the person with an e-mail, and write that into the audit log.

    An e-mail of which nothing is stored gives an export without items. Raises
    `InvalidRequestError` for a text that is no e-mail, and for a token that is none.
    """
    canonical = require_email(email)
    names = find_names(context, canonical)
    step = visit_tables(context, names, after, erase=False)
    if not after:
        context.audit_change(actor, "export person", context.people.tombstones.hash_of(canonical))
    return PersonExport(
        tuple(sorted(names.emails)),
        tuple(sorted(names.records)),
        step.items,
        step.mentions,
        step.unreadable,
        remaining(context),
        step.next,
    )
