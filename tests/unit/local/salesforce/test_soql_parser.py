"""The SOQL parser: its trees and the positions of its errors."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.soql_ast import (
    Aggregate,
    Comparison,
    DateLiteral,
    FieldPath,
    Group,
    Negation,
    Scalar,
    Selected,
)
from local.salesforce_org.soql_parser import parse, parse_condition


def comparison(text: str) -> Comparison:
    condition = parse_condition(text)
    assert isinstance(condition, Comparison)
    return condition


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'Noël'", "Noël"),
        (r"'O\'Neil \\ \n'", "O'Neil \\ \n"),
        ("''", ""),
        ("42", 42),
        ("-1.5", -1.5),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("2026-11-23", date(2026, 11, 23)),
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T11:00:00.000+01:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T11:00:00+0100", datetime(2026, 11, 23, 10, tzinfo=UTC)),
    ],
)
def test_a_literal_keeps_its_type(literal: str, value: Scalar) -> None:
    (read,) = comparison(f"Field__c = {literal}").values
    assert read == value
    assert type(read) is type(value)


def test_a_numbered_date_literal_keeps_its_number() -> None:
    (read,) = comparison("CreatedDate = last_n_days:30").values
    assert isinstance(read, DateLiteral)
    assert (read.name, read.number) == ("LAST_N_DAYS", 30)


def test_a_list_of_values_is_parsed() -> None:
    read = comparison("Email not in ('a', 'b')")
    assert (read.operator, read.values) == ("NOT IN", ("a", "b"))


def test_parentheses_join_and_with_or() -> None:
    read = parse_condition("(A = 1 AND B = 2) OR (NOT C = 3)")
    assert isinstance(read, Group)
    assert read.operator == "OR"
    assert isinstance(read.members[0], Group)
    assert isinstance(read.members[1], Negation)


def test_every_clause_is_parsed() -> None:
    query = parse(
        "SELECT LastName, COUNT(Id) n FROM Lead WHERE IsConverted = false"
        " GROUP BY LastName HAVING COUNT(Id) > 1"
        " ORDER BY COUNT(Id) DESC NULLS LAST, LastName LIMIT 5 OFFSET 2"
    )
    assert query.entity == "Lead"
    count_item = query.selected[1]
    assert isinstance(count_item, Selected)
    assert isinstance(count_item.item, Aggregate)
    assert count_item.alias == "n"
    assert [str(path) for path in query.grouped] == ["LastName"]
    first, second = query.ordered
    assert (first.descending, first.nulls) == (True, "LAST")
    assert isinstance(second.subject, FieldPath)
    assert (second.descending, second.nulls) == (False, "FIRST")
    assert (query.limit, query.offset) == (5, 2)
    assert query.is_aggregate
    assert parse("select count() from lead").is_count


@pytest.mark.parametrize(
    ("soql", "column", "token"),
    [
        ("SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3", 43, "OR"),
        ("SELECT Id FROM Lead WHERE A = 1 AND NOT B = 2", 37, "NOT"),
        ("SELECT Id FROM Lead WHERE A == 1", 30, "="),
        ("SELECT Id FROM Lead LIMIT x", 27, "x"),
        ("SELECT Id FROM Lead WHERE A = 'open", 31, "'"),
        ("SELECT Id FROM Lead ; DROP", 21, ";"),
        ("SELECT * FROM Lead", 8, "*"),
        ("SELECT Id FROM Lead WHERE", 26, "<EOF>"),
        ("SELECT Id Lead", 15, "<EOF>"),
    ],
)
def test_a_syntax_error_is_refused_with_its_position(soql: str, column: int, token: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse(soql)
    assert refused.value.code == "MALFORMED_QUERY"
    assert f"ERROR at Row:1:Column:{column}\n" in refused.value.message
    assert refused.value.message.endswith(f"unexpected token: '{token}'")
    assert refused.value.fields is None


def test_an_error_in_a_text_of_several_lines_shows_its_line() -> None:
    with pytest.raises(RefusedError) as refused:
        parse("SELECT Id\nFROM Lead\nWHERE Id ~ 1")
    assert refused.value.message == (
        "\nWHERE Id ~ 1\n         ^\nERROR at Row:3:Column:10\nunexpected token: '~'"
    )
