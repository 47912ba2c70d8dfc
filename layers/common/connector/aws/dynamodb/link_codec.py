"""Links and their parts as compact JSON, one attribute for each tree.

That is three times cheaper than one attribute for each field (reference: reliability 3.2).

`SCHEMA` is kept with every line, so that a later version of the connector knows what it reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from connector.model import (
    BaseUpdate,
    Hold,
    Intent,
    Link,
    Observation,
    Quarantine,
    RecentWrite,
    RecordKind,
    Side,
    Value,
    Values,
    Write,
)

SCHEMA: Final = 1
FLAG_ELIGIBLE: Final = 1
FLAG_CONVERTED: Final = 2
FLAG_DELETED: Final = 4

Attributes = dict[str, str]


def to_attributes(link: Link) -> Attributes:
    """Return the link's trees as text, by attribute name; what is empty is left out."""
    trees = {
        "base": {record: dict(words) for record, words in link.base.items()},
        "plezi": _observation(link.plezi) if link.plezi is not None else None,
        "salesforce": [_observation(seen) for seen in link.salesforce],
        "intent": _intent(link.intent) if link.intent is not None else None,
        "holds": {
            key: [it.reason, it.since, dict(it.values), it.chosen] for key, it in link.holds.items()
        },
        "quarantine": _quarantine(link.quarantine) if link.quarantine is not None else None,
        "primary_lead": link.primary_lead,
        "recent_writes": {
            line: [[it.record_id, it.value, it.at] for it in words]
            for line, words in link.recent_writes.items()
        },
    }
    return {name: _text(tree) for name, tree in trees.items() if tree}


def from_attributes(
    email: str, attributes: Mapping[str, str], *, dirty: bool, revision: int
) -> Link:
    """Return the link that some attributes hold."""
    trees = {name: json.loads(text) for name, text in attributes.items()}
    plezi = _to_observation(trees["plezi"]) if "plezi" in trees else None
    salesforce = tuple(_to_observation(it) for it in trees.get("salesforce", ()))
    known = (*salesforce, plezi) if plezi is not None else salesforce
    return Link(
        email=email,
        plezi=plezi,
        salesforce=salesforce,
        base={record: _to_values(words) for record, words in trees.get("base", {}).items()},
        intent=_to_intent(trees["intent"]) if "intent" in trees else None,
        holds={
            key: Hold(reason, since, _to_values(words), *chosen)
            for key, (reason, since, words, *chosen) in trees.get("holds", {}).items()
        },
        quarantine=_to_quarantine(trees["quarantine"]) if "quarantine" in trees else None,
        dirty=dirty,
        revision=revision,
        primary_lead=trees.get("primary_lead", ""),
        recent_writes={
            line: tuple(RecentWrite(*word) for word in words)
            for line, words in trees.get("recent_writes", {}).items()
        },
        indexed_records=frozenset(seen.id for seen in known),
    )


def _text(tree: object) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _to_values(words: Mapping[str, Any]) -> Values:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in words.items()
    }


def _to_value(value: Any) -> Value:  # noqa: ANN401  # whatever JSON holds
    return tuple(value) if isinstance(value, list) else value


def _observation(seen: Observation) -> list[Any]:
    flags = (
        (FLAG_ELIGIBLE if seen.eligible else 0)
        | (FLAG_CONVERTED if seen.converted else 0)
        | (FLAG_DELETED if seen.deleted else 0)
    )
    return [
        seen.kind.value,
        seen.id,
        seen.email,
        seen.version,
        seen.modified,
        seen.as_of,
        flags,
        seen.successor,
        dict(seen.values),
    ]


def _to_observation(tree: list[Any]) -> Observation:
    kind, record, email, version, modified, as_of, flags, successor, values = tree
    return Observation(
        kind=RecordKind(kind),
        id=record,
        email=email,
        version=version,
        modified=modified,
        as_of=as_of,
        values=_to_values(values),
        eligible=bool(flags & FLAG_ELIGIBLE),
        converted=bool(flags & FLAG_CONVERTED),
        deleted=bool(flags & FLAG_DELETED),
        successor=successor,
    )


def _intent(intent: Intent) -> list[Any]:
    return [
        intent.id,
        intent.run_id,
        intent.at,
        intent.in_doubt,
        [
            [it.kind.value, it.record_id, it.email, dict(it.values), dict(it.before), it.version]
            for it in intent.writes
        ],
        [
            [
                it.pair,
                {r: list(word) for r, word in it.values.items()},
                sorted(it.required_writes),
                it.rule,
                dict(it.invalidated),
            ]
            for it in intent.base_updates
        ],
    ]


def _to_intent(tree: list[Any]) -> Intent:
    record, run, at, in_doubt, writes, settlements = tree
    return Intent(
        id=record,
        run_id=run,
        at=at,
        in_doubt=in_doubt,
        writes=tuple(
            Write(RecordKind(kind), target, email, _to_values(values), _to_values(before), version)
            for kind, target, email, values, before, version in writes
        ),
        base_updates=tuple(
            BaseUpdate(
                line,
                {key: (name, _to_value(value)) for key, (name, value) in words.items()},
                frozenset(needs),
                rule,
                *left,
            )
            for line, words, needs, rule, *left in settlements
        ),
    )


def _quarantine(it: Quarantine) -> list[Any]:
    return [it.side.value, it.code, it.remedy, list(it.fields), it.since, it.tries]


def _to_quarantine(tree: list[Any]) -> Quarantine:
    side, code, remedy, fields, since, tries = tree
    return Quarantine(Side(side), code, remedy, tuple(fields), since, tries)
