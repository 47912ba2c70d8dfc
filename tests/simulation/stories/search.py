"""The search: plays stories in several processes, counts what they do, and shrinks violations."""

from __future__ import annotations

import gc
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.stories.drawing import SETTINGS, draw
from tests.simulation.stories.story import Story, parse, play, shrink

BATCH_SIZE: Final = 500
"""Stories that a worker process plays before it reports."""
MOST_PRINTED: Final = 20
YOUNG_OBJECTS: Final = 100_000


@dataclass
class Summary:
    """The sums over some stories; `violations` holds the stories that break a rule."""

    acts: Counter[str] = field(default_factory=Counter)
    excuses: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        """Add the sums over other stories."""
        self.acts += other.acts
        self.excuses += other.excuses
        self.violations += other.violations


def story_of(seed: int) -> tuple[str, Story]:
    """Return the story of a seed, and its setting: each setting has its turn."""
    setting = list(SETTINGS)[seed % len(SETTINGS)]
    return setting, draw(seed, setting)


def play_batch(seeds: range) -> Summary:
    """Play the stories of some seeds."""
    summary = Summary()
    for seed in seeds:
        setting, story = story_of(seed)
        result = play(story)
        summary.acts += result.acts
        summary.excuses += result.excuses
        if result.violation:
            summary.violations.append((setting, seed, result.violation))
    return summary


def _collect_garbage_rarely() -> None:
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def search(stories: int, seed: int, jobs: int) -> int:
    """Play stories with progress, and print counts and violations; return 1 if there is one."""
    started = time.perf_counter()
    end = seed + stories
    batches = [range(it, min(it + BATCH_SIZE, end)) for it in range(seed, end, BATCH_SIZE)]
    total, done = Summary(), 0
    with ProcessPoolExecutor(jobs, initializer=_collect_garbage_rarely) as pool:
        for batch, summary in zip(batches, pool.map(play_batch, batches), strict=True):
            total.add(summary)
            done += len(batch)
            speed = done / (time.perf_counter() - started)
            print(
                f"\r{done:,} stories, {speed:.0f} per second, {len(total.violations)} with a "
                "violation",
                end="",
                flush=True,
            )
    print()
    for title, counts in (("Acts", total.acts), ("Excuses", total.excuses)):
        print(f"\n{title} (number of times)")
        for name, number in counts.most_common():
            print(f"  {name:<36} {number:>10,}")
    _print_violations(total)
    return 1 if total.violations else 0


def _print_violations(total: Summary) -> None:
    """Print each kind of shrunk story once, with its text for `--replay`."""
    printed: set[tuple[object, ...]] = set()
    for setting, seed, violation in total.violations:
        story = shrink(story_of(seed)[1], violation.partition(":")[0])
        kind = tuple(act[0] for act in story.acts)
        if kind in printed or len(printed) == MOST_PRINTED:
            continue
        printed.add(kind)
        print(f"\n{setting}, seed {seed}: {play(story).violation}\n  --replay '{story.to_json()}'")
    number = len(total.violations)
    if number:
        print(f"\n{number} stories break a rule; {len(printed)} kinds of them are printed")


def replay(text: str) -> int:
    """Play one story again and print each act; return 1 if it breaks a rule."""
    story = parse(text)
    for act in story.acts:
        print(f"  {' '.join(act)}")
    violation = play(story).violation
    print(violation or "every rule holds")
    return 1 if violation else 0
