"""Faults of a whole batch in Salesforce: never booked on its records (field cases B1 to B4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from connector.errors import StopReason
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import AttentionKind, RunState
from connector.planning.write_outcome import UNANSWERED_ATTEMPTS
from connector.salesforce.batch_size import MEMORY_SECONDS, SIZE_KEY
from connector.salesforce.halving import MAX_ALONE, MAX_ALONE_AGAIN
from tests.component.altered_salesforce import (
    is_write,
    json_answer,
    put_before_org,
    record_error,
    records_of,
    rest_error,
    two_hours_later,
)
from tests.component.harness import Harness
from tests.component.test_faults import COLLECTIONS, inject_fault

STAFF = FieldPair("employees", "staff__c", Direction.BOTH)


def add_people(harness: Harness, number: int) -> None:
    for at in range(number):
        harness.add_person(email=f"p{at:03}@example.com", last_name=f"P{at}", phone="111")


def collections(harness: Harness) -> int:
    counts = harness.calls("salesforce")["calls"]
    return sum(count for kind, count in counts.items() if kind.startswith("collections_"))


def quarantined(harness: Harness) -> dict[str, str]:
    emails = harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 1000)
    links = harness.ledger.load_links(emails)
    return {
        email: link.quarantine.code for email, link in links.items() if link.quarantine is not None
    }


def has_lead(request: Request, last_name: str) -> bool:
    return any(record.get("LastName") == last_name for record in records_of(request))


def add_field(harness: Harness, name: str, **metadata: Any) -> None:
    harness.control(
        "salesforce", "POST", "fields/Lead", {"name": name, "Metadata": {"label": name, **metadata}}
    )


def test_a_governor_limit_that_fails_one_call_delays_nobody(harness: Harness) -> None:
    """Field case B1."""
    add_people(harness, 60)
    inject_fault(harness, "salesforce", "apex_limit", path=COLLECTIONS)
    harness.mark()

    run = harness.sync(skip_stages=True)

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 60
    assert quarantined(harness) == {}
    assert collections(harness) == 3
    assert harness.ledger.load_document(SIZE_KEY) is None


def test_a_governor_limit_that_fails_the_call_of_one_person_delays_nobody(
    harness: Harness,
) -> None:
    add_people(harness, 1)
    inject_fault(harness, "salesforce", "apex_limit", path=COLLECTIONS)

    harness.sync()

    assert len(harness.leads()) == 1
    assert quarantined(harness) == {}


def test_the_size_of_a_batch_adapts_to_a_trigger_and_is_remembered(harness: Harness) -> None:
    """Field case B2."""
    add_people(harness, 210)
    inject_fault(
        harness,
        "salesforce",
        "apex_limit",
        path=COLLECTIONS,
        count=None,
        parameters={"above": 50, "limit": "Too many SOQL queries: 101"},
    )

    run = harness.sync(skip_stages=True)

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 210
    assert quarantined(harness) == {}
    stored = harness.ledger.load_document(SIZE_KEY)
    assert stored is not None
    assert stored["size"] == 50
    for person in harness.people().values():
        harness.edit_person(person["id"], phone="222")
    another_process = harness.build(harness.settings)
    harness.engine = another_process.engine
    harness.mark()
    harness.sync()
    assert {lead["Phone"] for lead in harness.leads()} == {"222"}
    assert collections(harness) == 5  # 200 people in four calls, then 10


def test_the_size_of_a_batch_grows_again_after_a_day(harness: Harness) -> None:
    until = harness.clock() + MEMORY_SECONDS
    harness.ledger.save_document(SIZE_KEY, {"size": 50, "until": until})
    harness.let_pass(MEMORY_SECONDS + 3600)
    add_people(harness, 110)
    harness.mark()

    harness.sync(skip_stages=True)

    assert len(harness.leads()) == 110
    assert collections(harness) == 2  # 100, then 10


def test_a_refused_record_never_makes_the_batches_smaller(harness: Harness) -> None:
    add_people(harness, 30)
    inject_fault(
        harness,
        "salesforce",
        "trigger_error",
        path=COLLECTIONS,
        count=None,
        parameters={"contains": {"Email": "p007@example.com"}},
    )

    harness.sync()

    assert len(harness.leads()) == 29
    assert quarantined(harness) == {"p007@example.com": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}
    assert harness.ledger.load_document(SIZE_KEY) is None


def test_a_lock_inside_a_trigger_is_retried_in_the_same_run(harness: Harness) -> None:
    """Field case B3."""
    add_people(harness, 10)
    inject_fault(harness, "salesforce", "trigger_lock", path=COLLECTIONS)

    harness.sync()

    assert len(harness.leads()) == 10
    assert quarantined(harness) == {}


def test_a_lock_inside_a_trigger_that_lasts_leaves_the_records_to_the_next_run(
    harness: Harness,
) -> None:
    add_people(harness, 10)
    inject_fault(harness, "salesforce", "trigger_lock", path=COLLECTIONS, count=None)
    harness.sync()
    assert harness.leads() == []
    assert quarantined(harness) == {}
    harness.control("salesforce", "DELETE", "faults")

    harness.sync()

    assert len(harness.leads()) == 10


def test_a_locked_row_is_retried_in_the_same_run(harness: Harness) -> None:
    add_people(harness, 10)
    inject_fault(harness, "salesforce", "lock_row", path=COLLECTIONS, parameters={"records": [4]})
    harness.mark()

    harness.sync()

    assert len(harness.leads()) == 10
    assert collections(harness) == 2


def test_a_call_that_salesforce_stops_for_its_time_is_retried_in_halves(harness: Harness) -> None:
    add_people(harness, 20)
    parameters = {"status": 400, "errorCode": "REQUEST_RUNNING_TOO_LONG", "message": "stopped"}
    inject_fault(harness, "salesforce", "rest_error", path=COLLECTIONS, parameters=parameters)
    harness.mark()

    harness.sync()

    assert len(harness.leads()) == 20
    assert quarantined(harness) == {}


def test_an_org_whose_trigger_always_fails_puts_few_people_in_quarantine(harness: Harness) -> None:
    add_people(harness, 200)
    inject_fault(harness, "salesforce", "trigger_error", path=COLLECTIONS, count=None)
    harness.mark()

    harness.sync(skip_stages=True)

    assert len(quarantined(harness)) <= MAX_ALONE + MAX_ALONE_AGAIN
    # The run tries twice: when it resolves all people, and when it comes to those Plezi waits for.
    assert collections(harness) <= 2 * 25
    harness.control("salesforce", "DELETE", "faults")
    harness.sync()
    assert len(harness.leads()) >= 200 - MAX_ALONE - MAX_ALONE_AGAIN


MIXED_CAUSES = [
    "UNKNOWN_EXCEPTION",
    "UNABLE_TO_LOCK_ROW",
    "STORAGE_LIMIT_EXCEEDED",
    "ENTITY_IS_DELETED",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "A_CODE_THAT_NOBODY_KNOWS",
]
"""Errors that all records of a call may have because of one of them, or of their number."""


@pytest.mark.parametrize("code", MIXED_CAUSES)
def test_one_lead_that_gives_its_error_to_its_whole_call_delays_nobody_else_and_is_listed(
    harness: Harness, code: str
) -> None:
    add_people(harness, 20)
    harness.add_person(email="guilty@example.com", last_name="Guilty")

    def fail(request: Request) -> Response | None:
        if not is_write(request) or not has_lead(request, "Guilty"):
            return None
        return json_answer([record_error(code, "the same")] * len(records_of(request)))

    put_before_org(harness, fail)
    run = harness.sync()
    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 20
    for _ in range(UNANSWERED_ATTEMPTS):
        two_hours_later(harness)
        harness.sync()

    assert quarantined(harness) == {"guilty@example.com": code}


@pytest.mark.parametrize("code", MIXED_CAUSES)
def test_a_trigger_that_takes_fifty_leads_at_a_time_delays_nobody(
    harness: Harness, code: str
) -> None:
    add_people(harness, 120)

    def fail(request: Request) -> Response | None:
        if not is_write(request) or len(records_of(request)) <= 50:
            return None
        return json_answer([record_error(code, "the same")] * len(records_of(request)))

    put_before_org(harness, fail)

    run = harness.sync(skip_stages=True)

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 120
    assert quarantined(harness) == {}
    stored = harness.ledger.load_document(SIZE_KEY)
    assert stored is not None
    assert stored["size"] == 30  # half of half of 120


@pytest.mark.parametrize(
    ("status", "code"), [(404, "NOT_FOUND"), (400, "ENTITY_IS_DELETED"), (403, "FORBIDDEN")]
)
def test_one_lead_that_lets_salesforce_refuse_its_call_delays_nobody_else(
    harness: Harness, status: int, code: str
) -> None:
    add_people(harness, 20)
    harness.add_person(email="guilty@example.com", last_name="Guilty")

    def fail(request: Request) -> Response | None:
        if is_write(request) and has_lead(request, "Guilty"):
            return rest_error(code, status)
        return None

    put_before_org(harness, fail)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads()) == 20


@pytest.mark.parametrize("others", [0, 20])
def test_an_error_of_the_org_that_only_one_lead_has_stops_no_run(
    harness: Harness, others: int
) -> None:
    harness.add_person(email="guilty@example.com", last_name="Guilty")
    add_people(harness, others)

    def refuse(request: Request, response: Response) -> None:
        if is_write(request) and has_lead(request, "Guilty"):
            items = json.loads(response.get_data())
            at = [it["LastName"] for it in records_of(request)].index("Guilty")
            items[at] = record_error("REQUEST_LIMIT_EXCEEDED")
            response.set_data(json.dumps(items))

    put_before_org(harness, alter=refuse)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert quarantined(harness) == {"guilty@example.com": "REQUEST_LIMIT_EXCEEDED"}
    assert len(harness.leads()) == others + 1  # the org saved it although it says that it did not


def test_a_permission_that_the_user_lost_stops_the_run_that_writes_one_lead(
    harness: Harness,
) -> None:
    harness.add_person(email="p@example.com", last_name="P")
    refused = record_error(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Lead"
    )
    has_refused = []

    def fail(request: Request) -> Response | None:
        if is_write(request):
            has_refused.append(request.path)
            return json_answer([refused])
        return None

    def hide(request: Request, response: Response) -> None:
        if has_refused and request.path.endswith("sobjects/Lead/describe/"):
            described = json.loads(response.get_data())
            response.set_data(json.dumps({**described, "createable": False}))

    put_before_org(harness, fail, hide)

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.SALESFORCE_REFUSED)
    assert quarantined(harness) == {}


def test_a_validation_rule_that_refuses_every_lead_costs_few_calls_and_says_why(
    harness: Harness,
) -> None:
    add_people(harness, 200)
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"

    def refuse(request: Request) -> Response | None:
        if not is_write(request):
            return None
        return json_answer([record_error(code, "no leads today")] * len(records_of(request)))

    put_before_org(harness, refuse)

    run = harness.sync(skip_stages=True)

    assert run.state is RunState.DONE, run.message
    assert len(quarantined(harness)) <= MAX_ALONE + MAX_ALONE_AGAIN
    assert run.counts["salesforce"]["calls"] <= 60
    assert run.error.startswith(f"{code}: a validation rule")
    assert "no leads today" not in run.error


def test_a_field_that_changed_its_type_is_described_again_after_one_refusal(
    harness: Harness,
) -> None:
    """Field case B4."""
    add_field(harness, "staff__c", type="Number", precision=6, scale=0)
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, STAFF))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]
    add_people(harness, 200)
    harness.sync()
    change = {"type": "string", "length": 80}
    harness.control("salesforce", "PATCH", "fields/Lead/staff__c", change)
    for person in harness.people().values():
        harness.edit_person(person["id"], phone="222", employees=12)
    harness.mark()

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert collections(harness) <= 6
    assert [lead["Phone"] for lead in harness.leads()] == ["222"] * 200
    assert quarantined(harness) == {}
    assert set(harness.ledger.suspended_pairs()) == {"staff__c"}
