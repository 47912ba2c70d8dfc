"""`mapping show`: the pairs of the current mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.mapping_document import OFF, SETTINGS
from plezi_sync.output.tables import print_table
from plezi_sync.output.texts import count, local_time
from plezi_sync.session import Session

PATH: Final = "/admin/mapping"


def show(
    session: Session,
    *,
    all_pairs: Annotated[
        bool, typer.Option("--all", help="Also pairs that are off, with what they could do.")
    ] = False,
) -> None:
    """Show the current mapping."""
    answer = session.get(PATH)
    if session.as_json:
        session.print_json(answer)
        return
    body = answer.body
    author = body.get("saved_by", "")
    when = f", saved by {author}, {local_time(body['saved_at'])}" if author else ""
    session.say(f"Mapping, version {body['version']}{when}")
    shown = [pair for pair in body["pairs"] if all_pairs or pair["direction"] != OFF]
    columns = ("Plezi", "Salesforce", "Direction", "Policy", "Contact", "Remark")
    print_table(session, columns, map(_row, shown))
    for name in SETTINGS:
        if body[name] not in (None, False):
            session.say(f"{name}: {_setting(body[name])}")
    if hidden := len(body["pairs"]) - len(shown):
        session.say(f"{count(hidden, 'field')} without a pair: plezi-sync mapping show --all")
    if error := body.get("suggestions_error"):
        session.say(f"Fields without a pair are not listed: {error}")


def _row(pair: Mapping[str, Any]) -> tuple[str, ...]:
    remarks = [name for name in ("locked", "mandatory", "enforced") if pair.get(name)]
    if pair.get("placeholder"):
        remarks.append(f"placeholder {pair['placeholder']}")
    if pair.get("values"):
        remarks.append(count(len(pair["values"]), "row of values", "rows of values"))
    if pair["direction"] == OFF and pair.get("directions"):
        remarks.append(f"can be {', '.join(pair['directions'])}")
    if pair["direction"] == OFF and pair.get("reason"):
        remarks.append(pair["reason"])
    return (
        pair["plezi"] or "-",
        pair["salesforce"] or "-",
        pair["direction"].replace("_", " "),
        pair.get("policy", "").replace("_", " "),
        pair.get("contact") or "-",
        "; ".join(remarks) or "-",
    )


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['field']} {value['operator']} {value['value']}"
    return str(value)
