"""The export of a person: everything that is stored, and nothing of anybody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.admin import person_data
from connector.aws.dynamodb import personal_data
from connector.log_events import link_hash
from tests.component.admin_client import WHO, AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import BOB
from tests.component.person_history import FORMER, ZORA, History, live, snapshot

EXPORT = "/admin/people/export"


@pytest.fixture
def history(harness: Harness, admin_client: AdminClient) -> History:
    return live(harness, admin_client)


def test_an_export_has_everything_that_is_stored_about_a_person_and_nothing_of_others(
    admin_client: AdminClient, history: History
) -> None:
    exported = admin_client.request_ok("POST", EXPORT, {"email": ZORA})

    text = json.dumps(exported)
    hashes = {link_hash(FORMER), link_hash(ZORA)}
    assert {trace for trace in history.traces if trace not in text} == hashes
    assert BOB not in text
    assert history.bob not in text
    assert exported["next"] == ""
    assert {item["kind"] for item in exported["items"]} == {
        *("link", "record pointer", "work list", "run", "document", "form hint"),
        *("journal entry", "audit entry", "list of a run's journal entries"),
        *("plan of a dry run", "data of a dry run"),
    }
    [link] = [item["content"]["link"] for item in exported["items"] if item["kind"] == "link"]
    assert {"plezi", "salesforce", "base", "recent_writes"} <= link.keys()
    places = {it["where"] for it in exported["elsewhere"]}
    assert {"point-in-time recovery", "logs", "cursors"} <= places


def test_an_export_by_a_former_email_has_the_same_items(
    admin_client: AdminClient, history: History
) -> None:
    def items(email: str) -> list[Any]:
        exported = admin_client.request_ok("POST", EXPORT, {"email": email})["items"]
        return [it for it in exported if it["kind"] == "journal entry"]

    assert items(FORMER)
    assert {json.dumps(it) for it in items(FORMER)} <= {json.dumps(it) for it in items(ZORA)}
    assert history.person


def test_a_large_export_comes_in_parts_that_are_the_whole(
    admin_client: AdminClient, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = admin_client.request_ok("POST", EXPORT, {"email": ZORA})["items"]
    monkeypatch.setattr(person_data, "STEP_CHARACTERS", 1)
    monkeypatch.setattr(personal_data, "SCAN_ITEMS", 5)

    items: list[Any] = []
    body = {"email": ZORA}
    number = 0
    while number == 0 or body["next"]:
        part = admin_client.request_ok("POST", EXPORT, body)
        items += part["items"]
        body["next"] = part["next"]
        number += 1

    assert number > 3
    assert sorted(map(json.dumps, items)) == sorted(map(json.dumps, whole))
    assert history.person


def test_an_export_changes_nothing_but_the_audit_log(
    admin_client: AdminClient, history: History
) -> None:
    before = snapshot()

    admin_client.request_ok("POST", EXPORT, {"email": ZORA})

    after = snapshot()
    assert after["LedgerTable"] == before["LedgerTable"]
    new = [it for it in after["JournalTable"] if it not in before["JournalTable"]]
    assert [item["pk"]["S"] for item in new] == ["audit#admin"]
    entry = admin_client.request_ok("GET", "/admin/audit")["entries"][0]
    assert (entry["actor"], entry["action"]) == (WHO, "export person")
    assert ZORA not in json.dumps(entry)
    assert history.person


def test_a_person_of_whom_nothing_is_stored_has_an_empty_export(admin_client: AdminClient) -> None:
    exported = admin_client.request_ok("POST", EXPORT, {"email": "nobody@example.com"})

    assert exported["items"] == []
    assert admin_client.request("POST", EXPORT, {"email": ZORA, "next": "?"}).status == 422
