"""A fault in any step of one person: all others arrive, and that one is in quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from moto import mock_aws

from connector.bootstrap import build_app
from connector.errors import StopReason
from connector.first_sync import ALL_PEOPLE, FirstSync, save_first_sync
from connector.log_events import Event
from connector.model import Link, ProblemCode, RunKind, RunState
from connector.sync import isolation, run_work
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.harness import REGION, Harness
from tests.component.memory_dynamodb import dynamodb_in_memory
from tests.fault_stories import STORIES, Story, dry, email
from tests.injected_faults import (
    NOT_STEPS,
    OTHER_CALLERS,
    STORING,
    UNKEYED,
    FaultInjector,
    Step,
    targets,
)

BYSTANDERS: Final = 12
QUICK_STORIES: Final = ("first meeting from Plezi", "form")
NO_LIMIT: Final = 10_000
OBSERVED: Final = 3
"""People of the run that shows which steps there are."""


def person(number: int) -> str:
    return f"p{number:03d}x"


class Stage:
    """A harness with a log, and the people of one story in it."""

    def __init__(self, harness: Harness, patch: pytest.MonkeyPatch) -> None:
        self.harness = harness
        self.events: list[tuple[Event, dict[str, Any]]] = []
        self.injector = FaultInjector()
        # Most people of these runs have a fault: neither a limit nor a stage stops them.
        settings = replace(harness.settings, max_cleared=NO_LIMIT, max_overwritten=NO_LIMIT)
        harness.app = build_app(settings, **{**harness.runtime, "log": self._log})
        harness.context, harness.engine = harness.app.context, harness.app.engine
        save_first_sync(harness.ledger, FirstSync(ALL_PEOPLE))
        self._patch = patch

    def _log(self, event: Event, **fields: Any) -> None:
        self.events.append((event, fields))

    def prepare(self, story: Story, people: list[str]) -> None:
        self._patch.setattr(run_work, "FEW_PEOPLE", story.few_people)
        story.prepare(self.harness, people)
        self.name_records()

    def install(self, faults: dict[str, Step]) -> None:
        """Let steps fail; without faults, observe them."""
        self.injector.faults = dict(faults)
        if faults:
            self.injector.functions = frozenset(step.function for step in faults.values())
        self.injector.install(self._patch)

    def name_records(self) -> None:
        """Tell the injector whose records the ids belong to."""
        known = {each["id"]: address for address, each in self.harness.people().items()}
        known |= {each["Id"]: each["Email"] or "" for each in self.harness.leads()}
        self.injector.people = {record: address[:5].lower() for record, address in known.items()}

    def links(self) -> dict[str, Link]:
        """Return the link of each person, under the old or the new e-mail."""
        names = [person(number) for number in range(500)]
        addresses = [*map(email, names), *(f"{name}new@example.com" for name in names)]
        links = self.harness.ledger.load_links(addresses)
        return {address[:5]: link for address, link in links.items()}

    def phones(self) -> dict[str, set[str | None]]:
        """Return the phones of each person in both systems."""
        found: dict[str, set[str | None]] = {}
        for address, contact in self.harness.people().items():
            found.setdefault(address[:5], set()).add(contact["phone"])
        for lead in self.harness.leads():
            found.setdefault((lead["Email"] or "")[:5], set()).add(lead["Phone"])
        return found

    def missing(self, link: Link | None, phones: set[str | None]) -> str:
        """Return what is left to do for a person; '' if nothing is."""
        if link is None:
            return "no link"
        if link.quarantine is not None:
            return f"in quarantine: {link.quarantine.code}, {link.quarantine.remedy}"
        if link.dirty or link.intent is not None:
            return "dirty" if link.dirty else "an intent"
        active = [each for each in link.observations() if each.participates]
        sides = {each.side for each in active}
        if len(sides) == 1 and not any(each.deleted for each in link.observations()):
            return f"only in {active[0].side.value}"
        return "the phones differ" if len(phones) > 1 and not link.holds else ""

    def all_missing(self, people: Iterable[str]) -> list[str]:
        links, phones = self.links(), self.phones()
        return [
            f"{it}: {why}"
            for it in people
            if (why := self.missing(links.get(it), phones.get(it, set())))
        ]

    def retry(self) -> None:
        """Retry all people in quarantine, as an administrator does."""
        ADMIN.use(build_admin_context(self.harness))
        page = {"next": ""}
        while True:
            decided = AdminClient().request_ok("POST", "/admin/attention/quarantine", page)
            if decided["run_id"]:
                self.harness.run_phase(decided["run_id"])
            if not decided["next"]:
                break
            page = {"next": decided["next"]}
        ADMIN.use(None)

    @property
    def unreadable(self) -> bool:
        """Whether the log has a record without a known link."""
        return any(event is Event.record_unreadable for event, _ in self.events)

    def failed(self) -> set[str]:
        """Return the hashed keys of the links with a logged fault."""
        return {fields["link"] for event, fields in self.events if event is Event.link_failed}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@contextmanager
def new_stage() -> Iterator[Stage]:
    """Start with empty systems and an empty ledger."""
    with mock_aws(), dynamodb_in_memory(), pytest.MonkeyPatch.context() as patch:
        yield Stage(Harness(), patch)


def observe(story: Story) -> FaultInjector:
    """Let some people make a story without faults."""
    people = [person(number) for number in range(OBSERVED)]
    with new_stage() as stage:
        stage.prepare(story, people)
        stage.install({})
        story.run(stage.harness, people)
    for other in story.like:
        stage.injector.batches |= observe(other).batches
    return stage.injector


def steps_of(observed: FaultInjector) -> list[Step]:
    """Return the steps that are made for each person alone."""
    return sorted(
        step
        for step, people in observed.reached.items()
        if len(people) == OBSERVED
        and step.function not in observed.batches | NOT_STEPS.keys()
        and not step.caller.startswith(tuple(OTHER_CALLERS))
    )


def story_parameter(story: Story) -> object:
    """Return the parameter of a story; half a minute each, most are for `make nightly`."""
    marks = [] if story.name in QUICK_STORIES else [pytest.mark.nightly]
    return pytest.param(story, id=story.name, marks=marks)


@pytest.mark.parametrize("story", [story_parameter(story) for story in STORIES])
def test_a_fault_in_any_step_of_one_person_stops_nobody_else(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every victim has a fault in another step; all of them are in the same pages and batches."""
    monkeypatch.setattr(isolation, "MAX_FAULTS", 1000)
    steps = steps_of(observe(story))
    victims = {person(number): step for number, step in enumerate(steps, BYSTANDERS)}
    bystanders = [person(number) for number in range(BYSTANDERS)]
    with new_stage() as stage:
        stage.prepare(story, [*bystanders, *victims])
        typed = stage.phones()
        stage.install(victims)

        run = story.run(stage.harness, [*bystanders, *victims])

        assert run is None or run.state is RunState.DONE, run.message
        assert [f"{it}: {victims[it]}" for it in victims if it not in stage.injector.hits] == []
        if story.run is not dry:
            assert stage.all_missing(bystanders) == []
        assert not_isolated(stage, victims, stores=story.run is not dry) == []
        after = stage.phones()
        assert [f"{it}: {victims[it]}" for it in victims if not after[it] <= typed[it]] == []

        stage.injector.faults = {}
        stage.harness.let_pass(600)  # intents of that run are abandoned now
        stage.retry()
        stage.harness.sync(kind=RunKind.FULL)

        late = stage.all_missing([*victims, *bystanders])
        assert [f"{it}, {victims.get(it[:5])}" for it in late] == []


def not_isolated(stage: Stage, victims: dict[str, Step], *, stores: bool) -> list[str]:
    """Return the victims that are not in quarantine because of a defect, or not in the log."""
    links, failed = stage.links(), stage.failed()
    found = []
    for name, step in victims.items():
        link = links.get(name)
        quarantine = link.quarantine if link is not None else None
        if link is None and (step.function.startswith(UNKEYED) or step.caller.startswith(UNKEYED)):
            if not stage.unreadable:
                found.append(f"{name}: {step}: no unreadable record in the log")
            continue
        is_storable = stores and not any(
            name.startswith(STORING) for name in (step.function, step.caller)
        )
        if is_storable and quarantine is None:
            found.append(f"{name}: {step}: not in quarantine")
        elif quarantine is not None and quarantine.code != ProblemCode.DEFECT:
            found.append(f"{name}: {step}: in quarantine as {quarantine.code}")
        names = map(stage.harness.context.log_name, (email(name), f"{name}new@example.com"))
        if failed.isdisjoint(names):
            found.append(f"{name}: {step}: not in the log")
    return found


def test_many_faults_open_the_breaker_until_an_administrator_lets_runs_go_on() -> None:
    """More than 20 people and 5 % of all: the cause is common, and one of the connector."""
    victims = {
        person(number): Step("planning.plan.plan_link", "sync.resolve_unit.UnitResolver._plan")
        for number in range(BYSTANDERS, BYSTANDERS + 25)
    }
    bystanders = [person(number) for number in range(BYSTANDERS)]
    with new_stage() as stage:
        STORIES[0].prepare(stage.harness, [*bystanders, *victims])
        stage.name_records()
        stage.install(victims)

        halted = stage.harness.sync()

        assert (halted.state, halted.reason) == (RunState.HALTED, StopReason.DEFECT)
        assert stage.harness.sync().state is RunState.HALTED
        ADMIN.use(build_admin_context(stage.harness))
        client = AdminClient()
        assert client.request_ok("GET", "/admin/status")["breaker"]["reason"] == "defect"
        released = client.request_ok("POST", "/admin/breaker/release", {"intended": True})
        assert released["defects_allowed_until"] > stage.harness.clock()
        stage.harness.let_pass(600)  # the run that was halted stored intents

        assert stage.harness.sync(kind=RunKind.FULL).state is RunState.DONE

        assert stage.all_missing(bystanders) == []
        assert not_isolated(stage, victims, stores=True) == []
        ADMIN.use(None)


def test_every_function_that_is_no_step_exists() -> None:
    """Every other function is a step as soon as a story reaches it for each person alone."""
    names = {target.name for target in targets()}
    assert NOT_STEPS.keys() <= names
