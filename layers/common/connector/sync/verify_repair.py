"""The repair after a verification: agreements that the records contradict are forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from connector.mapping import BoundMapping
from connector.model import JournalEntry, Link, LinkChange
from connector.planning.drift import without_contradicted_bases
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation

FROM_FIRST_ENTRY: Final = 0.0
"""From the first entry of the journal on: an undo may be as old as the journal (`JournalDays`)."""


def forget_contradictions(
    context: SyncContext, bound: BoundMapping, isolation: Isolation, emails: Iterable[str]
) -> None:
    """Forget the agreements of some people that their records contradict.

    The policy of the field decides next. What an undo put back stays as the admin decided. A link
    that another process changes at the same time is left as it is: the next verification finds it
    again.
    """
    now = context.clock()

    def forget(links: Iterable[Link], entries: Mapping[str, Sequence[JournalEntry]]) -> list[Link]:
        found = []
        for link in links:
            known = entries.get(link.email, ())
            step = partial(without_contradicted_bases, link, bound, known, now=now)
            after = isolation.step(link.email, step)
            if after is not None and after is not link:
                found.append(after)
        return found

    links = context.links.load_links(emails)
    usable = [link for link in links.values() if link.readable and link.intent is None]
    contradicted = [link.email for link in forget(usable, {})]
    entries = context.history.entries_since(contradicted, FROM_FIRST_ENTRY)
    changes = [
        LinkChange(after) for after in forget([links[email] for email in contradicted], entries)
    ]
    if changes:
        isolation.not_stored(context.links.save_links(changes, listed=True))
