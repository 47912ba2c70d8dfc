"""The events of a history, drawn from a seed, as data: a history can be printed and shortened."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, Final

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, DuplicatePolicy, MappingConfig
from connector.mapping.model import EMAIL_PAIR, PLEZI_URL_PAIR
from local.world.fault_injector import AT_FIRST_PUT
from tests.simulation.history.fields import ALWAYS_MAPPED, FIELDS, TWO_WAY, TYPED

NAMES: Final = ("Ana", "Bob", "Cleo", "Dan")
POLICIES: Final = (
    ConflictPolicy.NEWEST,
    ConflictPolicy.NEWEST,
    ConflictPolicy.NEWEST,
    ConflictPolicy.PLEZI_WINS,
    ConflictPolicy.SALESFORCE_WINS,
    ConflictPolicy.HOLD,
    ConflictPolicy.FILL_BLANK,
)
"""Each two-way pair takes one of these; `newest`, the default, most often."""
DUPLICATES: Final = (
    *(DuplicatePolicy.MIRROR,) * 6,
    DuplicatePolicy.SURVIVOR,
    DuplicatePolicy.HOLD,
)
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
    """A whole history before it runs: the first mapping, the tenant, the events in order.

    `policies` holds the conflict policy of each mapped field, by its attribute in Plezi.
    `page_size` is the number of contacts on a page of Plezi's list.
    """

    seed: int
    policies: dict[str, ConflictPolicy]
    tenant: dict[str, Any]
    events: tuple[Event, ...]
    duplicates: DuplicatePolicy = DuplicatePolicy.MIRROR
    page_size: int = 3


def name_of(person: int) -> str:
    """Return the name of a person by its number."""
    return NAMES[person] if person < len(NAMES) else f"Person{person}"


def build_mapping(events: EventList) -> MappingConfig:
    """Return the first mapping of a history: small, with every kind of field pair."""
    pairs = [EMAIL_PAIR, PLEZI_URL_PAIR]
    pairs += [FIELDS[name].pair(policy) for name, policy in events.policies.items()]
    return MappingConfig(
        0, tuple(pairs), DEFAULT_MAPPING.contact_filter, duplicates=events.duplicates
    )


SIDES: Final = ("plezi", "salesforce")
NARROW_SHARE: Final = 0.45
"""Share of the histories that are narrow (see `draw`)."""
LARGE_SHARE: Final = 0.02
"""Share of the histories with tens of people: several pages, units and slices of 100."""
HUGE_SHARE: Final = 0.002
"""Share of the histories with more people than a call to Salesforce takes (200 records)."""
TYPED_FIELDS: Final = (0, 1, 2, 3)
"""How many fields of other types a wide history maps."""
RESTRICTIVE_SHARE: Final = 0.8
"""Share of the histories in which the opt-out has the policy `most_restrictive`."""
DAY: Final = 86_400
WAITS: Final = (1, 30, 90, 400, 4000, 7200, 30_000, DAY, 3 * DAY, 21 * DAY)
"""Seconds that pass at once: up to weeks."""
SYSTEM_EVENT_SHARE: Final = 0.45
OVERLAP_SHARE: Final = 0.15
"""Share of the runs during which a second process works."""
CRASH_SHARE: Final = 0.3
THIRD_SHARE: Final = 0.15
"""Share of the overlaps in which a third process works too."""
ADMIN_SHARE: Final = 0.1
"""Share of the acts during a run that are those of an admin."""
RUN_KINDS: Final = ("run", "full_run", "selected_run", "hint", "dry_run")
USER_ACTION_DURING_RUN_SHARE: Final = 0.35
NARROW_KINDS: Final = ("edit", "retype", "late_edit", "run", "fault", "opt_out", "decide_all")
NARROW_WEIGHTS: Final = (10, 12, 2, 16, 4, 2, 1)
UNCERTAIN_FAULTS: Final = frozenset(
    {"reset_after_commit", "timeout_after_commit", "reset_after", "timeout_after", "empty_body",
     "stale"}
)  # fmt: skip
"""Faults after which the outcome of a write is unknown, or its result is visible late."""
USER_ACTIONS: Final = (
    ("edit", 40), ("clear", 8), ("create", 10), ("edit_unmapped", 3), ("change_email", 4),
    ("clear_email", 2), ("delete", 3), ("undelete", 3), ("convert", 3), ("create_duplicate", 2),
    ("merge", 2), ("opt_out", 3), ("opt_in", 2), ("submit_form", 5), ("change_score", 3),
    ("late_edit", 4), ("create_contact", 2), ("create_second_contact", 1), ("toggle_flag", 2),
    ("retype", 8), ("change_contact_email", 2), ("convert_into_contact", 2),
    ("opt_out_and_leave", 3),
)  # fmt: skip
"""Kinds of user actions with their weights."""
OTHER_PLACES: Final = ("contact", "contact", "duplicate", "second contact")
"""Records of Salesforce beside the first Lead, in which users act too."""
ACTS_ELSEWHERE: Final = frozenset(
    {"edit", "retype", "clear", "opt_out", "opt_in", "edit_unmapped", "delete", "undelete"}
)
ELSEWHERE_SHARE: Final = 0.15
MAPPING_CHANGES: Final = (
    ("remove_pair", 2), ("add_pair", 2), ("repoint_pair", 2), ("swap_pairs", 1),
    ("change_direction", 2), ("change_policy", 2),
)  # fmt: skip
SCHEMA_CHANGES: Final = (
    ("withdraw_field", 2), ("restore_field", 2), ("retype_field", 1), ("rename_field", 1),
    ("add_field", 1),
)  # fmt: skip
DECISIONS: Final = (("decide", 4), ("decide_all", 2), ("retry_all", 1), ("pick_primary", 1))
SYSTEM_EVENTS: Final = (
    ("run", 40), ("fault", 12), ("wait", 10), ("expire_sessions", 1), ("full_run", 3),
    ("selected_run", 3), ("dry_run", 2), ("hint", 4), ("add_flow", 3), ("add_validation_rule", 1),
    ("reset_password", 1), ("redeliver", 2), ("clock_jump", 1), ("lose_ledger", 1),
    *MAPPING_CHANGES, *SCHEMA_CHANGES, *DECISIONS,
)  # fmt: skip
"""Kinds of all other events with their weights."""
ALL_ACTS: Final = frozenset(
    kind for kind, _ in (*USER_ACTIONS, *SYSTEM_EVENTS)
) | {"overlap", "crash", "stop_in_time", "act_during_run", "large", "huge", "typed_fields",
     "duplicate_policies", "fill_blank", "act_elsewhere"}  # fmt: skip
"""Everything that a history may contain, by name; `draw` can leave some of it out."""


def allowed(names: Sequence[str] = (), without: Sequence[str] = ()) -> frozenset[str]:
    """Return the acts with these names (none given: all acts), without others.

    Raises `ValueError` for an unknown name.
    """
    if unknown := ({*names, *without} - ALL_ACTS):
        raise ValueError(f"no acts {sorted(unknown)}; known: {', '.join(sorted(ALL_ACTS))}")
    return (frozenset(names) or ALL_ACTS) - frozenset(without)


def draw(seed: int, acts: frozenset[str] = ALL_ACTS) -> EventList:
    """Draw a history from a seed. The same seed and acts always give the same history.

    Almost half of the histories are *narrow*: one person and one field, edits that are reverted,
    and runs that crash just after a write or lose its response. The others use all events; a few of
    them have tens or hundreds of people.
    """
    places = random.Random(f"places {seed}")  # noqa: S311  # a test history, not a secret
    return _Drawing(random.Random(seed), places, acts).draw(seed)  # noqa: S311  # as above


class _Drawing:
    """Draws one history with some of all acts."""

    def __init__(self, rng: random.Random, places: random.Random, acts: frozenset[str]) -> None:
        self._rng = rng
        self._places = places
        self._acts = acts
        self._persons = 1
        self._fields: tuple[str, ...] = ALWAYS_MAPPED

    def draw(self, seed: int) -> EventList:
        """Return the whole history."""
        rng = self._rng
        shape = rng.random()
        narrow = shape < NARROW_SHARE
        self._persons = 1 if narrow else self._number_of_people(shape)
        many = self._persons > len(NAMES)
        if not narrow and "typed_fields" in self._acts:
            typed = rng.sample(TYPED, rng.choice(TYPED_FIELDS))
            self._fields = (*ALWAYS_MAPPED, *typed)
        events = self._creations(many=many)
        if narrow:
            if rng.random() < SYSTEM_EVENT_SHARE:
                events += self._filtered(_uncertain_fault(rng))
            events.append(Event("run"))
        for _ in range(rng.randint(4, 14)):
            if narrow:
                events += self._filtered(self._narrow_event())
            elif rng.random() < SYSTEM_EVENT_SHARE:
                events += self._filtered(self._system_event())
            else:
                events += self._filtered(self._user_action())
        duplicates = rng.choice(DUPLICATES)
        if narrow or "duplicate_policies" not in self._acts:
            duplicates = DuplicatePolicy.MIRROR
        return EventList(
            seed,
            self._policies(),
            rng.choice(TENANT_VARIANTS),
            tuple(events),
            duplicates,
            page_size=25 if many else 3,
        )

    def _number_of_people(self, shape: float) -> int:
        rng = self._rng
        if shape > 1 - HUGE_SHARE and "huge" in self._acts:
            return rng.randint(205, 230)
        if shape > 1 - HUGE_SHARE - LARGE_SHARE and "large" in self._acts:
            return rng.randint(20, 60)
        return rng.randint(1, 3)

    def _creations(self, *, many: bool) -> list[Event]:
        """Return how people come into being; most of many come from Plezi, as an import does."""
        rng = self._rng
        sides = ("plezi",) * 7 + ("salesforce",) if many else SIDES
        return [Event("create", person, rng.choice(sides)) for person in range(self._persons)]

    def _policies(self) -> dict[str, ConflictPolicy]:
        rng = self._rng
        choices = [it for it in POLICIES if "fill_blank" in self._acts or it.value != "fill_blank"]
        policies = {name: rng.choice(choices) for name in self._fields}
        policies["function"] = ConflictPolicy.NEWEST
        if rng.random() < RESTRICTIVE_SHARE:
            policies["newsletter_optout"] = ConflictPolicy.MOST_RESTRICTIVE
        return policies

    def _filtered(self, event: Event) -> list[Event]:
        """Return an event without what the acts leave out."""
        if event.kind not in self._acts and event.kind != "at":
            return []
        value = event.value
        if event.kind in RUN_KINDS and "crash" not in self._acts:
            value = 0
        nested = event.nested if "act_during_run" in self._acts or event.kind == "overlap" else ()
        kept = tuple(it for each in nested for it in self._filtered(each))
        if event.kind in ("at", "overlap") and not kept:
            return []
        in_time = event.checks_in_time if "stop_in_time" in self._acts else 0
        return [replace(event, value=value, nested=kept, checks_in_time=in_time)]

    def _narrow_event(self) -> Event:
        rng = self._rng
        kind = rng.choices(NARROW_KINDS, NARROW_WEIGHTS)[0]
        side = rng.choice(SIDES)
        if kind == "run":
            crash_at = rng.choice((0, 0, -1, -1, -2, AT_FIRST_PUT, rng.randint(1, 30)))
            nested = []
            if rng.random() < OVERLAP_SHARE:
                nested.append(self._overlap(Event("edit", 0, side, "phone", rng.randrange(3))))
            after = rng.random() < 0.5
            return Event("run", value=crash_at, nested=tuple(nested), crash_after=after)
        if kind == "fault":
            return _uncertain_fault(rng)
        return Event(kind, 0, side, "phone", rng.randrange(3))

    def _overlap(self, action: Event) -> Event:
        """Return a user action and a run of a second process, between two steps of a run.

        Sometimes a third process works while the second one waits.
        """
        rng = self._rng
        nested = [action]
        if rng.random() < THIRD_SHARE:
            nested.append(Event("overlap", action.person, value=rng.randrange(2), nested=(action,)))
        overlap = Event("overlap", action.person, value=rng.randrange(2), nested=tuple(nested))
        return Event("at", value=rng.randint(1, 40), nested=(overlap,))

    def _user_action(self) -> Event:
        rng = self._rng
        kinds, weights = zip(*USER_ACTIONS, strict=True)
        kind = rng.choices(kinds, weights)[0]
        fields = ("phone", *TWO_WAY, *self._fields)
        act = Event(
            kind, rng.randrange(self._persons), rng.choice(SIDES), rng.choice(fields),
            rng.randrange(4),
        )  # fmt: skip
        return self._elsewhere(act)

    def _elsewhere(self, act: Event) -> Event:
        """Return an act, sometimes in another record of the person in Salesforce."""
        is_drawn = self._places.random() < ELSEWHERE_SHARE
        place = self._places.choice(OTHER_PLACES)
        if not is_drawn or act.kind not in ACTS_ELSEWHERE or "act_elsewhere" not in self._acts:
            return act
        return replace(act, side=place)

    def _system_event(self) -> Event:
        rng = self._rng
        kinds, weights = zip(*SYSTEM_EVENTS, strict=True)
        kind = rng.choices(kinds, weights)[0]
        side = rng.choice(SIDES)
        if kind in RUN_KINDS:
            return self._run(kind)
        match kind:
            case "fault":
                faults = SALESFORCE_FAULTS if side == "salesforce" else PLEZI_FAULTS
                fault, options = rng.choice(faults)
                return Event(
                    "fault", side=side, field=fault, value=rng.randrange(3), options=options
                )
            case "wait":
                return Event("wait", value=rng.choice(WAITS))
            case "add_flow" | "add_validation_rule" | "clock_jump":
                name = rng.choice(TWO_WAY)
                return Event(kind, rng.randrange(self._persons), side, name, rng.randrange(3))
            case _:
                name = rng.choice((*self._fields, *TYPED))
                return Event(kind, rng.randrange(self._persons), side, name, rng.randrange(60))

    def _run(self, kind: str) -> Event:
        """Return a run that may crash at a step, with the events that happen while it works."""
        rng = self._rng
        crashes = rng.random() < CRASH_SHARE
        crash_at = rng.choice((-1, rng.randint(1, 40))) if crashes else 0
        nested = []
        while rng.random() < USER_ACTION_DURING_RUN_SHARE:
            act = self._user_action()
            if rng.random() < ADMIN_SHARE:
                kinds, weights = zip(*MAPPING_CHANGES, *DECISIONS, strict=True)
                act = replace(act, kind=rng.choices(kinds, weights)[0], value=rng.randrange(60))
            nested.append(Event("at", value=rng.randint(1, 30), nested=(act,)))
        if rng.random() < OVERLAP_SHARE:
            nested.append(self._overlap(self._user_action()))
        return Event(
            kind,
            rng.randrange(self._persons),
            value=crash_at,
            nested=tuple(nested),
            crash_after=rng.random() < 0.5,
            checks_in_time=rng.choice((0, 0, 0, 1, 2, 3, 5, 8)),
        )


def _uncertain_fault(rng: random.Random) -> Event:
    faults = [it for it in SALESFORCE_FAULTS + PLEZI_FAULTS if it[0] in UNCERTAIN_FAULTS]
    fault, options = rng.choice(faults)
    side = "salesforce" if fault.endswith("commit") else "plezi"
    return Event("fault", side=side, field=fault, options=options)
