"""The effect of an observation on a link: an older state never replaces a newer one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.mapping import have_same_values
from connector.model import Link, Observation

READ_LAG_SECONDS: Final = 600.0
"""How long a system may show an older state than one that it has shown (assumed; readings overlap
by the same ten minutes). What it still shows later is the truth: the newer stamp was wrong."""


def apply_observation(link: Link, observation: Observation) -> Link:
    """Return the link after an observation; the same object if nothing relevant changed.

    Two observations are ignored as late or out of order: one with an older version, unless it is
    read so much later that it cannot be late (see `is_outdated`), and one whose read started before
    the last read or write response of that record (see `is_possibly_stale`). Equal versions with
    different values are kept: timestamps of Salesforce have whole seconds.
    """
    known = link.observation(observation.id)
    if known is None:
        return replace(link.with_observation(observation), dirty=True)
    if is_outdated(known, observation) or observation.as_of < known.as_of:
        return link
    if is_echo(known, observation):
        return link
    return replace(link.with_observation(observation), dirty=True)


def is_outdated(known: Observation, observation: Observation) -> bool:
    """Whether an observation has an older version, and its system may still be late to show ours.

    A stamp in the future would else hide every later edit of its record for ever.
    """
    is_older = observation.version < known.version
    return is_older and observation.as_of <= known.as_of + READ_LAG_SECONDS


def is_possibly_stale(link: Link, observation: Observation) -> bool:
    """Whether an observation that `apply_observation` ignores must be read again.

    Its version is not known yet. It may come from our own write, whose response had no version. It
    may also come from an edit that was read before that response, or after it by a clock that was
    set back.
    """
    known = link.observation(observation.id)
    return (
        known is not None
        and observation.as_of < known.as_of
        and observation.version > known.version
    )


def is_echo(known: Observation, observation: Observation) -> bool:
    """Whether nothing relevant differs: an echo of our own write, or a change of other fields."""
    return (
        have_same_values(known.values, observation.values)
        and known.unreadable == observation.unreadable
        and known.email == observation.email
        and known.eligible == observation.eligible
        and known.converted == observation.converted
        and known.deleted == observation.deleted
        and known.successor == observation.successor
    )


def apply_fresh_read(link: Link, observation: Observation) -> Link:
    """Return the link with a fresh observation of a record, even if its values are the same.

    Used just before a write, which is based on the version and the time of this read. An outdated
    observation is ignored here too.
    """
    known = link.observation(observation.id)
    if known is not None and is_outdated(known, observation):
        return link
    return link.with_observation(observation)


def mark_deleted(link: Link, record_id: str) -> Link:
    """Return the link after proof that a record is deleted: nothing is written to it."""
    known = link.observation(record_id)
    if known is None or known.deleted:
        return link
    return replace(link.with_observation(replace(known, deleted=True)), dirty=True)
