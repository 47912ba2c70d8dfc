"""Errors of SOQL queries, with their position in the text (recorded form)."""

from __future__ import annotations

from local.salesforce_org.errors import RefusedError

EXCERPT_CHARACTERS = 80


def point_at(soql: str, at: int, problem: str) -> str:
    """Return the message of a query error: excerpt, caret, row and column, problem."""
    row = soql.count("\n", 0, at) + 1
    start = soql.rfind("\n", 0, at) + 1
    end = soql.find("\n", at)
    line = soql[start : end if end >= 0 else len(soql)]
    column = at - start
    first = max(0, column - EXCERPT_CHARACTERS // 2)
    excerpt = line[first : first + EXCERPT_CHARACTERS]
    caret = " " * (column - first) + "^"
    return f"\n{excerpt}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{problem}"


def malformed(soql: str, at: int, problem: str) -> RefusedError:
    """Return a `MALFORMED_QUERY` error with its position."""
    return RefusedError("MALFORMED_QUERY", point_at(soql, at, problem), fields=None)
