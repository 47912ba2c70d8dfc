"""The deployed worker's process is killed again and again; all ends as if it never had been.

Two equal populations get the same work in the same waves. The runs of the first are undisturbed. In
those of the second the worker is killed, each time while it works on a run that it has begun, after
as many writes as chance says.
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
from local.stack.admin_calls import call_admin
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile
from tests.e2e.killable_worker import KillableWorker
from tests.e2e.populations import (
    PLEZI_AHEAD_SECONDS,
    POLICIES,
    Population,
    is_old,
    outcome_of,
)

pytestmark = pytest.mark.stack

KILLS = int(os.environ.get("KILLS", "3"))
"""`make kill-worker` kills it twenty times, in 2,000 people; the tests of every day three times."""
BOTH_WAYS = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Company": "company",
    "Phone": "phone",
    "MobilePhone": "mobile",
}
IDENTITIES = {"Email", "email", "plezi_url__c", "url"}
WAVES_TO_REST = 5
"""Waves until a run is left alone: a run that empties the fields of over 100 people stops to ask,
and what twenty waves had left undone would come near."""
LATEST, LATEST_BEHIND = 0.9, 0.5
"""When a kill comes at the latest, of the writes of an undisturbed run; sooner once one missed."""


@pytest.fixture
def decided_by_policy(stack: StackFile, commands: StackCommands) -> Iterator[None]:
    """A mapping by which no conflict is decided by the instant of a write."""

    def put(lines: list[dict[str, Any]]) -> None:
        now = call_admin(commands, "GET", "/admin/mapping", None).json()
        body = json.dumps({**now, "pairs": lines}).encode()
        answer = call_admin(commands, "PUT", "/admin/mapping", body)
        assert answer.ok, answer.text

    before = call_admin(commands, "GET", "/admin/mapping", None).json()["pairs"]
    changed = [
        {**line, "policy": POLICIES.get(line["salesforce"], line["policy"])}
        | ({"direction": "to_salesforce"} if line["salesforce"] == "Title" else {})
        for line in before
    ]
    Marketer(stack).simulate("POST", "clock", {"advance": PLEZI_AHEAD_SECONDS})
    put(changed)
    yield
    put(before)


@pytest.mark.usefixtures("decided_by_policy")
def test_a_worker_killed_again_and_again_leaves_what_an_undisturbed_one_leaves(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    ops, worker = Operator(stack), KillableWorker(stack, aws)
    ops.admin("POST", "/admin/start")
    calm, struck = (Population(stack, name, waves=KILLS) for name in ("calm", "struck"))
    for each in (calm, struck):
        each.found()
    ops.fire_schedule()
    undisturbed = []
    for wave in range(KILLS):
        calm.work(wave)
        worker.mark()
        run = ops.fire_schedule()
        assert run["state"] == "done", run["message"]
        undisturbed.append(worker.writes())
    chance = random.Random(4)  # noqa: S311  # instants, not secrets
    kills = 0
    with worker.killable():
        for wave in range(KILLS):
            struck.work(wave)
            while kills <= wave:
                latest = LATEST if wave == kills < KILLS - 1 else LATEST_BEHIND
                if not worker.is_killed_at_work(chance.randrange(int(latest * min(undisturbed)))):
                    break  # the run was done sooner: there is work again in the next wave
                kills += 1
            if wave % WAVES_TO_REST == WAVES_TO_REST - 1:
                worker.wait_until_done(ops)
        worker.wait_until_done(ops)

    assert kills >= KILLS
    assert_both_sides_agree(calm)
    assert_both_sides_agree(struck)
    assert struck.contacts().words == calm.contacts().words
    assert struck.leads().words == calm.leads().words
    assert links(struck, stack, aws) == links(calm, stack, aws)
    assert lost(struck, stack, aws) == lost(calm, stack, aws)


def assert_both_sides_agree(population: Population) -> None:
    """Each person once on each side, bound to each other, and edited as the edits foretell."""
    contacts, leads = population.contacts(), population.leads()
    everybody = set(population.numbers)
    assert contacts.words.keys() == leads.words.keys() == everybody
    for number, lead in leads.words.items():
        assert leads.pages[number].endswith(contacts.ids[number])
        contact = contacts.words[number]
        assert [lead[field] for field in BOTH_WAYS] == [
            contact[name] for name in BOTH_WAYS.values()
        ]
        outcome = outcome_of(number) if is_old(number) else {}
        assert {field: lead[field] for field in outcome} == outcome


def links(population: Population, stack: StackFile, aws: EmbeddedAws) -> dict[int | None, Any]:
    """Return what the ledger holds of each person, ids, addresses and time stamps apart."""
    ledger = DynamoLedger(aws.tables, stack.tables["ledger"])
    found = ledger.load_links(population.email(number) for number in population.numbers)
    return {
        population.number(email): {
            "waits": (dict(link.holds), link.quarantine, link.intent, link.dirty),
            "seen": [(seen.kind, apart(seen.values)) for seen in link.observations()],
            "base": [(seen.kind, apart(link.base[seen.id])) for seen in link.observations()],
        }
        for email, link in found.items()
    }


def apart(values: Values) -> dict[str, Value]:
    """Return words without those by which two people differ."""
    return {field: word for field, word in values.items() if field not in IDENTITIES}


def lost(population: Population, stack: StackFile, aws: EmbeddedAws) -> set[tuple[Any, ...]]:
    """Return what the journal says that people typed in vain."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["journal"])
    return {
        (number, line.side, line.field, line.before, line.after, line.rule)
        for page in pages
        for item in page["Items"]
        if "run_id" in item and (number := population.number(item["email"]["S"])) is not None
        for line in parse_entries(item)
        if line.kind == "overwritten"
    }
