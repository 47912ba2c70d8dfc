"""Faults of the kind that peers have shipped, planted one at a time: the simulation must find each.

They are patches, made here and undone here; the connector knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

import requests

from connector.engine import observe as observing
from connector.engine import reconcile as reconciling
from connector.engine.runs import Engine
from connector.engine.story import lost_lines
from connector.mapping import BoundLine, Direction
from connector.mapping.values import clean
from connector.merge import Rule, Verdict
from connector.model import Change, Counts, Intent, Kind, Link, Observation
from connector.plan import Outcome, Result, fold, forget, judging, planning, recording
from connector.plezi import contacts as plezi_contacts
from connector.plezi.reading import Reader as PleziReader
from connector.salesforce import reading, writing
from local.world.sides import Sides

Plant = Callable[[Sides], AbstractContextManager[object]]
BUGS: Final[dict[str, tuple[str, Plant]]] = {}
"""By name: who has shipped it, or who complained (reference: peers 1E, 2), and how to plant it."""


def bug(name: str, seen_at: str) -> Callable[[Plant], Plant]:
    """Register a planted bug."""

    def register(plant: Plant) -> Plant:
        BUGS[name] = (seen_at, plant)
        return plant

    return register


def _swap(owner: object, name: str, new: object) -> AbstractContextManager[object]:  # a patcher
    return patch.object(owner, name, new)


@bug("record before apply", "syncall's order; style 2.4")
def record_before_apply(_sides: Sides) -> AbstractContextManager[object]:
    original = reconciling.Reconciliation._intend

    def intend(self: Any, plans: Any, counts: Any) -> Any:
        intended = original(self, plans, counts)
        after = []
        for each in intended:
            done = {it.record: Outcome(it, Result.DONE, it.record) for it in each.writes}
            intent = each.link.intent
            assert intent is not None
            link = recording.record(each.link, intent.id, done, undisturbed=True, now=0.0)
            self._world.ledger.put([Change(replace(link, intent=None, dirty=False))])
            after.append(each)
        return after

    return _swap(reconciling.Reconciliation, "_intend", intend)


@bug("apply without intent", "the classical order; style 2.4")
def apply_without_intent(_sides: Sides) -> AbstractContextManager[object]:
    def intend(self: Any, plans: Any, counts: Any) -> Any:
        now = self._world.clock()
        done = []
        for each in plans:
            self._count_decision(each, counts)
            intent = Intent("none", self._run, now, each.writes, each.settlements)
            done.append(replace(each, link=replace(each.link, intent=intent)))
        lines = [it for each in done for it in lost_lines(each, self._run, now)]
        self._world.journal.write(lines)
        return done

    return _swap(reconciling.Reconciliation, "_intend", intend)


@bug("watermark is now", "reliability 0.2: 1.23 % of histories lose an edit")
def watermark_now(_sides: Sides) -> AbstractContextManager[object]:
    return _swap(reading.Reader, "_covered", lambda self, _kind: reading._iso(self._server_time()))


@bug("watermark before the page is durable", "airbyte 27146")
def watermark_before_durable(_sides: Sides) -> AbstractContextManager[object]:
    original = observing.observe

    def observe(cursor: Any, client: Any, ledger: Any, *rest: Any) -> bool:
        first = _PageFirst(ledger)
        return original(cursor, _Announcing(client, first), first, *rest)  # type: ignore[arg-type]  # shapes of ports

    return _swap(_module("connector.engine.runs"), "observe", observe)


class _Announcing:
    def __init__(self, client: Any, first: Any) -> None:
        self._client, self._first = client, first

    def read(self, *args: Any) -> Iterator[Any]:
        for page in self._client.read(*args):
            self._first.keep(page.cursor)
            yield page


class _PageFirst:
    """A ledger that keeps the cursor of a page before its observations."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def keep(self, cursor: Any) -> None:
        self._ledger.checkpoint(cursor, "", Counts())

    def checkpoint(self, _cursor: Any, run: str, counts: Any) -> None:
        self._ledger.count(run, counts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


@bug("echo by author", "heroku connect; reliability 0.5")
def echo_by_author(sides: Sides) -> AbstractContextManager[object]:
    user = sides.org.integration_user.id
    select, page = reading.Reader._select, reading.Reader._page

    def selected(self: Any, kind: Kind) -> str:
        return select(self, kind).replace("SELECT ", "SELECT LastModifiedById,", 1)

    def paged(self: Any, kind: Any, rows: Any, *rest: Any, **options: Any) -> Any:
        kept = [row for row in rows if row.get("LastModifiedById") != user]
        return page(self, kind, kept, *rest, **options)

    return _both(_swap(reading.Reader, "_select", selected), _swap(reading.Reader, "_page", paged))


@bug("compare with clocks", "Plezi's own connector, Heroku Connect: last writer wins")
def compare_with_clocks(_sides: Sides) -> AbstractContextManager[object]:
    def settle(line: Any, voices: Any) -> Verdict:
        said = {it.record: line.canonical(it.side, it.now) for it in voices}
        settles = {it.record: it.now for it in voices}
        if len(set(said.values())) == 1:
            return Verdict(Rule.AGREED, settles=settles)
        newest = max(voices, key=lambda it: it.modified)
        writes = {
            it.record: line.say(it.kind, newest.now)
            for it in voices
            if it.listens and said[it.record] != said[newest.record]
        }
        return Verdict(Rule.NEWEST, writes, {**settles, **writes})

    return _swap(planning, "settle", settle)


@bug("retry a create after a time-out", "segment, heroku: a retried create doubles")
def retry_create(_sides: Sides) -> AbstractContextManager[object]:
    def call(self: Any, writes: Any) -> Any:
        creates = writes[0].creates
        records = [
            {
                "attributes": {"type": it.kind.value},
                **({} if creates else {"id": it.record}),
                **{n: v for n, v in it.values.items() if not creates or n != "plezi_url__c"},
            }
            for it in writes
        ]
        body = {"allOrNone": False, "records": records}
        headers = writing.DUPLICATE_RULES
        method = "POST" if creates else "PATCH"
        for _ in range(2):
            try:
                return self._connection.ask(
                    "composite/sobjects", method=method, headers=headers, json=body
                )
            except requests.RequestException:
                continue
        raise requests.ConnectionError

    return _swap(writing.Writer, "_call", call)


@bug("read again at the end", "style 2.4: the last reading swallows an edit")
def read_again(_sides: Sides) -> AbstractContextManager[object]:
    original = reconciling.Reconciliation._record

    def record(self: Any, plans: Any, outcomes: Any, counts: Any) -> None:
        original(self, plans, outcomes, counts)
        links = self._world.ledger.links([each.link.email for each in plans])
        for link in links.values():
            after = link
            for side, client in self._world.clients.items():
                mine = [it for it in link.observations() if it.side is side]
                for seen in client.look_up(mine, [], self._bound.view).seen:
                    after = after.with_observation(seen)
            base = {it.id: dict(it.values) for it in after.observations()}
            self._world.ledger.put([Change(replace(after, base=base, dirty=False))])

    return _swap(reconciling.Reconciliation, "_record", record)


@bug("ignore versions and instants", "a page in flight undoes our own write")
def ignore_versions(_sides: Sides) -> AbstractContextManager[object]:
    def careless(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        seen = replace(seen, version="9") if held is None else replace(seen, version=held.version)
        return fold(link, replace(seen, as_of=1e12))

    return _swap(observing, "fold", careless)


@bug("drop on equal stamps", "dlt: a `>` cursor never reads a row saved with the same stamp")
def drop_equal_stamps(_sides: Sides) -> AbstractContextManager[object]:
    def strict(link: Link, seen: Observation) -> Link:
        held = link.observation(seen.id)
        return link if held is not None and seen.version <= held.version else fold(link, seen)

    return _swap(observing, "fold", strict)


@bug("write whole records", "Mautic, Segment: every mapped field with every change")
def whole_records(_sides: Sides) -> AbstractContextManager[object]:
    original = planning._state

    def state(role: Any, email: str, values: Any, bound: Any) -> Any:
        write = original(role, email, values, bound)
        if role.seen is None:
            return write
        mine = {
            line.fields[role.kind].name
            for line in bound.lines
            if line.listens(role.kind) and line.writable(role.kind, create=False)
        }
        whole = {name: word for name, word in role.seen.values.items() if name in mine}
        return replace(write, values={**whole, **values})

    return _swap(planning, "_state", state)


@bug("null for what is absent", "airbyte: NA is null; salesforce bulk: empty is left")
def null_for_absent(_sides: Sides) -> AbstractContextManager[object]:
    original = plezi_contacts.Contacts.document

    def document(self: Any, values: Mapping[str, Any], record: str = "") -> dict[str, Any]:
        return original(self, {"mobile": None, "company": None, **values}, record)

    return _swap(plezi_contacts.Contacts, "document", document)


@bug("case-sensitive e-mail", "mautic 5712, pardot: a second contact")
def case_sensitive_email(_sides: Sides) -> AbstractContextManager[object]:
    def as_written(text: object) -> str:
        return clean(text) if isinstance(text, str) else ""

    return _both(
        _swap(plezi_contacts, "canonical_email", as_written),
        _swap(reading, "canonical_email", as_written),
    )


@bug("write converted leads", "mautic 6560, rudderstack: cannot reference converted lead")
def converted_written(_sides: Sides) -> AbstractContextManager[object]:
    original = reading.Reader._observation

    def blind(self: Any, *args: Any) -> Observation:
        return replace(original(self, *args), converted=False)

    return _swap(reading.Reader, "_observation", blind)


@bug("delete by absence", "a short page empties the other side")
def delete_by_absence(_sides: Sides) -> AbstractContextManager[object]:
    original = PleziReader.read

    def read(self: Any, cursor: Any, *rest: Any) -> Iterator[Any]:
        for page in original(self, cursor, *rest):
            self._seen = getattr(self, "_seen", set()) | {it.id for it in page.observations}
            yield page

    observe = Engine._observe

    def observed(self: Any, run: Any, bound: Any, *rest: Any) -> bool:
        done = observe(self, run, bound, *rest)
        ledger = self._world.ledger
        mine: set[str] = set()
        for page in self._world.clients[planning_side()].read(_from_scratch(), bound.view):
            mine |= {it.id for it in page.observations}
        for link in ledger.everyone():
            if link.plezi is not None and link.plezi.id not in mine:
                ledger.put([Change(forget(link, link.plezi.id))])
        return done

    return _both(_swap(PleziReader, "read", read), _swap(Engine, "_observe", observed))


@bug("swallow a rejected row", "segment: failed rows of a batch are never read")
def swallow_rejected(_sides: Sides) -> AbstractContextManager[object]:
    def done(write: Any, _code: str, _fields: Any) -> Outcome:
        return Outcome(write, Result.DONE, write.record)

    return _swap(writing, "_rejected", done)


@bug("ignore the direction", "product P9: one-way fields flow back")
def ignore_direction(_sides: Sides) -> AbstractContextManager[object]:
    return _both(
        _swap(BoundLine, "listens", lambda _self, kind: kind is not Kind.CONTACT),
        _swap(Direction, "speaks", lambda *_: True),
    )


@bug("lose without a word", "rotor: the other write is silently lost")
def silent_loss(_sides: Sides) -> AbstractContextManager[object]:
    return _swap(reconciling, "lost_lines", lambda *_: [])


@bug("settle doubt by the policy", "style 2.4: four steps")
def doubt_by_policy(_sides: Sides) -> AbstractContextManager[object]:
    return _swap(judging, "_doubtful", lambda *_: set())


def _module(name: str) -> Any:
    import importlib  # noqa: PLC0415  # of this function alone

    return importlib.import_module(name)


def planning_side() -> Any:
    """The side whose absences the bug believes."""
    return Kind.PLEZI_CONTACT.side


def _from_scratch() -> Any:
    from connector.model import Cursor  # noqa: PLC0415  # of this function alone

    return Cursor(Kind.PLEZI_CONTACT)


@contextmanager
def _both(*patches: AbstractContextManager[object]) -> Iterator[None]:
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield
