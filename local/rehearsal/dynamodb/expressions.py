"""A strict parser of DynamoDB's expressions: conditions, key conditions and updates.

The grammar is that of the Amazon DynamoDB Developer Guide, "Condition and filter expressions,
operators, and functions" and "Using update expressions in DynamoDB". What it does not know it
refuses, as DynamoDB refuses a syntax error; elements of lists (`a[0]`) are not supported. A parsed
expression is a function, kept by its text: the texts of one program are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.rehearsal.dynamodb.errors import InvalidRequestError
from local.rehearsal.dynamodb.limits import AttributeValue, Item, number, value_bytes

Names: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[str, AttributeValue]
Operand: TypeAlias = Callable[[Item, Names, Values], AttributeValue | None]
Test: TypeAlias = Callable[[Item, Names, Values], bool]

TOKEN: Final = re.compile(r"\s*(#\w+|:\w+|[A-Za-z_]\w*|<>|<=|>=|[=<>(),.+\-\[\]]|\d+)")
MAX_EXPRESSION_BYTES: Final = 4096
MAX_PARSED: Final = 1024
COMPARATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
ORDERED: Final = frozenset({"S", "N", "B"})
SETS: Final = frozenset({"SS", "NS", "BS"})
ACTIONS: Final = frozenset({"SET", "REMOVE", "ADD", "DELETE"})


@cache
def _reserved() -> frozenset[str]:
    """Return DynamoDB's reserved words, as moto lists them."""
    return frozenset(word.upper() for word in ReservedKeywords.get_reserved_keywords())


# Comparison of values


def plain(value: AttributeValue) -> tuple[str, Any]:
    """Return a value in a form in which equal values are equal: numbers and sets are compared."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, number(content)
        case "NS":
            return kind, frozenset(map(number, content))
        case "SS" | "BS":
            return kind, frozenset(content)
        case "L":
            return kind, [plain(each) for each in content]
        case "M":
            return kind, {name: plain(each) for name, each in content.items()}
    return kind, content


def compare(operator: str, left: AttributeValue | None, right: AttributeValue | None) -> bool:
    """Return whether a comparison holds; an attribute that is missing equals nothing."""
    if left is None or right is None:
        return operator == "<>"
    (kind, one), (other_kind, other) = plain(left), plain(right)
    if operator == "=":
        return kind == other_kind and bool(one == other)
    if operator == "<>":
        return kind != other_kind or bool(one != other)
    if kind != other_kind or kind not in ORDERED:
        return False
    match operator:
        case "<":
            return bool(one < other)
        case "<=":
            return bool(one <= other)
        case ">":
            return bool(one > other)
    return bool(one >= other)


# Tokens


class Tokens:
    """The tokens of one expression, and the placeholders that were met in it."""

    def __init__(self, text: str, kind: str) -> None:
        if len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise InvalidRequestError(
                f"Invalid {kind}: Expression size has exceeded the maximum allowed size"
            )
        self.kind = kind
        self.text = text
        self.names: set[str] = set()
        self.values: set[str] = set()
        self._tokens = list(self._split(text))
        self._next = 0

    def _split(self, text: str) -> Iterator[str]:
        position, end = 0, len(text.rstrip())
        if not end:
            raise InvalidRequestError(f"Invalid {self.kind}: The expression can not be empty;")
        while position < end:
            match = TOKEN.match(text, position)
            if match is None:
                raise self.error(text[position:])
            yield match[1]
            position = match.end()

    def error(self, near: str) -> InvalidRequestError:
        """Return the error of an expression that cannot be read."""
        return InvalidRequestError(
            f'Invalid {self.kind}: Syntax error; token: "{near[:20]}", near: "{self.text[:40]}"'
        )

    def peek(self, ahead: int = 0) -> str:
        """Return a token without taking it; '' at the end."""
        position = self._next + ahead
        return self._tokens[position] if position < len(self._tokens) else ""

    def take(self) -> str:
        """Take the next token. Raises `InvalidRequestError` at the end."""
        token = self.peek()
        if not token:
            raise self.error("<EOF>")
        self._next += 1
        return token

    def accept(self, word: str) -> bool:
        """Take the next token if it is this word, whatever its case."""
        if self.peek().upper() != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str) -> None:
        """Take a token that must come now."""
        if not self.accept(word):
            raise self.error(self.peek() or "<EOF>")


# Paths and operands


@dataclass(frozen=True, slots=True)
class Path:
    """A path to an attribute: names or placeholders of names, from the outside in."""

    parts: tuple[str, ...]

    def resolve(self, names: Names) -> tuple[str, ...]:
        """Return the names of attributes."""
        return tuple(names[part] if part[0] == "#" else part for part in self.parts)

    def get(self, item: Item, names: Names, _values: Values) -> AttributeValue | None:
        """Return the attribute of an item, or None."""
        first = self.parts[0]
        value = item.get(names[first] if first[0] == "#" else first)
        for part in self.parts[1:]:
            if value is None or "M" not in value:
                return None
            value = value["M"].get(names[part] if part[0] == "#" else part)
        return value


def _path(tokens: Tokens) -> Path:
    parts = [_name(tokens)]
    while tokens.accept("."):
        parts.append(_name(tokens))
    if tokens.peek() == "[":
        raise tokens.error("[")
    return Path(tuple(parts))


def _name(tokens: Tokens) -> str:
    token = tokens.take()
    if token[0] == "#":
        tokens.names.add(token)
        return token
    if not (token[0].isalpha() or token[0] == "_"):
        raise tokens.error(token)
    if token.upper() in _reserved():
        raise InvalidRequestError(
            f"Invalid {tokens.kind}: Attribute name is a reserved keyword; reserved keyword: "
            f"{token}"
        )
    return token


def _placeholder(tokens: Tokens) -> str:
    token = tokens.take()
    if token[0] != ":":
        raise tokens.error(token)
    tokens.values.add(token)
    return token


def _operand(tokens: Tokens) -> Operand:
    """Read a path, a placeholder of a value, or `size(path)`."""
    token = tokens.peek()
    if token[:1] == ":":
        name = _placeholder(tokens)
        return lambda _item, _names, values: values[name]
    if token.lower() == "size" and tokens.peek(1) == "(":
        tokens.take()
        tokens.expect("(")
        path = _path(tokens)
        tokens.expect(")")
        return lambda item, names, values: _size(path.get(item, names, values))
    return _path(tokens).get


def _size(value: AttributeValue | None) -> AttributeValue | None:
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind in {"L", "M"} | SETS:
        return {"N": str(len(content))}
    return {"N": str(value_bytes(value))} if kind in {"S", "B"} else None


# Conditions


def _condition(tokens: Tokens) -> Test:
    tests = [_conjunction(tokens)]
    while tokens.accept("OR"):
        tests.append(_conjunction(tokens))
    if len(tests) == 1:
        return tests[0]
    return lambda item, names, values: any(test(item, names, values) for test in tests)


def _conjunction(tokens: Tokens) -> Test:
    tests = [_negation(tokens)]
    while tokens.accept("AND"):
        tests.append(_negation(tokens))
    if len(tests) == 1:
        return tests[0]
    return lambda item, names, values: all(test(item, names, values) for test in tests)


def _negation(tokens: Tokens) -> Test:
    if tokens.accept("NOT"):
        test = _negation(tokens)
        return lambda item, names, values: not test(item, names, values)
    if tokens.accept("("):
        inner = _condition(tokens)
        tokens.expect(")")
        return inner
    if tokens.peek(1) == "(" and tokens.peek().lower() in _FUNCTIONS:
        return _function(tokens)
    return _comparison(tokens)


def _comparison(tokens: Tokens) -> Test:
    left = _operand(tokens)
    if tokens.accept("BETWEEN"):
        low = _operand(tokens)
        tokens.expect("AND")
        high = _operand(tokens)
        return lambda i, n, v: (
            compare(">=", left(i, n, v), low(i, n, v))
            and compare("<=", left(i, n, v), high(i, n, v))
        )
    if tokens.accept("IN"):
        tokens.expect("(")
        choices = [_operand(tokens)]
        while tokens.accept(","):
            choices.append(_operand(tokens))
        tokens.expect(")")
        return lambda i, n, v: any(compare("=", left(i, n, v), each(i, n, v)) for each in choices)
    operator = tokens.take()
    if operator not in COMPARATORS:
        raise tokens.error(operator)
    right = _operand(tokens)
    return lambda i, n, v: compare(operator, left(i, n, v), right(i, n, v))


def _function(tokens: Tokens) -> Test:
    name = tokens.take().lower()
    tokens.expect("(")
    path = _path(tokens)
    second: Operand | None = None
    if tokens.accept(","):
        second = _operand(tokens)
    tokens.expect(")")
    takes_two, test = _FUNCTIONS[name]
    if takes_two is (second is None):
        raise InvalidRequestError(
            f"Invalid {tokens.kind}: Incorrect number of operands for operator or function; "
            f"operator or function: {name}"
        )
    return lambda i, n, v: test(path.get(i, n, v), second(i, n, v) if second else None)


def _begins_with(value: AttributeValue | None, start: AttributeValue | None) -> bool:
    for kind in ("S", "B"):
        if value is not None and start is not None and kind in value and kind in start:
            return bool(value[kind].startswith(start[kind]))
    return False


def _contains(value: AttributeValue | None, part: AttributeValue | None) -> bool:
    if value is None or part is None:
        return False
    (kind, content), (part_kind, wanted) = plain(value), plain(part)
    if kind in SETS:
        return kind == f"{part_kind}S" and wanted in content
    if kind == "L":
        return (part_kind, wanted) in content
    return kind == part_kind and kind in {"S", "B"} and wanted in content


_FUNCTIONS: Final[
    Mapping[str, tuple[bool, Callable[[AttributeValue | None, AttributeValue | None], bool]]]
] = {
    "attribute_exists": (False, lambda value, _: value is not None),
    "attribute_not_exists": (False, lambda value, _: value is None),
    "attribute_type": (True, lambda value, kind: bool(value and kind and kind["S"] in value)),
    "begins_with": (True, _begins_with),
    "contains": (True, _contains),
}
"""The functions of a condition: whether they take a second operand, and their test."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition, and the placeholders that it uses."""

    test: Test
    names: frozenset[str]
    values: frozenset[str]


@lru_cache(MAX_PARSED)
def parse_condition(text: str, kind: str = "ConditionExpression") -> Condition:
    """Parse a condition. Raises `InvalidRequestError` for what it cannot read."""
    tokens = Tokens(text, kind)
    test = _condition(tokens)
    if tokens.peek():
        raise tokens.error(tokens.peek())
    return Condition(test, frozenset(tokens.names), frozenset(tokens.values))


# Key conditions


@dataclass(frozen=True, slots=True)
class KeyTest:
    """One test of a key condition: the path, the operator and its placeholders of values."""

    path: Path
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """A parsed key condition: one or two tests, and the placeholders that it uses."""

    tests: tuple[KeyTest, ...]
    names: frozenset[str]
    used_values: frozenset[str]


@lru_cache(MAX_PARSED)
def parse_key_condition(text: str) -> KeyCondition:
    """Parse a key condition: tests of key attributes, joined by AND."""
    tokens = Tokens(text, "KeyConditionExpression")
    tests = [_key_test(tokens)]
    while tokens.accept("AND"):
        tests.append(_key_test(tokens))
    if tokens.peek():
        raise tokens.error(tokens.peek())
    return KeyCondition(tuple(tests), frozenset(tokens.names), frozenset(tokens.values))


def _key_test(tokens: Tokens) -> KeyTest:
    if tokens.accept("("):
        test = _key_test(tokens)
        tokens.expect(")")
        return test
    if tokens.peek().lower() == "begins_with" and tokens.peek(1) == "(":
        tokens.take()
        tokens.expect("(")
        path = _path(tokens)
        tokens.expect(",")
        start = _placeholder(tokens)
        tokens.expect(")")
        return KeyTest(path, "begins_with", (start,))
    path = _path(tokens)
    if tokens.accept("BETWEEN"):
        low = _placeholder(tokens)
        tokens.expect("AND")
        return KeyTest(path, "between", (low, _placeholder(tokens)))
    operator = tokens.take()
    if operator not in COMPARATORS - {"<>"}:
        raise tokens.error(operator)
    return KeyTest(path, operator, (_placeholder(tokens),))


# Updates


Change: TypeAlias = Callable[[Item, dict[str, AttributeValue], Names, Values], None]
"""Takes the item before the update, and the new item, which it changes."""


@dataclass(slots=True)
class Update:
    """A parsed update: its changes, the paths that it writes, and its placeholders."""

    changes: list[Change] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()

    def apply(self, item: Item, names: Names, values: Values) -> dict[str, AttributeValue]:
        """Return the item after the update. Raises `InvalidRequestError` as DynamoDB refuses it."""
        targets = [path.resolve(names) for path in self.paths]
        if len(set(targets)) < len(targets):
            raise InvalidRequestError(
                "Invalid UpdateExpression: Two document paths overlap with each other"
            )
        after = dict(item)
        for change in self.changes:
            change(item, after, names, values)
        return after


@lru_cache(MAX_PARSED)
def parse_update(text: str) -> Update:
    """Parse an update expression: each of SET, REMOVE, ADD and DELETE once at most."""
    tokens = Tokens(text, "UpdateExpression")
    update = Update()
    seen: set[str] = set()
    while tokens.peek():
        action = tokens.take().upper()
        if action not in ACTIONS or action in seen:
            raise tokens.error(action)
        seen.add(action)
        _clause(tokens, action, update)
        while tokens.accept(","):
            _clause(tokens, action, update)
    update.names, update.values = frozenset(tokens.names), frozenset(tokens.values)
    return update


def _clause(tokens: Tokens, action: str, update: Update) -> None:
    path = _path(tokens)
    if len(path.parts) > 1:
        raise tokens.error(".")
    update.paths.append(path)
    if action == "REMOVE":
        update.changes.append(lambda _item, new, names, _v: _remove(new, path.resolve(names)[0]))
        return
    if action == "SET":
        tokens.expect("=")
        operand = _sum(tokens)
        update.changes.append(
            lambda item, new, names, values: new.update(
                {path.resolve(names)[0]: _existing(operand(item, names, values))}
            )
        )
        return
    placeholder = _placeholder(tokens)
    combine = _add if action == "ADD" else _delete

    def change(item: Item, new: dict[str, AttributeValue], names: Names, values: Values) -> None:
        name = path.resolve(names)[0]
        result = combine(item.get(name), values[placeholder])
        if result is None:
            _remove(new, name)
        else:
            new[name] = result

    update.changes.append(change)


def _remove(new: dict[str, AttributeValue], name: str) -> None:
    new.pop(name, None)


def _existing(value: AttributeValue | None) -> AttributeValue:
    if value is None:
        raise InvalidRequestError(
            "The provided expression refers to an attribute that does not exist in the item"
        )
    return value


def _sum(tokens: Tokens) -> Operand:
    left = _update_operand(tokens)
    if tokens.peek() not in ("+", "-"):
        return left
    sign = 1 if tokens.take() == "+" else -1
    right = _update_operand(tokens)

    def total(item: Item, names: Names, values: Values) -> AttributeValue:
        one, other = _existing(left(item, names, values)), _existing(right(item, names, values))
        if "N" not in one or "N" not in other:
            raise InvalidRequestError(
                "An operand in the update expression has an incorrect data type"
            )
        return {"N": str(number(one["N"]) + sign * number(other["N"]))}

    return total


def _update_operand(tokens: Tokens) -> Operand:
    if tokens.peek(1) != "(":
        return _operand(tokens)
    name = tokens.take()
    tokens.expect("(")
    if name == "if_not_exists":
        path = _path(tokens)
        tokens.expect(",")
        default = _operand(tokens)
        tokens.expect(")")
        return lambda i, n, v: found if (found := path.get(i, n, v)) else default(i, n, v)
    if name != "list_append":
        raise InvalidRequestError(
            f"Invalid UpdateExpression: Invalid function name; function: {name}"
        )
    first = _operand(tokens)
    tokens.expect(",")
    second = _operand(tokens)
    tokens.expect(")")
    return lambda i, n, v: {
        "L": [*_existing(first(i, n, v))["L"], *_existing(second(i, n, v))["L"]]
    }


def _add(stored: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    ((kind, content),) = value.items()
    if kind != "N" and kind not in SETS:
        raise InvalidRequestError(
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: "
            f"ADD, operand type: {kind}"
        )
    if stored is None:
        return value
    if kind not in stored:
        raise InvalidRequestError("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return {"N": str(number(stored["N"]) + number(content))}
    return {kind: [*stored[kind], *(each for each in content if each not in stored[kind])]}


def _delete(stored: AttributeValue | None, value: AttributeValue) -> AttributeValue | None:
    ((kind, content),) = value.items()
    if kind not in SETS:
        raise InvalidRequestError(
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: "
            f"DELETE, operand type: {kind}"
        )
    if stored is None:
        return None
    if kind not in stored:
        raise InvalidRequestError("An operand in the update expression has an incorrect data type")
    left = [each for each in stored[kind] if each not in content]
    return {kind: left} if left else None


# Placeholders


def check_placeholders(
    request: Mapping[str, Any], used_names: frozenset[str], used_values: frozenset[str]
) -> None:
    """Raise `InvalidRequestError` when placeholders are missing, not used, or empty."""
    for member, used, what in (
        ("ExpressionAttributeNames", used_names, "An expression attribute name"),
        ("ExpressionAttributeValues", used_values, "An expression attribute value"),
    ):
        given = request.get(member)
        if given is None:
            given = {}
        elif not given:
            raise InvalidRequestError(f"{member} must not be empty")
        if given.keys() == used:
            continue
        if missing := used - given.keys():
            raise InvalidRequestError(
                f"{what} used in the document path is not defined; attribute name: {min(missing)}"
            )
        unused = ", ".join(sorted(given.keys() - used))
        raise InvalidRequestError(
            f"Value provided in {member} unused in expressions: keys: {{{unused}}}"
        )
