"""One system in a dry run: read for real, its writes predicted and kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from connector.errors import RetryError, StopReason, UnstorableError
from connector.mapping import Field, FieldKind
from connector.model import (
    NEW_RECORD,
    Cursor,
    LookupResult,
    Observation,
    Page,
    ProblemCode,
    RecordKind,
    RecordProblem,
    Side,
    Value,
    Values,
    Write,
)
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.sync.dry_run_client import SET_BY_PLEZI, DryRunClient
from local.world.memory import MemoryScratch
from tests.unit.connector.sync_fixtures import EMAIL, System, raising
from tests.unit.connector.sync_fixtures_limits import (
    BOUND,
    SCHEMAS,
    mapped,
    schemas_without,
    system_of,
)
from tests.unit.connector.sync_fixtures_stores import NOW

SCOPE: Final = BOUND.read_scope


class FullScratch(MemoryScratch):
    """A store that refuses the values of some records, after it stored those of all others."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        super().__init__()
        self._refused = refused

    def save_written(self, written: Mapping[str, Values]) -> None:
        super().save_written({it: written[it] for it in written if it not in self._refused})
        raise UnstorableError(self._refused)


def client_of(
    system: System, scratch: MemoryScratch | None = None, invocation: int = 0
) -> DryRunClient:
    store = scratch or MemoryScratch()
    return DryRunClient(system, system.side, lambda: NOW, store, invocation)


def update(record: str = "l", **values: Value) -> Write:
    return Write(RecordKind.LEAD, record, EMAIL, values)


def creation(kind: RecordKind, email: str = EMAIL, **values: Value) -> Write:
    return Write(kind, NEW_RECORD, email, values)


def applied(client: DryRunClient, *writes: Write) -> list[WriteOutcome]:
    return list(client.apply(writes, SCOPE))


def test_what_a_dry_run_reads_is_read_in_the_system() -> None:
    system = system_of(Side.SALESFORCE, mapped("l"))
    system.changes = [Page((mapped("l"),), Cursor(RecordKind.LEAD, watermark="w"), last=True)]
    client = client_of(system)
    cursor = Cursor(RecordKind.LEAD, watermark="0")

    assert [it.observations for it in client.read(cursor, SCOPE)] == [(mapped("l"),)]
    assert [it.observations for it in client.recent_changes("2", SCOPE)] == [(mapped("l"),)]
    client.refresh_schemas()
    client.invalidate_schemas()
    assert (client.identity(), client.schemas()) == ("salesforce-1", system.described)
    assert client.calls == 2
    assert system.requests == [
        ("read", cursor, SCOPE),
        ("recent", "2", SCOPE),
        ("refresh",),
        ("invalidate",),
    ]


def test_a_dry_run_takes_the_time_of_its_look_ups_only_and_needs_no_fresh_observation() -> None:
    system = system_of(Side.PLEZI)
    system.seconds = (0.25, 0.5, 0.125)
    system.has_change_feed = True
    client = client_of(system)

    assert client.seconds_for(creations=5, updates=7, look_ups=3) == 0.375
    assert client.seconds_for(creations=5, updates=7) == 0.0
    assert client.has_change_feed is False


def test_an_update_is_predicted_and_read_back_and_the_system_keeps_its_record() -> None:
    system = system_of(Side.SALESFORCE, mapped("l", Phone="1", Title="Dr"), mapped("l2"))
    client = client_of(system)
    first, second = update(Phone="2"), update(Title="Pr")

    assert applied(client, first) == [
        WriteOutcome(first, WriteResult.DONE, record_id="l", answered_at=NOW)
    ]
    applied(client, second)

    found = client.look_up([mapped("l")], ["b@x.fr"], SCOPE, ["https://x.fr/p"])
    assert found.observations == (mapped("l", Phone="2", Title="Pr"),)
    assert system.requests == [("look_up", ["l"], ["b@x.fr"], SCOPE, ["https://x.fr/p"])]
    assert (system.writes, system.records["l"]) == ([], mapped("l", Phone="1", Title="Dr"))


def test_a_look_up_without_page_addresses_asks_for_none() -> None:
    system = system_of(Side.SALESFORCE, mapped("l"))

    client_of(system).look_up([mapped("l")], [], SCOPE)

    assert system.requests == [("look_up", ["l"], [], SCOPE, ())]


def test_a_look_up_by_e_mail_alone_asks_the_system() -> None:
    system = system_of(Side.SALESFORCE, mapped("l"))

    assert client_of(system).look_up([], [EMAIL], SCOPE).observations == (mapped("l"),)


def test_another_invocation_reads_what_would_have_been_written_before() -> None:
    system, scratch = system_of(Side.SALESFORCE, mapped("l", Phone="1")), MemoryScratch()
    applied(client_of(system, scratch), update(Phone="2"))

    found = client_of(system, scratch, 1).look_up([mapped("l")], [], SCOPE)

    assert found.observations == (mapped("l", Phone="2"),)


def test_deleted_records_and_problems_of_a_look_up_are_handed_on() -> None:
    system = system_of(Side.SALESFORCE)
    problem = RecordProblem(RecordKind.LEAD, "l2", "", ProblemCode.UNREADABLE_RECORD, "Id")
    system.deleted.add("l")
    system.problems.append(problem)

    assert client_of(system).look_up([mapped("l"), mapped("l2")], [], SCOPE) == LookupResult(
        (), frozenset({"l"}), (problem,)
    )


def test_a_created_lead_has_the_written_values_and_blanks_and_its_own_id() -> None:
    system, scratch = system_of(Side.SALESFORCE), MemoryScratch()
    client = client_of(system, scratch, 3)
    first = creation(RecordKind.LEAD, Email=EMAIL, Phone="1")
    second = creation(RecordKind.LEAD, "b@x.fr", Email="b@x.fr")

    outcomes = applied(client, first, second)

    a, b = (
        Observation(RecordKind.LEAD, "new record 3000001 in salesforce", EMAIL, "", "", NOW, {}),
        Observation(RecordKind.LEAD, "new record 3000002 in salesforce", "b@x.fr", "", "", NOW, {}),
    )
    a = replace(a, values={"Email": EMAIL, "Phone": "1", "Title": None})
    b = replace(b, values={"Email": "b@x.fr", "Phone": None, "Title": None})
    assert outcomes == [
        WriteOutcome(write, WriteResult.DONE, it.id, NOW, created=True, observation=it)
        for write, it in ((first, a), (second, b))
    ]
    assert client.search_calls == 0
    assert scratch.load_written([NEW_RECORD, a.id, b.id]) == {}
    assert client.look_up([a], [], SCOPE).observations == (a,)
    assert client.look_up([], ["b@x.fr"], SCOPE).observations == (b,)
    assert client.look_up([a], ["b@x.fr", EMAIL], SCOPE) == LookupResult((a, b))
    assert system.requests == []


def test_a_predicted_record_of_an_earlier_invocation_is_found_as_it_is_known() -> None:
    system = system_of(Side.SALESFORCE, mapped("l"))
    known = replace(mapped("l"), id="new record 1 in salesforce", values={"Phone": "9"})

    found = client_of(system, invocation=1).look_up([known, mapped("l")], [], SCOPE)

    assert found.observations == (known, mapped("l"))
    assert system.requests == [("look_up", ["l"], [], SCOPE, ())]


def test_a_person_beside_a_created_one_is_still_searched() -> None:
    system = system_of(Side.SALESFORCE, mapped("l2", "b@x.fr"))
    client = client_of(system)
    [created] = applied(client, creation(RecordKind.LEAD))

    found = client.look_up([], [EMAIL, "b@x.fr"], SCOPE)

    assert found.observations == (mapped("l2", "b@x.fr"), created.observation)
    assert system.requests == [("look_up", [], ["b@x.fr"], SCOPE, ())]


def test_a_new_contact_has_what_plezi_gives_it_and_costs_a_search() -> None:
    system = system_of(Side.PLEZI)
    given = Field("function", FieldKind.TEXT, creatable=False)
    described = SCHEMAS[RecordKind.PLEZI_CONTACT]
    system.described = {RecordKind.PLEZI_CONTACT: {**described, "function": given}}
    client = client_of(system)

    [outcome] = applied(
        client, Write(RecordKind.PLEZI_CONTACT, NEW_RECORD, EMAIL, {"email": EMAIL})
    )

    assert outcome.observation is not None
    assert outcome.observation.id == "new record 1 in plezi"
    assert outcome.observation.values == {"email": EMAIL, "phone": None, "function": SET_BY_PLEZI}
    assert client.search_calls == 1


def test_a_lead_has_its_own_values_also_in_fields_that_cannot_be_created() -> None:
    system = system_of(Side.SALESFORCE)
    given = Field("Title", FieldKind.TEXT, creatable=False)
    system.described = {RecordKind.LEAD: {**SCHEMAS[RecordKind.LEAD], "Title": given}}

    [outcome] = applied(client_of(system), creation(RecordKind.LEAD))

    assert outcome.observation is not None
    assert outcome.observation.values["Title"] is None


def test_a_write_that_salesforce_would_refuse_is_refused_and_not_kept() -> None:
    system, scratch = system_of(Side.SALESFORCE, mapped("l")), MemoryScratch()
    client = client_of(system, scratch)
    refused, good = update(Title="Dr", Phone="123456"), update("l2", Phone="12345")

    outcomes = applied(client, refused, good)

    assert outcomes == [
        WriteOutcome(
            refused,
            WriteResult.REJECTED,
            code="STRING_TOO_LONG",
            remedy="predicted from Salesforce's description of its own fields",
            fields=("Phone",),
        ),
        WriteOutcome(good, WriteResult.DONE, record_id="l2", answered_at=NOW),
    ]
    assert scratch.load_written(["l", "l2"]) == {"l2": {"Phone": "12345"}}


def test_what_plezi_will_give_a_contact_is_not_checked_in_salesforce() -> None:
    client = client_of(system_of(Side.SALESFORCE))
    write = update(Phone=SET_BY_PLEZI, Title="Dr")

    [outcome] = applied(client, write)

    assert (outcome.result, outcome.write) == (WriteResult.DONE, write)


def test_no_refusal_of_plezi_is_predicted() -> None:
    system = system_of(Side.PLEZI)
    system.described = {
        RecordKind.PLEZI_CONTACT: {"phone": Field("phone", FieldKind.TEXT, length=1)}
    }
    write = Write(RecordKind.PLEZI_CONTACT, "p", EMAIL, {"phone": "123"})

    assert [it.result for it in applied(client_of(system), write)] == [WriteResult.DONE]


def test_a_write_that_cannot_be_predicted_fails_alone() -> None:
    system = system_of(Side.SALESFORCE)
    unknown = Write(RecordKind.PLEZI_CONTACT, "x", EMAIL, {"phone": "1"})

    failed, done = applied(client_of(system), unknown, update(Phone="1"))

    assert (failed.write, failed.result) == (unknown, WriteResult.RETRY)
    assert failed.code == ProblemCode.DEFECT
    assert failed.remedy.startswith("KeyError in ")
    assert done.result is WriteResult.DONE


def test_a_system_that_does_not_describe_its_fields_ends_the_prediction() -> None:
    system = system_of(Side.SALESFORCE)
    busy = RetryError("busy", reason=StopReason.SALESFORCE_UNAVAILABLE)
    system.then["schemas"].append(raising(busy))

    with pytest.raises(RetryError, match="busy"):
        applied(client_of(system), update(Phone="1"))


def test_a_write_whose_values_cannot_be_stored_apart_is_a_defect_of_its_own() -> None:
    system, scratch = system_of(Side.SALESFORCE), FullScratch({"l": "a value is no text"})
    lost, good = update(Phone="1"), update("l2", Phone="2")

    assert applied(client_of(system, scratch), lost, good) == [
        WriteOutcome(
            lost, WriteResult.RETRY, code=ProblemCode.DEFECT.value, remedy="a value is no text"
        ),
        WriteOutcome(good, WriteResult.DONE, record_id="l2", answered_at=NOW),
    ]


@pytest.mark.parametrize(("updates", "creations", "calls"), [(200, 0, 1), (201, 1, 3), (0, 0, 0)])
def test_salesforce_takes_two_hundred_records_in_a_call(
    updates: int, creations: int, calls: int
) -> None:
    client = client_of(system_of(Side.SALESFORCE))
    writes = [update(f"l{number}", Phone="1") for number in range(updates)]
    writes += [creation(RecordKind.LEAD, f"{number}@x.fr") for number in range(creations)]

    assert len(applied(client, *writes)) == updates + creations
    assert client.write_calls == calls
    applied(client, update(Phone="1"))
    assert client.write_calls == calls + 1


def test_plezi_has_a_call_for_each_write_and_a_run_may_stop_after_any() -> None:
    client = client_of(system_of(Side.PLEZI, mapped("p")))
    writes = [
        Write(RecordKind.PLEZI_CONTACT, "p", EMAIL, {"phone": "1"}),
        creation(RecordKind.PLEZI_CONTACT, "b@x.fr"),
        Write(RecordKind.PLEZI_CONTACT, "p3", EMAIL, {"phone": "3"}),
    ]
    outcomes = client.apply(writes, SCOPE)

    assert next(outcomes).write == writes[0]
    assert client.write_calls == 1
    assert [it.write for it in outcomes] == writes[1:]
    assert client.write_calls == 3


def test_a_field_that_is_no_longer_described_is_refused() -> None:
    system = system_of(Side.SALESFORCE)
    schemas = schemas_without(RecordKind.LEAD, "Phone")
    system.described = {RecordKind.LEAD: schemas[RecordKind.LEAD]}

    [outcome] = applied(client_of(system), update(Phone="1"))

    assert (outcome.code, outcome.fields) == ("INVALID_FIELD", ("Phone",))
