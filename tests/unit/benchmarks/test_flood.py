"""The model of a flood: the bucket and the firewall do what the guides of AWS say."""

from __future__ import annotations

from benchmarks.flood import WAF_DELAY, Firewall, TokenBucket, flood


def test_a_bucket_passes_its_burst_at_once_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=20, burst=40)
    assert sum(bucket.takes(0.0) for _ in range(100)) == 40
    assert sum(bucket.takes(1.0) for _ in range(100)) == 20


def test_the_firewall_blocks_a_source_above_the_limit_until_it_is_below() -> None:
    firewall = Firewall(limit=10)
    for _ in range(11):
        assert not firewall.blocks(1, 0.0)
    assert firewall.blocks(1, WAF_DELAY + 10)
    assert not firewall.blocks(2, WAF_DELAY + 11)
    assert not firewall.blocks(1, 1_000.0)


def test_an_honest_form_is_late_in_a_flood_and_never_lost() -> None:
    without = flood("", sources=1, has_firewall=False)
    with_firewall = flood("", sources=1, has_firewall=True)

    assert without.forged_reaching <= 20.1
    assert 0.1 < without.honest_first < 0.3
    assert with_firewall.honest_first > 0.95
    assert with_firewall.forged_reaching < 1
    assert (without.lost, with_firewall.lost) == (0, 0)
