"""Test the tests: change the code of a package in one place, and see whether a test fails.

`python -m tools.mutants planning` makes mutants of a package with mutmut, runs the tests that reach
them, and prints the score and each unnoticed one. It is a change that no test notices: a test is
missing, or the change makes no difference. Those of the second kind are listed with their reason in
`tests/equivalent_mutants.toml`.

mutmut needs the package below `src/`, so the work is done on a copy of the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COPY: Final = Path(".build/mutants")
PACKAGES: Final = Path("layers/common/connector")
EQUIVALENT: Final = Path("tests/equivalent_mutants.toml")
RESULTS: Final = Path(".build/mutant-results")
PYTHON: Final = Path(".venv-mutants/bin/python")
EVERYWHERE: Final = (
    "tests/unit/connector",
    "tests/property/test_planning.py",
    "tests/property/test_values.py",
)
"""The quick tests, which run first for every mutant that they reach."""
THOROUGH: Final[Mapping[str, tuple[str, ...]]] = {
    "planning": (
        "tests/component/test_people.py",
        "tests/component/test_conversions_and_merges.py",
        "tests/component/test_typed_values.py",
        "tests/component/test_addresses.py",
        "tests/component/test_consent.py",
        "tests/component/test_shared_addresses.py",
        "tests/component/test_announced_bounds.py",
        "tests/component/test_undo.py",
        "tests/component/test_undo_refusals.py",
        "tests/component/test_verify.py",
        "tests/component/test_verify_after_undo.py",
        "tests/component/test_forecast.py",
        "tests/simulation/test_protocol.py",
    ),
    "mapping": (
        "tests/property/test_value_table.py",
        "tests/component/test_value_tables.py",
        "tests/component/test_values_that_travel.py",
        "tests/component/test_setup_guide.py",
        "tests/component/test_admin_fields.py",
        "tests/component/test_attributes_with_two_fields.py",
        "tests/component/test_field_guard.py",
        "tests/component/test_schema_change.py",
        "tests/component/test_mapping_validation.py",
        "tests/component/test_field_types.py",
        "tests/component/test_admin_mapping.py",
        "tests/component/test_typed_values.py",
    ),
    "sync": (
        "tests/component/test_main_job.py",
        "tests/component/test_first_sync.py",
        "tests/component/test_faults.py",
        "tests/component/test_hints.py",
        "tests/component/test_typed_values.py",
        "tests/component/test_people.py",
        "tests/component/test_conversions_and_merges.py",
        "tests/component/test_announced_bounds.py",
        "tests/component/test_alerts.py",
        "tests/component/test_addresses.py",
        "tests/component/test_budget.py",
        "tests/component/test_duplicate_leads.py",
        "tests/component/test_field_cases.py",
        "tests/component/test_forecast.py",
        "tests/component/test_freshness.py",
        "tests/component/test_mass_clearing.py",
        "tests/component/test_moved_addresses.py",
        "tests/component/test_other_persons_addresses.py",
        "tests/component/test_other_system.py",
        "tests/component/test_reading_again.py",
        "tests/component/test_shared_addresses.py",
        "tests/component/test_tombstones.py",
        "tests/component/test_unusable_input.py",
        "tests/component/test_undo.py",
        "tests/component/test_verify.py",
    ),
}
"""The packages whose mutants are made, with the slower tests of each."""
READS_THE_SOURCE: Final = ("tests/unit/connector/test_salesforce_errors.py",)
"""Tests of the text of a module, which mutmut has changed. `test_isolation` replaces every function
by its name, also those that mutmut has added, and is in no list for that reason."""
BUDGET: Final = 10.0
"""Seconds of processor time, without a mutant, of the tests with which one mutant is tried."""
SURVIVED: Final = 0
NO_TESTS: Final = 33
"""Exit codes of `tools.mutant_session`; every other one is that of a mutant that was noticed."""


@dataclass(frozen=True, slots=True)
class Score:
    """The results of one package: how many mutants were killed, and the names of the others."""

    package: str
    killed: int
    equivalent: Mapping[str, str]
    unnoticed: Sequence[str]
    untested: Sequence[str]

    @property
    def tried(self) -> int:
        """The mutants that could have been killed."""
        return self.killed + len(self.unnoticed) + len(self.untested)

    def __str__(self) -> str:
        """Return one line for a person."""
        share = 100 * self.killed / self.tried if self.tried else 0.0
        return (
            f"{self.package}: {self.killed} of {self.tried} mutants killed ({share:.1f} %), "
            f"{len(self.unnoticed)} are not noticed, {len(self.untested)} are reached by no test, "
            f"{len(self.equivalent)} are equivalent"
        )


def prepare() -> None:
    """Copy the files of the project, with the package below `src/`, where mutmut expects it."""
    shutil.rmtree(COPY, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, files):
        source, target = Path(name), COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (COPY / "src").mkdir()
    (COPY / PACKAGES).rename(COPY / "src/connector")
    (COPY / PACKAGES).symlink_to("../../src/connector")
    project = COPY / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(
        text.replace('pythonpath = ["."', 'pythonpath = [".", "src"'), encoding="utf-8"
    )


def run(request: Mapping[str, object]) -> None:
    """Run the mutants of a request (the fields of `tools.mutant_session.Request`)."""
    subprocess.run(
        [str(PYTHON.absolute()), "-m", "tools.mutant_session"],
        cwd=COPY,
        check=True,
        input=json.dumps(request),
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((".", "src", "cli"))},
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: the exit code of its session, and its change of the code."""

    code: int
    change: str


def key_of(name: str, change: str) -> str:
    """Return the key of a mutant in the list of equivalent ones: its function and its new lines.

    The number of a mutant changes with each edit of its function.
    """
    module, _, mutant = name.rpartition(".")
    function = mutant.rpartition("__mutmut_")[0]
    function = function.removeprefix("x_").removeprefix("x\u01c1").replace("\u01c1", ".")
    lines = change.splitlines()
    new = [line[1:].strip() for line in lines if line.startswith("+")]
    old = [line.replace("-", "- ", 1) for line in lines if line.startswith("-")]
    return f"{module.removeprefix('connector.')}.{function}: {' '.join(new or old)}"


def score(package: str, outcomes: Mapping[str, Outcome], reasons: Mapping[str, str]) -> Score:
    """Return the score of the mutants that were run; `reasons` are those of equivalent ones."""
    unnoticed, equivalent, untested = [], {}, []
    killed = 0
    for name, outcome in outcomes.items():
        if outcome.code == SURVIVED:
            if reason := reasons.get(key_of(name, outcome.change)):
                equivalent[name] = reason
            else:
                unnoticed.append(name)
        elif outcome.code == NO_TESTS:
            untested.append(name)
        else:
            killed += 1
    return Score(package, killed, equivalent, unnoticed, untested)


def unnoticed_names(results: Path) -> list[str]:
    """Return the mutants that the last run of a package did not notice."""
    if not results.exists():
        raise SystemExit(f"{results} does not exist: run the mutants without --again first")
    found = json.loads(results.read_text(encoding="utf-8"))
    return [name for name, it in found.items() if it["code"] in (SURVIVED, NO_TESTS)]


def _arguments() -> argparse.Namespace:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants", description=summary, epilog=details
    )
    parser.add_argument("package", choices=sorted(THOROUGH), help="the package to change")
    parser.add_argument(
        "--only", default="", help="only the mutants of these modules, separated by commas"
    )
    parser.add_argument(
        "--again", action="store_true", help="only the mutants that the last run did not notice"
    )
    parser.add_argument(
        "--sample", type=int, default=0, help="run so many mutants, drawn at random (0: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the seed of the sample")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="seconds for the tests of one mutant"
    )
    parser.add_argument("--jobs", type=int, default=2, help="mutants that run at once")
    return parser.parse_args()


def main() -> int:
    """Run the mutants of a package; return 1 if one survives without a reason."""
    arguments = _arguments()
    results = (RESULTS / f"{arguments.package}.json").absolute()
    names = [
        f"connector.{arguments.package}.{module}.*"
        for module in filter(None, arguments.only.split(","))
    ]
    if arguments.again:
        names = unnoticed_names(results)
    prepare()
    results.parent.mkdir(parents=True, exist_ok=True)
    run(
        {
            "package": arguments.package,
            "tests": [*EVERYWHERE, *THOROUGH[arguments.package]],
            "without": READS_THE_SOURCE,
            "names": names,
            "sample": arguments.sample,
            "seed": arguments.seed,
            "jobs": arguments.jobs,
            "budget": arguments.budget,
            "results": str(results),
        }
    )
    stored = json.loads(results.read_text(encoding="utf-8"))
    outcomes = {name: Outcome(**it) for name, it in stored.items()}
    reasons = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    found = score(arguments.package, outcomes, reasons)
    for name in (*found.unnoticed, *found.untested):
        print(f"\n{name}\n{outcomes[name].change}")
    print(f"\n{found}")
    return 1 if found.unnoticed or found.untested else 0


if __name__ == "__main__":
    sys.exit(main())
