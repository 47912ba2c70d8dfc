"""The mapping as a YAML file that diffs well: one line of text for each field pair.

Only a safe loader and `safe_dump` are used. Aliases, tags, merge keys, many levels, long numbers
and too many values are refused: an export has none of them. A short text could stand for a huge
one, and PyYAML raises any error for a value that its tag does not fit.
The parser is that of libyaml, which reads 200,000 characters ten times faster than PyYAML's own.
The result of a read is a plain document, which is validated like any other before it is saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from connector.bounded_json import MAX_DIGITS
from connector.errors import MappingError
from connector.mapping.document import mapping_document
from connector.mapping.model import MappingConfig

MAX_CHARACTERS: Final = 200_000
"""Characters; about half of the 400 KB that an item of DynamoDB can hold."""
MAX_NODES: Final = 70_000
"""Values and keys of a file: a mapping of 2,000 pairs has about 30 each."""
MAX_DEPTH: Final = 10
"""Levels: a mapping has four (the file, its pairs, a pair, a filter)."""
NUMBER_START: Final = re.compile(r"[-+.]?[0-9]")
UNLIMITED_WIDTH: Final = 2**31
"""Columns: PyYAML breaks longer lines, and one pair must stay on one line."""
HEADER: Final = """\
# The mapping between Plezi and Salesforce, version {version}{saved}.
# To import: change it, keep `version` as it is, and PUT it to /admin/mapping.yaml
# (or: make mapping-import FILE=mapping.yaml). It is refused if another version was saved
# after this export. docs/mapping.md explains every key.
"""


class _Loader(yaml.CSafeLoader):
    """A safe loader without merge keys."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Raise a YAML error for a merge key."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    problem="a merge key (<<) is not allowed", problem_mark=key.start_mark
                )


def _check_events(text: str) -> None:
    """Raise a YAML error for what no export has, in one pass that keeps nothing.

    The loader would need the time: it goes down into lists in lists, and multiplies the digits of a
    number in base 60 (1:30:00) with numbers that become longer and longer.
    """
    values = depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        match event:
            case yaml.AliasEvent():
                raise _refused("an alias (*name) is not allowed: repeat the value", event)
            case yaml.ScalarEvent(tag=str(tag)) | yaml.CollectionStartEvent(tag=str(tag)):
                raise _refused(f"a tag ({tag}) is not allowed: write the value without it", event)
            case yaml.ScalarEvent():
                values += 1
                _check_scalar(event)
            case yaml.CollectionStartEvent():
                values += 1
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
        if values > MAX_NODES:
            raise _refused(f"more than {MAX_NODES} values", event)
        if depth > MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} levels deep", event)


def _check_scalar(event: Any) -> None:  # noqa: ANN401  # the library has no types for events
    if not event.style and len(event.value) > MAX_DIGITS and NUMBER_START.match(event.value):
        raise _refused(f"a number of more than {MAX_DIGITS} characters", event)


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:  # noqa: ANN401  # as above
    return yaml.composer.ComposerError(problem=problem, problem_mark=event.start_mark)


def to_yaml(mapping: MappingConfig, saved: str = "") -> str:
    """Return the mapping as YAML; `saved` (author and time) goes into the comment at the top."""
    document = mapping_document(mapping)
    pairs = document.pop("pairs")
    head = HEADER.format(version=mapping.version, saved=_one_line(f", {saved}" if saved else ""))
    settings = "".join(f"{name}: {_inline(value)}\n" for name, value in document.items())
    rows = "".join(f"  - {_inline(pair)}\n" for pair in pairs)
    return f"{head}{settings}pairs:{' []' if not pairs else ''}\n{rows}"


def from_yaml(text: str) -> dict[str, Any]:
    """Return the document of a YAML file. Raises `MappingError`, which names the wrong place."""
    if len(text) > MAX_CHARACTERS:
        raise MappingError(f"the file is longer than {MAX_CHARACTERS} characters")
    try:
        _check_events(text)
        # A safe loader that refuses more than the one of PyYAML.
        document = yaml.load(text, _Loader)  # noqa: S506  # nosec B506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise MappingError(f"the file is not YAML{where}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MappingError("the file is not YAML that can be read") from error
    if not isinstance(document, dict):
        raise MappingError("the file holds no mapping: export the mapping, and change the export")
    return document


def _inline(value: Mapping[str, Any] | Any) -> str:  # noqa: ANN401  # any JSON value
    """Return one value as one line of YAML, in the order of its keys."""
    text = _dump(value, allow_unicode=True)
    if yaml.safe_load(text) != value:  # PyYAML folds U+0085 if it is not escaped
        text = _dump(value, allow_unicode=False)
    return text


def _dump(value: Mapping[str, Any] | Any, *, allow_unicode: bool) -> str:  # noqa: ANN401  # as above
    text: str = yaml.safe_dump(
        value,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=allow_unicode,
        width=UNLIMITED_WIDTH,
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _one_line(text: str) -> str:
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())
