"""Dataclasses and named tuples as JSON with named members, by their fields and type hints.

Members that have their default value are left out, because DynamoDB bills an item by its size. A
dataclass may contain text, numbers, booleans, enumerations, tuples, frozen sets, mappings with text
as key, other dataclasses, named tuples, and unions of these that differ in their JSON type.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, ItemsView, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from connector.clean_text import is_unicode

T = TypeVar("T")
Encoder = Callable[[Any], Any]
"""Turns a value of one class into what `json.dumps` accepts."""
Decoder = Callable[[Any], Any]
"""Turns what `json.loads` returns into a value of one type."""

SCALARS: Final = frozenset({str, int, float, bool, type(None)})
to_text: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""`json.dumps` makes such an encoder at each call, which takes longer than the encoding."""


def dumps(value: object) -> str:
    """Return a value as compact JSON text, which can be encoded in UTF-8.

    A text with half of a character is written with JSON's escapes, and is the same when it is read.
    """
    tree = encode(value)
    text = to_text(tree)
    return text if is_unicode(text) else json.dumps(tree, separators=(",", ":"))


def loads(kind: type[T], text: str) -> T:
    """Return the value of a type that a JSON text contains. Raises as `decode`."""
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise ValueError("the JSON text is nested too deeply") from error
    return decode(kind, tree)


def encode(value: object) -> Any:  # noqa: ANN401  # any JSON value
    """Return a value in the types of JSON."""
    kind: Any = type(value)
    return value if kind in SCALARS else _encoder(kind)(value)


def decode(kind: type[T], tree: Any) -> T:  # noqa: ANN401  # any JSON value
    """Return the value of a type that JSON values describe.

    Raises `TypeError`, `KeyError` or `ValueError` when they do not describe one: a member that the
    dataclass does not have is an error too, because it would be lost at the next write.
    """
    hint: Any = kind
    value: T = _decoder(hint)(tree)
    return value


@cache
def _defaults(kind: type) -> tuple[tuple[str, object], ...]:
    """Return the name and the default value of each field; `MISSING` where there is none."""
    return tuple((each.name, _default(each)) for each in fields(kind))


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _encoder(kind: type) -> Encoder:
    """Return the encoder of the values of one class, which is not one of `SCALARS`."""
    if is_dataclass(kind):
        return _dataclass_encoder(kind)
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, Mapping):
        return lambda value: {
            key: member if type(member) in SCALARS else encode(member)
            for key, member in value.items()
        }
    if _is_named_tuple(kind):
        return lambda value: {name: encode(it) for name, it in value._asdict().items()}
    if issubclass(kind, tuple | list):
        return lambda value: [encode(member) for member in value]
    if issubclass(kind, frozenset):
        return lambda value: sorted(encode(member) for member in value)
    raise TypeError(f"{kind} cannot be stored")


def _dataclass_encoder(kind: type) -> Encoder:
    defaults = _defaults(kind)

    def encode_members(value: Any) -> dict[str, Any]:  # noqa: ANN401  # a dataclass
        return {
            name: member if type(member) in SCALARS else encode(member)
            for name, default in defaults
            if (member := getattr(value, name)) != default
        }

    return encode_members


@cache
def _decoder(hint: Any) -> Decoder:  # noqa: ANN401  # a type or a generic alias
    """Return the decoder of a type hint."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SCALARS:
        return _scalar_decoder(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint):
        return _dataclass_decoder(hint)
    if _is_named_tuple(hint):
        return _named_tuple_decoder(hint)
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is frozenset:
        member = _decoder(arguments[0])
        return lambda tree: frozenset(map(member, _list(tree)))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        member = _decoder(arguments[1])
        return lambda tree: {key: member(value) for key, value in _members(tree)}
    if origin in (Union, types.UnionType):
        return _union_decoder(arguments)
    raise TypeError(f"a stored dataclass cannot contain {hint!r}")


def _members(tree: Any) -> ItemsView[str, Any]:  # noqa: ANN401  # any JSON value
    if isinstance(tree, dict):
        return tree.items()
    raise TypeError(f"an object is expected, not {type(tree).__name__}")


def _list(tree: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    if isinstance(tree, list):
        return tree
    raise TypeError(f"a list is expected, not {type(tree).__name__}")


def _scalar_decoder(hint: type) -> Decoder:
    """Return a decoder that refuses the values of another type; whole numbers may be floats."""
    accepted = (float, int) if hint is float else (hint,)

    def decode_scalar(tree: Any) -> Any:  # noqa: ANN401  # any JSON value
        if type(tree) in accepted:
            return tree
        raise TypeError(f"{hint.__name__} is expected, not {type(tree).__name__}")

    return decode_scalar


def _same(tree: Any) -> Any:  # noqa: ANN401  # any JSON scalar
    return tree


def _dataclass_decoder(kind: Any) -> Decoder:  # noqa: ANN401  # a dataclass
    hints = get_type_hints(kind)
    members = {name: _decoder(hints[name]) for name, _ in _defaults(kind)}
    return lambda tree: kind(**{name: members[name](value) for name, value in _members(tree)})


def _is_named_tuple(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _named_tuple_decoder(kind: Any) -> Decoder:  # noqa: ANN401  # a named tuple
    members = {name: _decoder(hint) for name, hint in get_type_hints(kind).items()}
    return lambda tree: kind(**{name: members[name](value) for name, value in _members(tree)})


def _tuple_decoder(arguments: tuple[Any, ...]) -> Decoder:
    if arguments[1:] == (...,):
        member = _decoder(arguments[0])
        return lambda tree: tuple(map(member, _list(tree)))
    members = tuple(map(_decoder, arguments))
    return lambda tree: tuple(
        member(value) for member, value in zip(members, _list(tree), strict=True)
    )


def _union_decoder(arguments: tuple[Any, ...]) -> Decoder:
    """Return a decoder that selects the member of a union by the JSON type of the value."""
    decoders: dict[type, Decoder] = {}
    for argument in arguments:
        shape = _shape(argument)
        if shape in decoders and shape is not str:
            raise TypeError(f"several members of a union are stored as {shape.__name__}")
        decoders[shape] = _same if shape in decoders else _decoder(argument)
    if str in decoders:
        decoders |= dict.fromkeys((int, float, bool), decoders[str])
    return lambda tree: decoders[type(tree)](tree)


def _shape(hint: Any) -> type:  # noqa: ANN401  # a type or a generic alias
    """Return the JSON type of a hint: `dict`, `list`, or `str` for every scalar but None."""
    origin = get_origin(hint) or hint
    if origin is type(None):
        return type(None)
    if origin in (tuple, frozenset):
        return list
    if is_dataclass(origin) or _is_named_tuple(origin):
        return dict
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict
    return str
