"""The values of one field in the records of a person, and the agreement that each continues."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from connector.mapping import BoundPair, Direction, Field, FieldKind, FieldPair, MappingConfig
from connector.model import Link, Observation, RecordKind, Value
from connector.planning.excluded_leads import OUTDATED
from connector.planning.field_merge import FieldValue, NoBase
from connector.planning.field_values import field_values
from connector.planning.participating_records import select_participants

EMAIL: Final = "a@x.fr"
NO_BASE: Final = NoBase.NO_BASE
KINDS: Final = {
    "p": RecordKind.PLEZI_CONTACT,
    "l1": RecordKind.LEAD,
    "l2": RecordKind.LEAD,
    "c": RecordKind.CONTACT,
}


def pair_of(name: str = "Phone", *, unique: bool = False, placeholder: str = "") -> BoundPair:
    """Return a pair with a field of the same name in Leads and Contacts."""
    pair = FieldPair("phone", name, Direction.BOTH, contact=name, placeholder=placeholder)
    fields = {
        RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
        RecordKind.LEAD: Field(name, FieldKind.TEXT, unique=unique),
        RecordKind.CONTACT: Field(name, FieldKind.TEXT),
    }
    return BoundPair(pair, fields)


PHONE: Final = pair_of()
CUSTOM: Final = pair_of("phone__c")
UNIQUE: Final = pair_of(unique=True)


def observed(record: str, value: Value, pair: BoundPair = PHONE) -> Observation:
    name = pair.fields[KINDS[record]].name
    return Observation(KINDS[record], record, EMAIL, "1", "", 0.0, {name: value})


def link_of(*records: Observation) -> Link:
    link = Link(EMAIL)
    for each in records:
        link = link.with_observation(each)
    return link


def values_in(link: Link, pair: BoundPair = PHONE) -> dict[str, FieldValue]:
    """Return the values of the records that take part, by record id."""
    members = select_participants(link, MappingConfig(1, (pair.pair,), None)).members
    return {it.record_id: it for it in field_values(pair, link, members)}


def replaced(
    winner: Observation, pair: BoundPair = PHONE, *, modified: str = "", merged: bool = False
) -> Link:
    """Return a link whose first Lead agreed on 1, and was converted or merged into a record."""
    former = replace(
        observed("l1", "1", pair),
        converted=not merged,
        deleted=merged,
        modified=modified,
        successor=winner.id,
    )
    base = {record: {pair.pair.base_key(RecordKind.LEAD): "1"} for record in ("p", "l1")}
    return replace(link_of(observed("p", "1", pair), former, winner), base=base)


def test_the_contact_of_a_converted_lead_continues_with_its_agreement() -> None:
    assert values_in(replaced(observed("c", "2")))["c"].base == "1"


def test_what_the_lead_had_and_plezi_has_not_received_waits_in_its_contact() -> None:
    link = replaced(observed("c", "2"))

    assert not values_in(link)["c"].waits
    waiting = replace(link, undelivered=frozenset({("l1", "phone>Phone")}))
    assert values_in(waiting)["c"].waits


def test_an_agreement_of_its_own_is_stronger() -> None:
    link = replaced(observed("c", "2"))

    own = replace(link, base={**link.base, "c": {"phone>Phone": "9"}})

    assert values_in(own)["c"].base == "9"


def test_a_lead_that_never_agreed_leaves_no_agreement() -> None:
    link = replaced(observed("c", "2"))

    assert values_in(replace(link, base={}))["c"].base is NO_BASE


@pytest.mark.parametrize(
    ("pair", "value", "base"),
    [(PHONE, None, "1"), (CUSTOM, None, NO_BASE), (CUSTOM, "2", "1")],
)
def test_a_blank_contact_was_cleared_unless_the_org_does_not_map_the_custom_field(
    pair: BoundPair, value: Value, base: Value | NoBase
) -> None:
    """Salesforce carries standard fields over: a blank there was typed."""
    assert values_in(replaced(observed("c", value, pair), pair), pair)["c"].base == base


@pytest.mark.parametrize(
    ("created", "modified", "base"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10:01:01Z", NO_BASE),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:01:00Z", "1"),
        ("2026-01-01T10:00:01Z", "2026-01-01T10:00:00Z", "1"),
        ("", "2026-01-01T10:01:01Z", "1"),
        ("2026-01-01T10:00:00Z", "", "1"),
    ],
)
def test_a_contact_that_was_there_before_the_conversion_meets_plezi_for_the_first_time(
    created: str, modified: str, base: Value | NoBase
) -> None:
    """A conversion creates the Contact up to a minute before it changes the Lead."""
    contact = replace(observed("c", "2"), created=created)

    assert values_in(replaced(contact, modified=modified))["c"].base == base


@pytest.mark.parametrize(("value", "base"), [("2", "1"), (None, NO_BASE), ("[unknown]", NO_BASE)])
def test_the_winner_of_a_merge_continues_unless_it_lacks_the_value(
    value: Value, base: Value | NoBase
) -> None:
    """A merge by the API keeps the blanks of the winner, which was created long before."""
    pair = pair_of(placeholder="[unknown]")
    winner = replace(observed("l2", value), created="2020-01-01T00:00:00Z")

    link = replaced(winner, merged=True, modified="2026-01-01T00:00:00Z")

    assert values_in(link, pair)["l2"].base == base


def test_nothing_is_continued_by_a_record_that_replaces_another_one_or_beside_the_former() -> None:
    link = replaced(observed("c", "2"))
    [former] = [it for it in link.salesforce if it.id == "l1"]

    other = link.with_observation(replace(former, successor="another"))
    active = link.with_observation(replace(former, converted=False))

    assert values_in(other)["c"].base is NO_BASE
    assert values_in(active)["c"].base is NO_BASE


def test_plezi_sends_to_a_lead_and_has_nobody_to_send_to_beside_a_contact() -> None:
    plezi = observed("p", "3")

    assert values_in(link_of(plezi, observed("l1", "1")))["p"].can_send
    assert not values_in(link_of(plezi, observed("c", "1")))["p"].can_send


@pytest.mark.parametrize(
    ("base", "typed"),
    [
        ({}, False),
        ({"mobile>Phone": "2"}, False),
        ({"mobile>Phone": "1"}, True),
        ({"mobile>Phone": "1", "fax>Phone": "2"}, False),
        ({"mobile>MobilePhone": "1"}, False),
        ({f"{OUTDATED}mobile>Phone": "1"}, False),
        ({"mobile>Phone": "1", "phone>Phone": "1"}, False),
    ],
)
def test_a_field_was_edited_since_its_lead_agreed_on_it_in_another_pair(
    base: dict[str, str], *, typed: bool
) -> None:
    link = replace(link_of(observed("p", "1"), observed("l1", "2")), base={"l1": base})
    assert values_in(link)["l1"].typed is typed


def test_each_value_has_the_times_of_its_record() -> None:
    lead = replace(observed("l1", "1"), modified="2026-02", created="2026-01")

    value = values_in(link_of(observed("p", "1"), lead))["l1"]

    assert (value.modified, value.created) == ("2026-02", "2026-01")


class TestFieldThatIsUniqueInTheOrg:
    def leads(self, *records: Observation) -> set[str]:
        """Return the records that take part in the pair."""
        return set(values_in(link_of(observed("p", "1"), *records), UNIQUE))

    def test_the_lead_that_has_a_value_keeps_it(self) -> None:
        assert self.leads(observed("l1", None), observed("l2", "1")) == {"p", "l2"}

    @pytest.mark.parametrize("value", [None, "1"])
    def test_of_equal_leads_the_lowest_id_gets_it(self, value: Value) -> None:
        assert self.leads(observed("l1", value), observed("l2", value)) == {"p", "l1"}

    def test_a_contact_of_salesforce_takes_part_beside_the_lead(self) -> None:
        leads = observed("l1", "1"), observed("l2", None)

        assert self.leads(*leads, observed("c", "1")) == {"p", "l1", "c"}

    @pytest.mark.parametrize(
        ("changes", "value", "expected"),
        [
            ({"converted": True}, "1", {"p"}),
            ({"email": ""}, "1", {"p"}),
            ({"deleted": True}, "1", {"p", "l1"}),
            ({"converted": True}, None, {"p", "l1"}),
        ],
    )
    def test_a_lead_that_takes_no_part_keeps_its_value_unless_it_is_deleted(
        self, changes: dict[str, bool], value: Value, expected: set[str]
    ) -> None:
        left = replace(observed("l2", value), **changes)  # type: ignore[arg-type]  # the cases

        assert self.leads(observed("l1", None), left) == expected

    def test_a_contact_of_salesforce_keeps_no_lead_from_the_value(self) -> None:
        gone = replace(observed("c", "1"), converted=True)

        assert self.leads(observed("l1", None), gone) == {"p", "l1"}


@pytest.mark.parametrize("typed_in_plezi", [False, True])
def test_what_was_agreed_without_a_lead_is_an_edit_unless_it_was_typed_over_since(
    *, typed_in_plezi: bool
) -> None:
    """The Lead l1 missed the agreement on 2, and was typed in; l2 has what was agreed."""
    key = PHONE.base_keys[RecordKind.LEAD]
    contact = observed("p", "3" if typed_in_plezi else "2")
    link = link_of(contact, observed("l1", "9"), observed("l2", "2"))
    base = {"p": {key: "2"}, "l2": {key: "2"}, "l1": {f"{OUTDATED}{key}": "1"}}

    values = values_in(replace(link, base=base))

    assert {it.record_id for it in values.values() if it.waits} == (
        set() if typed_in_plezi else {"p", "l2"}
    )
    assert values["l1"].base == "1"
