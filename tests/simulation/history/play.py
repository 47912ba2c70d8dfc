"""Play one history: people, runs and bad luck; then peace, and what must hold in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from requests import PreparedRequest, Response

from connector.mapping import Policy
from connector.model import Hint, Kind, Link, Part, RunKind, RunState, Side
from connector.settings import PleziDialect
from local.world.connected import Connected
from local.world.luck import Crash, Luck, Trace
from local.world.memory import MemoryConfiguration, MemoryInbox, MemoryJournal, MemoryLedger
from local.world.sides import REFUSALS, Sides, Truth
from tests.simulation.history.events import (
    LEAD_FIELDS,
    NAMES,
    TWO_WAY,
    Event,
    Story,
    mapping,
)
from tests.simulation.history.oracle import AUTOMATED, BrokenPromiseError, Oracle, said, value_of

BEGINNING: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CALL_SECONDS: Final = 0.3
"""What one call over the wire takes in the world's time."""
QUEUE_SECONDS: Final = 10.0
"""What a message waits; a run that waits for a dead one's intent goes on until it is old enough."""
SETTLING_RUNS: Final = 6
"""Runs after peace within which all must have settled: three that may (invariant 1), and more for
what a dead run had left: intents are judged once they are older than the worker's time-out."""
LONG_ENOUGH: Final = 4000.0
"""Seconds of peace between two runs: beyond time-outs, late commits, lags and consistency."""
MOST_PARTS: Final = 60
_ACROSS: Final = {"plezi": "salesforce", "salesforce": "plezi"}


@dataclass
class Outcome:
    """What a history came to."""

    broken: str = ""
    trace: str = ""
    story: list[str] = field(default_factory=list)
    luck: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    window: int = 0


class History:
    """One history in the world."""

    def __init__(self, sides: Sides, story: Story, make: Callable[[], dict[str, Any]]) -> None:
        sides.clock.set(BEGINNING, frozen=True)
        sides.reset()
        self.sides = sides
        self.story = story
        self.trace = Trace()
        self.luck = Luck(self.trace)
        self.oracle = Oracle(story.policies)
        self.words: list[str] = []
        self.counted: Counter[str] = Counter()
        self.people: dict[tuple[int, str], str] = {}
        self._serial = 0
        self.peace = False
        self._lags = "read_lag_seconds" in story.tenant
        if story.tenant:
            sides.tenant.turn(**story.tenant)
            self.counted[f"tenant {story.tenant}"] += 1
        self.connected = Connected(
            sides, self.luck, self._watch, dialect=PleziDialect(page_size=3), **make()
        )

    # The wire, watched

    def _watch(self, request: PreparedRequest, send: Callable[[], Response]) -> Response:
        self.sides.clock.advance(CALL_SECONDS)
        path = request.path_url.partition("?")[0]
        writes = _is_write(request, path)
        before = self.sides.truth() if writes else {}
        if writes:
            self.oracle.sends(request.method or "", path, request.body)
        try:
            answer = send()
        finally:
            if writes:
                after = self.sides.truth()
                if after != before:
                    self.counted["writes"] += 1
                    journal = self.connected.journal.told()
                    self.oracle.wrote(before, after, journal, f"{request.method} {path}")
        self.trace.note(str(answer.status_code))
        if answer.ok:
            body = answer.raw.read()
            shown = self.sides.truth() if self._lags else {}
            self.oracle.told(body, shown)
            answer.raw = _again(answer, body)
        return answer

    # Events

    def play(self) -> None:
        """Let everything happen, then peace."""
        for event in self.story.events:
            self.happen(event)
            self.sides.clock.advance(7)
        self._settle()

    def happen(self, event: Event) -> None:
        """Let one event happen; what people cannot do, they are told, and it did not happen."""
        action = getattr(self, f"_do_{event.what}")
        try:
            action(event)
        except REFUSALS as refused:
            self.trace.note(f"{event.what} refused: {type(refused).__name__}")

    def tell(self, words: str) -> None:
        """Note what happened, in words."""
        self.trace.note(words)
        self.words.append(f"{self.sides.clock.now():%H:%M:%S} {words}")

    def _find(self, event: Event, side: str = "") -> Truth | None:
        """The record of a person on a side: the one a person made, or the one we did."""
        side = side or event.side
        truth = self.sides.truth()
        record = self.people.get((event.who, side))
        if record is None and side in ("plezi", "salesforce"):
            kind = Kind.PLEZI_CONTACT if side == "plezi" else Kind.LEAD
            across = truth.get(self.people.get((event.who, _ACROSS[side]), ""))
            met = (it for it in truth.values() if across and it.email == across.email)
            record = next((it.id for it in met if it.kind is kind), None)
            if record is not None:
                self.people[event.who, side] = record
        return truth.get(record) if record else None

    def _value(self, event: Event, truth: Truth) -> str:
        """A new value, or (`retype`) one that this person's record said before."""
        if event.what == "retype":
            words = self.oracle.said_in.get((self.oracle.group(truth.id), event.field), {})
            known = [word for word in words if word]
            if known:
                return known[event.value % len(known)]
        self._serial += 1
        return f"{event.who + 1}{self._serial:03d}"

    def _type(self, truth: Truth, name: str, value: object, told: str, **how: Any) -> None:
        wire = name if truth.kind is Kind.PLEZI_CONTACT else LEAD_FIELDS[name]
        if value is None and wire in ("LastName", "Company"):
            return
        if said(value) == value_of(truth, name):
            return
        self.sides.edit(truth.kind, truth.id, {wire: value}, **how)
        self.tell(told)
        now = self.sides.truth()
        if self._is_what_was_meant(truth.id, wire, value):
            self.oracle.window["typed exactly what an unfinished write was to say"] += 1
            self.oracle.edits.pop((truth.id, name), None)  # overtaken by its own author
            return
        if value_of(now[truth.id], name) == said(value) or how:  # else the org itself replaced it
            self.oracle.typed_by(truth, name, value, self.connected.now(), f"{told}", now.values())

    def _is_what_was_meant(self, record: str, wire: str, value: object) -> bool:
        """Whether a dead run's write was to say just this: nobody can tell the person from it.

        The protocol's stated limit (docs/architecture.md, rule 3); the oracle excuses no other.
        """
        return any(
            write.record == record
            and wire in write.values
            and said(write.values[wire]) == said(value)
            for link in self.connected.ledger.everyone()
            if link.intent is not None
            for write in link.intent.writes
        )

    def _do_edit(self, event: Event, **how: Any) -> None:
        truth = self._find(event)
        if truth is None or truth.deleted or truth.converted:
            return
        name = event.field
        value = self._value(event, truth)
        where = event.side.capitalize()
        late = " in a transaction that commits late" if how else ""
        self._type(
            truth,
            name,
            value,
            f"{NAMES[event.who]}'s {name} becomes {value} in {where}{late}",
            **how,
        )

    _do_retype = _do_edit

    def _do_late_edit(self, event: Event) -> None:
        if event.side == "salesforce":
            self.counted["14 long transaction"] += 1
            self._do_edit(event, late=120.0 * (1 + event.value))

    def _do_clear(self, event: Event) -> None:
        truth = self._find(event)
        if truth is not None and not truth.deleted and not truth.converted:
            name = event.field if event.field in TWO_WAY else "phone"
            where = event.side.capitalize()
            self._type(truth, name, None, f"{NAMES[event.who]}'s {name} is cleared in {where}")

    def _do_create(self, event: Event) -> None:
        known = self._find(event)
        if known is not None and not known.deleted:
            return
        kind = Kind.PLEZI_CONTACT if event.side == "plezi" else Kind.LEAD
        self._add(event, kind, event.side)

    def _do_twin(self, event: Event) -> None:
        if (event.who, "salesforce") in self.people:
            self._add(event, Kind.LEAD, "twin")

    def _do_contact(self, event: Event) -> None:
        if (event.who, "contact") not in self.people:
            self._add(event, Kind.CONTACT, "contact")

    def _add(self, event: Event, kind: Kind, slot: str) -> None:
        email = f"{NAMES[event.who].lower()}@example.com"
        self._serial += 1
        phone = f"{event.who + 1}{self._serial:03d}"
        name = f"{NAMES[event.who]}{self._serial:03d}"
        if kind is Kind.PLEZI_CONTACT:
            written = email.title() if self._serial % 2 else email
            values: dict[str, Any] = {"email": written, "phone": phone, "last_name": name}
        else:
            values = {"Email": email.upper(), "Phone": phone, "LastName": name}
            values |= (
                {"Company": f"{name} SA"} if kind is Kind.LEAD else {"sync_to_plezi__c": "yes"}
            )
        record = self.sides.add(kind, values)
        self.people[event.who, slot] = record
        self.oracle.same_person(record, email)
        self.tell(f"{NAMES[event.who]} is created in {slot.capitalize()} with phone {phone}")
        truth = self.sides.truth()
        for field_name in TWO_WAY:
            word = value_of(truth[record], field_name)
            if word:
                told = f"{NAMES[event.who]}'s {field_name} {word}, given in {slot.capitalize()}"
                self.oracle.typed_by(
                    truth[record], field_name, word, self.connected.now(), told, truth.values()
                )

    def _do_touch(self, event: Event) -> None:
        truth = self._find(event)
        if truth is None or truth.deleted or truth.converted:
            return
        self._serial += 1
        if event.side == "plezi":
            self.sides.edit(truth.kind, truth.id, {"segment": "smb" if self._serial % 2 else "mid"})
        else:
            self.sides.edit(truth.kind, truth.id, {"Description": f"note {self._serial}"})
        self.tell(f"another field of {NAMES[event.who]} is edited in {event.side.capitalize()}")

    def _do_score(self, event: Event) -> None:
        truth = self._find(event, "plezi")
        if truth is not None:
            self.sides.edit(truth.kind, truth.id, {"behaviour_score": 5 + event.value})
            self.tell(f"Plezi moves the score of {NAMES[event.who]}")

    def _do_optout(self, event: Event) -> None:
        truth = self._find(event)
        if truth is None or truth.deleted or truth.converted:
            return
        told = f"{NAMES[event.who]} opts out in {event.side}"
        self._type(truth, "newsletter_optout", True, told)

    def _do_email(self, event: Event) -> None:
        truth = self._find(event)
        if truth is None or truth.deleted or truth.converted:
            return
        who = (event.who + event.value) % len(NAMES)
        address = f"{NAMES[who].lower()}{event.value or ''}@example.com"
        wire = "email" if truth.kind is Kind.PLEZI_CONTACT else "Email"
        self.sides.edit(truth.kind, truth.id, {wire: address})
        self.oracle.same_person(truth.id, address)
        self.oracle.changed_identity.add(self.oracle.group(truth.id))
        self.tell(f"{NAMES[event.who]}'s e-mail becomes {address} in {event.side.capitalize()}")

    def _do_delete(self, event: Event) -> None:
        truth = self._find(event)
        if truth is None or truth.deleted or truth.converted:
            return
        self.sides.delete(truth.kind, truth.id)
        self._identity_moved(truth)
        self.tell(f"{NAMES[event.who]} is deleted in {event.side.capitalize()}")

    def _do_undelete(self, event: Event) -> None:
        truth = self._find(event, "salesforce")
        if truth is not None and truth.deleted:
            self.sides.undelete(truth.id)
            self.tell(f"{NAMES[event.who]}'s Lead comes back out of the recycle bin")

    def _do_convert(self, event: Event) -> None:
        truth = self._find(event, "salesforce")
        if truth is None or truth.deleted or truth.converted:
            return
        contact = self.sides.convert(truth.id)
        self.oracle.same_person(contact, truth.id)
        self.people[event.who, "contact"] = contact
        self._identity_moved(truth)
        self.tell(f"{NAMES[event.who]}'s Lead is converted")

    def _do_merge(self, event: Event) -> None:
        truth, twin = self._find(event, "salesforce"), self._find(event, "twin")
        if truth is None or twin is None or truth.deleted or twin.deleted or truth.converted:
            return
        self.sides.merge(truth.id, twin.id)
        self._identity_moved(truth)
        self.tell(f"{NAMES[event.who]}'s second Lead is merged into the first")

    def _identity_moved(self, truth: Truth) -> None:
        """What was typed in a record that is no more is not owed to anybody."""
        self.oracle.changed_identity.add(self.oracle.group(truth.id))
        for key in [key for key in self.oracle.edits if key[0] == truth.id]:
            del self.oracle.edits[key]

    def _do_flag(self, event: Event) -> None:
        truth = self._find(event, "contact")
        if truth is not None and not truth.deleted:
            flag = "no" if truth.values.get("sync_to_plezi__c") == "yes" else "yes"
            self.sides.edit(truth.kind, truth.id, {"sync_to_plezi__c": flag})
            self.tell(f"sync_to_plezi of {NAMES[event.who]}'s Contact becomes {flag}")

    def _do_form(self, event: Event) -> None:
        email = f"{NAMES[event.who].lower()}@example.com"
        self._serial += 1
        phone = f"{event.who + 1}{self._serial:03d}"
        before = self.sides.truth()
        contact = self.sides.submit({"email": email, "phone": phone})
        self.people.setdefault((event.who, "plezi"), contact)
        self.oracle.same_person(contact, email)
        now = self.sides.truth()
        told = f"{NAMES[event.who]} submits a form with phone {phone}"
        self.tell(told)
        if contact not in before or before[contact].values != now[contact].values:
            self.oracle.typed_by(
                now[contact], "phone", phone, self.connected.now(), told, now.values()
            )

    # Bad luck

    def _do_fault(self, event: Event) -> None:
        self._lags = self._lags or event.field == "stale"
        panel = (self.sides.org if event.side == "salesforce" else self.sides.tenant).control
        panel.faults.order(event.field, **{"after": event.value, **event.extra})
        self.counted[f"{event.side} {event.field}"] += 1
        self.tell(f"{event.side.capitalize()} is about to suffer {event.field}")

    def _do_wait(self, event: Event) -> None:
        self.sides.clock.advance(event.value)
        self.trace.note(f"{event.value} seconds pass")

    def _do_kill_sessions(self, _event: Event) -> None:
        self.sides.org.state.sessions.kill_all(None)
        self.counted["1 session killed"] += 1
        self.tell("Salesforce forgets every session")

    def _do_password(self, _event: Event) -> None:
        from local.salesforce_org import login  # noqa: PLC0415  # of this event alone

        user = self.sides.org.integration_user
        login.reset_password(self.sides.org.state, user, user.password + "x")
        self.counted["2 password reset"] += 1
        self.tell("the integration user's password is reset")
        self._password_due = True

    _password_due = False

    def _do_flow(self, event: Event) -> None:
        from local.salesforce_org.automation import Flow  # noqa: PLC0415  # of this event alone

        condition = ""
        values = {"Description": "seen by a flow"}
        self.oracle.automated.add("Description")
        if event.side == "plezi":  # an automation of a mapped field, in our own transaction
            values = {"MobilePhone": AUTOMATED}
            condition = "MobilePhone != null"
        self.sides.org.state.automation.flows.append(Flow("Lead", values, condition))
        self.counted["12 automation"] += 1
        self.tell("a flow of the org edits whatever Lead is saved")

    def _do_validation(self, event: Event) -> None:
        from local.salesforce_org.automation import ValidationRule  # noqa: PLC0415  # same

        rule = ValidationRule(
            object="Lead", condition=f"Phone LIKE '{event.who + 1}%5'", message="no", field="Phone"
        )
        self.sides.org.state.automation.validations.append(rule)
        self.counted["10 validation rule"] += 1
        self.tell("a validation rule refuses phones that end in 5")

    def _do_mapping(self, event: Event) -> None:
        now = self.connected.configuration.current()
        gone = any(it.plezi == event.field for it in now.lines)
        policies = dict(self.story.policies)
        saved = mapping(policies, version=now.version + 1, without=event.field if gone else "")
        self.connected.configuration.save(saved)
        self.counted["64 mapping saved"] += 1
        self.tell(f"a mapping is saved {'without' if gone else 'with'} {event.field}")

    def _do_again(self, _event: Event) -> None:
        """An old message of the queue is delivered again, late."""
        known = [it.id for it in self.connected.ledger.runs(10)]
        if known:
            self.counted["42 duplicate message"] += 1
            self.tell("an old message is delivered again")
            self._guarded(lambda: self._parts(known[-1], Part.OBSERVE, lambda: False))

    # Runs

    def _do_run(self, event: Event) -> None:
        self._run(event, self.connected.request)

    def _do_full(self, event: Event) -> None:
        self._run(event, lambda: self.connected.request(RunKind.FULL))

    def _do_selected(self, event: Event) -> None:
        email = f"{NAMES[event.who].lower()}@example.com"
        self._run(event, lambda: self.connected.request(RunKind.SELECTED, emails=(email,)))

    def _do_hint(self, event: Event) -> None:
        email = f"{NAMES[event.who].lower()}@example.com"
        self.tell(f"a hint about {NAMES[event.who]} is heard")
        self.counted["hint"] += 1
        self._fate(event)
        trace = self.connected.new_id()
        self._guarded(lambda: self.connected.hear(Hint(trace, email=email)))

    def _fate(self, event: Event) -> None:
        after, _ = event.extra or (False, 0)
        meanwhile = {it.value: partial(self.happen, it.more[0]) for it in event.more}
        self.luck.invocation(die_at=event.value, die_after=after, meanwhile=meanwhile)

    def _run(self, event: Event, request: Callable[[], str]) -> None:
        run = request()
        self.tell(
            "a run begins" + (f", that will die at step {event.value}" if event.value else "")
        )
        self._fate(event)
        hurried = (event.extra or (False, 0))[1]
        calls = iter(range(10_000))

        def out_of_time() -> bool:
            return bool(hurried) and next(calls) % (hurried + 1) == hurried

        self._guarded(lambda: self._parts(run, Part.OBSERVE, out_of_time))

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Crash:
            self.counted["43 the process dies"] += 1
            self.words.append(f"{self.sides.clock.now():%H:%M:%S} {self.trace.lines[-1]}")
            self.luck.invocation()
            self.connected.start_process()
            self.connected.inbox.messages.clear()
        finally:
            self.luck.invocation()

    def _parts(self, run: str, part: Part, out_of_time: Callable[[], bool]) -> None:
        messages = self.connected.inbox.messages
        messages.clear()
        for _ in range(MOST_PARTS):
            self.sides.clock.advance(QUEUE_SECONDS)
            state = self.connected.work(run, part, out_of_time)
            self.trace.note(f"run {state.value}")
            if state is not RunState.RUNNING or not messages:
                return
            run, part = messages.pop(0)
        raise BrokenPromiseError("26 deadline: a run goes on for ever")

    # Peace

    def _settle(self) -> None:
        """Stop all bad luck and all typing; run until nothing moves; then judge."""
        self.sides.org.control.faults.clear()
        self.sides.tenant.control.faults.clear()
        self.sides.org.state.automation.validations.clear()
        self.peace = True
        self.tell("people stop, and nothing fails any more")
        if self._password_due:
            self.connected.put_secrets()
        for number in range(SETTLING_RUNS):
            self.sides.clock.advance(LONG_ENOUGH)
            before = self.counted["writes"], _revisions(self.connected.ledger)
            self._calm_run(RunKind.CHANGES)
            moved = (self.counted["writes"], _revisions(self.connected.ledger)) != before
            if not moved and number:
                break
        self._judge_quiet()
        self._judge_sides()
        self._judge_drift()

    def _judge_drift(self) -> None:
        """A reading of everybody finds nothing that no change announced."""
        if any(link.quarantine is not None for link in self.connected.ledger.everyone()):
            return  # it waits for a change, or for a full run, which tries it again
        self.oracle.checked["30 self-healing"] += 1
        writes = self.counted["writes"]
        self._calm_run(RunKind.FULL)
        if self.counted["writes"] != writes:
            raise BrokenPromiseError("30 self-healing: a full run finds drift")

    def _calm_run(self, kind: RunKind) -> None:
        run = self.connected.request(kind)
        self.luck.invocation()
        self._parts(run, Part.OBSERVE, lambda: False)
        ended = self.connected.ledger.run(run)
        if ended is None or ended.state is not RunState.DONE:
            why = f"{ended.state.value} {ended.reason} {ended.message}" if ended else "unknown"
            raise BrokenPromiseError(f"1 convergence: a run in peace ends {why}")

    def _judge_quiet(self) -> None:
        self.oracle.checked["2 quiescence"] += 1
        self.sides.clock.advance(LONG_ENOUGH)
        before = self.counted["writes"], self.sides.truth(), _revisions(self.connected.ledger)
        self._calm_run(RunKind.CHANGES)
        after = self.counted["writes"], self.sides.truth(), _revisions(self.connected.ledger)
        if before != after:
            raise BrokenPromiseError("2 quiescence: a run in peace writes although nothing changed")

    def _judge_sides(self) -> None:
        self.oracle.checked["1 convergence"] += 1
        truth = self.sides.truth()
        alive = [it for it in truth.values() if not it.deleted and not it.converted and it.email]
        everyone = self.connected.ledger.everyone()
        holds = {record: link for link in everyone for record in link.records}
        for contact in [it for it in alive if it.kind is Kind.PLEZI_CONTACT]:
            leads = [it for it in alive if it.kind is Kind.LEAD and it.email == contact.email]
            self._judge_person(contact, leads, holds.get(contact.id))
        for lead in [it for it in alive if it.kind is Kind.LEAD]:
            met = any(it.kind is Kind.PLEZI_CONTACT and it.email == lead.email for it in alive)
            link = holds.get(lead.id)
            excused = self.oracle.group(lead.id) in self.oracle.changed_identity
            if not met and not excused and not _waits(link, ""):
                raise BrokenPromiseError(f"1 convergence: {lead.id} never reached Plezi")
        for (record, name), edit in self.oracle.edits.items():
            self._judge_edit(truth.get(record), name, edit, holds.get(record), alive)

    def _judge_person(self, contact: Truth, leads: list[Truth], link: Link | None) -> None:
        excused = self.oracle.group(contact.id) in self.oracle.changed_identity
        if not leads and not excused and not _waits(link, "") and not self._has_contact(contact):
            raise BrokenPromiseError(f"1 convergence: {contact.id} never reached Salesforce")
        mapped = {it.plezi for it in self.connected.configuration.current().lines}
        for lead in leads:
            for name in TWO_WAY:
                if name not in mapped or _waits(link, LEAD_FIELDS[name]):
                    continue
                if link is None or lead.id not in link.records:
                    continue
                here, there = value_of(contact, name), value_of(lead, name)
                if here != there:
                    raise BrokenPromiseError(
                        f"1 convergence: {name} rests at {here!r} in Plezi, {there!r} in Salesforce"
                    )

    def _has_contact(self, contact: Truth) -> bool:
        return any(
            it.kind is Kind.CONTACT and it.email == contact.email
            for it in self.sides.truth().values()
        )

    def _judge_edit(
        self, record: Truth | None, name: str, edit: Any, link: Link | None, alive: list[Truth]
    ) -> None:
        if record is None or record.deleted or record.converted or record.kind is Kind.CONTACT:
            return
        self.oracle.checked["7 no lost uncontested edit"] += 1
        if name not in {it.plezi for it in self.connected.configuration.current().lines}:
            return
        if self.oracle.automated and value_of(record, name) == AUTOMATED:
            return  # the org itself replaced it
        if name == "newsletter_optout" or _waits(link, LEAD_FIELDS[name]):
            return
        if name == "function" and record.kind is not Kind.PLEZI_CONTACT:
            return
        side = record.kind.side
        across = [
            it
            for it in alive
            if it.kind.side is not side and it.email == record.email and it.kind is not Kind.CONTACT
        ]
        if across and all(value_of(it, name) != edit.value for it in across):
            raise BrokenPromiseError(f"7 no lost uncontested edit: {edit.told} never arrived")


def _waits(link: Link | None, key: str) -> bool:
    """Whether a person is asked about a field of a link, or about the whole of it."""
    if link is None:
        return False
    return link.quarantine is not None or "Email" in link.holds or (bool(key) and key in link.holds)


def _revisions(ledger: Any) -> list[tuple[str, int]]:
    return [(link.email, link.revision) for link in ledger.everyone()]


def _is_write(request: PreparedRequest, path: str) -> bool:
    if request.method in ("PUT", "PATCH"):
        return True
    return request.method == "POST" and (path.endswith("/contacts") or "composite/sobjects" in path)


def _again(answer: Response, body: bytes) -> Any:
    """The raw answer once more, for the one who asked."""
    import io  # noqa: PLC0415  # of this function alone

    from urllib3 import HTTPResponse  # noqa: PLC0415  # same

    return HTTPResponse(
        io.BytesIO(body),
        headers=dict(answer.headers),
        status=answer.status_code,
        preload_content=False,
    )


def in_memory(story: Story) -> Callable[[], dict[str, Any]]:
    """Return what makes the ports in memory."""

    def make() -> dict[str, Any]:
        return {
            "ledger": MemoryLedger(),
            "journal": MemoryJournal(),
            "inbox": MemoryInbox(),
            "configuration": MemoryConfiguration(mapping(story.policies)),
        }

    return make


def play(sides: Sides, story: Story, make: Callable[[], dict[str, Any]] | None = None) -> Outcome:
    """Play a story; never raises for a broken promise: the outcome names it."""
    history = History(sides, story, make or in_memory(story))
    broken = ""
    try:
        history.play()
    except BrokenPromiseError as error:
        broken = str(error)
    except Exception as error:  # noqa: BLE001  # any error of ours is a finding, with its story
        broken = f"0 no error unforeseen: {type(error).__name__}: {error}"
    return Outcome(
        broken,
        history.trace.hash(),
        history.words,
        history.counted + history.luck.struck,
        history.oracle.checked,
        sum(history.oracle.window.values()),
    )


def shortened(sides: Sides, story: Story, broken: str) -> Story:
    """Drop events as long as the same promise stays broken."""
    kind = broken.partition(":")[0]
    events = list(story.events)
    for smaller in _smaller(events):
        candidate = replace(story, events=tuple(smaller))
        if play(sides, candidate).broken.partition(":")[0] == kind:
            return shortened(sides, candidate, broken)
    return story


def _smaller(events: list[Event]) -> Iterator[list[Event]]:
    for place in range(len(events)):
        yield events[:place] + events[place + 1 :]
    for place, event in enumerate(events):
        if event.more:
            yield [*events[:place], replace(event, more=()), *events[place + 1 :]]
        if event.value and event.what in ("run", "full", "selected", "hint"):
            yield [*events[:place], replace(event, value=0), *events[place + 1 :]]


__all__ = ["History", "Outcome", "Policy", "Side", "play", "shortened"]
