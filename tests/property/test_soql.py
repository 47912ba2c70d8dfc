"""A value in a query is one literal, whatever it contains."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from connector.model import RecordKind
from connector.salesforce.lookup_queries import lookup_queries
from local.salesforce_org.soql_ast import Comparison
from local.salesforce_org.soql_parser import parse

SELECT = "SELECT Id FROM Lead"
HOSTILE = st.lists(
    st.sampled_from(
        [*"'\"\\%_:;()-\n\r\t\0\u2028", "\\'", "' OR Name != '", "') LIMIT 1 --", "\\u0027", "AND"]
    )
    | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=60,
).map("".join)


@given(st.lists(HOSTILE, min_size=1, max_size=5, unique=True))
@example(["x' OR Email != 'y"])
@example(["\\"])
@example(["a\\' OR Id != null --"])
def test_every_value_of_a_look_up_is_one_literal_of_one_condition(values: list[str]) -> None:
    for query in lookup_queries(SELECT, RecordKind.LEAD, "Email", values):
        parsed = parse(query.soql)
        assert isinstance(parsed.where, Comparison)
        assert parsed.where.operator.upper() == "IN"
        assert parsed.where.values == query.values
