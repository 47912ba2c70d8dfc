"""Queries for a comparison with Salesforce's own SOQL parser: of the grammar, and edited ones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, settings

from local.salesforce_org.errors import RefusedError
from tests.property.soql_grammar import SoqlQuery
from tests.property.test_soql_grammar import QueriedOrg

QUERIES, EDITS = 1500, 30_000
"""Examples of the grammar, and edits of them: of the latter the org accepts about one in forty."""
MAX_CHARACTERS = 260
"""Longer queries are refused after an edit almost always."""
TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[\w.:+\-]+|<>|!=|<=|>=|[^\s]")
WORDS = re.findall(
    r"\S+",
    r"""
    AND OR NOT ( ) , = ! - ; IN LIKE INCLUDES ASC DESC NULLS FIRST LIMIT OFFSET GROUP BY ORDER
    HAVING SELECT FROM WHERE AS USING SCOPE ALL ROWS FOR VIEW WITH l x true NULL null Lead Email Id
    Owner.Name Lead.Email COUNT() COUNT(Id) FIELDS(ALL) 'a' '' '\'' "a" 5 -5 +5 5. .5 1e3 TODAY
    LAST_N_DAYS:5 LAST_N_DAYS:0 2026-11-23 2026-11-23T10:00:00Z 2026-11-23T10:00:00.000Z
    2026-11-23T10:00:00
    """,
)
"""What an edit puts in: words, signs and values of SOQL, some of them in a form that it lacks."""


def queries_of_the_grammar(org: QueriedOrg) -> list[str]:
    """Return different queries of the grammar that the org claims."""
    found = dict[str, None]()

    @settings(
        max_examples=QUERIES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(org.queries())
    def collect(query: SoqlQuery) -> None:
        found[query.text()] = None

    collect()
    return list(found)


def accepted_edits(org: QueriedOrg, queries: list[str]) -> Iterator[str]:
    """Yield the queries that the org accepts after one or two tokens were changed."""
    rng = random.Random(5)  # noqa: S311  # repeatable examples
    for _ in range(EDITS):
        edited = _edited(rng, rng.choice(queries))
        if len(edited) <= MAX_CHARACTERS:
            try:
                org.query(edited)
            except RefusedError:
                continue
            yield edited


def _edited(rng: random.Random, query: str) -> str:
    tokens = TOKEN.findall(query)
    for _ in range(rng.choice((1, 1, 2))):
        at, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        match rng.randrange(4):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, rng.choice(WORDS))
            case 2:
                tokens[at] = rng.choice(WORDS)
            case _:
                tokens[at], tokens[other] = tokens[other], tokens[at]
    return " ".join(tokens)
