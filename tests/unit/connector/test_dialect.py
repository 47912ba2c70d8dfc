"""The setting that holds what differs between Plezi tenants: every wrong key is named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connector.errors import HaltError, StopReason
from connector.plezi.api_dialect import (
    ChangedSince,
    ClearsWith,
    Pager,
    PleziDialect,
    UpdateMethod,
    overridden_keys,
    parse_dialect,
)

COMPLETE = {
    "update_method": "post_upsert",
    "clears_with": "empty_text",
    "pager": "limit_offset",
    "changed_since": "none",
    "newest_first": True,
    "page_size": 50,
    "finds_by_email": False,
    "reads_by_id": False,
    "describes_attributes": False,
    "omits_blanks": True,
    "contact_url_template": "https://acme.example/{id}",
    "attributes": {"function": "job_title"},
    "attribute_types": {"string": "text"},
}


def names_in_error(text: str) -> str:
    with pytest.raises(HaltError) as caught:
        parse_dialect(text)
    assert caught.value.reason is StopReason.SETTINGS
    message = str(caught.value)
    assert "quoted" not in message
    assert message.startswith("PLEZI_DIALECT cannot be read: correct ")
    return message.partition("correct ")[2]


@pytest.mark.parametrize("text", ["", "{}"])
def test_everything_is_as_assumed_where_nothing_is_set(text: str) -> None:
    assert parse_dialect(text) == PleziDialect(
        update_method=UpdateMethod.PUT,
        clears_with=ClearsWith.NULL,
        pager=Pager.PAGE,
        changed_since=ChangedSince.FILTER,
        newest_first=False,
        page_size=100,
        finds_by_email=True,
        reads_by_id=True,
        describes_attributes=True,
        omits_blanks=False,
        contact_url_template="https://app.plezi.co/contacts/{id}",
        attributes={},
        attribute_types={},
    )


def test_every_key_is_read() -> None:
    dialect = parse_dialect(json.dumps(COMPLETE))

    assert dialect == PleziDialect(
        update_method=UpdateMethod.POST_UPSERT,
        clears_with=ClearsWith.EMPTY_TEXT,
        pager=Pager.LIMIT_OFFSET,
        changed_since=ChangedSince.NONE,
        newest_first=True,
        page_size=50,
        finds_by_email=False,
        reads_by_id=False,
        describes_attributes=False,
        omits_blanks=True,
        contact_url_template="https://acme.example/{id}",
        attributes={"function": "job_title"},
        attribute_types={"string": "text"},
    )
    assert dialect.pager is Pager.LIMIT_OFFSET


def test_a_key_that_is_not_set_is_as_known() -> None:
    known = parse_dialect(json.dumps(COMPLETE))

    assert parse_dialect("", known) == known
    dialect = parse_dialect('{"page_size": 7, "attributes": {}}', known)
    assert dialect == replace(known, page_size=7, attributes={})
    assert overridden_keys('{"page_size": 7}') == {"page_size"}
    assert overridden_keys("") == frozenset()


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key in COMPLETE for value in (None, 1.5, ["quoted"])]
    + [
        ("update_method", "quoted"),
        ("pager", 1),
        ("changed_since", "quoted"),
        ("page_size", 0),
        ("page_size", 1001),
        ("page_size", True),
        ("page_size", "50"),
        ("finds_by_email", 1),
        ("describes_attributes", "yes"),
        ("contact_url_template", {}),
        ("attributes", "quoted"),
    ],
)
def test_a_key_with_a_value_that_cannot_be_used_is_named(key: str, value: object) -> None:
    assert names_in_error(json.dumps({**COMPLETE, key: value})) == key


@pytest.mark.parametrize("page_size", [1, 1000])
def test_a_page_has_1_to_1000_contacts(page_size: int) -> None:
    assert parse_dialect(json.dumps({"page_size": page_size})).page_size == page_size


def test_an_attribute_that_is_not_a_text_is_named() -> None:
    text = json.dumps({"attributes": {"function": "job_title", "city": ["quoted"]}})

    assert names_in_error(text) == "attributes.city"


def test_every_wrong_key_is_named_also_an_unknown_one() -> None:
    text = json.dumps({"page_size": 0, "pages": "quoted", "pager": "quoted"})

    assert names_in_error(text) == "pages, pager, page_size"


@pytest.mark.parametrize("text", [" ", "{", "null", "[]", '"quoted"', '{"page_size": NaN}'])
def test_a_text_that_is_not_a_json_object_is_refused(text: str) -> None:
    assert names_in_error(text) == "JSON"


@pytest.mark.parametrize(
    "text",
    ['{"pager": "page", "pager": "quoted"}', '{"attributes": {"pager": "a", "pager": "quoted"}}'],
)
def test_a_key_that_is_given_twice_is_named(text: str) -> None:
    assert names_in_error(text) == "pager (given twice)"
