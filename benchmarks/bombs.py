"""Bodies that are made to use up time or memory, read within the memory of a small function.

    python -m benchmarks.bombs

Each bomb is read in a process of its own, whose address space is limited to 512 MB: the memory of
the smallest functions. The process ends with an error if the limit is reached. Printed are the
seconds of the reader, and the peak of the process's memory with everything that it imports.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from connector.bounded_json import JsonBoundsError
from connector.errors import ConnectorError
from connector.forms.payload import read_payload
from connector.forms.request import MAX_BODY_BYTES, ContentType
from connector.mapping.yaml_file import MAX_CHARACTERS, from_yaml
from functions.admin.body_limits import BOUNDS, refusal

MEGABYTE: Final = 1024 * 1024
LIMIT_MEGABYTES: Final = 512
KILOBYTE: Final = 1024


def _filled(begin: str, repeated: str, size: int) -> str:
    """Return a text of a size in characters: a beginning, then the same text again and again."""
    return (begin + repeated * (size // len(repeated) + 1))[:size]


def _laughs(levels: int = 12) -> str:
    """Return the "billion laughs": lists of nine aliases of the list before."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines)


def _merges(levels: int = 18) -> str:
    """Return mappings that merge the mapping before twice, which doubles the work of each level."""
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{it}: &a{it} {{<<: [*a{it - 1}, *a{it - 1}]}}" for it in range(1, levels)]
    return "\n".join(lines)


FORM_BOMBS: Final[Mapping[str, str]] = {
    "deep lists": "[" * MAX_BODY_BYTES,
    "deep objects": _filled("", '{"a":', MAX_BODY_BYTES),
    "many keys": "{" + ",".join(f'"{it}":1' for it in range(7_000)) + "}",
    "long integer": "9" * MAX_BODY_BYTES,
    "long fraction": "0." + "1" * (MAX_BODY_BYTES - 2),
    "large exponent": "1e" + "9" * (MAX_BODY_BYTES - 2),
    "quotes": '"' * MAX_BODY_BYTES,
    "backslashes": '"' + "\\" * (MAX_BODY_BYTES - 1),
    "escapes": '"' + "\\u0041" * ((MAX_BODY_BYTES - 2) // 6) + '"',
    "one key again and again": "{" + ",".join(['"a":1'] * 10_000) + "}",
}
"""JSON of 64 KB for /forms."""
FILE_BOMBS: Final[Mapping[str, str]] = {
    "billion laughs": _laughs(),
    "merge keys": _merges(),
    "deep lists": "[" * MAX_CHARACTERS,
    "deep indentation": "\n".join(" " * it + "a:" for it in range(600)),
    "many values": "[" + "1," * ((MAX_CHARACTERS - 2) // 2) + "]",
    "many anchors": "\n".join(f"a{it}: &a{it} 1" for it in range(10_000)),
    "long integer": "a: " + "9" * (MAX_CHARACTERS - 3),
    "sexagesimal integer": "a: " + "1:" * 90_000 + "1",
    "quotes": 'a: "' + '\\"' * 90_000,
    "comments": "#\n" * 100_000,
    "tags": "a: !!python/object/apply:os.system [true]",
    "complex keys": "? " * 90_000,
}
"""YAML of 200,000 characters for /admin/mapping.yaml."""
API_BOMBS: Final[Mapping[str, str]] = {
    "deep lists": "[" * BOUNDS.characters,
    "deep objects": _filled("", '{"a":', BOUNDS.characters),
    "many keys": "{" + ",".join(f'"{it}":1' for it in range(150_000)) + "}",
    "long integer": "9" * BOUNDS.characters,
    "quotes": '"' * BOUNDS.characters,
    "backslashes": '"' + "\\" * (BOUNDS.characters - 1),
}
"""JSON of 2,000,000 characters for the other routes of the admin API."""


def _read_form(text: str) -> None:
    read_payload(ContentType.JSON, text.encode())


def _read_file(text: str) -> None:
    from_yaml(text)


def _read_request(text: str) -> None:
    if refusal({"path": "/admin/mapping", "body": text}) is not None:
        raise JsonBoundsError("refused")
    json.loads(text)


READERS: Final[Mapping[str, tuple[Callable[[str], None], Mapping[str, str]]]] = {
    "form": (_read_form, FORM_BOMBS),
    "mapping file": (_read_file, FILE_BOMBS),
    "admin API": (_read_request, API_BOMBS),
}


@dataclass(frozen=True, slots=True)
class Explosion:
    """How one bomb was read: the answer, the seconds of the reader, the peak of memory in MB."""

    reader: str
    bomb: str
    answer: str
    seconds: float
    megabytes: float


def explode(reader: str, bomb: str) -> Explosion:
    """Read a bomb in this process. Raises what is no answer to a sender, such as `MemoryError`."""
    read, bombs = READERS[reader]
    text = bombs[bomb]
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_MEGABYTES * MEGABYTE,) * 2)
    started = time.perf_counter()
    try:
        read(text)
        answer = "read"
    except (ConnectorError, ValueError) as error:
        answer = type(error).__name__
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTE
    return Explosion(reader, bomb, answer, round(seconds, 3), round(peak))


def explode_apart(reader: str, *bombs: str) -> list[Explosion]:
    """Read bombs of a reader in one process of their own; without names, all of them.

    Raises `RuntimeError` with the last line of the process if it fails.
    """
    completed = subprocess.run(  # this module
        [sys.executable, "-m", "benchmarks.bombs", reader, *(bombs or READERS[reader][1])],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if completed.returncode != 0:
        raise RuntimeError(f"{reader}, {bombs}: {completed.stderr.strip().splitlines()[-1:]}")
    return [Explosion(**json.loads(line)) for line in completed.stdout.splitlines()]


def names() -> list[tuple[str, str]]:
    """Return reader and name of each bomb."""
    return [(reader, bomb) for reader, (_, bombs) in READERS.items() for bomb in bombs]


def main(arguments: list[str]) -> None:
    """Read some bombs and print a line of JSON for each, or all of them and print a table."""
    if arguments:
        reader, *bombs = arguments
        for bomb in bombs:
            print(json.dumps(asdict(explode(reader, bomb))))
        return
    print("| reader | bomb | answer | seconds | peak MB |\n| --- | --- | --- | --- | --- |")
    for reader, bomb in names():
        [it] = explode_apart(reader, bomb)
        print(f"| {it.reader} | {it.bomb} | {it.answer} | {it.seconds} | {it.megabytes:.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
