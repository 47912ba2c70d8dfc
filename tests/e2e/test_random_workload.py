"""A random workload on the deployed stack; every typed value is followed to its end.

People are created and edited on both sides, in every type of field; forms are submitted, the
mapping changes, runs start at random times and overlap with the edits, and the worker is killed
now and then. Users, admins and runs only use what people use. The examination knows what was
typed, the final records, the journal, holds and refusals (`random_workload/examination.py`).
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from plezi_sync.admin_api import AdminApi
from tests.e2e.random_workload import examination
from tests.e2e.random_workload.admins import Admins
from tests.e2e.random_workload.collection import collect, stored_journal
from tests.e2e.random_workload.examination import examine
from tests.e2e.random_workload.fields import MEANINGS, PLEZI, SALESFORCE, SIDES
from tests.e2e.random_workload.runs import ABANDONED_SECONDS, Runs
from tests.e2e.random_workload.users import Users

LOG: Final = logging.getLogger(__name__)
pytestmark = [pytest.mark.stack, pytest.mark.nightly]

PEOPLE: Final = int(os.environ.get("PEOPLE", "300"))
EDITS: Final = int(os.environ.get("EDITS", "2000"))
SEED: Final = int(os.environ.get("SEED", "1"))
"""The seed decides who does what; when it meets which step of a run is different each time."""
EVIDENCE: Final = os.environ.get("EVIDENCE", "")
"""The file in which the evidence is stored, as JSON, to look at it again ('': none)."""
PEOPLE_AT_FIRST: Final = 0.6
"""The share of the people who exist before the first run; the others come while users edit."""
PLACES: Final = ((PLEZI,), (PLEZI,), (SALESFORCE,), (SALESFORCE,), SIDES)
FORMS_OF_NEW_PEOPLE: Final = 0.2
MAPPING_CHANGES: Final = 25
DECISIONS: Final = 15
PAUSE_SECONDS: Final = 0.06
"""The mean time between two edits: so that some fifty runs start while 2,000 edits are made."""
MAX_CROSSED: Final = 0.02
"""The share of the typings that may cross a write of the connector: a documented limit."""


@pytest.fixture
def admins(stack: StackFile, admin_api: AdminApi) -> Iterator[Admins]:
    """The admins of a mapping with a pair for every type of field."""
    attribute = {"name": "notes", "label": "Notes", "type": "text"}
    Marketer(stack).simulate("POST", "attributes", attribute)
    assert admin_api.call("GET", "/admin/fields?refresh=true").ok
    admins = Admins(admin_api, Random(SEED))  # noqa: S311  # invented edits need no secrecy
    before = admins.call("GET", "/admin/mapping")
    admins.save()
    yield admins
    current = admins.call("GET", "/admin/mapping")
    admins.call("PUT", "/admin/mapping", {**current, "pairs": before["pairs"]})


def test_no_typed_value_of_a_random_workload_is_lost_without_an_explanation(
    stack: StackFile, aws: EmbeddedAws, admins: Admins
) -> None:
    Operator(stack).admin("POST", "/admin/start")
    simulators = (SalesPerson(stack), Marketer(stack))
    for simulator in simulators:
        simulator.simulate("POST", "readings", {"keep": True})
    randomness = Random(SEED)  # noqa: S311  # invented edits need no secrecy
    users = Users(*simulators, randomness)
    runs = Runs(stack, aws, SEED)
    began = time.monotonic()
    with runs.worker.killable(ABANDONED_SECONDS):
        at_first = int(PEOPLE * PEOPLE_AT_FIRST)
        for _ in range(at_first):
            users.create(randomness.choice(PLACES))
        for _ in range(3):  # the stages of a first synchronization
            runs.run(full=False)
        runs.start()
        work(users, admins, runs, randomness, at_first)
        runs.stop()
        admins.add_all()
        runs.finish()
    readings: dict[str, list[float]] = {}
    for simulator in simulators:
        readings |= simulator.simulate("GET", "readings")["readings"]
        simulator.simulate("POST", "readings", {"keep": False})
    assert readings, "nothing was read: the evidence is not kept"
    evidence = collect(
        users,
        admins.mapping,
        admins.queue,
        stored_journal(stack, aws),
        runs.kills,
        admins.decisions,
        readings,
    )
    findings = examine(evidence)

    if EVIDENCE:
        Path(EVIDENCE).write_text(json.dumps(asdict(evidence), default=sorted), encoding="utf-8")
    LOG.info("%d people, %d edits, seed %d: %.0f s", PEOPLE, EDITS, SEED, time.monotonic() - began)
    for name, counted in (("users", users), ("admins", admins.mapping), ("runs", runs)):
        LOG.info("%s: %s", name, dict(sorted(counted.counted.items())))
    LOG.info("%d typings\n%s", len(users.typings), findings.table())
    assert findings.unexplained == [], "\n".join(findings.unexplained)
    assert_the_workload_was_one(users.counted, admins.mapping.counted, runs.counted)
    crossed = sum(findings.explained[it] for it in examination.CROSSED)
    assert crossed <= MAX_CROSSED * len(users.typings)


def work(users: Users, admins: Admins, runs: Runs, randomness: Random, at_first: int) -> None:
    """Let users edit and admins change the mapping, while runs start and are killed."""
    edits = 0
    created = at_first
    changes = {EDITS * n // (MAPPING_CHANGES + 1) for n in range(1, MAPPING_CHANGES + 1)}
    decisions = {EDITS * n // (DECISIONS + 1) + 1 for n in range(1, DECISIONS + 1)}
    while edits < EDITS:
        before, edits = edits, edits + users.act()
        for reached in range(before, edits):
            if reached in changes:
                admins.change()
                runs.mapping_changed.set()
            if reached in decisions:
                admins.decide()
        if created < PEOPLE and created < at_first + (PEOPLE - at_first) * edits / EDITS:
            created += 1
            if randomness.random() < FORMS_OF_NEW_PEOPLE:
                users.create_by_form()
            else:
                users.create(randomness.choice(PLACES))
        time.sleep(randomness.expovariate(1 / PAUSE_SECONDS))


def assert_the_workload_was_one(
    users: Mapping[str, int], admins: Mapping[str, int], runs: Mapping[str, Any]
) -> None:
    """Check that each kind of event happened: an empty workload explains everything."""
    assert {f"typed {it.kind.value}" for it in MEANINGS.values()} <= users.keys(), users
    assert {"creation", "edit", "clear", "form", "opt-out", "opt-in", "e-mail changed"} <= {
        *users
    }, users
    assert {"pair removed", "pair added again", "direction changed", "policy changed"} <= {
        *admins
    }, admins
    assert {"killed", "changes: done", "full: done"} <= {*runs}, json.dumps(runs)
