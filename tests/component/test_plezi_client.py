"""The Plezi client against the simulated tenant: rate, change feed, creations, deadline.

Everything runs on one virtual clock.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug.wrappers import Response

from connector.deadline import Deadline
from connector.errors import RetryError, StopReason
from connector.http_session import HttpSession
from connector.mapping import ReadScope
from connector.model import Cursor, Observation, Page, RecordKind, Write
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.plezi.api import PleziApi
from connector.plezi.api_dialect import ChangedSince, PleziDialect
from connector.plezi.client import PleziClient
from connector.plezi.connection_check import minimal_read
from connector.plezi.rate_limiter import NoSlotError, RateLimiter
from connector.retry import RetryPolicy
from connector.secret_version import FixedSecret, Secret
from connector.secrets import PleziCredentials, SecretText
from local.control import SimulatedClock
from local.plezi_tenant import PleziTenant
from local.serving import InProcessAdapter
from local.world.memory import MemoryLedger
from tests.virtual_time import VirtualTime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAMES = ("email", "first_name", "last_name", "phone")
SCOPE = ReadScope({RecordKind.PLEZI_CONTACT: NAMES}, {})
RATE = 2.0
LATENCY = 0.2


class SlowAdapter(InProcessAdapter):
    """Delivers each request after the latency of the network, and notes when."""

    def __init__(self, simulated: SimulatedTenant) -> None:
        super().__init__(simulated.answer)
        self._world = simulated

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # as requests
        self._world.received.append(self._world.time.now)
        for act in self._world.before_call.pop(len(self._world.received), []):
            act()
        response: requests.Response = super().send(request, **options)
        self._world.time.sleep(self._world.latency)
        return response


@dataclass
class SimulatedTenant:
    """One tenant, and what all functions share."""

    time: VirtualTime = field(default_factory=lambda: VirtualTime(1_795_000_000.0))
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    received: list[float] = field(default_factory=list)
    before_call: dict[int, list[Callable[[], object]]] = field(default_factory=dict)
    latency: float = 0.0
    stamps: dict[str, str | None] = field(default_factory=dict)
    """The `updated_at` that the list shows for some contacts, in place of their own."""

    def __post_init__(self) -> None:
        clock = SimulatedClock(lambda: datetime.fromtimestamp(self.time.now, UTC))
        self.tenant = PleziTenant(clock, seed=7)
        self.deadline = Deadline(self.time.clock)

    def answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the tenant does, with other stamps."""
        response = Response.from_app(self.tenant, environ)
        if self.stamps:
            body = json.loads(response.get_data())
            for row in body["data"]:
                stamp = self.stamps.get(row["id"], row["attributes"]["updated_at"])
                row["attributes"]["updated_at"] = stamp
            response.set_data(json.dumps(body))
        return response(environ, start)

    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    def api(self, rate: float = 0.0, *, waits: bool = False) -> PleziApi:
        """Return a connection as a new process has it; `waits`: pauses are those of a process."""
        sleep = self.time.sleep if waits else self.wait
        http = HttpSession(monotonic=self.time.clock)
        http.mount("https://", SlowAdapter(self))
        http.limit_time(self.deadline)
        secret = PleziCredentials(
            api_key=SecretText(self.tenant.api_key), tenant=self.tenant.tenant_name
        )
        return PleziApi(
            http,
            FixedSecret(Secret("1", secret)),
            "https://app.plezi.co/api/v1",
            RateLimiter(rate, self.ledger, self.time.clock, sleep, self.deadline),
            RetryPolicy(sleep, lambda: 1.0, self.time.clock, deadline=self.deadline),
        )

    def client(self, rate: float = 0.0, *, waits: bool = False, **dialect: Any) -> PleziClient:
        return PleziClient(
            self.api(rate, waits=waits),
            self.ledger,
            PleziDialect(**dialect),
            self.time.clock,
            lambda: "id",
        )

    def add(self, *emails: str, seconds_apart: float = 0.001) -> list[str]:
        """Let a user create contacts; return their ids."""
        ids = []
        for email in emails:
            self.wait(seconds_apart)
            ids.append(self.tenant.contacts.create_as_user({"email": email}).id)
        return ids

    def edit(self, *ids: str, phone: str = "1", seconds_apart: float = 0.001) -> None:
        for record in ids:
            self.wait(seconds_apart)
            self.tenant.contacts.update(record, {"phone": phone})

    def calls(self) -> dict[str, int]:
        return dict(self.tenant.control.calls.since_mark()["calls"])


@pytest.fixture
def simulated() -> Iterator[SimulatedTenant]:
    made = SimulatedTenant()
    yield made
    made.tenant.close()


def creation(email: str = "ana@example.com") -> Write:
    values = {"email": email, "last_name": "Lopez"}
    return Write(RecordKind.PLEZI_CONTACT, "", email, values)


def update(record: str, email: str = "ana@example.com") -> Write:
    return Write(RecordKind.PLEZI_CONTACT, record, email, {"phone": "2"})


def results(outcomes: Sequence[WriteOutcome]) -> list[WriteResult]:
    return [outcome.result for outcome in outcomes]


def emails(count: int, name: str = "p") -> list[str]:
    return [f"{name}{number:03}@example.com" for number in range(count)]


# The rate


def most_in_ten_seconds(received: Sequence[float]) -> int:
    calls = sorted(received)
    return max(bisect_left(calls, start + 10.0) - at for at, start in enumerate(calls))


def test_a_run_forms_and_an_admin_together_keep_the_rate_of_the_tenant(
    simulated: SimulatedTenant,
) -> None:
    """T5: 40 forms beside a run, and an administrator who checks the connection."""
    ids = simulated.add(*emails(40, "form"))
    simulated.latency = LATENCY
    forms = iter(list(zip(ids, emails(40, "form"), strict=True)))
    seconds: list[float] = []

    def run() -> None:
        client = simulated.client(RATE, waits=True)
        for _ in range(2):
            outcomes = client.apply([creation(email) for email in emails(20, f"{_}run")], SCOPE)
            assert set(results(list(outcomes))) == {WriteResult.DONE}

    def form_worker() -> None:
        client = simulated.client(RATE, waits=True)
        for record, email in forms:
            before = simulated.time.now
            client.look_up([], [email], SCOPE)
            simulated.time.sleep(1.8)  # Salesforce
            list(client.apply([update(record, email)], SCOPE))
            seconds.append(simulated.time.now - before)

    def admin() -> None:
        for _ in range(5):
            minimal_read(simulated.api(RATE, waits=True), PleziDialect())
            simulated.time.sleep(7.0)

    start = simulated.time.now
    simulated.time.run(run, *[form_worker] * 5, admin)

    assert len(simulated.received) == 40 * 2 + 40 * 2 + 5
    assert most_in_ten_seconds(simulated.received) <= RATE * 10 + 1
    assert simulated.received[-1] - start <= len(simulated.received) / RATE / 0.9
    assert max(seconds) <= 1.8 + 2 * (LATENCY + 2.0 + 6 * 0.5)


def test_after_too_many_calls_no_function_calls_before_plezi_said(
    simulated: SimulatedTenant,
) -> None:
    parameters = {"retry_after": 12}
    simulated.tenant.control.faults.inject("http_429", path="/contacts", parameters=parameters)
    refused, other = simulated.client(RATE, waits=True), simulated.client(RATE, waits=True)

    def second() -> None:
        simulated.time.sleep(3.0)
        list(other.recent_changes("", SCOPE))

    start = simulated.time.now
    simulated.time.run(lambda: list(refused.recent_changes("", SCOPE)), second)

    assert len(simulated.received) == 3
    assert simulated.received[1] >= start + 12.0


def test_a_read_that_can_have_no_slot_is_not_repeated(simulated: SimulatedTenant) -> None:
    simulated.ledger.postpone_slots(simulated.time.now + 300.0)
    before = simulated.time.now

    with pytest.raises(NoSlotError) as refused:
        list(simulated.client(RATE).recent_changes("", SCOPE))

    assert refused.value.reason is StopReason.PLEZI_UNAVAILABLE
    assert (simulated.received, simulated.time.now) == ([], before)


# The change feed


def look(client: PleziClient, since: str = "") -> list[Page]:
    return list(client.recent_changes(since, SCOPE))


def seen(pages: Sequence[Page]) -> set[str]:
    return {each.id for page in pages for each in page.observations}


@pytest.mark.parametrize(
    ("changed", "calls"), [(0, 1), (1, 2), (2, 2), (60, 2), (100, 4), (250, 5)]
)
def test_a_look_costs_one_call_for_a_hundred_changed_contacts_and_one_more(
    simulated: SimulatedTenant, changed: int, calls: int
) -> None:
    """A full page does not show that the tenant sorts: that costs one or two calls more."""
    ids = simulated.add(*emails(300))
    simulated.wait(60.0)
    client = simulated.client()
    [first] = look(client)
    simulated.edit(*ids[:changed])

    pages = look(client, first.cursor.watermark)

    assert seen(pages) == set(ids[:changed])
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len(simulated.received) == 1 + calls


def test_looks_follow_each_other_without_a_gap_and_read_old_changes_once(
    simulated: SimulatedTenant,
) -> None:
    ids = simulated.add(*emails(30))
    simulated.wait(60.0)
    client, position = simulated.client(), ""
    read: list[set[str]] = []
    for number in range(3):
        simulated.edit(*ids[number * 10 : number * 10 + 10])
        simulated.wait(30.0 if number else 0.0)
        pages = look(client, position)
        position = pages[-1].cursor.watermark
        read.append(seen(pages))

    assert read == [set(ids[:10]), set(ids[10:20]) | set(ids[:10]), set(ids[20:])]


def test_a_contact_that_changes_during_a_look_is_read_all_the_same(
    simulated: SimulatedTenant,
) -> None:
    ids = simulated.add(*emails(150))
    client = simulated.client()
    since = look(client)[-1].cursor.watermark
    simulated.before_call[len(simulated.received) + 2] = [
        lambda: simulated.edit(ids[140], ids[3], phone="9")
    ]

    pages = look(client, since)

    assert seen(pages) == set(ids)
    last = {each.id: each.values["phone"] for page in pages for each in page.observations}
    assert (last[ids[140]], last[ids[3]]) == ("9", "9")


@pytest.mark.parametrize("switches", [{}, {"changed_since": "ignored"}])
def test_contacts_with_one_stamp_on_the_edge_of_a_page_are_all_read(
    simulated: SimulatedTenant, switches: dict[str, Any]
) -> None:
    ids = simulated.add(*emails(99))
    ids += simulated.add(*emails(40, "q"), seconds_apart=0.0)  # an import stamps all at once
    ids += simulated.add(*emails(5, "r"))
    simulated.tenant.contacts.set_switches(switches)
    client = simulated.client()

    assert seen(list(client.read(Cursor(RecordKind.PLEZI_CONTACT), SCOPE))) == set(ids)
    assert seen(look(client)) == set(ids)
    assert client.has_change_feed


@pytest.mark.parametrize(("switches", "expected"), [({}, True), ({"sort": "ignored"}, False)])
def test_a_list_that_is_known_to_sort_shows_changes_without_a_filter(
    simulated: SimulatedTenant,
    switches: dict[str, Any],
    expected: bool,  # noqa: FBT001  # parametrized
) -> None:
    ids = simulated.add(*emails(150))
    simulated.edit(ids[3])  # the order of creation is not the order of change
    simulated.wait(60.0)
    simulated.tenant.contacts.set_switches({"changed_since": "absent", **switches})
    client = simulated.client(changed_since=ChangedSince.NONE, newest_first=True)
    assert client.has_change_feed

    simulated.edit(ids[7], ids[5])
    pages = look(client)

    assert client.has_change_feed is expected
    assert not expected or seen(pages) >= {ids[7], ids[5]}


@pytest.mark.parametrize("finds_by_email", [True, False])
def test_a_contact_never_counts_as_deleted_where_the_tenant_cannot_read_by_id(
    simulated: SimulatedTenant,
    finds_by_email: bool,  # noqa: FBT001  # parametrized
) -> None:
    (contact,) = simulated.add("ana@example.com")
    simulated.tenant.contacts.set_switches({"get_by_id": "not_found"})
    client = simulated.client(reads_by_id=False, finds_by_email=finds_by_email)
    known = Observation(RecordKind.PLEZI_CONTACT, contact, "ana@example.com", "", "", 0.0, {})

    found = client.look_up([known], [], SCOPE)

    assert found.deleted == frozenset()
    assert [each.id for each in found.observations] == ([contact] if finds_by_email else [])


FILTER_IGNORED = {"changed_since": "ignored"}
FILTER_ABSENT = {"changed_since": "absent"}
FILTER_UNKNOWN = {"changed_since": "absent", "unknown_parameters": "ignored"}
NO_ORDER = {"sort": "ignored"}


@pytest.mark.parametrize(
    ("switches", "dialect", "expected"),
    [
        ({}, ChangedSince.FILTER, True),
        ({}, ChangedSince.UPDATED_SINCE, True),
        (FILTER_IGNORED, ChangedSince.FILTER, True),
        (FILTER_ABSENT, ChangedSince.FILTER, True),
        (FILTER_UNKNOWN, ChangedSince.FILTER, True),
        ({**FILTER_IGNORED, **NO_ORDER}, ChangedSince.FILTER, False),
        ({**FILTER_ABSENT, **NO_ORDER}, ChangedSince.FILTER, False),
        ({"updated_at": "missing"}, ChangedSince.FILTER, False),
        ({}, ChangedSince.NONE, False),
    ],
)
def test_the_change_feed_is_what_the_tenant_filters_or_orders(
    simulated: SimulatedTenant,
    switches: dict[str, Any],
    dialect: ChangedSince,
    expected: bool,  # noqa: FBT001  # parametrized
) -> None:
    ids = simulated.add(*emails(150))
    simulated.edit(ids[3])  # the order of creation is not the order of change
    simulated.wait(60.0)
    simulated.tenant.contacts.set_switches(switches)
    client = simulated.client(changed_since=dialect)
    assert client.has_change_feed is (dialect is not ChangedSince.NONE)

    simulated.edit(ids[7], ids[5])
    calls = len(simulated.received)
    pages = look(client)

    assert client.has_change_feed is expected
    if expected:
        assert seen(pages) >= {ids[7], ids[5]}
        assert pages[-1].last
        # a filter that is refused costs two: the second shows that no contact is the cause;
        # one call shows that the tenant sorts
        assert len(simulated.received) - calls <= 4
        calls = len(simulated.received)
        look(client, pages[-1].cursor.watermark)
        # a filter that was ignored or refused once is not tried again
        assert len(simulated.received) - calls == (1 if switches else 2)
    elif dialect is not ChangedSince.NONE:
        assert not any(page.last for page in pages)
        assert len(simulated.received) - calls <= 3  # it does not read everything


def test_a_tenant_without_an_order_is_noticed_by_the_look_after_a_run(
    simulated: SimulatedTenant,
) -> None:
    ids = simulated.add(*emails(10))
    simulated.edit(ids[3])
    simulated.tenant.contacts.set_switches({**FILTER_IGNORED, **NO_ORDER})
    client = simulated.client()
    list(client.read(Cursor(RecordKind.PLEZI_CONTACT), SCOPE))
    simulated.wait(60.0)

    assert not any(page.last for page in look(client))
    assert not client.has_change_feed


def test_newest_first_a_contact_that_moves_to_the_front_is_read_by_another_pass(
    simulated: SimulatedTenant,
) -> None:
    ids = simulated.add(*emails(150))
    simulated.wait(60.0)
    simulated.tenant.contacts.set_switches(FILTER_IGNORED)
    client = simulated.client()
    since = look(client)[-1].cursor.watermark
    simulated.edit(*ids, phone="2")
    second_page = len(simulated.received) + 2
    simulated.before_call[second_page] = [
        lambda: simulated.edit(ids[0], phone="3", seconds_apart=30.0)
    ]

    pages = look(client, since)

    assert seen(pages) == set(ids)
    assert [page.last for page in pages].count(True) == 1
    assert pages[-1].last


def test_one_contact_without_a_usable_stamp_does_not_end_the_change_feed(
    simulated: SimulatedTenant,
) -> None:
    ids = simulated.add(*emails(10))
    simulated.tenant.contacts.set_switches(FILTER_IGNORED)
    simulated.stamps = {ids[3]: None, ids[5]: "not a time"}
    client = simulated.client()

    pages = look(client)

    assert client.has_change_feed
    assert seen(pages) == set(ids)


@pytest.mark.parametrize("switches", [{}, FILTER_IGNORED])
def test_stamps_with_local_offsets_are_ordered_as_instants(
    simulated: SimulatedTenant, switches: dict[str, Any]
) -> None:
    """In the hour of a clock change, the text of a later stamp sorts before an earlier one."""
    ids = simulated.add(*emails(150), seconds_apart=60.0)
    simulated.tenant.contacts.set_switches(switches)
    stamps = {each: simulated.tenant.contacts.read(each) for each in ids}
    simulated.stamps = {
        each: datetime.fromtimestamp(
            contact.updated_at / 1000, timezone(timedelta(hours=hours))
        ).isoformat(timespec="milliseconds")
        for number, (each, contact) in enumerate(stamps.items())
        if contact is not None and (hours := 2 if number < 75 else 1)
    }
    client = simulated.client()

    assert seen(list(client.read(Cursor(RecordKind.PLEZI_CONTACT), SCOPE))) == set(ids)
    assert client.has_change_feed
    assert seen(look(client, simulated.stamps[ids[100]] or "")) >= set(ids[100:])


# Creations


def test_a_contact_is_searched_immediately_before_it_is_created(simulated: SimulatedTenant) -> None:
    client = simulated.client()
    outcomes = client.apply([creation("a@example.com"), creation("b@example.com")], SCOPE)

    assert next(outcomes).result is WriteResult.DONE
    assert simulated.calls() == {"create": 1, "list": 1}
    assert next(outcomes).result is WriteResult.DONE
    assert simulated.calls() == {"create": 2, "list": 2}


def test_a_contact_that_appeared_in_between_is_found_and_not_overwritten(
    simulated: SimulatedTenant,
) -> None:
    client = simulated.client()
    outcomes = client.apply([creation("a@example.com"), creation()], SCOPE)
    next(outcomes)
    contact = simulated.tenant.contacts.create_as_user(
        {"email": "Ana@Example.com", "last_name": "X"}
    )

    [outcome] = outcomes

    assert (outcome.result, outcome.created, outcome.record_id) == (WriteResult.STALE, False, "")
    assert isinstance(outcome.observation, Observation)
    assert (outcome.observation.id, outcome.observation.values["last_name"]) == (contact.id, "X")
    assert outcome.observation.as_of == simulated.time.now
    stored = simulated.tenant.contacts.read(contact.id)
    assert stored is not None
    assert stored.values["last_name"] == "X"


@pytest.mark.parametrize("refusal", ["conflict", "conflict_409"])
def test_a_refused_creation_gives_the_contact_that_exists_already(
    simulated: SimulatedTenant, refusal: str
) -> None:
    simulated.tenant.contacts.set_switches({"known_email": refusal})
    client = simulated.client()
    appears = len(simulated.received) + 2
    simulated.before_call[appears] = [lambda: simulated.add("ana@example.com")]

    [outcome] = client.apply([creation()], SCOPE)

    assert outcome.result is WriteResult.STALE
    assert outcome.observation is not None
    assert set(outcome.observation.values) == set(NAMES)


def test_a_tenant_without_search_gets_one_call_for_a_creation(simulated: SimulatedTenant) -> None:
    client = simulated.client(finds_by_email=False)
    with_search = simulated.client()
    assert client.seconds_for(creations=2) == with_search.seconds_for(creations=1)
    assert results(list(client.apply([creation()], SCOPE))) == [WriteResult.DONE]
    assert simulated.calls() == {"create": 1}


def test_a_creation_whose_search_fails_is_not_sent(simulated: SimulatedTenant) -> None:
    simulated.tenant.control.faults.inject("http_503", method="GET", count=None)
    [outcome] = simulated.client().apply([creation()], SCOPE)
    assert outcome.result is WriteResult.RETRY
    assert "create" not in simulated.calls()


def test_a_write_that_plezi_refuses_for_its_rate_is_not_in_doubt(
    simulated: SimulatedTenant,
) -> None:
    [record] = simulated.add("ana@example.com")
    simulated.tenant.control.faults.inject("http_429", method="PUT", count=None)
    [outcome] = simulated.client().apply([update(record)], SCOPE)
    assert outcome.result is WriteResult.RETRY


def test_a_write_whose_response_is_lost_is_in_doubt(simulated: SimulatedTenant) -> None:
    [record] = simulated.add("ana@example.com")
    simulated.tenant.control.faults.inject("reset_after", method="PUT")
    [outcome] = simulated.client().apply([update(record)], SCOPE)
    assert outcome.result is WriteResult.UNKNOWN


def test_the_seconds_are_known_before_writes_are_sent(simulated: SimulatedTenant) -> None:
    client = simulated.client(RATE)
    assert client.seconds_for(creations=1, updates=2) == pytest.approx(2.0)
    assert client.seconds_for(look_ups=3) == pytest.approx(1.5)


def test_the_seconds_of_writes_follow_the_measured_pace(simulated: SimulatedTenant) -> None:
    ids = simulated.add(*emails(20))
    client = simulated.client(RATE, waits=True)
    simulated.latency = 1.6

    simulated.time.run(lambda: list(client.apply([update(record) for record in ids], SCOPE)))

    assert client.seconds_for(creations=1) == pytest.approx(3.2, rel=0.05)


# The deadline


def test_writes_end_before_the_invocation_and_nothing_is_in_doubt(
    simulated: SimulatedTenant,
) -> None:
    """T2 and T3: writes without an outcome were not sent."""
    simulated.latency = LATENCY
    simulated.deadline.start(remaining=30.0)
    client = simulated.client(RATE, waits=True)
    outcomes: list[WriteOutcome] = []
    start = simulated.time.now

    simulated.time.run(
        lambda: outcomes.extend(client.apply([creation(each) for each in emails(100)], SCOPE))
    )

    assert set(results(outcomes)) == {WriteResult.DONE}
    assert len(outcomes) >= 18
    calls = simulated.calls()
    assert calls["create"] == calls["list"] == len(outcomes)  # no search is thrown away
    assert simulated.time.now <= start + 20.0 + LATENCY


def test_a_read_is_not_repeated_into_the_end_of_the_invocation(simulated: SimulatedTenant) -> None:
    simulated.tenant.control.faults.inject(
        "http_429", path="/contacts", count=None, parameters={"retry_after": 25}
    )
    simulated.deadline.start(remaining=40.0)
    client = simulated.client()
    start = simulated.time.now

    with pytest.raises(RetryError):
        look(client)

    assert simulated.time.now - start <= 39.0


def test_without_time_nothing_is_sent(simulated: SimulatedTenant) -> None:
    simulated.deadline.start(remaining=5.0)
    assert list(simulated.client().apply([creation(), update("p1")], SCOPE)) == []
    assert simulated.received == []


def test_a_write_is_based_on_the_newest_state_of_its_contact(simulated: SimulatedTenant) -> None:
    """An update is one call, whatever the client knows of the contact."""
    [record] = simulated.add("ana@example.com")
    [outcome] = simulated.client().apply([replace(update(record), version="0")], SCOPE)
    assert (outcome.result, simulated.calls()) == (WriteResult.DONE, {"update": 1})
