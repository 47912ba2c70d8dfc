"""The repair after a verification: agreements that the records contradict are forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from connector.mapping import BoundMapping
from connector.model import LinkChange
from connector.planning.drift import without_contradicted_bases
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation


def forget_contradictions(
    context: SyncContext, bound: BoundMapping, isolation: Isolation, emails: Iterable[str]
) -> None:
    """Forget the agreements of some people that their records contradict.

    The policy of the field decides next. A link that another process changes at the same time is
    left as it is: the next verification finds it again.
    """
    now = context.clock()
    changes = []
    for email, link in context.links.load_links(emails).items():
        if not link.readable or link.intent is not None:
            continue
        forget = partial(without_contradicted_bases, link, bound, now=now)
        after = isolation.step(email, forget)
        if after is not None and after is not link:
            changes.append(LinkChange(after))
    if changes:
        isolation.not_stored(context.links.save_links(changes, listed=True))
