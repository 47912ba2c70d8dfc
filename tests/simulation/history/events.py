"""The events of a history, drawn from a seed, as data: a history can be printed and shortened."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
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
    ConflictPolicy.NEWEST,
    ConflictPolicy.NEWEST,
    ConflictPolicy.PLEZI_WINS,
    ConflictPolicy.SALESFORCE_WINS,
    ConflictPolicy.HOLD,
)
"""Each two-way pair takes one of these; `newest`, the default, twice as often as each other."""
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
TENANT_VARIANTS: Final[tuple[dict[str, Any], ...]] = (
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
"""Variants of the Plezi tenant (docs/simulators/plezi.md); each history has one of them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its kind, and the arguments that this kind needs.

    `person` is a place in `NAMES`. `value` is a number that each kind uses in its own way: for a
    run it is the step of the crash (0: no crash; see `FaultInjector`), for `wait` it is seconds.
    `nested` are the events during a run or an overlap. `options` are those of a fault. A process
    that crashes at a step crashes before it, or (`crash_after`) after it. `checks_in_time` is how
    many deadline checks a run passes between two that stop it; 0: no check stops it.
    """

    kind: str
    person: int = 0
    side: str = ""
    field: str = ""
    value: int = 0
    nested: tuple[Event, ...] = ()
    options: Mapping[str, Any] = dataclass_field(default_factory=dict)
    crash_after: bool = False
    checks_in_time: int = 0


@dataclass(frozen=True, slots=True)
class EventList:
    """A whole history before it runs: the conflict policies, the tenant, the events in order."""

    seed: int
    policies: dict[str, ConflictPolicy]
    tenant: dict[str, Any]
    events: tuple[Event, ...]


def build_mapping(
    policies: dict[str, ConflictPolicy], *, version: int = 0, without: str = ""
) -> MappingConfig:
    """Return the mapping of a history: small, with every kind of field pair.

    `without` is the Plezi field of a two-way pair that is left out.
    """
    pairs = [EMAIL_PAIR, PLEZI_URL_PAIR]
    for name in TWO_WAY:
        default = next(pair for pair in DEFAULT_MAPPING.pairs if pair.plezi == name)
        if name != without:
            pairs.append(
                FieldPair(
                    name,
                    default.salesforce,
                    Direction.BOTH,
                    contact=default.contact,
                    policy=policies[name],
                    placeholder=default.placeholder,
                )
            )
    pairs.append(FieldPair("function", "Title", Direction.TO_SALESFORCE, contact="Title"))
    pairs.append(
        FieldPair(
            "newsletter_optout",
            "newsletter_optout__c",
            Direction.BOTH,
            contact="newsletter_optout__c",
            policy=ConflictPolicy.MOST_RESTRICTIVE,
        )
    )
    return MappingConfig(version, tuple(pairs), DEFAULT_MAPPING.contact_filter)


SIDES: Final = ("plezi", "salesforce")
NARROW_SHARE: Final = 0.5
"""Share of the histories that are narrow (see `draw`)."""
SYSTEM_EVENT_SHARE: Final = 0.45
OVERLAP_SHARE: Final = 0.15
"""Share of the runs during which a second process works."""
CRASH_SHARE: Final = 0.3
USER_ACTION_DURING_RUN_SHARE: Final = 0.35
NARROW_KINDS: Final = ("edit", "retype", "late_edit", "run", "fault", "opt_out")
NARROW_WEIGHTS: Final = (5, 6, 1, 8, 2, 1)
UNCERTAIN_FAULTS: Final = frozenset(
    {"reset_after_commit", "timeout_after_commit", "reset_after", "timeout_after", "empty_body",
     "stale"}
)  # fmt: skip
"""Faults after which the outcome of a write is unknown, or its result is visible late."""
USER_ACTIONS: Final = (
    ("edit", 40), ("clear", 8), ("create", 10), ("edit_unmapped", 4), ("change_email", 4),
    ("delete", 3), ("undelete", 3), ("convert", 3), ("create_duplicate", 2), ("merge", 2),
    ("opt_out", 3), ("submit_form", 5), ("change_score", 3), ("late_edit", 4),
    ("create_contact", 2), ("toggle_flag", 2), ("retype", 8),
)  # fmt: skip
"""Kinds of user actions with their weights."""
SYSTEM_EVENTS: Final = (
    ("run", 30), ("fault", 10), ("wait", 8), ("expire_sessions", 1), ("save_mapping", 1),
    ("full_run", 2), ("selected_run", 2), ("hint", 3), ("add_flow", 3),
    ("add_validation_rule", 1), ("reset_password", 1), ("redeliver", 2), ("clock_jump", 1),
    ("lose_ledger", 1),
)  # fmt: skip
"""Kinds of all other events with their weights."""


def draw(seed: int) -> EventList:
    """Draw a history from a seed. The same seed always gives the same history.

    Half of the histories are *narrow*: one person and one field, edits that are reverted, and runs
    that crash just after a write or lose its response. The others use all events.
    """
    rng = random.Random(seed)  # noqa: S311  # a test history, not a secret
    narrow = rng.random() < NARROW_SHARE
    persons = 1 if narrow else rng.randint(1, 3)
    events = [Event("create", person, rng.choice(SIDES)) for person in range(persons)]
    if narrow:
        if rng.random() < SYSTEM_EVENT_SHARE:
            events.append(_uncertain_fault(rng))
        events.append(Event("run"))
    for _ in range(rng.randint(4, 14)):
        if narrow:
            events.append(_narrow_event(rng))
        elif rng.random() < SYSTEM_EVENT_SHARE:
            events.append(_system_event(rng, persons))
        else:
            events.append(_user_action(rng, persons))
    policies = {name: rng.choice(POLICIES) for name in TWO_WAY}
    return EventList(seed, policies, rng.choice(TENANT_VARIANTS), tuple(events))


def _narrow_event(rng: random.Random) -> Event:
    kind = rng.choices(NARROW_KINDS, NARROW_WEIGHTS)[0]
    side = rng.choice(SIDES)
    if kind == "run":
        crash_at = rng.choice((0, 0, -1, -1, -2, AT_FIRST_PUT, rng.randint(1, 30)))
        nested = []
        if rng.random() < OVERLAP_SHARE:
            nested.append(_overlap(rng, Event("edit", 0, side, "phone")))
        return Event("run", value=crash_at, nested=tuple(nested), crash_after=rng.random() < 0.5)
    if kind == "fault":
        return _uncertain_fault(rng)
    return Event(kind, 0, side, "phone", rng.randrange(3))


def _overlap(rng: random.Random, action: Event) -> Event:
    """Return a user action and a run of a second process, between two steps of a run."""
    overlap = Event("overlap", action.person, value=rng.randrange(2), nested=(action,))
    return Event("at", value=rng.randint(1, 40), nested=(overlap,))


def _uncertain_fault(rng: random.Random) -> Event:
    faults = [it for it in SALESFORCE_FAULTS + PLEZI_FAULTS if it[0] in UNCERTAIN_FAULTS]
    fault, options = rng.choice(faults)
    side = "salesforce" if fault.endswith("commit") else "plezi"
    return Event("fault", side=side, field=fault, options=options)


def _user_action(rng: random.Random, persons: int) -> Event:
    kinds, weights = zip(*USER_ACTIONS, strict=True)
    kind = rng.choices(kinds, weights)[0]
    return Event(
        kind,
        rng.randrange(persons),
        rng.choice(SIDES),
        rng.choice(("phone", "phone", *TWO_WAY, "function")),
        rng.randrange(4),
    )


def _system_event(rng: random.Random, persons: int) -> Event:
    kinds, weights = zip(*SYSTEM_EVENTS, strict=True)
    kind = rng.choices(kinds, weights)[0]
    side = rng.choice(SIDES)
    match kind:
        case "run" | "full_run" | "selected_run" | "hint":
            return _run(rng, persons, kind)
        case "fault":
            faults = SALESFORCE_FAULTS if side == "salesforce" else PLEZI_FAULTS
            fault, options = rng.choice(faults)
            return Event("fault", side=side, field=fault, value=rng.randrange(3), options=options)
        case "wait":
            return Event("wait", value=rng.choice((1, 30, 90, 400, 4000, 7200, 30_000)))
        case _:
            name = rng.choice(TWO_WAY)
            return Event(kind, rng.randrange(persons), side, name, rng.randrange(3))


def _run(rng: random.Random, persons: int, kind: str) -> Event:
    """Return a run that may crash at a step, with the events that happen while it works."""
    crashes = rng.random() < CRASH_SHARE
    crash_at = rng.choice((-1, rng.randint(1, 40))) if crashes else 0
    nested = []
    while rng.random() < USER_ACTION_DURING_RUN_SHARE:
        action = _user_action(rng, persons)
        nested.append(Event("at", value=rng.randint(1, 30), nested=(action,)))
    if rng.random() < OVERLAP_SHARE:
        nested.append(_overlap(rng, _user_action(rng, persons)))
    return Event(
        kind,
        rng.randrange(persons),
        value=crash_at,
        nested=tuple(nested),
        crash_after=rng.random() < 0.5,
        checks_in_time=rng.choice((0, 0, 0, 1, 3)),
    )
