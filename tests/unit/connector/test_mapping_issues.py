"""Every issue of a mapping as an admin reads it: its rule, its place, its message, its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    Schema,
    ValuePair,
)
from connector.mapping.issues import Issue, IssueCode
from connector.mapping.validation import (
    SupportedDirections,
    supported_directions,
    validate,
    validate_freshly,
)
from connector.model import RecordKind

PLEZI, LEAD, CONTACT = RecordKind.PLEZI_CONTACT, RecordKind.LEAD, RecordKind.CONTACT
BOTH, TO_PLEZI, TO_SALESFORCE = Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE
OFF: Final = Direction.OFF
TEXT, NUMBER, CHECKBOX = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.CHECKBOX
DATE, DATETIME, EMAIL = FieldKind.DATE, FieldKind.DATETIME, FieldKind.EMAIL
PICKLIST, MULTI = FieldKind.PICKLIST, FieldKind.MULTI_PICKLIST
UNSUPPORTED: Final = FieldKind.UNSUPPORTED
NO_ACCESS: Final = {"creatable": False, "updatable": False}
Fields = Mapping[RecordKind, Field]


def text_fields(names: tuple[str, ...]) -> dict[str, Field]:
    return {name: Field(name, TEXT) for name in names if name}


PAIRS: Final = DEFAULT_MAPPING.pairs
SCHEMAS: Final[Mapping[RecordKind, Schema]] = {
    PLEZI: text_fields(tuple(pair.plezi for pair in PAIRS)),
    LEAD: text_fields(tuple(pair.salesforce for pair in PAIRS)),
    CONTACT: text_fields((*(pair.contact for pair in PAIRS), "sync_to_plezi__c")),
}
"""Fields to which the default mapping fits without an issue."""


def plezi(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {PLEZI: Field("size", kind, **properties)}


def lead(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {LEAD: Field("Size__c", kind, **properties)}


def contact(kind: FieldKind, **properties: Any) -> dict[RecordKind, Field]:
    return {CONTACT: Field("Measure__c", kind, **properties)}


def schemas_with(fields: Fields) -> Mapping[RecordKind, Schema]:
    return {
        kind: {**schema, fields[kind].name: fields[kind]} if kind in fields else schema
        for kind, schema in SCHEMAS.items()
    }


def schemas_without(kind: RecordKind, name: str) -> Mapping[RecordKind, Schema]:
    kept = {it: field for it, field in SCHEMAS[kind].items() if it != name}
    return {**SCHEMAS, kind: kept}


def with_pairs(*pairs: FieldPair) -> MappingConfig:
    """Return the default mapping with these pairs in place of its pairs of the same name."""
    keys = {pair.key for pair in pairs}
    kept = tuple(pair for pair in PAIRS if pair.key not in keys)
    return replace(DEFAULT_MAPPING, pairs=(*pairs, *kept))


def default_pair(key: str, **changes: Any) -> FieldPair:
    return replace(next(pair for pair in PAIRS if pair.key == key), **changes)


def without_pair(key: str) -> MappingConfig:
    return replace(DEFAULT_MAPPING, pairs=tuple(pair for pair in PAIRS if pair.key != key))


def issues_of(mapping: MappingConfig, schemas: Mapping[RecordKind, Schema]) -> list[Issue]:
    """Return the problems, then the warnings."""
    result = validate(mapping, schemas)
    assert all(issue.blocks is True for issue in result.problems)
    assert all(issue.blocks is False for issue in result.warnings)
    return [*result.problems, *result.warnings]


def warning(code: IssueCode, pair: str, field: str, message: str, remedy: str) -> Issue:
    return Issue(code, pair, field, message, remedy, blocks=False)


def pair(direction: Direction, **properties: Any) -> FieldPair:
    return FieldPair("size", "Size__c", direction, **properties)


def made_one_way(message: str) -> Issue:
    return warning(
        IssueCode.MADE_ONE_WAY,
        "Size__c",
        "direction",
        message,
        "accept it, or choose a writable field of the same type as the other field",
    )


def refused_direction(code: IssueCode, message: str) -> Issue:
    return Issue(
        code,
        "Size__c",
        "direction",
        message,
        "reverse the direction of the pair, choose another field, or switch the pair off",
    )


def unsupported(property_: str, message: str, remedy: str) -> Issue:
    return Issue(IssueCode.UNSUPPORTED_TYPE, "Size__c", property_, message, remedy)


def unknown(key: str, property_: str, message: str, remedy: str) -> Issue:
    return Issue(IssueCode.UNKNOWN_NAME, key, property_, message, remedy)


def narrower(property_: str, message: str, remedy: str) -> Issue:
    return warning(IssueCode.NARROWER, "Size__c", property_, message, remedy)


def refused_placeholder(message: str) -> Issue:
    remedy = "choose a placeholder that the field accepts"
    return Issue(IssueCode.PLACEHOLDER, "Size__c", "placeholder", message, remedy)


NO_CHECKBOXES: Final = Issue(
    IssueCode.POLICY,
    "Size__c",
    "policy",
    "most_restrictive requires checkboxes, such as an opt-out, on both sides",
    "choose another policy, or two checkboxes",
)
TWO_WAY_ENFORCED: Final = Issue(
    IssueCode.ENFORCED,
    "Size__c",
    "enforced",
    "an enforced pair always writes Plezi's value to Salesforce, so it must be one-way",
    "set the direction to to_salesforce, or enforced to false",
)
WIDEN: Final = "widen the field, or expect links with such values in quarantine"
NAME_VALUES: Final = f"{WIDEN}, or name equal values in a value table (GET /admin/mapping/values)"
ADD_ROWS: Final = "add rows to the value table; until then, fields with such values are held"
CREATE: Final = "create it, or switch the pair off"
GRANT: Final = "create it, or grant the integration user access to it, or switch the pair off"
SMALL_IS_BIG: Final = (ValuePair("Small", "Big"),)
LISTS: Final = {
    **plezi(PICKLIST, options=("Small", "Big")),
    **lead(PICKLIST, options=("Big", "Huge"), restricted=True),
}
"""Two lists whose value `Big` is one value or two, as the value table says."""
TEN_AND_TWENTY: Final = {**plezi(TEXT, length=20), **lead(TEXT, length=10)}
MOST_RESTRICTIVE: Final = ConflictPolicy.MOST_RESTRICTIVE


@pytest.mark.parametrize(
    ("pair", "fields", "expected"),
    [
        # Names that do not exist.
        (
            pair(BOTH),
            lead(TEXT),
            [unknown("Size__c", "plezi", "Plezi has no attribute 'size'", CREATE)],
        ),
        (
            pair(BOTH, contact="Measure__c"),
            {**lead(TEXT), **contact(DATE)},
            [unknown("Size__c", "plezi", "Plezi has no attribute 'size'", CREATE)],
        ),
        (
            pair(BOTH),
            plezi(TEXT),
            [unknown("Size__c", "salesforce", "Lead has no visible field 'Size__c'", GRANT)],
        ),
        (
            pair(BOTH, contact="Measure__c"),
            {**plezi(TEXT), **lead(TEXT)},
            [unknown("Size__c", "contact", "Contact has no visible field 'Measure__c'", GRANT)],
        ),
        (
            FieldPair("size", "", BOTH),
            plezi(TEXT),
            [unknown("size", "salesforce", "Lead has no visible field ''", GRANT)],
        ),
        (
            FieldPair("size", "Name", BOTH),
            plezi(TEXT),
            [
                unknown(
                    "Name",
                    "salesforce",
                    "Lead has no visible field 'Name'",
                    "did you mean LastName, FirstName? If not, create it or switch the pair off",
                )
            ],
        ),
        (pair(OFF, contact="Measure__c", locked=False), {}, []),
        # Types that no pair can have.
        (
            pair(BOTH, contact="Measure__c"),
            {**plezi(UNSUPPORTED), **lead(TEXT)},
            [
                unknown("Size__c", "contact", "Contact has no visible field 'Measure__c'", GRANT),
                unsupported(
                    "plezi",
                    "the attribute size cannot be synchronized: its type",
                    "choose another field, or switch the pair off",
                ),
            ],
        ),
        (
            pair(BOTH),
            {**plezi(TEXT), **lead(UNSUPPORTED, refusal="it is a place", remedy="map its city")},
            [
                unsupported(
                    "salesforce",
                    "the Lead field Size__c cannot be synchronized: it is a place",
                    "map its city, or switch the pair off",
                )
            ],
        ),
        (
            pair(TO_SALESFORCE, contact="Measure__c"),
            {**plezi(TEXT), **lead(TEXT), **contact(UNSUPPORTED, refusal="it is a place")},
            [
                unsupported(
                    "contact",
                    "the Contact field Measure__c cannot be synchronized: it is a place",
                    "choose another field, or switch the pair off",
                )
            ],
        ),
        # Directions that cannot work.
        (
            pair(BOTH),
            {**plezi(NUMBER), **lead(TEXT)},
            [
                made_one_way(
                    "the direction becomes to_salesforce: Size__c cannot be written to the Plezi "
                    "field size: a text is not always a number"
                )
            ],
        ),
        (
            pair(BOTH),
            {**plezi(TEXT), **lead(NUMBER)},
            [
                made_one_way(
                    "the direction becomes to_plezi: size cannot be written to the Lead field "
                    "Size__c: a text is not always a number"
                )
            ],
        ),
        (
            pair(BOTH),
            {**plezi(TEXT), **lead(TEXT, **NO_ACCESS)},
            [
                made_one_way(
                    "the direction becomes to_plezi: the Lead field Size__c is read-only (a system "
                    "field, or no edit access)"
                )
            ],
        ),
        (
            pair(BOTH),
            {**plezi(TEXT, read_only="it is computed"), **lead(TEXT)},
            [
                made_one_way(
                    "the direction becomes to_salesforce: the Plezi field size is read-only: it is "
                    "computed"
                )
            ],
        ),
        (
            pair(TO_SALESFORCE),
            {**plezi(TEXT), **lead(TEXT, **NO_ACCESS)},
            [
                refused_direction(
                    IssueCode.NOT_WRITABLE,
                    "the Lead field Size__c is read-only (a system field, or no edit access)",
                )
            ],
        ),
        (
            pair(TO_SALESFORCE),
            {**plezi(NUMBER), **lead(TEXT, **NO_ACCESS)},  # the other direction has a loss
            [
                refused_direction(
                    IssueCode.NOT_WRITABLE,
                    "the Lead field Size__c is read-only (a system field, or no edit access)",
                )
            ],
        ),
        (
            pair(TO_PLEZI),
            {**plezi(TEXT, **NO_ACCESS), **lead(TEXT)},
            [
                refused_direction(
                    IssueCode.NOT_WRITABLE,
                    "the Plezi field size is read-only (a system field, or no edit access)",
                )
            ],
        ),
        (
            pair(BOTH),
            {**plezi(TEXT, read_only="it is computed"), **lead(TEXT, read_only="it is a formula")},
            [
                refused_direction(
                    IssueCode.NOT_WRITABLE,
                    "the Plezi field size is read-only: it is computed; the Lead field Size__c is "
                    "read-only: it is a formula",
                )
            ],
        ),
        (
            pair(TO_PLEZI),
            {**plezi(DATE), **lead(DATETIME)},
            [
                refused_direction(
                    IssueCode.LOSSY_TYPES,
                    "Size__c cannot be written to the Plezi field size: the time of day would be "
                    "lost",
                )
            ],
        ),
        (
            pair(TO_SALESFORCE),
            {**plezi(DATETIME), **lead(DATE)},
            [
                refused_direction(
                    IssueCode.LOSSY_TYPES,
                    "size cannot be written to the Lead field Size__c: the time of day would be "
                    "lost",
                )
            ],
        ),
        (pair(TO_SALESFORCE), {**plezi(TEXT, **NO_ACCESS), **lead(TEXT)}, []),
        (pair(TO_PLEZI), {**plezi(TEXT), **lead(TEXT, updatable=False)}, []),
        (
            default_pair("score__c", direction=BOTH),
            {},
            [
                Issue(
                    IssueCode.ONE_WAY_SPECIAL,
                    "score__c",
                    "direction",
                    "behaviour_score is never written to Plezi",
                    "set the direction to to_salesforce or off",
                )
            ],
        ),
        # The values of a Contact.
        (
            pair(BOTH, contact="Measure__c"),
            {**plezi(NUMBER), **lead(NUMBER), **contact(TEXT)},
            [
                Issue(
                    IssueCode.LOSSY_TYPES,
                    "Size__c",
                    "contact",
                    "Contact.Measure__c cannot be written to Plezi's size: a text is not always a "
                    "number",
                    "choose another Contact field, or none",
                )
            ],
        ),
        (
            pair(TO_SALESFORCE, contact="Measure__c"),
            {**plezi(NUMBER), **lead(NUMBER), **contact(TEXT)},
            [],
        ),
        # The rule for conflicts, enforced pairs, free text.
        (
            pair(BOTH, policy=MOST_RESTRICTIVE),
            {**plezi(TEXT), **lead(TEXT)},
            [NO_CHECKBOXES],
        ),
        (
            pair(TO_SALESFORCE, policy=MOST_RESTRICTIVE),
            {**plezi(CHECKBOX), **lead(TEXT)},
            [NO_CHECKBOXES],
        ),
        (pair(BOTH, policy=MOST_RESTRICTIVE), {**plezi(CHECKBOX), **lead(CHECKBOX)}, []),
        (pair(BOTH, enforced=True), {**plezi(TEXT), **lead(TEXT)}, [TWO_WAY_ENFORCED]),
        (pair(TO_PLEZI, enforced=True), {**plezi(TEXT), **lead(TEXT)}, [TWO_WAY_ENFORCED]),
        (pair(TO_SALESFORCE, enforced=True), {**plezi(TEXT), **lead(TEXT)}, []),
        (
            default_pair("Title", direction=TO_PLEZI),
            {},
            [
                warning(
                    IssueCode.FUNCTION_FREE_TEXT,
                    "Title",
                    "direction",
                    "Title is free text: every spelling in use would be written to Plezi's "
                    "function",
                    "set the direction to to_salesforce, or change the Salesforce field to a "
                    "picklist",
                )
            ],
        ),
        (default_pair("Title", direction=BOTH), {LEAD: Field("Title", PICKLIST)}, []),
        # Values that a side does not accept.
        (
            pair(TO_SALESFORCE),
            TEN_AND_TWENTY,
            [
                narrower(
                    "salesforce",
                    "Size__c does not accept all values of size: it holds 10 characters, and the "
                    "other side 20",
                    WIDEN,
                )
            ],
        ),
        (pair(TO_PLEZI), TEN_AND_TWENTY, []),
        (
            pair(BOTH, values=SMALL_IS_BIG),
            TEN_AND_TWENTY,
            [
                Issue(
                    IssueCode.VALUE_TABLE,
                    "Size__c",
                    "values",
                    "neither size nor Size__c is a list, so the pair has no value table",
                    "remove the rows, or map a list",
                ),
                narrower(
                    "salesforce",
                    "Size__c does not accept all values of size: it holds 10 characters, and the "
                    "other side 20",
                    WIDEN,
                ),
            ],
        ),
        (
            pair(BOTH),
            {**plezi(NUMBER, scale=0), **lead(NUMBER, scale=2)},
            [
                narrower(
                    "plezi",
                    "size does not accept all values of Size__c: it stores 0 decimals, and the "
                    "other side may have more",
                    WIDEN,
                )
            ],
        ),
        (
            pair(TO_SALESFORCE),
            LISTS,
            [
                narrower(
                    "salesforce",
                    "Size__c does not accept all values of size: its list lacks Small",
                    NAME_VALUES,
                )
            ],
        ),
        (
            pair(TO_SALESFORCE),
            {**LISTS, **lead(MULTI, options=("Big",), restricted=True)},
            [
                narrower(
                    "salesforce",
                    "Size__c does not accept all values of size: its list lacks Small",
                    NAME_VALUES,
                )
            ],
        ),
        (pair(TO_SALESFORCE, values=SMALL_IS_BIG), LISTS, []),
        (
            pair(BOTH, values=SMALL_IS_BIG),
            LISTS,
            [
                narrower(
                    "salesforce",
                    "Size__c does not accept all values of size: its list lacks Big",
                    ADD_ROWS,
                )
            ],
        ),
        (
            pair(BOTH, values=SMALL_IS_BIG),
            {
                **plezi(PICKLIST, options=("Small",), restricted=True),
                **lead(PICKLIST, options=("Big", "Huge"), restricted=True),
            },
            [
                narrower(
                    "plezi",
                    "size does not accept all values of Size__c: its list lacks Huge",
                    ADD_ROWS,
                )
            ],
        ),
        # Placeholders.
        (
            pair(TO_SALESFORCE, placeholder="x" * 11),
            {**plezi(TEXT), **lead(TEXT, length=10)},
            [refused_placeholder("the placeholder is longer than the 10 characters of Size__c")],
        ),
        (
            pair(TO_SALESFORCE, placeholder="x" * 10),
            {**plezi(TEXT), **lead(TEXT, length=10)},
            [],
        ),
        (pair(TO_PLEZI, placeholder="x" * 11), {**plezi(TEXT), **lead(TEXT, length=10)}, []),
        (
            pair(TO_SALESFORCE, placeholder="Tiny"),
            LISTS | plezi(PICKLIST, options=("Big",)),
            [refused_placeholder("the placeholder is not in the list of Size__c")],
        ),
        (
            pair(TO_SALESFORCE, placeholder="Huge"),
            LISTS | plezi(PICKLIST, options=("Big",)),
            [],
        ),
        *(
            (
                pair(TO_SALESFORCE, placeholder="few"),
                {**plezi(kind), **lead(kind, required=True)},
                [refused_placeholder(f"a placeholder is text, but Size__c is a {kind.value}")],
            )
            for kind in (NUMBER, CHECKBOX, DATE, DATETIME, FieldKind.TIME)
        ),
        # A pair that an admin locks.
        (
            pair(BOTH, locked=True),
            {**plezi(TEXT), **lead(TEXT)},
            [
                Issue(
                    IssueCode.LOCKED,
                    "Size__c",
                    "locked",
                    "a pair cannot be locked by an admin",
                    "set locked to false, or restore the locked pair",
                )
            ],
        ),
    ],
)
def test_each_issue_of_a_pair_names_its_field_and_its_remedy(
    pair: FieldPair, fields: Fields, expected: list[Issue]
) -> None:
    assert issues_of(with_pairs(pair), schemas_with(fields)) == expected


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
