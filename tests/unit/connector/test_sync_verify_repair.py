"""The repair after a verification: what the records contradict is no agreement any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connector.model import (
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    LinkChange,
    MergeRule,
    ProblemCode,
    RecentWrite,
    SaveResult,
    Side,
)
from connector.sync.isolation import Isolation
from connector.sync.verify_repair import forget_contradictions
from local.world.memory import MemoryJournal
from tests.unit.connector.sync_fixtures_limits import BOUND, EMAIL, NOW, Stack, contact, lead

AGREED: Final = {"email>Email": EMAIL, "function>Title": None}


class HistoryWithAnEdit(MemoryJournal):
    """While the journal is read, another process changes the link of a person."""

    def __init__(self, stack: Stack, email: str) -> None:
        super().__init__()
        self._stack = stack
        self._email = email

    def entries_since(
        self, emails: Sequence[str], since: float
    ) -> dict[str, tuple[JournalEntry, ...]]:
        [link] = self._stack.ledger.load_links([self._email]).values()
        self._stack.ledger.save_links([LinkChange(replace(link, primary_lead="l"))])
        return super().entries_since(emails, since)


def link_of(email: str = EMAIL, record: str = "", in_plezi: str = "1", in_org: str = "2") -> Link:
    """Return a link whose two values are those of its last agreement."""
    plezi = contact(f"p{record}", email, phone=in_plezi)
    its = lead(f"l{record}", email, Phone=in_org)
    base = {**AGREED, "email>Email": email}
    return Link(
        email,
        plezi,
        (its,),
        {
            plezi.id: {**base, "phone>Phone": in_plezi},
            its.id: {**base, "phone>Phone": in_org},
        },
    )


def stored(stack: Stack, *links: Link) -> Mapping[str, Link]:
    stack.ledger.save_links([LinkChange(link) for link in links])
    return stack.ledger.load_links([link.email for link in links])


def repair(stack: Stack, *emails: str, **changes: Any) -> Isolation:
    context = stack.context(**changes)
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
    stack = Stack()
    before = stored(stack, link_of(), link_of("b@x.fr", "2", "1", "1"), link_of("c@x.fr", "3"))

    isolation = repair(stack, EMAIL, "b@x.fr", "gone@x.fr")

    after = stack.ledger.load_links(before)
    assert after == {**before, EMAIL: forgotten(before[EMAIL])}
    assert isolation.faults == {}


def test_a_repaired_link_is_on_the_work_list_of_the_run() -> None:
    stack = Stack()
    stored(stack, link_of())

    repair(stack)

    assert stack.ledger.dirty_emails(9) == []


def test_a_person_of_whom_we_wrote_a_moment_ago_is_repaired_too() -> None:
    stack = Stack()
    typed = link_of()
    wrote = {"Title": (RecentWrite("l", "Dr", NOW - 60),)}
    values = {**typed.salesforce[0].values, "Title": "Pr"}
    stored(
        stack,
        replace(
            typed, recent_writes=wrote, salesforce=(replace(typed.salesforce[0], values=values),)
        ),
    )

    isolation = repair(stack)

    assert isolation.faults == {}
    assert stack.ledger.load_links([EMAIL])[EMAIL].dirty is True


def test_a_difference_that_an_undo_left_stays_however_old_the_undo_is() -> None:
    stack = Stack()
    before = stored(stack, link_of(), link_of("b@x.fr", "2"))
    stack.journal.write([undone("l", "1", "2", Side.SALESFORCE, 0.0)])

    repair(stack, EMAIL, "b@x.fr")

    after = stack.ledger.load_links(before)
    assert after[EMAIL] == before[EMAIL]
    assert "phone>Phone" not in after["b@x.fr"].base["p2"]


def test_a_link_with_an_unfinished_write_or_that_cannot_be_decoded_is_left() -> None:
    stack = Stack()
    writing = replace(link_of(), intent=Intent("i", "r0", NOW, (), ()))
    before = stored(stack, writing, replace(link_of("b@x.fr", "2"), readable=False))

    isolation = repair(stack, EMAIL, "b@x.fr")

    assert stack.ledger.load_links(before) == before
    assert isolation.faults == {}


def test_a_link_that_another_process_changes_is_left_for_the_next_verification() -> None:
    stack = Stack()
    before = stored(stack, link_of(), link_of("b@x.fr", "2"))

    isolation = repair(stack, EMAIL, "b@x.fr", history=HistoryWithAnEdit(stack, EMAIL))

    after = stack.ledger.load_links(before)
    assert after[EMAIL] == replace(
        before[EMAIL], primary_lead="l", revision=before[EMAIL].revision + 1
    )
    assert after["b@x.fr"].dirty is True
    assert isolation.faults == {}


def test_a_link_that_cannot_be_compared_has_a_fault_and_the_others_are_repaired() -> None:
    stack = Stack()
    no_values: Any = None
    broken = link_of("b@x.fr", "2")
    stored(stack, link_of(), replace(broken, plezi=replace(contact("p2"), values=no_values)))

    isolation = repair(stack, EMAIL, "b@x.fr")

    assert {it: fault.code for it, fault in isolation.faults.items()} == {
        "b@x.fr": ProblemCode.DEFECT
    }
    assert stack.ledger.load_links([EMAIL])[EMAIL].dirty is True


class FullLedger:
    """Refuses every link as too large."""

    def __init__(self, stack: Stack) -> None:
        self.load_links = stack.ledger.load_links

    def save_links(self, changes: Sequence[LinkChange], *, listed: bool = False) -> SaveResult:
        assert listed
        return SaveResult(too_large=frozenset(it.link.email for it in changes))


def test_a_link_that_has_become_too_large_has_a_fault() -> None:
    stack = Stack()
    stored(stack, link_of())

    isolation = repair(stack, links=FullLedger(stack))

    assert {it: fault.code for it, fault in isolation.faults.items()} == {
        EMAIL: ProblemCode.NOT_STORABLE
    }
