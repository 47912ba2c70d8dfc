"""The settings of stories: their configurations, and how often each act is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from types import MappingProxyType
from typing import Final

from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy, FieldKind
from tests.simulation.stories.configuration import Configuration
from tests.simulation.stories.person import ARRIVED, NEW, NOT_ARRIVED, REFUSED
from tests.simulation.stories.records import BLANK, NEW_VALUE
from tests.simulation.stories.story import RUN, Act, Story

LEADS: Final = ("l1", "l2", "l3")
FLAGS: Final = ("flagged", "flagged", "unflagged")
FEWEST_ACTS: Final = 6
MOST_ACTS: Final = 24
WINNERS: Final = (
    ConflictPolicy.NEWEST,
    ConflictPolicy.HOLD,
    ConflictPolicy.PLEZI_WINS,
    ConflictPolicy.SALESFORCE_WINS,
)
DEFAULT: Final = Configuration()
ONE_WAY: Final = (Direction.TO_PLEZI, Direction.TO_SALESFORCE)
USUAL: Final[Mapping[str, float]] = MappingProxyType(
    {
        RUN: 7,
        "type": 7,
        "create": 2,
        "delete": 2,
        "undelete": 2,
        "flag": 1.5,
        "clear_email": 2,
        "set_email": 2.5,
        "primary": 0.7,
        "choose": 0.7,
        "convert": 0.6,
        "merge": 0.5,
        "delete_contact": 0.3,
        "replace_contact": 0.4,
    }
)
"""How often each act is drawn; the last two are of the contact in Plezi."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The configurations of some stories, and the acts that are drawn more or less often."""

    configurations: tuple[Configuration, ...]
    weights: Mapping[str, float]


def _setting(*configurations: Configuration, **weights: float) -> Setting:
    return Setting(configurations, {**USUAL, **weights})


def _winners(configuration: Configuration = DEFAULT) -> list[Configuration]:
    """Return a configuration with each policy that names a winner, or holds."""
    return [replace(configuration, policy=policy) for policy in WINNERS]


SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "policies": _setting(*_winners()),
        "one_way": _setting(*(Configuration(it, way) for it, way in product(WINNERS, ONE_WAY))),
        "fill_blank": _setting(
            *(Configuration(ConflictPolicy.FILL_BLANK, it) for it in (Direction.BOTH, *ONE_WAY))
        ),
        "opt_out": _setting(
            *(
                Configuration(
                    ConflictPolicy.MOST_RESTRICTIVE, kind=FieldKind.CHECKBOX, is_custom=it
                )
                for it in (True, False)
            )
        ),
        "custom": _setting(*_winners(Configuration(is_custom=True)), convert=3),
        "placeholder": _setting(*_winners(Configuration(placeholder="[unknown]"))),
        "duplicates": _setting(
            *_winners(Configuration(duplicates=DuplicatePolicy.SURVIVOR)),
            *_winners(Configuration(duplicates=DuplicatePolicy.HOLD)),
        ),
        "mapping": _setting(*_winners(), policy=1.5, direction=1, duplicates=0.5),
        "pointed": _setting(*_winners(), point=1.5),
        "refused": _setting(*_winners(), refused=4, run=5),
        "unanswered": _setting(*_winners(), unanswered=4, run=5),
        "two_fields": _setting(*_winners(Configuration(pairs=2)), type=10, refused=1),
    }
)
"""All settings by name."""


class Drawing:
    """Draws the acts of one story."""

    def __init__(self, random: Random, setting: str) -> None:
        self._random = random
        self._setting = SETTINGS[setting]
        self._configuration = random.choice(self._setting.configurations)
        self._later: list[str] = []
        self._contacts = 1

    def story(self) -> Story:
        """Draw a story: some records that are there first, acts, and a last run."""
        random = self._random
        records = ["p1", *LEADS[: random.randint(1, 3)]]
        records += ["c1"] if random.random() < 0.4 else []
        self._later = [it for it in records if random.random() < 0.25]
        acts = [self._create(it) for it in records if it not in self._later]
        acts += [(RUN,)] if random.random() < 0.8 else []
        names, weights = zip(*self._setting.weights.items(), strict=True)
        for _ in range(random.randint(FEWEST_ACTS, MOST_ACTS)):
            acts += self._draw(random.choices(names, weights)[0])
        return Story(self._configuration, (*acts, (RUN,)))

    def _record(self) -> str:
        plezi = f"p{self._contacts}"
        return self._random.choice([plezi, plezi, *LEADS, "l1", "c1", "cl1", "cl2", "pz1", "lz1"])

    def _create(self, record: str) -> Act:
        filled = [it for it in self._configuration.keys if self._random.random() < 0.5]
        return ("create", record, ",".join(filled))

    def _draw(self, name: str) -> list[Act]:  # noqa: C901, PLR0911, PLR0912  # a table of acts
        random = self._random
        match name:
            case "type":
                key = random.choice(self._configuration.keys)
                what = random.choices([NEW_VALUE, BLANK], [3, 1])[0]
                return [("type", self._record(), key, what)]
            case "create":
                record = self._later.pop() if self._later else random.choice([*LEADS, "c1"])
                return [self._create(record)]
            case "delete" | "undelete" | "flag":
                return [(name, random.choice([*LEADS, "c1", "cl1", "lz1"]))]
            case "clear_email" | "set_email" | "primary":
                return [(name, random.choice([*LEADS, "lz1"]))]
            case "convert":
                return [(name, random.choice([*LEADS, "lz1"]), random.choice(FLAGS))]
            case "merge":
                return [(name, random.choice(LEADS), random.choice(LEADS))]
            case "choose":
                return [(name, random.choice(self._configuration.keys), self._record())]
            case "policy":
                policies = [*WINNERS, ConflictPolicy.FILL_BLANK]
                return [(name, random.choice(policies).value)]
            case "direction":
                return [(name, random.choice([Direction.BOTH, Direction.BOTH, *ONE_WAY]).value)]
            case "duplicates":
                return [(name, random.choice(list(DuplicatePolicy)).value)]
            case "refused":
                return [(RUN, REFUSED, self._written())]
            case "unanswered":
                return [(RUN, random.choice([ARRIVED, NOT_ARRIVED]), self._written())]
            case "delete_contact":
                return [("delete", random.choice([f"p{self._contacts}", "pz1"]))]
            case "replace_contact":
                return self._replace_contact()
            case _:
                return [(name,)]

    def _written(self) -> str:
        return self._random.choice([NEW, self._record(), self._record(), self._record()])

    def _replace_contact(self) -> list[Act]:
        """Delete the contact in Plezi and create another one, with a run between them or not."""
        acts: list[Act] = [("delete", f"p{self._contacts}")]
        acts += [(RUN,)] if self._random.random() < 0.5 else []
        self._contacts += 1
        return [*acts, self._create(f"p{self._contacts}")]


def draw(seed: int, setting: str) -> Story:
    """Draw the story of a seed with one of the configurations of a setting."""
    random = Random(f"{setting} {seed}")  # noqa: S311  # a sample need not be secret
    return Drawing(random, setting).story()
