"""The size of a page: smaller after a failure, larger again behind the rows that failed."""

from __future__ import annotations

from connector.salesforce.page_size import PageSize


def test_a_page_that_fails_again_and_again_has_one_record_in_the_end() -> None:
    size = PageSize()
    limits = [size.limit]
    while not size.is_smallest:
        size.reduce()
        limits.append(size.limit)

    assert limits == [0, 200, 20, 1]


def test_a_page_becomes_larger_again_behind_the_rows_that_failed() -> None:
    size = PageSize()
    for _ in range(3):
        size.reduce()
    limits = []
    for _ in range(20 + 9 + 9):
        limits.append(size.limit)
        size.report(size.limit)

    assert limits == [1] * 20 + [20] * 9 + [200] * 9
    assert size.limit == 0


def test_the_records_behind_one_that_fails_alone_are_read_together() -> None:
    size = PageSize()
    for _ in range(3):
        size.reduce()
    size.report_alone()

    assert size.limit == 200


def test_records_that_fail_alone_side_by_side_are_passed_one_by_one() -> None:
    size = PageSize()
    for _ in range(3):
        size.reduce()
    size.report_alone()
    size.reduce()
    size.reduce()
    limits = []
    for _ in range(5):
        size.report_alone()
        limits.append(size.limit)
    size.report(1)

    assert limits == [1] * 5
    assert size.limit == 200


def test_another_invocation_goes_on_with_the_size_that_was_reached() -> None:
    assert [PageSize(limit).limit for limit in (0, 200, 20, 1, 7)] == [0, 200, 20, 1, 0]
