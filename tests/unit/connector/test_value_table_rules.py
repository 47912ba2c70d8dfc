"""Every issue of a value table as an admin reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import Direction, Field, FieldKind, FieldPair, ValuePair
from connector.mapping.issues import Issue, IssueCode
from connector.mapping.value_table_rules import check_value_table

BOTH, TO_PLEZI, TO_SALESFORCE = Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE
PLEZI: Final = Field("type", FieldKind.PICKLIST, options=("Client", "Prospect"))
LEAD: Final = Field("Type__c", FieldKind.MULTI_PICKLIST, options=("Customer", "Lead"))
TEXT: Final = Field("note", FieldKind.TEXT)
NO_OPTIONS: Final = Field("type", FieldKind.PICKLIST, restricted=True)
TWO_FOR_ONE: Final = (("Client", "Customer"), ("prospect ", "CUSTOMER"))
ONE_FOR_TWO: Final = (("Client", "Customer"), ("client", "Lead"))
ONE_ROW: Final = (("Client", "Customer"),)
KEEP_ONE: Final = "keep one row for each value"
KEEP_ONE_OR_ONE_WAY: Final = (
    f"{KEEP_ONE}; several values may stand for one only in a pair with one direction"
)


def issue(message: str, remedy: str, *, blocks: bool = True) -> Issue:
    return Issue(IssueCode.VALUE_TABLE, "Type__c", "values", message, remedy, blocks=blocks)


def lacks(field: str, values: str, side: str, *, blocks: bool = False) -> Issue:
    remedy = f"add the value to the list in {side}, or correct or remove the row"
    return issue(f"the list of {field} lacks {values}", remedy, blocks=blocks)


def restricted(field: Field) -> Field:
    return replace(field, restricted=True)


def unknown_rows(number: int) -> tuple[tuple[str, str], ...]:
    return tuple((f"v{place}", f"V{place}") for place in range(1, number + 1))


BLANK: Final = issue("a row has a blank value", "remove the row: a blank stands for a blank only")


@pytest.mark.parametrize(
    ("direction", "rows", "plezi", "lead", "expected"),
    [
        (BOTH, (), TEXT, TEXT, []),
        (BOTH, ONE_ROW, PLEZI, LEAD, []),
        (BOTH, ONE_ROW, NO_OPTIONS, replace(LEAD, options=()), []),
        (BOTH, ONE_ROW, TEXT, LEAD, []),
        (BOTH, ONE_ROW, PLEZI, replace(TEXT, name="Type__c"), []),
        (
            BOTH,
            (("", "Customer"),),
            TEXT,
            replace(TEXT, name="Type__c"),
            [
                issue(
                    "neither note nor Type__c is a list, so the pair has no value table",
                    "remove the rows, or map a list",
                )
            ],
        ),
        (BOTH, ((" ", "Clients"), *TWO_FOR_ONE), PLEZI, LEAD, [BLANK]),
        (BOTH, (*TWO_FOR_ONE, ("Clients", "")), PLEZI, LEAD, [BLANK]),
        (
            BOTH,
            TWO_FOR_ONE,
            PLEZI,
            LEAD,
            [
                issue(
                    "customer of Salesforce stands for several values of the other side",
                    KEEP_ONE_OR_ONE_WAY,
                )
            ],
        ),
        (TO_SALESFORCE, TWO_FOR_ONE, PLEZI, LEAD, []),
        (
            TO_PLEZI,
            TWO_FOR_ONE,
            PLEZI,
            LEAD,
            [issue("customer of Salesforce stands for several values of the other side", KEEP_ONE)],
        ),
        (
            BOTH,
            ONE_FOR_TWO,
            PLEZI,
            LEAD,
            [
                issue(
                    "client of Plezi stands for several values of the other side",
                    KEEP_ONE_OR_ONE_WAY,
                )
            ],
        ),
        (TO_PLEZI, ONE_FOR_TWO, PLEZI, LEAD, []),
        (
            TO_SALESFORCE,
            (*ONE_FOR_TWO, ("Prospect", "Customer"), ("prospect", "Lead")),
            PLEZI,
            LEAD,
            [
                issue(
                    "client, prospect of Plezi stands for several values of the other side",
                    KEEP_ONE,
                )
            ],
        ),
        (
            BOTH,
            (("Clint", "customer"), ("client", "Leader")),
            PLEZI,
            LEAD,
            [lacks("type", "Clint", "Plezi"), lacks("Type__c", "Leader", "Salesforce")],
        ),
        (
            BOTH,
            (("Clint", "customer"), ("client", "Leader")),
            restricted(PLEZI),
            restricted(LEAD),
            [
                lacks("type", "Clint", "Plezi", blocks=True),
                lacks("Type__c", "Leader", "Salesforce", blocks=True),
            ],
        ),
        (
            TO_SALESFORCE,
            (("Clint", "customer"), ("client", "Leader")),
            restricted(PLEZI),
            restricted(LEAD),
            [
                lacks("type", "Clint", "Plezi"),
                lacks("Type__c", "Leader", "Salesforce", blocks=True),
            ],
        ),
        (
            TO_PLEZI,
            unknown_rows(5),
            PLEZI,
            restricted(LEAD),
            [
                lacks("type", "v1, v2, v3, v4, v5", "Plezi"),
                lacks("Type__c", "V1, V2, V3, V4, V5", "Salesforce"),
            ],
        ),
        (
            TO_PLEZI,
            unknown_rows(7),
            PLEZI,
            replace(LEAD, options=()),
            [lacks("type", "v1, v2, v3, v4, v5 and 2 more", "Plezi")],
        ),
        (
            TO_PLEZI,
            unknown_rows(6),
            replace(PLEZI, options=()),
            LEAD,
            [lacks("Type__c", "V1, V2, V3, V4, V5 and 1 more", "Salesforce")],
        ),
        (
            BOTH,
            (*TWO_FOR_ONE, ("Clint", "Lead")),
            PLEZI,
            LEAD,
            [
                lacks("type", "Clint", "Plezi"),
                issue(
                    "customer of Salesforce stands for several values of the other side",
                    KEEP_ONE_OR_ONE_WAY,
                ),
            ],
        ),
    ],
)
def test_each_issue_of_a_value_table_has_its_remedy(
    direction: Direction,
    rows: tuple[tuple[str, str], ...],
    plezi: Field,
    lead: Field,
    expected: list[Issue],
) -> None:
    values = tuple(ValuePair(*row) for row in rows)
    pair = FieldPair(plezi.name, "Type__c", direction, values=values)

    issues = list(check_value_table(pair, plezi, lead))

    assert issues == expected
    assert [type(it.blocks) for it in issues] == [bool] * len(issues)
