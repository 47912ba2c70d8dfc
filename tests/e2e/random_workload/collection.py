"""The evidence is collected when all runs are done: records, journal, holds and refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from connector.aws.dynamodb.journal import parse_entries
from connector.model import JournalEntry, LongText
from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import StackFile
from tests.e2e.random_workload.evidence import Entry, Evidence, FinalPerson
from tests.e2e.random_workload.fields import (
    BY_LEAD_FIELD,
    MEANINGS,
    PLEZI,
    SALESFORCE,
    SIDES,
    Kind,
    canonical,
    long_text,
)
from tests.e2e.random_workload.mapping_edits import MappingEdits
from tests.e2e.random_workload.users import PAGE_URL, Users

Queue = Callable[[str], list[dict[str, Any]]]
"""Returns the review queue of one kind (`hold`, `quarantine`), as the admin API does."""


def collect(
    users: Users,
    mapping: MappingEdits,
    queue: Queue,
    journal: Iterable[JournalEntry],
    kills: Iterable[float],
    decisions: Iterable[tuple[str, str]] = (),
    readings: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> Evidence:
    """Return everything that the examination needs.

    `decisions` are the e-mail and the field of each choice of an admin, `readings` the times at
    which the connector read each record.
    """
    shown: dict[str, Mapping[str, Any]] = {}
    for person in users.people:
        for side in SIDES:
            if record := users.find(person, side):
                shown[record] = users.show(side, record)
    values = {
        record: {
            name: canonical(it.kind, row.get(it.name(SALESFORCE if it.lead in row else PLEZI)))
            for name, it in MEANINGS.items()
        }
        for record, row in shown.items()
    }
    owner = {record: it.number for it in users.people for record in (it.plezi, it.lead) if record}
    holds, refused = _review(queue, values, owner)
    numbers = _numbers_by_email(users)
    extra = _second_records(users, owner)
    people = {
        it.number: FinalPerson(
            it.plezi,
            it.lead,
            holds.get(it.number, {}),
            frozenset(refused.get(it.number, ())),
            (*_problems(it.plezi, it.lead, shown), *extra.get(it.number, ())),
        )
        for it in users.people
    }
    return Evidence(
        typings=tuple(users.typings),
        journal=tuple(_entries(journal)),
        versions=tuple(mapping.versions),
        people=people,
        values=values,
        kills=tuple(kills),
        decisions=frozenset(
            (number, name) for email, name in decisions for number in numbers[email]
        ),
        readings=readings,
    )


def _problems(plezi: str, lead: str, shown: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the link of a person's two records."""
    if not plezi or not lead:
        return []
    url = str(shown[lead].get(PAGE_URL) or "")
    return [] if url.endswith(plezi) else [f"{lead} is linked to {url!r}, not to {plezi}"]


def _second_records(users: Users, owner: Mapping[str, int]) -> dict[int, list[str]]:
    """Return the records with an e-mail of the workload that are none of a person's two."""
    numbers = _numbers_by_email(users)
    problems: dict[int, list[str]] = defaultdict(list)
    for record, email in users.all_records():
        if record not in owner:
            for number in numbers.get(email, {-1}):
                problems[number].append(f"a second record {record} with {email}")
    return problems


def _numbers_by_email(users: Users) -> dict[str, set[int]]:
    """Return the people who had each e-mail at some time."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for typing in users.typings:
        if typing.field == "email":
            numbers[typing.value].add(typing.person)
    return numbers


def _review(
    queue: Queue, values: Mapping[str, Mapping[str, str]], owner: Mapping[str, int]
) -> tuple[dict[int, dict[str, dict[str, str]]], dict[int, set[str]]]:
    """Return the held fields with their values, and the refused fields, by person."""
    holds: dict[int, dict[str, dict[str, str]]] = defaultdict(dict)
    refused: dict[int, set[str]] = defaultdict(set)
    by_email = {it["email"]: owner[record] for record, it in values.items() if record in owner}
    for item in queue("hold"):
        for hold in item["holds"]:
            meaning = BY_LEAD_FIELD.get(hold["field"])
            known = [it["record"] for it in hold["values"] if it["record"] in owner]
            if meaning is not None and known:
                holds[owner[known[0]]][meaning.plezi] = {
                    it["record"]: _canonical(meaning.kind, it["value"]) for it in hold["values"]
                }
    names = {name: it.plezi for it in MEANINGS.values() for name in (it.plezi, it.lead)}
    for item in queue("quarantine"):
        number = by_email.get(item["email"])
        if number is not None:
            fields = item["quarantine"]["fields"]
            refused[number] |= {names[name] for name in fields if name in names}
    return holds, refused


def _canonical(kind: Kind, value: object) -> str:
    """Return a value of the journal or of the API; a long text is stored as its digest."""
    if isinstance(value, LongText):
        return long_text(value.length, value.sha256)
    if isinstance(value, dict):
        return long_text(value["length"], value["sha256"])
    return canonical(kind, value)


def _entries(journal: Iterable[JournalEntry]) -> Iterator[Entry]:
    """Yield the entries about the fields that users edit."""
    for entry in journal:
        meaning = BY_LEAD_FIELD.get(entry.field)
        if meaning is not None:
            yield Entry(
                entry.at,
                entry.run_id,
                entry.kind.value,
                entry.side.value,
                entry.record_id,
                meaning.plezi,
                _canonical(meaning.kind, entry.before),
                _canonical(meaning.kind, entry.after),
                entry.rule,
            )


def stored_journal(stack: StackFile, aws: EmbeddedAws) -> Iterator[JournalEntry]:
    """Yield the entries of all people from the journal's table."""
    pages = aws.tables.get_paginator("scan").paginate(TableName=stack.tables["journal"])
    for page in pages:
        for item in page["Items"]:
            if "entries" in item and item["pk"]["S"].startswith("contact#"):
                yield from parse_entries(item)
