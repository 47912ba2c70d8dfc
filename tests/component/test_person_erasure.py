"""The erasure of a person: nothing is left, nothing brings it back, and nobody else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from connector.admin import person_data
from connector.admin.person_erasure import erase_person
from connector.aws.dynamodb import personal_data
from connector.aws.dynamodb.personal_items import ledger_item
from connector.model import (
    IN_PLEZI,
    ChangeHint,
    HintResult,
    Intent,
    LinkChange,
    PersonNames,
    RunKind,
    RunState,
)
from connector.sync.run_requests import new_run
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import WHO, AdminClient
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import ANA, BOB, lead_of
from tests.component.person_history import (
    FORMER,
    ZORA,
    History,
    found_in,
    live,
    restore,
    snapshot,
    stored_texts,
)

ERASE = "/admin/people/erase"
LIFT = "/admin/people/tombstones/lift"
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


@pytest.fixture
def history(harness: Harness, admin_client: AdminClient) -> History:
    return live(harness, admin_client)


def erase(admin_client: AdminClient, email: str = ZORA, **body: Any) -> dict[str, Any]:
    """Erase a person completely."""
    body = {"email": email, "preview": False, **body}
    while True:
        answer: dict[str, Any] = admin_client.request_ok("POST", ERASE, body)
        if not answer["next"]:
            return answer
        body["next"] = answer["next"]


def left_of(history: History) -> dict[str, list[str]]:
    """Return where the tables and queues have something of the person, by what it is."""
    texts = stored_texts()
    return {trace: keys for trace in history.traces if (keys := found_in(texts, trace))}


def test_nothing_of_an_erased_person_is_left_in_any_table_or_queue(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    assert set(left_of(history)) == set(history.traces)
    bob_before = harness.ledger.load_links([BOB])[BOB]
    journal_before = harness.journal(BOB)

    answer = erase(admin_client)

    assert left_of(history) == {}
    assert answer["complete"]
    assert answer["mentions"] == answer["unreadable"] == 0
    assert (answer["emails"], set(answer["records"])) == (
        [FORMER, ZORA],
        {history.person, history.lead},
    )
    assert harness.ledger.load_links([BOB])[BOB] == bob_before
    assert harness.journal(BOB) == journal_before
    assert found_in(stored_texts(), BOB)


def test_the_records_of_an_erased_person_stay_in_both_systems(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    before = (lead_of(harness, ZORA), harness.people()[ZORA])
    harness.mark()

    erase(admin_client)

    assert harness.calls("plezi")["total"] == harness.calls("salesforce")["total"] == 0
    assert (lead_of(harness, ZORA), harness.people()[ZORA]) == before
    assert history.person


def test_no_run_and_no_form_brings_an_erased_person_back(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    erase(admin_client)
    harness.edit_person(history.person, phone="5550333")
    harness.edit_lead(history.lead, Phone="5550111", Email="zora.third@example.com")

    run = harness.sync()
    full = harness.sync(kind=RunKind.FULL)
    for hint in (ChangeHint("t-1", ZORA), ChangeHint("t-2", "", history.person)):
        assert harness.engine.sync_contact(hint) is HintResult.RESOLVED
    harness.dry_run(include_unchanged=True)
    assert left_of(history) == {}

    selected = harness.sync(kind=RunKind.SELECTED, emails=[ZORA])
    assert {key for keys in left_of(history).values() for key in keys} == {
        f"LedgerTable/run#{selected.id}"
    }
    assert run.state is full.state is selected.state is RunState.DONE
    assert full.counts["plezi"]["skipped.erased"]
    assert full.counts["salesforce"]["skipped.erased"]
    assert lead_of(harness, "zora.third@example.com")["Phone"] == "5550111"
    form = harness.ledger.load_run("t-1")
    assert form is not None
    assert form.counts["plezi"]["skipped.erased"] == 1


def test_erasing_twice_is_harmless(admin_client: AdminClient, history: History) -> None:
    erase(admin_client)

    again = erase(admin_client)

    assert again["complete"]
    assert again["items"] == []
    assert left_of(history) == {}


def test_a_person_is_erased_by_a_former_email_too(
    admin_client: AdminClient, history: History
) -> None:
    erase(admin_client, FORMER)
    erase(admin_client, ZORA)

    assert left_of(history) == {}


def test_a_preview_removes_nothing_and_counts_what_an_erasure_removes(
    admin_client: AdminClient, history: History
) -> None:
    before = snapshot()

    shown = admin_client.request_ok("POST", ERASE, {"email": f" {ZORA.upper()} "})

    assert snapshot() == before
    assert shown["preview"]
    assert not shown["complete"]
    kinds = {item["kind"] for item in shown["items"]}
    assert {"link", "record pointer", "work list", "journal entry", "audit entry"} <= kinds
    assert {"plan of a dry run", "data of a dry run", "list of a run's journal entries"} <= kinds
    assert {"run", "document"} <= kinds
    assert {it["where"]: it["days"] for it in shown["remaining"]}["point-in-time recovery"] == 35
    # The link and its pointers are removed before the tables are visited.
    removed = erase(admin_client)["items"]
    visited = [it for it in shown["items"] if it["kind"] not in ("link", "record pointer")]
    assert [it for it in removed if it["kind"] not in ("link", "record pointer")] == visited
    assert left_of(history) == {}


class Stopped(BaseException):
    """The process of the admin API was stopped."""


@contextmanager
def stop_before_write(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Stop the process before it makes the given write to a table, counted from 0."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]
    writes = iter(range(number))

    def counted(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        if operation in WRITES and next(writes, None) is None:
            raise Stopped
        return call(client, operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", counted)
        yield


def test_an_erasure_that_was_stopped_at_any_write_is_completed_by_the_next(
    harness: Harness,
    admin_client: AdminClient,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = snapshot()
    number = 0
    while True:
        restore(before)
        try:
            with stop_before_write(monkeypatch, number):
                assert erase_person(ADMIN.get(), WHO, ZORA, is_preview=False).complete
        except Stopped:
            number += 1
        else:
            break
        assert erase(admin_client)["complete"]
        assert left_of(history) == {}, number
        assert set(harness.ledger.load_links([BOB, ZORA])) == {BOB}
        assert ADMIN.get().people.tombstones.lift(ZORA) == 4, number
    assert number > 20


def test_a_large_erasure_takes_several_requests(
    admin_client: AdminClient, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person_data, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(personal_data, "SCAN_ITEMS", 7)
    first = admin_client.request_ok("POST", ERASE, {"email": ZORA, "preview": False})
    assert first["next"]
    assert not first["complete"]
    other = admin_client.request("POST", ERASE, {"email": ANA, "preview": False, "next": "W10="})
    assert other.status == 422
    assert "without it" in other.text

    assert erase(admin_client, next=first["next"])["complete"]

    assert left_of(history) == {}


def test_an_erasure_waits_for_a_run_in_progress(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    run_id = harness.run_requester.request_run(RunKind.CHANGES)
    before = snapshot()

    refused = admin_client.request("POST", ERASE, {"email": ZORA, "preview": False})

    assert refused.status == 409
    assert run_id in refused.text
    assert "/admin/pause" in refused.text
    assert snapshot() == before
    admin_client.request_ok("POST", "/admin/pause")
    assert harness.run_phase(run_id).state is RunState.NOT_STARTED
    erase(admin_client)
    assert left_of(history) == {}


def test_an_erasure_waits_for_a_form_and_for_a_write_in_progress_but_not_for_stopped_ones(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    form = new_run("t-open", RunKind.FORM, harness.clock())
    harness.ledger.create_run(replace(form, state=RunState.RUNNING))
    refused = admin_client.request("POST", ERASE, {"email": ZORA, "preview": False})
    assert (refused.status, "a form is in progress" in refused.text) == (409, True)
    harness.let_pass(301)

    link = harness.ledger.load_links([ZORA])[ZORA]
    intent = Intent("i", "r", harness.clock(), (), ())
    harness.ledger.save_links([LinkChange(replace(link, intent=intent))])
    refused = admin_client.request("POST", ERASE, {"email": ZORA, "preview": False})
    assert (refused.status, "a write of this person" in refused.text) == (409, True)
    harness.let_pass(301)

    erase(admin_client)
    assert left_of(history) == {}


def test_a_lifted_tombstone_lets_the_person_come_back_as_a_first_meeting(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    erase(admin_client)

    lifted = admin_client.request_ok("POST", LIFT, {"email": ZORA})
    assert lifted["lifted"] == 4
    harness.sync(kind=RunKind.SELECTED, emails=[ZORA])

    link = harness.ledger.load_links([ZORA])[ZORA]
    assert link.record_ids == {history.person, history.lead}
    assert not any(entry["kind"] == "held" and entry["at"] < 1 for entry in harness.journal(ZORA))
    missing = admin_client.request("POST", LIFT, {"email": ZORA})
    assert missing.status == 404


def test_the_audit_shows_an_erasure_without_the_email(
    admin_client: AdminClient, history: History
) -> None:
    erase(admin_client)
    admin_client.request_ok("POST", LIFT, {"email": ZORA})

    entries = admin_client.request_ok("GET", "/admin/audit")["entries"]

    lift, erased = entries[:2]
    assert (erased["actor"], erased["action"]) == (WHO, "erase person")
    assert lift["action"] == "lift tombstone"
    assert lift["subject"] == erased["subject"]
    assert len(erased["subject"]) == 64
    decision = next(it for it in entries if it["action"] == "choose Phone")
    assert (decision["actor"], decision["subject"]) == (WHO, "erased")
    assert history.person


def test_the_link_of_another_person_that_has_the_email_is_counted_and_left(
    harness: Harness, admin_client: AdminClient
) -> None:
    ana = harness.add_person(email=ANA, last_name="Lopez")
    bob = harness.add_person(email=BOB, last_name="Roi")
    harness.sync()
    harness.edit_lead(lead_of(harness, BOB)["Id"], Email=ANA)
    harness.sync()
    before = harness.ledger.load_links([BOB])

    answer = erase(admin_client, ANA)

    assert answer["records"] == sorted({ana, *(it for it in answer["records"] if it != ana)})
    assert bob not in answer["records"]
    assert answer["mentions"] == 1
    assert harness.ledger.load_links([ANA, BOB]) == before


@pytest.mark.parametrize("erased", [ZORA, BOB])
def test_the_pointer_to_a_person_who_waits_for_an_email_goes_with_either_person(
    harness: Harness, admin_client: AdminClient, history: History, erased: str
) -> None:
    harness.edit_lead(lead_of(harness, BOB)["Id"], Email=ZORA)
    harness.sync()
    assert harness.ledger.owner_emails([ZORA, history.lead]) == {ZORA: BOB, history.lead: ZORA}

    erase(admin_client, erased)

    assert ZORA not in harness.ledger.owner_emails([ZORA])


@pytest.mark.parametrize("name", [ZORA, IN_PLEZI + ZORA, "00Q1"])
def test_a_pointer_from_each_name_of_a_person_is_erased_and_no_other(name: str) -> None:
    names = PersonNames(frozenset({ZORA}), frozenset({"00Q1"}))
    found = ledger_item({"pk": {"S": f"record#{name}"}, "email": {"S": BOB}}, names)
    other = ledger_item({"pk": {"S": f"record#{IN_PLEZI}{ANA}"}, "email": {"S": BOB}}, names)

    assert found is not None
    assert found.is_deleted
    assert other is None


def test_a_damaged_item_is_counted_and_stops_nothing(
    harness: Harness, admin_client: AdminClient, history: History
) -> None:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    for key in ("contact#damaged@example.com", f"contact#{FORMER}", "work#damaged#000000000"):
        dynamodb.put_item(
            TableName="LedgerTable",
            Item={
                "pk": {"S": key},
                "revision": {"N": "1"},
                "body": {"B": b"damaged"},
                "emails": {"B": b"damaged"},
            },
        )

    answer = erase(admin_client)

    assert answer["unreadable"] == 2
    assert "Item" not in dynamodb.get_item(
        TableName="LedgerTable", Key={"pk": {"S": f"contact#{FORMER}"}}
    )
    assert harness.ledger.load_links([ZORA]) == {}
    assert history.lead


@pytest.mark.parametrize("path", [ERASE, LIFT, "/admin/people/export"])
def test_a_text_that_is_no_email_is_refused_with_its_field(
    admin_client: AdminClient, path: str
) -> None:
    refused = admin_client.request("POST", path, {"email": "nobody"})

    assert refused.status == 422
    assert "email" in refused.text
