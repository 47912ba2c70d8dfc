"""Run each mutant of a package in a process of its own, forked from one collected test session.

`tools.mutants` starts it inside the copy of the repository, with the Python that has mutmut. mutmut
changes the code (each function becomes a choice between the original and its mutants); collecting
the tests takes seconds and is done once. One run of all tests tells which of them reach which
function; a mutant is then tried with these tests only, until one fails or the time for one mutant
is over: first those that noticed other mutants of its module, then the quick ones. What no test
notices in this time counts as not noticed.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from fnmatch import fnmatch
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pytest
from mutmut.mutation import trampoline
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents

NOTICED: Final = 1
SURVIVED: Final = 0
NO_TESTS: Final = 33
OUT_OF_TIME: Final = 36
"""Exit codes of a forked session; a mutant that runs into a limit does not pass its tests."""
SECONDS_BEFORE_TOO_LONG: Final = 5.0
SLOWDOWN_BEFORE_TOO_LONG: Final = 10.0
"""Processor time that a test may take with a mutant, beyond its own time without one."""
MINUTES_BEFORE_BLOCKED: Final = 10
"""Time by the clock after which a mutant is taken to wait for ever."""
MEMORY_LIMIT: Final = 4 * 1024**3
"""Bytes of address space: a mutant that never stops collecting must not stop the machine."""
PROGRESS_EVERY: Final = 100
"""Mutants between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to run: the mutants of a package, and the tests.

    `without` are test files that are left out, `names` shell patterns of mutants (empty: all).
    `sample` draws so many mutants with the seed (0: all of them). `budget` is the time in seconds
    that the tests of one mutant may take. The results go to `results`.
    """

    package: str
    tests: Sequence[str]
    without: Sequence[str]
    names: Sequence[str]
    sample: int
    seed: int
    jobs: int
    budget: float
    results: str


def differences(made: MutatedFile, module: str) -> dict[str, str]:
    """Return the change of each mutant of a module, as the lines of a unified difference."""
    lines = made.code.splitlines()

    def body(name: str) -> list[str]:
        span = made.line_span_by_function_name[name]
        return list(lines[span.start - 1 : span.end])

    changes = {}
    for name in made.mutant_names:
        function = name.rpartition("__mutmut_")[0]
        before = body(f"{function}__mutmut_orig")
        after = [line.replace(name, f"{function}__mutmut_orig") for line in body(name)]
        shown = [*unified_diff(before, after, n=1, lineterm="")][3:]
        changes[f"{module}.{name}"] = "\n".join(shown)
    return changes


def digest_of_sources(tests: Iterable[str]) -> str:
    """Return a digest of the code and its tests: the times are valid as long as it is the same.

    `tests` are the files that are run.
    """
    digest = sha256("\n".join(tests).encode())
    for path in sorted(it for top in ("src", "tests", "local") for it in Path(top).rglob("*.py")):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def make_mutants(package: str) -> dict[str, str]:
    """Write the mutants of a package over its modules; return each change by the mutant's name."""
    changes: dict[str, str] = {}
    for path in sorted(Path("src/connector", package).glob("*.py")):
        made = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
        path.write_text(made.code, encoding="utf-8")
        stem = "" if path.stem == "__init__" else f".{path.stem}"
        changes |= differences(made, f"connector.{package}{stem}")
    return changes


def drawn(names: Iterable[str], request: Request) -> list[str]:
    """Return the mutants to run, in the order of their names."""
    chosen = [
        name
        for name in names
        if not request.names or any(fnmatch(name, it) for it in request.names)
    ]
    if not request.sample or request.sample >= len(chosen):
        return chosen
    numbers = random.Random(request.seed).sample(range(len(chosen)), request.sample)
    return [chosen[number] for number in sorted(numbers)]


@dataclass(frozen=True, slots=True)
class _Running:
    """A process that runs the tests of a mutant; it answers with the test that fails."""

    process: int
    name: str
    answer: int


class MutantSession:
    """A pytest plugin: it runs the collected tests for each mutant in a forked process."""

    def __init__(self, request: Request, changes: Mapping[str, str], sources: str) -> None:
        self._request = request
        self._changes = changes
        self._sources = sources
        self._codes: dict[str, int] = {}
        self._noticed: dict[str, Counter[str]] = {}
        """How many mutants of a module a test noticed."""
        self._seconds: dict[str, float] = {}
        self._started = time.monotonic()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the mutants in place of the tests."""
        from hypothesis import Phase, settings  # noqa: PLC0415  # pytest rewrites it at first

        settings.register_profile(
            "mutants", settings.get_profile("default"), phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("mutants")
        reached = self._reached(session)
        order = {item.nodeid: item for item in session.items}
        names = drawn(self._changes, self._request)
        print(f"{len(names)} of {len(self._changes)} mutants", flush=True)
        running: dict[int, _Running] = {}
        for name in names:
            tests = reached.get(name.rpartition("__mutmut_")[0], [])
            if not tests:
                self._note(name, NO_TESTS)
                continue
            if len(running) == self._request.jobs:
                self._wait(running)
            tests = self._within_budget(name, tests)
            child = self._fork(session, name, [order[test] for test in tests])
            running[child.process] = child
        while running:
            self._wait(running)
        self._save()
        return True

    def _reached(self, session: pytest.Session) -> dict[str, list[str]]:
        """Run each test without a mutant; return the tests that reach a function, by their time."""
        found = self._recorded_run(session)
        if found["failed"]:
            raise RuntimeError(f"Tests fail without a mutant: {found['failed']}")
        self._seconds = {test: seconds for test, (seconds, _) in found["tests"].items()}
        tests: dict[str, list[str]] = {}
        for test in sorted(self._seconds, key=lambda it: (self._seconds[it], it)):
            for function in found["tests"][test][1]:
                tests.setdefault(function, []).append(test)
        print(
            f"{len(self._seconds)} tests in {sum(self._seconds.values()):.0f} s of processor time "
            f"reach {len(tests)} functions",
            flush=True,
        )
        return tests

    def _within_budget(self, name: str, tests: Sequence[str]) -> list[str]:
        """Return the tests of a mutant in their order, as many as the budget allows."""
        noticed = self._noticed.get(_module(name), Counter[str]())
        tests = sorted(tests, key=lambda it: (-noticed[it], self._seconds[it], it))
        total = accumulate(self._seconds[test] for test in tests)
        return [
            test
            for number, (test, seconds) in enumerate(zip(tests, total, strict=True))
            if not number or seconds <= self._request.budget
        ]

    def _recorded_run(self, session: pytest.Session) -> dict[str, Any]:
        """Return what `_recorded` found, in a forked process, or earlier for the same files."""
        report = Path(self._request.results).with_suffix(".reached.json")
        if report.exists():
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            if found.get("sources") == self._sources:
                return found
        child = os.fork()
        if not child:
            _quiet(session)
            report.write_text(json.dumps(self._recorded(session)), encoding="utf-8")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError("The run without a mutant ended with an error")
        recorded: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return recorded

    def _recorded(self, session: pytest.Session) -> dict[str, object]:
        hits: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, **_: hits.add(name)
        trampoline.set_mutant_under_test("stats")
        tests: dict[str, tuple[float, list[str]]] = {}
        failed: list[str] = []
        for item, following in _pairs(session.items):
            hits.clear()
            before, failures = time.process_time(), session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            tests[item.nodeid] = (time.process_time() - before, sorted(hits))
            if session.testsfailed > failures:
                failed.append(item.nodeid)
        return {"tests": tests, "failed": failed, "sources": self._sources}

    def _fork(self, session: pytest.Session, name: str, items: Sequence[pytest.Item]) -> _Running:
        answer, question = os.pipe()
        child = os.fork()
        if child:
            os.close(question)
            return _Running(child, name, answer)
        try:
            _quiet(session)
            _limit()
            trampoline.set_mutant_under_test(name)
            for item, following in _pairs(items):
                usual = self._seconds[item.nodeid]
                signal.setitimer(
                    signal.ITIMER_PROF, SECONDS_BEFORE_TOO_LONG + SLOWDOWN_BEFORE_TOO_LONG * usual
                )
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os.write(question, item.nodeid.encode())
                    os._exit(NOTICED)
            os._exit(SURVIVED)
        except BaseException:  # noqa: BLE001  # whatever ends the tests has noticed the mutant
            os._exit(NOTICED)

    def _wait(self, running: dict[int, _Running]) -> None:
        process, status = os.wait()
        child = running.pop(process)
        with os.fdopen(child.answer, encoding="utf-8") as answer:
            test = answer.read()
        if test:
            self._noticed.setdefault(_module(child.name), Counter())[test] += 1
        self._note(child.name, os.waitstatus_to_exitcode(status))

    def _note(self, name: str, code: int) -> None:
        self._codes[name] = code
        if len(self._codes) % PROGRESS_EVERY == 0:
            unnoticed = sum(code in (SURVIVED, NO_TESTS) for code in self._codes.values())
            minutes = (time.monotonic() - self._started) / 60
            print(
                f"{len(self._codes)} mutants in {minutes:.1f} minutes, {unnoticed} not noticed",
                flush=True,
            )
            self._save()

    def _save(self) -> None:
        results = {
            name: {"code": code, "change": self._changes[name]}
            for name, code in sorted(self._codes.items())
        }
        Path(self._request.results).write_text(json.dumps(results, indent=1), encoding="utf-8")


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _pairs(items: Sequence[pytest.Item]) -> list[tuple[pytest.Item, pytest.Item | None]]:
    return list(zip(items, [*items[1:], None], strict=True))


def _quiet(session: pytest.Session) -> None:
    """Let a forked process write nothing."""
    session.config.pluginmanager.unregister(name="terminalreporter")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _limit() -> None:
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, lambda *_: os._exit(OUT_OF_TIME))
    signal.alarm(60 * MINUTES_BEFORE_BLOCKED)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def main() -> int:
    """Make the mutants of the request on the standard input, and run them."""
    request = Request(**json.load(sys.stdin))
    sources = digest_of_sources((*request.without, *request.tests))
    changes = make_mutants(request.package)
    arguments = ["-q", "-p", "no:cacheprovider", "-m", "not stack and not nightly"]
    arguments += [*(f"--ignore={name}" for name in request.without), *request.tests]
    return int(pytest.main(arguments, plugins=[MutantSession(request, changes, sources)]))


if __name__ == "__main__":
    sys.exit(main())
