"""The scenarios: what there is to do, and under which circumstances."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from connector.model import RunKind
from local.rehearsal import populations
from local.rehearsal.dynamodb.faults import Throttling
from local.rehearsal.network import Latencies
from local.rehearsal.world import Conditions, World
from local.template_settings import template_value

PLEZI_PAGE: Final = 100
SALESFORCE_PAGE: Final = 2000
LOOK_UP: Final = 500
"""People whom one call to Salesforce reads or searches before they are written: five queries, each
with about 16 KB of URL."""
CONTACT_PAGES: Final = 1
"""Pages of Contacts in each run of the schedule; no Contact changed."""
COLLECTION: Final = 200
FORMS: Final = 40
FIRST_FORM_SECONDS: Final = 20.0
FORM_EVERY_SECONDS: Final = 3.0
ADMIN_REQUESTS: Final = 20
FIRST_ADMIN_SECONDS: Final = 15.0
ADMIN_EVERY_SECONDS: Final = 7.0
SLOW_PLEZI_SECONDS: Final = 1.6
SLOW_RATE: Final = 0.5
SLOW_QUERY_SECONDS: Final = 25.0
THROTTLED_SECONDS: Final = 5.0
THROTTLED_EVERY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done at least: people concerned, and calls that cannot be avoided.

    `created_contacts` and `changed_contacts` are writes to Plezi, `pages` and `collections` the
    fewest calls for reading and writing records in bulk.
    """

    people: int
    created_contacts: int = 0
    changed_contacts: int = 0
    plezi_pages: int = 0
    salesforce_pages: int = 0
    collections: int = 0

    @property
    def plezi_calls(self) -> int:
        """Calls to Plezi: search and creation, or update, of each contact, and the pages."""
        return 2 * self.created_contacts + self.changed_contacts + self.plezi_pages

    def seconds(self, conditions: Conditions) -> float:
        """Return the time that these calls take one after another, at the pace that is allowed."""
        latencies = conditions.latencies
        default = template_value("PleziCallsPerSecond")
        rate = float(str(conditions.settings.get("plezi_calls_per_second", default)))
        plezi = max(latencies.plezi, 1 / rate if rate else 0.0)
        queries = self.salesforce_pages + _pages(self.people, LOOK_UP)
        return (
            self.plezi_calls * plezi
            + queries * latencies.salesforce_query
            + self.collections * latencies.salesforce_write
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work: `prepare` fills the world, `begin` lets it start; people are a number."""

    name: str
    people: int
    """The number of people by default."""
    title: str
    prepare: Callable[[World, int], Work]
    begin: Callable[[World, int], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """Circumstances: latencies, settings, and bursts in which the tables are throttled."""

    name: str
    title: str
    latencies: Latencies = field(default_factory=Latencies)
    settings: Mapping[str, object] = field(default_factory=dict)
    throttling: tuple[Throttling, ...] = ()
    index_lag: float = 0.0

    @property
    def stretch(self) -> float:
        """By how much the bursts make all work longer: nothing can be recorded in them."""
        shares = [1 - each.seconds / each.every for each in self.throttling if each.every]
        return 1 / math.prod(shares)

    def conditions(self) -> Conditions:
        """Return the circumstances for the world."""
        return Conditions(self.latencies, dict(self.settings))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of work under some circumstances, with a number of people."""

    kind: Kind
    variant: Variant
    people: int

    @property
    def name(self) -> str:
        """The name, such as `new-leads` or `new-leads/slow-plezi`."""
        return self.kind.name + (f"/{self.variant.name}" if self.variant.name else "")


def _pages(number: int, size: int) -> int:
    return max(1, math.ceil(number / size))


def _begin_schedule(world: World, _people: int) -> None:
    world.start_schedule()


def _new_contacts(world: World, people: int) -> Work:
    world.tenant.load(people)
    return Work(
        people,
        plezi_pages=_pages(people, PLEZI_PAGE),
        salesforce_pages=1 + CONTACT_PAGES,
        collections=_pages(people, COLLECTION),
    )


def _new_leads(world: World, people: int) -> Work:
    world.org.load(leads=people)
    return Work(
        people,
        created_contacts=people,
        plezi_pages=1,
        salesforce_pages=_pages(people, SALESFORCE_PAGE) + CONTACT_PAGES,
        collections=_pages(people, COLLECTION),
    )


def _changed(world: World, people: int) -> Work:
    populations.establish(world, 2 * people)
    populations.edit_contacts(world, 0, people)
    populations.edit_leads(world, people, people)
    return Work(
        2 * people,
        changed_contacts=people,
        plezi_pages=_pages(people, PLEZI_PAGE),
        salesforce_pages=_pages(people, SALESFORCE_PAGE) + CONTACT_PAGES,
        collections=_pages(people, COLLECTION),
    )


def _selected(world: World, people: int) -> Work:
    populations.establish(world, people)
    populations.edit_leads(world, 0, people)
    return Work(people, changed_contacts=people, salesforce_pages=_pages(people, COLLECTION))


def _begin_selected(world: World, people: int) -> None:
    emails = world.org.state.store.run(
        "SELECT lower(Email) FROM Lead WHERE IsDeleted = 0 ORDER BY Email LIMIT ?", (people,)
    ).fetchall()
    world.request_run(RunKind.SELECTED, emails=[email for (email,) in emails])


def _begin_with_forms(world: World, _people: int) -> None:
    world.start_schedule()
    for number in range(FORMS):
        seconds = FIRST_FORM_SECONDS + number * FORM_EVERY_SECONDS
        world.later(seconds, partial(world.submit_form, number))


def _begin_with_all(world: World, people: int) -> None:
    """Begin with forms; request two runs at once beside the schedule's; an admin reads fields."""
    _begin_with_forms(world, people)
    for _ in range(2):
        world.request_run()
    for number in range(ADMIN_REQUESTS):
        seconds = FIRST_ADMIN_SECONDS + number * ADMIN_EVERY_SECONDS
        world.later(seconds, partial(world.call_admin, "/admin/fields", refresh="true"))


def _forms(world: World, people: int) -> Work:
    work = _new_leads(world, people)
    return replace(work, people=people + FORMS)


KINDS: Final = (
    Kind(
        "new-contacts",
        20_000,
        "first sync of Plezi contacts into an empty org",
        _new_contacts,
        _begin_schedule,
    ),
    Kind("new-leads", 20_000, "new Leads, an empty tenant", _new_leads, _begin_schedule),
    Kind("changed", 5_000, "changed on each side of established people", _changed, _begin_schedule),
    Kind(
        "selected",
        200,
        "`selected` run of people changed in Salesforce",
        _selected,
        _begin_selected,
    ),
    Kind("forms", 600, "40 forms beside a run of new Leads", _forms, _begin_with_forms),
    Kind("everything", 600, "two runs, 40 forms and an admin at once", _forms, _begin_with_all),
)
VARIANTS: Final = (
    Variant("", ""),
    Variant(
        "slow-plezi",
        "Plezi answers in 1.6 s",
        latencies=Latencies(plezi=SLOW_PLEZI_SECONDS),
    ),
    Variant(
        "low-rate",
        "Plezi allows 0.5 calls/s",
        settings={"plezi_calls_per_second": SLOW_RATE},
    ),
    Variant(
        "throttled",
        "the tables are throttled for 5 s of each minute",
        throttling=(Throttling(THROTTLED_SECONDS, every=THROTTLED_EVERY_SECONDS),),
    ),
    Variant(
        "slow-org",
        "Salesforce answers a query in 25 s",
        latencies=Latencies(salesforce_query=SLOW_QUERY_SECONDS),
    ),
    Variant("index-lag", "the indexes are 1 s behind", index_lag=1.0),
)


def scenarios(people: int | None = None) -> Iterator[Scenario]:
    """Return every kind of work under all circumstances, with the default number of people."""
    for kind in KINDS:
        for variant in VARIANTS:
            yield Scenario(kind, variant, kind.people if people is None else people)
