"""The deployed worker is killed repeatedly; the result is that of uninterrupted runs.

Two equal populations receive the same edits in the same waves. The runs of the first are
uninterrupted. During the runs of the second the worker is killed, each time while it works on a
started run, after a random number of writes.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from connector.aws.dynamodb.journal import parse_entries
from connector.aws.dynamodb.ledger import DynamoLedger
from connector.model import Value, Values
from local.actors import Marketer, Operator
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from plezi_sync.admin_api import AdminApi
from tests.e2e.killable_worker import KillableWorker
from tests.e2e.populations import (
    PLEZI_AHEAD_SECONDS,
    POLICIES,
    Population,
    exists_before,
    outcome_of,
)
from tests.retry_policies import IMMEDIATE

pytestmark = [pytest.mark.stack, pytest.mark.nightly]

KILLS = int(os.environ.get("KILLS", "3"))
"""`make kill-worker` kills it twenty times, with 2,000 people; the usual tests three times."""
BOTH_WAYS = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Company": "company",
    "Phone": "phone",
    "MobilePhone": "mobile",
}
IDENTITIES = {"Email", "email", "plezi_url__c", "url"}
WAVES_PER_UNINTERRUPTED_RUN = 5
"""Waves until a run is not killed: a run that clears fields of more than 100 people stops for an
approval, and the unfinished changes of twenty waves would come near this limit."""
LATEST, LATEST_AFTER_MISS = 0.9, 0.5
"""The latest moment of a kill, as a share of the writes of an uninterrupted run; earlier once a run
was done before its kill."""


@pytest.fixture
def decided_by_policy(stack: StackFile, admin_api: AdminApi) -> Iterator[None]:
    """A mapping with which the time of a write decides no conflict."""

    def save(pairs: list[dict[str, Any]]) -> None:
        current = admin_api.call("GET", "/admin/mapping").json()
        body = json.dumps({**current, "pairs": pairs}).encode()
        response = admin_api.call("PUT", "/admin/mapping", body)
        assert response.ok, response.text

    before = admin_api.call("GET", "/admin/mapping").json()["pairs"]
    changed = [
        {**pair, "policy": POLICIES.get(pair["salesforce"], pair["policy"])}
        | ({"direction": "to_salesforce"} if pair["salesforce"] == "Title" else {})
        for pair in before
    ]
    Marketer(stack).simulate("POST", "clock", {"advance": PLEZI_AHEAD_SECONDS})
    save(changed)
    yield
    save(before)


@pytest.mark.usefixtures("decided_by_policy")
def test_a_worker_that_is_killed_repeatedly_ends_with_the_same_data_as_an_uninterrupted_one(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    ops, worker = Operator(stack), KillableWorker(stack, aws)
    ops.admin("POST", "/admin/start")
    reference, interrupted = (Population(stack, name, waves=KILLS) for name in ("calm", "struck"))
    for population in (reference, interrupted):
        population.create_existing()
    ops.fire_schedule()
    reference_writes = []
    for wave in range(KILLS):
        reference.edit(wave)
        worker.mark()
        run = ops.fire_schedule()
        assert run["state"] == "done", run["message"]
        reference_writes.append(worker.writes())
    randomness = random.Random(4)  # noqa: S311  # moments of kills, not secrets
    kills = 0
    with worker.killable():
        for wave in range(KILLS):
            interrupted.edit(wave)
            while kills <= wave:
                latest = LATEST if wave == kills < KILLS - 1 else LATEST_AFTER_MISS
                writes = randomness.randrange(int(latest * min(reference_writes)))
                if not worker.is_killed_at_work(writes):
                    break  # the run was done before: the next wave makes new changes
                kills += 1
            if wave % WAVES_PER_UNINTERRUPTED_RUN == WAVES_PER_UNINTERRUPTED_RUN - 1:
                worker.wait_until_done(ops)
        worker.wait_until_done(ops)

    assert kills >= KILLS
    assert_both_sides_agree(reference)
    assert_both_sides_agree(interrupted)
    assert interrupted.contacts().values == reference.contacts().values
    assert interrupted.leads().values == reference.leads().values
    assert links(interrupted, stack, aws) == links(reference, stack, aws)
    assert overwritten(interrupted, stack, aws) == overwritten(reference, stack, aws)


def assert_both_sides_agree(population: Population) -> None:
    """Check each person: one record per side, linked to each other, with the expected values."""
    contacts, leads = population.contacts(), population.leads()
    numbers = set(population.numbers)
    assert contacts.values.keys() == leads.values.keys() == numbers
    for number, lead in leads.values.items():
        assert leads.pages[number].endswith(contacts.ids[number])
        contact = contacts.values[number]
        assert [lead[field] for field in BOTH_WAYS] == [
            contact[name] for name in BOTH_WAYS.values()
        ]
        outcome = outcome_of(number) if exists_before(number) else {}
        assert {field: lead[field] for field in outcome} == outcome


def links(population: Population, stack: StackFile, aws: EmbeddedAws) -> dict[int | None, Any]:
    """Return the links of the ledger by person, without ids, addresses and time stamps."""
    ledger = DynamoLedger(aws.tables, stack.tables["ledger"], IMMEDIATE)
    loaded = ledger.load_links(population.email(number) for number in population.numbers)
    return {
        population.number(email): {
            "open": (dict(link.holds), link.quarantine, link.intent, link.dirty),
            "observed": [
                (record.kind, comparable(record.values)) for record in link.observations()
            ],
            "base": [
                (record.kind, comparable(link.base[record.id])) for record in link.observations()
            ],
        }
        for email, link in loaded.items()
    }


def comparable(values: Values) -> dict[str, Value]:
    """Return the values without those that are unique to a person, by field or by pair (`a>b`)."""
    return {name: value for name, value in values.items() if IDENTITIES.isdisjoint(name.split(">"))}


def overwritten(population: Population, stack: StackFile, aws: EmbeddedAws) -> set[tuple[Any, ...]]:
    """Return the user edits that the journal reports as overwritten."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["journal"])
    return {
        (number, entry.side, entry.field, entry.before, entry.after, entry.rule)
        for page in pages
        for item in page["Items"]
        if "run_id" in item
        for entry in parse_entries(item)
        if entry.kind == "overwritten" and (number := population.number(entry.email)) is not None
    }
