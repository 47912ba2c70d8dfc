"""`duplicates`: people with several Leads, and which of them is synchronized."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.errors import UsageError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import local_time_of, sentence, value_text
from plezi_sync.review_queue import PAGE, PATH, first_page, print_requested
from plezi_sync.session import Session, segment

KIND: Final = "duplicate"


class Rule(StrEnum):
    """The rules that propose the primary Lead (docs/admin.md)."""

    OLDEST = "oldest"
    MOST_COMPLETE = "most_complete"
    OWNER = "owner"


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
    session.say("Compare them: plezi-sync duplicates show E-MAIL")


def show(
    session: Session, email: Annotated[str, typer.Argument(help="The e-mail of the person.")]
) -> None:
    """Compare the Leads of one person field by field, and propose the primary one by rule."""
    answer = session.get(f"{PATH}/duplicates/{segment(email)}")
    if session.as_json:
        session.print_json(answer)
        return
    body = answer.body
    proposed = {
        lead["id"]: [sentence(it["rule"]) for it in body["proposals"] if it["lead"] == lead["id"]]
        for lead in body["leads"]
    }
    rows = [
        (
            lead["id"],
            local_time_of(lead["created"]),
            lead["owner"] + ("" if lead["is_user"] else " (a queue)"),
            str(lead["filled"]),
            ", ".join(proposed[lead["id"]]) or "-",
            "yes" if lead["primary"] else "-",
            lead["page"],
        )
        for lead in body["leads"]
    ]
    columns = ("Lead", "Created", "Owner", "Fields with a value", "Proposed as", "Primary", "Page")
    print_table(session, columns, rows)
    session.say()
    ids = [lead["id"] for lead in body["leads"]]
    fields = [
        (
            it["field"],
            "differs" if it["differs"] else "-",
            *(value_text(it["values"][i]) for i in ids),
        )
        for it in body["fields"]
    ]
    print_table(session, ("Field", "", *ids), fields)
    session.say("Merge them on one of these pages (Salesforce shows its potential duplicates), or:")
    session.say(f"  plezi-sync duplicates pick {email} --rule oldest")


def pick(
    session: Session,
    email: Annotated[str, typer.Argument(help="The e-mail of the person.")],
    lead: Annotated[str, typer.Argument(help="The id of the Lead to synchronize.")] = "",
    *,
    rule: Annotated[Rule | None, typer.Option(help="The Lead that this rule proposes.")] = None,
) -> None:
    """Pick the Lead that is synchronized, among several of one person."""
    if bool(lead) == (rule is not None):
        raise UsageError("Give the id of a Lead, or --rule.")
    if rule is not None:
        lead = _proposed(session, email, rule)
    session.confirm(f"Synchronize the Lead {lead} as the primary one of {email}?")
    path = f"{PATH}/duplicates/{segment(email)}"
    print_requested(session, session.post(path, {"lead": lead}))


def _proposed(session: Session, email: str, rule: Rule) -> str:
    """Return the Lead that a rule proposes. Raises `UsageError` when no Lead meets it."""
    body = session.get(f"{PATH}/duplicates/{segment(email)}").body
    [found] = [it["lead"] for it in body["proposals"] if it["rule"] == rule.value]
    if not found:
        raise UsageError(f"No Lead meets the rule {rule.value}. Give the id of a Lead.")
    return str(found)


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
    add_command(group, show, "show", examples=("duplicates show ana@example.com",))
    add_command(
        group,
        pick,
        "pick",
        examples=(
            "duplicates pick ana@example.com 00Q...",
            "duplicates pick ana@example.com --rule oldest",
        ),
    )


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
