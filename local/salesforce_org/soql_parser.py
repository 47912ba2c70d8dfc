"""The SOQL parser: a tokenizer and a recursive descent parser that refuses unknown syntax."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, NoReturn, TypeVar

from local.salesforce_org.date_literals import DATE_LITERALS, NUMBERED_LITERALS
from local.salesforce_org.soql_ast import (
    Aggregate,
    AllFields,
    Comparison,
    Condition,
    DateLiteral,
    FieldPath,
    Group,
    Negation,
    Ordering,
    Query,
    Scalar,
    Selected,
    SemiJoin,
)
from local.salesforce_org.soql_errors import malformed
from local.salesforce_org.soql_semi_joins import check_semi_joins

T = TypeVar("T")

FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
RESERVED = frozenset(
    {
        "AND", "AS", "ASC", "BY", "DESC", "EXCLUDES", "FALSE", "FIRST", "FOR", "FROM", "GROUP",
        "HAVING", "IN", "INCLUDES", "LAST", "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OFFSET", "OR",
        "ORDER", "SELECT", "TRUE", "USING", "WHERE", "WITH",
    }
)  # fmt: skip
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
MAX_PARENT_LEVELS = 5  # parent relationships of one path (general knowledge)
MAX_LITERAL_CHARACTERS = 4000  # of one string in WHERE

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)(?![\w:])
    |(?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+))(?![\w.])
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<operator><>|!=|<=|>=|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL,
)


class SoqlToken(NamedTuple):
    """One token of a SOQL text; `at` is its offset."""

    kind: str
    text: str
    at: int


def parse(soql: str) -> Query:
    """Return the tree of a SOQL text.

    Raises:
        RefusedError: `MALFORMED_QUERY`, for all syntax outside the supported subset.
    """
    query = _Parser(soql).query()
    if query.where is not None:
        check_semi_joins(soql, query.where)
    return query


def parse_condition(text: str) -> Condition:
    """Return the tree of a single condition, for example of a validation rule."""
    parser = _Parser(text)
    condition = parser.condition()
    parser.end()
    return condition


class _Parser:
    def __init__(self, soql: str) -> None:
        self._soql = soql
        self._tokens = self._tokenize(soql)
        self._position = 0

    def _tokenize(self, soql: str) -> list[SoqlToken]:
        tokens: list[SoqlToken] = []
        at = 0
        while at < len(soql):
            match = _TOKEN.match(soql, at)
            if match is None:
                raise malformed(soql, at, f"unexpected token: '{soql[at]}'")
            kind = match.lastgroup or ""
            if kind != "space":
                tokens.append(SoqlToken(kind, match.group(), at))
            at = match.end()
        tokens.append(SoqlToken("end", "<EOF>", len(soql)))
        return tokens

    def query(self) -> Query:
        self._expect_word("SELECT")
        selected = self._select_list()
        if len(selected) > 1:
            self._refuse_count(selected)
        self._expect_word("FROM")
        entity = self._name()
        if "." in entity.text or self._peek().text == ",":
            self._refuse(self._peek() if "." not in entity.text else entity)
        query = Query(self._soql, entity.text, entity.at, selected)
        next_token = self._peek()
        if next_token.kind == "name" and next_token.text.upper() not in RESERVED:
            query.alias = self._name().text
        if self._accept("WHERE"):
            query.where = self.condition()
            self._refuse_aggregates(query.where)
        self._grouping(query)
        if self._accept("ORDER"):
            self._expect_word("BY")
            query.ordered = self._list(self._ordering)
        if self._accept("LIMIT"):
            query.limit = self._count()
        if self._accept("OFFSET"):
            query.offset_at = self._peek().at
            query.offset = self._count()
        self.end()
        return query

    def end(self) -> None:
        """Refuse remaining tokens."""
        if self._peek().kind != "end":
            self._refuse(self._peek())

    def condition(self) -> Condition:
        """Parse conditions joined by one operator; `NOT` must be alone or in parentheses."""
        if self._accept("NOT"):
            return Negation(self._simple())
        members = [self._simple()]
        word: str | None = None
        while self._peek().kind == "name" and self._peek().text.upper() in {"AND", "OR"}:
            token = self._next()
            if word is not None and token.text.upper() != word:
                self._refuse(token)
            word = token.text.upper()
            members.append(self._simple())
        if word is None:
            return members[0]
        joined: Literal["AND", "OR"] = "AND" if word == "AND" else "OR"
        return Group(joined, tuple(members))

    def _simple(self) -> Condition:
        if self._peek().text == "(":
            self._next()
            inner = self.condition()
            self._expect_symbol(")")
            return inner
        subject = self._subject()
        token = self._next()
        operator = token.text.upper()
        if operator == "NOT":
            self._expect_word("IN")
            operator = "NOT IN"
        elif operator == "<>":
            operator = "!="
        if operator in {"IN", "NOT IN", "INCLUDES", "EXCLUDES"}:
            self._expect_symbol("(")
            if self._accept("SELECT"):
                return self._semi_join(subject, operator, token)
            values = tuple(self._list(self._scalar))
            self._expect_symbol(")")
            return Comparison(subject, operator, values)
        if operator not in {"=", "!=", "<", "<=", ">", ">=", "LIKE"}:
            self._refuse(token)
        if operator == "LIKE" and self._peek().kind == "string":
            return Comparison(subject, operator, (self._unquote(self._next(), pattern=True),))
        return Comparison(subject, operator, (self._scalar(),))

    def _semi_join(self, subject: FieldPath | Aggregate, operator: str, at: SoqlToken) -> SemiJoin:
        """Parse what follows `IN (SELECT`: one field, its object and a condition."""
        if not isinstance(subject, FieldPath) or operator not in {"IN", "NOT IN"}:
            self._refuse(at)
        selected = Selected(self._path())
        self._expect_word("FROM")
        entity = self._name()
        inner = Query(self._soql, entity.text, entity.at, [selected])
        if self._accept("WHERE"):
            inner.where = self.condition()
        self._expect_symbol(")")
        return SemiJoin(subject, "IN" if operator == "IN" else "NOT IN", inner)

    def _select_list(self) -> list[Selected | AllFields]:
        return self._list(self._selected)

    def _selected(self) -> Selected | AllFields:
        token = self._peek()
        if (
            token.kind == "name"
            and token.text.upper() == "FIELDS"
            and self._peek_second().text == "("
        ):
            self._next()
            self._next()
            which = self._name()
            self._expect_symbol(")")
            if which.text.upper() not in {"ALL", "STANDARD", "CUSTOM"}:
                self._refuse(which)
            return AllFields(which.text.upper(), token.at)
        item = self._subject(counts=True)
        if isinstance(item, Aggregate) and item.path is None:
            return Selected(item)  # it has no alias
        next_token = self._peek()
        if next_token.kind == "name" and next_token.text.upper() not in RESERVED:
            return Selected(item, self._name().text)
        return Selected(item)

    def _subject(self, *, counts: bool = False) -> FieldPath | Aggregate:
        """Parse a field or a function; `COUNT()` without a field only where rows are counted."""
        token = self._name()
        if self._peek().text != "(":
            parts = tuple(token.text.split("."))
            if len(parts) > MAX_PARENT_LEVELS + 1:
                raise malformed(self._soql, token.at, "too many levels of parent relationships")
            return FieldPath(parts, token.at)
        function = token.text.upper()
        if function not in FUNCTIONS:
            self._refuse(token)
        self._next()
        path = None
        if self._peek().text != ")":
            inner = self._name()
            path = FieldPath(tuple(inner.text.split(".")), inner.at)
        elif function != "COUNT" or not counts:
            self._refuse(self._peek())
        self._expect_symbol(")")
        return Aggregate(function, path, token.at)

    def _refuse_count(self, selected: list[Selected | AllFields]) -> None:
        items = (each.item for each in selected if isinstance(each, Selected))
        for item in items:
            if isinstance(item, Aggregate) and item.path is None:
                problem = "COUNT() must be the only thing that is selected"
                raise malformed(self._soql, item.at, problem)

    def _refuse_aggregates(self, condition: Condition) -> None:
        """Refuse aggregate functions, which only HAVING may have."""
        match condition:
            case Negation(inner):
                self._refuse_aggregates(inner)
            case Group(_, members):
                for member in members:
                    self._refuse_aggregates(member)
            case Comparison(Aggregate() as subject, _, _):
                problem = "aggregate functions are not allowed in WHERE"
                raise malformed(self._soql, subject.at, problem)

    def _grouping(self, query: Query) -> None:
        if self._accept("GROUP"):
            self._expect_word("BY")
            query.grouped = self._list(self._path)
            if self._accept("HAVING"):
                query.having = self.condition()

    def _path(self) -> FieldPath:
        token = self._name()
        if self._peek().text == "(":
            self._refuse(self._peek())
        return FieldPath(tuple(token.text.split(".")), token.at)

    def _ordering(self) -> Ordering:
        subject = self._subject()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls = "FIRST"
        if self._accept("NULLS"):
            token = self._next()
            nulls = token.text.upper()
            if nulls not in {"FIRST", "LAST"}:
                self._refuse(token)
        return Ordering(subject, descending, nulls)

    def _scalar(self) -> Scalar:
        token = self._next()
        match token.kind:
            case "string":
                return self._unquote(token)
            case "number":
                whole = token.text.lstrip("+-").isdigit()
                return int(token.text) if whole else float(token.text)
            case "datetime" | "date":
                return self._date_or_datetime(token)
            case "name":
                return self._named_value(token)
            case _:
                return self._refuse(token)

    def _date_or_datetime(self, token: SoqlToken) -> date | datetime:
        try:
            if token.kind == "date":
                return date.fromisoformat(token.text)
            return datetime.fromisoformat(token.text).astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse(token)

    def _named_value(self, token: SoqlToken) -> Scalar:
        word = token.text.upper()
        if word in {"TRUE", "FALSE"}:
            return word == "TRUE"
        if word == "NULL":
            return None
        if word in DATE_LITERALS:
            return DateLiteral(word, 0, token.at)
        if word in NUMBERED_LITERALS:
            self._expect_symbol(":")
            return DateLiteral(word, self._count(), token.at)
        return self._refuse(token)

    def _unquote(self, token: SoqlToken, *, pattern: bool = False) -> str:
        inner = token.text[1:-1]
        if len(inner) > MAX_LITERAL_CHARACTERS:
            raise malformed(self._soql, token.at, "string literal too long")
        if "\\" not in inner:
            return inner

        def unescape(match: re.Match[str]) -> str:
            character = match[1]
            if pattern and character in "%_\\":
                return match[0]  # stays escaped for LIKE
            if character in "'\"\\":
                return character
            if character.lower() in ESCAPES:
                return ESCAPES[character.lower()]
            problem = f"Invalid string literal. Illegal character sequence '{match[0]}'"
            raise malformed(self._soql, token.at, problem)

        return re.sub(r"\\(.)", unescape, inner, flags=re.DOTALL)

    def _count(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            self._refuse(token)
        return int(token.text)

    def _list(self, read: Callable[[], T]) -> list[T]:
        items = [read()]
        while self._peek().text == "," and self._peek().kind == "operator":
            self._next()
            items.append(read())
        return items

    def _peek(self) -> SoqlToken:
        return self._tokens[self._position]

    def _peek_second(self) -> SoqlToken:
        return self._tokens[min(self._position + 1, len(self._tokens) - 1)]

    def _next(self) -> SoqlToken:
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def _accept(self, word: str) -> bool:
        token = self._peek()
        if token.kind == "name" and token.text.upper() == word:
            self._position += 1
            return True
        return False

    def _expect_word(self, word: str) -> None:
        if not self._accept(word):
            self._refuse(self._peek())

    def _expect_symbol(self, symbol: str) -> None:
        token = self._next()
        if token.kind != "operator" or token.text != symbol:
            self._refuse(token)

    def _name(self) -> SoqlToken:
        token = self._next()
        if token.kind != "name" or token.text.upper() in RESERVED:
            self._refuse(token)
        return token

    def _refuse(self, token: SoqlToken) -> NoReturn:
        raise malformed(self._soql, token.at, f"unexpected token: '{token.text}'")
