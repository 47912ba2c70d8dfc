"""Observe with versions (rule 2): what an observation changes in what we knew of a link."""

from __future__ import annotations

from dataclasses import replace

from connector.model import Link, Observation


def apply_observation(link: Link, seen: Observation) -> Link:
    """Return the link as it is after an observation; the same object when that says nothing new.

    Ignored, as late or out of order: an observation of an older version, and one whose reading
    began before the last thing we heard of that record (a write's answer included; see `is_possibly_stale`).
    Equal versions with other words are kept: stamps of Salesforce have whole seconds.
    """
    held = link.observation(seen.id)
    if held is None:
        return replace(link.with_observation(seen), dirty=True)
    if seen.version < held.version or seen.as_of < held.as_of:
        return link
    if is_echo(held, seen):
        return link
    return replace(link.with_observation(seen), dirty=True)


def is_possibly_stale(link: Link, seen: Observation) -> bool:
    """Whether an observation that `apply_observation` ignores may be news all the same: it must be read again.

    Its version is one that we do not know. It may be our own write's, whose answer told none; it
    may also be an edit, read before that answer, or after it by a clock that was set back.
    """
    held = link.observation(seen.id)
    return held is not None and seen.as_of < held.as_of and seen.version > held.version


def is_echo(held: Observation, seen: Observation) -> bool:
    """Whether nothing that matters differs: an echo of our own write, or noise."""
    return (
        held.values == seen.values
        and held.email == seen.email
        and held.eligible == seen.eligible
        and held.converted == seen.converted
        and held.deleted == seen.deleted
        and held.successor == seen.successor
    )


def apply_fresh_read(link: Link, seen: Observation) -> Link:
    """Return the link with a fresh reading of a record, even one that says nothing new.

    Used just before a write: the version and the instant of the reading are what the write rests
    on. An older version than the one held is ignored here too.
    """
    held = link.observation(seen.id)
    if held is not None and seen.version < held.version:
        return link
    return link.with_observation(seen)


def mark_deleted(link: Link, record: str) -> Link:
    """Return the link after positive evidence that a record is gone: nothing is written to it."""
    held = link.observation(record)
    if held is None or held.deleted:
        return link
    return replace(link.with_observation(replace(held, deleted=True)), dirty=True)
