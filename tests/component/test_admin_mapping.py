"""The mapping through the admin API: shown, judged, saved once, gone back to, as a file."""

from __future__ import annotations

import threading
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from connector.admin.context import Sides
from connector.admin.errors import MappingConflictError
from connector.admin.mappings import save_mapping
from connector.model import RunKind
from functions.admin.admin_app import ADMIN
from functions.admin.mapping_body import MappingBody
from tests.component.admin_client import WHO, AdminClient
from tests.component.harness import Harness


def shown(admin_client: AdminClient) -> dict[str, Any]:
    mapping: dict[str, Any] = admin_client.request_ok("GET", "/admin/mapping")
    return mapping


def line(mapping: dict[str, Any], salesforce: str) -> dict[str, Any]:
    found: dict[str, Any] = next(it for it in mapping["pairs"] if it["salesforce"] == salesforce)
    return found


def pairs(mapping: dict[str, Any], *, saved: bool) -> list[tuple[str, str]]:
    return [(it["plezi"], it["salesforce"]) for it in mapping["pairs"] if it["saved"] is saved]


def test_the_mapping_shows_mandatory_lines_locked_and_what_is_new_at_its_end(
    admin_client: AdminClient,
) -> None:
    mapping = shown(admin_client)

    assert mapping["version"] == 0
    assert line(mapping, "Email")["locked"]
    assert line(mapping, "Email")["mandatory"]
    assert line(mapping, "plezi_url__c")["locked"]
    saved = [it["saved"] for it in mapping["pairs"]]
    assert saved == sorted(saved, reverse=True)
    offered = [it for it in mapping["pairs"] if not it["saved"]]
    assert {it["direction"] for it in offered} == {"off"}
    assert ("newsletter_optout", "newsletter_optout__c") in pairs(mapping, saved=False)
    assert ("source", "") in pairs(mapping, saved=False)


def test_an_attribute_added_on_either_tool_stands_last_and_switched_off(
    admin_client: AdminClient, harness: Harness
) -> None:
    before = shown(admin_client)
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})
    harness.control(
        "salesforce",
        "POST",
        "fields/Lead",
        {"name": "hat__c", "Metadata": {"type": "Text", "label": "Hat", "length": 20}},
    )
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    mapping = shown(admin_client)
    added = [it for it in pairs(mapping, saved=False) if it not in pairs(before, saved=False)]
    assert added == [("shoe_size", ""), ("", "hat__c")]
    assert pairs(mapping, saved=False)[-1] == ("", "hat__c")
    admin_client.request_ok("PUT", "/admin/mapping", mapping)
    assert pairs(shown(admin_client), saved=True) == pairs(before, saved=True)


def test_what_was_shown_can_be_saved_as_it_is_and_makes_no_version(
    admin_client: AdminClient,
) -> None:
    saved = admin_client.request_ok("PUT", "/admin/mapping", shown(admin_client))

    assert saved["mapping"]["version"] == 0
    assert saved["changed"] == []
    assert admin_client.request_ok("GET", "/admin/mapping/versions")["versions"][0]["version"] == 0


def test_a_saved_mapping_is_a_version_with_its_author_and_its_changes(
    admin_client: AdminClient,
) -> None:
    mapping = shown(admin_client)
    line(mapping, "FirstName")["direction"] = "to_plezi"
    line(mapping, "newsletter_optout__c").update(direction="both", policy="most_restrictive")

    saved = admin_client.request_ok("PUT", "/admin/mapping", mapping)

    assert saved["mapping"]["version"] == 1
    assert saved["mapping"]["saved_by"] == WHO
    assert saved["manual_sync_due"] is True
    assert [(it["pair"], it["field"], it["before"], it["after"]) for it in saved["changed"]] == [
        ("FirstName", "direction", "both", "to_plezi"),
        ("newsletter_optout__c", "", "", "newsletter_optout both"),
    ]
    versions = admin_client.request_ok("GET", "/admin/mapping/versions")["versions"]
    assert [(it["version"], it["saved_by"]) for it in versions] == [(1, WHO), (0, "")]
    assert versions[0]["changed"] == saved["changed"]
    assert pairs(shown(admin_client), saved=True)[-1] == (
        "newsletter_optout",
        "newsletter_optout__c",
    )


def test_a_stale_mapping_is_refused_with_both_versions(admin_client: AdminClient) -> None:
    mine, theirs = shown(admin_client), shown(admin_client)
    line(theirs, "Phone")["policy"] = "plezi_wins"
    admin_client.request_ok("PUT", "/admin/mapping", theirs)
    line(mine, "Phone")["policy"] = "hold"

    answer = admin_client.request("PUT", "/admin/mapping", mine)

    assert answer.status == 409
    assert answer.body["yours"]["version"] == 0
    assert line(answer.body["yours"], "Phone")["policy"] == "hold"
    assert answer.body["current"]["version"] == 1
    assert line(answer.body["current"], "Phone")["policy"] == "plezi_wins"


def test_of_two_at_the_same_moment_one_wins_and_the_other_sees_both_versions(
    admin_client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = ADMIN.get()
    both_have_read = threading.Barrier(2, timeout=30)

    def sides() -> Sides:
        both_have_read.wait()
        return office.sides()

    mapping = shown(admin_client)
    meeting = replace(office, sides=sides)
    ADMIN.use(meeting)
    answers: dict[str, int | tuple[int, int]] = {}

    def put(policy: str) -> None:
        wanted = deepcopy(mapping)
        line(wanted, "Phone")["policy"] = policy
        body = MappingBody.model_validate(wanted).config()
        try:
            answers[policy] = save_mapping(meeting, policy, body).mapping.version
        except MappingConflictError as error:
            answers[policy] = (error.yours.version, error.current.version)

    threads = [threading.Thread(target=put, args=(it,)) for it in ("hold", "fill_blank")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers.values(), key=str) == [(0, 1), 1]
    winner = next(policy for policy, answer in answers.items() if answer == 1)
    current = office.mappings.current()
    assert next(it for it in current.pairs if it.key == "Phone").policy.value == winner


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_saved(
    admin_client: AdminClient,
) -> None:
    mapping = shown(admin_client)
    line(mapping, "Phone")["salesforce"] = "Phnoe"
    line(mapping, "score__c")["direction"] = "both"
    line(mapping, "Company")["placeholder"] = ""
    line(mapping, "Email")["direction"] = "off"
    line(mapping, "Title")["policy"] = "most_restrictive"
    mapping["contact_filter"]["field"] = "sync_plezi__c"

    answer = admin_client.request("PUT", "/admin/mapping", mapping)

    assert answer.status == 422
    rules = {(it["code"], it["pair"]) for it in answer.body["problems"]}
    assert {
        ("unknown_name", "Phnoe"),
        ("one_way_special", "score__c"),
        ("placeholder", "Company"),
        ("locked", "Email"),
        ("policy", "Title"),
        ("unknown_name", "contact_filter"),
    } <= rules
    assert all(it["message"] and it["remedy"] for it in answer.body["problems"])
    assert shown(admin_client)["version"] == 0


def test_a_warning_does_not_keep_from_saving(admin_client: AdminClient) -> None:
    mapping = shown(admin_client)
    line(mapping, "Title")["direction"] = "both"

    saved = admin_client.request_ok("PUT", "/admin/mapping", mapping)

    assert saved["mapping"]["version"] == 1
    assert [it["code"] for it in saved["warnings"]] == ["function_free_text"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": "new"}, "version"),
        ({"pairs": {}}, "pairs"),
        ({"pairs": [{"plezi": "a", "salesforce": "b", "direction": "sideways"}]}, "direction"),
        ({"pairs": [{"plezi": "a\nb", "salesforce": "b", "direction": "both"}]}, "plezi"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_its_place(
    admin_client: AdminClient, change: dict[str, Any], place: str
) -> None:
    answer = admin_client.request("PUT", "/admin/mapping", {**shown(admin_client), **change})

    assert answer.status == 422
    assert any(place in it["field"] for it in answer.body["problems"])


def test_the_filter_must_be_said_because_none_lets_everybody_in(admin_client: AdminClient) -> None:
    mapping = shown(admin_client)
    del mapping["contact_filter"]

    answer = admin_client.request("PUT", "/admin/mapping", mapping)

    assert answer.status == 422
    assert "contact_filter" in answer.body["problems"][0]["field"]


def test_what_is_no_json_is_refused(admin_client: AdminClient) -> None:
    answer = admin_client.request("PUT", "/admin/mapping", raw="{")
    assert answer.status == 422


def test_an_old_version_is_restored_as_a_new_one(admin_client: AdminClient) -> None:
    mapping = shown(admin_client)
    line(mapping, "Phone")["policy"] = "hold"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    stale = admin_client.request("POST", "/admin/mapping/versions/0/restore", {"version": 0})
    assert stale.status == 409
    restored = admin_client.request_ok("POST", "/admin/mapping/versions/0/restore", {"version": 1})

    assert restored["mapping"]["version"] == 2
    assert line(restored["mapping"], "Phone")["policy"] == "newest"
    unknown = admin_client.request("POST", "/admin/mapping/versions/9/restore", {"version": 2})
    assert unknown.status == 404


def test_a_version_that_no_longer_fits_is_not_restored(
    admin_client: AdminClient, harness: Harness
) -> None:
    mapping = shown(admin_client)
    line(mapping, "score__c")["direction"] = "off"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)
    harness.control("salesforce", "DELETE", "fields/Lead/score__c")
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    answer = admin_client.request("POST", "/admin/mapping/versions/0/restore", {"version": 1})

    assert answer.status == 422
    assert [it["pair"] for it in answer.body["problems"]] == ["score__c"]


def test_versions_are_paged(admin_client: AdminClient) -> None:
    for policy in ("hold", "fill_blank", "plezi_wins"):
        mapping = shown(admin_client)
        line(mapping, "Phone")["policy"] = policy
        admin_client.request_ok("PUT", "/admin/mapping", mapping)

    first = admin_client.request_ok("GET", "/admin/mapping/versions", limit="2")
    second = admin_client.request_ok(
        "GET", "/admin/mapping/versions", limit="2", next=first["next"]
    )

    assert [it["version"] for it in first["versions"]] == [3, 2]
    assert [it["version"] for it in second["versions"]] == [1, 0]
    assert second["next"] == ""
    assert [it["changed"][0]["after"] for it in first["versions"]] == ["plezi_wins", "fill_blank"]
    assert admin_client.request("GET", "/admin/mapping/versions", next="x").status == 422


def test_the_mapping_as_a_file_is_changed_and_put_back(admin_client: AdminClient) -> None:
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    assert text.startswith("# The mapping between Plezi and Salesforce, version 0, as shipped")

    changed = text.replace(
        "{plezi: phone, salesforce: Phone, direction: both, policy: newest",
        "{plezi: phone, salesforce: Phone, direction: both, policy: hold",
    )
    assert changed != text
    saved = admin_client.request_ok("PUT", "/admin/mapping.yaml", raw=changed)

    assert [it["pair"] for it in saved["changed"]] == ["Phone"]
    again = admin_client.request("GET", "/admin/mapping.yaml").text
    assert f"version 1, saved by {WHO}" in again
    rows = list(zip(text.split("\n"), again.split("\n"), strict=True))
    assert sum(before != after for before, after in rows) == 3  # comment, version, the line
    assert admin_client.request("PUT", "/admin/mapping.yaml", raw=changed).status == 409


@pytest.mark.parametrize("text", ["", "pairs: [", "version: 0", "- 1"])
def test_a_file_that_is_no_mapping_is_refused(admin_client: AdminClient, text: str) -> None:
    answer = admin_client.request("PUT", "/admin/mapping.yaml", raw=text)
    assert answer.status == 422
    assert answer.body["message"]


def test_an_unquoted_yes_in_the_file_is_the_word(admin_client: AdminClient) -> None:
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    assert "value: 'yes'" in text

    saved = admin_client.request_ok(
        "PUT", "/admin/mapping.yaml", raw=text.replace("value: 'yes'", "value: yes")
    )
    assert saved["changed"] == []


def test_status_says_that_a_manual_sync_is_due_until_everybody_has_the_mapping(
    admin_client: AdminClient, harness: Harness
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is True
    harness.sync(kind=RunKind.FULL)
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is False

    mapping = shown(admin_client)
    line(mapping, "Phone")["policy"] = "hold"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    due = admin_client.request_ok("GET", "/admin/status")["manual_sync"]
    assert due["due"] is True
    assert "version 1" in due["why"]
    harness.sync(kind=RunKind.FULL)
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is False


def test_the_saved_mapping_is_shown_while_salesforce_refuses_the_login(
    admin_client: AdminClient, harness: Harness
) -> None:
    user = harness.org.integration_user.username
    harness.control("salesforce", "POST", f"users/{user}/password", {"password": "Another-pass1"})
    admin_client.request("GET", "/admin/fields")

    mapping = shown(admin_client)

    assert not pairs(mapping, saved=False)
    assert "login" in mapping["suggestions_error"]
    line(mapping, "Phone")["policy"] = "hold"
    answer = admin_client.request("PUT", "/admin/mapping", mapping)
    assert (answer.status, answer.body["error"]) == (502, "login_refused")
