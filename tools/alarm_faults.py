"""The fault with which a test raises each alarm, read from the source of that test."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parents[1] / "tests/component/test_alarms.py"


@cache
def _faults() -> tuple[dict[str, str], dict[str, str]]:
    """Return the function with the fault of each alarm, by its name, and by the end of its name.

    Alarms that every function has are in a comprehension: its key ends with a text.
    """
    names: dict[str, str] = {}
    ends: dict[str, str] = {}
    for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        match node:
            case ast.AnnAssign(target=ast.Name(id="FAULTS"), value=ast.Dict(keys, values)):
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(value=str(alarm)), ast.Name(id=function):
                            names[alarm] = function
                        case None, ast.DictComp(
                            key=ast.JoinedStr(values=[_, ast.Constant(value=str(end))]),
                            value=ast.Call(func=ast.Name(id=function)),
                        ):
                            ends[end] = function
    return names, ends


def alarm_fault(alarm: str) -> str:
    """Return what the test does to raise an alarm, in words. Raises `KeyError` for none."""
    names, ends = _faults()
    if alarm in names:
        return names[alarm].replace("_", " ").replace("plezi", "Plezi").replace("api ", "API ")
    by_end = [function for end, function in ends.items() if alarm.endswith(end)]
    if not by_end:
        raise KeyError(alarm)
    return by_end[0].replace("_", " ")
