"""`people`: export or erase what is stored about one person, or let an erased person come back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command, new_group
from plezi_sync.files import write_text
from plezi_sync.output.tables import print_table
from plezi_sync.session import Answer, Session

EXPORT: Final = "/admin/people/export"
ERASE: Final = "/admin/people/erase"
LIFT: Final = "/admin/people/tombstones/lift"
NUMBERS: Final = ("mentions", "unreadable")
"""The members of a part that are added up."""

Email = Annotated[str, typer.Argument(help="The e-mail of the person.")]


def export(
    session: Session,
    email: Email,
    *,
    file: Annotated[
        Path | None, typer.Option(help="The file to write. Default: standard output.")
    ] = None,
) -> None:
    """Export everything that is stored about one person, as one JSON document."""
    document = _whole(list(_parts(session, EXPORT, {"email": email})))
    if not document["items"]:
        session.note(f"Nothing is stored about {email}: is the address right?")
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if file is None:
        session.raw(text)
        return
    write_text(file, text + "\n")
    session.say(f"Wrote {len(document['items'])} items to {file}")


def erase(
    session: Session,
    email: Email,
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what goes.")] = False,
) -> None:
    """Show what is stored about one person, ask, and erase it.

    Nothing is deleted in Plezi or Salesforce: delete the records there first. A tombstone without
    personal data keeps the person from coming back.
    """
    if preview or not session.options.yes:
        shown = _whole(list(_parts(session, ERASE, {"email": email, "preview": True})))
        if preview:
            _show(session, shown)
            return
        if not session.as_json:
            _show(session, shown)
    session.confirm(f"Erase what is stored about {email}? This cannot be taken back.")
    _show(session, _whole(list(_parts(session, ERASE, {"email": email, "preview": False}))))


def lift(session: Session, email: Email) -> None:
    """Let an erased person be synchronized again, as somebody who was never met."""
    session.confirm(f"Lift the tombstone of {email}? The next change brings the person back.")
    answer = session.post(LIFT, {"email": email})
    if session.as_json:
        session.print_json(answer)
        return
    session.say(f"Lifted {answer.body['lifted']} tombstones.")
    session.say(f"At once: plezi-sync sync --email {email}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = new_group(
        app,
        "people",
        panel=Panel.DECIDE,
        text="Export or erase what is stored about one person.",
    )
    add_command(
        group,
        export,
        "export",
        examples=("people export ana@example.com --file ana.json",),
    )
    add_command(
        group,
        erase,
        "erase",
        examples=("people erase ana@example.com --preview", "people erase ana@example.com"),
    )
    add_command(group, lift, "lift", examples=("people lift ana@example.com",))


def _parts(session: Session, path: str, body: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of an answer: the API visits the tables for some seconds at a time."""
    after = ""
    while True:
        answer: Answer = session.post(path, {**body, "next": after})
        yield answer.body
        after = answer.body["next"]
        if not after:
            return
        session.note("The tables are large: the next part is requested.")


def _whole(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parts of an answer as one."""
    whole: dict[str, Any] = {**parts[-1], "items": [it for part in parts for it in part["items"]]}
    for name in NUMBERS:
        whole[name] = sum(part[name] for part in parts)
    whole["next"] = ""
    return whole


def _show(session: Session, erasure: Mapping[str, Any]) -> None:
    """Show what an erasure removed, or would remove, and what remains elsewhere."""
    numbers: Counter[tuple[str, str]] = Counter()
    for item in erasure["items"]:
        numbers[item["table"], item["kind"]] += item["number"]
    if session.as_json:
        items = [{"table": it[0], "kind": it[1], "number": numbers[it]} for it in sorted(numbers)]
        session.raw(json.dumps({**erasure, "items": items}, ensure_ascii=False))
        return
    session.say("Would be removed:" if erasure["preview"] else "Removed:")
    rows = [(table, kind, str(number)) for (table, kind), number in sorted(numbers.items())]
    print_table(session, ("Table", "What", "Items"), rows, numbers=frozenset({"Items"}))
    session.say()
    if erasure["mentions"]:
        session.say(f"Links of other people that have the e-mail, left: {erasure['mentions']}")
    if erasure["unreadable"]:
        session.say(f"Items that cannot be decoded, left: {erasure['unreadable']}")
    session.say("Remains elsewhere:")
    print_table(
        session,
        ("Where", "What", "Days"),
        [(it["where"], it["what"], str(it["days"] or "-")) for it in erasure["remaining"]],
    )
