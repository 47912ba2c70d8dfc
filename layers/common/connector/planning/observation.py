"""The effect of an observation on a link: an older state never replaces a newer one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connector.clean_text import canonical_email
from connector.mapping import have_same_values, is_identical
from connector.mapping.model import EMAIL_PAIR
from connector.model import Link, Observation, Side

EMAIL_FIELDS: Final = {Side.PLEZI: EMAIL_PAIR.plezi, Side.SALESFORCE: EMAIL_PAIR.salesforce}
"""The field of each side that is the identity."""

READ_LAG_SECONDS: Final = 600.0
"""How long a system may show an older state than one that it has shown (assumed; readings overlap
by the same ten minutes). What it still shows later is the truth: the newer stamp was wrong."""
WRITE_LAG_SECONDS: Final = 60.0
"""How long a system may show the state before our own write (assumed). After as many seconds a
record is read again before a write rests on it (`reread.FRESH_SECONDS`)."""


def apply_observation(link: Link, observation: Observation) -> Link:
    """Return the link after an observation; the same object if nothing relevant changed.

    Three observations are ignored as late or out of order: one with an older version, unless it is
    read so much later that it cannot be late (see `is_outdated`), one whose read started before
    the last read or write response of that record (see `is_possibly_stale`), and one with the state
    before our own write (see `shows_replaced_values`). Other equal versions with
    different values are kept: timestamps of Salesforce have whole seconds.
    """
    known = link.observation(observation.id)
    if known is None:
        return replace(link.with_observation(observation), dirty=True)
    if is_outdated(known, observation) or observation.as_of < known.as_of:
        return link
    if shows_replaced_values(known, observation):
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


def shows_replaced_values(known: Observation, observation: Observation) -> bool:
    """Whether an observation shows exactly what our own write has just replaced, and nothing else.

    Without a version it looks the same as the edit of a user who has typed the former values again.
    Such an edit is seen by the next reading, after `WRITE_LAG_SECONDS`. A mapping that has changed
    since reads other fields: those that both readings have tell.
    """
    if observation.version != known.version or not known.replaced.keys() & observation.values:
        return False
    if observation.as_of > known.as_of + WRITE_LAG_SECONDS:
        return False
    values = {**known.values, **known.replaced}
    email = canonical_email(values.get(EMAIL_FIELDS[known.side])) or known.email
    names = values.keys() & observation.values.keys()
    before = replace(
        known,
        values={name: values[name] for name in names},
        email=email,
        uncertain=observation.uncertain,
    )
    shown = {name: observation.values[name] for name in names}
    return is_echo(before, replace(observation, values=shown))


def after_write(known: Observation, written: Observation) -> Observation:
    """Return the state of a record after our own write, with the values that it replaced.

    A state with a version of its own does not need them, nor does Salesforce, which shows a write
    at once. Those of a write just before are kept: Plezi may show the state before both.
    """
    if known.side is Side.SALESFORCE or written.version != known.version:
        return written
    replaced = {
        name: value
        for name, value in known.values.items()
        if name in written.values and not is_identical(value, written.values[name])
    }
    if written.as_of <= known.as_of + WRITE_LAG_SECONDS:
        replaced |= known.replaced
    return replace(written, replaced=replaced)


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
        and known.uncertain == observation.uncertain
        and known.email == observation.email
        and known.eligible == observation.eligible
        and known.converted == observation.converted
        and known.deleted == observation.deleted
        and known.successor == observation.successor
    )


def apply_fresh_read(link: Link, observation: Observation) -> Link:
    """Return the link with a fresh observation of a record, even if its values are the same.

    Used just before a write, which is based on the version and the time of this read. An outdated
    observation is ignored here too, and one with the state before our own write.
    """
    known = link.observation(observation.id)
    if known is not None and (
        is_outdated(known, observation) or shows_replaced_values(known, observation)
    ):
        return link
    return link.with_observation(observation)


def mark_deleted(link: Link, record_id: str) -> Link:
    """Return the link after proof that a record is deleted: nothing is written to it."""
    known = link.observation(record_id)
    if known is None or known.deleted:
        return link
    return replace(link.with_observation(replace(known, deleted=True)), dirty=True)
