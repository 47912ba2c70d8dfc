"""Each issue of a pair names its field and its remedy."""

from __future__ import annotations

import pytest

from connector.mapping import (
    Field,
    FieldKind,
    FieldPair,
)
from connector.mapping.issues import Issue, IssueCode
from tests.unit.connector.mapping_issue_cases import (
    ADD_ROWS,
    BOTH,
    CHECKBOX,
    CREATE,
    DATE,
    DATETIME,
    GRANT,
    LEAD,
    LISTS,
    MOST_RESTRICTIVE,
    MULTI,
    NAME_VALUES,
    NO_ACCESS,
    NO_CHECKBOXES,
    NUMBER,
    OFF,
    PICKLIST,
    SMALL_IS_BIG,
    TEN_AND_TWENTY,
    TEXT,
    TO_PLEZI,
    TO_SALESFORCE,
    TWO_WAY_ENFORCED,
    UNSUPPORTED,
    WIDEN,
    Fields,
    contact,
    default_pair,
    issues_of,
    lead,
    made_one_way,
    narrower,
    pair,
    plezi,
    refused_direction,
    refused_placeholder,
    schemas_with,
    unknown,
    unsupported,
    warning,
    with_pairs,
)


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
