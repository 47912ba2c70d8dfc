"""`forecast`: API calls a day against the limits, and what a first synchronization takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from plezi_sync.application import Panel, add_command
from plezi_sync.output.tables import print_facts, print_table
from plezi_sync.output.texts import HOUR_SECONDS, count, duration, sentence
from plezi_sync.session import Session

PATH: Final = "/admin/forecast"
NUMBERS: Final = frozenset({"Runs a day", "Plezi calls a day", "Salesforce calls a day"})


def forecast(
    session: Session,
    *,
    pace: Annotated[
        float | None, typer.Option(min=0, help="If Plezi took this many calls per second.")
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(min=0.001, max=1, help="If this fraction of the org's API calls were ours."),
    ] = None,
    people_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="If a filter let in this fraction of the people."),
    ] = None,
    to_plezi: Annotated[
        int | None, typer.Option(min=0, help="First sync: people who are only in Salesforce.")
    ] = None,
    to_salesforce: Annotated[
        int | None, typer.Option(min=0, help="First sync: people who are only in Plezi.")
    ] = None,
) -> None:
    """Show the API calls of a day against the limits, and how long a first sync takes.

    With --pace, --share or --people-share also what would be then.
    """
    requested = {
        "calls_per_second": pace,
        "api_share": share,
        "people_share": people_share,
        "to_plezi": to_plezi,
        "to_salesforce": to_salesforce,
    }
    query = {name: str(value) for name, value in requested.items() if value is not None}
    answer = session.get(PATH, **query)
    if session.as_json:
        session.print_json(answer)
        return
    body = answer.body
    _print_causes(session, body["now"]["causes"])
    session.say()
    if body["changed"] is None:
        print_facts(session, _facts(body["now"]))
    else:
        _print_both(session, body["now"], body["changed"])
    if body["now"]["first_sync"] is None:
        session.say("A first sync: plezi-sync forecast --to-plezi N --to-salesforce N")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add_command(
        app,
        forecast,
        "forecast",
        panel=Panel.LOOK,
        examples=(
            "forecast",
            "forecast --pace 5 --share 0.4",
            "forecast --to-plezi 20000 --to-salesforce 5000",
        ),
    )


def _print_causes(session: Session, causes: list[Mapping[str, Any]]) -> None:
    if not causes:
        session.say("No run in the last week, so no calls of an average day are known.")
        return
    columns = ("Cause", "Runs a day", "Plezi calls a day", "Salesforce calls a day", "Known from")
    print_table(session, columns, map(_row, causes), numbers=NUMBERS)


def _row(cause: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = cause["observed_days"] * 24 * HOUR_SECONDS
    return (
        sentence(cause["cause"]),
        f"{cause['runs_a_day']:,.1f}",
        f"{cause['plezi_calls_a_day']:,.0f}",
        f"{cause['salesforce_calls_a_day']:,.0f}",
        "computed: none was seen" if cause["is_expected"] else f"the runs of {duration(seconds)}",
    )


def _print_both(session: Session, now: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    present, other = dict(_facts(now)), dict(_facts(changed))
    rows = [(name, present.get(name, "-"), other.get(name, "-")) for name in {**present, **other}]
    print_table(session, ("", "Now", "Then"), rows)


def _facts(outlook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    plezi, salesforce = outlook["plezi"], outlook["salesforce"]
    yield "Settings", _settings(outlook)
    yield "Plezi", _used(plezi)
    yield "Salesforce", _used(salesforce)
    yield "Share is spent", _spent(salesforce)
    if first := outlook["first_sync"]:
        people = f"{first['to_plezi']:,} to Plezi, {first['to_salesforce']:,} to Salesforce"
        basis = "" if first["basis"] == "request" else f" (dry run {first['basis']})"
        yield "First sync", people + basis
        calls = f"{first['plezi_calls']:,.0f} Plezi, {first['salesforce_calls']:,.0f} Salesforce"
        yield "Its calls", calls
        yield "Its time", _time(first)


def _settings(outlook: Mapping[str, Any]) -> str:
    pace, share = outlook["plezi"]["calls_per_second"], outlook["salesforce"]["api_share"]
    text = f"{pace:g} calls/s to Plezi" if pace else "no limit of the pace"
    text += f", {share:.0%} of the org's calls"
    people = outlook["people_share"]
    return text if people == 1 else f"{text}, {people:.0%} of the people"


def _used(limit: Mapping[str, Any]) -> str:
    calls = f"{limit['calls_a_day']:,.0f} calls a day"
    if limit["limit_a_day"] is None:
        return f"{calls}; the limit is not known"
    return f"{calls} of {limit['limit_a_day']:,.0f} ({limit['used_share']:.1%})"


def _spent(salesforce: Mapping[str, Any]) -> str:
    days, growth = salesforce["days_until_spent"], salesforce["growth_a_day"]
    if days == 0:
        return "every day: runs pause, and go on the next day"
    if days is not None:
        return f"in {count(round(days), 'day')}, with {growth:,.1f} calls more each day"
    if growth is None:
        return "not known yet: less than two days were seen"
    return "never, at the present trend" if salesforce["limit_a_day"] else "not known yet"


def _time(first: Mapping[str, Any]) -> str:
    if first["hours"] is None:
        return "as fast as Plezi answers: give --pace"
    text = duration(first["hours"] * HOUR_SECONDS)
    if not first["paused_hours"]:
        return text
    return f"{text}, with {duration(first['paused_hours'] * HOUR_SECONDS)} of pauses for the share"
