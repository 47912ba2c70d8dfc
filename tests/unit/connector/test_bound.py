"""A field pair with its fields, and a mapping that is bound to what both sides have at present."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.mapping import (
    BoundMapping,
    BoundPair,
    ConflictPolicy,
    Direction,
    Field,
    FieldKind,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ReadScope,
    SuspendedPair,
    UnusableValue,
    ValuePair,
    bind_mapping,
    canonical,
)
from connector.mapping.bound import filter_obstacle
from connector.model import LongText, ProblemCode, RecordKind, Side, Value

K = FieldKind
PLEZI, LEAD, CONTACT = RecordKind.PLEZI_CONTACT, RecordKind.LEAD, RecordKind.CONTACT
BOTH, TO_PLEZI, TO_SALESFORCE = Direction.BOTH, Direction.TO_PLEZI, Direction.TO_SALESFORCE
DIGEST = LongText(5_000, "ab")
IN_PLEZI, IN_SALESFORCE = Side.PLEZI, Side.SALESFORCE


def bound(
    plezi: FieldKind | Field = K.TEXT,
    lead: FieldKind | Field = K.TEXT,
    /,
    contact: Field | None = None,
    **properties: Any,
) -> BoundPair:
    """Return a pair of `attr` and `Field__c`; a kind stands for a field of that kind."""
    fields = {
        PLEZI: plezi if isinstance(plezi, Field) else Field("attr", plezi),
        LEAD: lead if isinstance(lead, Field) else Field("Field__c", lead),
    }
    if contact is not None:
        fields[CONTACT] = contact
        properties = {"contact": contact.name, **properties}
    settings = {"plezi": "attr", "salesforce": "Field__c", "direction": BOTH, **properties}
    return BoundPair(FieldPair(**settings), fields)


def test_a_pair_is_named_after_its_lead_field_and_its_bases_after_the_fields_compared() -> None:
    pair = bound(contact=Field("Other__c", K.TEXT))

    assert pair.key == "Field__c"
    assert pair.base_keys == {
        PLEZI: "attr>Field__c",
        LEAD: "attr>Field__c",
        CONTACT: "attr>Other__c",
    }


@pytest.mark.parametrize(
    ("plezi", "lead", "kind"),
    [
        (K.NUMBER, K.TEXT, K.NUMBER),
        (K.TEXT, K.NUMBER, K.NUMBER),
        (K.TEXT, K.TEXT, K.TEXT),
        (K.PHONE, K.NUMBER, K.NUMBER),
    ],
)
def test_values_are_compared_in_the_more_specific_kind(
    plezi: FieldKind, lead: FieldKind, kind: FieldKind
) -> None:
    assert bound(plezi, lead).kind is kind


@pytest.mark.parametrize(
    ("scales", "scale"),
    [
        ((None, None, None), None),
        ((None, 2, None), 2),
        ((3, 1, None), 1),
        ((0, 1, 2), 0),
        ((3, 2, 1), 1),
    ],
)
def test_numbers_are_compared_by_the_decimals_that_every_field_can_store(
    scales: tuple[int | None, int | None, int | None], scale: int | None
) -> None:
    plezi, lead, contact = (Field("f", K.NUMBER, scale=it) for it in scales)

    assert bound(plezi, lead, contact).scale == scale


def test_a_value_is_compared_with_the_scale_and_the_region_of_its_pair() -> None:
    number = bound(K.NUMBER, Field("Field__c", K.NUMBER, scale=1))
    phone = bound(K.PHONE, K.PHONE)

    assert number.canonical(IN_PLEZI, "12.345") == "12.3"
    assert phone.canonical(IN_PLEZI, "01 23 45 67 89") == "+33123456789"
    belgian = replace(phone, phone_region="BE")
    assert belgian.canonical(IN_SALESFORCE, "02 555 12 12") == "+3225551212"


UNKNOWN_LAST_NAME = bound(placeholder="[unknown]")


@pytest.mark.parametrize(
    ("pair", "side", "value", "compared"),
    [
        (UNKNOWN_LAST_NAME, IN_SALESFORCE, "[unknown]", None),
        (UNKNOWN_LAST_NAME, IN_PLEZI, "[unknown]", "[unknown]"),
        (UNKNOWN_LAST_NAME, IN_SALESFORCE, "Lopez", "Lopez"),
        (bound(K.CHECKBOX, K.CHECKBOX), IN_SALESFORCE, "", False),
    ],
)
def test_a_placeholder_counts_as_blank_in_salesforce_only(
    pair: BoundPair, side: Side, value: Value, compared: Value
) -> None:
    assert pair.canonical(side, value) == compared
    assert pair.is_blank(side, value) is (compared in (None, False))


@pytest.mark.parametrize(
    ("kind", "value", "is_blank"),
    [
        (K.TEXT, "", True),
        (K.TEXT, "a", False),
        (K.CHECKBOX, False, True),
        (K.CHECKBOX, True, False),
        (K.CHECKBOX, "perhaps", False),
        (K.NUMBER, 0, False),
        (K.MULTI_PICKLIST, ";", True),
    ],
)
def test_a_blank_and_an_unticked_checkbox_are_blank(
    kind: FieldKind, value: Value, *, is_blank: bool
) -> None:
    assert bound(kind, kind).is_blank(IN_PLEZI, value) is is_blank


@pytest.mark.parametrize(
    ("policy", "kind", "is_opt_out"),
    [
        (ConflictPolicy.MOST_RESTRICTIVE, K.CHECKBOX, True),
        (ConflictPolicy.MOST_RESTRICTIVE, K.TEXT, False),
        (ConflictPolicy.NEWEST, K.CHECKBOX, False),
    ],
)
def test_an_opt_out_is_a_checkbox_that_is_ticked_on_all_records(
    policy: ConflictPolicy, kind: FieldKind, *, is_opt_out: bool
) -> None:
    assert bound(kind, kind, policy=policy).is_opt_out is is_opt_out


ROWS = (ValuePair("Client", " CUSTOMER "), ValuePair("Partner", "Ally"))
LONG_NAME = "n" * 1_000


def list_pair(
    kind: FieldKind = K.PICKLIST,
    direction: Direction = BOTH,
    rows: tuple[ValuePair, ...] = ROWS,
    **properties: Any,
) -> BoundPair:
    """Return a pair of two lists without options, with a value table."""
    return bound(kind, kind, direction=direction, values=rows, **properties)


@pytest.mark.parametrize(
    ("direction", "is_two_way", "language"),
    [
        (BOTH, True, IN_SALESFORCE),
        (TO_SALESFORCE, False, IN_SALESFORCE),
        (TO_PLEZI, False, IN_PLEZI),
    ],
)
def test_a_value_table_is_in_the_language_of_the_receiving_side(
    direction: Direction, language: Side, *, is_two_way: bool
) -> None:
    pair = list_pair(direction=direction)

    assert pair.table is not None
    assert (pair.table.rows, pair.table.is_two_way) == (ROWS, is_two_way)
    assert pair.language is language


@pytest.mark.parametrize("pair", [bound(values=ROWS), list_pair(rows=()), bound(K.TEXT, K.NUMBER)])
def test_a_pair_without_rows_or_without_a_list_has_no_value_table(pair: BoundPair) -> None:
    assert pair.table is None
    assert pair.canonical(IN_PLEZI, "12") == "12"


@pytest.mark.parametrize(
    ("pair", "side", "value", "compared"),
    [
        (list_pair(), IN_PLEZI, "client", "customer"),
        (list_pair(), IN_PLEZI, "Straße", "strasse"),
        (list_pair(), IN_PLEZI, "Ally", ("ally",)),
        (list_pair(), IN_PLEZI, "", None),
        (list_pair(), IN_PLEZI, None, None),
        (list_pair(), IN_SALESFORCE, "Client", "client"),
        (list_pair(direction=TO_PLEZI), IN_SALESFORCE, "Ally", "partner"),
        (list_pair(direction=TO_PLEZI), IN_PLEZI, "Ally", "ally"),
        (list_pair(), IN_PLEZI, DIGEST, DIGEST),
        (list_pair(rows=(ValuePair(LONG_NAME, "x"),)), IN_PLEZI, LONG_NAME, "x"),
        (
            list_pair(rows=(ValuePair("n" * 1_001, "x"),)),
            IN_PLEZI,
            "n" * 1_001,
            canonical(K.TEXT, "n" * 1_001),
        ),
        (
            list_pair(K.MULTI_PICKLIST),
            IN_PLEZI,
            "Ally;client;Straße",
            ("ally;", "customer", "strasse"),
        ),
        (list_pair(K.MULTI_PICKLIST), IN_PLEZI, ("Partner",), ("ally",)),
        (list_pair(K.MULTI_PICKLIST), IN_PLEZI, ";", None),
        (list_pair(K.MULTI_PICKLIST), IN_SALESFORCE, "Ally;CUSTOMER", ("ally", "customer")),
    ],
)
def test_a_value_of_a_list_is_compared_with_the_names_of_the_receiving_side(
    pair: BoundPair, side: Side, value: Value, compared: Value
) -> None:
    assert pair.canonical(side, value) == compared


@pytest.mark.parametrize(
    ("kind", "value", "source", "converted"),
    [
        (LEAD, None, IN_PLEZI, "[unknown]"),
        (LEAD, " ", IN_PLEZI, "[unknown]"),
        (LEAD, "Lopez", IN_PLEZI, "Lopez"),
        (LEAD, "[unknown]", IN_SALESFORCE, "[unknown]"),
        (CONTACT, None, IN_PLEZI, None),
        (CONTACT, "[unknown]", IN_SALESFORCE, None),
        (PLEZI, "[unknown]", IN_SALESFORCE, None),
        (PLEZI, "[unknown]", IN_PLEZI, "[unknown]"),
        (PLEZI, None, IN_SALESFORCE, None),
        (PLEZI, "Lopez", IN_SALESFORCE, "Lopez"),
    ],
)
def test_a_blank_becomes_the_placeholder_in_a_lead_and_the_placeholder_a_blank_in_plezi(
    kind: RecordKind, value: Value, source: Side, converted: Value
) -> None:
    pair = bound(contact=Field("Other__c", K.TEXT), placeholder="[unknown]")

    assert pair.convert(kind, value, source) == converted


def test_a_blank_without_a_placeholder_stays_a_blank_in_a_lead() -> None:
    assert bound().convert(LEAD, "", IN_PLEZI) is None


def with_options(*options: str, kind: FieldKind = K.PICKLIST, **properties: Any) -> BoundPair:
    """Return a pair of two lists with a value table, of which the list of Lead has options."""
    lead = Field("Field__c", kind, options=options)
    return bound(kind, lead, **{"values": ROWS, **properties})


def unknown_value(detail: str) -> UnusableValue:
    return UnusableValue("Field__c", detail, ProblemCode.UNKNOWN_VALUE)


NOT_IN_TABLE = unknown_value(
    "the value table has no row for it, and the list of the field lacks it"
)
TOO_LONG = unknown_value("it is too long for a value table")
MULTIPLE = K.MULTI_PICKLIST
HALVES = ("a" * 500, "b" * 499)
"""Two choices of 1,000 characters, with the separator."""
ONE_FOR_TWO = (ValuePair("a", "x"), ValuePair("b", "x"))
TO_THE_LIMIT = (ValuePair("Client", "n" * 1_000), ValuePair("Partner", "n" * 1_001))


@pytest.mark.parametrize(
    ("pair", "value", "converted"),
    [
        (with_options("Customer", "Ally"), "client", "Customer"),
        (with_options("Customer", "OTHER"), "other", "OTHER"),
        (with_options("Customer", "Other"), "partner", NOT_IN_TABLE),
        (with_options("Customer", "Ally"), "ally", NOT_IN_TABLE),
        (with_options(), "Other", "Other"),
        (with_options(), "a;b", "a;b"),
        (with_options(), "Ally", NOT_IN_TABLE),
        (with_options("Customer"), None, None),
        (with_options("Customer"), "", None),
        (with_options(), DIGEST, TOO_LONG),
        (with_options(), LONG_NAME, LONG_NAME),
        (with_options(), LONG_NAME + "n", TOO_LONG),
        (with_options(values=TO_THE_LIMIT), "Client", LONG_NAME),
        (with_options(values=TO_THE_LIMIT), "Partner", TOO_LONG),
        (with_options(values=(ValuePair(LONG_NAME + "n", "x"),)), LONG_NAME + "n", TOO_LONG),
        (with_options("Customer", "Ally", kind=MULTIPLE), ("Partner", "client"), "Ally;Customer"),
        (with_options("Customer", "Other", kind=MULTIPLE), "client;Partner", NOT_IN_TABLE),
        (with_options(kind=MULTIPLE), "Other;Client;Other", "Other;CUSTOMER"),
        (with_options(kind=MULTIPLE, direction=TO_SALESFORCE, values=ONE_FOR_TWO), "a;b;c", "x;c"),
        (with_options(kind=MULTIPLE), (), None),
        (with_options(kind=MULTIPLE), HALVES, ";".join(HALVES)),
        (with_options(kind=MULTIPLE), ("a" * 500, "b" * 500), TOO_LONG),
        (with_options(kind=MULTIPLE), DIGEST, TOO_LONG),
    ],
)
def test_a_value_of_plezi_gets_the_name_that_salesforce_has_for_it(
    pair: BoundPair, value: Value, converted: Value | UnusableValue
) -> None:
    assert pair.convert(LEAD, value, IN_PLEZI) == converted


def test_a_value_is_translated_for_the_other_side_only() -> None:
    pair = with_options("Customer", contact=Field("Other__c", K.PICKLIST))

    assert pair.convert(PLEZI, "customer", IN_SALESFORCE) == "Client"
    assert pair.convert(LEAD, "Ally", IN_SALESFORCE) == "Ally"
    assert pair.convert(PLEZI, "Ally", IN_PLEZI) == "Ally"


def test_a_list_of_choices_has_the_form_of_the_receiving_side() -> None:
    pair = with_options(kind=MULTIPLE)

    assert pair.convert(PLEZI, "Ally;Other", IN_SALESFORCE) == ("Partner", "Other")
    assert pair.convert(PLEZI, "", IN_SALESFORCE) == ()
    assert pair.convert(LEAD, ("Partner", "Other"), IN_PLEZI) == "Ally;Other"


def test_a_value_that_cannot_be_converted_is_shown_as_it_is() -> None:
    pair = with_options("Customer")

    assert pair.convert_or_keep(LEAD, "other", IN_PLEZI) == "other"
    assert pair.convert_or_keep(LEAD, "client", IN_PLEZI) == "Customer"
    assert bound(placeholder="-").convert_or_keep(LEAD, None, IN_PLEZI) == "-"


@pytest.mark.parametrize(
    ("direction", "plezi", "receivers"),
    [
        (BOTH, "attr", {PLEZI, LEAD}),
        (TO_PLEZI, "attr", {PLEZI}),
        (TO_SALESFORCE, "attr", {LEAD}),
        (Direction.OFF, "attr", set()),
        (BOTH, "behaviour_score", {LEAD}),
        (BOTH, "state", {LEAD}),
        (BOTH, "url", {LEAD}),
    ],
)
def test_a_pair_is_written_in_its_direction_and_never_to_contacts_or_computed_attributes(
    direction: Direction, plezi: str, receivers: set[RecordKind]
) -> None:
    pair = bound(contact=Field("Other__c", K.TEXT), direction=direction, plezi=plezi)

    assert {kind for kind in RecordKind if pair.can_receive(kind)} == receivers


def test_a_pair_is_not_written_to_a_kind_of_record_without_a_field() -> None:
    pair = BoundPair(FieldPair("attr", "Field__c", BOTH), {PLEZI: Field("attr", K.TEXT)})

    assert [kind for kind in RecordKind if pair.can_receive(kind)] == [PLEZI]


@pytest.mark.parametrize("create", [True, False])
def test_the_rights_to_create_and_to_update_are_separate(*, create: bool) -> None:
    pair = bound(
        Field("attr", K.TEXT, creatable=create, updatable=not create),
        Field("Field__c", K.TEXT, creatable=not create, updatable=create),
    )

    assert pair.is_writable(PLEZI, create=create)
    assert not pair.is_writable(LEAD, create=create)


SCORE = BoundPair(
    FieldPair("score", "Score__c", TO_SALESFORCE, enforced=True),
    {PLEZI: Field("score", K.NUMBER), LEAD: Field("Score__c", K.NUMBER)},
)
TEXT_OF_SCORE = BoundPair(
    FieldPair("score", "Score_text__c", BOTH, contact="Score_text__c"),
    {
        PLEZI: Field("score", K.NUMBER),
        LEAD: Field("Score_text__c", K.TEXT),
        CONTACT: Field("Score_text__c", K.TEXT),
    },
)
OPT_OUT = BoundPair(
    FieldPair(
        "opt_out",
        "HasOptedOutOfEmail",
        BOTH,
        contact="OptOut__c",
        policy=ConflictPolicy.MOST_RESTRICTIVE,
    ),
    {
        PLEZI: Field("opt_out", K.CHECKBOX),
        LEAD: Field("HasOptedOutOfEmail", K.CHECKBOX),
        CONTACT: Field("OptOut__c", K.CHECKBOX),
    },
)
NO_CALLS = BoundPair(
    FieldPair("no_calls", "DoNotCall", BOTH, policy=ConflictPolicy.MOST_RESTRICTIVE),
    {PLEZI: Field("no_calls", K.CHECKBOX), LEAD: Field("DoNotCall", K.CHECKBOX)},
)
COMPANY = BoundPair(
    FieldPair("company", "Company", TO_PLEZI, policy=ConflictPolicy.FILL_BLANK),
    {PLEZI: Field("company", K.TEXT), LEAD: Field("Company", K.TEXT)},
)
LEAD_FILTER = Filter("Status", Operator.EQUALS, "Open")
CONTACT_FILTER = Filter("import__c", Operator.EQUALS, "yes")


def whole(*pairs: BoundPair, excluded: frozenset[RecordKind] = frozenset()) -> BoundMapping:
    settings = MappingConfig(
        3, tuple(it.pair for it in pairs), CONTACT_FILTER, lead_filter=LEAD_FILTER
    )
    return BoundMapping(settings, pairs, (), excluded)


@pytest.mark.parametrize("pairs", [(SCORE, TEXT_OF_SCORE), (TEXT_OF_SCORE, SCORE)])
def test_the_pair_of_an_attribute_is_the_one_that_writes_it(pairs: tuple[BoundPair, ...]) -> None:
    assert whole(*pairs).by_field == {
        (PLEZI, "score"): TEXT_OF_SCORE,
        (LEAD, "Score__c"): SCORE,
        (LEAD, "Score_text__c"): TEXT_OF_SCORE,
        (CONTACT, "Score_text__c"): TEXT_OF_SCORE,
    }


def test_a_field_of_several_pairs_is_shared() -> None:
    assert whole(SCORE, TEXT_OF_SCORE, OPT_OUT).shared_fields == {(PLEZI, "score")}
    assert whole(SCORE, OPT_OUT).shared_fields == frozenset()


def test_the_fields_of_a_kind_of_record_have_their_pair_and_base_key() -> None:
    mapping = whole(SCORE, OPT_OUT)

    assert mapping.fields_of == {
        PLEZI: (
            ("Score__c", "score", "score>Score__c"),
            ("HasOptedOutOfEmail", "opt_out", "opt_out>HasOptedOutOfEmail"),
        ),
        LEAD: (
            ("Score__c", "Score__c", "score>Score__c"),
            ("HasOptedOutOfEmail", "HasOptedOutOfEmail", "opt_out>HasOptedOutOfEmail"),
        ),
        CONTACT: (("HasOptedOutOfEmail", "OptOut__c", "opt_out>OptOut__c"),),
    }


def test_pairs_that_may_need_a_write_without_an_edit_are_always_compared() -> None:
    mapping = whole(SCORE, TEXT_OF_SCORE, OPT_OUT, COMPANY)

    assert mapping.always_compared == (SCORE, OPT_OUT, COMPANY)


def test_the_fields_to_read_are_those_of_the_pairs_and_the_opt_outs_are_named() -> None:
    mapping = whole(SCORE, OPT_OUT, NO_CALLS)

    assert mapping.read_scope == ReadScope(
        field_names={
            PLEZI: ("score", "opt_out", "no_calls"),
            LEAD: ("Score__c", "HasOptedOutOfEmail", "DoNotCall"),
            CONTACT: ("OptOut__c",),
        },
        filters={LEAD: LEAD_FILTER, CONTACT: CONTACT_FILTER},
        excluded=frozenset(),
        opt_outs={
            PLEZI: ("opt_out", "no_calls"),
            LEAD: ("HasOptedOutOfEmail", "DoNotCall"),
            CONTACT: ("OptOut__c",),
        },
    )


@pytest.mark.parametrize("excluded", [LEAD, CONTACT])
def test_a_filter_that_cannot_be_evaluated_is_left_out_with_its_kind(excluded: RecordKind) -> None:
    scope = whole(SCORE, excluded=frozenset({excluded})).read_scope

    filters = {LEAD: LEAD_FILTER, CONTACT: CONTACT_FILTER}
    assert scope.filters == {**filters, excluded: None}
    assert scope.excluded == {excluded}


ADDRESS = Field("Address", K.UNSUPPORTED, refusal="it has components", type_name="address")
SCHEMAS = {
    PLEZI: {
        "phone": Field("phone", K.TEXT),
        "score": Field("score", K.NUMBER),
        "born": Field("born", K.DATE, read_only="it is computed"),
        "url": Field("url", K.TEXT, read_only="it is computed"),
        "state": Field("state", K.TEXT, creatable=False, updatable=False),
        "note": Field("note", K.TEXT, creatable=False, updatable=False),
        "day": Field("day", K.DATE),
        "odd": Field("odd", K.UNSUPPORTED, remedy="choose another"),
    },
    LEAD: {
        "Phone": Field("Phone", K.PHONE),
        "Score__c": Field("Score__c", K.TEXT, creatable=False),
        "Only_new__c": Field("Only_new__c", K.TEXT, updatable=False),
        "Sum__c": Field("Sum__c", K.TEXT, read_only="it is a formula"),
        "Fixed__c": Field("Fixed__c", K.TEXT, creatable=False, updatable=False),
        "Born__c": Field("Born__c", K.DATE),
        "Moment__c": Field("Moment__c", K.DATETIME),
        "Address": ADDRESS,
        "Status": Field("Status", K.PICKLIST, type_name="picklist"),
    },
    CONTACT: {
        "Phone": Field("Phone", K.PHONE),
        "Moment__c": Field("Moment__c", K.DATETIME),
        "Address": ADDRESS,
        "import__c": Field("import__c", K.CHECKBOX),
    },
}


def bind(
    *pairs: FieldPair, contact_filter: Filter | None = None, lead_filter: Filter | None = None
) -> BoundMapping:
    settings = MappingConfig(3, pairs, contact_filter, lead_filter=lead_filter, phone_region="BE")
    return bind_mapping(settings, SCHEMAS)


PHONES = ((PLEZI, "phone"), (LEAD, "Phone"), (CONTACT, "Phone"))


def test_each_pair_is_bound_to_its_fields_and_to_the_region_of_the_mapping() -> None:
    off = FieldPair("none", "None__c", Direction.OFF)
    broken = FieldPair("none", "Phone", BOTH)
    phone = FieldPair("phone", "Phone", BOTH, contact="Phone")
    score = FieldPair("score", "Score__c", TO_SALESFORCE, contact="Missing__c")

    mapping = bind(off, broken, phone, score, contact_filter=CONTACT_FILTER)

    assert mapping == BoundMapping(
        MappingConfig(3, (off, broken, phone, score), CONTACT_FILTER, phone_region="BE"),
        (
            BoundPair(phone, {kind: SCHEMAS[kind][name] for kind, name in PHONES}, "BE"),
            BoundPair(
                score, {PLEZI: SCHEMAS[PLEZI]["score"], LEAD: SCHEMAS[LEAD]["Score__c"]}, "BE"
            ),
        ),
        (
            SuspendedPair(
                "Phone", "Plezi has no attribute 'none': create it, or switch the pair off"
            ),
        ),
        frozenset(),
    )
    assert not mapping.is_fresh


@pytest.mark.parametrize(
    ("plezi", "salesforce", "direction", "reason"),
    [
        (
            "phone",
            "Mobile",
            BOTH,
            (
                "Lead has no field 'Mobile' that is visible to the integration user: create it, or "
                "grant field-level security, or switch the pair off"
            ),
        ),
        (
            "odd",
            "Phone",
            TO_SALESFORCE,
            (
                "'odd' cannot be synchronized: the type of odd is not supported; choose another; "
                "or switch the pair off"
            ),
        ),
        (
            "phone",
            "Address",
            TO_SALESFORCE,
            "'Address' cannot be synchronized: it has components; or switch the pair off",
        ),
        (
            "born",
            "Born__c",
            BOTH,
            (
                "'born' cannot be written in Plezi: it is computed; reverse the direction of the "
                "pair, or switch it off"
            ),
        ),
        (
            "url",
            "Sum__c",
            BOTH,
            (
                "'Sum__c' cannot be written in Salesforce: it is a formula; reverse the direction "
                "of the pair, or switch it off"
            ),
        ),
        (
            "note",
            "Phone",
            TO_PLEZI,
            (
                "the integration user cannot write to 'note' in Plezi: grant edit access, or "
                "reverse the direction of the pair, or switch it off"
            ),
        ),
        (
            "phone",
            "Fixed__c",
            TO_SALESFORCE,
            (
                "the integration user cannot write to 'Fixed__c' in Salesforce: grant edit access, "
                "or reverse the direction of the pair, or switch it off"
            ),
        ),
        (
            "day",
            "Moment__c",
            BOTH,
            (
                "the current types of 'Moment__c' and 'day' do not fit: the time of day would be "
                "lost; change a field type, or reverse the direction of the pair, or switch it off"
            ),
        ),
        (
            "phone",
            "Moment__c",
            TO_SALESFORCE,
            (
                "the current types of 'phone' and 'Moment__c' do not fit: a text is not always a "
                "datetime; change a field type, or reverse the direction of the pair, or switch it "
                "off"
            ),
        ),
        ("born", "Born__c", TO_SALESFORCE, ""),
        ("note", "Phone", TO_SALESFORCE, ""),
        ("url", "Phone", BOTH, ""),
        ("state", "Phone", BOTH, ""),
        ("phone", "Sum__c", TO_PLEZI, ""),
        ("phone", "Fixed__c", TO_PLEZI, ""),
        ("day", "Moment__c", TO_SALESFORCE, ""),
        ("phone", "Moment__c", TO_PLEZI, ""),
        ("phone", "Score__c", BOTH, ""),
        ("phone", "Only_new__c", BOTH, ""),
    ],
)
def test_a_pair_that_cannot_work_is_suspended_with_the_field_and_the_remedy(
    plezi: str, salesforce: str, direction: Direction, reason: str
) -> None:
    pair = FieldPair(plezi, salesforce, direction)

    mapping = bind(pair)

    assert mapping.suspended == ((SuspendedPair(salesforce, reason),) if reason else ())
    assert [it.pair for it in mapping.pairs] == ([] if reason else [pair])


@pytest.mark.parametrize(
    ("plezi", "contact", "direction", "reason"),
    [
        ("day", "Moment__c", TO_SALESFORCE, ""),
        ("phone", "Moment__c", TO_PLEZI, ""),
        (
            "day",
            "Moment__c",
            TO_PLEZI,
            (
                "Contact.Moment__c cannot be written to 'day' of Plezi, so Contacts do not send "
                "it: the time of day would be lost; choose another Contact field, or none"
            ),
        ),
        ("day", "Address", TO_SALESFORCE, "it has components"),
        (
            "day",
            "Address",
            BOTH,
            (
                "Contact.Address cannot be written to 'day' of Plezi, so Contacts do not send it: "
                "it has components; choose another Contact field, or none"
            ),
        ),
    ],
)
def test_a_contact_field_that_cannot_send_is_left_out_and_the_pair_stays(
    plezi: str, contact: str, direction: Direction, reason: str
) -> None:
    mapping = bind(FieldPair(plezi, "Born__c", direction, contact=contact))

    [pair] = mapping.pairs
    assert pair.fields.get(CONTACT) == (None if reason else SCHEMAS[CONTACT][contact])
    suspended = (SuspendedPair("Born__c of Contact", reason),) if reason else ()
    assert mapping.suspended == suspended


ADDRESS_FILTER = replace(CONTACT_FILTER, field="Address")
MISSING_FILTER = replace(CONTACT_FILTER, field="Missing__c")


@pytest.mark.parametrize(
    ("lead_filter", "contact_filter", "suspended", "excluded"),
    [
        (None, None, (), set()),
        (LEAD_FILTER, CONTACT_FILTER, (), set()),
        (
            None,
            ADDRESS_FILTER,
            (
                SuspendedPair(
                    "Contact filter",
                    "the Contact filter cannot use 'Address', so no Contact is synchronized: it "
                    "has components; change the filter",
                ),
            ),
            {CONTACT},
        ),
        (
            MISSING_FILTER,
            CONTACT_FILTER,
            (
                SuspendedPair(
                    "Lead filter",
                    "Lead has no field 'Missing__c' that is visible to the integration user, so no "
                    "Lead is synchronized: create the field, or grant field-level security, or "
                    "change the filter",
                ),
            ),
            {LEAD},
        ),
    ],
)
def test_records_take_no_part_while_their_filter_cannot_be_evaluated(
    lead_filter: Filter | None,
    contact_filter: Filter | None,
    suspended: tuple[SuspendedPair, ...],
    excluded: set[RecordKind],
) -> None:
    mapping = bind(lead_filter=lead_filter, contact_filter=contact_filter)

    assert mapping.suspended == suspended
    assert mapping.excluded == excluded


@pytest.mark.parametrize(
    ("type_name", "guarded", "obstacle"),
    [
        ("reference", False, ""),
        ("id", False, ""),
        ("string", False, ""),
        ("textarea", False, ""),
        ("address", False, "it is refused"),
        ("", False, "it is refused"),
        ("string", True, "it is refused"),
        ("address", True, "it is refused"),
    ],
)
def test_a_filter_compares_ids_and_texts_that_no_pair_can_use_and_that_are_not_guarded(
    type_name: str, obstacle: str, *, guarded: bool
) -> None:
    field = Field("f", K.UNSUPPORTED, refusal="it is refused", type_name=type_name, guarded=guarded)

    assert filter_obstacle(field) == obstacle
