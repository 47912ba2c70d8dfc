"""The links of synchronization: who was erased gets no link again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connector.model import Link, LinkChange, SaveResult
from connector.sync.guarded_links import GuardedLinks
from tests.unit.connector.sync_fixtures_limits import mapped
from tests.unit.connector.sync_fixtures_reading import ReadLedger
from tests.unit.connector.sync_fixtures_stores import Ledger, Tombstones


class RemovableLinks(ReadLedger):
    """The ledger, from which a link can be removed."""

    def remove_link(self, link: Link) -> bool:
        """Delete a link unless it changed; return whether it is gone."""
        known = self._links.get(link.email)
        if known is not None and known.revision != link.revision:
            return False
        self._links.pop(link.email, None)
        self._owners = {it: email for it, email in self._owners.items() if email != link.email}
        return True


def guarded(*erased: str) -> tuple[GuardedLinks, RemovableLinks, Tombstones]:
    ledger, tombstones = RemovableLinks(), Tombstones(*erased)
    return GuardedLinks(ledger, tombstones), ledger, tombstones


def new(email: str, *, plezi: str = "", leads: Iterable[str] = ()) -> LinkChange:
    return LinkChange(
        Link(
            email,
            plezi=mapped(plezi, email) if plezi else None,
            salesforce=tuple(mapped(it, email) for it in leads),
            dirty=True,
        )
    )


def emails_of(ledger: Ledger) -> list[str]:
    return [link.email for link in ledger.all_links()]


def test_a_new_link_of_people_who_were_not_erased_stays() -> None:
    links, ledger, tombstones = guarded("c@x.fr", "l9")

    saved = links.save_links([new("a@x.fr", plezi="p"), new("b@x.fr", leads=["l1", "l2"])])

    assert saved == SaveResult()
    assert emails_of(ledger) == ["a@x.fr", "b@x.fr"]
    assert tombstones.requested == [{"a@x.fr", "p", "b@x.fr", "l1", "l2"}]


def test_a_new_link_is_removed_at_once_by_its_e_mail_or_by_any_of_its_records() -> None:
    links, ledger, _ = guarded("a@x.fr", "l2")

    saved = links.save_links(
        [new("a@x.fr", plezi="p"), new("b@x.fr", leads=["l1", "l2"]), new("c@x.fr", leads=["l3"])]
    )

    assert saved == SaveResult()
    assert emails_of(ledger) == ["c@x.fr"]
    assert ledger.owner_emails(["p", "l1", "l2", "l3"]) == {"l3": "c@x.fr"}


def test_a_link_that_exists_is_not_removed_by_a_save() -> None:
    """The erasure removes it: it finds the link."""
    links, ledger, tombstones = guarded()
    links.save_links([new("a@x.fr")])
    tombstones.names = {"a@x.fr"}
    tombstones.requested.clear()
    [stored] = ledger.all_links()

    links.save_links([LinkChange(replace(stored, dirty=False))])

    assert emails_of(ledger) == ["a@x.fr"]
    assert tombstones.requested == []


def test_a_new_link_that_was_not_stored_is_the_link_of_another_process() -> None:
    links, ledger, _ = guarded("a@x.fr")
    ledger.save_links([new("a@x.fr", plezi="p")])

    saved = links.save_links([new("a@x.fr", plezi="p")])

    assert saved == SaveResult(frozenset({"a@x.fr"}))
    assert emails_of(ledger) == ["a@x.fr"]


def test_links_on_a_work_list_are_stored_as_such() -> None:
    links, ledger, _ = guarded()

    links.save_links([new("a@x.fr")], listed=True)
    links.save_links([new("b@x.fr")], listed=False)
    links.save_links([new("c@x.fr")])

    assert ledger.dirty_emails(9) == ["b@x.fr", "c@x.fr"]


def test_everything_else_is_that_of_the_ledger() -> None:
    links, ledger, _ = guarded()
    links.save_links([new(f"{name}@x.fr", plezi=f"p{name}") for name in "0bcd"])
    before = ledger.all_links()

    assert links.load_links(["b@x.fr", "z@x.fr"]) == {"b@x.fr": before[1]}
    assert links.owner_emails(["pc", "z"]) == {"pc": "c@x.fr"}
    assert links.dirty_emails(2) == links.all_emails(2) == ["0@x.fr", "b@x.fr"]
    assert links.dirty_emails(1, "b@x.fr") == links.all_emails(1, "b@x.fr") == ["c@x.fr"]
    links.list_unreadable("d@x.fr")
    assert ledger.unreadable == ["d@x.fr"]
    assert links.remove_link(before[0]) is True
    assert links.remove_link(replace(before[1], revision=1)) is False
    assert ledger.all_links() == before[1:]
