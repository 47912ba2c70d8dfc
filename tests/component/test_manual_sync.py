"""Full, selected and dry runs do what was requested, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from connector.aws.dynamodb.journal import parse_entries
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair, MappingConfig
from connector.mapping.document import mapping_document
from connector.model import JournalEntry, RunKind, RunState
from tests.component.altered_answers import let_hours_pass
from tests.component.harness import REGION, Harness

SEGMENT = FieldPair("segment", "segment__c", Direction.BOTH)


def mapping_with(*pairs: FieldPair, version: int = 1) -> MappingConfig:
    new_keys = {pair.key for pair in pairs}
    kept = tuple(pair for pair in DEFAULT_MAPPING.pairs if pair.key not in new_keys)
    return MappingConfig(version, (*kept, *pairs), DEFAULT_MAPPING.contact_filter)


def table(name: str) -> list[dict[str, Any]]:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName=name)["Items"]
    return sorted(items, key=lambda item: (item["pk"]["S"], item.get("sk", {"S": ""})["S"]))


def ledger_without_runs() -> list[dict[str, Any]]:
    """Return what a dry run must not change; its own data are apart (`preview#`), and expire."""
    excluded = ("run#", "calls#", "rate#", "state#api_usage", "preview#")
    return [item for item in table("LedgerTable") if not item["pk"]["S"].startswith(excluded)]


def predicted_values(entries: list[JournalEntry]) -> set[tuple[str, str, str, Any, Any]]:
    """Return the entries without record ids: new records have no id before they exist."""
    return {(entry.email, entry.kind, entry.field, entry.before, entry.after) for entry in entries}


class TestFull:
    def test_a_full_run_applies_a_new_field_pair_to_unchanged_contacts(
        self, harness: Harness
    ) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez", segment="smb")
        harness.sync()
        let_hours_pass(harness, 3600)
        harness.sync()
        harness.context.mappings.save(mapping_with(SEGMENT))  # type: ignore[attr-defined]

        harness.sync()
        assert (
            harness.salesforce("GET", "query", q="SELECT segment__c FROM Lead")["records"][0][
                "segment__c"
            ]
            is None
        )
        assert harness.ledger.applied_version() == 0

        harness.sync(kind=RunKind.FULL)
        assert (
            harness.salesforce("GET", "query", q="SELECT segment__c FROM Lead")["records"][0][
                "segment__c"
            ]
            == "smb"
        )
        assert harness.ledger.applied_version() == 1

    def test_a_mapping_change_writes_only_the_fields_that_changed(self, harness: Harness) -> None:
        for number in range(3):
            harness.add_person(email=f"p{number}@example.com", last_name="Roi", segment="mid")
        harness.sync()
        harness.context.mappings.save(mapping_with(SEGMENT))  # type: ignore[attr-defined]
        since = {
            entry["at"]
            for number in range(3)
            for entry in harness.journal(f"p{number}@example.com")
        }

        harness.sync(kind=RunKind.FULL)

        new = [
            entry
            for number in range(3)
            for entry in harness.journal(f"p{number}@example.com")
            if entry["at"] not in since
        ]
        assert {entry["field"] for entry in new} == {"segment__c"}
        assert len(new) == 3

    def test_a_newly_mapped_field_that_differs_is_held_and_not_overwritten(
        self, harness: Harness
    ) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez", segment="smb")
        harness.sync()
        [lead] = harness.leads()
        harness.edit_lead(lead["Id"], segment__c="large")
        harness.sync()
        harness.context.mappings.save(mapping_with(SEGMENT))  # type: ignore[attr-defined]

        harness.sync(kind=RunKind.FULL)

        link = harness.ledger.load_links(["ana@example.com"])["ana@example.com"]
        assert link.holds["segment__c"].reason == "never_agreed"
        assert harness.people()["ana@example.com"]["segment"] == "smb"

    def test_a_policy_that_names_a_winner_resolves_a_newly_mapped_field(
        self, harness: Harness
    ) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez", segment="smb")
        harness.sync()
        [lead] = harness.leads()
        harness.edit_lead(lead["Id"], segment__c="large")
        harness.sync()
        pair = FieldPair(
            "segment", "segment__c", Direction.BOTH, policy=ConflictPolicy.SALESFORCE_WINS
        )
        harness.context.mappings.save(mapping_with(pair))  # type: ignore[attr-defined]

        harness.sync(kind=RunKind.FULL)

        assert harness.people()["ana@example.com"]["segment"] == "large"
        assert [
            entry["before"]
            for entry in harness.journal("ana@example.com")
            if entry["kind"] == "overwritten"
        ] == ['"smb"']

    def test_a_full_run_writes_nothing_when_both_sides_agree(self, harness: Harness) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez")
        harness.add_lead(Email="bob@example.com")
        harness.sync()
        harness.mark()

        run = harness.sync(kind=RunKind.FULL)

        assert run.state is RunState.DONE
        assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0

    def test_a_full_run_that_is_often_interrupted_applies_the_mapping_to_all_contacts(
        self, harness: Harness
    ) -> None:
        for number in range(4):
            harness.add_person(email=f"p{number}@example.com", last_name="Roi", segment="mid")
        harness.sync()
        harness.context.mappings.save(mapping_with(SEGMENT))  # type: ignore[attr-defined]

        run = harness.sync(lambda: True, kind=RunKind.FULL)

        assert run.invocations > 1
        rows = harness.salesforce("GET", "query", q="SELECT segment__c FROM Lead")["records"]
        assert {row["segment__c"] for row in rows} == {"mid"}
        assert harness.ledger.applied_version() == 1

    def test_a_mapping_saved_during_a_run_is_applied_by_a_later_run(self, harness: Harness) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez", segment="smb")
        calls = iter(range(1000))

        def save_at_first_call() -> bool:
            if next(calls) == 0:
                harness.context.mappings.save(mapping_with(SEGMENT))  # type: ignore[attr-defined]
            return True

        run = harness.sync(save_at_first_call)

        assert run.mapping_version == 0
        assert harness.ledger.applied_version() == 0


class TestSelected:
    def test_only_the_selected_contacts_are_synchronized(self, harness: Harness) -> None:
        people = {
            name: harness.add_person(email=f"{name}@example.com", last_name="Roi")
            for name in ("ana", "bob")
        }
        harness.sync()
        for person in people.values():
            harness.edit_person(person, phone="111")

        run = harness.sync(kind=RunKind.SELECTED, emails=["ana@example.com"])

        assert run.state is RunState.DONE
        assert {lead["Email"]: lead["Phone"] for lead in harness.leads()} == {
            "ana@example.com": "111",
            "bob@example.com": None,
        }

    def test_an_email_that_neither_side_knows_is_not_an_error(self, harness: Harness) -> None:
        run = harness.sync(kind=RunKind.SELECTED, emails=["nobody@example.com"])

        assert run.state is RunState.DONE
        assert not harness.leads()

    def test_a_selected_contact_whose_email_changed_is_synchronized(self, harness: Harness) -> None:
        person = harness.add_person(email="ana@example.com", last_name="Lopez")
        harness.sync()
        harness.edit_person(person, email="ana.lopez@example.com")

        harness.sync(kind=RunKind.SELECTED, emails=["ana@example.com"])

        assert [lead["Email"] for lead in harness.leads()] == ["ana.lopez@example.com"]

    def test_what_a_selected_person_typed_counts_although_the_clock_was_set_back(
        self, harness: Harness
    ) -> None:
        """The person was read before, by a clock that was a minute ahead."""
        person = harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
        harness.sync()
        [lead] = harness.leads()
        harness.edit_lead(lead["Id"], Phone="2")
        harness.control("plezi", "POST", "clock", {"advance": 60})
        harness.edit_person(person, phone="3")
        harness.let_pass(-50.0)

        harness.sync(kind=RunKind.SELECTED, emails=["ana@example.com"])

        assert harness.people()["ana@example.com"]["phone"] == "3"
        assert [it["Phone"] for it in harness.leads()] == ["3"]


class TestDryRun:
    @pytest.fixture
    def mixed_records(self, harness: Harness) -> Harness:
        """Records of each kind: new, edited on both sides, in conflict, refused, duplicate."""
        known = harness.add_person(email="ana@example.com", last_name="Lopez", phone="1")
        harness.add_lead(Email="bob@example.com", LastName="Roi", Phone="1")
        harness.sync()
        harness.control("plezi", "POST", "clock", {"advance": 60})
        harness.control("salesforce", "POST", "clock", {"advance": 60})
        harness.edit_person(known, phone="2", first_name="Ana")
        [ana] = harness.leads("ana@example.com")
        harness.edit_lead(ana["Id"], Phone="3", MobilePhone="4")
        harness.add_person(email="new@example.com", last_name="New")
        harness.add_person(email="long@example.com", last_name="Long", function="x" * 129)
        harness.add_lead(Email="lead@example.com", LastName="Lead")
        harness.add_lead(Email="lead@example.com", LastName="Lead", Phone="5")
        harness.add_lead(LastName="Nobody")
        return harness

    def test_a_dry_run_changes_neither_the_ledger_nor_the_cursors_nor_a_side(
        self, mixed_records: Harness
    ) -> None:
        before = (ledger_without_runs(), mixed_records.leads(), mixed_records.people())
        mixed_records.mark()

        run, entries = mixed_records.dry_run()

        assert run.state is RunState.DONE, run.message
        assert entries
        assert (ledger_without_runs(), mixed_records.leads(), mixed_records.people()) == before
        assert (
            mixed_records.calls("plezi")["writes"]
            == mixed_records.calls("salesforce")["writes"]
            == 0
        )

    def test_the_real_run_does_exactly_what_the_dry_run_predicted(
        self, mixed_records: Harness
    ) -> None:
        dry, entries = mixed_records.dry_run()
        mixed_records.mark()
        before = table("JournalTable")

        real = mixed_records.sync()

        new_items = [item for item in table("JournalTable") if item not in before]
        assert {
            (entry.email, entry.kind, entry.field)
            for item in new_items
            if item["pk"]["S"].startswith("contact#")
            for entry in parse_entries(item)
        } == {
            (entry.email, entry.kind, entry.field) for entry in entries if entry.kind != "duplicate"
        }
        for side in ("plezi", "salesforce"):
            assert {
                name: dry.counts[side].get(name, 0)
                for name in ("created", "updated", "quarantined")
            } == {
                name: real.counts[side].get(name, 0)
                for name in ("created", "updated", "quarantined")
            }
            assert mixed_records.calls(side)["total"] == dry.counts[side]["predicted_calls"]

    def test_the_predicted_values_are_the_values_written(self, mixed_records: Harness) -> None:
        _, entries = mixed_records.dry_run()
        mixed_records.sync()

        predicted = {
            entry.field: entry.after
            for entry in entries
            if entry.email == "ana@example.com"
            and entry.side == "salesforce"
            and entry.kind == "written"
        }
        [ana] = mixed_records.leads("ana@example.com")
        assert predicted == {"Phone": "2", "FirstName": "Ana"}
        assert {field: ana[field] for field in predicted} == predicted
        [overwritten] = [entry for entry in entries if entry.kind == "overwritten"]
        assert (overwritten.before, overwritten.after, overwritten.rule) == ("3", "2", "newest")

    def test_refusals_are_predicted_with_the_error_code_of_salesforce(
        self, mixed_records: Harness
    ) -> None:
        _, entries = mixed_records.dry_run()

        refused = [
            (entry.email, entry.field, entry.rule) for entry in entries if entry.kind == "refused"
        ]
        assert refused == [("long@example.com", "Title", "STRING_TOO_LONG")]

    def test_contacts_with_several_leads_are_listed(self, mixed_records: Harness) -> None:
        run, entries = mixed_records.dry_run()

        duplicates = [entry for entry in entries if entry.kind == "duplicate"]
        assert {entry.email for entry in duplicates} == {"lead@example.com"}
        assert {entry.record_id for entry in duplicates} == {
            lead["Id"] for lead in mixed_records.leads("lead@example.com")
        }
        assert run.counts["salesforce"]["duplicates"] == 1

    def test_a_dry_run_works_before_synchronization_is_enabled(
        self, mixed_records: Harness
    ) -> None:
        mixed_records.ledger.set_enabled(on=False, now=0.0)

        run, entries = mixed_records.dry_run()

        assert run.state is RunState.DONE
        assert entries

    def test_a_mapping_that_is_not_saved_can_be_tested(self, harness: Harness) -> None:
        harness.add_person(email="ana@example.com", last_name="Lopez", segment="smb")
        harness.sync()
        draft = json.dumps(mapping_document(mapping_with(SEGMENT)))

        _, entries = harness.dry_run(draft=draft)

        assert predicted_values(entries) == {
            ("ana@example.com", "written", "segment__c", None, "smb")
        }
        assert harness.context.mappings.current().version == 0

    def test_a_dry_run_can_be_limited_to_selected_contacts(self, mixed_records: Harness) -> None:
        _, entries = mixed_records.dry_run(emails=["new@example.com"])

        assert {entry.email for entry in entries} == {"new@example.com"}

    def test_a_dry_run_that_is_too_large_for_one_invocation_continues_in_others(
        self, mixed_records: Harness
    ) -> None:
        before = ledger_without_runs()
        _, at_once = mixed_records.dry_run()

        run, in_parts = mixed_records.dry_run(out_of_time=lambda: True)

        assert run.state is RunState.DONE, run.message
        assert run.invocations > 3
        assert predicted_values(in_parts) == predicted_values(at_once)
        assert ledger_without_runs() == before
