"""Numbers, dates and times in the texts of both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connector.mapping.literals import (
    canonical_number,
    format_stamp,
    format_time,
    parse_date,
    parse_number,
    parse_time,
    round_number,
    to_json_number,
    to_utc,
)

PARIS = timezone(timedelta(hours=1))
NOON = datetime(2026, 3, 1, 12, 30, 15, 123_956, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "scale", "number"),
    [
        ("abc", None, None),
        ("", None, None),
        ("nan", None, None),
        ("-inf", 2, None),
        ("0", None, "0"),
        ("-0.00", None, "0"),
        ("0e999999", 2, "0"),
        ("0.004", 2, "0"),
        ("25.0", None, "25"),
        ("2500", None, "2500"),
        ("+1_000", None, "1000"),
        ("1e3", 0, "1000"),
        ("12.345", None, "12.345"),
        ("12.345", 2, "12.35"),
        ("-12.345", 2, "-12.35"),
        ("2.5", 0, "3"),
        ("0.1234567890123455", None, "0.123456789012346"),
        ("123456789012345678", None, "123456789012346000"),
        ("1234567890123456789", None, "1234567890123456789"),
        ("12e398", None, "12" + "0" * 398),
        ("10e399", None, "1E+400"),
        ("-12e399", None, "-1.2E+400"),
        ("12e-400", None, "0." + "0" * 398 + "12"),
        ("10e-401", None, "1E-400"),
    ],
)
def test_a_number_is_compared_without_zeros_at_its_end(
    text: str, scale: int | None, number: str | None
) -> None:
    assert canonical_number(text, scale) == number


@pytest.mark.parametrize(
    ("number", "scale", "rounded"),
    [
        ("12.345", None, "12.345"),
        ("12.345", 2, "12.35"),
        ("-0.5", 0, "-1"),
        ("7", 2, "7.00"),
        ("1E+999999", 2, "1E+999999"),
    ],
)
def test_a_half_is_rounded_away_from_zero(number: str, scale: int | None, rounded: str) -> None:
    assert str(round_number(Decimal(number), scale)) == rounded


@pytest.mark.parametrize(
    ("number", "converted"),
    [
        ("0", 0),
        ("-0.00", 0),
        ("25.00", 25),
        ("0.5", 0.5),
        ("-12.25", -12.25),
        ("12345678901234567890", 12345678901234567890),
        ("1E-999999", 0.0),
        ("1E+400", None),
        ("-1E+400", None),
        ("NaN", None),
    ],
)
def test_a_number_becomes_one_of_json_if_it_fits(number: str, converted: float | None) -> None:
    result = to_json_number(Decimal(number))

    assert (result, type(result)) == (converted, type(converted))


@pytest.mark.parametrize(("text", "number"), [("1.50", Decimal("1.5")), ("1,5", None), ("", None)])
def test_a_text_that_is_no_number_is_none(text: str, number: Decimal | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("20260301", date(2026, 3, 1)),
        ("2026-03-01T23:30:00Z", date(2026, 3, 1)),
        ("2026-03-01 23:30", date(2026, 3, 1)),
        ("2026-03-01?", None),
        ("2026-03-01T25:00", None),
        ("2026-02-30", None),
        ("tomorrow", None),
        ("", None),
        ("20260301ab", None),
        ("2026030112", None),
        ("2026W097ab", None),
    ],
)
def test_a_date_is_that_of_a_whole_date_or_time(text: str, day: date | None) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T12:30:15.123956Z", NOON),
        ("2026-03-01T12:30:15.123956", NOON),
        ("2026-03-01T13:30:15.123956+01:00", NOON),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("noon", None),
    ],
)
def test_a_time_without_a_zone_is_in_utc(text: str, moment: datetime | None) -> None:
    assert parse_time(text) == moment


def test_a_time_keeps_its_zone_until_it_is_needed_in_utc() -> None:
    moment = parse_time("2026-03-01T13:30:15.123956+01:00")

    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=1)
    in_utc = to_utc(moment)
    assert in_utc == NOON
    assert in_utc.tzinfo is UTC


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=PARIS),
        datetime(9999, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=1))),
    ],
)
def test_a_time_that_has_no_year_in_utc_is_none(moment: datetime) -> None:
    assert to_utc(moment) is None


def test_a_stamp_has_milliseconds_and_a_value_has_whole_seconds() -> None:
    assert format_stamp(NOON) == "2026-03-01T12:30:15.123Z"
    assert format_stamp(NOON.replace(microsecond=0)) == "2026-03-01T12:30:15.000Z"
    assert format_time(NOON) == "2026-03-01T12:30:15.000Z"
