"""The repair after a verification: what the records contradict is no agreement any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from connector.model import (
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    ProblemCode,
    RecentWrite,
    Side,
)
from connector.sync.isolation import Isolation
from connector.sync.verify_repair import forget_contradictions
from local.world.memory import MemoryJournal
from tests.unit.connector.sync_fixtures import EMAIL, SyncSetup
from tests.unit.connector.sync_fixtures_limits import BOUND, limited, mapped, synchronized
from tests.unit.connector.sync_fixtures_stores import NOW

AGREED: Final = {"email>Email": EMAIL, "function>Title": None}


class HistoryWithAnEdit(MemoryJournal):
    """While the journal is read, another process changes the link of a person."""

    def __init__(self, setup: SyncSetup, email: str) -> None:
        super().__init__()
        self._setup = setup
        self._email = email

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        link = self._setup.link(self._email)
        self._setup.store(replace(link, primary_lead="l"))
        return super().entries_since(emails, since)


def person(email: str = EMAIL, record: str = "", in_plezi: str = "1", in_org: str = "2") -> Link:
    """Return a link whose two values are those of its last agreement."""
    return synchronized(
        mapped(f"p{record}", email, phone=in_plezi), mapped(f"l{record}", email, Phone=in_org)
    )


def repair(setup: SyncSetup, *emails: str, **changes: Any) -> Isolation:
    context = replace(setup.context, **changes)
    isolation = Isolation(context, "r1")
    forget_contradictions(context, BOUND, isolation, emails or [EMAIL])
    return isolation


def forgotten(link: Link) -> Link:
    """Return a stored link after its contradiction was forgotten."""
    base = {"p": AGREED, "l": AGREED}
    return replace(link, base=base, dirty=True, revision=link.revision + 1)


def undone(record: str, before: str, after: str, side: Side, at: float) -> JournalEntry:
    return JournalEntry(
        EMAIL, at, "u1", JournalKind.WRITTEN, side, record, "Phone", before, after, MergeRule.UNDONE
    )


def test_an_agreement_that_the_records_contradict_is_forgotten() -> None:
    setup = limited()
    before = setup.ledger.put(person(), person("b@x.fr", "2", "1", "1"), person("c@x.fr", "3"))

    isolation = repair(setup, EMAIL, "b@x.fr", "gone@x.fr")

    after = setup.ledger.load_links(before)
    assert after == {**before, EMAIL: forgotten(before[EMAIL])}
    assert isolation.faults == {}


def test_a_repaired_link_is_on_the_work_list_of_the_run() -> None:
    setup = limited()
    setup.ledger.put(person())

    repair(setup)

    assert setup.ledger.dirty_emails(9) == []


def test_a_person_of_whom_we_wrote_a_moment_ago_is_repaired_too() -> None:
    setup = limited()
    typed = person()
    wrote = {"Title": (RecentWrite("l", "Dr", NOW - 60),)}
    values = {**typed.salesforce[0].values, "Title": "Pr"}
    setup.ledger.put(
        replace(
            typed, recent_writes=wrote, salesforce=(replace(typed.salesforce[0], values=values),)
        ),
    )

    isolation = repair(setup)

    assert isolation.faults == {}
    assert setup.ledger.load_links([EMAIL])[EMAIL].dirty is True


def test_a_difference_that_an_undo_left_stays_however_old_the_undo_is() -> None:
    setup = limited()
    before = setup.ledger.put(person(), person("b@x.fr", "2"))
    setup.journal.write([undone("l", "1", "2", Side.SALESFORCE, 0.0)])

    repair(setup, EMAIL, "b@x.fr")

    after = setup.ledger.load_links(before)
    assert after[EMAIL] == before[EMAIL]
    assert "phone>Phone" not in after["b@x.fr"].base["p2"]


def test_a_link_with_an_unfinished_write_or_that_cannot_be_decoded_is_left() -> None:
    setup = limited()
    writing = replace(person(), intent=Intent("i", "r0", NOW, (), ()))
    before = setup.ledger.put(writing, replace(person("b@x.fr", "2"), readable=False))

    isolation = repair(setup, EMAIL, "b@x.fr")

    assert setup.ledger.load_links(before) == before
    assert isolation.faults == {}


def test_a_link_that_another_process_changes_is_left_for_the_next_verification() -> None:
    setup = limited()
    before = setup.ledger.put(person(), person("b@x.fr", "2"))

    isolation = repair(setup, EMAIL, "b@x.fr", history=HistoryWithAnEdit(setup, EMAIL))

    after = setup.ledger.load_links(before)
    assert after[EMAIL] == replace(
        before[EMAIL], primary_lead="l", revision=before[EMAIL].revision + 1
    )
    assert after["b@x.fr"].dirty is True
    assert isolation.faults == {}


def test_a_link_that_cannot_be_compared_has_a_fault_and_the_others_are_repaired() -> None:
    setup = limited()
    no_values: Any = None
    broken = person("b@x.fr", "2")
    setup.ledger.put(person(), replace(broken, plezi=replace(mapped("p2"), values=no_values)))

    isolation = repair(setup, EMAIL, "b@x.fr")

    assert {it: fault.code for it, fault in isolation.faults.items()} == {
        "b@x.fr": ProblemCode.DEFECT
    }
    assert setup.ledger.load_links([EMAIL])[EMAIL].dirty is True


def test_a_link_that_has_become_too_large_has_a_fault() -> None:
    setup = limited()
    setup.ledger.put(person())
    setup.ledger.too_large = {EMAIL}

    isolation = repair(setup)

    assert setup.ledger.saves == [([EMAIL], True)]
    assert {it: fault.code for it, fault in isolation.faults.items()} == {
        EMAIL: ProblemCode.NOT_STORABLE
    }
