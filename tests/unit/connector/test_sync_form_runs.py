"""The form of a contact: its contact is read at once, and its run says what became of it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from connector.connected_systems import ConnectedSystem, save_system
from connector.errors import HaltError, RetryError, StopReason, UnknownFieldError
from connector.mapping import Field, FieldKind
from connector.model import (
    ChangeHint,
    HintResult,
    Intent,
    Phase,
    Run,
    RunKind,
    RunState,
    Side,
)
from connector.sync.runs import SyncEngine
from tests.unit.connector.sync_fixtures import EMAIL, SyncSetup, agreed, contact, lead, raising
from tests.unit.connector.sync_fixtures_stores import NOW

FORM: Final = "form-1"
HINT: Final = ChangeHint(FORM, EMAIL)
REFUSED: Final = HaltError(StopReason.LOGIN_REFUSED, "the password was reset")
BUSY: Final = RetryError("Plezi is busy", reason=StopReason.PLEZI_UNAVAILABLE)


def setup_with_form() -> SyncSetup:
    """Return a setup whose contact submitted a form; its link and its Lead are known."""
    setup = SyncSetup()
    setup.plezi.calls, setup.org.calls = 7, 11
    setup.plezi.put(contact(EMAIL, "2", version="2"))
    setup.org.put(lead(EMAIL))
    setup.store(agreed(EMAIL))
    return setup


def work(setup: SyncSetup, hint: ChangeHint = HINT) -> HintResult:
    return SyncEngine(setup.context).sync_contact(hint)


def phone_of_lead(setup: SyncSetup) -> object:
    return setup.org.records["l-a@x.fr"].values["Phone"]


def stored(setup: SyncSetup) -> Run:
    return setup.run(FORM)


def test_a_form_brings_the_values_of_its_contact_to_the_lead() -> None:
    setup = setup_with_form()
    setup.plezi.then["look_up"].append(lambda: setup.clock.advance(5))

    assert work(setup) is HintResult.RESOLVED
    assert phone_of_lead(setup) == "2"
    run = stored(setup)
    assert (run.kind, run.state, run.reason, run.message) == (
        RunKind.FORM,
        RunState.DONE,
        None,
        "",
    )
    assert (run.emails, run.mapping_version, run.phase) == ((EMAIL,), 1, Phase.READ)
    times = (run.requested_at, run.started_at, run.finished_at)
    assert times == (NOW, NOW, NOW + 5)
    calls = {side: numbers["calls"] for side, numbers in setup.counts(FORM).items()}
    assert calls == {"plezi": setup.plezi.calls - 7, "salesforce": setup.org.calls - 11}
    assert (calls, setup.budget.saved) == ({"plezi": 1, "salesforce": 2}, 1)


def test_a_form_may_name_its_contact_by_the_id() -> None:
    setup = setup_with_form()

    assert work(setup, ChangeHint(FORM, contact_id="p-a@x.fr")) is HintResult.RESOLVED
    assert (phone_of_lead(setup), stored(setup).emails) == ("2", ())


def test_a_form_waits_while_synchronization_is_not_enabled() -> None:
    setup = setup_with_form()
    setup.ledger.set_enabled(on=False, now=0.0)

    assert work(setup) is HintResult.NOT_STARTED
    assert (setup.ledger.load_run(FORM), setup.plezi.calls) == (None, 7)


def test_a_form_waits_when_the_calls_for_forms_are_used_up() -> None:
    setup = setup_with_form()
    setup.budget.form_reason = "used up"

    assert work(setup) is HintResult.PAUSED
    assert (setup.ledger.load_run(FORM), setup.plezi.calls) == (None, 7)


def test_a_form_is_synchronized_when_only_the_calls_for_runs_are_used_up() -> None:
    setup = setup_with_form()
    setup.budget.reasons = ["used up"]

    assert work(setup) is HintResult.RESOLVED


@pytest.mark.parametrize("name", [EMAIL, "p-a@x.fr"])
def test_the_form_of_an_erased_person_is_counted_and_leaves_no_e_mail(name: str) -> None:
    setup = setup_with_form()
    setup.tombstones.names = {name}

    assert work(setup, ChangeHint(FORM, EMAIL, "p-a@x.fr")) is HintResult.RESOLVED
    assert stored(setup) == Run(
        FORM,
        RunKind.FORM,
        RunState.DONE,
        requested_at=NOW,
        finished_at=NOW,
        counts={"plezi": {"skipped.erased": 1}},
    )
    assert (setup.plezi.calls, phone_of_lead(setup)) == (7, "1")


def test_a_contact_that_plezi_does_not_show_yet_fails_the_run_of_its_form() -> None:
    setup = setup_with_form()
    setup.plezi.records.clear()

    assert work(setup) is HintResult.NOT_READABLE
    run = stored(setup)
    assert (run.state, run.reason) == (RunState.FAILED, StopReason.CONTACT_NOT_READABLE)
    assert run.message == "Plezi does not return the contact of this form yet."


def test_a_link_on_which_another_process_works_is_busy() -> None:
    setup = setup_with_form()
    setup.ledger.touch(EMAIL, intent=Intent("id-0", "run-0", NOW, (), ()))

    assert work(setup) is HintResult.BUSY
    run = stored(setup)
    assert (run.state, run.reason, run.message) == (RunState.FAILED, StopReason.LINK_BUSY, "")


@pytest.mark.parametrize(
    ("error", "result", "state"),
    [
        (REFUSED, HintResult.PAUSED, RunState.HALTED),
        (BUSY, HintResult.BUSY, RunState.FAILED),
    ],
)
def test_an_error_of_a_system_ends_the_run_of_a_form_with_its_reason(
    error: Any, result: HintResult, state: RunState
) -> None:
    setup = setup_with_form()
    setup.plezi.then["look_up"].append(raising(error))

    assert work(setup) is result
    run = stored(setup)
    assert (run.state, run.reason, run.message) == (state, error.reason, str(error))
    assert run.finished_at == NOW
    assert (setup.counts(FORM)["plezi"], setup.budget.saved) == ({"calls": 1}, 1)


def test_a_form_waits_until_the_links_are_prepared_for_a_new_tenant() -> None:
    setup = setup_with_form()
    save_system(setup.ledger, Side.PLEZI, ConnectedSystem("plezi-id", forget_since=NOW - 9))

    assert work(setup) is HintResult.PAUSED
    run = stored(setup)
    assert (run.state, run.reason) == (RunState.HALTED, StopReason.OTHER_TENANT)
    assert phone_of_lead(setup) == "1"


def test_a_field_that_is_not_as_described_is_described_again_for_a_form() -> None:
    setup = setup_with_form()
    setup.plezi.then["look_up"].append(raising(UnknownFieldError("NO_FIELD", "describe again")))

    assert work(setup) is HintResult.RESOLVED
    assert phone_of_lead(setup) == "2"


def test_the_version_of_the_mapping_in_use_is_that_of_the_form() -> None:
    setup = setup_with_form()
    setup.org.describe(Field("Mobile", FieldKind.TEXT))
    newer = setup.mappings.current()
    only_email = type(newer)(2, newer.pairs[:1], None)
    setup.mappings.save(only_email)

    assert work(setup) is HintResult.RESOLVED
    assert (stored(setup).mapping_version, phone_of_lead(setup)) == (2, "1")
