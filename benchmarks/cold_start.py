"""`make bench-cold-start`: processor time to import each function as built, compared with boto3."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.template_settings import template_environment

ROOT: Final = Path(__file__).parents[1]
LAMBDA_CACHE_TAG: Final = "cpython-313"
"""The interpreter of the functions (Runtime in template.yaml)."""
REFERENCE: Final = "boto3"
LIMITS: Final[Mapping[str, float]] = {
    "scheduled_sync": 1.5,
    "manual_sync": 1.5,
    "form_sync": 1.5,
    "sync_worker": 2.5,
}
"""The largest ratio to `import boto3`. The first three only check a request and send it to a queue;
the functions that are not listed have no limit."""
MEASURED_CODE: Final = """\
import time
start = time.process_time()
import {module}
print(time.process_time() - start)
"""
"""The start of the interpreter is not part of the measurement."""


@dataclass(frozen=True)
class Measurement:
    """The least processor time of an import: the run that other work disturbed least."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Build:
    """The built layer and functions in a temporary folder, and the interpreter they are for."""

    folder: Path
    python: str

    def make(self, makefile_folder: str, target: str) -> None:
        """Run one of the Makefiles that `sam build` runs, for this machine.

        Raises:
            RuntimeError: when the build fails; it has the output.
        """
        settings = {"LAYER_PLATFORM": "native", "PYTHON": self.python}
        completed = subprocess.run(
            ["make", "-C", makefile_folder, f"build-{target}"],  # noqa: S607  # as `sam build` does
            cwd=ROOT,
            env={**os.environ, **settings, "ARTIFACTS_DIR": str(self.folder / target)},
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            raise RuntimeError(completed.stdout + completed.stderr)

    def import_seconds(self, name: str) -> float:
        """Import boto3 or a function in a new process; return its processor time.

        Raises:
            RuntimeError: when the import fails; it has the traceback.
        """
        path = [self.folder / "CommonLayer" / "python"]
        environment = {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "POWERTOOLS_SERVICE_NAME": "benchmark",
        }
        module = name
        if name != REFERENCE:
            module = f"functions.{name}.app"
            path.insert(0, self.folder / logical_id(name))
            environment |= template_environment(logical_id(name))
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        completed = subprocess.run(
            [self.python, "-s", "-P", "-c", MEASURED_CODE.format(module=module)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            raise RuntimeError(f"{module} cannot be imported:\n{completed.stderr}")
        return float(completed.stdout)


def main() -> int:
    """Build, measure, print a table; return 1 when something cannot be built or imported."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.add_argument("--repeat", type=_positive, default=9, help="imports of each (%(default)s)")
    parser.add_argument("--python", help="the interpreter (a Python 3.13, if there is one)")
    arguments = parser.parse_args()
    python = arguments.python or find_python(("python3.13", sys.executable), cache_tag)
    tag = cache_tag(python)
    if tag is None:
        parser.error(f"{python} is not a Python that runs")
    print(f"interpreter: {tag} (Lambda: {LAMBDA_CACHE_TAG})", flush=True)
    functions = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            build = Build(Path(folder), str(Path(shutil.which(python) or python).absolute()))
            build.make("layers/common", "CommonLayer")
            for function in functions:
                build.make("functions", logical_id(function))
            reference, *measurements = measure(
                (REFERENCE, *functions), build.import_seconds, arguments.repeat
            )
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for line in table(reference, measurements, LIMITS):
        print(line)
    return 0


def cache_tag(command: str) -> str | None:
    """Return the kind of an interpreter, like `cpython-313`; None for a command that does not run.

    A version manager's placeholder is on the PATH and does not run.
    """
    if shutil.which(command) is None:
        return None
    completed = subprocess.run(
        [command, "-c", "import sys; print(sys.implementation.cache_tag)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if completed.returncode else completed.stdout.strip()


def find_python(candidates: Sequence[str], tag_of: Callable[[str], str | None]) -> str:
    """Return the first candidate that is the interpreter of Lambda, else the last candidate."""
    return next(
        (command for command in candidates if tag_of(command) == LAMBDA_CACHE_TAG), candidates[-1]
    )


def logical_id(function: str) -> str:
    """Return a function's name in the template: `SyncWorkerFunction` for `sync_worker`."""
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def measure(
    names: Sequence[str], import_seconds: Callable[[str], float], repeat: int
) -> list[Measurement]:
    """Return the minimum of each name. The imports alternate, so that load disturbs all of them."""
    rounds = [{name: import_seconds(name) for name in names} for _ in range(repeat)]
    return [Measurement(name, min(seconds[name] for seconds in rounds)) for name in names]


def table(
    reference: Measurement, measurements: Iterable[Measurement], limits: Mapping[str, float]
) -> list[str]:
    """Return the lines of a Markdown table: processor time, ratio to the reference, limit."""
    rows = [
        ("import", "CPU ms", f"ratio to {reference.name}", "limit", ""),
        ("---",) * 5,
        (reference.name, _milliseconds(reference), "1.00", "", ""),
    ]
    for measurement in measurements:
        ratio = measurement.seconds / reference.seconds
        limit = limits.get(measurement.name)
        rows.append(
            (
                measurement.name,
                _milliseconds(measurement),
                f"{ratio:.2f}",
                "" if limit is None else f"{limit}",
                "" if limit is None else "within" if ratio <= limit else "over",
            )
        )
    return ["|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in rows]


def _milliseconds(measurement: Measurement) -> str:
    return f"{measurement.seconds * 1000:.0f}"


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number of 1 or more is needed")
    return number


if __name__ == "__main__":
    sys.exit(main())
