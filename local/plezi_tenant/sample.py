"""Sample contacts: the invented people in Plezi's words, and where ids come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from local.people import person
from local.plezi_tenant.schema import Values
from local.plezi_tenant.store import Contact

SEGMENTS = ("smb", "mid", "large")
INTERESTS: tuple[list[str], ...] = ([], ["events"], ["product", "hiring"])


class IdGenerator:
    """Opaque 24-hex ids: the same seed gives the same ids in the same order, and no order shows."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def next_id(self) -> str:
        """Return an id that was not given before."""
        self._count += 1
        text = f"{self._seed}/{self._count}".encode()
        return hashlib.blake2b(text, digest_size=12).hexdigest()


def sample_contacts(
    count: int, first: int, ids: IdGenerator, now: int, spread: int
) -> Iterator[Contact]:
    """Make contacts of the people `first` and up, the last one stamped now.

    `spread` is the time in milliseconds between the first and the last one; 0 stamps all alike,
    as an import in bulk does.
    """
    for index in range(count):
        moment = now - spread + spread * (index + 1) // count
        yield Contact(ids.next_id(), _values(first + index), moment, moment)


def _values(number: int) -> Values:
    someone = person(number)
    return {
        "email": someone.email,
        "first_name": someone.first_name,
        "last_name": someone.last_name,
        "company": someone.company,
        "phone": someone.phone,
        "mobile": someone.mobile,
        "function": someone.function,
        "behaviour_score": someone.score,
        "state": someone.state,
        "source": "direct",
        "newsletter_optout": number % 10 == 0,
        "employees": number % 500,
        "segment": SEGMENTS[number % len(SEGMENTS)],
        "interests": INTERESTS[number % len(INTERESTS)],
    }
