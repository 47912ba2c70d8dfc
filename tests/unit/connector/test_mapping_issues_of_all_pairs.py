"""Issues of a mapping as a whole, of its filters, and the directions of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.mapping import (
    DEFAULT_MAPPING,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    Schema,
)
from connector.mapping.issues import Issue, IssueCode
from connector.mapping.validation import (
    SupportedDirections,
    supported_directions,
    validate_freshly,
)
from connector.model import RecordKind
from tests.unit.connector.mapping_issue_cases import (
    BOTH,
    CHECKBOX,
    CONTACT,
    CREATE,
    DATE,
    DATETIME,
    EMAIL,
    GRANT,
    LEAD,
    NO_ACCESS,
    NUMBER,
    OFF,
    PAIRS,
    PICKLIST,
    PLEZI,
    SCHEMAS,
    TEXT,
    TO_PLEZI,
    TO_SALESFORCE,
    UNSUPPORTED,
    Fields,
    default_pair,
    issues_of,
    lead,
    pair,
    plezi,
    schemas_with,
    schemas_without,
    unknown,
    warning,
    with_pairs,
    without_pair,
)


def required(kind: RecordKind, name: str) -> Mapping[RecordKind, Schema]:
    return schemas_with({kind: Field(name, TEXT, required=True)})


def locked(key: str, message: str) -> Issue:
    return Issue(
        IssueCode.LOCKED,
        key,
        "",
        f"the pair {message} is locked, but was changed or removed",
        "restore it as GET /admin/mapping shows it",
    )


def written_twice(keys: str, name: str) -> Issue:
    return Issue(
        IssueCode.DUPLICATE,
        keys,
        "plezi",
        f"several pairs write to the Plezi attribute {name}: {keys}",
        "keep one of them, and set the direction of the others to to_salesforce",
    )


def mandatory(key: str, name: str) -> Issue:
    return Issue(
        IssueCode.MANDATORY,
        key,
        "direction",
        f"Plezi requires {name} for each contact",
        "map it with the direction both or to_plezi",
    )


def without_value(name: str, remedy: str) -> Issue:
    return Issue(
        IssueCode.PLACEHOLDER,
        name,
        "placeholder",
        f"Salesforce requires {name} for each Lead, and Plezi may have none",
        remedy,
    )


def unknown_region(region: str) -> Issue:
    return Issue(
        IssueCode.PHONE_REGION,
        "phone_region",
        "",
        f"{region!r} is no country whose phone numbers are known",
        "use the two capital letters of ISO 3166-1, such as FR, BE or CH",
    )


SET_PLACEHOLDER: Final = "set a placeholder for the pair, such as [unknown]"
GIVE_DEFAULT: Final = "make the field optional in Salesforce, or give it a default value there"
MAP_AN_ATTRIBUTE: Final = (
    "map an attribute to it in the direction to_salesforce or both, with a placeholder"
)
NO_LAST_NAME: Final = default_pair("LastName", placeholder="")


@pytest.mark.parametrize(
    ("mapping", "schemas", "expected"),
    [
        (DEFAULT_MAPPING, SCHEMAS, []),
        # Locked pairs.
        (without_pair("Email"), SCHEMAS, [locked("Email", "email -> Email")]),
        (
            with_pairs(default_pair("plezi_url__c", direction=OFF)),
            SCHEMAS,
            [
                locked("plezi_url__c", "url -> plezi_url__c"),
                Issue(
                    IssueCode.LOCKED,
                    "plezi_url__c",
                    "locked",
                    "a pair cannot be locked by an admin",
                    "set locked to false, or restore the locked pair",
                ),
            ],
        ),
        (
            DEFAULT_MAPPING,
            schemas_without(LEAD, "plezi_url__c"),
            [
                warning(
                    IssueCode.UNKNOWN_NAME,
                    "plezi_url__c",
                    "salesforce",
                    "Lead has no visible field 'plezi_url__c'",
                    GRANT,
                )
            ],
        ),
        # A pair that is off hides no issue of the pairs after it.
        (
            with_pairs(FieldPair("mobile", "Mobil", OFF), FieldPair("", "Size__c", TO_SALESFORCE)),
            schemas_with(lead(TEXT)),
            [unknown("Size__c", "plezi", "Plezi has no attribute ''", CREATE)],
        ),
        # The company of a Contact.
        (
            DEFAULT_MAPPING,
            schemas_without(CONTACT, "Account.Name"),
            [
                unknown(
                    "Company",
                    "contact",
                    "Contact has no visible field 'Account.Name'",
                    "give the integration user 'Read' on Account, in Setup > Permission Sets > "
                    "Object Settings or in its profile, or switch the pair off",
                )
            ],
        ),
        (
            with_pairs(FieldPair("state", "Account.Name", TO_SALESFORCE)),
            SCHEMAS,
            [
                unknown(
                    "Account.Name",
                    "salesforce",
                    "Lead has no visible field 'Account.Name'",
                    "did you mean LastName? If not, create it or switch the pair off",
                )
            ],
        ),
        # Fields that several pairs use.
        (
            replace(
                DEFAULT_MAPPING,
                pairs=(
                    *PAIRS,
                    FieldPair("state", "PHONE", TO_SALESFORCE),
                    FieldPair("state", "phone", OFF),
                    FieldPair("state", "Title", TO_SALESFORCE),
                ),
            ),
            schemas_with({LEAD: Field("PHONE", TEXT)}),
            [
                Issue(
                    IssueCode.DUPLICATE,
                    key,
                    "salesforce",
                    f"several pairs use the Salesforce field {key}",
                    "keep one of them",
                )
                for key in ("Phone", "Title")
            ],
        ),
        (
            with_pairs(
                FieldPair("phone", "Size__c", TO_PLEZI),
                default_pair("Title", plezi="phone"),
                FieldPair("mobile", "status__c", TO_PLEZI),
            ),
            schemas_with(lead(TEXT)),
            [
                written_twice("Size__c, Phone", "phone"),
                written_twice("status__c, MobilePhone", "mobile"),
            ],
        ),
        (
            with_pairs(FieldPair("", "score__c", TO_PLEZI), FieldPair("", "status__c", TO_PLEZI)),
            SCHEMAS,
            [
                unknown(key, "plezi", "Plezi has no attribute ''", CREATE)
                for key in ("score__c", "status__c")
            ],
        ),
        # What Plezi requires.
        (DEFAULT_MAPPING, required(PLEZI, "company"), []),
        (
            with_pairs(
                default_pair("Phone", direction=TO_SALESFORCE),
                FieldPair("phone", "status__c", TO_SALESFORCE),
            ),
            {
                **SCHEMAS,
                PLEZI: {
                    name: replace(field, required=name in ("email", "phone"))
                    for name, field in SCHEMAS[PLEZI].items()
                },
            },
            [mandatory("Phone", "phone")],
        ),
        (DEFAULT_MAPPING, required(PLEZI, "size"), [mandatory("size", "size")]),
        # What Salesforce requires.
        (with_pairs(NO_LAST_NAME), SCHEMAS, []),
        (
            with_pairs(NO_LAST_NAME),
            required(LEAD, "LastName"),
            [without_value("LastName", SET_PLACEHOLDER)],
        ),
        (
            with_pairs(NO_LAST_NAME),
            {**required(LEAD, "LastName"), PLEZI: required(PLEZI, "last_name")[PLEZI]},
            [],
        ),
        (
            with_pairs(default_pair("LastName", direction=TO_PLEZI)),
            required(LEAD, "LastName"),
            [without_value("LastName", MAP_AN_ATTRIBUTE)],
        ),
        (DEFAULT_MAPPING, required(LEAD, "Size__c"), [without_value("Size__c", MAP_AN_ATTRIBUTE)]),
        (DEFAULT_MAPPING, schemas_with(lead(CHECKBOX, required=True)), []),
        *(
            (
                DEFAULT_MAPPING,
                schemas_with(lead(kind, required=True)),
                [without_value("Size__c", GIVE_DEFAULT)],
            )
            for kind in (NUMBER, DATE, DATETIME, FieldKind.TIME, UNSUPPORTED)
        ),
        # The country of phone numbers.
        (replace(DEFAULT_MAPPING, phone_region="fr"), SCHEMAS, [unknown_region("fr")]),
        (replace(DEFAULT_MAPPING, phone_region="CH"), SCHEMAS, []),
    ],
)
def test_each_issue_of_a_mapping_as_a_whole_has_its_remedy(
    mapping: MappingConfig, schemas: Mapping[RecordKind, Schema], expected: list[Issue]
) -> None:
    assert issues_of(mapping, schemas) == expected


def comparing(name: str, value: str = "yes") -> Filter:
    return Filter(name, Operator.EQUALS, value)


def no_record(setting: str, message: str) -> Issue:
    return warning(IssueCode.FILTER_VALUE, setting, "value", message, "choose one of these values")


YES_OR_NO: Final = ("yes", "no")


@pytest.mark.parametrize(
    ("name", "condition", "field", "expected"),
    [
        (
            "contact_filter",
            None,
            None,
            [
                warning(
                    IssueCode.NO_FILTER,
                    "contact_filter",
                    "",
                    "without a filter, every Contact of the org is imported into Plezi",
                    "set a filter on the field that allows the import, such as sync_to_plezi__c",
                )
            ],
        ),
        ("lead_filter", None, None, []),
        (
            "contact_filter",
            comparing("Measure__c"),
            None,
            [
                unknown(
                    "contact_filter",
                    "field",
                    "Contact has no visible field 'Measure__c'",
                    GRANT.replace("switch the pair off", "filter by another field"),
                )
            ],
        ),
        (
            "lead_filter",
            comparing("Titel"),
            None,
            [
                unknown(
                    "lead_filter",
                    "field",
                    "Lead has no visible field 'Titel'",
                    "did you mean Title? If not, create it or filter by another field",
                )
            ],
        ),
        (
            "lead_filter",
            comparing("Place"),
            Field("Place", UNSUPPORTED, refusal="it is a place", type_name="address"),
            [
                Issue(
                    IssueCode.UNSUPPORTED_TYPE,
                    "lead_filter",
                    "field",
                    "the Lead field Place cannot be compared: it is a place",
                    "filter by another field",
                )
            ],
        ),
        (
            "lead_filter",
            comparing("OwnerId"),
            Field("OwnerId", UNSUPPORTED, refusal="it is an id", type_name="reference"),
            [],
        ),
        (
            "contact_filter",
            comparing("Measure__c", "perhaps"),
            Field("Measure__c", PICKLIST, restricted=True, options=YES_OR_NO),
            [
                no_record(
                    "contact_filter",
                    "no Contact can pass the filter: Measure__c has only the values yes, no",
                )
            ],
        ),
        (
            "lead_filter",
            comparing("Vip__c", "perhaps"),
            Field("Vip__c", CHECKBOX),
            [
                no_record(
                    "lead_filter",
                    "no Lead can pass the filter: Vip__c has only the values True, False",
                )
            ],
        ),
        ("lead_filter", comparing("Vip__c", "no"), Field("Vip__c", CHECKBOX), []),
        ("lead_filter", comparing("Vip__c", "oui"), Field("Vip__c", CHECKBOX), []),
        (
            "lead_filter",
            comparing("Vip__c", "perhaps"),
            Field("Vip__c", PICKLIST, options=YES_OR_NO),
            [],
        ),
        (
            "lead_filter",
            comparing("Vip__c", ""),
            Field("Vip__c", PICKLIST, restricted=True, options=YES_OR_NO),
            [],
        ),
    ],
)
def test_each_issue_of_a_filter_has_its_remedy(
    name: str, condition: Filter | None, field: Field | None, expected: list[Issue]
) -> None:
    kind = {"contact_filter": CONTACT, "lead_filter": LEAD}[name]
    filters: dict[str, Any] = {name: condition}
    schemas = SCHEMAS if field is None else schemas_with({kind: field})

    assert issues_of(replace(DEFAULT_MAPPING, **filters), schemas) == expected


def test_a_mapping_without_problems_is_validated_once() -> None:
    described: list[str] = []
    invalid = with_pairs(pair(BOTH))

    def describe_again() -> None:
        described.append("again")

    def schemas() -> Mapping[RecordKind, Schema]:
        return schemas_with({**plezi(TEXT), **lead(TEXT)}) if described else SCHEMAS

    assert validate_freshly(DEFAULT_MAPPING, schemas, describe_again).problems == ()
    assert described == []
    assert validate_freshly(invalid, schemas, describe_again).problems == ()
    assert described == ["again"]
    remaining = validate_freshly(invalid, lambda: SCHEMAS, describe_again).problems
    assert [issue.field for issue in remaining] == ["plezi", "salesforce"]


@pytest.mark.parametrize(
    ("pair", "fields", "directions", "reason"),
    [
        (pair(OFF), {}, (BOTH, TO_PLEZI, TO_SALESFORCE), ""),
        (pair(OFF), plezi(NUMBER), (BOTH, TO_PLEZI, TO_SALESFORCE), ""),
        (pair(OFF), lead(NUMBER), (BOTH, TO_PLEZI, TO_SALESFORCE), ""),
        (
            pair(OFF),
            {**plezi(TEXT), **lead(NUMBER)},
            (TO_PLEZI,),
            "size cannot be written to the Lead field Size__c: a text is not always a number",
        ),
        (
            pair(OFF),
            {**plezi(NUMBER), **lead(TEXT)},
            (TO_SALESFORCE,),
            "Size__c cannot be written to the Plezi field size: a text is not always a number",
        ),
        (
            pair(OFF),
            {**plezi(CHECKBOX), **lead(EMAIL)},
            (),
            (
                "size cannot be written to the Lead field Size__c: a checkbox is not always an "
                "email; Size__c cannot be written to the Plezi field size: an email is not always "
                "a checkbox"
            ),
        ),
        (
            pair(OFF),
            lead(TEXT, read_only="it is a formula"),
            (TO_PLEZI,),
            "the Lead field Size__c is read-only: it is a formula",
        ),
        (
            pair(OFF),
            plezi(TEXT, **NO_ACCESS),
            (TO_SALESFORCE,),
            "the Plezi field size is read-only (a system field, or no edit access)",
        ),
        (
            pair(OFF),
            {**plezi(TEXT), **lead(UNSUPPORTED)},
            (),
            "Size__c: the type of Size__c is not supported",
        ),
        (
            pair(OFF),
            {**plezi(UNSUPPORTED, refusal="it is a place", remedy="map its city"), **lead(TEXT)},
            (),
            "size: it is a place; map its city",
        ),
        (
            pair(OFF),
            {**plezi(UNSUPPORTED), **lead(UNSUPPORTED, refusal="it is a place")},
            (),
            "size: the type of size is not supported; Size__c: it is a place",
        ),
        (
            FieldPair("url", "plezi_url__c", OFF),
            {},
            (TO_SALESFORCE,),
            "url is never written to Plezi",
        ),
    ],
)
def test_the_directions_of_a_pair_and_why_it_has_no_others(
    pair: FieldPair, fields: Fields, directions: tuple[Direction, ...], reason: str
) -> None:
    assert supported_directions(pair, schemas_with(fields)) == SupportedDirections(
        directions, reason
    )
