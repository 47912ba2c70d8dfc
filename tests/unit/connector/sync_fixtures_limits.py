"""The setup with a mapping of three pairs of fields and with low limits of changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connector.mapping import (
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    Schema,
    bind_mapping,
)
from connector.mapping.model import EMAIL_PAIR
from connector.model import Link, Observation, RecordKind, Run, RunKind, RunState, Side, Value
from connector.planning.announced_changes import ChangeLimits
from connector.planning.first_sync_stages import StageLimits
from local.world.memory import MemoryMappings
from tests.unit.connector.sync_fixtures import (
    EMAIL,
    PHONE_PAIR,
    SyncSetup,
    System,
    link_of,
    observed,
)
from tests.unit.connector.sync_fixtures import SCHEMAS as TWO_FIELDS
from tests.unit.connector.sync_fixtures_stores import NOW

VERSION: Final = 3
MAPPING: Final = MappingConfig(
    VERSION, (EMAIL_PAIR, PHONE_PAIR, FieldPair("function", "Title", Direction.BOTH)), None
)
SCHEMAS: Final[Mapping[RecordKind, Schema]] = {
    RecordKind.PLEZI_CONTACT: {
        **TWO_FIELDS[RecordKind.PLEZI_CONTACT],
        "function": Field("function", FieldKind.TEXT),
    },
    RecordKind.LEAD: {
        **TWO_FIELDS[RecordKind.LEAD],
        "Phone": Field("Phone", FieldKind.TEXT, length=5),
        "Title": Field("Title", FieldKind.TEXT),
    },
    RecordKind.CONTACT: TWO_FIELDS[RecordKind.CONTACT],
}
BOUND: Final = bind_mapping(MAPPING, SCHEMAS)
FRESH: Final = replace(BOUND, is_fresh=True)
RUNNING: Final = Run("r1", RunKind.CHANGES, RunState.RUNNING, requested_at=NOW)


def mapped(record: str, email: str = EMAIL, **values: Value) -> Observation:
    """Return a record with all mapped fields, which are blank unless they are named.

    Its id begins with p (Plezi) or l (Lead); the Lead was changed last.
    """
    known = observed(record, email, as_of=NOW)
    blank = dict.fromkeys(BOUND.read_scope.field_names[known.kind])
    in_plezi = known.kind is RecordKind.PLEZI_CONTACT
    address = {"email" if in_plezi else "Email": email}
    modified = "2026-01" if in_plezi else "2026-02"
    return replace(known, modified=modified, values={**blank, **address, **values})


def synchronized(*records: Observation) -> Link:
    """Return a link whose last agreement is the present values of each of its records."""
    base = {
        record.id: {
            it.pair.base_key(record.kind): record.values[it.fields[record.kind].name]
            for it in BOUND.pairs
            if record.kind in it.fields
        }
        for record in records
    }
    return link_of(records[0].email, *records, base=base)


def schemas_without(kind: RecordKind, name: str) -> dict[RecordKind, Schema]:
    """Return the fields of all kinds of record, one of which lacks a field."""
    return {
        each: {known: field for known, field in schema.items() if (each, known) != (kind, name)}
        for each, schema in SCHEMAS.items()
    }


def system_of(side: Side, *records: Observation) -> System:
    """Return a system that describes the three fields."""
    return System(side, *records, schemas=SCHEMAS)


def limited(*records: Observation) -> SyncSetup:
    """Return the setup with the three pairs and low limits; each record is in its system."""
    setup = SyncSetup(
        mappings=MemoryMappings(MAPPING),
        limits=ChangeLimits(cleared=10, overwritten=3, share=0.1),
        stage_limits=StageLimits(errors=0.1, duplicates=0.2, overwritten=0.3),
        max_records=10,
    )
    for system in (setup.plezi, setup.org):
        system.described = system_of(system.side).described
        system.put(*(it for it in records if it.side is system.side))
    return setup
