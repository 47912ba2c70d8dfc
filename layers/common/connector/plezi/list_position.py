"""The position of a reading in Plezi's list of contacts, as a cursor stores it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

NUMBERS_OF_POSITION: Final = ("size", "left", "repeated", "again", "way_back")


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a reading: `since` is '' when it reads newest first or everything.

    `digest` stands for the contacts of the page before, which was the same `repeated` times. `size`
    is that of a page if it is smaller than the usual one (0), because a larger page could not be
    read; about `left` contacts are read in this way. `edge` are the last contacts before the page,
    `again` how many pages were read again because contacts had moved, `way_back` how many pages the
    last step back had (0: the reading is not on its way back). `descending`: the newest of the
    filtered contacts come first. `ordered` says whether the tenant sorts, as far as is known.
    """

    since: str
    page: int = 1
    ordered: bool = True
    digest: str = ""
    size: int = 0
    left: int = 0
    repeated: int = 0
    again: int = 0
    way_back: int = 0
    edge: tuple[str, ...] = ()
    descending: bool = False

    def text(self) -> str:
        """Return the text of a cursor."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Position | None:
        """Return the position of a stored text; None where it cannot be read."""
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            return None
        match tree:
            case {"since": str(since), "page": int(page), "ordered": bool(ordered)} if page > 0:
                digest = tree.get("digest")
                return cls(
                    since,
                    page,
                    ordered,
                    digest if isinstance(digest, str) else "",
                    edge=_texts(tree.get("edge")),
                    descending=tree.get("descending") is True,
                    **{name: _whole_number(tree.get(name)) for name in NUMBERS_OF_POSITION},
                )
        return None


def _whole_number(stored: object) -> int:
    return stored if isinstance(stored, int) else 0


def _texts(stored: object) -> tuple[str, ...]:
    texts = stored if isinstance(stored, list) else []
    return tuple(each for each in texts if isinstance(each, str))
