"""What may happen in a history, drawn from one seed, as data: a story can be told and shortened."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair, MappingConfig
from connector.mapping.model import EMAIL_PAIR, PLEZI_URL_PAIR
from local.world.fault_injector import AT_FIRST_PUT

NAMES: Final = ("Ana", "Bob", "Cleo", "Dan")
TWO_WAY: Final = ("phone", "mobile", "last_name", "company")
LEAD_FIELDS: Final = {
    "phone": "Phone",
    "mobile": "MobilePhone",
    "last_name": "LastName",
    "company": "Company",
    "function": "Title",
    "newsletter_optout": "newsletter_optout__c",
}
POLICIES: Final = (
    ConflictPolicy.NEWEST, ConflictPolicy.NEWEST, ConflictPolicy.PLEZI_WINS, ConflictPolicy.SALESFORCE_WINS, ConflictPolicy.HOLD,
)  # fmt: skip
SALESFORCE_FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("session_expired", {}),
    ("quota_exceeded", {"path": "/services/data"}),
    ("server_unavailable", {}),
    ("server_error", {}),
    ("connection_reset", {}),
    ("unavailable_page", {}),
    ("edge_page", {}),
    ("query_timeout", {}),
    ("short_page", {"count": 3, "parameters": {"size": 1}}),
    ("cursor_expired", {}),
    ("lock_row", {"parameters": {"records": [0]}}),
    (
        "record_error",
        {"parameters": {"records": [0], "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}},
    ),
    ("record_error", {"parameters": {"records": [0], "errorCode": "DUPLICATES_DETECTED"}}),
    ("reset_after_commit", {"path": "composite/sobjects"}),
    ("timeout_after_commit", {"path": "composite/sobjects"}),
    ("truncated_body", {}),
    ("clock_skew", {"count": 4, "parameters": {"seconds": 600}}),
    ("clock_skew", {"count": 4, "parameters": {"seconds": -600}}),
)
PLEZI_FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("http_500", {}),
    ("http_503", {"count": 6}),
    ("http_502_html", {}),
    ("html_200", {}),
    ("http_429", {"parameters": {"retry_after": 2}}),
    ("http_429", {"parameters": {"retry_after": None}}),
    ("reset_before", {}),
    ("slow", {"parameters": {"seconds": 45}}),
    ("empty_body", {"method": "POST|PUT"}),
    ("truncated_body", {}),
    ("reset_after", {"method": "POST|PUT"}),
    ("timeout_after", {"method": "POST|PUT"}),
    ("truncated_page", {}),
    ("stale", {"parameters": {"seconds": 30}}),
)
TENANTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {},
    {},
    {"changed_since": "ignored"},
    {"changed_since": "absent"},
    {"changed_since": "absent", "sort": "ignored"},
    {"known_email": "conflict"},
    {"email_filter": "absent", "known_email": "conflict_409"},
    {"get_by_id": "absent"},
    {"schema_call": "absent"},
    {"page_size_cap": 2, "total_results": "low"},
    {"updated_at": "missing"},
    {"empty_values": "omitted"},
    {"unchanged_write": "moves_updated_at"},
    {"read_lag_seconds": 5.0},
)
"""What Plezi may turn out to be (docs/simulators/plezi.md); one for each history."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens; `what` says which, `who` to whom, the rest what it needs."""

    what: str
    who: int = 0
    side: str = ""
    field: str = ""
    value: int = 0
    more: tuple[Event, ...] = ()
    extra: Any = None


@dataclass(frozen=True, slots=True)
class EventList:
    """A whole history before it happens: the mapping, the tenant, and the events in order."""

    seed: int
    policies: dict[str, ConflictPolicy]
    tenant: dict[str, Any]
    events: tuple[Event, ...]


def mapping(
    policies: dict[str, ConflictPolicy], *, version: int = 0, without: str = ""
) -> MappingConfig:
    """Return the mapping of a history: small, with every kind of line."""
    lines = [EMAIL_PAIR, PLEZI_URL_PAIR]
    for name in TWO_WAY:
        shipped = next(it for it in DEFAULT_MAPPING.pairs if it.plezi == name)
        if name != without:
            lines.append(
                FieldPair(
                    name,
                    shipped.salesforce,
                    Direction.BOTH,
                    contact=shipped.contact,
                    policy=policies[name],
                    placeholder=shipped.placeholder,
                )
            )
    lines.append(FieldPair("function", "Title", Direction.TO_SALESFORCE, contact="Title"))
    lines.append(
        FieldPair(
            "newsletter_optout",
            "newsletter_optout__c",
            Direction.BOTH,
            contact="newsletter_optout__c",
            policy=ConflictPolicy.MOST_RESTRICTIVE,
        )
    )
    return MappingConfig(version, tuple(lines), DEFAULT_MAPPING.contact_filter)


SIDES: Final = ("plezi", "salesforce")
CLOSE_SHARE: Final = 0.5
OTHERS_SHARE: Final = 0.45
OVERLAP_SHARE: Final = 0.15
"""Of the runs: those that a second process overtakes."""
CLOSE: Final = (5, 6, 1, 8, 2, 1)
LOSING: Final = frozenset(
    {"reset_after_commit", "timeout_after_commit", "reset_after", "timeout_after", "empty_body",
     "stale"}
)  # fmt: skip
"""Faults after which nobody knows whether a write was done, or sees it late."""
PEOPLE: Final = (
    ("edit", 40), ("clear", 8), ("create", 10), ("touch", 4), ("email", 4), ("delete", 3),
    ("undelete", 3), ("convert", 3), ("twin", 2), ("merge", 2), ("optout", 3), ("form", 5),
    ("score", 3), ("late_edit", 4), ("contact", 2), ("flag", 2), ("retype", 8),
)  # fmt: skip
OTHERS: Final = (
    ("run", 30), ("fault", 10), ("wait", 8), ("kill_sessions", 1), ("mapping", 1), ("full", 2),
    ("selected", 2), ("hint", 3), ("flow", 3), ("validation", 1), ("password", 1), ("again", 2),
    ("clock", 1), ("lose", 1),
)  # fmt: skip


def draw(seed: int) -> EventList:
    """Draw a history from a seed. The same seed always gives the same one.

    Every other history is *close*: one person and one field, edits taken back, and runs that die
    just after a write or never hear its answer. The others are wide.
    """
    chance = random.Random(seed)  # noqa: S311  # a story, not a secret
    close = chance.random() < CLOSE_SHARE
    people = 1 if close else chance.randint(1, 3)
    events = [Event("create", who, chance.choice(SIDES)) for who in range(people)]
    if close:
        if chance.random() < OTHERS_SHARE:
            events.append(_losing(chance))
        events.append(Event("run", extra=(False, 0)))
    for _ in range(chance.randint(4, 14)):
        if close:
            events.append(_close(chance))
        elif chance.random() < OTHERS_SHARE:
            events.append(_other(chance, people))
        else:
            events.append(_by_people(chance, people))
    policies = {name: chance.choice(POLICIES) for name in TWO_WAY}
    return EventList(seed, policies, chance.choice(TENANTS), tuple(events))


def _close(chance: random.Random) -> Event:
    what = chance.choices(("edit", "retype", "late_edit", "run", "fault", "optout"), CLOSE)[0]
    side = chance.choice(SIDES)
    if what == "run":
        die = chance.choice((0, 0, -1, -1, -2, AT_FIRST_PUT, chance.randint(1, 30)))
        overtaken = []
        if chance.random() < OVERLAP_SHARE:
            typed = Event("edit", 0, side, "phone")
            overtaken.append(_overlap(chance, typed))
        return Event("run", value=die, more=tuple(overtaken), extra=(chance.random() < 0.5, 0))
    if what == "fault":
        return _losing(chance)
    return Event(what, 0, side, "phone", chance.randrange(3))


def _overlap(chance: random.Random, typed: Event) -> Event:
    """Somebody types something, and a second process brings it over, between two steps of a run."""
    second = Event("overlap", typed.who, value=chance.randrange(2), more=(typed,))
    return Event("at", value=chance.randint(1, 40), more=(second,))


def _losing(chance: random.Random) -> Event:
    kinds = [it for it in SALESFORCE_FAULTS + PLEZI_FAULTS if it[0] in LOSING]
    kind, options = chance.choice(kinds)
    side = "salesforce" if kind.endswith("commit") else "plezi"
    return Event("fault", side=side, field=kind, extra=options)


def _by_people(chance: random.Random, people: int) -> Event:
    what = chance.choices([w for w, _ in PEOPLE], [n for _, n in PEOPLE])[0]
    return Event(
        what,
        chance.randrange(people),
        chance.choice(("plezi", "salesforce")),
        chance.choice(("phone", "phone", *TWO_WAY, "function")),
        chance.randrange(4),
    )


def _other(chance: random.Random, people: int) -> Event:
    what = chance.choices([w for w, _ in OTHERS], [n for _, n in OTHERS])[0]
    side = chance.choice(("plezi", "salesforce"))
    match what:
        case "run" | "full" | "selected" | "hint":
            return _run(chance, people, what)
        case "fault":
            kinds = SALESFORCE_FAULTS if side == "salesforce" else PLEZI_FAULTS
            kind, options = chance.choice(kinds)
            return Event("fault", side=side, field=kind, value=chance.randrange(3), extra=options)
        case "wait":
            return Event("wait", value=chance.choice((1, 30, 90, 400, 4000, 7200, 30_000)))
        case _:
            name = chance.choice(TWO_WAY)
            return Event(what, chance.randrange(people), side, name, chance.randrange(3))


def _run(chance: random.Random, people: int, what: str) -> Event:
    """A run; perhaps it dies at some step, perhaps somebody types while it works."""
    fate = chance.random()
    die_at = chance.choice((-1, chance.randint(1, 40))) if fate < 0.3 else 0
    meanwhile = []
    while chance.random() < 0.35:
        typed = _by_people(chance, people)
        meanwhile.append(Event("at", value=chance.randint(1, 30), more=(typed,)))
    if chance.random() < OVERLAP_SHARE:
        meanwhile.append(_overlap(chance, _by_people(chance, people)))
    return Event(
        what,
        chance.randrange(people),
        value=die_at,
        more=tuple(meanwhile),
        extra=(chance.random() < 0.5, chance.choice((0, 0, 0, 1, 3))),
    )
