"""The position of a reading in Plezi's list of contacts, as a cursor stores it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final

MAX_NUMBER: Final = 10**9
"""No number of a position is larger: a thousand million contacts are more than a tenant has."""
NUMBERS_OF_POSITION: Final = (
    "size",
    "left",
    "repeated",
    "again",
    "way_back",
    "set_size",
    "usual_size",
    "most",
)


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a reading: `since` is '' when it reads newest first or everything.

    `set_size` is the size of a page in the settings. `usual_size` is that of the pages by which the
    reading counts: smaller where the tenant shows fewer contacts than asked. `size` is that of a
    page if it is smaller than the usual one (0), because a larger page could not be read; about
    `left` contacts are read in this way. `within`: one of them cannot be read, so the list does not
    end before it. `tried`: the one contact of the page has failed once.

    `digest` stands for the contacts of the page before, which was the same `repeated` times; `most`
    is how many contacts the largest of the pages before had. `edge` are the last contacts before
    the page, `again` how many pages were read again because contacts had moved, `way_back` how many
    pages the last step back had (0: the reading is not on its way back). `descending`: the newest
    of the filtered contacts come first. `oldest`: the earliest stamp of the page before, where the
    newest come first. `ordered` says whether the tenant sorts, as far as is known.
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
    set_size: int = 0
    usual_size: int = 0
    most: int = 0
    within: bool = False
    tried: bool = False
    oldest: str = ""

    @property
    def page_size(self) -> int:
        """How many contacts the page has, if so many are left."""
        return self.size or self.usual_size

    @property
    def contacts_before(self) -> int:
        """How many contacts are before the page."""
        return (self.page - 1) * self.page_size

    def first(self) -> Position:
        """Return the position of the first page of the same list, in the usual size."""
        return Position(
            self.since,
            ordered=self.ordered,
            descending=self.descending,
            set_size=self.set_size,
            usual_size=self.usual_size,
        )

    def contact(self, place: int) -> Position:
        """Return the position of one contact of the same list, with `place` others before it."""
        return replace(self, page=place + 1, size=1)

    def smaller(self) -> Position | None:
        """Return the same place with smaller pages; None where a page is one contact."""
        size = self.page_size
        sizes = _sizes(self.usual_size)
        smaller = next((each for each in sizes if each < size and size % each == 0), 0)
        if not smaller:
            return None
        page = (self.page - 1) * (size // smaller) + 1  # it begins with the same contact
        return replace(self, page=page, size=smaller, left=size, digest="", most=0)

    def larger(self, read: int) -> Position:
        """Return the place with larger pages, once the contact that failed is passed.

        The number of contacts before a page must be a multiple of its size.
        """
        if not self.size:
            return self
        left = self.left - read
        if left > 0:
            return replace(self, left=left)
        before = self.contacts_before
        size = next(each for each in _sizes(self.usual_size) if before % each == 0)
        reduced = 0 if size == self.usual_size else size
        page = before // size + 1
        most = self.most if reduced == self.size else 0
        return replace(self, page=page, size=reduced, left=0, within=False, most=most)

    def back(self, pages: int) -> Position:
        """Return the position some pages before this one."""
        page = max(1, self.page - pages)
        again = self.again + pages + 1
        return replace(self, page=page, again=again, way_back=pages, digest="", repeated=0)

    def behind(self) -> Position:
        """Return the position behind a page of one contact, which is left out."""
        following = replace(self, page=self.page + 1, digest="", repeated=0, edge=())
        return replace(following, tried=False, within=False).larger(1)

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
            case {"since": str(since), "page": int(), "ordered": bool(ordered)}:
                page = _whole_number(tree["page"])
                if not page:
                    return None
                return cls(
                    since,
                    page,
                    ordered,
                    digest="".join(_texts([tree.get("digest")])),
                    oldest="".join(_texts([tree.get("oldest")])),
                    edge=_texts(tree.get("edge")),
                    descending=tree.get("descending") is True,
                    within=tree.get("within") is True,
                    tried=tree.get("tried") is True,
                    **{name: _whole_number(tree.get(name)) for name in NUMBERS_OF_POSITION},
                )
        return None


def _sizes(usual: int) -> Iterator[int]:
    """Yield the sizes of a page: the usual one, then each a part of the one before it, to 1."""
    size = usual
    while size > 1:
        yield size
        size //= next(each for each in range(2, size + 1) if size % each == 0)
    yield 1


def _whole_number(stored: object) -> int:
    if not isinstance(stored, int) or isinstance(stored, bool):
        return 0
    return stored if 0 <= stored <= MAX_NUMBER else 0


def _texts(stored: object) -> tuple[str, ...]:
    texts = stored if isinstance(stored, list) else []
    return tuple(each for each in texts if isinstance(each, str))
