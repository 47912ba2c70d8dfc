"""What is late, and what only seems to be."""

from __future__ import annotations

from dataclasses import replace

from connector.model import Link, Observation, RecordKind
from connector.planning.observation import apply_observation, is_possibly_stale

HELD = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 10_000.0, {"Phone": "1"})
LINK = Link("a@x.fr", salesforce=(HELD,))


def says(version: str, as_of: float) -> str:
    """What the link holds of the Lead after a reading that says 2."""
    seen = replace(HELD, version=version, as_of=as_of, values={"Phone": "2"})
    [lead] = apply_observation(LINK, seen).salesforce
    return str(lead.values["Phone"])


def test_a_reading_that_began_before_our_last_write_was_answered_is_ignored() -> None:
    assert says("2", 9_999.0) == says("1", 9_999.0) == "1"


def test_a_reading_begun_since_is_kept() -> None:
    assert says("2", 10_001.0) == says("1", 10_001.0) == "2"


def test_an_older_version_is_ignored_whenever_it_was_read() -> None:
    assert says("0", 10_001.0) == "1"


def test_what_is_ignored_for_our_clock_alone_is_doubtful() -> None:
    assert is_possibly_stale(LINK, replace(HELD, version="2", as_of=6_400.0))
    assert not is_possibly_stale(LINK, replace(HELD, version="1", as_of=6_400.0))
    assert not is_possibly_stale(LINK, replace(HELD, version="2", as_of=10_001.0))
    assert not is_possibly_stale(LINK, replace(HELD, id="another", version="2", as_of=6_400.0))
