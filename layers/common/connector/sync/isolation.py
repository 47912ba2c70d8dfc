"""Isolation: a fault of one link puts this link in quarantine, and all others continue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from connector.errors import (
    ConnectorError,
    HaltError,
    StopReason,
    UnstorableError,
    describe_defect,
)
from connector.log_events import Event
from connector.model import (
    Breaker,
    Counts,
    JournalEntry,
    Link,
    LinkChange,
    ProblemCode,
    Quarantine,
    SaveResult,
    Side,
)
from connector.sync.context import SyncContext

T = TypeVar("T")

MAX_FAULTS: Final = 20
"""Links with an unexpected error after which a run looks at their share: a few have a cause of
their own, many have a common one."""
MAX_SHARE: Final = 0.05
"""The share of the visited links with an unexpected error that stops a run."""
MAX_ATTEMPTS: Final = 5
"""How often a quarantine is stored again on a link that another process changes."""
REMEDIES: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.UNREADABLE_RECORD: "the system describes this record in an unexpected form: save "
    "the record again there, or correct the named member",
    ProblemCode.NOT_VISIBLE: "share the record with the integration user, or give that user 'View "
    "All' on the object (Setup > Permission Sets > Object Settings); what is typed until then "
    "waits. If the record was removed permanently, nothing can be written to it any more",
    ProblemCode.UNUSABLE_VALUE: "correct the value in the system where it was typed",
    ProblemCode.NOT_STORABLE: "the values of this person are too large for the ledger: shorten the "
    "longest ones, or map fewer fields",
    ProblemCode.DEFECT: "the connector has a defect that this person's data shows: the log line of "
    "the event link_failed names the place; report it, then retry the person",
}
TOO_MANY_MESSAGE: Final = (
    "{faults} of {visited} people caused an unexpected error, so synchronization stopped itself. "
    "The log (event link_failed) names the places. Nothing is lost: correct the cause, then close "
    "the breaker (POST /admin/breaker/release), and the next run continues. To let all others "
    "continue before that, close it with intended: true: for four hours, no run stops for this."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a link is put in quarantine by the connector itself.

    `retry`: the link stays dirty, because the next run may find that the cause is gone.
    """

    code: ProblemCode
    detail: str = ""
    side: Side = Side.SALESFORCE
    fields: tuple[str, ...] = ()
    retry: bool = False


class Isolation:
    """Makes the steps of links, and collects the links of which a step failed.

    `quarantined` holds the links that were put in quarantine and wait for a change or a request, or
    that showed a defect: they are not resolved by this invocation, because that would end the
    quarantine. `visited` is counted by the caller, so that many faults of a run differ from a few.
    """

    def __init__(self, context: SyncContext, run_id: str) -> None:
        self._context = context
        self._run_id = run_id
        self.visited = 0
        self._unexpected: set[str] = set()
        self.quarantined: set[str] = set()
        self.faults: dict[str, Fault] = {}

    def step(self, email: str, call: Callable[[], T]) -> T | None:
        """Make one step of one link; return None when it failed, and remember the fault.

        The connector's own errors are about the run and not about one link: they are raised.
        """
        try:
            return call()
        except ConnectorError:
            raise
        except Exception as error:  # noqa: BLE001  # the link is put in quarantine
            self.add(email, Fault(ProblemCode.DEFECT, describe_defect(error)))
            return None

    def add(self, email: str, fault: Fault) -> None:
        """Remember why a link must be put in quarantine."""
        self.faults[email] = fault
        if fault.code is ProblemCode.DEFECT:
            self.count_defect(email)
        self.report(email, fault)

    def count_defect(self, key: str) -> None:
        """Count an unexpected error of a link, or of a record that belongs to no link."""
        self._unexpected.add(key)

    def report(self, email: str, fault: Fault) -> None:
        """Write a fault to the log."""
        self._context.log(
            Event.link_failed,
            run_id=self._run_id,
            link=self._context.log_name(email),
            code=fault.code.value,
            detail=fault.detail,
        )

    def drop_failed(self, links: Iterable[Link]) -> list[Link]:
        """Return the links of which no step has failed."""
        return [link for link in links if link.email not in self.faults]

    def store(self, counts: Counts, *, listed: bool) -> None:
        """Put the links with a fault in quarantine; stop the run when they are too many.

        A link keeps its unfinished intent: a write may be in flight. A link that cannot be stored
        is only in the log.
        """
        faults, self.faults = self.faults, {}
        self.quarantined |= {
            email
            for email, fault in faults.items()
            if not fault.retry or fault.code is ProblemCode.DEFECT
        }
        now = self._context.clock()
        if faults:
            self._quarantine(faults, now, listed=listed)
        for fault in faults.values():
            counts.add(fault.side, "quarantined")
        unexpected = len(self._unexpected)
        if (
            unexpected > max(MAX_FAULTS, MAX_SHARE * self.visited)
            and self._context.control.defects_allowed_until() <= now
        ):
            message = TOO_MANY_MESSAGE.format(faults=unexpected, visited=self.visited)
            breaker = Breaker(StopReason.DEFECT, message, now)
            self._context.control.open_breaker(breaker)
            self._context.log(
                Event.breaker_opened, run_id=self._run_id, reason=StopReason.DEFECT.value
            )
            raise HaltError(StopReason.DEFECT, message)

    def _quarantine(self, faults: Mapping[str, Fault], now: float, *, listed: bool) -> None:
        """Store links in quarantine, also those that another process changes at the same time."""
        waiting = dict(faults)
        for _ in range(MAX_ATTEMPTS):
            stored = self._context.links.load_links(waiting)
            changes = []
            for email, fault in waiting.items():
                link = stored.get(email, Link(email))
                if not link.readable:
                    self._context.links.list_unreadable(email)
                    continue
                try:
                    changes.append(LinkChange(quarantined(link, fault, now)))
                except Exception as error:  # noqa: BLE001  # it was reported before
                    self.report(email, Fault(ProblemCode.DEFECT, describe_defect(error)))
            refused = self._context.links.save_links(changes, listed=listed).refused
            waiting = {email: fault for email, fault in waiting.items() if email in refused}
            if not waiting:
                return

    # Stores that refuse single links

    def not_stored(self, saved: SaveResult, side: Side = Side.SALESFORCE) -> frozenset[str]:
        """Note the links that cannot be stored; return their e-mails."""
        for email in saved.too_large:
            self.add(email, Fault(ProblemCode.NOT_STORABLE, side=side))
        for email, detail in saved.defects.items():
            self.add(email, Fault(ProblemCode.DEFECT, detail, side))
        return saved.too_large | saved.defects.keys()

    def write_journal(self, entries: Sequence[JournalEntry]) -> frozenset[str]:
        """Store entries of the journal; return the e-mails of the links for which that failed."""
        if not entries:
            return frozenset()
        try:
            self._context.journal.write(entries)
        except UnstorableError as error:
            for email, detail in error.details.items():
                self.add(email, Fault(ProblemCode.DEFECT, detail))
            return frozenset(error.details)
        return frozenset()


def quarantined(link: Link, fault: Fault, now: float) -> Link:
    """Return a link in quarantine: it is resolved again after a change, or on request."""
    known = link.quarantine
    remedy = REMEDIES[fault.code]
    return replace(
        link,
        dirty=fault.retry,
        quarantine=Quarantine(
            fault.side,
            fault.code.value,
            f"{fault.detail}: {remedy}" if fault.detail else remedy,
            fault.fields,
            now if known is None else known.since,
            1 if known is None else known.tries + 1,
        ),
    )
