"""The connection check names each precondition of the connector's own queries that is missing.

The preconditions are those of docs/salesforce-setup.md. Those of the mapping, which are named by
the step `mapping` of the set-up guide, are at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.connection_report import Grade
from connector.console.texts.messages import in_french
from functions.admin.admin_app import ADMIN
from tests.component.admin_client import AdminClient, build_admin_context
from tests.component.altered_salesforce import put_before_org
from tests.component.credential_fixtures import USER, CredentialFixtures, finding
from tests.component.harness import Harness
from tests.component.test_org_features import SEGMENT, map_also

CHECK = "/admin/connection/check"
MUST = {"type": "Text", "length": 40, "label": "Must", "required": True}
TEST_AGAIN = "plezi-sync connect check"
ENGLISH = re.compile(r"\b(the|user|give|records?|lacks|cannot|invisible for)\b", re.IGNORECASE)
OTHERS = {"login", "api", "edition", "scopes", "password", "leads", "contacts", "quota", "plezi"}
"""The findings that a report has whatever precondition is missing."""


@dataclass(frozen=True)
class Missing:
    """A precondition that an org does not meet: how, which finding or step names it, its words."""

    name: str
    route: tuple[str, str, Any]
    named_by: str
    named: str
    remedy: str


OBJECTS = (
    *(
        Missing(
            f"{right} Leads",
            ("POST", "objects/Lead/permissions", {right: False}),
            "leads",
            named,
            "'Read', 'Create' and 'Edit' on Lead, in Setup > Permission Sets > Object Settings",
        )
        for right, named in (
            ("read", "no access to the object Lead"),
            ("create", "lacks the permission 'Create' on Lead"),
            ("edit", "lacks the permission 'Edit' on Lead"),
        )
    ),
    Missing(
        "read Contacts",
        ("POST", "objects/Contact/permissions", {"read": False}),
        "contacts",
        "no access to the object Contact",
        "'Read' on Contact, in Setup > Permission Sets > Object Settings",
    ),
    *(
        Missing(
            f"filter by {field} of {kind}s",
            ("PATCH", f"fields/{kind}/{field}", {"encryption": "probabilistic"}),
            f"{kind.lower()}s",
            f"{kind}.{field} cannot be filtered",
            "deterministic encryption for it in Setup > Encryption Policy",
        )
        for kind, field in (("Lead", "Email"), ("Contact", "Email"))
    ),
    *(
        Missing(
            f"see the e-mail of {kind}s",
            ("POST", f"fields/{kind}/Email/visibility", {"read": False}),
            f"{kind.lower()}s",
            f"{kind}.Email is invisible",
            "'Read Access' on it, in Setup > Permission Sets > Object Settings > Field Permissions",
        )
        for kind in ("Lead", "Contact")
    ),
)
MAPPING = (
    Missing(
        "read accounts",
        ("POST", "objects/Account/permissions", {"read": False}),
        "mapping",
        "Contact has no visible field 'Account.Name'",
        "'Read' on Account, in Setup > Permission Sets > Object Settings",
    ),
    Missing(
        "see the page address",
        ("POST", "fields/Lead/plezi_url__c/visibility", {"read": False}),
        "fields",
        "Lead.plezi_url__c is invisible",
        "grant it to the integration user by field-level security",
    ),
    Missing(
        "a value for a required field",
        ("POST", "fields/Lead", {"name": "must__c", "Metadata": MUST}),
        "mapping",
        "Salesforce requires must__c for each Lead",
        "map an attribute to it",
    ),
)


def check(admin_client: AdminClient) -> dict[str, Any]:
    """Return the findings of a connection check by their names."""
    report = admin_client.request_ok("POST", CHECK)["report"]
    assert report["ok"] == all(each["grade"] != "failed" for each in report["findings"])
    return {each["name"]: each for each in report["findings"]}


def steps(admin_client: AdminClient) -> dict[str, Any]:
    """Return the steps of the set-up guide by their names."""
    listed = admin_client.request_ok("GET", "/admin/setup")["steps"]
    return {each["name"]: each for each in listed}


def assert_french(finding: dict[str, Any]) -> None:
    """Check that the console has French for a message and its causes, down to the words."""
    for text in (finding["message"], *finding["causes"]):
        french = in_french(text)
        assert french != text
        assert not ENGLISH.search(french), french


@pytest.mark.parametrize("missing", OBJECTS, ids=lambda missing: missing.name)
def test_a_missing_precondition_is_a_failed_finding_with_its_remedy(
    harness: Harness, admin_client: AdminClient, missing: Missing
) -> None:
    harness.control("salesforce", *missing.route)

    findings = check(admin_client)

    assert set(findings) >= OTHERS
    assert [name for name in findings if findings[name]["grade"] == "failed"] == [missing.named_by]
    found = findings[missing.named_by]
    assert_french(found)
    assert missing.named in found["message"]
    assert TEST_AGAIN in found["message"]
    [cause] = found["causes"]
    assert missing.named in cause
    assert missing.remedy in cause
    step = steps(admin_client)["check"]
    assert (step["state"], step["remedy"]) == ("blocked", cause)


def test_a_page_address_that_cannot_be_filtered_is_a_failed_finding(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("salesforce", "DELETE", "fields/Lead/plezi_url__c")
    by_hand = {"type": "Text", "length": 255, "label": "Plezi URL"}
    created = {"name": "plezi_url__c", "Metadata": by_hand}
    harness.control("salesforce", "POST", "fields/Lead", created)
    encrypted = {"encryption": "probabilistic"}
    harness.control("salesforce", "PATCH", "fields/Lead/plezi_url__c", encrypted)

    found = check(admin_client)["leads"]

    assert found["grade"] == "failed"
    assert "Lead.plezi_url__c cannot be filtered" in found["message"]
    assert "found by their page address: choose deterministic" in found["causes"][0]


def test_an_org_without_the_page_address_is_no_failure_because_the_set_up_creates_it(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("salesforce", "DELETE", "fields/Lead/plezi_url__c")

    assert check(admin_client)["leads"]["grade"] == "ok"
    assert steps(admin_client)["fields"]["state"] == "to_do"


def test_everything_that_is_missing_is_named_at_once(
    harness: Harness, admin_client: AdminClient
) -> None:
    no_writing = {"create": False, "edit": False}
    harness.control("salesforce", "POST", "objects/Lead/permissions", no_writing)
    hidden = {"encryption": "probabilistic"}
    harness.control("salesforce", "PATCH", "fields/Lead/Email", hidden)
    harness.control("salesforce", "POST", "objects/Contact/permissions", {"read": False})

    findings = check(admin_client)

    assert [
        sum(word in cause for cause in findings["leads"]["causes"])
        for word in ("'Create' on Lead:", "'Edit' on Lead:", "Lead.Email cannot")
    ] == [1, 1, 1]
    assert findings["contacts"]["grade"] == "failed"
    remedy = steps(admin_client)["check"]["remedy"]
    assert "on Lead" in remedy
    assert "on Contact" in remedy


def test_without_read_on_accounts_the_permission_is_named_and_a_run_can_work(
    harness: Harness, admin_client: AdminClient
) -> None:
    harness.control("salesforce", "POST", "objects/Account/permissions", {"read": False})

    findings = check(admin_client)

    assert findings["accounts"]["grade"] == "warning"
    assert_french(findings["accounts"])
    assert "company of Contacts is not sent" in findings["accounts"]["message"]
    assert "'Read' on Account, in Setup > Permission Sets" in findings["accounts"]["causes"][0]
    assert {each["grade"] for each in findings.values()} <= {"ok", "warning"}


def test_an_access_that_ends_during_the_check_is_a_finding_too(harness: Harness) -> None:
    described: list[str] = []

    def refuse_second(request: Request) -> Response | None:
        if request.path.endswith("/Lead/describe/"):
            described.append(request.path)
        if len(described) < 2 or "describe" not in request.path:
            return None
        refusal = '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]'
        return Response(refusal, status=404, mimetype="application/json")

    put_before_org(harness, replace=refuse_second)
    ADMIN.use(build_admin_context(harness))

    findings = check(AdminClient())

    ADMIN.use(None)
    assert findings["leads"]["grade"] == "ok"
    assert findings["fields"]["grade"] == "failed"
    assert "no access to the object Lead" in findings["fields"]["message"]


@pytest.mark.parametrize("missing", MAPPING, ids=lambda missing: missing.name)
def test_a_missing_precondition_of_the_mapping_is_named_by_its_step(
    harness: Harness, admin_client: AdminClient, missing: Missing
) -> None:
    harness.control("salesforce", *missing.route)
    check(admin_client)

    step = steps(admin_client)[missing.named_by]

    assert step["state"] != "done"
    assert missing.named in step["reason"]
    assert missing.remedy in step["reason"] + step["remedy"]


def make_private(harness: Harness, *objects: str, view_all_data: bool = False) -> None:
    """Make the sharing of objects private, and take "View All Data" from the integration user."""
    for name in objects:
        harness.control("salesforce", "POST", "sharing", {"object": name, "default": "private"})
    harness.control("salesforce", "POST", f"users/{USER}", {"view_all_data": view_all_data})


@pytest.mark.parametrize("kind", ["Lead", "Contact", "Account"])
def test_private_sharing_without_view_all_records_is_named_with_the_permission(
    harness: Harness, admin_client: AdminClient, kind: str
) -> None:
    make_private(harness, kind)

    found = check(admin_client)["sharing"]

    assert found["grade"] == "warning"
    assert_french(found)
    assert f"The sharing of {kind} is private" in found["message"]
    assert f"lacks 'View All Records' on {kind}:" in found["message"]
    [cause] = found["causes"]
    assert f"'View All Records' on {kind}, in Setup > Permission Sets > Object Settings" in cause
    assert TEST_AGAIN in cause
    step = steps(admin_client)["check"]
    assert step["state"] == "done"
    assert f"{found['message']} Remedy: {cause}" in step["notes"]


def test_private_sharing_names_only_the_objects_that_the_user_does_not_see_all_of(
    harness: Harness, admin_client: AdminClient
) -> None:
    make_private(harness, "Lead", "Contact")
    harness.control("salesforce", "POST", "objects/Lead/permissions", {"view_all": True})

    assert "lacks 'View All Records' on Contact:" in check(admin_client)["sharing"]["message"]


@pytest.mark.parametrize("right", ["view_all", "view_all_data"])
def test_private_sharing_is_ok_for_a_user_who_sees_all_records(
    harness: Harness, admin_client: AdminClient, right: str
) -> None:
    make_private(harness, "Lead", view_all_data=right == "view_all_data")
    harness.control(
        "salesforce", "POST", "objects/Lead/permissions", {"view_all": right == "view_all"}
    )

    found = check(admin_client)["sharing"]

    assert (found["grade"], found["causes"]) == ("ok", [])
    assert "the user may view all records" in found["message"]


def test_private_sharing_that_the_user_cannot_verify_says_how_the_admin_verifies_it(
    harness: Harness, admin_client: AdminClient
) -> None:
    make_private(harness, "Lead")
    harness.control("salesforce", "POST", "objects/Lead/permissions", {"view_all": True})
    harness.control("salesforce", "POST", f"users/{USER}", {"view_setup": False})

    found = check(admin_client)["sharing"]

    assert found["grade"] == "warning"
    assert_french(found)
    assert "cannot be verified" in found["message"]
    assert "look for 'View All Records' on Lead" in found["causes"][0]
    assert "'View Setup and Configuration'" in found["causes"][0]


def test_contacts_that_are_shared_as_their_accounts_are_private_if_accounts_are(
    harness: Harness, credentials: CredentialFixtures
) -> None:
    def control_by_parent(request: Request, response: Response) -> None:
        if "DefaultContactAccess" in request.args.get("q", ""):
            text = response.get_data(as_text=True)
            changed = text.replace(
                '"DefaultContactAccess":"Edit"', '"DefaultContactAccess":"ControlledByParent"'
            )
            assert changed != text
            response.set_data(changed)

    put_before_org(harness, alter=control_by_parent)
    make_private(harness)
    assert finding(credentials.check(), "sharing").grade is Grade.OK
    make_private(harness, "Account")

    message = finding(credentials.check(), "sharing").message
    assert "The sharing of Contact, Account is private" in message


def give_leads_a_record_type(harness: Harness, *values: str) -> None:
    """Map a restricted picklist, and make a record type with these values of it the default."""
    map_also(harness, SEGMENT)
    partner = {"name": "Partner", "default": True, "values": {"segment__c": values}}
    harness.control("salesforce", "POST", "record_types/Lead", partner)


def test_a_value_that_the_record_type_of_new_leads_lacks_is_named(
    harness: Harness, admin_client: AdminClient
) -> None:
    give_leads_a_record_type(harness, "smb")

    found = check(admin_client)["record_type"]

    assert found["grade"] == "warning"
    assert_french(found)
    assert "record type Partner" in found["message"]
    assert "segment__c: 'mid', 'large'" in found["message"]
    [cause] = found["causes"]
    assert "Object Manager > Lead > Record Types > Partner" in cause
    assert TEST_AGAIN in cause
    assert any("record type Partner" in note for note in steps(admin_client)["check"]["notes"])


def test_a_record_type_with_all_values_is_ok(harness: Harness, admin_client: AdminClient) -> None:
    give_leads_a_record_type(harness, "smb", "mid", "large")

    assert check(admin_client)["record_type"]["grade"] == "ok"


def test_a_record_type_concerns_only_lists_that_are_mapped(
    harness: Harness, admin_client: AdminClient
) -> None:
    partner = {"name": "Partner", "default": True, "values": {"segment__c": ["smb"]}}
    harness.control("salesforce", "POST", "record_types/Lead", partner)

    assert "record_type" not in check(admin_client)


def test_a_record_type_whose_values_cannot_be_read_says_how_the_admin_verifies_it(
    harness: Harness,
) -> None:
    def refuse(request: Request) -> Response | None:
        if "/ui-api/" not in request.path:
            return None
        refusal = '[{"errorCode":"INSUFFICIENT_ACCESS","message":"no access"}]'
        return Response(refusal, status=403, mimetype="application/json")

    give_leads_a_record_type(harness, "smb")
    put_before_org(harness, replace=refuse)
    ADMIN.use(build_admin_context(harness))

    findings = check(AdminClient())

    ADMIN.use(None)
    assert findings["record_type"]["grade"] == "warning"
    assert "cannot be read" in findings["record_type"]["message"]
    assert "compare its values of segment__c" in findings["record_type"]["causes"][0]


def test_an_org_that_meets_all_preconditions_has_nothing_to_name(
    admin_client: AdminClient,
) -> None:
    findings = check(admin_client)
    assert [findings[name]["grade"] for name in ("leads", "contacts", "accounts", "sharing")] == [
        "ok"
    ] * 4
    states = {name: step["state"] for name, step in steps(admin_client).items()}
    assert (states["check"], states["fields"], states["mapping"]) == ("done", "done", "done")
