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
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

COPY: Final = Path(".build/mutants")
PACKAGES: Final = Path("layers/common/connector")
EQUIVALENT: Final = Path("tests/equivalent_mutants.toml")
MUTMUT: Final = Path(".venv-mutants/bin/mutmut")
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
        "tests/simulation/test_protocol.py",
    ),
    "mapping": (
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
        "tests/component/test_budget.py",
        "tests/component/test_undo.py",
        "tests/component/test_verify.py",
    ),
}
"""The packages whose mutants are made, with the slower tests of each."""
READS_THE_SOURCE: Final = ("tests/unit/connector/test_salesforce_errors.py",)
"""Tests of the text of a module, which mutmut has changed."""
KILLED: Final = frozenset({1, 3})
SURVIVED: Final = 0
NO_TESTS: Final = 33
TIMEOUTS: Final = frozenset({-24, 24, 36, 152, 255})
"""Exit codes by mutmut 3.8: a mutant that runs into the time limit does not pass its tests."""


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


def prepare(package: str) -> None:
    """Copy the tracked files, with the package below `src/`, and configure mutmut."""
    shutil.rmtree(COPY, ignore_errors=True)
    files = subprocess.run(
        ["git", "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, files):
        source, target = Path(name), COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (COPY / "src").mkdir()
    (COPY / PACKAGES).rename(COPY / "src/connector")
    (COPY / PACKAGES).symlink_to("../../src/connector")
    top = sorted({Path(name).parts[0] for name in files if name and not name.startswith(".")})
    tests = [*EVERYWHERE, *THOROUGH[package]]
    arguments = ["-p", "no:cacheprovider", *(f"--ignore={name}" for name in READS_THE_SOURCE)]
    configuration = f"""
[tool.mutmut]
source_paths = ["src/connector"]
only_mutate = ["src/connector/{package}/*.py"]
also_copy = {json.dumps([name for name in top if name != "pyproject.toml"])}
pytest_add_cli_args = {json.dumps(arguments)}
pytest_add_cli_args_test_selection = {json.dumps(tests)}
mutate_only_covered_lines = true
"""
    project = COPY / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    text = text.replace('pythonpath = ["."', 'pythonpath = [".", "src"')
    project.write_text(text + configuration, encoding="utf-8")


def run_mutmut(names: Iterable[str], jobs: int) -> None:
    """Run the mutants with these names; the first run makes all of them."""
    command = [str(MUTMUT.absolute()), "run", "--max-children", str(jobs), *names]
    subprocess.run(command, cwd=COPY, check=False)


def results() -> dict[str, int | None]:
    """Return the exit code of each mutant by its name (None: it was not run)."""
    codes: dict[str, int | None] = {}
    for path in sorted(COPY.glob("mutants/src/connector/**/*.meta")):
        codes |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def score(package: str, codes: Mapping[str, int | None], reasons: Mapping[str, str]) -> Score:
    """Return the score of the mutants that were run; `reasons` are those of equivalent ones."""
    unnoticed, equivalent, untested = [], {}, []
    killed = 0
    for name, code in codes.items():
        if code in KILLED or code in TIMEOUTS:
            killed += 1
        elif code == SURVIVED:
            reason = next((why for it, why in reasons.items() if fnmatch(name, it)), "")
            if reason:
                equivalent[name] = reason
            else:
                unnoticed.append(name)
        elif code == NO_TESTS:
            untested.append(name)
    return Score(package, killed, equivalent, unnoticed, untested)


def _difference(name: str) -> str:
    """Return the change of a mutant, as mutmut shows it."""
    command = [str(MUTMUT.absolute()), "show", name]
    return subprocess.run(
        command, cwd=COPY, check=False, capture_output=True, text=True
    ).stdout.strip()


def _arguments() -> argparse.Namespace:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants", description=summary, epilog=details
    )
    parser.add_argument("package", choices=sorted(THOROUGH), help="the package to change")
    parser.add_argument(
        "--sample", type=int, default=0, help="run so many mutants, drawn at random (0: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the seed of the sample")
    parser.add_argument("--jobs", type=int, default=2, help="mutants that run at once")
    return parser.parse_args()


def main() -> int:
    """Run the mutants of a package; return 1 if one survives without a reason."""
    arguments = _arguments()
    prepare(arguments.package)
    if arguments.sample:
        run_mutmut([f"connector.{arguments.package}.none"], arguments.jobs)  # makes the mutants
        names = sorted(results())
        drawn = random.Random(arguments.seed).sample(names, min(arguments.sample, len(names)))
        print(f"{len(drawn)} of {len(names)} mutants are drawn with the seed {arguments.seed}")
        run_mutmut(drawn, arguments.jobs)
    else:
        run_mutmut((), arguments.jobs)
    reasons = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    found = score(arguments.package, results(), reasons)
    for name in (*found.unnoticed, *found.untested):
        print(f"\n{name}\n{_difference(name)}")
    print(f"\n{found}")
    return 1 if found.unnoticed or found.untested else 0


if __name__ == "__main__":
    sys.exit(main())
