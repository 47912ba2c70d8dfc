"""`errors`: people whose writes were refused, grouped by the cause, and another try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.errors import ProblemError, UsageError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import SIDES, count, local_time
from plezi_sync.review_queue import (
    PAGE,
    PATH,
    decide_each,
    decide_pages,
    first_page,
    people,
    print_decided,
    print_each,
    print_requested,
)
from plezi_sync.session import Session, segment

KIND: Final = "quarantine"
SHOWN_PEOPLE: Final = 3
Cause = tuple[str, str, str]
"""Side, code and fields of a refusal."""


def list_errors(
    session: Session,
    *,
    cause: Annotated[str, typer.Option(help="The people of one cause, by its code.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="With --json: people.")] = PAGE,
    after: Annotated[str, typer.Option("--next", help="With --json: the page after.")] = "",
) -> None:
    """List the refused writes, grouped by cause, with the remedy of each."""
    if session.as_json:
        session.print_json(first_page(session, KIND, limit=limit, after=after))
        return
    found = [person for person in people(session, KIND) if cause in ("", _code(person))]
    if not found:
        session.say(f"No contact has the error {cause}." if cause else "No write is refused.")
        return
    if cause:
        _print_people(session, found)
    else:
        _print_causes(session, found)
    session.say("Try again: plezi-sync errors retry E-MAIL (or --cause CODE, or --all)")


def retry(
    session: Session,
    email: Annotated[str, typer.Argument(help="One person.")] = "",
    *,
    cause: Annotated[str, typer.Option(help="All people of one cause, by its code.")] = "",
    all_people: Annotated[bool, typer.Option("--all", help="All people with an error.")] = False,
) -> None:
    """Try refused writes again, once their cause is corrected.

    The exit status is 4 when somebody changed at the same time, so that no try was requested.
    """
    if sum((bool(email), bool(cause), all_people)) != 1:
        raise UsageError("Give one e-mail, --cause or --all.")
    if email:
        print_requested(session, session.post(f"{PATH}/quarantine/{segment(email)}/retry"))
    elif all_people:
        session.confirm("Try the refused writes of all people again?")
        print_decided(session, decide_pages(session, f"{PATH}/quarantine", {}))
    else:
        _retry_cause(session, cause)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "errors",
        panel=Panel.DECIDE,
        text="List refused writes by cause, and try them again.",
        default=list_errors,
    )
    add_command(group, list_errors, "list", examples=("errors list --cause STRING_TOO_LONG",))
    add_command(
        group,
        retry,
        "retry",
        examples=("errors retry gus@example.com", "errors retry --cause STRING_TOO_LONG"),
    )


def _retry_cause(session: Session, cause: str) -> None:
    emails = [person["email"] for person in people(session, KIND) if _code(person) == cause]
    if not emails and not session.as_json:
        session.say(f"No contact has the error {cause}.")
        return
    if emails:
        session.confirm(f"Try the refused writes of {count(len(emails), 'contact')} again?")
    runs, refused = decide_each(
        session, emails, lambda email: session.post(f"{PATH}/quarantine/{segment(email)}/retry")
    )
    print_each(session, runs, refused)
    if refused:
        raise ProblemError("\n".join(["Not requested:", *refused]))


def _code(person: Mapping[str, Any]) -> str:
    return str(person["quarantine"]["code"]) if person["quarantine"] else ""


def _print_causes(session: Session, found: Iterable[Mapping[str, Any]]) -> None:
    groups: dict[Cause, list[Mapping[str, Any]]] = {}
    for person in found:
        refusal = person["quarantine"]
        cause = (refusal["side"], refusal["code"], ", ".join(refusal["fields"]) or "-")
        groups.setdefault(cause, []).append(person)
    rows = [
        (
            code,
            SIDES.get(side, side),
            fields,
            str(len(group)),
            ", ".join(person["email"] for person in group[:SHOWN_PEOPLE]),
            group[0]["quarantine"]["remedy"],
        )
        for (side, code, fields), group in sorted(
            groups.items(), key=lambda item: (-len(item[1]), item[0])
        )
    ]
    columns = ("Cause", "Refused by", "Fields", "People", "Such as", "Remedy")
    print_table(session, columns, rows, numbers=frozenset({"People"}))


def _print_people(session: Session, found: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (
            person["email"],
            ", ".join(person["quarantine"]["fields"]) or "-",
            str(person["quarantine"]["tries"]),
            local_time(person["quarantine"]["since"]),
            person["quarantine"]["remedy"],
        )
        for person in found
    ]
    columns = ("Person", "Fields", "Tries", "Since", "Remedy")
    print_table(session, columns, rows, numbers=frozenset({"Tries"}))
