"""Files that a command reads and writes."""

from __future__ import annotations

import json
from pathlib import Path

from plezi_sync.errors import UsageError


def read_bytes(file: Path) -> bytes:
    """Return the contents of a file. Raises `UsageError` when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read {file}: {error.strerror}. Check the path.") from error


def read_json_object(file: Path) -> dict[str, object]:
    """Return the JSON object in a file. Raises `UsageError` when there is none."""
    try:
        value: object = json.loads(read_bytes(file))
    except ValueError as error:
        raise UsageError(f"{file} is not valid JSON: {error}. Correct the file.") from error
    if not isinstance(value, dict):
        raise UsageError(f"{file} must contain a JSON object, as in {{...}}.")
    return value


def write_text(file: Path, text: str) -> None:
    """Write a text file in UTF-8. Raises `UsageError` when it cannot be written."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot write {file}: {error.strerror}. Check the path.") from error
