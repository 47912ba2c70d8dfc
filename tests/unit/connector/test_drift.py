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
    RecordKind,
    Side,
    Value,
)
from connector.planning.drift import (
    PERSON,
    Evidence,
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
) -> BoundMapping:
    pair = FieldPair("phone", "Phone", direction, policy, contact="Phone", enforced=enforced)
    fields = {
        kind: Field(name, FieldKind.TEXT, read_only=read_only if name == "Phone" else "")
        for kind, name in NAMES.items()
    }
    return BoundMapping(MappingConfig(1, (pair,), None), (BoundPair(pair, fields),), ())


BOUND: Final = bound_with()
TO_SALESFORCE: Final = bound_with(direction=Direction.TO_SALESFORCE)
TO_PLEZI: Final = bound_with(direction=Direction.TO_PLEZI)


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


def test_equal_values_in_two_forms_are_no_difference() -> None:
    found = compare(link_of({"p": "a", "l": " a "}, AGREED))

    assert (found.compared, found.drifts) == (1, ())


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
            bound_with(direction=Direction.TO_SALESFORCE, enforced=True),
            DriftCause.POLICY,
        ),
        (link_of({"p": "b", "c": "a"}, {"p": "a", "c": "a"}), BOUND, DriftCause.ONE_WAY),
        (link_of({"p": "a", "c": "b"}, {"p": "a", "c": "a"}), BOUND, DriftCause.UNEXPLAINED),
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


def test_a_person_whom_one_side_lacks_is_one_difference() -> None:
    found = compare(link_of({"l": "a"}, {}))

    [drift] = found.drifts
    assert (drift.pair, drift.record_id, found.only_on) == (PERSON, "l", Side.SALESFORCE)
    assert (drift.cause, found.compared) == (DriftCause.UNEXPLAINED, 1)


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
