"""Observations that are late, and observations that only seem to be."""

from __future__ import annotations

from dataclasses import replace

from connector.model import Link, Observation, RecordKind
from connector.planning.observation import (
    READ_LAG_SECONDS,
    WRITE_LAG_SECONDS,
    after_write,
    apply_fresh_read,
    apply_observation,
    is_possibly_stale,
    mark_deleted,
)

KNOWN = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 10_000.0, {"Phone": "1"})
LINK = Link("a@x.fr", salesforce=(KNOWN,))


def phone_after(version: str, as_of: float) -> str:
    """Return the phone of the Lead in the link after an observation with phone 2."""
    observation = replace(KNOWN, version=version, as_of=as_of, values={"Phone": "2"})
    [lead] = apply_observation(LINK, observation).salesforce
    return str(lead.values["Phone"])


def test_a_read_that_started_before_the_last_write_response_is_ignored() -> None:
    assert phone_after("2", 9_999.0) == phone_after("1", 9_999.0) == "1"


def test_a_read_that_started_after_it_is_kept() -> None:
    assert phone_after("2", 10_001.0) == phone_after("1", 10_001.0) == "2"


def test_an_older_version_is_ignored_while_its_system_may_be_late_to_show_the_newer_one() -> None:
    assert phone_after("0", 10_001.0) == "1"
    assert phone_after("0", 10_000.0 + READ_LAG_SECONDS) == "1"


def test_an_older_version_that_is_still_shown_later_is_the_state_of_the_record() -> None:
    assert phone_after("0", 10_001.0 + READ_LAG_SECONDS) == "2"
    read = replace(KNOWN, version="0", as_of=10_001.0 + READ_LAG_SECONDS)
    assert apply_fresh_read(LINK, read).salesforce == (read,)


def test_an_observation_ignored_only_because_of_our_clock_is_possibly_stale() -> None:
    assert is_possibly_stale(LINK, replace(KNOWN, version="2", as_of=6_400.0))
    assert not is_possibly_stale(LINK, replace(KNOWN, version="1", as_of=6_400.0))
    assert not is_possibly_stale(LINK, replace(KNOWN, version="2", as_of=10_001.0))
    assert not is_possibly_stale(LINK, replace(KNOWN, version="2"))
    assert not is_possibly_stale(LINK, replace(KNOWN, id="another", version="2", as_of=6_400.0))


def test_a_record_that_is_seen_for_the_first_time_is_planned() -> None:
    second = replace(KNOWN, id="l2")

    assert apply_observation(LINK, second) == replace(LINK, salesforce=(KNOWN, second), dirty=True)


def test_a_fresh_read_replaces_the_known_state_although_nothing_differs() -> None:
    """The next write is based on its version and its time."""
    read = replace(KNOWN, version="2", as_of=10_001.0)

    assert apply_fresh_read(LINK, read) == replace(LINK, salesforce=(read,))


def test_a_fresh_read_of_an_older_state_is_ignored_while_its_system_may_be_late() -> None:
    assert apply_fresh_read(LINK, replace(KNOWN, version="0", as_of=10_001.0)) is LINK


def test_a_fresh_read_of_a_record_that_is_not_known_yet_is_kept() -> None:
    second = replace(KNOWN, id="l2")

    assert apply_fresh_read(LINK, second).salesforce == (KNOWN, second)


def test_a_record_that_is_proven_to_be_deleted_is_planned_as_deleted() -> None:
    other = replace(KNOWN, id="l2")
    link = replace(LINK, salesforce=(KNOWN, other))

    assert mark_deleted(link, "l") == replace(
        link, salesforce=(replace(KNOWN, deleted=True), other), dirty=True
    )


def test_the_proof_about_a_record_that_is_deleted_already_or_not_known_changes_nothing() -> None:
    deleted = replace(LINK, salesforce=(replace(KNOWN, deleted=True),))

    assert mark_deleted(deleted, "l") is deleted
    assert mark_deleted(LINK, "another") is LINK


CONTACT = Observation(
    RecordKind.PLEZI_CONTACT,
    "p",
    "a@x.fr",
    "",
    "",
    100.0,
    {"email": "a@x.fr", "phone": "1", "function": None},
)
WRITTEN = replace(CONTACT, as_of=200.0, values={**CONTACT.values, "phone": "2"})
"""The contact before and after our own write, in a Plezi that returns no version."""


def read_after_write(observation: Observation, written: Observation = WRITTEN) -> Observation:
    """Return what is known of the contact once it was written, and then read."""
    link = Link("a@x.fr", plezi=after_write(CONTACT, written))
    after = apply_observation(link, observation).plezi
    fresh = apply_fresh_read(link, observation).plezi
    assert after is not None
    assert fresh is not None
    assert fresh.values == after.values
    return after


def test_the_state_before_our_write_is_no_edit_as_long_as_a_system_may_be_late() -> None:
    late = replace(CONTACT, as_of=200.0 + WRITE_LAG_SECONDS)

    assert read_after_write(late).values == WRITTEN.values
    later = replace(late, as_of=201.0 + WRITE_LAG_SECONDS)
    assert read_after_write(later) == later


def test_any_other_state_after_our_write_is_what_a_user_typed() -> None:
    values = CONTACT.values
    for typed in ({"phone": "3"}, {"phone": "2", "function": "CEO"}, {"function": "CEO"}):
        read = replace(CONTACT, as_of=210.0, values={**values, **typed})
        assert read_after_write(read) == read
    deleted = replace(CONTACT, as_of=210.0, deleted=True)
    assert read_after_write(deleted) == deleted


def test_the_state_before_our_write_is_no_edit_when_a_new_mapping_reads_other_fields() -> None:
    """A pair was removed, or added, between the write and a late reading."""
    fewer = {"email": "a@x.fr", "phone": "1"}
    more = {**CONTACT.values, "mobile": "3"}
    for values in (fewer, more):
        assert read_after_write(replace(CONTACT, as_of=210.0, values=values)) == replace(
            WRITTEN, replaced={"phone": "1"}
        )

    without_the_written_field = {"email": "a@x.fr", "function": None}
    read = replace(CONTACT, as_of=210.0, values=without_the_written_field)
    assert read_after_write(read) == read


def test_the_former_email_after_our_write_of_another_one_is_no_edit() -> None:
    written = replace(
        CONTACT, as_of=200.0, email="b@x.fr", values={**CONTACT.values, "email": "B@x.fr"}
    )
    late = replace(CONTACT, as_of=210.0)

    assert read_after_write(late, written).email == "b@x.fr"
    moved = replace(late, email="c@x.fr", values={**CONTACT.values, "email": "c@x.fr"})
    assert read_after_write(moved, written) == moved


def test_the_state_before_two_writes_is_no_edit_unless_the_first_was_long_ago() -> None:
    once = after_write(CONTACT, WRITTEN)
    values = {**WRITTEN.values, "function": "CEO"}
    twice = after_write(once, replace(WRITTEN, as_of=200.0 + WRITE_LAG_SECONDS, values=values))
    assert twice.replaced == {"phone": "1", "function": None}
    later = after_write(once, replace(WRITTEN, as_of=201.0 + WRITE_LAG_SECONDS, values=values))
    assert later.replaced == {"function": None}


def test_a_version_tells_the_state_before_our_write() -> None:
    known = replace(CONTACT, version="1")
    written = replace(WRITTEN, version="2")
    assert after_write(known, written) == written

    link = Link("a@x.fr", plezi=after_write(known, replace(WRITTEN, version="1")))
    edited = replace(CONTACT, version="2", as_of=210.0)
    assert apply_observation(link, edited).plezi == edited


def test_salesforce_shows_a_write_at_once_so_that_its_former_values_are_not_kept() -> None:
    written = replace(KNOWN, as_of=10_001.0, values={"Phone": "2"})
    assert after_write(KNOWN, written) == written


def test_a_field_that_the_response_does_not_have_was_not_replaced() -> None:
    assert after_write(CONTACT, replace(WRITTEN, values={"phone": "2"})).replaced == {"phone": "1"}
