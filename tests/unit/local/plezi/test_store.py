"""The store: far pages are cheap, and earlier versions are visible for the right time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.plezi_tenant.sample import IdGenerator, sample_contacts
from local.plezi_tenant.store import Contact, ContactQuery, ContactStore


@pytest.fixture
def store() -> Iterator[ContactStore]:
    contact_store = ContactStore()
    yield contact_store
    contact_store.close()


def contact(company: str, updated_at: int = 0) -> Contact:
    return Contact("a" * 24, {"email": "a@x.fr", "company": company}, 0, updated_at)


def visible_company(store: ContactStore, millis: int) -> str | None:
    visible = store.by_id("a" * 24, visible_at=millis)
    return None if visible is None else str(visible.values["company"])


def test_readers_see_each_version_until_the_next_one_is_visible(store: ContactStore) -> None:
    store.insert([contact("first")])
    for company, until in (("second", 10), ("third", 20)):
        store.keep_previous_version("a" * 24, until)
        store.replace(contact(company))
    assert [visible_company(store, millis) for millis in (0, 9, 10, 19, 20)] == [
        "first", "first", "second", "second", "third",
    ]  # fmt: skip
    assert store.by_id("a" * 24) == contact("third")


def test_a_new_contact_can_be_invisible_and_a_deleted_one_still_visible(
    store: ContactStore,
) -> None:
    store.keep_previous_version("a" * 24, 10)
    store.insert([contact("new")])
    assert (visible_company(store, 9), store.page(ContactQuery(), visible_at=9)) == (None, ([], 0))
    assert visible_company(store, 10) == "new"
    store.keep_previous_version("a" * 24, 30)
    store.delete("a" * 24)
    assert store.page(ContactQuery(), visible_at=29) == ([contact("new")], 1)
    assert store.page(ContactQuery(), visible_at=30) == ([], 0)


@pytest.mark.parametrize(
    "listing",
    [
        ContactQuery(limit=100, offset=1900),
        ContactQuery(limit=100, offset=100, changed_since=500, descending=True),
        ContactQuery(sort="created_at"),
        ContactQuery(sort="email"),
        ContactQuery(email="person0000007@example.com"),
    ],
)
def test_a_page_is_read_from_an_index_without_a_full_scan(
    store: ContactStore, listing: ContactQuery
) -> None:
    store.insert(sample_contacts(2000, 0, IdGenerator(0), now=1000, spread=1000))
    statements: list[str] = []
    store._db.set_trace_callback(statements.append)
    rows, _ = store.page(listing)
    store._db.set_trace_callback(None)
    assert rows
    for statement in statements:
        plan = store._db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        steps = [step for *_, step in plan]
        assert not any(step == "SCAN contacts" for step in steps), steps


def test_the_last_page_of_twenty_thousand_contacts_is_read(store: ContactStore) -> None:
    people = 20_000
    assert store.insert(sample_contacts(people, 0, IdGenerator(0), now=10**6, spread=0)) == people
    rows, total = store.page(ContactQuery(limit=100, offset=people - 50))
    assert (len(rows), total) == (50, people)
    assert store.insert(sample_contacts(10, 0, IdGenerator(1), now=0, spread=0)) == 0
