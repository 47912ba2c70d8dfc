"""The main scenarios in the dialect that a probe found, for tenants of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.tenant_scenarios import Users, main_scenarios

OLD_RAILS: Mapping[str, Any] = {
    "update_method": "put_or_patch",
    "unnamed_attributes": "cleared",
    "pager": "limit_offset",
    "page_size_cap": 7,
    "changed_since": "absent",
    "stamps": "local",
}
SILENT: Mapping[str, Any] = {
    "unknown_parameters": "ignored",
    "changed_since": "ignored",
    "email_filter": "ignored",
    "update_method": "post_upsert",
    "meta": "missing",
    "empty_values": "omitted",
}
RENAMED: Mapping[str, Any] = {
    "attribute_spelling": {
        "email": "mail",
        "phone": "telephone",
        "function": "fonction",
        "updated_at": "modified_at",
        "last_name": "nom",
    },
    "type_names": {"text": "string", "phone": "tel", "multi_list": "multi_select"},
    "changed_since_name": "updated_since",
    "known_email": "conflict",
    "score_type": "text",
}
BLIND: Mapping[str, Any] = {
    "get_by_id": "not_found",
    "sort": "ignored",
    "schema_call": "absent",
    "page_url": "missing",
    "page_size_cap": 3,
    "empty_values": "null",
}
WITHOUT_STAMPS: Mapping[str, Any] = {
    "updated_at": "missing",
    "update_method": "patch",
    "pager": "limit_offset",
    "known_email": "conflict_409",
    "error_format": "html",
    "attribute_spelling": {"company": "societe"},
    "schema_call": "absent",
}
WITHOUT_NULLS: Mapping[str, Any] = {"null_write": "ignored", "multi_list_write": "adds"}
TENANTS = {
    "as_assumed": {},
    "old_rails": OLD_RAILS,
    "silent": SILENT,
    "renamed": RENAMED,
    "blind": BLIND,
    "without_stamps": WITHOUT_STAMPS,
    "without_nulls": WITHOUT_NULLS,
    "renamed_and_old": {**RENAMED, **OLD_RAILS, "null_write": "refused"},
    "blind_and_omitting": {**BLIND, "empty_values": "omitted", "update_method": "patch"},
}


@pytest.fixture(params=TENANTS)
def users(harness: Harness, admin_client: AdminClient, request: pytest.FixtureRequest) -> Users:
    """Return the users of a tenant that was probed and is synchronized."""
    harness.control("plezi", "POST", "load", {"contacts": 10, "spread_seconds": 3600})
    harness.control("plezi", "POST", "switches", TENANTS[request.param])
    admin_client.request_ok("POST", "/admin/pause")
    contact = {"contact": "throwaway@example.com", "throwaway": True}
    report = admin_client.request_ok("POST", "/admin/plezi/probe", contact)
    assert (report["state"], report["refusals"]) == ("done", [])
    admin_client.request_ok("POST", "/admin/start")
    return Users(harness)


def test_the_main_scenarios_hold_in_the_dialect_that_was_found(users: Users) -> None:
    main_scenarios(users)
