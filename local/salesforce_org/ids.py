"""Record ids: 15 case-sensitive characters, or 18 with a checksum of the upper-case letters."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT, LONG = 15, 18
CHUNK = 5
INSTANCE = "8d0"  # the characters after the prefix that identify the instance, as in recorded ids
WIDTH = SHORT - 3 - len(INSTANCE)


@lru_cache(maxsize=4096)
def _check_character(chunk: str) -> str:
    bits = sum(1 << index for index, letter in enumerate(chunk) if "A" <= letter <= "Z")
    return CHECKSUM[bits]


def with_checksum(short: str) -> str:
    """Return the 18-character form of a 15-character id."""
    first, second, third = short[:CHUNK], short[CHUNK : 2 * CHUNK], short[2 * CHUNK :]
    return short + _check_character(first) + _check_character(second) + _check_character(third)


def full_id(text: str) -> str | None:
    """Return the 18-character form of an id of 15 or 18 characters, or None if it is malformed.

    An id of 18 characters may have lost its case: the checksum restores it.
    """
    if not text.isascii() or not text.isalnum():
        return None
    if len(text) == SHORT:
        return with_checksum(text)
    if len(text) != LONG:
        return None
    letters = []
    for index, letter in enumerate(text[:SHORT]):
        mask = CHECKSUM.find(text[SHORT + index // CHUNK].upper())
        if mask < 0:
            return None
        upper_case = mask >> index % CHUNK & 1
        letters.append(letter.upper() if upper_case else letter.lower())
    restored = with_checksum("".join(letters))
    return restored if restored.lower() == text.lower() else None


def _in_base_62(number: int, width: int) -> str:
    letters = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        letters.append(DIGITS[digit])
    return "".join(reversed(letters))


class IdGenerator:
    """Sequential ids for each key prefix; the same seed gives the same ids."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._next: dict[str, int] = {}

    def next_id(self, prefix: str) -> str:
        """Return the next id of a prefix."""
        return next(self.next_ids(prefix, 1))

    def next_ids(self, prefix: str, count: int) -> Iterator[str]:
        """Yield the next ids of a prefix."""
        start = self._next.get(prefix)
        if start is None:
            rng = random.Random(f"{self._seed}{prefix}")  # noqa: S311  # ids need no secrecy
            start = rng.randrange(62**4, 62**5)
        self._next[prefix] = start + count
        head = prefix + INSTANCE
        for number in range(start, start + count):
            yield with_checksum(head + _in_base_62(number, WIDTH))
