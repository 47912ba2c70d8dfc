"""The work of one change hint: its contact is read again in Plezi, and its link resolved."""

from __future__ import annotations

from connector.mapping import BoundMapping
from connector.model import ChangeHint, HintResult, Run, Side
from connector.sync.change_limits import Limit
from connector.sync.context import SyncContext
from connector.sync.isolation import Isolation
from connector.sync.read_phase import ReadPhase
from connector.sync.resolve_phase import ResolvePhase
from connector.sync.selected_people import PeopleRefresher
from connector.sync.work_queue import WorkQueue


class HintWork:
    """Works on one hint in one invocation; its link is on no work list."""

    def __init__(self, context: SyncContext, bound: BoundMapping, run: Run) -> None:
        self._context = context
        isolation = Isolation(context, run.id)
        queue = WorkQueue(context, run)
        reading = ReadPhase(context, bound, run, queue, isolation)
        self._people = PeopleRefresher(context, bound, isolation, listed=False)
        self._resolving = ResolvePhase(
            context, bound, run, queue, isolation, reading, listed=False, limit=Limit.FORMS
        )

    def work(self, hint: ChangeHint) -> HintResult:
        """Read the contact and resolve its link."""
        emails = self._read_contact(hint)
        if emails is None:
            return HintResult.NOT_READABLE
        left = self._resolving.resolve_people(emails, lambda: self._context.deadline.is_over)
        return HintResult.BUSY if left else HintResult.RESOLVED

    def _read_contact(self, hint: ChangeHint) -> list[str] | None:
        """Read the contact of a hint, by its id if that is known and works, else by its e-mail.

        Returns the e-mails of the links that were found; None while Plezi does not return it.
        """
        contacts = (hint.contact_id,) if hint.contact_id else ()
        emails = (hint.email,) if hint.email else ()
        for some_contacts, some_emails in ((contacts, ()), ((), emails)):
            if not some_contacts and not some_emails:
                continue
            counts, found = self._people.refresh(some_emails, (Side.PLEZI,), some_contacts)
            self._context.runs.add_counts(hint.trace_id, counts)
            if counts.get(Side.PLEZI, "seen"):
                return found
        return None
