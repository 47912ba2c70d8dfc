"""Plezi's list as tenants may answer it: every change is read after two runs, and each run ends.

The tenants ignore the sort, its direction or the filter, limit the size of a page, or answer an
error or the last page again behind the end of the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, cast

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from connector.errors import RejectedError, RetryError, StaleError, StopReason
from connector.model import Cursor, RecordKind
from connector.plezi.api import FailedAnswerError, PleziApi, PleziResponse
from connector.plezi.api_dialect import ChangedSince, Pager, PleziDialect
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.reader import Reader

START = 1_795_000_000.0
HOUR = 3600
WATERMARK = START - HOUR
MAX_CALLS = 4_000
"""Far more than two readings of 60 contacts in pages of three take."""
MAX_INVOCATIONS = 3_000


def text_of_time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Behaviour:
    """How a tenant answers the list.

    `order`: whether it sorts (`asked`), always the oldest first (`oldest`), by id, or the contacts
    that were created last first. `limit`: the largest page (0: any). `behind`: what is behind the
    last page: an empty page, an error (`400`, `404`, `500`), or the last page again.
    """

    order: str = "asked"
    filter: str = "used"
    limit: int = 0
    behind: str = "empty"
    turns_equal_stamps: bool = True


@dataclass(frozen=True)
class Act:
    """What people do before a call: `place` counts from the contact that changed first."""

    before_call: int
    kind: str
    place: int


@dataclass
class Tenant:
    """The contacts of a tenant, with the seconds when each changed.

    The answers of `short_calls` lack the second half of their contacts, or the only one.
    """

    stamps: dict[str, float]
    behaviour: Behaviour
    acts: list[Act]
    unreadable: frozenset[str] = frozenset()
    shown_stamps: Mapping[str, Any] = field(default_factory=dict)
    short_calls: frozenset[int] = frozenset()
    time: float = START
    calls: int = 0

    def __post_init__(self) -> None:
        self.created = list(self.stamps)

    def now(self) -> float:
        return self.time

    def read(self, _path: str, params: Mapping[str, str], _patience: float) -> PleziResponse:
        self.calls += 1
        self.time += 1
        assert self.calls < MAX_CALLS, "the reading does not end"
        for act in self.acts:
            if act.before_call == self.calls:
                self._apply(act)
        ids = self._listed(params)
        page = self._page(ids, params)
        if self.unreadable & set(page):
            raise FailedAnswerError("Plezi answered 500", reason=StopReason.PLEZI_UNAVAILABLE)
        if self.calls in self.short_calls:
            page = page[: len(page) // 2]
        rows = [self._row(each) for each in page]
        return PleziResponse({"data": rows, "meta": {"total_results": len(ids)}}, {"Date": ""})

    def send(self, *_args: object, **_members: object) -> PleziResponse:
        return PleziResponse({"data": [self._row("c00")]}, {})

    def _listed(self, params: Mapping[str, str]) -> list[str]:
        since = next((it for name, it in params.items() if "since" in name or "gte" in name), "")
        if since and self.behaviour.filter == "refused":
            raise RejectedError("400", "no filter")
        ids = [each for each in self.created if each in self.stamps]
        if self.behaviour.order == "created":
            ids.reverse()
        if self.behaviour.order in {"asked", "oldest"}:
            is_newest_first = params["sort_dir"] == "desc" and self.behaviour.order == "asked"
            if is_newest_first and self.behaviour.turns_equal_stamps:
                ids.reverse()
            ids.sort(key=lambda it: self.stamps[it], reverse=is_newest_first)
        if since and self.behaviour.filter == "used":
            ids = [each for each in ids if text_of_time(self.stamps[each]) >= since]
        return ids

    def _page(self, ids: list[str], params: Mapping[str, str]) -> list[str]:
        size = int(params.get("per_page") or params["limit"])
        size = min(size, self.behaviour.limit or size)
        start = (int(params["page"]) - 1) * size if "page" in params else int(params["offset"])
        if 0 < start >= len(ids):
            match self.behaviour.behind:
                case "400":
                    raise RejectedError("400", "no such page")
                case "404":
                    raise StaleError("Plezi answered 404")
                case "500":
                    text = "Plezi answered 500"
                    raise FailedAnswerError(text, reason=StopReason.PLEZI_UNAVAILABLE)
                case "last page":
                    start = max(0, len(ids) - 1) // size * size
        return ids[start : start + size]

    def _row(self, identity: str) -> dict[str, Any]:
        stamp = text_of_time(self.stamps.get(identity, 0.0))
        shown = self.shown_stamps.get(identity, stamp)
        attributes = {"email": f"{identity}@example.com", "updated_at": shown}
        return {"id": identity, "type": "contacts", "attributes": attributes}

    def _apply(self, act: Act) -> None:
        if act.kind == "add":
            identity = f"n{len(self.created):03}"
            self.created.append(identity)
            self.stamps[identity] = self.time
            return
        ids = sorted(self.stamps, key=lambda it: (self.stamps[it], it))
        edited = {
            "edit": ids[act.place % len(ids) :][:1] if ids else [],
            "neighbours": ids[act.place % len(ids) :][:5] if ids else [],
            "quarter": ids[act.place % 3 :: 4],
            "all": ids,
        }
        self.stamps.update(dict.fromkeys(edited[act.kind], self.time))


def read_once(
    tenant: Tenant, dialect: PleziDialect, watermark: str, pages: int
) -> tuple[dict[str, str], str]:
    """Read the list in invocations of some pages each; return the versions and the watermark."""
    cursor = Cursor(RecordKind.PLEZI_CONTACT, watermark=watermark)
    seen: dict[str, str] = {}
    for _ in range(MAX_INVOCATIONS):
        api = cast("PleziApi", tenant)
        reader = Reader(api, ContactCodec(dialect), dialect, tenant.now)
        try:
            for number, page in enumerate(reader.read(cursor, ())):
                for each in page.observations:
                    seen[each.id] = max(seen.get(each.id, ""), each.version)
                cursor = page.cursor
                if page.last:
                    return seen, cursor.watermark
                if number + 1 == pages:
                    break
        except RetryError:  # the run ends with an error, and another one reads on
            if not tenant.short_calls:
                raise
            tenant.short_calls = frozenset()
    raise AssertionError("the invocations do not end")


def left_out(tenant: Tenant, dialect: PleziDialect, pages: int) -> list[str]:
    """Return the contacts whose last change two runs did not read, an hour apart.

    Those that cannot be read, or whose stamp is wrong, are not among them.
    """
    seen, watermark = read_once(tenant, dialect, text_of_time(WATERMARK), pages)
    tenant.time += HOUR
    tenant.acts = []
    again, _ = read_once(tenant, dialect, watermark, pages)
    seen |= again
    excused = {*tenant.unreadable, *tenant.shown_stamps}
    return [
        each
        for each, changed in tenant.stamps.items()
        if changed >= WATERMARK
        and each not in excused
        and seen.get(each, "") < text_of_time(changed)
    ]


def named(stamps: list[float]) -> dict[str, float]:
    return {f"c{at:02}": WATERMARK + stamp for at, stamp in enumerate(stamps)}


STAMPS = st.lists(st.sampled_from([100.0] * 7 + [700.0, -100.0, -100.0, 100.5]), max_size=60)
"""Seconds after the watermark; most contacts are of one bulk update."""
ACTS = st.lists(
    st.builds(
        Act,
        before_call=st.integers(2, 25),
        kind=st.sampled_from(("edit", "edit", "add", "neighbours", "quarter", "all")),
        place=st.integers(0, 59),
    ),
    max_size=10,
)
BEHAVIOURS = st.builds(
    Behaviour,
    order=st.sampled_from(("asked", "asked", "oldest", "id", "created")),
    filter=st.sampled_from(("used", "used", "ignored", "refused")),
    behind=st.sampled_from(("empty", "empty", "400", "404", "500", "last page")),
    turns_equal_stamps=st.booleans(),
)
DIALECTS = st.builds(PleziDialect, pager=st.sampled_from(Pager), page_size=st.integers(3, 12))
PAGES = st.integers(1, 9)
SHORT_CALLS = st.lists(st.integers(2, 6), max_size=6).map(
    lambda steps: frozenset(accumulate(steps, initial=0)) - {0}
)
"""Calls of which no two follow each other."""
PLACES = st.sets(st.integers(0, 59), max_size=3)
WRONG_STAMPS = st.sampled_from(
    ("2099-01-01T00:00:00Z", "1999-01-01T00:00:00.000Z", None, "", "x", 5)
)
LAST_PAGE_AGAIN = Behaviour(behind="last page", turns_equal_stamps=False)
BY_ID = Behaviour("id", turns_equal_stamps=False)
FIRST_EDIT = Act(2, "edit", 0)
BULK = [100.0, 100.0, 700.0, 100.0]
OLD_PAGE = [-100.0, 100.0, 100.0, -100.0, -100.0, -100.0, 100.0]
ERROR_BEHIND = Behaviour(filter="ignored", behind="500", turns_equal_stamps=False)


@example([100.0] * 4, [], LAST_PAGE_AGAIN, PleziDialect(page_size=3), 1)
@given(STAMPS, ACTS, BEHAVIOURS, DIALECTS, PAGES)
def test_every_change_is_read_whatever_the_tenant_ignores(
    stamps: list[float], acts: list[Act], behaviour: Behaviour, dialect: PleziDialect, pages: int
) -> None:
    assert not left_out(Tenant(named(stamps), behaviour, acts), dialect, pages)


@example([100.0] * 11 + [100.5, 100.0], [], Behaviour("id"), 12, 13, 1)
@given(STAMPS, ACTS, BEHAVIOURS, st.integers(10, 12), st.integers(12, 40), PAGES)
def test_every_change_is_read_where_the_tenant_limits_the_size_of_a_page(
    stamps: list[float], acts: list[Act], behaviour: Behaviour, limit: int, size: int, pages: int
) -> None:
    tenant = Tenant(named(stamps), behaviour, acts)
    tenant.behaviour = Behaviour(behaviour.order, behaviour.filter, limit)
    assert not left_out(tenant, PleziDialect(page_size=size), pages)


@example(OLD_PAGE, Behaviour("id", "ignored"), PleziDialect(page_size=3), 1, {1})
@example([100.0] * 4, ERROR_BEHIND, PleziDialect(page_size=3), 1, {1, 2})
@example([100.0] * 2, ERROR_BEHIND, PleziDialect(page_size=3), 1, {0})
@example([100.0] * 2, LAST_PAGE_AGAIN, PleziDialect(page_size=3), 1, {0})
@example([100.0] * 2, LAST_PAGE_AGAIN, PleziDialect(page_size=5), 2, {0})
@given(STAMPS, BEHAVIOURS, DIALECTS, PAGES, PLACES)
def test_every_other_change_is_read_where_contacts_cannot_be(
    stamps: list[float],
    behaviour: Behaviour,
    dialect: PleziDialect,
    pages: int,
    places: set[int],
) -> None:
    unreadable = frozenset(f"c{place:02}" for place in places)
    assume(not stamps or len(unreadable) < len(stamps))  # a list that fails as a whole
    tenant = Tenant(named(stamps), behaviour, [], unreadable)
    assert not left_out(tenant, dialect, pages)


@example([100.0] + [700.0] * 3, [], Behaviour("created"), PleziDialect(page_size=3), 1, {})
@example([100.0] * 2, [Act(2, "edit", 0)], LAST_PAGE_AGAIN, PleziDialect(page_size=3), 1, {})
@example([100.0] * 2, [Act(5, "edit", 0)], LAST_PAGE_AGAIN, PleziDialect(page_size=3), 1, {})
@given(
    STAMPS,
    ACTS,
    BEHAVIOURS,
    DIALECTS,
    PAGES,
    st.dictionaries(st.integers(0, 59), WRONG_STAMPS, max_size=3),
)
def test_every_other_change_is_read_where_stamps_are_wrong(
    stamps: list[float],
    acts: list[Act],
    behaviour: Behaviour,
    dialect: PleziDialect,
    pages: int,
    wrong: dict[int, object],
) -> None:
    shown = {f"c{place:02}": stamp for place, stamp in wrong.items()}
    tenant = Tenant(named(stamps), behaviour, acts, shown_stamps=shown)
    assert not left_out(tenant, dialect, pages)


@example(
    [100.0, 100.0, 100.5, 100.0], [FIRST_EDIT], BY_ID, PleziDialect(page_size=3), 1, frozenset()
)
@example([-100.0, *BULK], [FIRST_EDIT], BY_ID, PleziDialect(page_size=3), 1, frozenset())
@given(STAMPS, ACTS, BEHAVIOURS, DIALECTS, PAGES, SHORT_CALLS)
def test_every_change_is_read_where_some_answers_lack_contacts(
    stamps: list[float],
    acts: list[Act],
    behaviour: Behaviour,
    dialect: PleziDialect,
    pages: int,
    short_calls: frozenset[int],
) -> None:
    tenant = Tenant(named(stamps), behaviour, acts, short_calls=short_calls)
    assert not left_out(tenant, dialect, pages)


def test_an_edit_during_the_first_calls_does_not_make_the_whole_list_be_read() -> None:
    dialect = PleziDialect(page_size=10, changed_since=ChangedSince.NONE)
    stamps = named([-50_000.0 + at for at in range(1_000)] + [100.0] * 3)
    for call in (2, 3):
        tenant = Tenant(dict(stamps), Behaviour(), [Act(call, "edit", 3)])
        read_once(tenant, dialect, text_of_time(WATERMARK), pages=1_000)
        assert tenant.calls <= 3


@pytest.mark.parametrize("page_size", [10, 100])
def test_a_contact_that_an_answer_lacks_is_found_where_the_tenant_limits_its_pages(
    page_size: int,
) -> None:
    dialect = PleziDialect(page_size=page_size)
    for call in range(5, 12):
        tenant = Tenant(named([100.0] * 35), Behaviour(filter="ignored", limit=10), [])
        tenant.short_calls = frozenset({call})
        seen, _ = read_once(tenant, dialect, text_of_time(WATERMARK), pages=1_000)
        assert len(seen) == 35
