"""Saving a mapping: the changes are shown and confirmed, then it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plezi_sync.commands.mapping.show import PATH
from plezi_sync.mapping_document import Change, used_pairs
from plezi_sync.output.texts import clean, count
from plezi_sync.refusals import problem_lines
from plezi_sync.session import Answer, Session

BODY_MEMBERS = (
    "version",
    "contact_filter",
    "lead_filter",
    "duplicates",
    "create_lead_beside_contact",
    "phone_region",
)
"""What a save sends beside the pairs: not what the view of a mapping adds."""


def print_changes(session: Session, found: Sequence[Change]) -> None:
    """Print one line for each change; in the JSON form nothing is printed."""
    if session.as_json:
        return
    session.say(f"{count(len(found), 'change')}:" if found else "No change.")
    for change in found:
        session.say(f"  {clean(str(change))}")


def save(session: Session, mapping: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> None:
    """Save a mapping with other pairs, and print the result.

    Raises `RefusedError`, with each problem and its remedy, when it is not valid.
    """
    body = {name: mapping[name] for name in BODY_MEMBERS} | {"pairs": used_pairs({"pairs": pairs})}
    print_saved(session, session.request("PUT", PATH, body))


def print_saved(session: Session, answer: Answer) -> None:
    """Print the result of a save: the version, the warnings, and what to do next."""
    if session.as_json:
        session.print_json(answer)
        return
    body = answer.body
    if not body["changed"]:
        session.say(f"Nothing to save: version {body['mapping']['version']} is the same.")
        return
    session.say(f"Saved as version {body['mapping']['version']}.")
    for line in problem_lines(body["warnings"]):
        session.say(f"Warning:{line[1:]}")
    if body["manual_sync_due"]:
        session.say("It applies to what changes from now on, and to all people with:")
        session.say("  plezi-sync preview         to see first what that does")
        session.say("  plezi-sync mapping apply")
