"""The comparison of one link: what differs, and the cause of each difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    MappingConfig,
    ValuePair,
)
from connector.model import (
    DriftCause,
    Hold,
    HoldReason,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    Observation,
    Quarantine,
    RecentWrite,
    RecordKind,
    Side,
    SkipReason,
    Value,
    Values,
)
from connector.planning.drift import (
    PERSON,
    Evidence,
    FieldDrift,
    LinkComparison,
    compare_link,
    with_undone,
    without_contradicted_bases,
)
from connector.planning.plan import plan_link

EMAIL: Final = "a@x.fr"
RECORDS: Final = {"p": RecordKind.PLEZI_CONTACT, "l": RecordKind.LEAD, "c": RecordKind.CONTACT}
NAMES: Final = {
    RecordKind.PLEZI_CONTACT: "phone",
    RecordKind.LEAD: "Phone",
    RecordKind.CONTACT: "Phone",
}
VALUES = st.sampled_from([None, "a", "b", "c"])
DIRECTIONS = (Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE)
LINES = st.fixed_dictionaries({"p": VALUES, "l": VALUES})


def bound_with(
    policy: ConflictPolicy = ConflictPolicy.NEWEST,
    direction: Direction = Direction.BOTH,
    *,
    enforced: bool = False,
    read_only: str = "",
    values: tuple[ValuePair, ...] = (),
) -> BoundMapping:
    pair = FieldPair(
        "phone", "Phone", direction, policy, contact="Phone", enforced=enforced, values=values
    )
    field_kind = FieldKind.PICKLIST if values else FieldKind.TEXT
    fields = {
        kind: Field(name, field_kind, read_only=read_only if name == "Phone" else "")
        for kind, name in NAMES.items()
    }
    return BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, fields),), ())


BOUND: Final = bound_with()
TO_SALESFORCE: Final = bound_with(direction=Direction.TO_SALESFORCE)
TO_PLEZI: Final = bound_with(direction=Direction.TO_PLEZI)
ENFORCED: Final = bound_with(direction=Direction.TO_SALESFORCE, enforced=True)
ROWS: Final = (ValuePair("Client", "Customer"),)
LISTS: Final = bound_with(values=ROWS)


def with_title(bound: BoundMapping = BOUND) -> BoundMapping:
    """Return a mapping with a second pair, which fills blanks only."""
    pair = FieldPair("title", "Title", Direction.BOTH, ConflictPolicy.FILL_BLANK)
    fields = {
        RecordKind.PLEZI_CONTACT: Field("title", FieldKind.TEXT),
        RecordKind.LEAD: Field("Title", FieldKind.TEXT),
    }
    return replace(bound, pairs=(*bound.pairs, BoundPair(pair, fields)))


TWO_PAIRS: Final = with_title()


def link_of(values: Mapping[str, Value], base: Mapping[str, Value]) -> Link:
    """Return a link with these values and agreements, by record."""
    pair = BOUND.pairs[0]
    agreed = {record: {pair.base_keys[RECORDS[record]]: value} for record, value in base.items()}
    link = Link(EMAIL, base=agreed)
    for record, value in values.items():
        kind = RECORDS[record]
        link = link.with_observation(
            Observation(kind, record, EMAIL, "1", record, 0.0, {NAMES[kind]: value})
        )
    return link


def compare(
    link: Link, bound: BoundMapping = BOUND, evidence: Evidence | None = None
) -> LinkComparison:
    return compare_link(link, bound, evidence or Evidence(), now=1.0)


def cause_of(
    link: Link, bound: BoundMapping = BOUND, evidence: Evidence | None = None
) -> DriftCause:
    [drift] = compare(link, bound, evidence).drifts
    return drift.cause


AGREED: Final = {"p": "a", "l": "a"}
EDITED: Final = link_of({"p": "a", "l": "b"}, AGREED)


@pytest.mark.parametrize(
    ("bound", "plezi", "lead"), [(BOUND, "a", " a "), (LISTS, "Client", "customer")]
)
def test_equal_values_in_two_forms_are_no_difference(
    bound: BoundMapping, plezi: str, lead: str
) -> None:
    values = {"p": plezi, "l": lead}

    assert compare(link_of(values, values), bound) == LinkComparison(compared=1)


def difference(cause: DriftCause, plezi: Value, lead: Value, *, is_planned: bool) -> FieldDrift:
    """Return the difference of a Lead from Plezi."""
    return FieldDrift("Phone", Side.SALESFORCE, "l", plezi, lead, cause, is_planned=is_planned)


HALF: Final = "half of a character: \ud83d"


@pytest.mark.parametrize(
    ("link", "drift", "needs_run"),
    [
        (EDITED, difference(DriftCause.UNEXPLAINED, "a", "b", is_planned=True), True),
        (
            link_of({"p": "a", "l": "b"}, {"p": "a", "l": "b"}),
            difference(DriftCause.UNEXPLAINED, "a", "b", is_planned=False),
            False,
        ),
        (  # what Plezi cannot store is a problem of the field
            link_of({"p": "a", "l": HALF}, AGREED),
            difference(DriftCause.QUARANTINED, "a", HALF, is_planned=False),
            False,
        ),
    ],
)
def test_a_difference_is_described_with_both_values_and_what_a_run_would_do(
    link: Link, drift: FieldDrift, *, needs_run: bool
) -> None:
    assert compare(link) == LinkComparison((drift,), compared=1, needs_run=needs_run)


def test_a_person_with_no_record_that_takes_part_has_the_reason() -> None:
    assert compare(Link(EMAIL)) == LinkComparison(reason=SkipReason.NO_PARTICIPANT)


@pytest.mark.parametrize(
    ("plezi", "lead", "compared", "unknown"),
    [
        ({"phone": "a", "title": "b"}, {"Phone": "a", "Title": "b"}, 2, 0),
        ({"phone": "a"}, {"Phone": "a", "Title": "b"}, 1, 1),
        ({"phone": "a", "title": "b"}, {}, 0, 2),
    ],
)
def test_each_pair_counts_as_compared_or_as_unknown(
    plezi: Values, lead: Values, compared: int, unknown: int
) -> None:
    base = {"phone>Phone": "a", "title>Title": "b"}
    link = Link(
        EMAIL,
        Observation(RecordKind.PLEZI_CONTACT, "p", EMAIL, "1", "p", 0.0, plezi),
        (Observation(RecordKind.LEAD, "l", EMAIL, "1", "l", 0.0, lead),),
        {"p": base, "l": base},
    )

    found = compare(link, TWO_PAIRS)

    assert found == LinkComparison(compared=compared, unknown=unknown)


def test_the_writes_of_the_last_day_do_not_hide_a_difference() -> None:
    link = replace(EDITED, recent_writes={"Phone": (RecentWrite("p", "c", 0.0),)})

    assert compare(link) == compare(EDITED)
    assert without_contradicted_bases(link, BOUND, (), now=1.0) is link


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (Evidence(), DriftCause.UNEXPLAINED),
        (Evidence(waits=True), DriftCause.WAITS),
        (Evidence(recent={"l"}), DriftCause.WAITS),
        (Evidence(missed={"l"}), DriftCause.UNEXPLAINED),
        (Evidence(recent={"other"}), DriftCause.UNEXPLAINED),
    ],
)
def test_an_edit_that_should_have_travelled_waits_only_for_a_known_run(
    evidence: Evidence, cause: DriftCause
) -> None:
    assert cause_of(EDITED, BOUND, evidence) is cause


@pytest.mark.parametrize("evidence", [Evidence(), Evidence(recent={"l"}), Evidence(missed={"l"})])
def test_a_field_that_salesforce_computes_is_unstamped_only_where_no_list_showed_it(
    evidence: Evidence,
) -> None:
    bound = bound_with(direction=Direction.TO_PLEZI, read_only="a formula")

    is_missed = cause_of(EDITED, bound, evidence) is DriftCause.UNSTAMPED

    assert is_missed == bool(evidence.missed)


def test_a_contradiction_is_unexplained_even_where_a_run_waits() -> None:
    """Both records have the values of the last agreement: no run finds an edit."""
    link = link_of({"p": "a", "l": "b"}, {"p": "a", "l": "b"})

    assert cause_of(link, BOUND, Evidence(waits=True)) is DriftCause.UNEXPLAINED
    assert cause_of(link, TO_SALESFORCE) is DriftCause.UNEXPLAINED
    assert not compare(link).needs_run


@pytest.mark.parametrize(
    ("link", "bound", "cause"),
    [
        (EDITED, TO_SALESFORCE, DriftCause.ONE_WAY),
        (link_of({"p": "b", "l": "a"}, AGREED), TO_SALESFORCE, DriftCause.UNEXPLAINED),
        (link_of({"p": "b", "l": "a"}, AGREED), TO_PLEZI, DriftCause.ONE_WAY),
        (EDITED, bound_with(ConflictPolicy.FILL_BLANK), DriftCause.POLICY),
        (
            link_of({"p": None, "l": "b"}, {"p": "b", "l": "b"}),
            ENFORCED,
            DriftCause.POLICY,
        ),
        (link_of({"p": "b", "c": "a"}, {"p": "a", "c": "a"}), BOUND, DriftCause.ONE_WAY),
        (link_of({"p": "a", "c": "b"}, {"p": "a", "c": "a"}), BOUND, DriftCause.UNEXPLAINED),
        (link_of({"p": "a", "c": "b"}, {"p": "a", "c": "b"}), BOUND, DriftCause.ONE_WAY),
        (link_of({"p": "a", "c": "b"}, {"p": "a", "c": "b"}), ENFORCED, DriftCause.ONE_WAY),
        (link_of({"p": None, "l": "b"}, {"p": None, "l": "b"}), BOUND, DriftCause.UNEXPLAINED),
        (link_of({"p": "a", "l": "b"}, {"p": "a", "l": "b"}), TO_PLEZI, DriftCause.UNEXPLAINED),
        (
            link_of({"p": None, "l": "b"}, {"p": "b", "l": "b"}),
            bound_with(direction=Direction.TO_SALESFORCE, enforced=True, values=ROWS),
            DriftCause.POLICY,
        ),
    ],
)
def test_what_the_direction_or_the_policy_leaves_is_explained(
    link: Link, bound: BoundMapping, cause: DriftCause
) -> None:
    assert cause_of(link, bound) is cause


def test_a_hold_explains_its_field_until_an_edit_ends_it() -> None:
    hold = Hold(HoldReason.CONFLICT, 0.0, {"p": "b", "l": "c"}, attribute="phone")
    held = link_of({"p": "b", "l": "c"}, AGREED)
    held = replace(held, holds={BOUND.pairs[0].key: hold})
    decided = held.with_observation(
        Observation(RecordKind.LEAD, "l", EMAIL, "2", "l", 0.0, {"Phone": "d"})
    )
    policy = bound_with(ConflictPolicy.HOLD)

    assert cause_of(held, policy) is DriftCause.HELD
    assert cause_of(decided, policy, Evidence(missed={"l"})) is DriftCause.UNEXPLAINED
    assert cause_of(decided, policy, Evidence(recent={"l"})) is DriftCause.WAITS


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ((), DriftCause.QUARANTINED),
        (("phone",), DriftCause.QUARANTINED),
        (("title",), DriftCause.UNEXPLAINED),
    ],
)
def test_a_quarantine_explains_the_fields_that_it_names(
    fields: tuple[str, ...], cause: DriftCause
) -> None:
    refused = replace(EDITED, quarantine=Quarantine(Side.PLEZI, "refused", "", fields, 0.0))

    assert cause_of(refused) is cause


ONLY_LEAD: Final = link_of({"l": "a"}, {})
REFUSED: Final = Quarantine(Side.PLEZI, "refused", "", (), 0.0)
PHONE_HELD: Final = {"Phone": Hold(HoldReason.CONFLICT, 0.0, {"l": "a"}, attribute="phone")}


@pytest.mark.parametrize(
    ("link", "evidence", "cause"),
    [
        (ONLY_LEAD, Evidence(), DriftCause.UNEXPLAINED),
        (ONLY_LEAD, Evidence(waits=True), DriftCause.WAITS),
        (ONLY_LEAD, Evidence(recent={"l"}), DriftCause.WAITS),
        (ONLY_LEAD, Evidence(missed={"l"}), DriftCause.UNEXPLAINED),
        (replace(ONLY_LEAD, quarantine=REFUSED), Evidence(), DriftCause.QUARANTINED),
        (replace(ONLY_LEAD, quarantine=REFUSED), Evidence(missed={"l"}), DriftCause.UNEXPLAINED),
        (replace(ONLY_LEAD, holds=PHONE_HELD), Evidence(), DriftCause.HELD),
    ],
)
def test_a_person_whom_plezi_lacks_is_one_difference_with_its_cause(
    link: Link, evidence: Evidence, cause: DriftCause
) -> None:
    drift = FieldDrift(PERSON, Side.SALESFORCE, "l", None, None, cause, is_planned=True)

    assert compare(link, evidence=evidence) == LinkComparison(
        (drift,), compared=1, only_on=Side.SALESFORCE, needs_run=True
    )


@pytest.mark.parametrize(
    ("base", "needs_run"),
    [({}, True), ({"p": None}, False)],  # the blank is to be agreed on, or it was
)
def test_a_person_whom_salesforce_lacks_and_who_has_no_value_is_not_created(
    base: Mapping[str, Value], *, needs_run: bool
) -> None:
    drift = FieldDrift(
        PERSON, Side.PLEZI, "p", None, None, DriftCause.UNEXPLAINED, is_planned=False
    )

    assert compare(link_of({"p": None}, base)) == LinkComparison(
        (drift,), compared=1, only_on=Side.PLEZI, needs_run=needs_run
    )


def test_a_value_that_was_not_read_is_not_compared() -> None:
    unread = Observation(RecordKind.LEAD, "l", EMAIL, "1", "l", 0.0, {})

    found = compare(EDITED.with_observation(unread))

    assert (found.compared, found.unknown, found.drifts) == (0, 1, ())


def written(
    record: str, before: Value, after: Value, rule: MergeRule = MergeRule.UNDONE, run: str = "undo"
) -> JournalEntry:
    """Return the journal entry of a write."""
    side = RECORDS[record].side
    return JournalEntry(
        EMAIL, 1.0, run, JournalKind.WRITTEN, side, record, "Phone", before, after, rule
    )


CHANGED: Final = MergeRule.CHANGED
PUT_BACK: Final = link_of({"p": "b", "l": "a"}, {"p": "b", "l": "a"})
"""The Lead has the value from before the run that wrote Plezi's `b` to it."""
RUN: Final = written("l", "a", "b", CHANGED, "run")
UNDO: Final = written("l", "b", "a")


@pytest.mark.parametrize(
    ("link", "entries", "undo"),
    [
        (PUT_BACK, (RUN, UNDO), "undo"),
        (PUT_BACK, (RUN,), ""),
        (PUT_BACK, (UNDO, RUN), ""),
        (PUT_BACK, (RUN, UNDO, written("p", "c", "b", CHANGED, "later")), ""),
        (PUT_BACK, (RUN, replace(UNDO, field="Title")), ""),
        (PUT_BACK, (RUN, replace(UNDO, record_id="other")), ""),
        (PUT_BACK, (RUN, replace(UNDO, kind=JournalKind.NOT_UNDONE)), ""),
        (link_of({"p": "b", "l": "c"}, {"p": "b", "l": "c"}), (RUN, UNDO), ""),
        (link_of({"p": "c", "l": "a"}, {"p": "c", "l": "a"}), (RUN, UNDO), ""),
        (PUT_BACK, (UNDO, written("p", "c", "b")), "undo"),  # the undo wrote both records
        (PUT_BACK, (UNDO, written("l", "a", "b", run="again"), written("l", "b", "a")), "undo"),
    ],
)
def test_a_contradiction_is_undone_if_both_records_are_as_an_undo_left_them(
    link: Link, entries: Sequence[JournalEntry], undo: str
) -> None:
    [drift] = with_undone(compare(link), link, BOUND, entries).drifts
    is_left = without_contradicted_bases(link, BOUND, entries, now=1.0) is link

    cause = DriftCause.UNDONE if undo else DriftCause.UNEXPLAINED
    assert (drift.cause, drift.undo, is_left) == (cause, undo, bool(undo))


@pytest.mark.parametrize("evidence", [Evidence(), Evidence(waits=True)])
def test_an_undo_explains_no_difference_that_a_run_would_end(evidence: Evidence) -> None:
    """The value was typed again after the undo, and no run has read it."""
    link = link_of({"p": "b", "l": "a"}, {"p": "b", "l": "c"})
    found = compare(link, evidence=evidence)

    assert with_undone(found, link, BOUND, (RUN, UNDO)) == found


def test_an_undo_is_found_by_the_names_of_the_value_table() -> None:
    values = {"p": "Client", "l": "Prospect"}
    link = link_of(values, values)
    entries = (
        written("l", "Prospect", "Customer", CHANGED, "run"),
        written("l", "Customer", "Prospect"),
    )

    found = with_undone(compare(link, LISTS), link, LISTS, entries)

    drift = replace(
        difference(DriftCause.UNDONE, "Client", "Prospect", is_planned=False), undo="undo"
    )
    assert found == LinkComparison((drift,), compared=1)


def test_an_undo_explains_no_difference_that_a_rule_explains_and_ends_no_other_agreement() -> None:
    """The last writes of both fields are those of the undo; the policy leaves the second one."""
    values: Values = {"phone": "b", "title": "b"}
    base = {"p": {"phone>Phone": "b", "title>Title": "b"}}
    base["l"] = {"phone>Phone": "a", "title>Title": "a"}
    link = replace(PUT_BACK, base=base)
    link = link.with_observation(
        Observation(RecordKind.PLEZI_CONTACT, "p", EMAIL, "1", "p", 0.0, values)
    ).with_observation(
        Observation(RecordKind.LEAD, "l", EMAIL, "1", "l", 0.0, {"Phone": "a", "Title": "a"})
    )
    found = compare(link, TWO_PAIRS)
    phone, title = found.drifts
    entries = (RUN, UNDO, replace(RUN, field="Title"), replace(UNDO, field="Title"))

    explained = with_undone(found, link, TWO_PAIRS, entries)

    undone = replace(phone, cause=DriftCause.UNDONE, undo="undo")
    assert title.cause is DriftCause.POLICY
    assert explained == replace(found, drifts=(undone, title))
    assert without_contradicted_bases(link, TWO_PAIRS, (), now=1.0) == replace(
        link, base={"p": {"title>Title": "b"}, "l": {"title>Title": "a"}}, dirty=True
    )


def test_an_undo_explains_nothing_once_the_contact_of_plezi_is_gone() -> None:
    found = compare(PUT_BACK)

    assert with_undone(found, PUT_BACK.without_record("p"), BOUND, (RUN, UNDO)) == found


@given(LINES, LINES, st.sampled_from(ConflictPolicy), st.sampled_from(DIRECTIONS))
def test_every_difference_is_named_and_a_repair_leaves_none_without_a_plan(
    values: dict[str, Value],
    base: dict[str, Value],
    policy: ConflictPolicy,
    direction: Direction,
) -> None:
    if policy is ConflictPolicy.MOST_RESTRICTIVE:
        return  # only for checkboxes
    bound = bound_with(policy, direction)
    link = link_of(values, base)

    found = compare(link, bound)

    assert len(found.drifts) == (values["p"] != values["l"])
    repaired = without_contradicted_bases(link, bound, (), now=1.0)
    is_contradicted = any(
        it.cause is DriftCause.UNEXPLAINED and not it.is_planned for it in found.drifts
    )
    assert (repaired is not link) == is_contradicted
    if is_contradicted:
        plan = plan_link(repaired, bound, now=1.0)
        after = compare(replace(plan.link, dirty=False), bound)
        assert plan.writes or plan.held or after.drifts[0].cause is not DriftCause.UNEXPLAINED
