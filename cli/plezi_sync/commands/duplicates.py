"""`duplicates`: people with several Leads, and which of them is synchronized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import local_time_of, value_text
from plezi_sync.review_queue import PAGE, PATH, first_page, print_requested
from plezi_sync.session import Session, segment

KIND: Final = "duplicate"


def list_duplicates(
    session: Session,
    *,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many people to show.")] = 50,
    after: Annotated[str, typer.Option("--next", help="The `next` of the page before.")] = "",
) -> None:
    """List people with several Leads."""
    answer = first_page(session, KIND, limit=limit, after=after)
    if session.as_json:
        session.print_json(answer)
        return
    rows = [_row(person, lead) for person in answer.body["people"] for lead in person["leads"]]
    if not rows:
        session.say("No contact has several Leads.")
        return
    print_table(session, ("Person", "Lead", "Name", "Company", "Modified", "Primary"), rows)
    if answer.body["next"]:
        session.say(f"More: plezi-sync duplicates list --next {answer.body['next']}")
    session.say("Merge them in Salesforce, or: plezi-sync duplicates pick E-MAIL LEAD")


def pick(
    session: Session,
    email: Annotated[str, typer.Argument(help="The e-mail of the person.")],
    lead: Annotated[str, typer.Argument(help="The id of the Lead to synchronize.")],
) -> None:
    """Pick the Lead that is synchronized, among several of one person."""
    session.confirm(f"Synchronize the Lead {lead} as the primary one of {email}?")
    path = f"{PATH}/duplicates/{segment(email)}"
    print_requested(session, session.post(path, {"lead": lead}))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "duplicates",
        panel=Panel.DECIDE,
        text="List people with several Leads, and pick the primary one.",
        default=list_duplicates,
    )
    add_command(group, list_duplicates, "list", examples=("duplicates",))
    add_command(group, pick, "pick", examples=("duplicates pick ana@example.com 00Q...",))


def _row(person: Mapping[str, Any], lead: Mapping[str, Any]) -> tuple[str, ...]:
    values = lead["values"]
    names = [str(values[name]) for name in ("FirstName", "LastName") if values.get(name)]
    return (
        person["email"],
        lead["id"],
        " ".join(names) or "-",
        value_text(values.get("Company")),
        local_time_of(lead["modified"]),
        "yes" if lead["primary"] else "-",
    )
