"""What a write's answer changes in what we know, and when the link is still to be looked at."""

from __future__ import annotations

from dataclasses import replace

from connector.model import Intent, Kind, Link, Observation, Settlement, Write
from connector.plan import Outcome, Result, record

HELD = Observation(Kind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": "1", "mobile": None})
WRITE = Write(Kind.PLEZI_CONTACT, "p", "a@x.fr", {"mobile": "2"}, {"mobile": None}, "1")
SETTLEMENT = Settlement(
    "MobilePhone",
    {"p": ("mobile", "2"), "l": ("MobilePhone", "2")},
    frozenset({"p"}),
)
LINK = Link(
    "a@x.fr",
    plezi=HELD,
    base={"p": {"phone": "1"}, "l": {"Phone": "1"}},
    intent=Intent("i", "r", 0.0, (WRITE,), (SETTLEMENT,)),
    dirty=True,
)


def answered(**values: str) -> Link:
    seen = replace(HELD, version="2", values={"phone": "1", "mobile": "2", **values})
    outcome = Outcome(WRITE, Result.DONE, "p", 2.0, seen=seen)
    return record(LINK, "i", {"p": outcome}, undisturbed=True, now=2.0)


def test_an_answer_that_shows_what_was_written_settles_the_link() -> None:
    after = answered()
    assert not after.dirty
    assert after.base["p"]["mobile"] == "2"


def test_an_answer_that_shows_an_edit_of_another_field_leaves_the_link_to_be_looked_at() -> None:
    after = answered(phone="3")
    assert after.dirty
    assert after.base["p"]["phone"] == "1"


def test_a_value_that_the_side_tidies_is_no_news() -> None:
    after = answered(mobile="02")
    assert not after.dirty
    assert after.base["p"]["mobile"] == "02"
