"""What changed between two versions of the mapping, as an admin reads it."""

from __future__ import annotations

from dataclasses import replace

from connector.mapping import (
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ValuePair,
)
from connector.mapping.diff import MappingChange, diff_mappings

PHONE = FieldPair("phone", "Phone", Direction.BOTH)
STATE = FieldPair("state", "status__c", Direction.TO_SALESFORCE)
MAPPING = MappingConfig(3, (PHONE, STATE), Filter("import__c", Operator.EQUALS, "yes"))


def test_each_changed_setting_has_its_text_before_and_after() -> None:
    after = replace(
        MAPPING,
        version=4,
        contact_filter=None,
        lead_filter=Filter("Status", Operator.IN, "Open, New"),
        duplicates=DuplicatePolicy.HOLD,
        create_lead_beside_contact=True,
        phone_region="BE",
    )

    assert diff_mappings(MAPPING, after) == (
        MappingChange("contact_filter", "", "import__c equals yes", ""),
        MappingChange("lead_filter", "", "", "Status in Open, New"),
        MappingChange("duplicates", "", "mirror", "hold"),
        MappingChange("create_lead_beside_contact", "", "false", "true"),
        MappingChange("phone_region", "", "FR", "BE"),
    )


def test_each_changed_property_of_a_pair_has_its_text_before_and_after() -> None:
    changed = FieldPair(
        "mobile",
        "Phone",
        Direction.TO_PLEZI,
        ConflictPolicy.HOLD,
        contact="Phone",
        placeholder="[unknown]",
        locked=True,
        enforced=True,
        values=(ValuePair("Client", "Customer"), ValuePair("Partner", "Ally")),
    )

    assert diff_mappings(MAPPING, replace(MAPPING, pairs=(changed, STATE))) == (
        MappingChange("Phone", "plezi", "phone", "mobile"),
        MappingChange("Phone", "direction", "both", "to_plezi"),
        MappingChange("Phone", "policy", "newest", "hold"),
        MappingChange("Phone", "contact", "", "Phone"),
        MappingChange("Phone", "placeholder", "", "[unknown]"),
        MappingChange("Phone", "locked", "false", "true"),
        MappingChange("Phone", "enforced", "false", "true"),
        MappingChange("Phone", "values", "", "Client = Customer; Partner = Ally"),
    )


def test_settings_come_first_then_pairs_in_the_newer_order_then_pairs_that_are_gone() -> None:
    before = replace(MAPPING, pairs=(replace(PHONE, salesforce="MobilePhone"), STATE, PHONE))
    title = FieldPair("function", "Title", Direction.TO_PLEZI)
    company = FieldPair("company", "Company", Direction.OFF)
    held = replace(STATE, policy=ConflictPolicy.HOLD)

    after = replace(MAPPING, pairs=(title, company, held), phone_region="CH")

    assert diff_mappings(before, after) == (
        MappingChange("phone_region", "", "FR", "CH"),
        MappingChange("Title", "", "", "function to_plezi"),
        MappingChange("Company", "", "", "company off"),
        MappingChange("status__c", "policy", "newest", "hold"),
        MappingChange("MobilePhone", "", "phone both", ""),
        MappingChange("Phone", "", "phone both", ""),
    )


def test_the_version_and_the_order_of_pairs_are_no_change() -> None:
    assert diff_mappings(MAPPING, replace(MAPPING, version=4, pairs=(STATE, PHONE))) == ()
