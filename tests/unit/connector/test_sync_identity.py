"""The credentials lead to the linked org and tenant, or the links forget the former one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.connected_systems import (
    ConnectedSystem,
    ForgetProgress,
    load_progress,
    load_system,
    save_progress,
    save_system,
)
from connector.errors import HaltError, RetryError, StopReason
from connector.model import (
    Counts,
    Cursor,
    Hold,
    HoldReason,
    Intent,
    Link,
    Quarantine,
    RecentWrite,
    RecordKind,
    RunKind,
    Side,
)
from connector.sync.identity import ForgetSide, check_identity, without_side
from tests.unit.connector.sync_fixtures import ANA, BOB, after, always, link_of, never, observed
from tests.unit.connector.sync_fixtures_reading import InMemory

SINCE = 500.0
ORG = "00D000000000001"
HOLD = Hold(HoldReason.CONFLICT, 1.0, {})
QUARANTINE = Quarantine(Side.PLEZI, "defect", "", (), 1.0)
INTENT = Intent("i", "r", 1.0, (), ())


def connected(memory: InMemory, **systems: ConnectedSystem) -> None:
    """Store which systems the ledger belongs to."""
    for side, system in systems.items():
        save_system(memory.ledger, Side(side), system)


def system(memory: InMemory, side: Side) -> ConnectedSystem:
    return load_system(memory.ledger, side)


def known() -> InMemory:
    """Return a memory whose ledger belongs to the systems of its clients."""
    memory = InMemory()
    memory.org.id = ORG
    connected(memory, plezi=ConnectedSystem("plezi-1"), salesforce=ConnectedSystem(ORG))
    return memory


# The check


def test_the_first_run_notes_both_systems_and_reads_their_description_again() -> None:
    memory = InMemory()
    check_identity(memory.context, RunKind.CHANGES)
    assert system(memory, Side.PLEZI) == ConnectedSystem("plezi-1")
    assert system(memory, Side.SALESFORCE) == ConnectedSystem("salesforce-1")
    assert (memory.plezi.invalidations, memory.org.invalidations) == (1, 1)


def test_the_first_preview_notes_no_system() -> None:
    memory = InMemory()
    check_identity(memory.context, RunKind.DRY_RUN)
    assert system(memory, Side.PLEZI) == ConnectedSystem()
    assert memory.plezi.invalidations == 0


def test_what_an_admin_accepted_stays_when_the_id_of_the_system_is_noted() -> None:
    memory = InMemory()
    connected(memory, plezi=ConnectedSystem(forget_since=SINCE))
    check_identity(memory.context, RunKind.CHANGES)
    assert system(memory, Side.PLEZI) == ConnectedSystem("plezi-1", forget_since=SINCE)


def test_the_known_systems_are_accepted() -> None:
    memory = known()
    memory.org.id = f"{ORG}AAA"
    check_identity(memory.context, RunKind.CHANGES)
    assert system(memory, Side.SALESFORCE) == ConnectedSystem(ORG)
    assert (memory.plezi.invalidations, memory.org.invalidations) == (0, 0)


def test_a_system_that_does_not_say_its_id_is_accepted() -> None:
    memory = known()
    memory.plezi.id = ""
    check_identity(memory.context, RunKind.CHANGES)
    assert system(memory, Side.PLEZI) == ConnectedSystem("plezi-1")


@pytest.mark.parametrize("kind", [RunKind.CHANGES, RunKind.DRY_RUN])
def test_another_tenant_stops_every_run_and_is_noted(kind: RunKind) -> None:
    memory = known()
    memory.plezi.id = "plezi-2"
    with pytest.raises(HaltError, match="lead to the Plezi tenant 'plezi-2'") as caught:
        check_identity(memory.context, kind)
    assert "of the Plezi tenant 'plezi-1'." in str(caught.value)
    assert caught.value.reason is StopReason.OTHER_TENANT
    assert system(memory, Side.PLEZI) == ConnectedSystem("plezi-1", found="plezi-2")
    assert memory.plezi.invalidations == 1


def test_another_org_stops_every_run() -> None:
    memory = known()
    memory.org.id = "00D000000000002"
    with pytest.raises(HaltError, match="lead to the Salesforce org '00D000000000002'") as caught:
        check_identity(memory.context, RunKind.CHANGES)
    assert caught.value.reason is StopReason.OTHER_ORG
    assert memory.org.invalidations == 1


def test_the_description_of_another_system_is_invalidated_once() -> None:
    memory = known()
    connected(memory, plezi=ConnectedSystem("plezi-1", found="plezi-2"))
    memory.plezi.id = "plezi-2"
    with pytest.raises(HaltError):
        check_identity(memory.context, RunKind.CHANGES)
    assert memory.plezi.invalidations == 0


def test_once_the_credentials_are_right_again_the_other_system_is_forgotten() -> None:
    memory = known()
    connected(memory, plezi=ConnectedSystem("plezi-1", found="plezi-2"))
    check_identity(memory.context, RunKind.CHANGES)
    assert system(memory, Side.PLEZI) == ConnectedSystem("plezi-1")
    assert memory.plezi.invalidations == 1


# The links are not prepared for a system that an admin accepted


def accepted() -> InMemory:
    memory = known()
    connected(memory, salesforce=ConnectedSystem(ORG, forget_since=SINCE))
    return memory


@pytest.mark.parametrize("kind", [RunKind.FORM, RunKind.DRY_RUN])
def test_a_form_and_a_dry_run_wait_until_the_links_are_prepared(kind: RunKind) -> None:
    memory = accepted()
    message = (
        f"The links are not yet prepared for the Salesforce org '{ORG}': the next run "
        "does it (POST /sync)."
    )
    with pytest.raises(HaltError) as caught:
        check_identity(memory.context, kind)
    assert (caught.value.reason, str(caught.value)) == (StopReason.OTHER_ORG, message)


def test_a_form_waits_too_where_the_system_does_not_say_its_id() -> None:
    memory = accepted()
    memory.org.id = ""
    with pytest.raises(HaltError, match="not yet prepared"):
        check_identity(memory.context, RunKind.FORM)


def test_a_run_of_changes_does_not_wait_because_it_prepares_the_links() -> None:
    check_identity(accepted().context, RunKind.CHANGES)


def test_a_form_goes_on_once_the_links_are_prepared() -> None:
    memory = accepted()
    save_progress(memory.ledger, Side.SALESFORCE, ForgetProgress(SINCE, done=True))
    check_identity(memory.context, RunKind.FORM)


# Forgetting


def progress(memory: InMemory, side: Side) -> ForgetProgress | None:
    return load_progress(memory.ledger, side, system(memory, side))


def forgetting(people: int, side: Side = Side.SALESFORCE) -> InMemory:
    """Return a memory with people whose records of one side are to be forgotten."""
    memory = known()
    connected(memory, **{side.value: ConnectedSystem(ORG, forget_since=SINCE)})
    memory.ledger.put(
        *(
            link_of(email, observed(f"p{email}", email), observed(f"l{email}", email))
            for email in (f"{number:03}@x.fr" for number in range(people))
        )
    )
    return memory


def forgotten(memory: InMemory) -> int:
    """Return how many links have no record of Salesforce any more."""
    return sum(not link.salesforce for link in memory.ledger.all_links())


def test_without_another_system_nothing_is_forgotten() -> None:
    memory = known()
    memory.ledger.put(link_of(ANA, observed("p1"), observed("l1")))
    assert ForgetSide(memory.context).work(never) is True
    assert memory.ledger.saves == []


def test_all_links_forget_the_former_org_and_its_kinds_are_read_from_the_start() -> None:
    memory = forgetting(250)
    for kind in RecordKind:
        memory.ledger.checkpoint(Cursor(kind, watermark="w"), "", Counts())

    assert ForgetSide(memory.context).work(never) is True

    assert forgotten(memory) == 250
    assert all(link.plezi is not None and link.dirty for link in memory.ledger.all_links())
    assert memory.ledger.load_cursor(RecordKind.LEAD) == Cursor(RecordKind.LEAD)
    assert memory.ledger.load_cursor(RecordKind.CONTACT) == Cursor(RecordKind.CONTACT)
    assert memory.ledger.load_cursor(RecordKind.PLEZI_CONTACT).watermark == "w"
    assert [len(emails) for emails, _listed in memory.ledger.saves] == [100, 100, 50]
    assert progress(memory, Side.SALESFORCE) is None
    assert memory.ledger.load_document("forget_progress#salesforce") == {
        "since": SINCE,
        "after": "249@x.fr",
        "done": True,
    }


def test_the_links_forget_the_former_tenant() -> None:
    memory = forgetting(1, Side.PLEZI)
    assert ForgetSide(memory.context).work(never) is True
    [link] = memory.ledger.all_links()
    assert link.plezi is None
    assert len(link.salesforce) == 1


def test_both_former_systems_are_forgotten_one_after_the_other() -> None:
    memory = forgetting(1)
    connected(memory, plezi=ConnectedSystem("plezi-1", forget_since=SINCE))
    assert ForgetSide(memory.context).work(never) is True
    [link] = memory.ledger.all_links()
    assert link.record_ids == frozenset()
    assert link.dirty is False


def test_without_time_another_invocation_continues_behind_the_last_link() -> None:
    memory = forgetting(250)
    assert ForgetSide(memory.context).work(always) is False
    assert forgotten(memory) == 100
    assert progress(memory, Side.SALESFORCE) == ForgetProgress(SINCE, after="099@x.fr")

    assert ForgetSide(memory.context).work(after(1)) is False
    assert forgotten(memory) == 250
    assert ForgetSide(memory.context).work(always) is True
    assert [len(emails) for emails, _listed in memory.ledger.saves] == [100, 100, 50]


def test_a_side_that_is_not_finished_ends_the_invocation() -> None:
    memory = forgetting(1)
    connected(memory, plezi=ConnectedSystem("plezi-1", forget_since=SINCE))
    assert ForgetSide(memory.context).work(always) is False
    [link] = memory.ledger.all_links()
    assert link.plezi is None
    assert len(link.salesforce) == 1


def test_links_that_another_process_changes_are_forgotten_five_times_at_most() -> None:
    memory = forgetting(3)
    memory.ledger.busy = {"001@x.fr": 4}
    assert ForgetSide(memory.context).work(never) is True
    emails = ["000@x.fr", "001@x.fr", "002@x.fr"]
    assert memory.ledger.saves == [(emails, False), *[(["001@x.fr"], False)] * 4]
    assert forgotten(memory) == 3


def test_links_that_another_process_keeps_changing_wait_for_the_next_run() -> None:
    memory = forgetting(1)
    memory.ledger.busy = {"000@x.fr": 9}
    message = "another process keeps changing the same links; the next run continues"
    with pytest.raises(RetryError, match=f"^{message}$") as caught:
        ForgetSide(memory.context).work(never)
    assert caught.value.reason is StopReason.CONFLICT
    assert memory.ledger.busy == {"000@x.fr": 4}
    assert progress(memory, Side.SALESFORCE) == ForgetProgress(SINCE)


def test_links_without_anything_of_the_side_are_not_stored() -> None:
    memory = forgetting(0)
    memory.ledger.put(link_of(ANA, observed("p1")), link_of(BOB, observed("l1", BOB)))
    assert ForgetSide(memory.context).work(never) is True
    assert memory.ledger.saves == [([BOB], False)]
    memory = forgetting(0)
    memory.ledger.put(link_of(ANA, observed("p1")))
    assert ForgetSide(memory.context).work(never) is True
    assert memory.ledger.saves == []


# What a link forgets


def test_a_link_keeps_the_records_of_the_other_side_and_no_decision_about_both() -> None:
    link = replace(
        link_of(ANA, observed("p1"), observed("l1"), observed("c1")),
        base={"p1": {"k": "1"}, "l1": {"k": "1"}, "gone": {"k": "1"}},
        undelivered=frozenset({("p1", "k")}),
        intent=INTENT,
        holds={"Phone": HOLD},
        quarantine=QUARANTINE,
        primary_lead="l1",
        recent_writes={"Phone": (RecentWrite("p1", "1", 5.0),)},
        revision=7,
        shared=True,
    )
    expected = Link(
        ANA,
        plezi=observed("p1"),
        base={"p1": {"k": "1"}},
        dirty=True,
        revision=7,
        shared=True,
    )
    assert without_side(link, Side.SALESFORCE) == expected


def test_the_primary_lead_stays_when_the_tenant_is_forgotten() -> None:
    link = link_of(ANA, observed("p1"), observed("l1"), primary_lead="l1")
    after = without_side(link, Side.PLEZI)
    assert after == link_of(ANA, observed("l1"), primary_lead="l1", dirty=True)


def test_a_link_without_another_record_has_nothing_to_resolve() -> None:
    link = link_of(ANA, observed("p1"), dirty=True)
    assert without_side(link, Side.PLEZI) == Link(ANA)


def test_a_link_without_anything_of_the_side_is_returned_as_it_is() -> None:
    link = link_of(ANA, observed("p1"), primary_lead="l1")
    assert without_side(link, Side.SALESFORCE) is link


@pytest.mark.parametrize(
    "decision", [{"intent": INTENT}, {"holds": {"Phone": HOLD}}, {"quarantine": QUARANTINE}]
)
def test_a_decision_about_a_record_that_is_gone_is_forgotten(decision: dict[str, object]) -> None:
    link = replace(Link(ANA, plezi=observed("p1")), **decision)  # type: ignore[arg-type]
    assert without_side(link, Side.SALESFORCE) == link_of(ANA, observed("p1"), dirty=True)
