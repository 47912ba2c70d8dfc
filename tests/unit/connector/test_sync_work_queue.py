"""The work lists of a run: what is put on them, and in which order they are visited."""

from __future__ import annotations

from typing import Final

import pytest

from connector.model import Progress, WorkList
from connector.sync.work_queue import WorkQueue
from tests.unit.connector.sync_fixtures import RUN, SyncSetup, agreed, progress_of

EARLIER: Final = "run-0"
MANY: Final = tuple(f"{number:04}@x.fr" for number in range(2001))


def queue_of(setup: SyncSetup) -> WorkQueue:
    return WorkQueue(setup.context, setup.run())


def setup_with_lists(number: int, *, first: int = 0) -> SyncSetup:
    """Return a setup whose run has lists of one person each, and an earlier run two more."""
    setup = SyncSetup()
    setup.request()
    for each in range(first, number):
        setup.list_links(each, f"{each}@x.fr")
    for each in (0, 1):
        setup.ledger.save_work(WorkList(EARLIER, each), [f"earlier-{each}@x.fr"])
    return setup


def test_each_person_is_listed_once_in_the_order_given() -> None:
    setup = SyncSetup()
    setup.request(progress=Progress(lists=2))
    queue = queue_of(setup)

    progress = queue.add(["b@x.fr", "a@x.fr", "b@x.fr"])

    assert progress == Progress(lists=1, listed=2)
    assert setup.lists() == {(RUN, 2): ("b@x.fr", "a@x.fr")}
    assert queue.number == 3


def test_a_list_has_at_most_a_thousand_people() -> None:
    setup = SyncSetup()
    setup.request()
    queue = queue_of(setup)

    assert queue.add(MANY) == Progress(lists=3, listed=2001)
    assert setup.lists() == {
        (RUN, 0): MANY[:1000],
        (RUN, 1): MANY[1000:2000],
        (RUN, 2): MANY[2000:],
    }
    assert queue.add([]) == Progress()
    assert queue.number == 3


def test_dirty_links_on_no_list_are_put_on_lists_of_the_run() -> None:
    setup = SyncSetup()
    setup.request(progress=Progress(lists=1, listed=1, resolved=1))
    setup.store(*(agreed(email, dirty=True) for email in MANY[:1001]))
    setup.store(agreed("clean@x.fr"))
    setup.store(agreed("listed@x.fr", dirty=True), listed=True)

    queue_of(setup).adopt_unlisted()

    assert setup.lists() == {(RUN, 1): MANY[:1000], (RUN, 2): MANY[1000:1001]}
    assert progress_of(setup.run()) == (3, 1002, 1)


def test_the_newest_lists_of_the_run_come_first_and_those_of_earlier_runs_last() -> None:
    queue = queue_of(setup_with_lists(3))

    assert list(queue.lists()) == [
        (WorkList(RUN, 2), ("2@x.fr",)),
        (WorkList(RUN, 1), ("1@x.fr",)),
        (WorkList(RUN, 0), ("0@x.fr",)),
        (WorkList(EARLIER, 0), ("earlier-0@x.fr",)),
        (WorkList(EARLIER, 1), ("earlier-1@x.fr",)),
    ]


@pytest.mark.parametrize(
    ("after", "first", "expected"),
    [
        (None, 0, [(RUN, 2), (RUN, 1), (RUN, 0), (EARLIER, 0), (EARLIER, 1)]),
        (WorkList(RUN, 1), 0, [(RUN, 0), (EARLIER, 0), (EARLIER, 1)]),
        (WorkList(RUN, 0), 0, [(EARLIER, 0), (EARLIER, 1)]),
        (WorkList(EARLIER, 0), 0, [(EARLIER, 1)]),
        (WorkList(EARLIER, 1), 0, []),
        (None, 1, [(RUN, 2), (RUN, 1)]),
        (WorkList(RUN, 2), 1, [(RUN, 1)]),
        (None, 3, []),
    ],
)
def test_the_lists_behind_a_place_are_visited(
    after: WorkList | None, first: int, expected: list[tuple[str, int]]
) -> None:
    queue = queue_of(setup_with_lists(3))

    found = [(work.run_id, work.number) for work, _ in queue.lists(after, first)]

    assert found == expected


@pytest.mark.parametrize(
    ("after", "first", "expected"),
    [(None, 0, [2, 1, 0]), (WorkList(RUN, 2), 0, [1, 0]), (None, 1, [2, 1])],
)
def test_only_the_lists_of_the_run_are_its_own(
    after: WorkList | None, first: int, expected: list[int]
) -> None:
    queue = queue_of(setup_with_lists(3))

    assert [work.number for work, _ in queue.own_lists(after, first)] == expected


def test_a_list_that_was_added_or_is_done_shows_at_once() -> None:
    setup = setup_with_lists(3)
    queue = queue_of(setup)

    queue.add(["new@x.fr"])
    queue.keep(WorkList(RUN, 1), [])
    queue.keep(WorkList(RUN, 0), ["left@x.fr"])

    assert list(queue.own_lists()) == [
        (WorkList(RUN, 3), ("new@x.fr",)),
        (WorkList(RUN, 2), ("2@x.fr",)),
        (WorkList(RUN, 0), ("left@x.fr",)),
    ]


def test_more_lists_than_one_call_reads_are_all_visited() -> None:
    setup = setup_with_lists(45)
    for each in range(2, 45):
        setup.ledger.save_work(WorkList(EARLIER, each), ["earlier@x.fr"])

    found = [(work.run_id, work.number) for work, _ in queue_of(setup).lists()]

    assert found == [
        *((RUN, number) for number in range(44, -1, -1)),
        *((EARLIER, number) for number in range(45)),
    ]


def test_the_lists_of_a_run_that_began_later_are_visited_too() -> None:
    setup = setup_with_lists(1)
    setup.ledger.save_work(WorkList("run-2", 0), ["later@x.fr"])

    found = [work.run_id for work, _ in queue_of(setup).lists()]

    assert found == [RUN, EARLIER, EARLIER, "run-2"]
