"""Settings of each kind of function, read from its environment variables.

A setting has no default here: the template is the only place that holds defaults, and it hands
every setting to every function that reads it (tests/template checks both). Secrets are only named
here; their values come from Secrets Manager.

The settings are plain dataclasses and not pydantic models: functions that only accept requests must
start fast, and importing pydantic costs about half as much as importing boto3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from connector.errors import HaltError, StopReason

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OPTIONAL: Final = {"may_be_empty": True}
"""Metadata of a setting that the template may leave empty."""


@dataclass(frozen=True, kw_only=True)
class RunQueueSettings:
    """Where requested runs are stored and queued."""

    ledger_table: str
    runs_queue_url: str


@dataclass(frozen=True, kw_only=True)
class RunRequestSettings(RunQueueSettings):
    """Settings of a function that only requests runs."""


@dataclass(frozen=True, kw_only=True)
class FormReceiverSettings:
    """Settings of the function that receives forms."""

    ledger_table: str
    forms_queue_url: str
    forms_secret: str


Settings = TypeVar("Settings", bound="DataclassInstance")


def _boolean(text: str) -> bool:
    """Read what the template's parameters of this kind allow."""
    return {"true": True, "false": False}[text]


CONVERSIONS: Final[Mapping[type, Callable[[str], Any]]] = {
    str: str,
    int: int,
    float: float,
    bool: _boolean,
}


def variable_names(kind: type[Any]) -> tuple[str, ...]:
    """Return the environment variables that hold the settings of one kind of function."""
    return tuple(each.name.upper() for each in fields(kind))


def read_settings(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Read the settings of one kind of function from its environment variables.

    A variable has the name of the setting in capitals. Raises `HaltError` that names every variable
    that is missing, empty although it must not be, or not of its type.
    """
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for each in fields(kind):
        text = environ.get(each.name.upper())
        if text is None or not (text or each.metadata.get("may_be_empty")):
            wrong.append(each.name.upper())
            continue
        try:
            values[each.name] = CONVERSIONS[types[each.name]](text)
        except (KeyError, ValueError):
            wrong.append(each.name.upper())
    if wrong:
        raise HaltError(
            StopReason.SETTINGS, f"set these environment variables correctly: {', '.join(wrong)}"
        )
    return kind(**values)
