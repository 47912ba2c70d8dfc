"""What a person can do about each refusal of Salesforce; never the value that was refused."""

from __future__ import annotations

from typing import Final

REMEDIES: Final = {
    "REQUIRED_FIELD_MISSING": "map the missing fields, or give their lines a placeholder",
    "INVALID_EMAIL_ADDRESS": "correct the e-mail address in Plezi",
    "STRING_TOO_LONG": "shorten the value in Plezi, or make the Salesforce field longer",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "add the value to the picklist in Salesforce, or "
    "choose one of its values in Plezi",
    "INVALID_FIELD": "the field was deleted or renamed, or hidden by field-level security: grant "
    "it to the integration user or change the mapping",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "grant the integration user edit access to the field "
    "(field-level security), or make the line one-way towards Plezi",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the org refuses the record: correct "
    "the value, or exempt the integration user from the rule",
    "FIELD_INTEGRITY_EXCEPTION": "the value does not fit the field (state and country lists, "
    "lookups): correct it in Plezi",
    "DUPLICATE_VALUE": "another record, perhaps a converted lead, holds this unique value: clear "
    "it there or merge the records",
    "DUPLICATES_DETECTED": "a duplicate rule of the org blocks the record: merge the duplicates, "
    "or let the rule allow the integration user to save",
    "CANNOT_UPDATE_CONVERTED_LEAD": "the lead was converted: the contact takes over",
    "ENTITY_IS_DELETED": "the record was deleted in Salesforce",
    "INSUFFICIENT_ACCESS_OR_READONLY": "give the integration user edit access to the record",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "give the integration user access to the "
    "related record (owner, account)",
    "INVALID_CROSS_REFERENCE_KEY": "a related record does not exist any more",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "a trigger or flow of the org failed: its "
    "administrator finds the reason in the debug log",
    "INACTIVE_OWNER_OR_USER": "the owner of the record is inactive: give it another owner",
    "ENTITY_IS_LOCKED": "the record is locked by an approval process: finish or recall it",
    "STORAGE_LIMIT_EXCEEDED": "the org's data storage is full",
    "JSON_PARSER_ERROR": "the value has not the field's type: correct it in Plezi",
    "MALFORMED_ID": "the record's id is not valid any more: run a full synchronisation",
    "REQUEST_LIMIT_EXCEEDED": "the org's API calls of the last 24 hours are used up: the next run "
    "goes on where this one stopped",
    "API_DISABLED_FOR_ORG": "this Salesforce edition has no API access: Enterprise, Unlimited, "
    "Developer and Performance have it; ask Salesforce to enable the API, or change edition",
    "API_CURRENTLY_DISABLED": "give the integration user the permission 'API Enabled'",
    "403": "Salesforce refuses the integration user this call: check its permissions",
}
OTHERWISE: Final = "Salesforce refused the record with this code: correct it there or in Plezi"


def remedy(code: str) -> str:
    """Return what a person can do about a refusal with this code."""
    return REMEDIES.get(code, OTHERWISE)
