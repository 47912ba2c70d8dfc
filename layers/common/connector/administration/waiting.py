"""People who wait for an administrator, and what may be done: choose, retry, pick the survivor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from connector.administration.office import Office
from connector.administration.refusals import NotKnownError, UnusableError
from connector.errors import StaleError
from connector.journal import digest, place_of, token_of
from connector.mapping import canonical_email
from connector.model import Change, Kind, Link, RunKind, Side, Value
from connector.plan.attention import choose, retry, survive


class Waits(StrEnum):
    """What somebody waits with."""

    HOLD = "hold"
    QUARANTINE = "quarantine"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class WordTold:
    """What one record says of a field."""

    record: str
    kind: Kind
    value: Value


@dataclass(frozen=True, slots=True)
class HoldTold:
    """A field that waits: why, since when (seconds since 1970), what each record said.

    `chosen` is the record whose word was chosen already ('' for none).
    """

    field: str
    reason: str
    since: float
    words: tuple[WordTold, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class QuarantineTold:
    """A refusal: by which side, its own code, what to do, for which fields, how often tried."""

    side: Side
    code: str
    remedy: str
    fields: tuple[str, ...]
    since: float
    tries: int


@dataclass(frozen=True, slots=True)
class LeadTold:
    """One of several Leads of one e-mail, and what it says."""

    id: str
    modified: str
    survivor: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person who waits."""

    email: str
    waits: tuple[Waits, ...]
    holds: tuple[HoldTold, ...]
    quarantine: QuarantineTold | None
    leads: tuple[LeadTold, ...]


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Some people, in order of their e-mails; `next` asks for the following ones."""

    people: tuple[Waiting, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for to carry out a decision."""

    run_id: str


@dataclass(frozen=True, slots=True)
class BulkAsked:
    """A decision for many: for how many it was taken, how many had moved meanwhile.

    `run_id` is the run that carries it out (None: it was taken for nobody). `next` asks for the
    following people ('': there are none).
    """

    run_id: str | None
    decided: int
    moved: int
    next: str


def list_waiting(office: Office, kind: Waits, *, limit: int, after: str = "") -> WaitingPage:
    """Return people who wait with something of this kind. Raises `UnusableError`."""
    emails = office.ledger.waiting(kind.value, limit + 1, after_of(after))
    links = office.ledger.links(emails[:limit])
    people = tuple(told(links[email]) for email in emails[:limit] if email in links)
    return WaitingPage(people, token_of(emails[limit - 1]) if len(emails) > limit else "")


def choose_word(office: Office, who: str, email: str, line: str, record: str) -> Asked:
    """Choose one record's word for a held field. Raises `NotKnownError`, `StaleError`."""
    return _decide(office, who, email, f"choose {line}", lambda it: choose(it, line, record))


def retry_refused(office: Office, who: str, email: str) -> Asked:
    """Try again what was refused. Raises `NotKnownError`, `StaleError`."""
    return _decide(office, who, email, "retry", _retried)


def pick_survivor(office: Office, who: str, email: str, lead: str) -> Asked:
    """Pick one Lead among several of one e-mail. Raises `NotKnownError`, `StaleError`."""
    return _decide(office, who, email, "survivor", lambda it: survive(it, lead))


def told(link: Link) -> Waiting:
    """Return a person as an administrator sees what waits."""
    kinds = {seen.id: seen.kind for seen in link.observations()}
    refused = link.quarantine
    several = Waits.DUPLICATE.value in link.attention
    return Waiting(
        email=link.email,
        waits=tuple(map(Waits, link.attention)),
        holds=tuple(
            HoldTold(
                field,
                hold.reason,
                hold.since,
                tuple(
                    WordTold(record, kinds[record], value)
                    for record, value in hold.words.items()
                    if record in kinds
                ),
                hold.chosen,
            )
            for field, hold in sorted(link.holds.items())
        ),
        quarantine=None
        if refused is None
        else QuarantineTold(
            refused.side, refused.code, refused.remedy, refused.fields, refused.since, refused.tries
        ),
        leads=tuple(
            LeadTold(seen.id, seen.modified, seen.id == link.survivor, seen.values)
            for seen in link.salesforce
            if several and seen.kind is Kind.LEAD and seen.takes_part
        ),
    )


def after_of(token: str) -> str:
    """Return the e-mail after which a page begins. Raises `UnusableError`."""
    try:
        return place_of(token)
    except ValueError as error:
        raise UnusableError("next: not the `next` of an earlier page") from error


def known(office: Office, email: str) -> Link:
    """Return the link of an e-mail, however it is written. Raises `NotKnownError`."""
    canonical = canonical_email(email)
    link = office.ledger.links([canonical]).get(canonical)
    if link is None:
        raise NotKnownError(
            "nobody is known under this e-mail: it was not read yet, or is written otherwise"
        )
    return link


def subject_of(link: Link) -> str:
    """Name a person without personal values: by the ids of the records."""
    return ", ".join(sorted(link.records))


def state_of(link: Link) -> object:
    """Return what a decision changes of a link."""
    chosen = {field: hold.chosen for field, hold in link.holds.items()}
    return {"chosen": chosen, "survivor": link.survivor, "dirty": link.dirty}


def _retried(link: Link) -> Link:
    if link.quarantine is None:
        raise StaleError("nothing of this person is refused any more: read the list again")
    return retry(link)


def _decide(
    office: Office, who: str, email: str, what: str, decision: Callable[[Link], Link]
) -> Asked:
    """Take a decision on one link, on the condition that it has not moved, and ask for its run."""
    link = known(office, email)
    decided = decision(link)
    if office.ledger.put([Change(decided)]):
        raise StaleError("this person's line moved at the same moment: read it again, then decide")
    office.note(who, what, subject_of(link), digest(state_of(link)), digest(state_of(decided)))
    return Asked(office.door.request(RunKind.SELECTED, emails=[link.email]))
