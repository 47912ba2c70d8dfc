"""Links with a write whose response was lost."""

from __future__ import annotations

from dataclasses import replace

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
    AgreedValue,
    BaseUpdate,
    Hold,
    HoldReason,
    Intent,
    Link,
    MergeRule,
    Observation,
    Overwritten,
    RecordKind,
    Value,
    Write,
)

URL = "https://app.plezi.co/contacts/p"
PAIRS = (
    BoundPair(
        FieldPair("phone", "Phone", Direction.BOTH),
        {
            RecordKind.PLEZI_CONTACT: Field("phone", FieldKind.TEXT),
            RecordKind.LEAD: Field("Phone", FieldKind.TEXT),
        },
    ),
    BoundPair(
        FieldPair("url", "plezi_url__c", Direction.TO_SALESFORCE, enforced=True),
        {
            RecordKind.PLEZI_CONTACT: Field("url", FieldKind.TEXT),
            RecordKind.LEAD: Field("plezi_url__c", FieldKind.TEXT, unique=True),
        },
    ),
)
TITLE = BoundPair(
    FieldPair("function", "Title", Direction.BOTH),
    {
        RecordKind.PLEZI_CONTACT: Field("function", FieldKind.TEXT),
        RecordKind.LEAD: Field("Title", FieldKind.TEXT),
    },
)
"""A pair that only some tests have."""
KEY = "phone>Phone"
BOUND = BoundMapping(
    MappingConfig(0, (*(pair.pair for pair in PAIRS), TITLE.pair), None), (*PAIRS, TITLE), ()
)


def contact(phone: Value) -> Observation:
    return Observation(
        RecordKind.PLEZI_CONTACT, "p", "a@x.fr", "1", "", 1.0, {"phone": phone, "url": URL}
    )


def lead(record: str, phone: Value, url: Value = None, version: str = "1") -> Observation:
    values = {"Phone": phone, "plezi_url__c": url}
    return Observation(RecordKind.LEAD, record, "a@x.fr", version, "", 1.0, values)


def with_values(observation: Observation, **values: Value) -> Observation:
    return replace(observation, values={**observation.values, **values})


def creation(kind: RecordKind, **values: Value) -> Intent:
    write = Write(kind, "", "a@x.fr", values)
    agreed = {"": AgreedValue(KEY, "Phone", "1"), "p": AgreedValue(KEY, "phone", "1")}
    if kind is RecordKind.PLEZI_CONTACT:
        agreed = {"": AgreedValue(KEY, "phone", "1"), "l1": AgreedValue(KEY, "Phone", "1")}
    return Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({""})),))


def in_doubt(*others: Observation) -> Link:
    """Return a link whose write of "2" to Plezi is in doubt: the contact has "3"."""
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "0")
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    intent = Intent("i", "r", 0.0, (write,), (BaseUpdate("Phone", agreed, frozenset({"p"})),))
    base = {"p": {KEY: "1"}, "l1": {KEY: "1"}}
    return Link("a@x.fr", contact("3"), salesforce=others, base=base, intent=intent)


OPT_OUT = BoundPair(
    FieldPair("optout", "optout__c", Direction.BOTH, ConflictPolicy.MOST_RESTRICTIVE),
    {
        RecordKind.PLEZI_CONTACT: Field("optout", FieldKind.CHECKBOX),
        RecordKind.LEAD: Field("optout__c", FieldKind.CHECKBOX),
    },
)


def unfinished(phone: Value, *, version: str = "1") -> Link:
    """Return a link whose write of the phone 2 over 1 to Plezi had no response."""
    write = Write(RecordKind.PLEZI_CONTACT, "p", "a@x.fr", {"phone": "2"}, {"phone": "1"}, "1")
    agreed = {"p": AgreedValue(KEY, "phone", "2"), "l1": AgreedValue(KEY, "Phone", "2")}
    typed = Overwritten(RecordKind.PLEZI_CONTACT, "p", "Phone", "1", "2", MergeRule.NEWEST)
    update = BaseUpdate("Phone", agreed, frozenset({"p"}))
    return Link(
        "a@x.fr",
        replace(contact(phone), version=version),
        (lead("l1", "2", URL),),
        {"p": {KEY: "1"}, "l1": {KEY: "1"}},
        meeting=frozenset({KEY, "function>Title"}),
        intent=Intent("i", "r", 0.0, (write,), (update,), (typed,), in_doubt=True),
        holds={"Phone": Hold(HoldReason.CONFLICT, 0.0, {"p": "1", "l1": "2"}, chosen="l1")},
        unanswered=2,
        unanswered_run="r",
    )


def two_leads(first: str, second: str) -> Link:
    """Return a link whose writes of the phone 2 over 1 to two Leads had no response."""
    writes = tuple(
        Write(RecordKind.LEAD, record, "a@x.fr", {"Phone": "2"}, {"Phone": "1"}, "1")
        for record in ("l1", "l2")
    )
    agreed = {
        "p": AgreedValue(KEY, "phone", "2"),
        "l1": AgreedValue(KEY, "Phone", "2"),
        "l2": AgreedValue(KEY, "Phone", "2"),
    }
    update = BaseUpdate("Phone", agreed, frozenset({"l1", "l2"}))
    return Link(
        "a@x.fr",
        contact("2"),
        (lead("l1", first, URL), lead("l2", second)),
        {record: {KEY: "1"} for record in ("p", "l1", "l2")},
        intent=Intent("i", "r", 0.0, writes, (update,)),
        holds={"Phone": Hold(HoldReason.CONFLICT, 0.0, {"p": "2", "l1": "1"}, chosen="p")},
    )
