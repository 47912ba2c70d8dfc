"""A person with a tombstone is not stored, whatever reads the records: a run, a form, an admin."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.aws.dynamodb.tombstones import DynamoTombstones
from connector.errors import StopReason
from connector.log_events import link_hash
from connector.model import (
    ChangeHint,
    HintResult,
    Link,
    LinkChange,
    Observation,
    RecordKind,
    RunKind,
    RunState,
)
from connector.sync.guarded_links import GuardedLinks
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import ANA, BOB, advance_clocks, lead_of


@pytest.fixture
def tombstones(harness: Harness) -> DynamoTombstones:
    adapters: Any = harness.runtime["aws"]
    store: DynamoTombstones = adapters.tombstones("LedgerTable", "tombstones")
    return store


def test_no_kind_of_run_stores_a_person_with_a_tombstone(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    person = harness.add_person(email=ANA, last_name="Lopez")
    advance_clocks(harness)  # of one time, both would be read again with the end of the list
    harness.add_person(email=BOB, last_name="Roi")
    tombstones.add([ANA], at=1.0)

    run = harness.sync()
    harness.sync(kind=RunKind.FULL)
    harness.sync(kind=RunKind.SELECTED, emails=[ANA])
    assert harness.engine.sync_contact(ChangeHint("form", ANA)) is HintResult.RESOLVED
    assert harness.engine.sync_contact(ChangeHint("push", "", person)) is HintResult.RESOLVED
    dry_run, plan = harness.dry_run(include_unchanged=True)

    assert run.state is dry_run.state is RunState.DONE
    assert run.counts["plezi"]["skipped.erased"] == 1
    assert not [entry for entry in plan if entry.email == ANA]
    assert harness.ledger.load_links([ANA]) == {}
    assert harness.ledger.owner_emails([person]) == {}
    assert not harness.leads(ANA)
    assert lead_of(harness, BOB)["LastName"] == "Roi"


def test_a_record_with_a_tombstone_is_not_stored_under_a_new_email(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    person = harness.add_person(email="new@example.com", last_name="Lopez")
    tombstones.add([ANA, person], at=1.0)

    harness.sync()

    assert harness.ledger.load_links(["new@example.com"]) == {}
    assert not harness.leads()


def test_a_known_person_does_not_move_to_an_email_with_a_tombstone(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    person = harness.add_person(email=BOB, last_name="Roi")
    harness.sync()
    tombstones.add([ANA], at=1.0)
    harness.edit_person(person, email=ANA)

    run = harness.sync()

    assert run.counts["plezi"]["skipped.erased"]
    assert set(harness.ledger.load_links([ANA, BOB])) == {BOB}


def test_a_record_that_cannot_be_read_does_not_bring_its_person_back(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    tombstones.add([ANA], at=1.0)
    harness.add_person(email=ANA, last_name="x" * 200)
    harness.add_lead(Email=ANA)

    harness.sync(kind=RunKind.FULL)

    assert harness.ledger.load_links([ANA]) == {}


def test_a_link_that_is_stored_while_its_person_is_erased_is_removed_at_once(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    links = GuardedLinks(harness.ledger, tombstones)
    contact = Observation(RecordKind.PLEZI_CONTACT, "p1", ANA, "1", "", 1.0, {})
    tombstones.add([ANA], at=1.0)

    links.save_links([LinkChange(Link(ANA, plezi=contact)), LinkChange(Link(BOB))])

    assert set(links.load_links([ANA, BOB])) == {BOB}
    assert harness.ledger.owner_emails(["p1"]) == {}


def test_a_link_that_changed_is_not_removed(harness: Harness) -> None:
    harness.ledger.save_links([LinkChange(Link(ANA))])
    link = harness.ledger.load_links([ANA])[ANA]
    harness.ledger.save_links([LinkChange(link)])

    assert not harness.ledger.remove_link(link)
    assert harness.ledger.remove_link(replace(link, revision=link.revision + 1))
    assert harness.ledger.load_links([ANA]) == {}


def test_lifting_a_tombstone_lifts_those_of_all_names_of_the_person(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    tombstones.add([ANA, "old@example.com", "p1"], at=1.0)
    tombstones.add([BOB], at=1.0)
    assert tombstones.erased([ANA, "p1", "p2", ""]) == {ANA, "p1"}

    assert tombstones.lift("old@example.com") == 3

    assert tombstones.erased([ANA, "old@example.com", "p1", BOB]) == {BOB}
    assert tombstones.lift(ANA) == 0
    assert harness.ledger.load_document("tombstones") is not None


def test_a_tombstone_contains_no_name_and_no_hash_that_can_be_guessed(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    tombstones.add([ANA, "p1"], at=1.0)

    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="LedgerTable")["Items"]
    text = json.dumps([item for item in items if "tombstone" in item["pk"]["S"]], default=str)

    assert "tombstone#" in text
    assert ANA not in text
    adapters: Any = harness.runtime["aws"]
    boto3.client("secretsmanager", region_name=REGION).create_secret(
        Name="other", SecretString=json.dumps({"key": "o" * 64})
    )
    assert adapters.tombstones("LedgerTable", "other").hash_of(ANA) not in text
    assert tombstones.hash_of(ANA) in text


def test_a_log_without_the_key_names_nobody(harness: Harness) -> None:
    """The name is the same in every function of a stack, and another one in every stack."""
    adapters: Any = harness.runtime["aws"]
    secrets = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(Name="other", SecretString=json.dumps({"key": "o" * 64}))
    secrets.create_secret(Name="unusable", SecretString="{}")
    name = adapters.log_names("tombstones")(ANA)

    assert name == adapters.log_names("tombstones")(ANA)
    assert name not in (link_hash(ANA), adapters.log_names("other")(ANA))
    assert not adapters.tombstones("LedgerTable", "tombstones").hash_of(ANA).startswith(name)
    assert adapters.log_names("unusable")(ANA) == "unnamed"


def test_with_another_key_every_run_stops_and_nobody_is_brought_back(
    harness: Harness, tombstones: DynamoTombstones
) -> None:
    tombstones.add([ANA], at=1.0)
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(
        SecretId="tombstones", SecretString=json.dumps({"key": "o" * 64})
    )
    harness.add_person(email=ANA, last_name="Lopez")
    harness.use_settings()

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.SECRET)
    assert "AWSPREVIOUS" in run.message
    assert harness.ledger.load_links([ANA]) == {}


@pytest.mark.parametrize("text", ["", "{}", '{"key": "short"}', '{"key": 5}'])
def test_a_secret_without_a_key_stops_the_run_only_where_somebody_was_erased(
    harness: Harness, text: str
) -> None:
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(
        SecretId="tombstones", SecretString=text or "no JSON"
    )
    harness.add_person(email=BOB, last_name="Roi")
    assert harness.sync().state is RunState.DONE

    harness.ledger.save_document("tombstones", {"fingerprint": "f"})
    harness.add_person(email=ANA, last_name="Lopez")
    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.SECRET)
    assert "tombstones" in run.message
