"""The effect of a write response on a link, and when the link stays dirty."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.model import (
    NEW_RECORD,
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    ProblemCode,
    Quarantine,
    RecentWrite,
    RecordKind,
    Side,
    Value,
    Write,
)
from connector.planning.excluded_leads import OUTDATED, REACHED, UNSEEN
from connector.planning.field_problem import FieldProblem
from connector.planning.observation import apply_fresh_read, apply_observation
from connector.planning.write_outcome import (
    UNANSWERED_ATTEMPTS,
    UNANSWERED_REMEDY,
    WriteOutcome,
    WriteResult,
    defect_outcome,
    done_overwrites,
    has_no_response,
    record_outcomes,
)

KNOWN = Observation(
    RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": "1", "mobile": None}
)
WRITE = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"mobile": "2"}, {"mobile": None}, "1")
PHONE = "phone>Phone"
MOBILE = "mobile>MobilePhone"
BASE_UPDATE = BaseUpdate(
    "MobilePhone",
    {"p": AgreedValue(MOBILE, "mobile", "2"), "l": AgreedValue(MOBILE, "MobilePhone", "2")},
    frozenset({"p"}),
)
LINK = Link(
    "a@x.fr",
    plezi=KNOWN,
    base={"p": {PHONE: "1"}, "l": {PHONE: "1"}},
    intent=Intent("i", "r", 0.0, (WRITE,), (BASE_UPDATE,)),
    dirty=True,
)


def after_response(**values: str) -> Link:
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2", **values})
    outcome = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    return record_outcomes(LINK, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)


def test_a_response_that_shows_the_written_values_completes_the_link() -> None:
    after = after_response()
    assert not after.dirty
    assert after.base["p"][MOBILE] == "2"


def test_a_response_that_shows_an_edit_of_another_field_keeps_the_link_dirty() -> None:
    after = after_response(phone="3")
    assert after.dirty
    assert after.base["p"][PHONE] == "1"


def test_a_value_that_the_side_reformats_is_not_an_edit() -> None:
    after = after_response(mobile="02")
    assert not after.dirty
    assert after.base["p"][MOBILE] == "02"


def test_the_base_of_an_excluded_lead_is_removed_once_the_write_is_done() -> None:
    base_update = replace(BASE_UPDATE, invalidated={"l": PHONE})
    intent = Intent("i", "r", 0.0, (WRITE,), (base_update,))
    for result, kept in ((WriteResult.DONE, False), (WriteResult.REJECTED, True)):
        outcome = WriteOutcome(WRITE, result, "p", 2.0)
        link = replace(LINK, intent=intent)
        after = record_outcomes(link, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)
        assert (PHONE in after.base["l"]) is kept


def test_the_edit_of_a_lead_that_takes_no_part_is_in_conflict_once_the_write_is_done() -> None:
    agreed = {**BASE_UPDATE.values, "l": AgreedValue(PHONE, "Phone", "2")}
    base_update = replace(BASE_UPDATE, values=agreed, unseen={"l": PHONE})
    link = replace(LINK, intent=Intent("i", "r", 0.0, (WRITE,), (base_update,)))
    outcome = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0)

    after = record_outcomes(link, "i", {"p": outcome}, unchanged_since_intent=True, now=2.0)

    assert after.base["l"][PHONE] == "2"
    assert after.base["l"][f"{UNSEEN}{PHONE}"] is True


LEAD = Observation(RecordKind.LEAD, "l", "a@x.fr", "1", "", 1.0, {"MobilePhone": None})
TO_LEAD = Write(RecordKind.LEAD, "l", "a@x.fr", {"MobilePhone": "2"}, {"MobilePhone": None}, "1")


def after_another_process_read(read: Observation, outcome: WriteOutcome) -> Link:
    """Record a response on a link that another process has read again since the write."""
    base_update = replace(BASE_UPDATE, required_writes=frozenset({outcome.write.record_id}))
    intent = Intent("i", "r", 0.0, (outcome.write,), (base_update,))
    link = replace(LINK, intent=intent).with_observation(read)
    return record_outcomes(
        link, "i", {outcome.write.record_id: outcome}, unchanged_since_intent=False, now=2.0
    )


def test_an_edit_after_our_write_that_another_process_read_is_kept() -> None:
    read = replace(LEAD, version="3", as_of=2.5, values={"MobilePhone": "3"})
    after = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    assert after.observation("l") == read
    assert after.base["l"][MOBILE] == "2"
    assert after.dirty


@pytest.mark.parametrize(
    ("read_at", "shown", "kept", "is_read_again"),
    [
        pytest.param(1.5, None, "2", True, id="before our write"),
        pytest.param(1.5, "3", "3", True, id="an edit of the same field"),
        pytest.param(2.5, None, None, False, id="a clearing after our write"),
    ],
)
def test_a_read_before_our_write_gets_its_values_although_another_field_was_edited(
    read_at: float, shown: str | None, kept: str | None, *, is_read_again: bool
) -> None:
    """Another process read the record, which a user had edited, just before our write.

    Whether the user typed before our write or after it, only one more reading can tell.
    """
    values = {"MobilePhone": shown, "Company": "typed"}
    read = replace(LEAD, version="3", as_of=read_at, values=values)
    after = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    assert after.observation("l") == replace(
        read,
        values={**values, "MobilePhone": kept},
        uncertain=is_read_again,
        as_of=max(read_at, 2.0),
    )
    assert after.dirty


def test_a_read_with_the_stamp_of_the_state_before_our_write_is_uncertain_if_it_differs() -> None:
    """Stamps of Salesforce have whole seconds: a user typed in the second of the first reading."""
    read = replace(LEAD, as_of=1.5, values={"MobilePhone": "3"})
    after = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    known = after.observation("l")
    assert known is not None
    assert known.uncertain
    alone = after_another_process_read(LEAD, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    known = alone.observation("l")
    assert known is not None
    assert not known.uncertain


def test_a_reading_that_began_before_our_response_does_not_make_it_certain() -> None:
    read = replace(LEAD, version="3", as_of=1.5, values={"MobilePhone": "3"})
    link = after_another_process_read(read, WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0))
    late = replace(read, as_of=1.9, values={"MobilePhone": "3", "Company": "typed"})
    assert apply_observation(link, late) is link


def test_what_our_write_replaced_is_no_edit_where_it_is_uncertain_too() -> None:
    known = replace(
        KNOWN, values={"phone": "1", "mobile": "2"}, replaced={"mobile": None}, uncertain=True
    )
    link = replace(LINK, plezi=known)
    assert apply_fresh_read(link, replace(KNOWN, as_of=3.0)) is link


def test_what_was_read_again_is_certain_also_if_it_shows_the_same() -> None:
    known = replace(LEAD, version="3", uncertain=True)
    link = LINK.with_observation(known)
    read = replace(known, as_of=3.0, uncertain=False)
    assert apply_observation(link, read).observation("l") == read
    assert apply_fresh_read(link, read).observation("l") == read


def test_a_response_older_than_the_read_of_another_process_is_ignored() -> None:
    read = replace(KNOWN, version="3", values={"phone": "1", "mobile": "3"})
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2"})
    after = after_another_process_read(
        read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == read
    assert after.base["p"][MOBILE] == "2"


def test_a_response_replaces_the_reading_that_the_write_is_based_on_whatever_its_stamp_is() -> None:
    based_on = replace(KNOWN, version="9", values={"phone": "1", "mobile": None})
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2"})
    write = replace(WRITE, version="9")
    after = after_another_process_read(
        based_on, WriteOutcome(write, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == response


def test_a_response_newer_than_the_read_of_another_process_replaces_it() -> None:
    read = replace(KNOWN, version="2", values={"phone": "1", "mobile": "3"})
    response = replace(KNOWN, version="3", values={"phone": "1", "mobile": "2"})
    after = after_another_process_read(
        read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == response


def test_the_time_decides_where_only_one_of_the_two_has_a_version() -> None:
    read = replace(KNOWN, version="", as_of=3.0, values={"phone": "1", "mobile": "3"})
    response = replace(KNOWN, version="2", values={"phone": "1", "mobile": "2"})
    after = after_another_process_read(
        read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
    )
    assert after.observation("p") == read


def test_an_edit_of_a_lead_that_was_just_created_is_kept() -> None:
    read = replace(LEAD, version="3", values={"MobilePhone": "3"})
    response = replace(LEAD, version="", values={"MobilePhone": "2"})
    outcome = WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0, created=True, observation=response)
    assert after_another_process_read(read, outcome).observation("l") == read


def test_without_versions_the_time_of_the_read_decides() -> None:
    for as_of, value in ((1.0, "2"), (3.0, "3")):
        read = replace(KNOWN, version="", as_of=as_of, values={"phone": "1", "mobile": "3"})
        response = replace(KNOWN, version="", values={"phone": "1", "mobile": "2"})
        after = after_another_process_read(
            read, WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0, observation=response)
        )
        known = after.observation("p")
        assert known is not None
        assert known.values["mobile"] == value


def after_attempts(link: Link, *results: WriteResult) -> Link:
    """Return the link after attempts of the same write, one after the other."""
    for result in results:
        outcome = WriteOutcome(WRITE, result, "p", 2.0)
        link = record_outcomes(
            replace(link, intent=LINK.intent),
            "i",
            {"p": outcome},
            unchanged_since_intent=True,
            now=2.0,
        )
    return link


def test_a_write_that_never_has_a_response_is_shown_and_tried_again() -> None:
    lost = [WriteResult.UNKNOWN] * UNANSWERED_ATTEMPTS
    before = after_attempts(LINK, *lost[1:])
    assert before.quarantine is None
    after = after_attempts(before, lost[0])
    assert after.quarantine is not None
    assert after.quarantine.code == ProblemCode.UNANSWERED
    assert after.quarantine.fields == ("mobile",)
    assert after.dirty
    assert after.intent is not None
    assert after.intent.in_doubt


def test_a_response_ends_the_count_of_the_attempts_without_one() -> None:
    lost = [WriteResult.UNKNOWN] * (UNANSWERED_ATTEMPTS - 1)
    answered = after_attempts(LINK, *lost, WriteResult.DONE)
    assert answered.unanswered == 0
    assert after_attempts(answered, *lost).quarantine is None
    assert after_attempts(LINK, *lost, WriteResult.RETRY).unanswered == UNANSWERED_ATTEMPTS - 1


def test_a_write_that_its_system_always_puts_off_is_shown_with_the_code_and_tried_again() -> None:
    busy = WriteOutcome(WRITE, WriteResult.RETRY, code="LOCKED", remedy="wait", is_own=True)
    link = LINK
    for _ in range(UNANSWERED_ATTEMPTS):
        assert link.quarantine is None
        link = record_outcomes(
            replace(link, intent=LINK.intent),
            "i",
            {"p": busy},
            unchanged_since_intent=True,
            now=2.0,
        )

    assert link.quarantine is not None
    assert (link.quarantine.code, link.quarantine.remedy) == ("LOCKED", "wait")
    assert link.dirty
    assert link.intent is None
    assert after_attempts(link, WriteResult.DONE).quarantine is None


def test_a_value_that_has_reached_one_system_only_stays_an_edit() -> None:
    """Somebody typed in the Plezi contact, so that only the write to the second Lead was done."""
    first, second = (
        Observation(RecordKind.LEAD, record, "a@x.fr", "1", "", 1.0, {"MobilePhone": value})
        for record, value in (("l1", "2"), ("l2", None))
    )
    to_lead = Write(RecordKind.LEAD, "l2", "a@x.fr", {"MobilePhone": "2"}, {"MobilePhone": None})
    agreed = {
        "p": AgreedValue(MOBILE, "mobile", "2"),
        "l1": AgreedValue(MOBILE, "MobilePhone", "2"),
        "l2": AgreedValue(MOBILE, "MobilePhone", "2"),
    }
    update = BaseUpdate("MobilePhone", agreed, frozenset({"p", "l2"}))
    intent = Intent("i", "r", 0.0, (to_lead, WRITE), (update,))
    link = replace(LINK, salesforce=(first, second), intent=intent)
    outcomes = {
        "l2": WriteOutcome(to_lead, WriteResult.DONE, "l2", 2.0),
        "p": WriteOutcome(WRITE, WriteResult.STALE),
    }

    after = record_outcomes(link, "i", outcomes, unchanged_since_intent=True, now=2.0)

    reached = {f"{REACHED}{MOBILE}": "2"}
    assert after.base == {**link.base, "l1": reached, "l2": reached}
    assert after.undelivered == {("l1", MOBILE), ("l2", MOBILE)}

    outcomes["p"] = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0)
    delivered = replace(link, undelivered=after.undelivered)
    delivered = record_outcomes(delivered, "i", outcomes, unchanged_since_intent=True, now=2.0)
    assert delivered.undelivered == frozenset()


@pytest.mark.parametrize("is_refused_at_first", [False, True])
def test_a_new_lead_has_the_opt_out_that_it_was_created_without(
    *, is_refused_at_first: bool
) -> None:
    """An opt-out that is ticked there before the Lead is read is an edit then."""
    opt_out = "newsletter_optout>newsletter_optout__c"
    unsent = BaseUpdate(
        "newsletter_optout__c",
        {NEW_RECORD: AgreedValue(opt_out, "newsletter_optout__c", None)},
        frozenset({NEW_RECORD}),
        rule=MergeRule.AGREED,
    )
    write = Write(RecordKind.LEAD, NEW_RECORD, "a@x.fr", {"LastName": "A"})
    link = replace(LINK, intent=Intent("i", "r", 0.0, (write,), (unsent,)))
    refused = WriteOutcome(
        replace(write, values={"LastName": "A", "Phone": "x"}), WriteResult.REJECTED
    )
    outcome = WriteOutcome(
        write,
        WriteResult.DONE,
        "l2",
        2.0,
        created=True,
        refusal=refused if is_refused_at_first else None,
    )

    after = record_outcomes(link, "i", {NEW_RECORD: outcome}, unchanged_since_intent=True, now=2.0)

    assert after.base["l2"] == {opt_out: None}


def recorded(link: Link, *outcomes: WriteOutcome, unchanged: bool = True) -> Link:
    """Return the link after these outcomes of its intent."""
    by_record = {it.write.record_id: it for it in outcomes}
    return record_outcomes(link, "i", by_record, unchanged_since_intent=unchanged, now=5.0)


DONE: Final = WriteOutcome(WRITE, WriteResult.DONE, "p", 2.0)
REFUSED: Final = WriteOutcome(
    WRITE, WriteResult.REJECTED, code="TOO_LONG", remedy="shorten it", fields=("mobile", "other")
)


def test_the_outcome_of_another_intent_changes_nothing() -> None:
    """Another process has taken the link over."""
    link = replace(LINK, intent=replace(LINK.intent, id="other")) if LINK.intent else LINK

    assert recorded(link, DONE) is link
    without = replace(LINK, intent=None)
    assert recorded(without, DONE) is without


def test_without_the_record_in_the_response_it_has_the_written_values() -> None:
    after = recorded(LINK, DONE)

    written = replace(KNOWN, values={"phone": "1", "mobile": "2"}, as_of=2.0)
    assert after.observation("p") == replace(written, replaced={"mobile": None})
    assert (after.dirty, after.intent) == (False, None)


@pytest.mark.parametrize(
    ("kind", "name"), [(RecordKind.PLEZI_CONTACT, "email"), (RecordKind.LEAD, "Email")]
)
def test_the_echo_of_a_new_email_is_no_change_of_it(kind: RecordKind, name: str) -> None:
    known = Observation(kind, "r", "a@x.fr", "1", "", 1.0, {name: "a@x.fr"})
    write = Write(kind, "r", "a@x.fr", {name: "B@x.fr"}, {name: "a@x.fr"}, "1")
    link = Link("a@x.fr", intent=Intent("i", "r", 0.0, (write,), ())).with_observation(known)

    after = recorded(link, WriteOutcome(write, WriteResult.DONE, "r", 2.0)).observation("r")

    assert after is not None
    assert (after.email, after.values[name]) == ("b@x.fr", "B@x.fr")


def test_a_record_that_is_stale_is_known_as_it_is_now_and_planned_again() -> None:
    read = replace(KNOWN, version="2", values={"phone": "9", "mobile": None})

    after = recorded(LINK, WriteOutcome(WRITE, WriteResult.STALE, observation=read))

    assert after.observation("p") == read
    assert (after.dirty, after.intent, after.base) == (True, None, LINK.base)


def test_a_record_that_does_not_exist_any_more_is_known_as_deleted() -> None:
    after = recorded(LINK, replace(REFUSED, deleted=True)).observation("p")

    assert after is not None
    assert after.deleted


@pytest.mark.parametrize(
    ("result", "is_dirty"),
    [
        (WriteResult.DONE, False),
        (WriteResult.REJECTED, False),
        (WriteResult.RETRY, True),
        (WriteResult.STALE, True),
        (WriteResult.UNKNOWN, True),
    ],
)
def test_a_link_stays_on_the_list_while_a_write_is_to_be_done(
    result: WriteResult, *, is_dirty: bool
) -> None:
    assert recorded(LINK, WriteOutcome(WRITE, result, "p", 2.0)).dirty is is_dirty


def test_a_link_that_another_process_changed_stays_on_the_list() -> None:
    assert recorded(LINK, DONE, unchanged=False).dirty


def test_the_link_of_a_record_that_was_created_is_planned_again() -> None:
    """The fields that cannot be written in a creation are written then."""
    assert recorded(LINK, replace(DONE, created=True)).dirty


def test_only_what_is_not_recorded_yet_stays_in_the_intent() -> None:
    """A value that gave way to the write that is done has its line in the journal."""
    lost = Overwritten(RecordKind.PLEZI_CONTACT, "p", "MobilePhone", "1", "2", MergeRule.CHANGED)
    kept = replace(lost, kind=RecordKind.LEAD, record_id="l")
    both = replace(BASE_UPDATE, required_writes=frozenset({"p", "l"}))
    link = replace(LINK, intent=Intent("i", "r", 0.0, (WRITE, TO_LEAD), (both,), (lost, kept)))

    after = recorded(link, DONE, WriteOutcome(TO_LEAD, WriteResult.UNKNOWN))

    left = replace(both, required_writes=frozenset({"l"}))
    assert after.intent is not None
    assert isinstance(after.intent.base_updates[0].required_writes, frozenset)  # hashed by a run
    assert after.intent == Intent("i", "r", 0.0, (TO_LEAD,), (left,), (kept,), in_doubt=True)


def test_a_field_that_the_response_does_not_show_has_the_value_that_was_written() -> None:
    response = replace(KNOWN, version="2", values={"phone": "1"})

    assert recorded(LINK, replace(DONE, observation=response)).base["p"][MOBILE] == "2"


HELD: Final = Hold(HoldReason.CONFLICT, 0.0, {"p": None, "l": "2"}, chosen="l")


class TestPartlyDone:
    """One agreement of Plezi and two Leads, of which one refuses the value."""

    UPDATE: Final = BaseUpdate(
        "MobilePhone",
        {
            "p": AgreedValue(MOBILE, "mobile", "2"),
            "l": AgreedValue(MOBILE, "MobilePhone", "2"),
            "l2": AgreedValue(MOBILE, "MobilePhone", "2"),
        },
        frozenset({"l", "l2"}),
    )
    SECOND: Final = replace(TO_LEAD, record_id="l2")
    LINK: Final = Link(
        "a@x.fr",
        plezi=replace(KNOWN, values={"phone": "1", "mobile": "2"}),
        salesforce=(LEAD, replace(LEAD, id="l2")),
        base={record: {MOBILE: None} for record in ("p", "l", "l2")},
        meeting=frozenset({MOBILE, PHONE}),
        holds={"MobilePhone": HELD},
        intent=Intent("i", "r", 0.0, (TO_LEAD, SECOND), (UPDATE,)),
    )

    def after(self, second: WriteResult) -> Link:
        return recorded(
            self.LINK,
            WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0),
            WriteOutcome(self.SECOND, second, "l2", 2.0, code="LOCKED"),
        )

    @pytest.mark.parametrize("former", [{MOBILE: None}, {}, None])
    def test_what_the_record_that_refused_had_before_is_outdated(
        self, former: dict[str, Value] | None
    ) -> None:
        """It takes the agreed value later; what is typed in it is an edit of this one."""
        base = {record: it for record, it in self.LINK.base.items() if record != "l2"}
        link = replace(self.LINK, base=base if former is None else {**base, "l2": former})

        after = recorded(
            link,
            WriteOutcome(TO_LEAD, WriteResult.DONE, "l", 2.0),
            WriteOutcome(self.SECOND, WriteResult.REJECTED, code="LOCKED"),
        )

        assert {record: it for record, it in after.base.items() if it} == {
            "p": {MOBILE: "2"},
            "l": {MOBILE: "2"},
            "l2": {f"{OUTDATED}{MOBILE}": None},
        }
        assert after.meeting == {PHONE}

    def test_each_field_whose_write_is_done_has_met(self) -> None:
        write = replace(TO_LEAD, values={"MobilePhone": "2", "Phone": "1"})
        phone = BaseUpdate(
            "Phone",
            {"p": AgreedValue(PHONE, "phone", "1"), "l": AgreedValue(PHONE, "Phone", "1")},
            frozenset({"l"}),
        )
        mobile = replace(self.UPDATE, required_writes=frozenset({"l"}))
        link = replace(self.LINK, intent=Intent("i", "r", 0.0, (write,), (mobile, phone)))

        after = recorded(link, WriteOutcome(write, WriteResult.DONE, "l", 2.0))

        assert after.meeting == frozenset()

    def test_a_contact_that_was_just_created_has_the_value_for_its_system(self) -> None:
        """The link does not have it yet; the second Lead refused the value."""
        create = Write(RecordKind.PLEZI_CONTACT, NEW_RECORD, "a@x.fr", {"mobile": "2"})
        update = BaseUpdate(
            "MobilePhone",
            {
                NEW_RECORD: AgreedValue(MOBILE, "mobile", "2"),
                "l": AgreedValue(MOBILE, "MobilePhone", "2"),
                "l2": AgreedValue(MOBILE, "MobilePhone", "2"),
            },
            frozenset({NEW_RECORD, "l2"}),
        )
        intent = Intent("i", "r", 0.0, (create, self.SECOND), (update,))

        after = recorded(
            replace(self.LINK, plezi=None, base={}, intent=intent),
            WriteOutcome(create, WriteResult.DONE, "p9", 2.0, created=True),
            WriteOutcome(self.SECOND, WriteResult.REJECTED, code="X"),
        )

        outdated = {f"{OUTDATED}{MOBILE}": None}
        assert after.base == {"p9": {MOBILE: "2"}, "l": {MOBILE: "2"}, "l2": outdated}
        assert after.undelivered == frozenset()

    def test_what_has_reached_one_system_only_is_kept_beside_what_waits_already(self) -> None:
        waiting = frozenset({("l", PHONE)})
        to_both = replace(self.UPDATE, required_writes=frozenset({"p", "l2"}))
        intent = Intent("i", "r", 0.0, (WRITE, self.SECOND), (to_both,))

        after = recorded(
            replace(self.LINK, intent=intent, undelivered=waiting),
            WriteOutcome(WRITE, WriteResult.RETRY),
            WriteOutcome(self.SECOND, WriteResult.DONE, "l2", 2.0),
        )

        assert after.undelivered == {*waiting, ("l", MOBILE), ("l2", MOBILE)}

    def test_the_hold_ends_when_both_systems_have_the_value(self) -> None:
        """It shows what is older than what was agreed; who refused the value takes it later."""
        assert self.after(WriteResult.REJECTED).holds == {}
        assert self.after(WriteResult.DONE).holds == {}
        to_both = replace(self.UPDATE, required_writes=frozenset({"p", "l2"}))
        link = replace(self.LINK, intent=Intent("i", "r", 0.0, (WRITE, self.SECOND), (to_both,)))
        second = WriteOutcome(self.SECOND, WriteResult.DONE, "l2", 2.0)
        in_one_system = recorded(link, WriteOutcome(WRITE, WriteResult.REJECTED, code="X"), second)
        assert in_one_system.holds == {"MobilePhone": HELD}

    def test_nothing_is_agreed_where_nothing_was_done(self) -> None:
        link = self.LINK
        refused = WriteOutcome(TO_LEAD, WriteResult.REJECTED, code="X")
        second = WriteOutcome(self.SECOND, WriteResult.REJECTED, code="X")

        after = recorded(link, refused, second)

        assert (after.base, after.meeting, after.holds) == (link.base, link.meeting, link.holds)
        assert after.undelivered == frozenset()


class TestRecentWrites:
    LINK: Final = replace(LINK, base={"p": {PHONE: "1", MOBILE: "0"}, "l": {PHONE: "1"}})

    def after(self, update: BaseUpdate, result: WriteResult = WriteResult.DONE) -> Link:
        link = replace(self.LINK, intent=Intent("i", "r", 0.0, (WRITE,), (update,)))
        return recorded(link, WriteOutcome(WRITE, result, "p", 2.0))

    def test_a_value_in_place_of_an_agreed_one_is_remembered(self) -> None:
        assert self.after(BASE_UPDATE).recent_writes == {
            "MobilePhone": (RecentWrite("p", "2", 5.0),)
        }

    def test_it_is_noted_that_somebody_had_replaced_our_former_value(self) -> None:
        update = replace(BASE_UPDATE, after_undo=frozenset({"p"}))

        assert self.after(update).recent_writes == {
            "MobilePhone": (RecentWrite("p", "2", 5.0, after_undo=True),)
        }

    def test_an_undo_of_an_admin_and_a_refused_write_are_not_remembered(self) -> None:
        assert not self.after(replace(BASE_UPDATE, rule=MergeRule.UNDONE)).recent_writes
        assert not self.after(BASE_UPDATE, WriteResult.REJECTED).recent_writes

    def test_an_undo_of_one_field_hides_no_other_field(self) -> None:
        undo = replace(BASE_UPDATE, pair="Phone", rule=MergeRule.UNDONE)
        intent = Intent("i", "r", 0.0, (WRITE,), (undo, BASE_UPDATE))

        after = recorded(replace(self.LINK, intent=intent), DONE)

        assert list(after.recent_writes) == ["MobilePhone"]

    def test_a_first_value_is_not_remembered(self) -> None:
        assert not recorded(LINK, DONE).recent_writes


class TestRefusal:
    def test_it_puts_the_link_in_quarantine_with_the_fields_that_it_names(self) -> None:
        assert recorded(LINK, REFUSED).quarantine == Quarantine(
            Side.PLEZI, "TOO_LONG", "shorten it", ("mobile", "other"), since=5.0
        )

    @pytest.mark.parametrize(
        ("values", "fields"),
        [({"mobile": "2"}, ("mobile",)), ({"mobile": "2", "phone": "3"}, ())],
    )
    def test_of_a_write_of_one_field_it_concerns_that_field(
        self, values: dict[str, Value], fields: tuple[str, ...]
    ) -> None:
        refused = replace(REFUSED, write=replace(WRITE, values=values), fields=())

        quarantine = recorded(LINK, refused).quarantine

        assert quarantine is not None
        assert quarantine.fields == fields

    def test_the_tries_since_the_first_one_are_counted(self) -> None:
        former = Quarantine(Side.PLEZI, "OLD", "", (), since=1.0, tries=2)

        quarantine = recorded(replace(LINK, quarantine=former), REFUSED).quarantine

        assert quarantine is not None
        assert (quarantine.code, quarantine.since, quarantine.tries) == ("TOO_LONG", 1.0, 3)

    def test_a_write_that_is_done_ends_it(self) -> None:
        former = Quarantine(Side.PLEZI, "OLD", "", (), since=1.0)

        assert recorded(replace(LINK, quarantine=former), DONE).quarantine is None

    def test_the_problems_of_the_plan_are_listed_beside_it(self) -> None:
        problem = FieldProblem(
            "Phone", Side.SALESFORCE, "Phone", ProblemCode.UNUSABLE_VALUE, "too large", "fix it"
        )

        after = record_outcomes(
            LINK,
            "i",
            {"p": REFUSED},
            unchanged_since_intent=True,
            now=5.0,
            problems=(problem,),
        ).quarantine

        assert after is not None
        assert after.fields == ("mobile", "other", "Phone")
        assert after.remedy == "shorten it; too large: fix it"

    def test_a_creation_without_the_refused_field_agrees_on_the_others_only(self) -> None:
        """The first attempt was refused for the mobile; the record was created without it."""
        first = Write(RecordKind.LEAD, NEW_RECORD, "a@x.fr", {"MobilePhone": "2", "Phone": "1"})
        smaller = replace(first, values={"Phone": "1"})
        updates = tuple(
            BaseUpdate(name, {NEW_RECORD: AgreedValue(key, name, value)}, frozenset({NEW_RECORD}))
            for name, key, value in (("MobilePhone", MOBILE, "2"), ("Phone", PHONE, "1"))
        )
        link = replace(LINK, intent=Intent("i", "r", 0.0, (first,), updates))
        refusal = WriteOutcome(
            first, WriteResult.REJECTED, code="BAD", remedy="fix it", fields=("MobilePhone",)
        )
        outcome = WriteOutcome(smaller, WriteResult.DONE, "l9", 2.0, created=True, refusal=refusal)

        after = recorded(link, outcome)

        assert after.base["l9"] == {PHONE: "1"}
        assert after.quarantine == Quarantine(
            Side.SALESFORCE, "BAD", "fix it", ("MobilePhone",), since=5.0
        )
        assert after.dirty


class TestNoResponse:
    LOST: Final = WriteOutcome(WRITE, WriteResult.UNKNOWN)
    SEARCH: Final = WriteOutcome(WRITE, WriteResult.RETRY, code=ProblemCode.UNANSWERED.value)

    def after_three(self, outcome: WriteOutcome) -> Link:
        link = replace(LINK, unanswered=UNANSWERED_ATTEMPTS - 1)
        return recorded(link, outcome)

    def test_the_attempts_are_counted_with_their_run_up_to_the_limit(self) -> None:
        link = LINK
        counted = []
        for _ in range(UNANSWERED_ATTEMPTS + 1):
            link = recorded(replace(link, intent=LINK.intent), self.LOST)
            counted.append((link.unanswered, link.unanswered_run))

        assert counted == [(1, "r"), (2, "r"), (3, "r"), (3, "r")]

    @pytest.mark.parametrize("result", [WriteResult.DONE, WriteResult.REJECTED])
    def test_a_response_ends_the_count(self, result: WriteResult) -> None:
        link = replace(LINK, unanswered=2, unanswered_run="before")

        after = recorded(link, WriteOutcome(WRITE, result, "p", 2.0))

        assert (after.unanswered, after.unanswered_run) == (0, "")

    def test_the_link_is_listed_with_the_fields_and_what_to_do(self) -> None:
        assert self.after_three(self.LOST).quarantine == Quarantine(
            Side.PLEZI, "unanswered", UNANSWERED_REMEDY, ("mobile",), since=5.0
        )

    def test_it_names_the_write_that_has_no_response_and_not_one_that_was_done(self) -> None:
        intent = Intent("i", "r", 0.0, (WRITE, TO_LEAD), ())
        link = replace(LINK, intent=intent, unanswered=UNANSWERED_ATTEMPTS - 1)

        after = recorded(link, DONE, WriteOutcome(TO_LEAD, WriteResult.UNKNOWN)).quarantine

        assert after is not None
        assert (after.side, after.fields) == (Side.SALESFORCE, ("MobilePhone",))

    @pytest.mark.parametrize(
        "outcome",
        [
            replace(LOST, code="TIMEOUT", remedy="call again"),
            WriteOutcome(WRITE, WriteResult.RETRY, is_own=True),
        ],
    )
    def test_only_an_answer_about_the_record_has_a_code_and_a_remedy_of_its_own(
        self, outcome: WriteOutcome
    ) -> None:
        after = self.after_three(outcome).quarantine

        assert after is not None
        assert (after.code, after.remedy) == ("unanswered", UNANSWERED_REMEDY)

    def test_its_tries_are_counted_too(self) -> None:
        former = Quarantine(Side.PLEZI, "unanswered", "", (), since=1.0, tries=2)
        link = replace(LINK, quarantine=former, unanswered=UNANSWERED_ATTEMPTS)

        after = recorded(link, self.LOST).quarantine

        assert after is not None
        assert (after.since, after.tries) == (1.0, 3)

    def test_a_search_before_a_creation_without_a_response_counts_too(self) -> None:
        after = self.after_three(self.SEARCH)

        assert after.quarantine is not None
        assert after.quarantine.code == "unanswered"

    @pytest.mark.parametrize(
        ("outcome", "is_without"),
        [
            (LOST, True),
            (SEARCH, True),
            (replace(SEARCH, code="LOCKED"), False),
            (replace(SEARCH, result=WriteResult.REJECTED), False),
            (DONE, False),
        ],
    )
    def test_only_a_lost_write_or_search_has_no_response(
        self, outcome: WriteOutcome, *, is_without: bool
    ) -> None:
        assert has_no_response(outcome) is is_without

    def test_an_answer_about_a_whole_call_is_not_one_about_the_record(self) -> None:
        busy = WriteOutcome(WRITE, WriteResult.RETRY, code="LIMIT", remedy="wait")

        after = self.after_three(busy)

        assert after.quarantine is None
        assert after.unanswered == UNANSWERED_ATTEMPTS - 1

    def test_a_refusal_is_listed_before_a_write_without_a_response(self) -> None:
        intent = Intent("i", "r", 0.0, (TO_LEAD, WRITE), ())
        link = replace(LINK, intent=intent, unanswered=UNANSWERED_ATTEMPTS)

        after = recorded(link, WriteOutcome(TO_LEAD, WriteResult.UNKNOWN), REFUSED).quarantine

        assert after is not None
        assert after.code == "TOO_LONG"


def test_a_field_that_has_become_unreadable_keeps_the_link_dirty() -> None:
    """It must be listed by the next plan."""
    response = replace(
        KNOWN,
        values={"phone": "1", "mobile": "2"},
        unreadable=frozenset({"function"}),
    )

    assert recorded(LINK, replace(DONE, observation=response)).dirty
    known = replace(LINK, plezi=replace(KNOWN, unreadable=frozenset({"function"})))
    assert not recorded(known, replace(DONE, observation=response)).dirty


def test_an_unexpected_error_is_listed_as_a_defect() -> None:
    outcome = defect_outcome(WRITE, WriteResult.RETRY, ValueError("x"))

    assert (outcome.write, outcome.result) == (WRITE, WriteResult.RETRY)
    assert outcome.code == "defect"
    assert "ValueError" in outcome.remedy


class TestValuesThatGaveWay:
    IN_PLEZI: Final = Overwritten(
        RecordKind.PLEZI_CONTACT, "p", "MobilePhone", "9", "2", MergeRule.NEWEST
    )
    IN_CONTACT: Final = Overwritten(
        RecordKind.CONTACT, "c", "MobilePhone", "8", "2", MergeRule.NEWEST
    )
    INTENT: Final = Intent(
        "i",
        "r",
        0.0,
        (WRITE, TO_LEAD),
        (replace(BASE_UPDATE, required_writes=frozenset({"p", "l"})),),
        (IN_PLEZI, IN_CONTACT),
    )

    @pytest.mark.parametrize(
        ("done", "gone"),
        [
            ({("p", "mobile"), ("l", "MobilePhone")}, [IN_PLEZI, IN_CONTACT]),
            ({("p", "mobile")}, [IN_PLEZI, IN_CONTACT]),
            ({("l", "MobilePhone")}, [IN_CONTACT]),
            ({("p", "phone")}, []),
            (set(), []),
        ],
    )
    def test_a_value_is_gone_when_its_record_was_written_or_else_any_record(
        self, done: set[tuple[str, str]], gone: list[Overwritten]
    ) -> None:
        """The Contact is never written: its value gives way when the other one is anywhere."""
        found = done_overwrites(self.INTENT, lambda record, name: (record, name) in done)

        assert found == gone
