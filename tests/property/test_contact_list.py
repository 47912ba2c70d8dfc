"""Plezi's list while contacts are added, edited and deleted: every contact is read, and it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from connector.model import Cursor, Page, RecordKind
from connector.plezi.api import PleziApi, PleziResponse
from connector.plezi.api_dialect import ChangedSince, Pager, PleziDialect
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.reader import Reader

START = 1_795_000_000
"""The time of the first call, in seconds; contacts that exist then changed in the hour before."""
WATERMARK = START - 3600
MAX_CALLS = 2_000
"""Far more than a reading of 60 contacts in pages of three takes."""


def text_of_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True)
class Edit:
    """What somebody does before a call: `place` counts from the first contact of the list."""

    before_call: int
    kind: str
    place: int


@dataclass
class Tenant:
    """A list of contacts in a stable order, which users change between two calls.

    `untouched` are the contacts that were there before, and that no edit has changed.
    """

    stamps: dict[str, int]
    edits: list[Edit]
    calls: int = 0
    untouched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.untouched = set(self.stamps)

    def now(self) -> float:
        return float(START + self.calls)

    def read(self, _path: str, params: Mapping[str, str], _patience: float) -> PleziResponse:
        self.calls += 1
        assert self.calls < MAX_CALLS, "the reading does not end"
        for edit in self.edits:
            if edit.before_call == self.calls:
                self._apply(edit)
        rows = [(stamp, identity) for identity, stamp in self.stamps.items()]
        since = next((it for name, it in params.items() if "since" in name or "gte" in name), "")
        rows = [row for row in rows if text_of_time(row[0]) >= since]
        rows.sort(reverse=params["sort_dir"] == "desc")
        if "per_page" in params:
            size = int(params["per_page"])
            start = (int(params["page"]) - 1) * size
        else:
            size, start = int(params["limit"]), int(params["offset"])
        data = [contact(*row) for row in rows[start : start + size]]
        return PleziResponse({"data": data}, {"Date": ""})

    def _apply(self, edit: Edit) -> None:
        if edit.kind == "add":
            self.stamps[f"n{len(self.stamps)}-{self.calls}"] = int(self.now())
        elif self.stamps:
            identity = sorted(self.stamps, key=lambda it: (self.stamps[it], it))[
                edit.place % len(self.stamps)
            ]
            self.untouched.discard(identity)
            del self.stamps[identity]
            if edit.kind == "edit":
                self.stamps[identity] = int(self.now())


def contact(stamp: int, identity: str) -> dict[str, Any]:
    attributes = {"email": f"{identity}@example.com", "updated_at": text_of_time(stamp)}
    return {"id": identity, "type": "contacts", "attributes": attributes}


def read_everything(tenant: Tenant, dialect: PleziDialect, pages_of_invocation: int) -> set[str]:
    """Read the list in invocations of some pages each; return the ids that were read."""
    cursor = Cursor(RecordKind.PLEZI_CONTACT, watermark=text_of_time(WATERMARK))
    seen: set[str] = set()
    while True:
        api = cast("PleziApi", tenant)
        reader = Reader(api, ContactCodec(dialect), dialect, tenant.now)
        for number, page in enumerate(reader.read(cursor, ())):
            seen |= ids_of(page)
            cursor = page.cursor
            if page.last:
                return seen
            if number + 1 == pages_of_invocation:
                break


def ids_of(page: Page) -> set[str]:
    return {each.id for each in page.observations}


def of_one_direction(edits: list[Edit]) -> list[Edit]:
    """Leave out the edits that move contacts the other way than the first one.

    Newest first, an edit moves others to later pages, and a deletion to earlier ones. Two of them
    around the same call, which make up for each other, cannot be seen (decision 148), nor can a
    deletion where the tenant filters by time.
    """
    return [each for each in edits if (each.kind == "delete") is (edits[0].kind == "delete")]


PLACES = st.integers(0, 59)
EDITS = st.builds(
    Edit,
    before_call=st.integers(2, 20),
    kind=st.sampled_from(("edit", "edit", "delete", "add")),
    place=PLACES,
)
STAMPS = st.integers(0, 60).flatmap(
    lambda number: st.lists(
        st.sampled_from((0, 0, 0, 0, 0, 0, 0, 600)), min_size=number, max_size=number
    )
)
"""Seconds after the watermark; most contacts are of one bulk update."""
DIALECTS = st.builds(
    PleziDialect,
    pager=st.sampled_from(Pager),
    changed_since=st.sampled_from(ChangedSince),
    newest_first=st.booleans(),
    page_size=st.integers(3, 12),
)


@given(STAMPS, st.lists(EDITS, max_size=12), DIALECTS, st.integers(1, 9))
def test_every_contact_that_was_not_touched_is_read_while_others_are(
    offsets: list[int], edits: list[Edit], dialect: PleziDialect, pages_of_invocation: int
) -> None:
    stamps = {f"c{at:02}": WATERMARK + offset for at, offset in enumerate(offsets)}
    if dialect.changed_since is ChangedSince.NONE:
        edits = of_one_direction(edits)
    else:
        edits = [each for each in edits if each.kind != "delete"]
    tenant = Tenant(stamps, edits)

    seen = read_everything(tenant, dialect, pages_of_invocation)

    assert tenant.untouched <= seen


@given(STAMPS, DIALECTS)
def test_a_list_that_does_not_change_takes_few_calls(
    offsets: list[int], dialect: PleziDialect
) -> None:
    stamps = {f"c{at:02}": WATERMARK + offset for at, offset in enumerate(offsets)}
    tenant = Tenant(stamps, [])

    read_everything(tenant, dialect, 1_000)

    pages = -(-len(stamps) // dialect.page_size) + len(set(offsets))
    assert tenant.calls <= 2 * pages + 3
