"""What administrators do: the mapping and its fields change, held fields are decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from connector.admin.breaker import reset_breaker
from connector.admin.bulk_decisions import choose_side, retry_all
from connector.admin.context import AdminContext
from connector.admin.review_queue import BulkDecision, choose_record_value, pick_primary_lead
from connector.errors import ConnectorError, StaleError
from connector.mapping import ConflictPolicy, Direction, FieldPair, MappingConfig, Schema
from connector.mapping.validation import validate
from connector.model import AttentionKind, AuditEntry, Link, RecordKind, Side
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.events import Event
from tests.simulation.history.fields import FIELDS, NEW_NAME, SPARE, FieldSpec, Kind
from tests.simulation.history.invocations import Invocations
from tests.simulation.history.oracle import Decision

DIRECTIONS: Final = (Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE, Direction.OFF)
CHOICES: Final = (
    ConflictPolicy.NEWEST,
    ConflictPolicy.PLEZI_WINS,
    ConflictPolicy.SALESFORCE_WINS,
    ConflictPolicy.FILL_BLANK,
    ConflictPolicy.HOLD,
)
REFUSED_DECISIONS: Final = (ConnectorError,)
EMAIL: Final = "Email"


class AuditTrail:
    """Collects what administrators did."""

    def __init__(self) -> None:
        self.recorded: list[AuditEntry] = []

    def record(self, entry: AuditEntry, entry_id: str) -> None:  # noqa: ARG002  # a port
        """Store an entry."""
        self.recorded.append(entry)


class AdminActions:
    """Handles the events of administrators."""

    def __init__(self, context: HistoryContext, invocations: Invocations) -> None:
        self._context = context
        self._invocations = invocations
        self._sides = context.sides
        self._audit = AuditTrail()

    # The mapping

    def _save(self, change: Callable[[MappingConfig], MappingConfig | None], what: str) -> bool:
        """Save a mapping as the admin API does, if it is valid; return whether it was saved."""
        context = self._context
        mappings = context.ports.mappings
        current = mappings.current()
        wanted = change(current)
        if wanted is None:
            return False
        clients = context.stack.context.clients.values()
        try:
            schemas: dict[RecordKind, Schema] = {}
            for client in clients:
                client.invalidate_schemas()
                schemas.update(client.schemas())
        except ConnectorError:
            return False
        checked = validate(wanted, schemas)
        if checked.problems or checked.mapping == current:
            return False
        saved = replace(checked.mapping, version=current.version + 1)
        try:
            mappings.save(saved)
        except StaleError:  # another admin saved this version while the fields were read
            return False
        context.save_mapping(saved)
        for client in clients:
            client.invalidate_schemas()
        context.counted["64 mapping saved"] += 1
        context.log_event(f"an admin saves a mapping: {what}")
        return True

    def _change_pair(self, event: Event, change: Callable[[FieldPair], FieldPair | None]) -> None:
        """Save the mapping with one pair changed (None: removed)."""
        name, result = event.field, ""

        def changed(mapping: MappingConfig) -> MappingConfig | None:
            nonlocal result
            pairs: list[FieldPair] = []
            for pair in mapping.pairs:
                if pair.plezi == name and not pair.locked:
                    new = change(pair)
                    result = f"{event.kind} {_describe(pair)} -> {_describe(new)}"
                    pairs += [new] if new is not None else []
                else:
                    pairs.append(pair)
            return replace(mapping, pairs=tuple(pairs)) if result else None

        wanted = changed(self._context.ports.mappings.current())
        if wanted is not None:
            self._save(lambda _mapping: wanted, result)

    def do_remove_pair(self, event: Event) -> None:
        """Remove a pair from the mapping."""
        self._change_pair(event, lambda _pair: None)

    def do_add_pair(self, event: Event) -> None:
        """Add a pair to the mapping of people who may be known, or one that was removed."""
        spec = FIELDS[event.field]
        if spec.created and not self._sides.tenant.contacts.schema.find(spec.plezi):
            self._context.add_attribute(spec.plezi)
        policy = self._context.events.policies.get(spec.plezi, CHOICES[event.value % len(CHOICES)])

        def added(mapping: MappingConfig) -> MappingConfig | None:
            if any(it.plezi == spec.plezi or it.salesforce == spec.lead for it in mapping.pairs):
                return None
            return replace(mapping, pairs=(*mapping.pairs, spec.pair(policy)))

        self._save(added, f"with {spec.plezi} - {spec.lead}, {policy.value}")

    def do_repoint_pair(self, event: Event) -> None:
        """Let a pair of phones name another field of the Lead."""
        used = {pair.salesforce for pair in self._context.ports.mappings.current().pairs}
        free = [name for name in SPARE if name not in used]
        if free and FIELDS[event.field].kind is Kind.PHONE:
            name = free[event.value % len(free)]
            self._change_pair(event, lambda pair: replace(pair, salesforce=name, contact=""))

    def do_swap_pairs(self, _event: Event) -> None:
        """Let two pairs exchange their fields of the Lead."""

        def swapped(mapping: MappingConfig) -> MappingConfig | None:
            pairs = {pair.plezi: pair for pair in mapping.pairs}
            phone, mobile = pairs.get("phone"), pairs.get("mobile")
            if phone is None or mobile is None:
                return None
            pairs["phone"] = replace(phone, salesforce=mobile.salesforce, contact=mobile.contact)
            pairs["mobile"] = replace(mobile, salesforce=phone.salesforce, contact=phone.contact)
            return replace(mapping, pairs=tuple(pairs.values()))

        self._save(swapped, "the pairs of phone and mobile are swapped")

    def do_change_direction(self, event: Event) -> None:
        """Change the direction of a pair."""
        direction = DIRECTIONS[event.value % len(DIRECTIONS)]
        self._change_pair(event, lambda pair: replace(pair, direction=direction))

    def do_change_policy(self, event: Event) -> None:
        """Change the policy of a pair."""
        policy = CHOICES[event.value % len(CHOICES)]
        self._change_pair(event, lambda pair: replace(pair, policy=policy))

    # The fields of both systems

    def _custom(self, event: Event) -> FieldSpec:
        """Return a field that administrators may change; the event's, or one that is mapped."""
        custom = [it for it in FIELDS.values() if it.lead.endswith("__c") or it.created]
        named = FIELDS[event.field]
        if named in custom:
            return named
        mapped = [it for it in custom if it.plezi in self._context.events.policies]
        return mapped[event.value % len(mapped)]

    def do_withdraw_field(self, event: Event) -> None:
        """Delete an attribute in Plezi, or hide a field of the Lead from the integration user."""
        spec = self._custom(event)
        if event.side == "plezi":
            if "empty_values" in self._context.events.tenant:
                return  # of a tenant that leaves out blanks, a missing attribute is a blank
            if self._sides.tenant.contacts.schema.find(spec.plezi) is None:
                return
            self._sides.tenant.contacts.schema.remove(spec.plezi)
        elif self._sides.has_field(RecordKind.LEAD, spec.lead):
            self._sides.show_field(RecordKind.LEAD, spec.lead, visible=False)
        else:
            return
        self._withdrawn(event.side, spec, "is withdrawn")

    def _withdrawn(self, side: str, spec: FieldSpec, what: str) -> None:
        name = spec.plezi if side == "plezi" else spec.lead
        self._context.withdrawn.add((side, name))
        self._context.ever_withdrawn.add((side, name))
        self._context.fields_changed = True
        self._context.counted["24 field withdrawn or changed"] += 1
        self._context.log_event(f"the field {name} {what} in {side.capitalize()}")

    def do_restore_field(self, event: Event) -> None:
        """Give a field back as it was."""
        missing = sorted(self._context.withdrawn)
        if not missing:
            return
        side, name = missing[event.value % len(missing)]
        spec = next(it for it in FIELDS.values() if name in (it.plezi, it.lead))
        self.restore(side, spec)

    def restore(self, side: str, spec: FieldSpec) -> None:
        """Give a field back as it was; a renamed field keeps its new name."""
        name = spec.plezi if side == "plezi" else spec.lead
        if side == "plezi":
            standard = self._context.standard_attributes.get(name)
            if standard is None:
                self._context.add_attribute(name)
            else:
                self._sides.tenant.contacts.schema.add(standard)
        elif not self._sides.has_field(RecordKind.LEAD, name):
            return
        else:
            self._sides.show_field(RecordKind.LEAD, name, visible=True)
            if spec.kind is Kind.NUMBER:
                self._sides.retype_field(RecordKind.LEAD, name, type="double")
        self._context.withdrawn.discard((side, name))
        self.refresh_fields()
        self._context.log_event(f"the field {name} works again in {side.capitalize()}")
        self._context.look("the type of a field changed")

    def refresh_fields(self) -> None:
        """Let the connector read the fields again, as an admin does after a change of a field."""
        for client in self._context.stack.context.clients.values():
            client.invalidate_schemas()

    def do_retype_field(self, event: Event) -> None:
        """Change the type of a field, so that the two fields of its pair may not fit any more."""
        if event.side == "plezi":
            spec = FIELDS["segment"]
            if self._sides.tenant.contacts.schema.find(spec.plezi) is None:
                return
            self._context.add_attribute(spec.plezi, "text")
        else:
            spec = FIELDS["employees"]
            self._sides.retype_field(RecordKind.LEAD, spec.lead, type="string", length=40)
        self._withdrawn(event.side, spec, "has another type")
        self._context.look("the type of a field changed")

    def do_rename_field(self, event: Event) -> None:
        """Rename a field of the Lead; sometimes the mapping follows at once."""
        spec = FIELDS["birthdate"]
        if self._sides.has_field(RecordKind.LEAD, NEW_NAME) or self._context.open_transactions:
            return  # an org does not change a field that an open transaction writes
        self._sides.rename_field(RecordKind.LEAD, spec.lead, NEW_NAME)
        self._context.oracle.rename(RecordKind.LEAD, spec.lead, NEW_NAME)
        self._withdrawn("salesforce", spec, f"is renamed to {NEW_NAME}")
        self._context.look("a field is renamed")
        if event.value % 2:
            follow = replace(event, kind="repoint_pair", field=spec.plezi)
            self._change_pair(follow, lambda pair: replace(pair, salesforce=NEW_NAME))

    def do_add_field(self, event: Event) -> None:
        """Add a field on both sides, and a pair for it."""
        self.do_add_pair(replace(event, field="notes"))

    # Decisions

    @property
    def _admin(self) -> AdminContext:
        stack, ledger = self._context.stack, self._context.ports.ledger
        unused: Any = None
        requester: Any = stack
        store: Any = ledger
        audit: Any = self._audit
        return AdminContext(
            review=store, runs=store, control=store, documents=store, people=unused, calls=store,
            journal=unused,
            audit=audit, mappings=unused, run_requester=requester, sides=unused, check=unused,
            recipients=unused, publish_alert=unused, password_days=unused, clock=stack.now,
            new_id=stack.new_id, log=lambda *_, **__: None, api_share=1.0,
            plezi_calls_per_second=0.0, probe=unused, overridden_keys=frozenset(),
            secret_states=unused,
        )  # fmt: skip

    def do_decide(self, event: Event) -> None:
        """Choose the value of one record for a held field, and run."""
        holds = list(self._held())
        if holds:
            link, key = holds[event.value % len(holds)]
            records = sorted(link.holds[key].values)
            self.choose(link, key, records[event.value % len(records)])

    def choose(self, link: Link, key: str, record: str) -> None:
        """Choose a value, and let the run that applies it work."""
        number = self._context.oracle.order
        try:
            requested = choose_record_value(self._admin, "admin", link.email, key, record)
        except REFUSED_DECISIONS:
            return
        self._context.oracle.decisions.append(Decision(key, record, number))
        self._context.counted["decision"] += 1
        self._context.log_event(f"an admin chooses the value of {record} for {key}")
        self._work(requested.run_id)

    def do_decide_all(self, event: Event) -> None:
        """Choose one side for all held values of a field."""
        keys = sorted({key for _, key in self._held()} - {EMAIL})
        if keys:
            side = Side.PLEZI if event.side == "plezi" else Side.SALESFORCE
            self.choose_all(keys[event.value % len(keys)], side)

    def choose_all(self, key: str, side: Side) -> BulkDecision | None:
        """Choose one side for all held values of a field, and let the run work."""
        number = self._context.oracle.order
        held = [link for link, held_key in self._held() if held_key == key]
        try:
            decision = choose_side(self._admin, "admin", key, side)
        except REFUSED_DECISIONS:
            return None
        for link in held:
            self._context.oracle.decisions += [
                Decision(key, it.id, number) for it in link.observations() if it.side is side
            ]
        self._context.counted["decision in bulk"] += 1
        self._context.log_event(f"an admin decides for all: {side.value} is right for {key}")
        if decision.run_id is not None:
            self._work(decision.run_id)
        return decision

    def do_retry_all(self, _event: Event) -> None:
        """Try all refused writes again."""
        decision = retry_all(self._admin, "admin")
        self._context.counted["retry in bulk"] += 1
        self._context.log_event("an admin lets all refused writes be tried again")
        if decision.run_id is not None:
            self._work(decision.run_id)

    def allow_announced(self) -> None:
        """State that the changes before which a run stopped are intended."""
        reset_breaker(self._admin, "admin", intended=True)
        self._context.counted["announced changes are allowed"] += 1

    def retry_quietly(self) -> None:
        """Try all refused writes again, if there are any."""
        if self._context.ports.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 1):
            self.do_retry_all(Event("retry_all"))

    def do_pick_primary(self, event: Event) -> None:
        """Pick the primary Lead among several of one e-mail."""
        ledger = self._context.ports.ledger
        emails = ledger.emails_needing_attention(AttentionKind.DUPLICATE, 10)
        if not emails:
            return
        email = emails[event.value % len(emails)]
        link = ledger.load_links([email])[email]
        leads = [it.id for it in link.salesforce if it.kind is RecordKind.LEAD]
        try:
            requested = pick_primary_lead(
                self._admin, "admin", email, leads[event.value % len(leads)]
            )
        except REFUSED_DECISIONS:
            return
        self._context.counted["primary Lead picked"] += 1
        self._context.log_event("an admin picks a primary Lead")
        self._work(requested.run_id)

    def _work(self, run: str) -> None:
        """Let the run of a decision work; during another run it waits in the queue."""
        if self._context.working:
            queue = self._context.ports.run_queue
            queue.messages[:] = [it for it in queue.messages if it[0] != run]
        else:
            self._invocations.work_on(run)

    def _held(self) -> Iterator[tuple[Link, str]]:
        """Yield each link with the key of a field that is held, in a stable order."""
        for link in self._context.ports.ledger.all_links():
            for key in sorted(link.holds):
                yield link, key


def _describe(pair: FieldPair | None) -> str:
    if pair is None:
        return "removed"
    return f"{pair.plezi} - {pair.salesforce} ({pair.direction.value}, {pair.policy.value})"
