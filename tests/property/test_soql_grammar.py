"""The simulated org accepts every query of the claimed grammar, and refuses every broken one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.control import SimulatedClock
from local.salesforce_org import SalesforceOrg
from local.salesforce_org.describe import describe_field
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.queries import QueryRequest
from tests.property.soql_grammar import MUTATIONS, SoqlGrammar, SoqlQuery

OBJECTS = ("Lead", "Contact")
ERROR_CODES = frozenset(
    {
        "MALFORMED_QUERY",
        "INVALID_FIELD",
        "INVALID_TYPE",
        "INVALID_QUERY_FILTER_OPERATOR",
        "NUMBER_OUTSIDE_VALID_RANGE",
    }
)


class QueriedOrg:
    """An org with some people, queried by its integration user."""

    def __init__(self) -> None:
        self.org = SalesforceOrg(SimulatedClock(), seed=1)
        self.org.load(leads=30, contacts=10, first=0)
        self.grammars = {name: SoqlGrammar(name, self._described(name)) for name in OBJECTS}

    def query(self, soql: str) -> dict[str, Any]:
        """Return the answer to a query. Raises `RefusedError`."""
        state, user = self.org.state, self.org.integration_user
        access = state.security.access_of(user)
        text, _ = state.queries.run(soql, QueryRequest(user.id, access, state.now(), "64.0"))
        return dict(json.loads(text))

    def queries(self) -> st.SearchStrategy[SoqlQuery]:
        return st.one_of(*(grammar.queries() for grammar in self.grammars.values()))

    def rows(self) -> st.SearchStrategy[SoqlQuery]:
        return st.one_of(*(grammar.rows() for grammar in self.grammars.values()))

    def _described(self, name: str) -> list[dict[str, Any]]:
        state = self.org.state
        access = state.security.access_of(self.org.integration_user)
        kind = state.schema.get(name)
        visible = (each for each in kind.fields.values() if access.can_read(kind, each))
        described = [describe_field(kind, each, access) for each in visible]
        return [each for each in described if each["type"] in SUPPORTED]


SUPPORTED = frozenset(
    {
        *("string", "email", "phone", "picklist", "url", "boolean", "id", "reference"),
        *("int", "double", "currency", "percent", "date", "datetime", "multipicklist"),
    }
)


@pytest.fixture(scope="module")
def org() -> Iterator[QueriedOrg]:
    queried = QueriedOrg()
    yield queried
    queried.org.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_query_of_the_grammar_is_accepted_and_answered(
    org: QueriedOrg, data: st.DataObject
) -> None:
    query = data.draw(org.queries())
    answer = org.query(query.text())
    rows = answer["records"]
    assert answer["done"] is True
    if query.select == ("COUNT()",):
        assert rows == []
    else:
        assert answer["totalSize"] == len(rows)
    assert query.limit is None or answer["totalSize"] <= query.limit
    for row in rows:
        assert row["attributes"]["type"] == (
            "AggregateResult" if _aggregates(query) else query.entity
        )
        assert {name.partition(".")[0] for name in query.plain} <= row.keys()


def _aggregates(query: SoqlQuery) -> bool:
    return bool(query.group) or not (query.plain or query.select[0].startswith("FIELDS"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@pytest.mark.parametrize("mutation", MUTATIONS)
@given(data=st.data())
def test_every_broken_query_is_refused(org: QueriedOrg, mutation: str, data: st.DataObject) -> None:
    query = data.draw(org.rows())
    org.query(query.text())
    with pytest.raises(RefusedError) as refused:
        org.query(MUTATIONS[mutation](query))
    assert refused.value.code in ERROR_CODES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_query_whose_clause_is_cut_off_is_refused(org: QueriedOrg, data: st.DataObject) -> None:
    """Whatever the clauses are: a keyword at the end has nothing behind it."""
    text = data.draw(org.rows()).text()
    keyword = data.draw(
        st.sampled_from(("WHERE", "ORDER BY", "LIMIT", "OFFSET", "GROUP BY", "AND"))
    )
    with pytest.raises(RefusedError):
        org.query(f"{text} {keyword}")
