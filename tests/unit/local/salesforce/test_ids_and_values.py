"""Ids of 15 and 18 characters, the format of dates, and the coercion of written values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from local.salesforce_org.coercion import Stored, coerce
from local.salesforce_org.errors import RefusedError
from local.salesforce_org.ids import IdGenerator, full_id, with_checksum
from local.salesforce_org.schema import Field
from local.salesforce_org.standard_objects import lead
from local.salesforce_org.values import parse_date, parse_datetime, parse_stamp, stamp

LEAD = lead()


def test_a_known_id_has_its_checksum() -> None:
    assert with_checksum("0018000000Oq9hG") == "0018000000Oq9hGAAR"
    assert full_id("0018000000Oq9hG") == "0018000000Oq9hGAAR"


def test_eighteen_characters_restore_their_case() -> None:
    assert full_id("0018000000oq9hgaar") == "0018000000Oq9hGAAR"


@pytest.mark.parametrize("text", ["", "00Q", "0018000000Oq9h!", "0018000000Oq9hGAA9", "é" * 15])
def test_full_id_of_a_malformed_id_is_none(text: str) -> None:
    assert full_id(text) is None


def test_the_id_generator_is_unique_and_reproducible() -> None:
    mint = IdGenerator(7)
    ids = [mint.next_id("00Q") for _ in range(300)] + list(mint.next_ids("00Q", 300))
    assert len(set(ids)) == 600
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"00Q8d0\w{12}", record_id) for record_id in ids)
    assert ids[0] == IdGenerator(7).next_id("00Q")
    assert ids[0] != IdGenerator(8).next_id("00Q")


def test_stamps_are_whole_seconds_in_utc() -> None:
    paris = timezone(timedelta(hours=1))
    text = stamp(datetime(2026, 11, 23, 11, 0, 0, 999_999, tzinfo=paris))
    assert text == "2026-11-23T10:00:00.000+0000"
    assert parse_stamp(text) == datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-23", "2026-11-23T10:00:00", "tomorrow", "2026-13-01T1"])
def test_a_datetime_needs_a_time_and_a_zone(text: str) -> None:
    assert parse_datetime(text) is None


@pytest.mark.parametrize("text", ["20261123", "2026-02-30", "23/11/2026", "2026-11-23T10:00:00Z"])
def test_a_date_has_one_format(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("LastName", "  Noël ", "Noël"),
        ("LastName", "", None),
        ("LastName", "   ", None),
        ("Email", "Chloe.Myers@Example.COM", "chloe.myers@example.com"),
        ("newsletter_optout__c", True, 1),
        ("employees__c", "12", 12.0),
        ("employees__c", "", None),
        ("employees__c", 12.4, 12.4),
        ("NumberOfEmployees", 3.0, 3),
        ("birthdate__c", "1980-02-29", "1980-02-29"),
        ("birthdate__c", "", None),
        ("last_visit__c", "2026-11-23T11:00:00+01:00", "2026-11-23T10:00:00.000+0000"),
        ("segment__c", "mid", "mid"),
        ("interests__c", "hiring;events;hiring", "events;hiring"),
        ("LeadSource", "Somewhere new", "Somewhere new"),
        ("Title", None, None),
        ("plezi_url__c", "é" * 255, "é" * 255),
    ],
)
def test_a_value_is_stored_in_canonical_form(name: str, value: Any, stored: Stored) -> None:
    assert coerce(LEAD.get(name), value) == stored


@pytest.mark.parametrize(
    ("name", "value", "code", "message"),
    [
        ("Email", "badone", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: badone"),
        ("Email", "é@x.fr", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: é@x.fr"),
        (
            "score__c",
            "12345678901",
            "STRING_TOO_LONG",
            "Plezi score: data value too large: 12345678901 (max length=10)",
        ),
        (
            "segment__c",
            "huge",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Segment: bad value for restricted picklist field: huge",
        ),
        (
            "interests__c",
            "events;golf",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Interests: bad value for restricted picklist field: golf",
        ),
        (
            "employees__c",
            10**9,
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 1000000000",
        ),
        ("birthdate__c", "1066-10-14", "FIELD_INTEGRITY_EXCEPTION", "Birth date: invalid date: "),
        ("OwnerId", "nobody", "MALFORMED_ID", "Owner ID: id value of incorrect type: nobody"),
    ],
)
def test_an_invalid_value_is_refused_with_its_label(
    name: str, value: Any, code: str, message: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        coerce(LEAD.get(name), value)
    assert refused.value.code == code
    assert refused.value.message.startswith(message)
    assert refused.value.fields == [name]


@pytest.mark.parametrize(
    ("name", "value", "expected_type", "token"),
    [
        ("newsletter_optout__c", "yes", "boolean", "VALUE_STRING"),
        ("newsletter_optout__c", 1, "boolean", "VALUE_NUMBER_INT"),
        ("newsletter_optout__c", None, "boolean", "null"),
        ("employees__c", "many", "double", "VALUE_STRING"),
        ("employees__c", True, "double", "VALUE_TRUE"),
        ("NumberOfEmployees", 1.5, "int", "VALUE_NUMBER_FLOAT"),
        ("birthdate__c", "23/11/2026", "date", "VALUE_STRING"),
        ("last_visit__c", "2026-11-23", "datetime", "VALUE_STRING"),
        ("LastName", 12, "string", "VALUE_NUMBER_INT"),
        ("LastName", ["a"], "string", "START_ARRAY"),
        ("LastName", {"a": 1}, "string", "START_OBJECT"),
    ],
)
def test_a_value_of_a_wrong_json_type_is_unreadable(
    name: str, value: Any, expected_type: str, token: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        coerce(LEAD.get(name), value)
    assert refused.value.code == "JSON_PARSER_ERROR"
    assert refused.value.message.startswith(
        f"Cannot deserialize instance of {expected_type} from {token} value "
    )


def test_a_required_field_cannot_be_hidden() -> None:
    hidden = {field.name for field in LEAD.fields.values() if field.permissionable}
    assert {"plezi_url__c", "Email", "newsletter_optout__c"} <= hidden
    assert not hidden & {"Id", "LastName", "Company", "OwnerId", "SystemModstamp", "IsDeleted"}


def test_long_text_cannot_be_filtered_or_sorted() -> None:
    description: Field = LEAD.get("Description")
    assert not description.filterable
    assert not description.sortable
    assert not LEAD.get("interests__c").sortable
