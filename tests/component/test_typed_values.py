"""What people typed stays in every situation: cases L and M3 of docs/field-cases.md."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.aws.dynamodb.journal import DynamoJournal
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from connector.model import AttentionKind, RunKind, RunState, Side
from connector.sync.change_limits import FEW_CLEARED
from tests.component.admin_client import AdminClient, in_path
from tests.component.altered_answers import alter_answers, edit_json, let_hours_pass
from tests.component.harness import Harness
from tests.component.people_fixtures import (
    ANA,
    BOB,
    advance_clocks,
    lead_of,
    next_run_writes_nothing,
)
from tests.component.test_faults import inject_fault


def save_mapping(harness: Harness, *pairs: FieldPair, version: int = 1) -> None:
    """Save the shipped mapping with these pairs in place of those with the same Plezi attribute."""
    names = {pair.plezi for pair in pairs}
    others = tuple(pair for pair in DEFAULT_MAPPING.pairs if pair.plezi not in names)
    mapping = replace(DEFAULT_MAPPING, version=version, pairs=(*others, *pairs))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def held(harness: Harness, email: str = ANA) -> dict[str, str]:
    link = harness.ledger.load_links([email])[email]
    return {key: hold.reason.value for key, hold in link.holds.items()}


class KilledError(BaseException):
    """The process is killed."""


def attention(harness: Harness, kind: AttentionKind) -> list[str]:
    return harness.ledger.emails_needing_attention(kind, 10, "")


def hide_record(record: str, _request: Request, answer: Response) -> None:
    """Leave a record out of the results of queries, as sharing does."""

    def without(tree: Any) -> Any:
        if isinstance(tree, list):
            return [
                without(it) for it in tree if not (isinstance(it, dict) and it.get("Id") == record)
            ]
        return {key: without(it) for key, it in tree.items()} if isinstance(tree, dict) else tree

    if "json" in (answer.content_type or "") and answer.get_data():
        answer.set_data(json.dumps(without(json.loads(answer.get_data()))))


def drop_attribute(name: str, _request: Request, answer: Response) -> None:
    """Leave an attribute out of the contacts of an answer."""

    def edit(document: Any) -> None:
        rows = document.get("data")
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict):
                row.get("attributes", {}).pop(name, None)

    if answer.get_data():
        edit_json(answer, edit)


def null_attribute(name: str, _request: Request, answer: Response) -> None:
    """Show an attribute of the contacts of an answer as blank."""

    def edit(document: Any) -> None:
        rows = document.get("data")
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict) and row.get("type") == "contacts":
                row["attributes"][name] = None

    if answer.get_data():
        edit_json(answer, edit)


class TestL1:
    """A Lead whose e-mail was cleared is left alone, whatever happens in Plezi."""

    def test_l1_a_lead_whose_email_was_cleared_is_neither_overwritten_nor_doubled(
        self, harness: Harness
    ) -> None:
        ana = harness.add_person(email=ANA, last_name="Lopez", company="Acme", phone="111")
        harness.sync()
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, Email=None, Company="Typed", LastName="Typed")
        advance_clocks(harness)
        harness.edit_person(ana, phone="222")

        run = harness.sync()
        harness.sync(kind=RunKind.FULL)

        assert run.state is RunState.DONE
        [left] = harness.leads()
        assert (left["Email"], left["Company"], left["LastName"]) == (None, "Typed", "Typed")
        assert left["Phone"] == "111"
        assert attention(harness, AttentionKind.NO_EMAIL) == [ANA]
        assert next_run_writes_nothing(harness)

    def test_l1_what_was_typed_since_then_travels_when_the_email_is_typed_again(
        self, harness: Harness
    ) -> None:
        ana = harness.add_person(email=ANA, last_name="Lopez", company="Acme", phone="111")
        harness.sync()
        lead = lead_of(harness)["Id"]
        harness.edit_lead(lead, Email=None, Company="Typed")
        harness.edit_person(ana, phone="222")
        harness.sync()
        advance_clocks(harness)

        harness.edit_lead(lead, Email=ANA)
        harness.sync()

        assert (lead_of(harness)["Phone"], lead_of(harness)["Company"]) == ("222", "Typed")
        assert harness.people()[ANA]["company"] == "Typed"
        assert attention(harness, AttentionKind.NO_EMAIL) == []

    def test_l1_a_lead_that_the_integration_user_cannot_see_is_not_overwritten(
        self, harness: Harness
    ) -> None:
        """Its page address is unique, so Salesforce refuses the second Lead."""
        ana = harness.add_person(email=ANA, last_name="Lopez", company="Acme")
        url = f"https://app.plezi.co/contacts/{ana}"
        lead = harness.add_lead(Email=BOB, Company="Typed", plezi_url__c=url)
        alter_answers(harness, Side.SALESFORCE, after=partial(hide_record, lead))

        run = harness.sync()

        assert run.state is RunState.DONE
        [left] = harness.leads()
        assert (left["Email"], left["Company"]) == (BOB, "Typed")
        quarantine = harness.ledger.load_links([ANA])[ANA].quarantine
        assert quarantine is not None
        assert quarantine.code == "DUPLICATE_VALUE"


class TestL2:
    @pytest.mark.parametrize("kind", ["error", "budget"])
    def test_l2_an_interrupted_first_meeting_goes_on_as_if_nothing_had_happened(
        self, harness: Harness, kind: str
    ) -> None:
        emails = [f"p{number}@example.com" for number in range(12)]
        for email in emails:
            harness.add_person(email=email, last_name="Lopez", company="Acme", phone="111")
        advance_clocks(harness)
        for email in emails:
            harness.add_lead(Email=email, LastName="Lopez", Company="Beta", Phone="222")
        if kind == "error":
            inject_fault(harness, "plezi", "http_503", method="PUT|PATCH", count=20)
            harness.sync(skip_stages=True)
        else:
            out_of_time = iter([False] * 3 + [True] * 1_000).__next__
            harness.sync(out_of_time=out_of_time, skip_stages=True)

        for _ in range(3):
            let_hours_pass(harness)
            run = harness.sync(skip_stages=True)

        assert run.state is RunState.DONE
        assert {each["phone"] for each in harness.people().values()} == {"222"}
        assert {each["company"] for each in harness.people().values()} == {"Beta"}
        for email in emails:
            assert held(harness, email) == {}
            lost = [it for it in harness.journal(email) if it["kind"] == "overwritten"]
            assert [(it["field"], it["before"]) for it in lost] == [
                ("Company", '"Acme"'),
                ("Phone", '"111"'),
            ]


class TestL3:
    def test_l3_clearing_the_value_of_a_held_field_ends_the_hold(self, harness: Harness) -> None:
        harness.add_person(email=ANA, last_name="Lopez", mobile="111")
        lead = harness.add_lead(Email=ANA, LastName="Lopez", MobilePhone=None)
        save_mapping(harness, FieldPair("mobile", "MobilePhone", Direction.OFF))
        harness.sync()
        harness.edit_lead(lead, MobilePhone="222")
        save_mapping(harness, FieldPair("mobile", "MobilePhone", Direction.BOTH), version=2)
        harness.sync(kind=RunKind.FULL)
        assert held(harness) == {"MobilePhone": "never_agreed"}
        advance_clocks(harness)

        harness.edit_lead(lead, MobilePhone=None)
        harness.sync()

        assert lead_of(harness)["MobilePhone"] is None
        assert not harness.people()[ANA].get("mobile")
        assert held(harness) == {}
        lost = [it for it in harness.journal(ANA) if it["kind"] == "overwritten"]
        assert [(it["side"], it["before"], it["after"]) for it in lost] == [
            ("plezi", '"111"', "null")
        ]
        assert next_run_writes_nothing(harness)

    def test_l3_a_conflict_that_waits_ends_with_what_is_typed_next(self, harness: Harness) -> None:
        save_mapping(
            harness,
            FieldPair("phone", "Phone", Direction.BOTH, policy=ConflictPolicy.HOLD),
        )
        ana = harness.add_person(email=ANA, last_name="Lopez", phone="111")
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="222")
        harness.sync()
        assert held(harness) == {"Phone": "conflict"}
        advance_clocks(harness)

        harness.edit_person(ana, phone="333")
        harness.sync()

        assert lead_of(harness)["Phone"] == "333"
        assert held(harness) == {}

    def test_l3_an_edit_that_cannot_travel_leaves_the_other_values_to_decide(
        self, harness: Harness
    ) -> None:
        save_mapping(
            harness,
            FieldPair(
                "phone", "Phone", Direction.BOTH, contact="Phone", policy=ConflictPolicy.HOLD
            ),
        )
        harness.add_contact(Email=ANA, LastName="Lopez", Phone="111", sync_to_plezi__c="yes")
        lead = harness.add_lead(Email=ANA, LastName="Lopez", Phone="222")
        ana = harness.add_person(email=ANA, last_name="Lopez")
        harness.sync()
        assert held(harness) == {"Phone": "conflict"}
        advance_clocks(harness)

        harness.edit_person(ana, phone="333")
        harness.edit_lead(lead, Email=None)  # a Contact stays, which is never written to
        harness.sync()

        assert harness.people()[ANA]["phone"] == "111"
        assert held(harness) == {}
        assert ("overwritten", '"333"', '"111"') in [
            (it["kind"], it["before"], it["after"]) for it in harness.journal(ANA)
        ]


class TestL4:
    def test_l4_a_side_that_never_said_anything_is_not_offered(
        self, harness: Harness, admin_client: AdminClient
    ) -> None:
        save_mapping(
            harness,
            FieldPair(
                "company",
                "Company",
                Direction.BOTH,
                contact="Account.Name",
                placeholder="[unknown]",
                policy=ConflictPolicy.HOLD,
            ),
        )
        leads = {harness.add_lead(Email=ANA, Company=name): name for name in ("Alpha", "Beta")}
        harness.sync()
        harness.sync()
        assert held(harness) == {"Company": "conflict"}

        body = {"field": "Company", "side": "plezi"}
        decided = admin_client.request_ok("POST", "/admin/attention/holds", body)

        assert decided["decided"] == 0
        [item] = admin_client.request_ok("GET", "/admin/attention", kind="hold")["people"]
        [hold] = item["holds"]
        [plezi] = [it for it in hold["values"] if it["record"] not in leads]
        assert not plezi["can_be_chosen"]
        path = f"/admin/attention/holds/{in_path(ANA)}/Company"
        refused = admin_client.request("POST", path, {"record": plezi["record"]})
        assert refused.status == 422
        assert {each["Id"]: each["Company"] for each in harness.leads()} == leads


class TestL5:
    @pytest.mark.parametrize("how", ["deleted", "absent"])
    def test_l5_an_attribute_that_plezi_lacks_clears_no_field(
        self, harness: Harness, how: str
    ) -> None:
        harness.control("plezi", "POST", "attributes", {"name": "note", "type": "text"})
        save_mapping(harness, FieldPair("note", "Description", Direction.BOTH))
        ana = harness.add_person(email=ANA, last_name="Lopez", note="typed")
        harness.sync()
        lead = lead_of(harness)["Id"]
        if how == "deleted":
            harness.control("plezi", "DELETE", "attributes/note")
        else:
            alter_answers(harness, Side.PLEZI, after=partial(drop_attribute, "note"))
        harness.edit_person(ana, mobile="333")

        harness.sync()
        harness.sync(kind=RunKind.FULL)

        stored = harness.salesforce("GET", f"sobjects/Lead/{lead}")
        assert (stored["Description"], stored["MobilePhone"]) == ("typed", "333")

    def test_l5_a_field_that_many_people_lose_at_once_is_described_again_first(
        self, harness: Harness
    ) -> None:
        """Plezi answers null for everybody, because the attribute was deleted there."""
        harness.control("plezi", "POST", "attributes", {"name": "note", "type": "text"})
        save_mapping(harness, FieldPair("note", "Description", Direction.BOTH))
        people = [
            harness.add_person(email=f"p{number}@example.com", last_name="Roi", note="typed")
            for number in range(FEW_CLEARED + 1)
        ]
        harness.sync()
        leads = {each["Id"] for each in harness.leads()}
        harness.control("plezi", "DELETE", "attributes/note")
        alter_answers(harness, Side.PLEZI, after=partial(null_attribute, "note"))
        for person in people:
            harness.edit_person(person, mobile="333")

        run = harness.sync()

        assert run.state is RunState.DONE
        for lead in leads:
            stored = harness.salesforce("GET", f"sobjects/Lead/{lead}")
            assert (stored["Description"], stored["MobilePhone"]) == ("typed", "333")

    def test_l5_a_field_that_many_people_clear_is_cleared(self, harness: Harness) -> None:
        people = [
            harness.add_person(email=f"p{number}@example.com", last_name="Roi", phone="111")
            for number in range(FEW_CLEARED + 1)
        ]
        harness.sync()
        for person in people:
            harness.edit_person(person, phone=None)

        harness.sync()

        assert {each["Phone"] for each in harness.leads()} == {None}


class TestL7:
    def test_l7_a_score_that_changes_often_is_no_loop(self, harness: Harness) -> None:
        ana = harness.add_person(email=ANA, last_name="Lopez")
        for score in (10, 12, 10, 12, 10, 15, 20, 30):
            harness.control("plezi", "PATCH", f"contacts/{ana}", {"behaviour_score": score})
            harness.sync()
            assert lead_of(harness)["score__c"] == str(score)
        assert held(harness) == {}

    def test_l7_a_phone_that_a_marketer_changes_often_is_no_loop(self, harness: Harness) -> None:
        ana = harness.add_person(email=ANA, last_name="Lopez", phone="1")
        for phone in ("2", "1", "2", "1", "2", "1", "3"):
            advance_clocks(harness)
            harness.edit_person(ana, phone=phone)
            harness.sync()
            assert lead_of(harness)["Phone"] == phone


class TestL8:
    def test_l8_a_refused_field_waits_and_the_opt_out_arrives_at_once(
        self, harness: Harness
    ) -> None:
        optout = FieldPair(
            "opt_out",
            "HasOptedOutOfEmail",
            Direction.BOTH,
            policy=ConflictPolicy.MOST_RESTRICTIVE,
        )
        harness.control("plezi", "POST", "attributes", {"name": "opt_out", "type": "checkbox"})
        save_mapping(harness, optout)
        ana = harness.add_person(email=ANA, last_name="Lopez", mobile="1")
        harness.sync()
        advance_clocks(harness)

        harness.edit_person(ana, mobile="1" * 41, function="Buyer")
        first = harness.sync()
        title = harness.salesforce("GET", f"sobjects/Lead/{lead_of(harness)['Id']}")["Title"]
        advance_clocks(harness)
        harness.edit_person(ana, opt_out=True)
        harness.sync()

        lead = harness.salesforce("GET", f"sobjects/Lead/{lead_of(harness)['Id']}")
        assert first.counts["salesforce"]["quarantined"] == 1
        assert title == "Buyer"
        assert lead["HasOptedOutOfEmail"] is True
        assert lead["MobilePhone"] == "1"
        quarantine = harness.ledger.load_links([ANA])[ANA].quarantine
        assert quarantine is not None
        assert quarantine.fields == ("MobilePhone",)

    def test_l8_an_address_that_plezi_refuses_waits_and_the_other_fields_arrive_at_once(
        self, harness: Harness
    ) -> None:
        ana = harness.add_person(email=ANA, last_name="Lopez", mobile="1")
        harness.sync()
        advance_clocks(harness)

        harness.edit_lead(lead_of(harness)["Id"], Email="a" * 75 + "@x.y", MobilePhone="2")
        harness.sync()

        person = harness.control("plezi", "GET", f"contacts/{ana}")
        assert (person["mobile"], person["email"]) == ("2", ANA)
        [address] = attention(harness, AttentionKind.QUARANTINE)
        quarantine = harness.ledger.load_links([address])[address].quarantine
        assert quarantine is not None
        assert quarantine.fields == ("email",)

    def test_l8_a_new_lead_is_created_without_the_field_that_is_refused(
        self, harness: Harness
    ) -> None:
        harness.add_person(email=ANA, last_name="Lopez", mobile="1" * 41, phone="2")

        harness.sync()

        assert (lead_of(harness)["MobilePhone"], lead_of(harness)["Phone"]) == (None, "2")
        assert attention(harness, AttentionKind.QUARANTINE) == [ANA]

    def test_l8_a_refused_value_survives_a_process_that_is_killed_after_the_creation(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The page URL proves the creation; the refused field was never part of it."""
        refused = "1" * 41
        harness.add_person(email=ANA, last_name="Lopez", mobile=refused)

        def kill(_journal: DynamoJournal, _entries: object) -> None:
            raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(DynamoJournal, "write", kill)
            with pytest.raises(KilledError):
                harness.sync()
        assert lead_of(harness)["MobilePhone"] is None
        harness.let_pass(harness.settings.worker_timeout_seconds + 1)

        for _ in range(2):
            harness.sync()

        assert harness.people()[ANA]["mobile"] == refused
        assert attention(harness, AttentionKind.QUARANTINE) == [ANA]


class TestL10:
    def test_l10_of_two_leads_before_the_first_sync_the_second_takes_the_first_ones_values(
        self, harness: Harness
    ) -> None:
        first = harness.add_lead(Email=ANA, Company="First", Phone="111")
        advance_clocks(harness)
        second = harness.add_lead(Email=ANA, Company="Second", MobilePhone="222")

        harness.sync()
        harness.sync()

        leads = {each["Id"]: each for each in harness.leads()}
        for lead in (first, second):
            values = [leads[lead][name] for name in ("Company", "Phone", "MobilePhone")]
            assert values == ["First", "111", "222"]
        assert harness.people()[ANA]["company"] == "First"
        [lost] = [
            it
            for it in harness.journal(ANA)
            if it["kind"] == "overwritten" and it["field"] == "Company"
        ]
        assert (lost["record"], lost["before"], lost["rule"]) == (
            second,
            '"Second"',
            "oldest_lead",
        )


class TestM3:
    def test_m3_a_pair_that_points_at_another_field_meets_it_for_the_first_time(
        self, harness: Harness
    ) -> None:
        for email, mobile in ((ANA, None), (BOB, "999")):
            harness.add_person(email=email, last_name="Lopez", phone="111")
            harness.add_lead(Email=email, LastName="Lopez", Phone="111", MobilePhone=mobile)
        save_mapping(harness, FieldPair("mobile", "MobilePhone", Direction.OFF))
        harness.sync()

        save_mapping(
            harness,
            FieldPair("phone", "MobilePhone", Direction.BOTH),
            FieldPair("mobile", "Phone", Direction.OFF),
            version=2,
        )
        harness.sync(kind=RunKind.FULL)

        assert lead_of(harness, ANA)["MobilePhone"] == "111"
        assert lead_of(harness, BOB)["MobilePhone"] == "999"
        assert held(harness, ANA) == {}
        assert held(harness, BOB) == {"MobilePhone": "never_agreed"}

    def test_m3_the_hold_of_a_pair_does_not_apply_to_another_pair(self, harness: Harness) -> None:
        hold = ConflictPolicy.HOLD
        save_mapping(harness, FieldPair("phone", "Phone", Direction.BOTH, policy=hold))
        harness.add_person(email=ANA, last_name="Lopez", phone="111")
        harness.add_lead(Email=ANA, LastName="Lopez", Phone="222")
        harness.sync()
        assert held(harness) == {"Phone": "conflict"}

        save_mapping(
            harness,
            FieldPair("mobile", "Phone", Direction.BOTH, policy=hold),
            FieldPair("phone", "MobilePhone", Direction.BOTH, policy=hold),
            version=2,
        )
        harness.sync(kind=RunKind.FULL)

        assert lead_of(harness)["Phone"] == "222"
        assert harness.people()[ANA]["mobile"] == "222"

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            (ConflictPolicy.PLEZI_WINS, ("2", "1", "2", "1")),
            (ConflictPolicy.SALESFORCE_WINS, ("1", "2", "1", "2")),
            (ConflictPolicy.NEWEST, ("1", "2", "2", "1")),
        ],
    )
    def test_m3_two_pairs_that_change_places_are_decided_by_policy_or_held(
        self, harness: Harness, policy: ConflictPolicy, expected: tuple[str, str, str, str]
    ) -> None:
        harness.add_person(email=ANA, last_name="Lopez", phone="1", mobile="2")
        harness.sync()

        save_mapping(
            harness,
            FieldPair("phone", "MobilePhone", Direction.BOTH, policy=policy),
            FieldPair("mobile", "Phone", Direction.BOTH, policy=policy),
            version=2,
        )
        harness.sync(kind=RunKind.FULL)

        lead, person = lead_of(harness), harness.people()[ANA]
        found = (lead["Phone"], lead["MobilePhone"], person["mobile"], person["phone"])
        assert (found[0], found[1]) == (expected[0], expected[1])
        assert set(held(harness)) == (
            {"Phone", "MobilePhone"} if policy is ConflictPolicy.NEWEST else set()
        )
        assert next_run_writes_nothing(harness)


@pytest.mark.parametrize(("scale", "number"), [(0, 12345678901234567), (15, 48.85837009999999)])
def test_digits_that_salesforce_does_not_return_are_no_edit(
    harness: Harness, scale: int, number: float
) -> None:
    """The org rounds to 15 digits: the number of the marketer is not replaced by that."""
    harness.control("plezi", "POST", "attributes", {"name": "n", "type": "number"})
    metadata = {"label": "n", "type": "Number", "precision": 18, "scale": scale}
    harness.control("salesforce", "POST", "fields/Lead", {"name": "n__c", "Metadata": metadata})
    pairs = (*DEFAULT_MAPPING.pairs, FieldPair("n", "n__c", Direction.BOTH))
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=pairs)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]
    harness.add_person(email=ANA, last_name="Lopez", n=number)
    harness.sync()
    advance_clocks(harness)
    harness.edit_lead(lead_of(harness)["Id"], Title="any other field")

    harness.sync()

    assert harness.people()[ANA]["n"] == number
