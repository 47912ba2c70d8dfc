"""The pages of the review queue, and decisions about many contacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from plezi_sync.errors import RefusedError
from plezi_sync.output.step_progress import tracked
from plezi_sync.output.texts import SIDES, count
from plezi_sync.session import Answer, Session

PATH: Final = "/admin/attention"
PAGE: Final = 200
"""The largest page of the API (docs/admin.md)."""
MAX_READ: Final = 10_000
"""People of a queue that a table is made of; more are counted in the next call."""
CALL_SECONDS: Final = 0.2
"""Between two decisions: half of the 10 calls a second that API Gateway accepts of all clients."""


def first_page(session: Session, kind: str, *, limit: int, after: str) -> Answer:
    """Return one page of a queue, as the API answers it."""
    return session.get(PATH, kind=kind, limit=limit, next=after)


def people(session: Session, kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield the people of a queue, at most 10,000, page by page."""
    after, read = "", 0
    while read < MAX_READ:
        page = first_page(session, kind, limit=PAGE, after=after).body
        yield from page["people"]
        after, read = page["next"], read + len(page["people"])
        if not after:
            return


def decide_each(
    session: Session, emails: Sequence[str], decide: Callable[[str], Answer]
) -> tuple[list[str], list[str]]:
    """Take a decision for each person; return the runs that apply it, and the refusals.

    A refusal for one person does not stop the others.
    """
    runs: list[str] = []
    refused: list[str] = []
    for place, email in enumerate(tracked(session, emails, "contacts")):
        if place:
            session.machine.sleep(CALL_SECONDS)
        try:
            runs.append(decide(email).body["run_id"])
        except RefusedError as error:
            refused.append(f"{email}: {error}")
    return runs, refused


def decide_pages(
    session: Session, path: str, request: Mapping[str, object], *, after: str = ""
) -> dict[str, Any]:
    """Take a decision for all people of a queue, or those after a page; return the sums.

    One call decides for 200 people.
    """
    sums: dict[str, Any] = {"decided": 0, "overwritten": 0, "left_out": 0, "conflicts": 0}
    sums["run_ids"] = []
    while True:
        body = session.post(path, {**request, "next": after}).body
        for name in ("decided", "overwritten", "left_out", "conflicts"):
            sums[name] += body[name]
        if body["run_id"]:
            sums["run_ids"].append(body["run_id"])
        after = body["next"]
        if not after:
            return sums
        session.machine.sleep(CALL_SECONDS)


def print_decided(session: Session, sums: Mapping[str, Any]) -> None:
    """Print what a decision for many people did; for programs as the API answers a single call."""
    if session.as_json:
        numbers = {name: number for name, number in sums.items() if name != "run_ids"}
        run_id = sums["run_ids"][-1] if sums["run_ids"] else None
        session.raw(json.dumps({**numbers, "run_id": run_id, "next": ""}))
        return
    session.say(f"Decided for {count(sums['decided'], 'contact')}.")
    if sums["left_out"]:
        session.say(f"Left out, because nobody typed a value there: {sums['left_out']:,}.")
    if sums["conflicts"]:
        session.say(f"Changed at the same time, so not decided: {sums['conflicts']:,}.")
    if sums["run_ids"]:
        session.say(f"Next: plezi-sync runs follow {sums['run_ids'][-1]}")


def print_each(session: Session, runs: Sequence[str], refused: Sequence[str]) -> None:
    """Print what the decisions for some people, one by one, did: for programs runs and refusals."""
    if session.as_json:
        session.raw(json.dumps({"run_ids": runs, "refused": refused}, ensure_ascii=False))
        return
    session.say(f"{count(len(runs), 'contact')} will be tried again.")
    if runs:
        session.say(f"Next: plezi-sync runs follow {runs[-1]}")


def print_requested(session: Session, answer: Answer) -> None:
    """Print the run that applies a decision."""
    if session.as_json:
        session.print_json(answer)
        return
    run_id = answer.body["run_id"]
    session.say(f"Decided. Run {run_id} applies it. Next: plezi-sync runs follow {run_id}")


def side_of(kind: str) -> str:
    """Return the side of a kind of record: Plezi for a contact, Salesforce for Lead and Contact."""
    return SIDES["plezi"] if kind == "contact" else SIDES["salesforce"]
