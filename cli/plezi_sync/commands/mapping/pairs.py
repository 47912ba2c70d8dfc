"""`mapping add` and `mapping remove`: one pair of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from plezi_sync.commands.mapping.saving import print_changes, save
from plezi_sync.commands.mapping.show import PATH
from plezi_sync.errors import UsageError
from plezi_sync.mapping_document import OFF, PAIR_DEFAULTS, changes, pair_text, used_pairs
from plezi_sync.session import Session


class Policy(StrEnum):
    """What decides when both sides changed the field (docs/mapping.md)."""

    NEWEST = "newest"
    PLEZI_WINS = "plezi_wins"
    SALESFORCE_WINS = "salesforce_wins"
    FILL_BLANK = "fill_blank"
    MOST_RESTRICTIVE = "most_restrictive"
    HOLD = "hold"


PleziName = Annotated[str, typer.Argument(help="The attribute of Plezi, such as phone.")]
SalesforceName = Annotated[str, typer.Argument(help="The field of Lead, such as Phone.")]


def add(
    session: Session,
    plezi: PleziName,
    salesforce: SalesforceName,
    *,
    both: Annotated[bool, typer.Option("--both", help="Values travel in both directions.")] = False,
    to_salesforce: Annotated[bool, typer.Option("--to-salesforce")] = False,
    to_plezi: Annotated[bool, typer.Option("--to-plezi")] = False,
    policy: Annotated[
        Policy | None, typer.Option(help="What decides a conflict (default: newest).")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="The field of Contact.")] = None,
    placeholder: Annotated[
        str | None, typer.Option(help="For new Leads, where Plezi has no value.")
    ] = None,
) -> None:
    """Map a field of Plezi to a field of Salesforce, or change such a pair.

    Without a direction it is the widest that the two fields allow.
    """
    mapping = session.get(PATH).body
    chosen = _direction(both=both, to_salesforce=to_salesforce, to_plezi=to_plezi)
    pairs = [dict(pair) for pair in mapping["pairs"]]
    pair = _found(pairs, plezi, salesforce)
    given = {"policy": policy.value if policy else None, "contact": contact}
    given["placeholder"] = placeholder
    wanted = {name: value for name, value in given.items() if value is not None}
    new = {**pair, **wanted, "plezi": plezi, "direction": chosen or _widest(pair), "saved": True}
    confirm_and_save(session, mapping, _with(pairs, new), "Replace")


def remove(session: Session, salesforce: SalesforceName) -> None:
    """Switch a pair off: its values no longer travel, and stay as they are on both sides."""
    mapping = session.get(PATH).body
    pairs = [dict(pair) for pair in used_pairs(mapping)]
    found = [
        pair for pair in pairs if pair["salesforce"] == salesforce and pair["direction"] != OFF
    ]
    if not found:
        raise UsageError(f"No pair uses {salesforce}. `plezi-sync mapping show` lists the pairs.")
    for pair in found:
        pair["direction"] = OFF
    confirm_and_save(session, mapping, pairs, "Switch off")


def _direction(*, both: bool, to_salesforce: bool, to_plezi: bool) -> str:
    chosen = [
        name
        for name, is_chosen in (
            ("both", both),
            ("to_salesforce", to_salesforce),
            ("to_plezi", to_plezi),
        )
        if is_chosen
    ]
    if len(chosen) > 1:
        raise UsageError("Give one of --both, --to-salesforce and --to-plezi.")
    return chosen[0] if chosen else ""


def _found(pairs: Sequence[Mapping[str, Any]], plezi: str, salesforce: str) -> dict[str, Any]:
    """Return the pair of a field of Salesforce, saved or suggested; else a new one."""
    same = [pair for pair in pairs if pair["salesforce"] == salesforce]
    exact = [pair for pair in same if pair["plezi"] == plezi]
    for pair in (*exact, *same):
        return dict(pair)
    return {**PAIR_DEFAULTS, "plezi": plezi, "salesforce": salesforce}


def _with(pairs: Sequence[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pairs with a new one: in the place of a saved pair of its field, else last."""
    saved = [pair for pair in pairs if pair["saved"]]
    places = [place for place, it in enumerate(saved) if it["salesforce"] == new["salesforce"]]
    place = places[0] if places else len(saved)
    others = [pair for pair in pairs if pair["salesforce"] != new["salesforce"]]
    return [*others[:place], new, *others[place:]]


def _widest(pair: Mapping[str, Any]) -> str:
    """Return the widest direction that the fields allow; `both` where that is not known."""
    possible = pair.get("directions") or ("both",)
    return next(
        (name for name in ("both", "to_salesforce", "to_plezi") if name in possible), "both"
    )


def confirm_and_save(
    session: Session, mapping: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]], verb: str
) -> None:
    """Show the changes, ask where a pair in use is changed, and save."""
    after = {**mapping, "pairs": pairs}
    found = changes(mapping, after)
    print_changes(session, found)
    if not found:
        return
    in_use = {pair["salesforce"]: pair for pair in mapping["pairs"] if pair["direction"] != OFF}
    replaced = [
        pair_text(in_use[pair["salesforce"]])
        for pair in pairs
        if pair["salesforce"] in in_use and pair != in_use[pair["salesforce"]]
    ]
    if replaced:
        session.confirm(f"{verb} {', '.join(replaced)}?")
    save(session, mapping, pairs)
