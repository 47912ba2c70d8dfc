"""The mapping in the admin API: view, validation, save, versions, restore and file."""

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


def get_mapping(admin_client: AdminClient) -> dict[str, Any]:
    mapping: dict[str, Any] = admin_client.request_ok("GET", "/admin/mapping")
    return mapping


def pair_of(mapping: dict[str, Any], salesforce: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        pair for pair in mapping["pairs"] if pair["salesforce"] == salesforce
    )
    return found


def pair_names(mapping: dict[str, Any], *, saved: bool) -> list[tuple[str, str]]:
    return [
        (pair["plezi"], pair["salesforce"]) for pair in mapping["pairs"] if pair["saved"] is saved
    ]


def test_the_mapping_has_locked_mandatory_pairs_and_suggestions_at_its_end(
    admin_client: AdminClient,
) -> None:
    mapping = get_mapping(admin_client)

    assert mapping["version"] == 0
    assert pair_of(mapping, "Email")["locked"]
    assert pair_of(mapping, "Email")["mandatory"]
    assert pair_of(mapping, "plezi_url__c")["locked"]
    saved = [pair["saved"] for pair in mapping["pairs"]]
    assert saved == sorted(saved, reverse=True)
    suggestions = [pair for pair in mapping["pairs"] if not pair["saved"]]
    assert {pair["direction"] for pair in suggestions} == {"off"}
    assert ("newsletter_optout", "newsletter_optout__c") in pair_names(mapping, saved=False)
    assert ("source", "") in pair_names(mapping, saved=False)


def test_a_field_added_on_either_side_is_a_suggestion_at_the_end_that_is_off(
    admin_client: AdminClient, harness: Harness
) -> None:
    before = get_mapping(admin_client)
    harness.control("plezi", "POST", "attributes", {"name": "shoe_size", "label": "Shoe size"})
    harness.control(
        "salesforce",
        "POST",
        "fields/Lead",
        {"name": "hat__c", "Metadata": {"type": "Text", "label": "Hat", "length": 20}},
    )
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    mapping = get_mapping(admin_client)
    known = pair_names(before, saved=False)
    added = [names for names in pair_names(mapping, saved=False) if names not in known]
    assert added == [("shoe_size", ""), ("", "hat__c")]
    assert pair_names(mapping, saved=False)[-1] == ("", "hat__c")
    admin_client.request_ok("PUT", "/admin/mapping", mapping)
    assert pair_names(get_mapping(admin_client), saved=True) == pair_names(before, saved=True)


def test_saving_an_unchanged_mapping_creates_no_version(
    admin_client: AdminClient,
) -> None:
    saved = admin_client.request_ok("PUT", "/admin/mapping", get_mapping(admin_client))

    assert saved["mapping"]["version"] == 0
    assert saved["changed"] == []
    assert admin_client.request_ok("GET", "/admin/mapping/versions")["versions"][0]["version"] == 0


def test_a_saved_mapping_is_a_version_with_its_author_and_its_changes(
    admin_client: AdminClient,
) -> None:
    mapping = get_mapping(admin_client)
    pair_of(mapping, "FirstName")["direction"] = "to_plezi"
    pair_of(mapping, "newsletter_optout__c").update(direction="both", policy="most_restrictive")

    saved = admin_client.request_ok("PUT", "/admin/mapping", mapping)

    assert saved["mapping"]["version"] == 1
    assert saved["mapping"]["saved_by"] == WHO
    assert saved["manual_sync_due"] is True
    assert [
        (change["pair"], change["field"], change["before"], change["after"])
        for change in saved["changed"]
    ] == [
        ("FirstName", "direction", "both", "to_plezi"),
        ("newsletter_optout__c", "", "", "newsletter_optout both"),
    ]
    versions = admin_client.request_ok("GET", "/admin/mapping/versions")["versions"]
    assert [(version["version"], version["saved_by"]) for version in versions] == [
        (1, WHO),
        (0, ""),
    ]
    assert versions[0]["changed"] == saved["changed"]
    assert pair_names(get_mapping(admin_client), saved=True)[-1] == (
        "newsletter_optout",
        "newsletter_optout__c",
    )


def test_a_stale_mapping_is_refused_with_both_versions(admin_client: AdminClient) -> None:
    yours, current = get_mapping(admin_client), get_mapping(admin_client)
    pair_of(current, "Phone")["policy"] = "plezi_wins"
    admin_client.request_ok("PUT", "/admin/mapping", current)
    pair_of(yours, "Phone")["policy"] = "hold"

    response = admin_client.request("PUT", "/admin/mapping", yours)

    assert response.status == 409
    assert response.body["yours"]["version"] == 0
    assert pair_of(response.body["yours"], "Phone")["policy"] == "hold"
    assert response.body["current"]["version"] == 1
    assert pair_of(response.body["current"], "Phone")["policy"] == "plezi_wins"


def test_one_of_two_simultaneous_saves_succeeds_and_the_other_returns_both_versions(
    admin_client: AdminClient,
) -> None:
    context = ADMIN.get()
    both_have_read = threading.Barrier(2, timeout=30)

    def sides() -> Sides:
        both_have_read.wait()
        return context.sides()

    mapping = get_mapping(admin_client)
    racing = replace(context, sides=sides)
    ADMIN.use(racing)
    results: dict[str, int | tuple[int, int]] = {}

    def put(policy: str) -> None:
        document = deepcopy(mapping)
        pair_of(document, "Phone")["policy"] = policy
        config = MappingBody.model_validate(document).config()
        try:
            results[policy] = save_mapping(racing, policy, config).mapping.version
        except MappingConflictError as error:
            results[policy] = (error.yours.version, error.current.version)

    threads = [threading.Thread(target=put, args=(policy,)) for policy in ("hold", "fill_blank")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results.values(), key=str) == [(0, 1), 1]
    winner = next(policy for policy, result in results.items() if result == 1)
    current = context.mappings.current()
    assert next(pair for pair in current.pairs if pair.key == "Phone").policy.value == winner


def test_all_problems_are_reported_at_once_and_nothing_is_saved(
    admin_client: AdminClient,
) -> None:
    mapping = get_mapping(admin_client)
    pair_of(mapping, "Phone")["salesforce"] = "Phnoe"
    pair_of(mapping, "score__c")["direction"] = "both"
    pair_of(mapping, "Company")["placeholder"] = ""
    pair_of(mapping, "Email")["direction"] = "off"
    pair_of(mapping, "Title")["policy"] = "most_restrictive"
    mapping["contact_filter"]["field"] = "sync_plezi__c"

    response = admin_client.request("PUT", "/admin/mapping", mapping)

    assert response.status == 422
    problems = response.body["problems"]
    codes = {(problem["code"], problem["pair"]) for problem in problems}
    assert {
        ("unknown_name", "Phnoe"),
        ("one_way_special", "score__c"),
        ("placeholder", "Company"),
        ("locked", "Email"),
        ("policy", "Title"),
        ("unknown_name", "contact_filter"),
    } <= codes
    assert all(problem["message"] and problem["remedy"] for problem in problems)
    assert get_mapping(admin_client)["version"] == 0


def test_a_mapping_with_a_warning_is_saved(admin_client: AdminClient) -> None:
    mapping = get_mapping(admin_client)
    pair_of(mapping, "Title")["direction"] = "both"

    saved = admin_client.request_ok("PUT", "/admin/mapping", mapping)

    assert saved["mapping"]["version"] == 1
    assert [warning["code"] for warning in saved["warnings"]] == ["function_free_text"]


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
def test_an_invalid_body_is_refused_with_the_place_of_the_problem(
    admin_client: AdminClient, change: dict[str, Any], place: str
) -> None:
    response = admin_client.request(
        "PUT", "/admin/mapping", {**get_mapping(admin_client), **change}
    )

    assert response.status == 422
    assert any(place in problem["field"] for problem in response.body["problems"])


def test_a_mapping_without_the_member_contact_filter_is_refused(admin_client: AdminClient) -> None:
    mapping = get_mapping(admin_client)
    del mapping["contact_filter"]

    response = admin_client.request("PUT", "/admin/mapping", mapping)

    assert response.status == 422
    assert "contact_filter" in response.body["problems"][0]["field"]


def test_a_body_that_is_not_json_is_refused(admin_client: AdminClient) -> None:
    response = admin_client.request("PUT", "/admin/mapping", raw="{")
    assert response.status == 422


def test_an_old_version_is_restored_as_a_new_version(admin_client: AdminClient) -> None:
    mapping = get_mapping(admin_client)
    pair_of(mapping, "Phone")["policy"] = "hold"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    stale = admin_client.request("POST", "/admin/mapping/versions/0/restore", {"version": 0})
    assert stale.status == 409
    restored = admin_client.request_ok("POST", "/admin/mapping/versions/0/restore", {"version": 1})

    assert restored["mapping"]["version"] == 2
    assert pair_of(restored["mapping"], "Phone")["policy"] == "newest"
    unknown = admin_client.request("POST", "/admin/mapping/versions/9/restore", {"version": 2})
    assert unknown.status == 404


def test_a_version_that_is_not_valid_any_more_is_not_restored(
    admin_client: AdminClient, harness: Harness
) -> None:
    mapping = get_mapping(admin_client)
    pair_of(mapping, "score__c")["direction"] = "off"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)
    harness.control("salesforce", "DELETE", "fields/Lead/score__c")
    admin_client.request_ok("GET", "/admin/fields", refresh="true")

    response = admin_client.request("POST", "/admin/mapping/versions/0/restore", {"version": 1})

    assert response.status == 422
    assert [problem["pair"] for problem in response.body["problems"]] == ["score__c"]


def test_versions_are_paged(admin_client: AdminClient) -> None:
    for policy in ("hold", "fill_blank", "plezi_wins"):
        mapping = get_mapping(admin_client)
        pair_of(mapping, "Phone")["policy"] = policy
        admin_client.request_ok("PUT", "/admin/mapping", mapping)

    first = admin_client.request_ok("GET", "/admin/mapping/versions", limit="2")
    second = admin_client.request_ok(
        "GET", "/admin/mapping/versions", limit="2", next=first["next"]
    )

    assert [version["version"] for version in first["versions"]] == [3, 2]
    assert [version["version"] for version in second["versions"]] == [1, 0]
    assert second["next"] == ""
    assert [version["changed"][0]["after"] for version in first["versions"]] == [
        "plezi_wins",
        "fill_blank",
    ]
    assert admin_client.request("GET", "/admin/mapping/versions", next="x").status == 422


def test_the_mapping_is_exported_changed_and_imported_as_a_file(admin_client: AdminClient) -> None:
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    assert text.startswith("# The mapping between Plezi and Salesforce, version 0, as shipped")

    changed = text.replace(
        "{plezi: phone, salesforce: Phone, direction: both, policy: newest",
        "{plezi: phone, salesforce: Phone, direction: both, policy: hold",
    )
    assert changed != text
    saved = admin_client.request_ok("PUT", "/admin/mapping.yaml", raw=changed)

    assert [change["pair"] for change in saved["changed"]] == ["Phone"]
    again = admin_client.request("GET", "/admin/mapping.yaml").text
    assert f"version 1, saved by {WHO}" in again
    rows = list(zip(text.split("\n"), again.split("\n"), strict=True))
    assert sum(before != after for before, after in rows) == 3  # the comment, the version, the pair
    assert admin_client.request("PUT", "/admin/mapping.yaml", raw=changed).status == 409


@pytest.mark.parametrize("text", ["", "pairs: [", "version: 0", "- 1"])
def test_a_file_without_a_mapping_is_refused(admin_client: AdminClient, text: str) -> None:
    response = admin_client.request("PUT", "/admin/mapping.yaml", raw=text)
    assert response.status == 422
    assert response.body["message"]


def test_an_unquoted_yes_in_the_file_is_a_text(admin_client: AdminClient) -> None:
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    assert "value: 'yes'" in text

    saved = admin_client.request_ok(
        "PUT", "/admin/mapping.yaml", raw=text.replace("value: 'yes'", "value: yes")
    )
    assert saved["changed"] == []


def test_a_manual_synchronization_is_due_until_the_mapping_is_applied_to_all_contacts(
    admin_client: AdminClient, harness: Harness
) -> None:
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is True
    harness.sync(kind=RunKind.FULL)
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is False

    mapping = get_mapping(admin_client)
    pair_of(mapping, "Phone")["policy"] = "hold"
    admin_client.request_ok("PUT", "/admin/mapping", mapping)

    due = admin_client.request_ok("GET", "/admin/status")["manual_sync"]
    assert due["due"] is True
    assert "version 1" in due["why"]
    harness.sync(kind=RunKind.FULL)
    assert admin_client.request_ok("GET", "/admin/status")["manual_sync"]["due"] is False


def test_the_saved_mapping_is_returned_while_salesforce_refuses_the_login(
    admin_client: AdminClient, harness: Harness
) -> None:
    user = harness.org.integration_user.username
    harness.control("salesforce", "POST", f"users/{user}/password", {"password": "Another-pass1"})
    admin_client.request("GET", "/admin/fields")

    mapping = get_mapping(admin_client)

    assert not pair_names(mapping, saved=False)
    assert "login" in mapping["suggestions_error"]
    pair_of(mapping, "Phone")["policy"] = "hold"
    response = admin_client.request("PUT", "/admin/mapping", mapping)
    assert (response.status, response.body["error"]) == (502, "login_refused")


def test_the_country_of_phone_numbers_is_saved_shown_and_compared(
    admin_client: AdminClient, harness: Harness
) -> None:
    mapping = get_mapping(admin_client)
    assert mapping["phone_region"] == "FR"

    saved = admin_client.request_ok("PUT", "/admin/mapping", {**mapping, "phone_region": "BE"})

    change = {"pair": "phone_region", "field": "", "before": "FR", "after": "BE"}
    assert saved["changed"] == [change]
    assert get_mapping(admin_client)["phone_region"] == "BE"
    assert harness.context.mappings.current().phone_region == "BE"


@pytest.mark.parametrize(("code", "status"), [("XX", 422), ("fr", 422), ("France", 422)])
def test_an_unknown_country_of_phone_numbers_is_refused(
    admin_client: AdminClient, code: str, status: int
) -> None:
    mapping = get_mapping(admin_client)

    response = admin_client.request("PUT", "/admin/mapping", {**mapping, "phone_region": code})

    assert response.status == status
    assert "phone_region" in response.text


def test_norway_needs_no_quotes_in_the_file(admin_client: AdminClient) -> None:
    text = admin_client.request("GET", "/admin/mapping.yaml").text
    changed = text.replace("phone_region: FR", "phone_region: NO")

    admin_client.request_ok("PUT", "/admin/mapping.yaml", raw=changed)

    assert get_mapping(admin_client)["phone_region"] == "NO"
    assert "phone_region: 'NO'" in admin_client.request("GET", "/admin/mapping.yaml").text
