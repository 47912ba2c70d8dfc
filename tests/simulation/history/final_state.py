"""The final state: each typed value is there, was typed over, or the journal says why it is not.

The state is judged against what users typed (`typing_history`) and the policy table (`reference`).
Of the connector's own state, only what an admin sees is read: the records of each person, the
review queue, the journal and the suspended pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from connector.mapping import ConflictPolicy, Direction, DuplicatePolicy, FieldPair
from connector.model import Hold, HoldReason, JournalKind, Link, RecordKind, Side
from local.plezi_tenant.schema import Attribute
from local.world.both_sides import StoredRecord
from tests.simulation.history import excuses
from tests.simulation.history.context import HistoryContext
from tests.simulation.history.oracle import CELLS, OPT_OUT, GuaranteeViolatedError
from tests.simulation.history.reference import field_of
from tests.simulation.history.typing_history import NOBODY, Cell
from tests.simulation.history.values import canonical, cell_value, is_same_text, kind_of

EMAIL: Final = "Email"
EMAIL_ATTRIBUTE: Final = "email"
FLAG: Final = "sync_to_plezi__c"
CUSTOM: Final = Attribute("custom", "custom", system=False)


class FinalState:
    """Judges the records of both sides after all runs."""

    def __init__(self, context: HistoryContext) -> None:
        self._context = context
        self._oracle = context.oracle
        self._stored = context.sides.stored_records()
        self._links = context.ports.ledger.all_links()
        self._link_of = {record: link for link in self._links for record in link.record_ids}
        self._mapping = context.ports.mappings.current()
        self._decided = False

    def check(self, *, decided: bool) -> None:
        """Check everybody.

        `decided`: an admin decided each hold and let each refused creation be tried again, so that
        none may be left.

        Raises `GuaranteeViolatedError`.
        """
        self._decided = decided
        self._oracle.checked["1 convergence"] += 1
        self._check_own_record()
        self._check_holds(decided=decided)
        for record in self._stored.values():
            if not record.deleted and not record.converted and record.email:
                self._check_counterpart(record)
        for link in self._links:
            for pair in self._active_pairs():
                self._check_pair(link, pair)
                if pair.plezi == OPT_OUT:
                    self._check_last_opt_outs(link, pair)
        self._check_one_person_per_email()
        self._oracle.check_journal()

    def _check_own_record(self) -> None:
        """Check the oracle itself: it knows what each field shows."""
        for record in self._stored.values():
            for name in CELLS[record.kind]:
                shown = self._oracle.history.cell((record.id, name)).state.value
                if shown != cell_value(record, name):
                    raise GuaranteeViolatedError(
                        f"0 the oracle is out of step: {name} of {record.id} is "
                        f"{cell_value(record, name)[:40]!r}, not {shown[:40]!r}"
                    )

    # Records

    def _check_counterpart(self, record: StoredRecord) -> None:
        """Check that a person has a record on the other side, or that there is a reason."""
        if record.kind is RecordKind.CONTACT:
            return  # a Contact is imported if its flag is set: `_check_pair` follows its values
        link = self._link_of.get(record.id)
        if link is None:
            raise GuaranteeViolatedError(f"1 convergence: {record.id} was never read")
        if EMAIL in link.holds:
            self._oracle.excused[excuses.HELD] += 1
            return
        known = [self._stored.get(it) for it in sorted(link.record_ids)]
        others = [it for it in known if it is None or it.kind.side is not record.kind.side]
        active = [it for it in others if it is not None and not it.deleted and not it.converted]
        if any(it.email for it in active):
            return
        leads = sum(it is not None and it.kind is RecordKind.LEAD for it in known)
        if others:
            # A record that was deleted, converted or has no e-mail any more is not created again.
            self._oracle.excused[excuses.NOT_CREATED] += 1
            return
        if self._mapping.duplicates is DuplicatePolicy.HOLD and leads > 1:
            self._oracle.excused[excuses.LEFT_OUT] += 1
            return
        if link.quarantine is not None and not self._decided:
            self._oracle.excused[excuses.REFUSED] += 1
            return
        raise GuaranteeViolatedError(f"1 convergence: {record.id} has no record on the other side")

    def _check_one_person_per_email(self) -> None:
        """Check that the records with one e-mail belong to one link, unless the e-mail is held."""
        seen: dict[str, Link] = {}
        for record in self._stored.values():
            link = self._link_of.get(record.id)
            if record.deleted or record.converted or not record.email or link is None:
                continue
            if record.kind is RecordKind.CONTACT and record.values.get(FLAG) != "yes":
                continue
            if record.kind is RecordKind.CONTACT and link.email != record.email:
                # The person has another address now; a Contact is never written (docs/people.md).
                self._oracle.excused[excuses.CONTACT_KEEPS] += 1
                continue
            if self._is_left_out_with_a_former_address(record, link):
                self._oracle.excused[excuses.LEFT_OUT] += 1
                continue
            other = seen.setdefault(record.email, link)
            if other is link or EMAIL in {*other.holds, *link.holds}:
                continue
            if not self._is_refused(link, EMAIL_ATTRIBUTE) and not self._is_refused(
                other, EMAIL_ATTRIBUTE
            ):
                raise GuaranteeViolatedError(
                    f"13 identity: {record.id} and another record have one e-mail, and are two "
                    "people"
                )

    def _is_left_out_with_a_former_address(self, record: StoredRecord, link: Link) -> bool:
        """Whether a Lead is left out beside one whose e-mail changed: its own does not follow.

        It does not follow later either, if the person's contact was deleted in Plezi.
        """
        if record.kind is not RecordKind.LEAD or link.email == record.email:
            return False
        known = [self._stored[it] for it in link.record_ids if it in self._stored]
        changed = [it for it in known if it.kind is RecordKind.LEAD and it.email == link.email]
        in_plezi = [it for it in known if it.kind is RecordKind.PLEZI_CONTACT and not it.deleted]
        return (
            self._mapping.duplicates is not DuplicatePolicy.MIRROR
            and bool(changed)
            and (not in_plezi or any(not (it.deleted or it.converted) for it in changed))
        )

    def _is_refused(self, link: Link, attribute: str) -> bool:
        """Whether a system refused a value by the name of its field."""
        is_named = link.quarantine is not None and attribute in link.quarantine.fields
        self._oracle.excused[excuses.REFUSED] += is_named
        return is_named

    # Holds

    def _check_holds(self, *, decided: bool) -> None:
        for link in self._links:
            for key, hold in link.holds.items():
                self._oracle.checked["35 each hold has its reason"] += 1
                if problem := self._unjustified(link, key, hold):
                    raise GuaranteeViolatedError(
                        f"35 each hold has its reason: {key} is held {hold.reason.value}, {problem}"
                    )
                if decided and key != EMAIL and not self._is_undecidable(link, key):
                    raise GuaranteeViolatedError(
                        f"35 each hold has its reason: {key} is held {hold.reason.value} "
                        "after an admin decided"
                    )

    def _is_undecidable(self, link: Link, key: str) -> bool:
        """Whether a hold of a pair that does not work, or of records that are left out, stays."""
        active = {pair.key for pair in self._active_pairs()}
        records = self._participants(link)
        has_both = {it.kind.side for it in records} == set(Side)
        return key not in active or not has_both

    def _unjustified(self, link: Link, key: str, hold: Hold) -> str:
        """Return why a field should not be held ('': it should)."""
        context = self._context
        match hold.reason:
            case HoldReason.CONFLICT:
                policies = {
                    pair.policy
                    for mapping in context.versions
                    for pair in mapping.pairs
                    if pair.key == key
                }
                may = {ConflictPolicy.HOLD, ConflictPolicy.MOST_RESTRICTIVE}
                return "" if policies & may else "but no policy was to hold"
            case HoldReason.NEVER_AGREED:
                changed = len(context.versions) > 1 or context.fields_changed
                if changed or self._met_beside_a_blank_contact(hold):
                    return ""
                return "but the mapping never changed"
            case HoldReason.IN_DOUBT:
                if not context.uncertain_since:
                    return "but no response was ever lost"
                # What a record showed when it was deleted is not known.
                was_deleted = context.counted["act delete"] or any(
                    it not in self._stored or self._stored[it].deleted for it in link.record_ids
                )
                is_typed = self._was_typed_in(key, hold) or was_deleted
                if is_typed or self._was_known_to_a_lost_ledger(hold):
                    return ""
                return "but nobody typed since a write"
            case HoldReason.WRITE_LOOP:
                written = [(it.record, it.after) for it in self._oracle.replaced if it.pair == key]
                repeated = len(written) != len(set(written))
                return "" if repeated else "but nothing was written twice"
            case _:
                changed = bool(context.counted["23 e-mail changed"])
                return "" if key == EMAIL and changed else "but no e-mail changed"

    def _met_beside_a_blank_contact(self, hold: Hold) -> bool:
        """Whether a Lead was created beside a Contact whose field is blank.

        Plezi and the Contact, which is never written to, know each other, and never agreed on it.
        """
        kinds = {it: self._stored[it].kind for it in hold.values if it in self._stored}
        return RecordKind.LEAD in kinds.values() and any(
            kind is RecordKind.CONTACT and hold.values[it] in (None, "", False)
            for it, kind in kinds.items()
        )

    def _was_known_to_a_lost_ledger(self, hold: Hold) -> bool:
        """Whether a contact was there when the ledger was lost.

        A creation that has no response finds it, and cannot tell it from its own contact, in which
        a user has typed since.
        """
        oracle = self._oracle
        return any(
            it in oracle.known_to_lost_ledger and kind_of(it) is RecordKind.PLEZI_CONTACT
            for it in hold.values
        )

    def _was_typed_in(self, key: str, hold: Hold) -> bool:
        """Whether somebody typed in this field after the first uncertain write of the history."""
        since = self._context.uncertain_since
        names = {
            field_of(pair, kind)
            for mapping in self._context.versions
            for pair in mapping.pairs
            for kind in RecordKind
            if pair.key == key
        }
        return any(
            number >= since and typing.key[0] in hold.values and typing.key[1] in names
            for number, typing in self._oracle.history.typings.items()
        )

    # Values

    def _active_pairs(self) -> Iterator[FieldPair]:
        """Yield the pairs that work now; a pair is suspended only while a field is withdrawn."""
        suspended = self._context.ports.ledger.suspended_pairs()
        for pair in self._mapping.pairs:
            if pair.direction is Direction.OFF or pair.plezi == "url":
                continue
            if pair.key not in suspended:
                yield pair
                continue
            withdrawn = {("plezi", pair.plezi), ("salesforce", pair.salesforce)}
            # Without the call that describes attributes, the connector knows those of Plezi only.
            is_unknown = "schema_call" in self._context.events.tenant and (
                not self._context.standard_attributes.get(pair.plezi, CUSTOM).system
            )
            if not withdrawn & self._context.withdrawn and not is_unknown:
                raise GuaranteeViolatedError(
                    f"24 a pair works while its fields exist: {pair.key} is suspended: "
                    f"{suspended[pair.key]}"
                )
            self._oracle.excused[excuses.SUSPENDED] += 1

    def _participants(self, link: Link) -> list[StoredRecord]:
        """Return the records of a person that the mapping lets take part."""
        known = [self._stored[it] for it in sorted(link.record_ids) if it in self._stored]
        active = [it for it in known if not it.deleted and not it.converted]
        leads = [it for it in active if it.kind is RecordKind.LEAD]
        for lead in leads:
            if not lead.email:
                self._oracle.excused[excuses.NO_EMAIL] += 1
        leads = [lead for lead in leads if lead.email]
        if len(leads) > 1 and any(it.id == link.primary_lead for it in leads):
            leads = [it for it in leads if it.id == link.primary_lead]
        elif len(leads) > 1 and self._mapping.duplicates is not DuplicatePolicy.MIRROR:
            # Which Lead survives is the connector's choice, which an admin sees.
            self._oracle.excused[excuses.LEFT_OUT] += 1
            return []
        contacts = [
            it
            for it in active
            if it.kind is RecordKind.CONTACT and it.values.get(FLAG) == "yes" and it.email
        ]
        plezi = [it for it in active if it.kind is RecordKind.PLEZI_CONTACT]
        records = [*plezi, *leads, *contacts]
        hold = link.holds.get(EMAIL)
        if hold is None or hold.reason is not HoldReason.EMAIL_TAKEN:
            return records
        staying = [it for it in records if it.email in ("", link.email)]
        self._oracle.excused[excuses.EMAIL_TAKEN] += len(records) - len(staying)
        return staying

    def _check_pair(self, link: Link, pair: FieldPair) -> None:
        """Check the values of one field of one person."""
        records = self._participants(link)
        plezi = next((it for it in records if it.kind is RecordKind.PLEZI_CONTACT), None)
        if plezi is None:
            return
        for record in records:
            name = field_of(pair, record.kind)
            if record is plezi or not name or "." in name:
                continue
            self._oracle.checked["7 no lost update"] += 1
            if pair.plezi == "newsletter_optout":
                self._oracle.checked["36 opt-outs arrive"] += 1
            if pair.plezi == EMAIL_ATTRIBUTE:
                self._oracle.checked["37 e-mails arrive"] += 1
            problem = self._difference(pair, plezi, record)
            if problem and self._gave_way_to_another_sender(pair, plezi, record, records):
                self._oracle.excused[excuses.OTHER_SENDER] += 1
                continue
            if problem and (
                self._fill_blank_has_a_choice(pair, records)
                or self._fills_no_blank_of(pair, plezi, record)
            ):
                self._oracle.excused[excuses.FILL_BLANK] += 1
                continue
            if problem and not self._is_excused(link, pair, records):
                raise GuaranteeViolatedError(f"1 convergence: {pair.plezi} {problem}")

    def _check_last_opt_outs(self, link: Link, pair: FieldPair) -> None:
        """Check that an opt-out is in Plezi that was ticked in a record which then left.

        It must have agreed with the contact before: a record that was never synchronized may leave
        unseen, and so may one of which the field did not exist then. Not judged is what an admin
        decided, and who has another e-mail since.
        """
        plezi = next((it for it in self._participants(link) if it.kind.side is Side.PLEZI), None)
        context = self._context
        is_restrictive = all(
            it.policy is ConflictPolicy.MOST_RESTRICTIVE and it.direction is Direction.BOTH
            for mapping in context.versions
            if (it := next((pair for pair in mapping.pairs if pair.plezi == OPT_OUT), None))
        )
        if {("plezi", pair.plezi), ("salesforce", pair.salesforce)} & context.ever_withdrawn:
            self._oracle.excused[excuses.SUSPENDED] += 1
            return
        if (
            plezi is None
            or not is_restrictive
            or pair.key in link.holds
            or context.counted["23 e-mail changed"]
            or self._oracle.is_ledger_lost
            or any(it.pair == pair.key for it in self._oracle.decisions)
        ):
            return
        for record_id in sorted(link.base.keys() & self._stored.keys()):
            record = self._stored[record_id]
            name = field_of(pair, record.kind)
            if record.kind.side is Side.PLEZI or not name or not self._has_left(record):
                continue
            cell = self._oracle.history.cell((record.id, name))
            if cell.state.value != canonical(True) or cell.state.typing == NOBODY:
                continue
            self._oracle.checked["39 last opt-outs arrive"] += 1
            if self._oracle.history.cell((plezi.id, OPT_OUT)).state.value == cell.state.value:
                continue
            if self._arrived_in_a_deleted_contact(record_id):
                self._oracle.excused[excuses.NOT_CREATED] += 1
                continue
            if not self._opts_in_after(cell.state.typing, pair):
                raise GuaranteeViolatedError(
                    f"39 last opt-outs arrive: {record.id} was ticked before it left, and "
                    f"{plezi.id} is not"
                )

    def _arrived_in_a_deleted_contact(self, record_id: str) -> bool:
        """Whether the opt-out of a record is in a contact that a user deleted in Plezi after that.

        Who creates another contact for the person decides on it again.
        """
        history = self._oracle.history
        return any(
            kind_of(other) is RecordKind.PLEZI_CONTACT
            and (other not in self._stored or self._stored[other].deleted)
            and history.cell((other, OPT_OUT)).state.value == canonical(True)
            for other in self._oracle.records_of_person(record_id)
        )

    def _has_left(self, record: StoredRecord) -> bool:
        return record.deleted or record.converted or not record.email

    def _opts_in_after(self, number: int, pair: FieldPair) -> bool:
        """Whether a user took an opt-out back, in any record, after a typing."""
        names = {field_of(pair, kind) for kind in RecordKind}
        return any(
            it.number > number and it.key[1] in names and it.value != canonical(True)
            for it in self._oracle.history.typings.values()
        )

    def _fill_blank_has_a_choice(self, pair: FieldPair, records: Sequence[StoredRecord]) -> bool:
        """Whether two different values may fill a blank: then the policy fills nothing."""
        if pair.policy is not ConflictPolicy.FILL_BLANK:
            return False
        names = ((it, field_of(pair, it.kind)) for it in records)
        values = {self._shown_value(it, name).casefold() for it, name in names if name} - {""}
        return len(values) > 1

    def _shown_value(self, record: StoredRecord, name: str) -> str:
        """Return the canonical value of a field, which may be that of a Contact's account."""
        if "." not in name:
            return cell_value(record, name)
        account = str(record.values.get("AccountId"))
        return canonical(self._context.sides.account_names().get(account))

    def _fills_no_blank_of(
        self, pair: FieldPair, plezi: StoredRecord, record: StoredRecord
    ) -> bool:
        """Whether the blank of two values stays: `fill_blank` sends none, and it may not be filled.

        A Contact is never written to, nor is the sending side of a one-way pair.
        """
        blank = [it for it in (plezi, record) if not cell_value(it, field_of(pair, it.kind))]
        return (
            pair.policy is ConflictPolicy.FILL_BLANK
            and len(blank) == 1
            and (
                blank[0].kind is RecordKind.CONTACT
                or not pair.direction.can_receive(blank[0].kind.side)
            )
        )

    def _gave_way_to_another_sender(
        self,
        pair: FieldPair,
        plezi: StoredRecord,
        record: StoredRecord,
        records: Sequence[StoredRecord],
    ) -> bool:
        """Whether Plezi has the value of another Lead or Contact, and this one cannot receive it.

        The journal names the value that gave way.
        """
        if pair.direction is not Direction.TO_PLEZI or not self._is_journalled(
            pair, record, cell_value(record, field_of(pair, record.kind))
        ):
            return False
        shown = cell_value(plezi, pair.plezi).casefold()
        return any(
            cell_value(it, field_of(pair, it.kind)).casefold() == shown
            for it in records
            if it not in (plezi, record) and field_of(pair, it.kind)
        )

    def _is_journalled(self, pair: FieldPair, record: StoredRecord, value: str) -> bool:
        """Whether the journal says that the present value of a record gave way.

        A Contact has the value of the Lead that was converted into it, where that gave way before.
        """
        records = {record.id} | {
            it.id
            for it in self._stored.values()
            if it.converted and it.values.get("ConvertedContactId") == record.id
        }
        return any(
            entry.record_id in records
            and entry.field == pair.key
            and entry.kind is JournalKind.OVERWRITTEN
            and is_same_text(entry.before, value)
            for entry in self._context.ports.journal.entries()
        )

    def _difference(self, pair: FieldPair, plezi: StoredRecord, record: StoredRecord) -> str:
        """Return how a field differs although nothing allows it ('': it does not)."""
        here = self._oracle.history.cell((plezi.id, pair.plezi))
        name = field_of(pair, record.kind)
        there = self._oracle.history.cell((record.id, name))
        one, two = here.state.value, there.state.value
        if one.casefold() == two.casefold():
            return ""
        shown = (
            f"stays {one[:40]!r} in Plezi ({plezi.id}) and {two[:40]!r} in Salesforce ({record.id})"
        )
        if record.kind is RecordKind.CONTACT and not pair.direction.can_send(record.kind.side):
            return ""  # a Contact is never written
        if pair.direction is not Direction.BOTH and record.kind is not RecordKind.CONTACT:
            sender, receiver = (
                (there, here) if pair.direction is Direction.TO_PLEZI else (here, there)
            )
            known = receiver.state.seen | receiver.state.maybe
            if sender.state.typing == NOBODY or sender.state.typing in known:
                self._oracle.excused[excuses.ONE_WAY] += 1
                return ""
            if self._joined_what_stays(pair, here, record, two):
                self._oracle.excused[excuses.ONE_WAY] += 1
                return ""
            if self._stays_ticked(pair, plezi, record):
                self._oracle.excused[excuses.STAYS_TICKED] += 1
                return ""
            kept = plezi if pair.direction is Direction.TO_PLEZI else record
            if self._is_chosen(pair, kept.id, max(sender.state.typing, receiver.state.typing)):
                self._oracle.excused[excuses.KEPT] += 1
                return ""
            return self._unless_weak(sender, shown)
        if record.kind is RecordKind.CONTACT:
            return self._contact_difference(pair, here, there, record, shown)
        newer = there if here.state.typing in there.state.seen else here
        return self._unless_weak(newer, shown)

    def _joined_what_stays(
        self, pair: FieldPair, here: Cell, record: StoredRecord, value: str
    ) -> bool:
        """Whether a Lead joined when Plezi, the receiving side, had an edit of its own.

        The edit stays there, and the journal says that the Lead's value gave way.
        """
        typing = self._oracle.history.typings.get(here.state.typing)
        return (
            pair.direction is Direction.TO_PLEZI
            and typing is not None
            and kind_of(typing.key[0]) is RecordKind.PLEZI_CONTACT
            and self._is_journalled(pair, record, value)
        )

    def _stays_ticked(self, pair: FieldPair, plezi: StoredRecord, record: StoredRecord) -> bool:
        """Whether only the receiving side of a one-way opt-out is ticked: docs/mapping.md.

        The journal says that the value of the sending side gave way.
        """
        sender, receiver = (
            (record, plezi) if pair.direction is Direction.TO_PLEZI else (plezi, record)
        )
        sent = cell_value(sender, field_of(pair, sender.kind))
        return (
            pair.policy is ConflictPolicy.MOST_RESTRICTIVE
            and cell_value(receiver, field_of(pair, receiver.kind)) == canonical(True)
            and self._is_journalled(pair, sender, sent)
        )

    def _is_chosen(self, pair: FieldPair, record: str, typing: int) -> bool:
        """Whether an admin chose the value of a record when this typing was shown."""
        return any(
            (it.pair, it.record) == (pair.key, record) and it.number >= typing
            for it in self._oracle.decisions
        )

    def _unless_weak(self, cell: Cell, shown: str) -> str:
        if cell.state.weak:
            self._oracle.excused[excuses.WEAK_BLANK] += 1
            return ""
        return shown

    def _contact_difference(
        self, pair: FieldPair, here: Cell, there: Cell, record: StoredRecord, shown: str
    ) -> str:
        """Return how a Contact's value got lost: it is never written, so that it may differ."""
        typing = there.state.typing
        known = here.state.seen | here.state.maybe
        if pair.plezi != EMAIL_ATTRIBUTE:  # equal addresses have a rule of their own
            known |= here.state.may_replace
        if typing == NOBODY or typing in known or there.state.weak:
            return ""
        was_shown = any(it.value == there.state.value for it in here.past)
        was_created_with_it = all(it.typing in (NOBODY, typing) for it in there.past)
        if (
            pair.plezi == EMAIL_ATTRIBUTE
            and was_shown
            and (typing < here.state.typing or was_created_with_it)
        ):
            # Equal addresses are agreed without a write: Plezi's was typed over the Contact's, or
            # over the one that the person had when the Contact was created.
            self._oracle.excused[excuses.CONTACT_KEEPS] += 1
            return ""
        if self._is_journalled(pair, record, there.state.value):
            self._oracle.excused[excuses.CONTACT_KEEPS] += 1
            return ""
        return shown

    def _is_excused(self, link: Link, pair: FieldPair, records: Sequence[StoredRecord]) -> bool:
        """Return whether the field is held with these values, or was refused by name."""
        hold = link.holds.get(pair.key)
        if hold is not None and self._shows_present_values(hold, pair, records):
            self._oracle.excused[excuses.HELD] += 1
            return True
        quarantine = link.quarantine
        names = {pair.plezi, pair.salesforce}
        if quarantine is not None and names & set(quarantine.fields):
            self._oracle.excused[excuses.REFUSED] += 1
            return True
        return False

    def _shows_present_values(
        self, hold: Hold, pair: FieldPair, records: Sequence[StoredRecord]
    ) -> bool:
        """Return whether an admin sees the values that the records have now."""
        if pair.key == EMAIL:
            return True
        return all(
            is_same_text(hold.values[it.id], cell_value(it, field_of(pair, it.kind)))
            or canonical(hold.values[it.id]) == cell_value(it, field_of(pair, it.kind))
            for it in records
            if it.id in hold.values and "." not in field_of(pair, it.kind)
        )
