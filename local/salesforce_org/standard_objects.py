"""The objects of a new Enterprise org, with their standard fields and the product's custom fields.

Types, lengths and flags of Lead and Contact are from recorded describe responses (API 42.0 and 59.0
agree).
"""

from __future__ import annotations

from local.salesforce_org.schema import Field, ObjectType, Schema
from local.salesforce_org.setup_objects import permission_objects, tooling_objects, user_objects
from local.salesforce_org.standard_fields import (
    address,
    checkbox,
    full_name,
    picklist,
    plain,
    read_only,
    reference,
    system_fields,
    text,
)

LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
CONVERTED_STATUS = "Closed - Converted"
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
INDUSTRIES = ("Agriculture", "Banking", "Education", "Energy", "Media", "Technology", "Other")
RATINGS = ("Hot", "Warm", "Cold")


def standard_schema() -> Schema:
    """Return the schema of a new org."""
    return Schema(
        [
            lead(),
            contact(),
            account(),
            opportunity(),
            *user_objects(),
            *permission_objects(),
            *tooling_objects(),
        ]
    )


def shared_custom_fields() -> list[Field]:
    """Return the custom fields of both Lead and Contact: one of every mapped type."""
    return [
        checkbox("newsletter_optout__c", "Newsletter opt-out"),
        plain("birthdate__c", "Birth date", "date"),
        plain("last_visit__c", "Last visit", "datetime"),
        plain("employees__c", "Employees", "double", precision=8, scale=0),
        picklist("segment__c", "Segment", ("smb", "mid", "large"), restricted=True),
        picklist(
            "interests__c",
            "Interests",
            ("events", "product", "hiring"),
            "multipicklist",
            restricted=True,
        ),
    ]


def owner(to: tuple[str, ...]) -> Field:
    """Return `OwnerId`, by default the creator."""
    return reference("OwnerId", "Owner ID", to, "Owner", nillable=False, defaulted=True, fixed=True)


def activity_and_views() -> list[Field]:
    """Return the fields that change with user activity.

    The two about bounced e-mails are updateable (recorded describes of two orgs).
    """
    return [
        read_only(plain("LastActivityDate", "Last Activity", "date")),
        read_only(plain("LastViewedDate", "Last Viewed Date", "datetime", fixed=True)),
        read_only(plain("LastReferencedDate", "Last Referenced Date", "datetime", fixed=True)),
        text("EmailBouncedReason", "Email Bounced Reason", 255),
        plain("EmailBouncedDate", "Email Bounced Date", "datetime"),
    ]


def lead() -> ObjectType:
    """Return Lead."""
    fields = [
        *system_fields(),
        read_only(
            reference("MasterRecordId", "Master Record ID", ("Lead",), "MasterRecord", fixed=True)
        ),
        text("LastName", "Last Name", 80, nillable=False, fixed=True),
        text("FirstName", "First Name", 40),
        picklist("Salutation", "Salutation", SALUTATIONS),
        full_name(),
        text("Title", "Title", 128),
        text("Company", "Company", 255, nillable=False, fixed=True),
        *address("", ""),
        text("Phone", "Phone", 40, "phone"),
        text("MobilePhone", "Mobile Phone", 40, "phone"),
        text("Fax", "Fax", 40, "phone"),
        text("Email", "Email", 80, "email", id_lookup=True),
        text("Website", "Website", 255, "url"),
        text("Description", "Description", 32000, "textarea"),
        picklist("LeadSource", "Lead Source", SOURCES),
        picklist(
            "Status",
            "Status",
            LEAD_STATUSES,
            nillable=False,
            defaulted=True,
            default=LEAD_STATUSES[0],
            fixed=True,
        ),
        picklist("Industry", "Industry", INDUSTRIES),
        picklist("Rating", "Rating", RATINGS),
        plain("AnnualRevenue", "Annual Revenue", "currency", precision=18, scale=0),
        plain("NumberOfEmployees", "Employees", "int"),
        checkbox("HasOptedOutOfEmail", "Email Opt Out"),
        checkbox("DoNotCall", "Do Not Call"),
        owner(("Group", "User")),
        checkbox("IsConverted", "Converted", updateable=False, fixed=True),
        read_only(plain("ConvertedDate", "Converted Date", "date", fixed=True)),
        *(
            read_only(
                reference(
                    f"Converted{to}Id", f"Converted {to} ID", (to,), f"Converted{to}", fixed=True
                )
            )
            for to in ("Account", "Contact", "Opportunity")
        ),
        checkbox("IsUnreadByOwner", "Unread By Owner", fixed=True),
        *activity_and_views(),
        text("plezi_url__c", "Plezi URL", 255, external_id=True, unique=True, id_lookup=True),
        text("score__c", "Plezi score", 10),
        text("status__c", "Plezi status", 40),
        *shared_custom_fields(),
    ]
    return _object("Lead", "Lead", "00Q", fields)


def contact() -> ObjectType:
    """Return Contact."""
    fields = [
        *system_fields(),
        read_only(
            reference(
                "MasterRecordId", "Master Record ID", ("Contact",), "MasterRecord", fixed=True
            )
        ),
        reference("AccountId", "Account ID", ("Account",), "Account"),
        text("LastName", "Last Name", 80, nillable=False, fixed=True),
        text("FirstName", "First Name", 40),
        picklist("Salutation", "Salutation", SALUTATIONS),
        full_name(),
        *address("Mailing", "Mailing"),
        *address("Other", "Other"),
        text("Phone", "Business Phone", 40, "phone"),
        text("Fax", "Business Fax", 40, "phone"),
        text("MobilePhone", "Mobile Phone", 40, "phone"),
        text("HomePhone", "Home Phone", 40, "phone"),
        text("OtherPhone", "Other Phone", 40, "phone"),
        text("AssistantPhone", "Asst. Phone", 40, "phone"),
        reference("ReportsToId", "Reports To ID", ("Contact",), "ReportsTo"),
        text("Email", "Email", 80, "email", id_lookup=True),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("AssistantName", "Assistant's Name", 40),
        picklist("LeadSource", "Lead Source", SOURCES),
        plain("Birthdate", "Birthdate", "date"),
        text("Description", "Contact Description", 32000, "textarea"),
        owner(("User",)),
        checkbox("HasOptedOutOfEmail", "Email Opt Out"),
        checkbox("DoNotCall", "Do Not Call"),
        *activity_and_views(),
        picklist("sync_to_plezi__c", "Sync to Plezi", ("yes", "no"), restricted=True),
        *shared_custom_fields(),
    ]
    return _object("Contact", "Contact", "003", fields)


def account() -> ObjectType:
    """Return Account, with the fields for parent queries and conversions."""
    fields = [
        *system_fields(),
        read_only(
            reference(
                "MasterRecordId", "Master Record ID", ("Account",), "MasterRecord", fixed=True
            )
        ),
        text("Name", "Account Name", 255, nillable=False, fixed=True),
        picklist("Type", "Account Type", ("Prospect", "Customer", "Other")),
        *address("Billing", "Billing"),
        text("Phone", "Account Phone", 40, "phone"),
        text("Website", "Website", 255, "url"),
        picklist("Industry", "Industry", INDUSTRIES),
        plain("AnnualRevenue", "Annual Revenue", "currency", precision=18, scale=0),
        plain("NumberOfEmployees", "Employees", "int"),
        owner(("User",)),
    ]
    return _object("Account", "Account", "001", fields)


def opportunity() -> ObjectType:
    """Return Opportunity, with the fields that a conversion sets."""
    fields = [
        *system_fields(),
        text("Name", "Name", 120, nillable=False, fixed=True),
        text("StageName", "Stage", 255, nillable=False, fixed=True),
        plain("CloseDate", "Close Date", "date", nillable=False, fixed=True),
        reference("AccountId", "Account ID", ("Account",), "Account"),
        owner(("User",)),
    ]
    return _object("Opportunity", "Opportunity", "006", fields, plural="Opportunities")


def _object(
    name: str, label: str, prefix: str, fields: list[Field], plural: str = ""
) -> ObjectType:
    kind = ObjectType(name, label, prefix, plural=plural or label + "s")
    for field in fields:
        kind.put(field)
    return kind
