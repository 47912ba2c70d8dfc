"""`conflicts`: fields that wait for a decision, because both sides changed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.commands.mapping.show import PATH as MAPPING_PATH
from plezi_sync.commands.systems import Side
from plezi_sync.commands.why import print_records
from plezi_sync.errors import UsageError
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import SIDES, count, local_time, sentence, value_text
from plezi_sync.review_queue import (
    PAGE,
    PATH,
    decide_pages,
    first_page,
    print_decided,
    print_requested,
    side_of,
)
from plezi_sync.session import Session, segment

KIND: Final = "hold"
RECORDS_PAGE: Final = 100
"""People whose records one call returns (docs/admin.md)."""

Limit = Annotated[int, typer.Option(min=1, max=PAGE, help="How many people to show.")]
After = Annotated[str, typer.Option("--next", help="The `next` of the page before.")]
Always = Annotated[
    bool,
    typer.Option("--always", help="Let this side win each conflict of the field, for all people."),
]


def list_conflicts(
    session: Session,
    *,
    limit: Limit = 50,
    after: After = "",
    records: Annotated[
        bool, typer.Option("--records", help="Also the pages of the records, who changed them.")
    ] = False,
) -> None:
    """List the fields that wait for a decision, with the value of each record."""
    answer = first_page(session, KIND, limit=limit, after=after)
    if session.as_json:
        session.print_json(answer)
        return
    rows = [row for person in answer.body["people"] for row in _rows(person)]
    if not rows:
        session.say("No field waits for a decision.")
        return
    print_table(session, ("Person", "Field", "Side", "Record", "Value", "Reason", "Since"), rows)
    if records:
        emails = [person["email"] for person in answer.body["people"]]
        for start in range(0, len(emails), RECORDS_PAGE):
            print_records(session, emails[start : start + RECORDS_PAGE])
    if answer.body["next"]:
        session.say(f"More: plezi-sync conflicts list --next {answer.body['next']}")
    session.say("Decide: plezi-sync conflicts choose E-MAIL FIELD --plezi (or --salesforce)")
    session.say("For all people from now on: the same with --always")


def choose(
    session: Session,
    email: Annotated[str, typer.Argument(help="The e-mail of the person.")],
    field: Annotated[str, typer.Argument(help="The held field, such as Phone.")],
    *,
    plezi: Annotated[bool, typer.Option("--plezi", help="Use Plezi's value.")] = False,
    salesforce: Annotated[
        bool, typer.Option("--salesforce", help="Use Salesforce's value.")
    ] = False,
    record: Annotated[str, typer.Option(help="Use the value of this record.")] = "",
    always: Always = False,
) -> None:
    """Choose the value of a held field for one person, or with --always a side for everybody."""
    if sum((plezi, salesforce, bool(record))) != 1:
        raise UsageError("Give one of --plezi, --salesforce and --record.")
    person = session.get(f"/admin/contacts/{segment(email)}", limit=1).body
    value = _chosen(person, field, side="plezi" if plezi else "salesforce", record=record)
    if always:
        set_policy(session, field, "plezi" if value.chosen["kind"] == "contact" else "salesforce")
        return
    others = [each for each in value.others if each["value"] != value.chosen["value"]]
    shown = ", ".join(value_text(each["value"]) for each in others)
    question = f"Use {value_text(value.chosen['value'])!r} for {field} of {email}"
    session.confirm(f"{question} in place of {shown}?" if shown else f"{question}?")
    path = f"{PATH}/holds/{segment(email)}/{segment(field)}"
    print_requested(session, session.post(path, {"record": value.chosen["record"]}))


def choose_all(
    session: Session,
    field: Annotated[str, typer.Argument(help="The held field, such as Phone.")],
    side: Annotated[Side, typer.Argument(help="The side with the value to use.")],
    *,
    always: Always = False,
) -> None:
    """Choose one side for a held field, for all people with a hold of it."""
    if always:
        set_policy(session, field, side.value)
        return
    request = {"field": field, "side": side.value}
    preview = decide_pages(session, f"{PATH}/holds", {**request, "preview": True})
    if not preview["decided"] and session.as_json:
        print_decided(session, preview)
        return
    if not preview["decided"]:
        session.say(f"No contact has a hold of {field} that {SIDES[side.value]} can decide.")
        return
    values = count(preview["overwritten"], "value gives", "values give")
    session.confirm(
        f"Use {SIDES[side.value]}'s {field} for {count(preview['decided'], 'contact')}? {values} "
        "way to it."
    )
    print_decided(session, decide_pages(session, f"{PATH}/holds", request))


def set_policy(session: Session, field: str, side: str) -> None:
    """Let a side win each conflict of a field: show for how many people, ask, save and decide."""
    version = session.get(MAPPING_PATH).body["version"]
    request = {"field": field, "side": side, "version": version}
    preview = session.post(f"{PATH}/policies", {**request, "preview": True}).body
    holds = {"field": field, "side": side}
    waiting = _all_pages(session, preview["waiting"], {**holds, "preview": True})
    people = count(waiting["decided"], "contact waits", "contacts wait")
    values = count(waiting["overwritten"], "value gives", "values give")
    session.confirm(
        f"Let {SIDES[side]} win each conflict of {field} (policy {preview['policy']} in place of "
        f"{preview['policy_before']})? {people} for it now: {values} way."
    )
    answer = session.post(f"{PATH}/policies", request)
    if session.as_json:
        session.print_json(answer)
    decided = _all_pages(session, answer.body["waiting"], holds)
    if session.as_json:
        return
    if answer.body["changed"]:
        session.say(f"Saved as version {answer.body['version']}: {SIDES[side]} wins for {field}.")
        session.say(f"To take it back: plezi-sync mapping restore {version}")
    else:
        session.say(f"{SIDES[side]} wins for {field} already, in version {version}.")
    print_decided(session, decided)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "conflicts",
        panel=Panel.DECIDE,
        text="List fields that wait for a decision, and decide.",
        default=list_conflicts,
    )
    add_command(group, list_conflicts, "list", examples=("conflicts", "conflicts list --limit 10"))
    add_command(
        group,
        choose,
        "choose",
        examples=(
            "conflicts choose ana@example.com Phone --salesforce",
            "conflicts choose ana@example.com Phone --salesforce --always",
        ),
    )
    add_command(group, choose_all, "choose-all", examples=("conflicts choose-all Phone plezi",))


def _all_pages(
    session: Session, first: Mapping[str, Any], request: Mapping[str, object]
) -> dict[str, Any]:
    """Return the sums of a decision whose first page is done, and go on with the others."""
    sums = {name: first[name] for name in ("decided", "overwritten", "left_out", "conflicts")}
    sums["run_ids"] = [first["run_id"]] if first["run_id"] else []
    if first["next"]:
        rest = decide_pages(session, f"{PATH}/holds", request, after=first["next"])
        sums = {name: number + rest[name] for name, number in sums.items()}
    return sums


class _Value:
    """The chosen value of a hold, and those of the other records."""

    def __init__(self, values: Sequence[Mapping[str, Any]], record: str) -> None:
        [self.chosen] = [each for each in values if each["record"] == record]
        self.others = [each for each in values if each["record"] != record]


def _chosen(person: Mapping[str, Any], field: str, *, side: str, record: str) -> _Value:
    """Return the value to use. Raises `UsageError` when there is no such hold or no such value."""
    holds = [hold for hold in person["holds"] if hold["field"] == field]
    if not holds:
        held = ", ".join(hold["field"] for hold in person["holds"]) or "none"
        raise UsageError(f"{field} does not wait for a decision. Fields that do: {held}.")
    [hold] = holds
    possible = [
        each
        for each in hold["values"]
        if each["can_be_chosen"]
        and (each["record"] == record if record else side_of(each["kind"]) == SIDES[side])
    ]
    if not possible:
        raise UsageError(
            f"Nobody typed a value of {field} there. Choose another record: "
            f"{', '.join(each['record'] for each in hold['values'] if each['can_be_chosen'])}."
        )
    if len({value_text(each["value"]) for each in possible}) > 1:
        records = ", ".join(f"{each['record']} ({value_text(each['value'])})" for each in possible)
        raise UsageError(f"Several records have different values: give --record, one of {records}.")
    return _Value(hold["values"], possible[0]["record"])


def _rows(person: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for hold in person["holds"]:
        for value in hold["values"]:
            yield (
                person["email"],
                hold["field"],
                side_of(value["kind"]),
                value["record"],
                value_text(value["value"]) + ("" if value["can_be_chosen"] else " (not typed)"),
                sentence(hold["reason"]),
                local_time(hold["since"]),
            )
