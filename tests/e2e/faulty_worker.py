"""The deployed worker with a defect: the handler of a function while a test lets it run so.

The code of the layer is that of the deployment. Only this program reads its variable: a file with
the defects, `Defects` as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from connector.sync.run_work import RunWork
from tests.injected_faults import FaultInjector, Step

VARIABLE: Final = "FAULTY_WORKER_DEFECTS"
DEPLOYED: Final = "functions.sync_worker.app"
"""The module of the deployed handler."""
CODE: Final = "ValidationException"
OPERATION: Final = "Query"
PRIVATE: Final = "ana.private@example.com"
"""An e-mail in the text of the error of AWS: it must not be logged."""


@dataclass(frozen=True)
class Defects:
    """What fails: each run, or one step of some people; and the file for what was seen.

    `people` gives the person of a record's id or of an e-mail, `steps` the function and its caller
    that fail for a person.
    """

    every_run: bool = False
    people: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    seen: str = ""

    def write(self, path: Path) -> Path:
        """Write the file of the variable."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path


@dataclass(frozen=True)
class Seen:
    """The people for whom each step was made, and the people whose step failed."""

    reached: Mapping[Step, set[str]]
    hits: set[str]

    @classmethod
    def read(cls, path: Path) -> Seen:
        """Read the file that the worker has written."""
        seen = json.loads(path.read_text(encoding="utf-8"))
        reached = {Step(*step): set(people) for *step, people in seen["reached"]}
        return cls(reached, set(seen["hits"]))


def handler(event: dict[str, Any], context: Any) -> Any:  # as Lambda calls it
    """Work as the deployed handler does, with the defects."""
    try:
        return importlib.import_module(DEPLOYED).handler(event, context)
    finally:
        if DEFECTS.seen:
            _write_seen(Path(DEFECTS.seen))


def _write_seen(path: Path) -> None:
    alone = {step: people for step, people in INJECTOR.reached.items() if _is_alone(step)}
    reached = [(step.function, step.caller, sorted(them)) for step, them in alone.items()]
    seen = {"reached": reached, "hits": sorted(INJECTOR.hits)}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(seen), encoding="utf-8")
    part.replace(path)  # a reader never sees half of the file


def _is_alone(step: Step) -> bool:
    """Return whether a step never gets the data of several people."""
    return step.function not in INJECTOR.batches


def _fail(*_: object, **__: object) -> Any:
    """Raise the error that AWS answers to an invalid parameter."""
    message = f"One or more parameter values of {PRIVATE} are not valid"
    raise ClientError({"Error": {"Code": CODE, "Message": message}}, OPERATION)


INJECTOR = FaultInjector()
DEFECTS = Defects()
if os.environ.get(VARIABLE):
    DEFECTS = Defects(**json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8")))
    if DEFECTS.every_run:
        RunWork.work = _fail  # type: ignore[method-assign]  # the defect
    if DEFECTS.seen:
        INJECTOR.people = dict(DEFECTS.people)
        INJECTOR.faults = {person: Step(*step) for person, step in DEFECTS.steps.items()}
        if DEFECTS.steps:
            INJECTOR.functions = frozenset(step.function for step in INJECTOR.faults.values())
        INJECTOR.install(pytest.MonkeyPatch())
