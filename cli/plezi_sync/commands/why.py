"""`why`: what is known of one person, why each field has its value, and what happened when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.errors import UsageError
from plezi_sync.output.tables import print_facts, print_table
from plezi_sync.output.texts import SIDES, local_time, local_time_of, sentence, value_text
from plezi_sync.review_queue import side_of
from plezi_sync.session import Session, segment

SHOWN_ENTRIES: Final = 50


def why(
    session: Session,
    person: Annotated[
        str, typer.Argument(help="The e-mail, a part of the name, or the id of a record.")
    ],
    *,
    field: Annotated[
        str, typer.Option(help="Only this field, by its name in Salesforce or Plezi.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="Entries of the timeline.")] = (
        SHOWN_ENTRIES
    ),
    after: Annotated[str, typer.Option("--next", help="The `next` of the page before.")] = "",
    records: Annotated[
        bool,
        typer.Option(
            "--records",
            help="Show the pages of the records, who changed them, the name in the log.",
        ),
    ] = False,
) -> None:
    """Explain one person: the records, the reason of each value, and the timeline.

    A name is searched in Salesforce; several people are listed.
    """
    email = person if "@" in person else _find(session, person)
    if not email:
        return
    answer = session.get(f"/admin/contacts/{segment(email)}", limit=limit, next=after)
    if session.as_json:
        session.print_json(answer)
        return
    body = answer.body
    field = _field_name(body, field) if field else ""
    print_facts(session, _facts(body))
    session.say()
    if records:
        print_records(session, [email])
        session.say(f"In the logs of the workers: link={body['log_name']}")
        session.say()
    _print_consents(session, body)
    _print_fields(session, body, field)
    session.say()
    _print_timeline(session, body, field)
    if body["journal"]["next"]:
        session.say(f"More: plezi-sync why {email} --next {body['journal']['next']}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        why,
        "why",
        panel=Panel.LOOK,
        examples=(
            "why ana@example.com",
            "why ana@example.com --field Phone",
            'why "Ana Lopez"',
            "why 00Q8d00000DvfYkEAJ --records",
        ),
    )


def print_records(session: Session, emails: Sequence[str]) -> None:
    """Print the pages of the records of people, and who changed each last."""
    found = session.post("/admin/people/records", {"emails": list(emails)}).body
    rows = [
        (
            person["email"],
            side_of(record["kind"]),
            record["id"],
            local_time_of(record["modified"]),
            record["modified_by"] or "-",
            record["page"] or "-",
        )
        for person in found["people"]
        for record in person["records"]
    ]
    print_table(session, ("Person", "Side", "Record", "Modified", "By", "Page"), rows)


def _find(session: Session, text: str) -> str:
    """Return the e-mail of the only person found; '' after several were printed.

    Raises `UsageError` when nobody with a link is found.
    """
    answer = session.post("/admin/people/search", {"text": text})
    people = answer.body["people"]
    known = [person for person in people if person["known"]]
    if len(people) == 1 and known:
        return str(known[0]["email"])
    if not people:
        raise UsageError(f"No person is found for {text!r}. Try the e-mail, or another part.")
    if session.as_json:
        session.print_json(answer)
        return ""
    rows = [
        (
            person["name"] or "-",
            person["email"] or "(no e-mail)",
            ", ".join(record["id"] for record in person["records"]),
            "yes" if person["known"] else "not synchronized",
        )
        for person in people
    ]
    print_table(session, ("Name", "E-mail", "Records", "Synchronized"), rows)
    if not answer.body["complete"]:
        session.say("There may be more: give a longer part of the name.")
    return ""


def _records(person: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    plezi = [person["plezi"]] if person["plezi"] else []
    return [*plezi, *person["salesforce"]]


def _facts(person: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Person", person["email"]
    for record in _records(person):
        states = [name for name in ("deleted", "converted") if record[name]]
        if not record["eligible"]:
            states.append("takes no part")
        state = f" ({', '.join(states)})" if states else ""
        kind = f"{side_of(record['kind'])} {record['kind']}"
        yield kind, f"{record['id']}{state}, read {local_time(record['read_at'])}"
    for hold in person["holds"]:
        since = local_time(hold["since"])
        yield "Waits", f"{hold['field']}: {sentence(hold['reason'])}, since {since}"
    if refusal := person["quarantine"]:
        fields = f" in {', '.join(refusal['fields'])}" if refusal["fields"] else ""
        yield "Refused", f"{SIDES[refusal['side']]}: {refusal['code']}{fields}, {refusal['remedy']}"
    if person["dirty"]:
        yield "Next run", "will process this person"
    if person["unfinished_run"]:
        yield "In progress", f"a write of run {person['unfinished_run']}"


def _field_name(person: Mapping[str, Any], wanted: str) -> str:
    """Return the name in Salesforce of a field that is named as either system does.

    Raises `UsageError` for a field that no pair of the mapping and no entry of the journal has.
    """
    names: dict[str, str] = {}
    for entry in person["journal"]["entries"]:
        names |= {name.lower(): name for name in entry["field"].split(",") if name}
    for side in ("plezi", "field"):  # a name in Salesforce comes before the same one in Plezi
        names |= {each[side].lower(): each["field"] for each in person["fields"]}
    if wanted.lower() not in names:
        close = get_close_matches(wanted.lower(), names, n=1)
        hint = f" Did you mean {names[close[0]]}?" if close else ""
        fields = ", ".join(sorted(set(names.values()))) or "none"
        raise UsageError(
            f"No pair of the mapping has the field {wanted!r}.{hint} Fields: {fields}."
        )
    return names[wanted.lower()]


def _print_fields(session: Session, person: Mapping[str, Any], field: str) -> None:
    sides = {record["id"]: side_of(record["kind"]) for record in _records(person)}
    rows = [
        (
            each["field"],
            _values(each["values"], sides, "Plezi"),
            _values(each["values"], sides, "Salesforce"),
            each["why"],
        )
        for each in person["fields"]
        if field in ("", each["field"])
    ]
    print_table(session, ("Field", "Plezi", "Salesforce", "Why"), rows)


def _print_consents(session: Session, person: Mapping[str, Any]) -> None:
    """Print the opt-outs of a person, with their source, time and run; nothing if there is none."""
    sides = {record["id"]: side_of(record["kind"]) for record in _records(person)}
    rows = [
        (
            each["field"],
            "opted out" if each["opted_out"] else "no opt-out",
            _values(each["values"], sides, "Plezi"),
            _values(each["values"], sides, "Salesforce"),
            SIDES[each["source"]] if each["source"] else "-",
            local_time(each["at"]),
            each["run_id"] or "-",
        )
        for each in person["consents"]
    ]
    if rows:
        columns = ("Consent", "State", "Plezi", "Salesforce", "Came from", "Written", "Run")
        print_table(session, columns, rows)
        session.say()


def _values(values: Mapping[str, Any], sides: Mapping[str, str], side: str) -> str:
    """Return the different values of a side's records."""
    texts = [value_text(value) for record, value in values.items() if sides.get(record) == side]
    return " | ".join(dict.fromkeys(texts)) or "-"


def _print_timeline(session: Session, person: Mapping[str, Any], field: str) -> None:
    entries = [
        entry
        for entry in person["journal"]["entries"]
        if not field or field in entry["field"].split(",")
    ]
    if not entries:
        of_field = f" in {field}" if field else ""
        session.say(f"Nothing was written for this person{of_field}.")
        return
    rows = [
        (
            local_time(entry["at"]),
            entry["field"],
            SIDES.get(entry["side"], entry["side"]),
            value_text(entry["before"]),
            value_text(entry["after"]),
            f"{entry['kind']} by {sentence(entry['rule'])}",
            entry["run_id"],
        )
        for entry in _without_repetition(entries)
    ]
    print_table(session, ("Time", "Field", "In", "Before", "After", "What", "Run"), rows)


def _without_repetition(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the entries without those that say of a write that it replaced a value, once more."""

    def change(entry: Mapping[str, Any]) -> str:
        names = ("run_id", "side", "record", "field", "before", "after")
        return repr([entry[name] for name in names])

    entries = list(entries)
    written = {change(entry) for entry in entries if entry["kind"] == "written"}
    return [it for it in entries if it["kind"] != "overwritten" or change(it) not in written]
