"""Sample contacts made from the invented people, and the id generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from local.people import person
from local.plezi_tenant.schema import Values
from local.plezi_tenant.store import Contact

SEGMENTS = ("smb", "mid", "large")
INTERESTS: tuple[list[str], ...] = ([], ["events"], ["product", "hiring"])


class IdGenerator:
    """Opaque unsorted ids of 24 hexadecimal digits; the same seed gives the same sequence."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def next_id(self) -> str:
        """Return the next unused id."""
        self._count += 1
        text = f"{self._seed}/{self._count}".encode()
        return hashlib.blake2b(text, digest_size=12).hexdigest()


def sample_contacts(
    count: int, first: int, ids: IdGenerator, now: int, spread: int
) -> Iterator[Contact]:
    """Yield `count` contacts, from person number `first` on; the last one has the timestamp `now`.

    `spread` is the time in milliseconds between the first and the last timestamp. With 0 all
    timestamps are equal, as after a bulk import.
    """
    for index in range(count):
        millis = now - spread + spread * (index + 1) // count
        yield Contact(ids.next_id(), _values(first + index), millis, millis)


def _values(number: int) -> Values:
    source = person(number)
    return {
        "email": source.email,
        "first_name": source.first_name,
        "last_name": source.last_name,
        "company": source.company,
        "phone": source.phone,
        "mobile": source.mobile,
        "function": source.function,
        "behaviour_score": source.score,
        "state": source.state,
        "source": "direct",
        "newsletter_optout": number % 10 == 0,
        "employees": number % 500,
        "segment": SEGMENTS[number % len(SEGMENTS)],
        "interests": INTERESTS[number % len(INTERESTS)],
    }
