"""What an undo leaves as it is, each field with its reason: nobody's later word is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from connector.model import RunState
from connector.sync.reread import FRESH_SECONDS
from tests.component.admin_client import AdminClient
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import ANA, BOB, lead_of, next_run_writes_nothing
from tests.component.undo_fixtures import entries, reasons, undo

OPT_OUT = FieldPair(
    "newsletter_optout",
    "newsletter_optout__c",
    Direction.BOTH,
    policy=ConflictPolicy.MOST_RESTRICTIVE,
)


def save_pairs(harness: Harness, changed: Mapping[str, FieldPair | None]) -> None:
    """Save the next version of the mapping, with other pairs by key; None: without the pair."""
    mappings: Any = harness.context.mappings
    current = mappings.current()
    others = tuple(pair for pair in current.pairs if pair.key not in changed)
    added = tuple(pair for pair in changed.values() if pair is not None)
    mappings.save(replace(current, version=current.version + 1, pairs=(*others, *added)))


def pair_of(key: str) -> FieldPair:
    return next(pair for pair in DEFAULT_MAPPING.pairs if pair.key == key)


@pytest.fixture
def edited(harness: Harness, ana: str) -> str:
    """Return the id of the run that wrote Ana's new phone to her Lead."""
    harness.edit_person(ana, phone="222")
    return harness.sync().id


def left(harness: Harness, admin_client: AdminClient, run_id: str, **body: Any) -> dict[str, str]:
    """Undo a run; return the reasons of what is left as it is."""
    return reasons(admin_client, undo(harness, admin_client, run_id, **body).id)


def test_a_later_run_that_wrote_the_field_is_named(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    harness.edit_person(ana, phone="333")
    later = harness.sync()

    undone = undo(harness, admin_client, edited)

    [entry] = entries(admin_client, undone.id, "not_undone")
    assert (entry["rule"], entry["newer_run"]) == ("newer_run", later.id)
    assert (entry["before"], entry["after"]) == ("333", "111")
    assert lead_of(harness)["Phone"] == "333"


def test_a_value_that_a_later_run_wrote_again_is_not_replaced(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    for phone in ("333", "222"):
        harness.edit_person(ana, phone=phone)
        harness.sync()

    assert left(harness, admin_client, edited) == {"Phone": "newer_run"}
    assert lead_of(harness)["Phone"] == "222"


def test_an_edit_of_the_other_side_that_waits_is_not_replaced(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    harness.let_pass(2 * FRESH_SECONDS)
    harness.edit_person(ana, phone="333")

    assert left(harness, admin_client, edited) == {"Phone": "changed_since"}
    harness.sync()

    assert lead_of(harness)["Phone"] == harness.people()[ANA]["phone"] == "333"


def test_a_held_field_waits_for_its_decision(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    save_pairs(harness, {"Phone": replace(pair_of("Phone"), policy=ConflictPolicy.HOLD)})
    harness.edit_person(ana, phone="333")
    harness.edit_lead(lead_of(harness)["Id"], Phone="444")
    harness.sync()

    assert left(harness, admin_client, edited) == {"Phone": "held"}
    assert lead_of(harness)["Phone"] == "444"


@pytest.mark.parametrize("changed", ["removed", "off", "pointed elsewhere"])
def test_a_pair_that_is_another_one_now_is_left(
    harness: Harness, admin_client: AdminClient, edited: str, changed: str
) -> None:
    phone = pair_of("Phone")
    pairs: dict[str, FieldPair | None] = {"Phone": None}
    if changed == "off":
        pairs = {"Phone": replace(phone, direction=Direction.OFF)}
    if changed == "pointed elsewhere":
        pairs = {"MobilePhone": None, "Phone": replace(phone, plezi="mobile")}
    save_pairs(harness, pairs)

    assert left(harness, admin_client, edited) == {"Phone": "no_pair"}
    assert lead_of(harness)["Phone"] == "222"


def test_a_side_to_which_the_pair_is_no_longer_written_is_left(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    one_way = replace(pair_of("Phone"), direction=Direction.TO_PLEZI)
    save_pairs(harness, {"Phone": one_way})

    assert left(harness, admin_client, edited) == {"Phone": "not_writable"}


def test_a_value_that_the_next_run_would_write_again_is_left(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    enforced = replace(pair_of("Phone"), direction=Direction.TO_SALESFORCE, enforced=True)
    save_pairs(harness, {"Phone": enforced})

    assert left(harness, admin_client, edited) == {"Phone": "written_again"}
    assert lead_of(harness)["Phone"] == "222"


def test_a_blank_that_a_policy_fills_again_is_left(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    filling = replace(pair_of("MobilePhone"), policy=ConflictPolicy.FILL_BLANK)
    save_pairs(harness, {"MobilePhone": filling})
    harness.edit_person(ana, mobile="600")
    run = harness.sync()

    assert left(harness, admin_client, run.id) == {"MobilePhone": "written_again"}
    assert lead_of(harness)["MobilePhone"] == "600"


def test_an_opt_out_is_left_unless_the_admin_names_it(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    save_pairs(harness, {OPT_OUT.key: OPT_OUT})
    harness.sync()
    harness.edit_person(ana, newsletter_optout=True)
    run = harness.sync()

    assert left(harness, admin_client, run.id) == {OPT_OUT.key: "opt_out"}
    assert harness.people()[ANA]["newsletter_optout"] is True

    undone = undo(harness, admin_client, run.id, opt_outs=True)

    query = "SELECT newsletter_optout__c FROM Lead"
    [lead] = harness.salesforce("GET", "query", q=query)["records"]
    assert not lead["newsletter_optout__c"]
    assert not harness.people()[ANA]["newsletter_optout"]
    [entry] = entries(admin_client, undone.id, "overwritten")
    assert (entry["side"], entry["before"], entry["rule"]) == ("plezi", True, "undone")
    assert next_run_writes_nothing(harness)


def test_an_email_is_left_and_so_is_a_contact_with_another_one_now(
    harness: Harness, admin_client: AdminClient, ana: str, edited: str
) -> None:
    harness.edit_person(ana, email="ana.roi@example.com")
    moved = harness.sync()

    assert left(harness, admin_client, moved.id) == {"Email": "email"}
    assert left(harness, admin_client, edited) == {"Phone": "no_contact"}
    assert lead_of(harness, "ana.roi@example.com")["Phone"] == "222"


def test_a_deleted_lead_is_named(harness: Harness, admin_client: AdminClient, edited: str) -> None:
    harness.salesforce("DELETE", f"sobjects/Lead/{lead_of(harness)['Id']}")
    harness.sync()

    assert left(harness, admin_client, edited) == {"Phone": "no_record"}


def test_a_long_text_of_which_only_the_digest_is_known_is_left(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    description = FieldPair("function", "Description", Direction.BOTH)
    save_pairs(harness, {"Title": None, "Description": description})
    long = "a long text " * 200
    harness.edit_lead(lead_of(harness)["Id"], Description=long)
    harness.sync()
    harness.edit_lead(lead_of(harness)["Id"], Description="short")
    run = harness.sync()

    assert left(harness, admin_client, run.id) == {"Description": "text_not_kept"}
    assert harness.people()[ANA]["function"] == "short"
    assert ana


def test_the_loop_guard_counts_no_undo_as_an_automation(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    for _ in range(4):
        harness.edit_person(ana, phone="222")
        run = harness.sync()
        assert lead_of(harness)["Phone"] == "222"
        undo(harness, admin_client, run.id)
        harness.edit_person(ana, phone="111")
        harness.sync()

    assert harness.context.links.load_links([ANA])[ANA].holds == {}


def expire_journal(*keys: str) -> None:
    """Delete the items of some partitions of the journal, as DynamoDB does when they expire."""
    client = boto3.client("dynamodb", region_name=REGION)
    for item in client.scan(TableName="JournalTable")["Items"]:
        if item["pk"]["S"] in keys:
            client.delete_item(TableName="JournalTable", Key={it: item[it] for it in ("pk", "sk")})


def test_an_expired_journal_is_named_and_nothing_is_requested(
    admin_client: AdminClient, edited: str
) -> None:
    expire_journal(f"contact#{ANA}", f"run#{edited}")

    refused = admin_client.request("POST", f"/admin/runs/{edited}/undo", {"preview": False})

    assert refused.status == 409
    assert "JournalDays" in refused.body["message"]


def test_a_contact_whose_entries_expired_is_named_and_the_others_are_undone(
    harness: Harness, admin_client: AdminClient, ana: str
) -> None:
    bob = harness.add_person(email=BOB, last_name="Roi", phone="777")
    harness.sync()
    for person in (ana, bob):
        harness.edit_person(person, phone="222")
    run = harness.sync()
    expire_journal(f"contact#{ANA}")

    undone = undo(harness, admin_client, run.id)

    [entry] = entries(admin_client, undone.id, "not_undone")
    assert (entry["email"], entry["rule"]) == (ANA, "no_entry")
    assert (lead_of(harness)["Phone"], lead_of(harness, BOB)["Phone"]) == ("222", "777")


def test_a_run_that_cannot_be_undone_is_refused_with_the_reason(
    harness: Harness, admin_client: AdminClient, edited: str
) -> None:
    shown, _ = harness.dry_run()
    idle = harness.sync()
    running = harness.run_requester.request_run(idle.kind)

    def refuse(run_id: str, **body: Any) -> tuple[int, str]:
        response = admin_client.request("POST", f"/admin/runs/{run_id}/undo", body)
        return response.status, response.body["message"]

    assert refuse("no-run")[0] == 404
    assert refuse(shown.id) == (422, f"run: {shown.id!r} is a dry run, which writes nothing")
    assert refuse(idle.id)[0] == 422
    assert refuse(running)[0] == 409
    assert refuse(edited, field="NoField")[0] == 422
    assert harness.ledger.list_runs(1)[0].state is RunState.REQUESTED
