"""The rolling count of API requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local.salesforce_org.quota import ENTERPRISE, Quota

NOW = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)


def test_requests_are_not_counted_after_twenty_four_hours() -> None:
    quota = Quota()
    assert quota.maximum == ENTERPRISE
    for minutes in (0, 0, 30, 60):
        quota.count(NOW + timedelta(minutes=minutes))
    assert quota.used(NOW + timedelta(minutes=60)) == 4
    assert quota.used(NOW + timedelta(hours=24)) == 2
    assert quota.used(NOW + timedelta(hours=24, minutes=30)) == 1
    assert quota.used(NOW + timedelta(days=3)) == 0


def test_the_count_can_be_replaced() -> None:
    quota = Quota(maximum=100)
    quota.count(NOW)
    quota.set(99, NOW)
    quota.count(NOW)
    assert quota.used(NOW) == 100
    assert quota.used(NOW + timedelta(days=1)) == 0
