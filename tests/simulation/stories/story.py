"""Stories: drawn from a seed, played act by act, and shrunk to the acts that break a rule."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Final

from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy, FieldKind
from tests.simulation.stories.configuration import Configuration
from tests.simulation.stories.person import Person, ViolationError
from tests.simulation.stories.records import Records
from tests.simulation.stories.run import run

Act = tuple[str, ...]
"""The name of an act and its arguments: records, fields and values by their names."""
ACTS_OF_USERS: Final = (
    "type",
    "create",
    "delete",
    "undelete",
    "clear_email",
    "set_email",
    "flag",
    "convert",
    "merge",
)
ACTS_OF_ADMINS: Final = ("primary", "choose", "policy", "direction", "duplicates", "point")
RUN: Final = "run"
DECISIONS: Final = 3
"""Rounds of decisions after which nothing may be held: a decision may show another conflict."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to one person, in order, with a mapping."""

    configuration: Configuration
    acts: tuple[Act, ...]

    def to_json(self) -> str:
        """Return the story as text that `parse` reads."""
        it = self.configuration
        mapping = {
            "policy": it.policy.value,
            "direction": it.direction.value,
            "duplicates": it.duplicates.value,
            "kind": it.kind.value,
            "is_custom": it.is_custom,
            "placeholder": it.placeholder,
            "pairs": it.pairs,
        }
        return json.dumps({"mapping": mapping, "acts": self.acts})


def parse(text: str) -> Story:
    """Return the story of a text."""
    members = json.loads(text)
    mapping = members["mapping"]
    configuration = Configuration(
        ConflictPolicy(mapping["policy"]),
        Direction(mapping["direction"]),
        DuplicatePolicy(mapping["duplicates"]),
        FieldKind(mapping["kind"]),
        mapping["is_custom"],
        mapping["placeholder"],
        mapping["pairs"],
    )
    return Story(configuration, tuple(tuple(act) for act in members["acts"]))


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a story: the violation ('': every rule holds), excuses and acts by number."""

    violation: str
    excuses: Counter[str]
    acts: Counter[str]
    person: Person

    @property
    def rule(self) -> str:
        """The rule that was broken."""
        return self.violation.partition(":")[0]


def play(story: Story) -> Result:
    """Play a story to its end, or to the first violation; then an admin decides what is held."""
    person = Person(story.configuration)
    acts: Counter[str] = Counter()
    violation = ""
    try:
        for act in story.acts:
            acts[act[0]] += 1
            do(person, act)
        decide_holds(person)
    except ViolationError as error:
        violation = str(error)
    return Result(violation, person.counts, acts, person)


def do(person: Person, act: Act) -> None:
    """Do one act; one that is not possible now is left out."""
    name, *arguments = act
    if name == RUN:
        run(person, {arguments[1]: arguments[0]} if arguments else {})
    elif name in ACTS_OF_ADMINS:
        getattr(person, name)(*arguments)
    elif name in ACTS_OF_USERS:
        if name == "clear_email" and arguments[0] not in person.link.record_ids:
            return  # a Lead without e-mail is nobody's until it has one
        getattr(Records, name)(person.records, *arguments)
    else:
        raise ValueError(f"unknown act {name}")


def decide_holds(person: Person) -> None:
    """Decide each held field, and run: a decision must be carried out."""
    for _ in range(DECISIONS):
        choices = possible_choices(person)
        if not choices:
            return
        for key, record in choices:
            person.choose(key, record)
        run(person, {})
    if choices := possible_choices(person):
        raise ViolationError(f"hold: {choices} are held after each was decided")


def possible_choices(person: Person) -> list[tuple[str, str]]:
    """Return the first value of each hold that can be chosen, of records that take part."""
    members = person.plan().participants.members if person.link.holds else ()
    if len({it.kind.side for it in members}) == 1:
        return []
    choices = []
    for key, hold in sorted(person.link.holds.items()):
        typed = hold.values.keys() - hold.untyped
        record = next((it.record_id for it in members if it.record_id in typed), None)
        if key in person.configuration.keys and record is not None:
            choices.append((key, record))
    return choices


def shrink(story: Story, rule: str) -> Story:
    """Return a story with fewer acts that breaks the same rule."""
    acts = list(story.acts)
    is_reduced = True
    while is_reduced:
        is_reduced = False
        for size in (8, 4, 2, 1):
            first = 0
            while first < len(acts):
                fewer = acts[:first] + acts[first + size :]
                if play(Story(story.configuration, tuple(fewer))).rule == rule:
                    acts, is_reduced = fewer, True
                else:
                    first += 1
    return Story(story.configuration, tuple(acts))
