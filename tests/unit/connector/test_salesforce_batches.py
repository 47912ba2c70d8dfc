"""Batches in halves: a bound on calls, no fault booked on a record, no write repeated blindly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.deadline import Deadline, no_deadline
from connector.errors import ConnectorError, HaltError, StopReason, UnknownFieldError
from connector.model import RecordKind, Write
from connector.pace import PacedCalls
from connector.planning.write_outcome import WriteOutcome, WriteResult
from connector.salesforce.batch_size import FAULTS_BEFORE_LEARNING, SIZE_KEY, BatchSize
from connector.salesforce.halving import MAX_ALONE, MAX_ALONE_AGAIN
from connector.salesforce.lost_writes import LostWrites
from connector.salesforce.writer import Writer
from tests.unit.connector.salesforce_fakes import Answer, AnsweringSession, Documents, connect

TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
CPU = "LeadTrigger: System.LimitException: Apex CPU time limit exceeded"
LOCK = "LeadTrigger: caused by: System.DmlException: first error: UNABLE_TO_LOCK_ROW, unable to"
Item = dict[str, Any]


class Org:
    """Saves records unless a rule refuses them, and counts the calls and the saves of each."""

    def __init__(self, refuse: Callable[[list[str], int], dict[str, tuple[str, str]]]) -> None:
        self._refuse = refuse
        self.saved: list[str] = []
        self.sizes: list[int] = []

    def answer(self, _method: str, _url: str, body: Any) -> tuple[int, bytes]:
        names = [record["Phone"] for record in body["records"]]
        self.sizes.append(len(names))
        refused = self._refuse(names, len(self.sizes))
        items = [self._item(name, refused) for name in names]
        return 200, json.dumps(items).encode()

    def _item(self, name: str, refused: dict[str, tuple[str, str]]) -> Item:
        if name in refused:
            code, message = refused[name]
            error = {"statusCode": code, "message": message, "fields": []}
            return {"success": False, "errors": [error]}
        self.saved.append(name)
        return {"success": True, "id": f"00Q{int(name):015d}", "errors": []}


def all_of(names: list[str], code: str, message: str = "") -> dict[str, tuple[str, str]]:
    return dict.fromkeys(names, (code, message))


class Bench:
    """A writer, and what it needs."""

    def __init__(self, answer: Answer, *, redescribed: bool = False) -> None:
        self.now = 1000.0
        self.documents = Documents()
        self.http = AnsweringSession(answer)
        self.deadline = Deadline(lambda: self.now)
        self.size = BatchSize(self.documents, lambda: self.now)
        self.described = 0
        self._redescribed = redescribed
        self.checks = 0
        self.refusal: ConnectorError | None = None
        self.writer = Writer(
            connect(self.http),
            lambda: self.now,
            self._describe_again,
            self._describe_leads,
            LostWrites(self.documents, lambda: self.now, self.size),
            PacedCalls(self.deadline, lambda: self.now),
            assign_new_leads=False,
        )

    def _describe_again(self) -> bool:
        self.described += 1
        return self._redescribed and self.described == 1

    def _describe_leads(self) -> None:
        self.checks += 1
        if self.refusal is not None:
            raise self.refusal

    def apply(self, number: int, *, creates: bool = False) -> list[WriteOutcome]:
        return list(self.writer.apply(writes(number, creates=creates), ["Phone"]))


def writes(number: int, *, creates: bool = False) -> list[Write]:
    return [
        Write(
            RecordKind.LEAD,
            "" if creates else f"00Q{at:015d}",
            f"{at}@example.com",
            {"Phone": str(at)},
        )
        for at in range(number)
    ]


def results(outcomes: list[WriteOutcome]) -> list[WriteResult]:
    return [outcome.result for outcome in outcomes]


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_guilty_records_are_found_within_the_bound_and_all_others_arrive(
    case: tuple[int, set[int]],
) -> None:
    number, guilty = case
    names = {str(each) for each in guilty}
    org = Org(lambda sent, _call: all_of(sent, TRIGGER, "boom") if names & set(sent) else {})
    bench = Bench(org.answer)

    outcomes = bench.apply(number)

    refused = {at for at, it in enumerate(outcomes) if it.result is WriteResult.REJECTED}
    assert len(outcomes) == number
    assert refused <= guilty
    assert len(org.sizes) <= 1 + max(1, len(guilty)) * 2 * math.ceil(math.log2(number))
    assert len(set(org.saved)) == len(org.saved)
    assert SIZE_KEY not in bench.documents.stored
    if len(guilty) < number / 4:
        assert refused == guilty
        assert len(org.saved) == number - len(guilty)


def test_a_fault_that_is_gone_when_sent_again_costs_two_calls() -> None:
    org = Org(lambda sent, call: all_of(sent, TRIGGER, CPU) if call == 1 else {})

    outcomes = Bench(org.answer).apply(60)

    assert set(results(outcomes)) == {WriteResult.DONE}
    assert org.sizes == [60, 30, 30]


@pytest.mark.parametrize("limit", [1, 3, 50, 100, 150])
def test_the_size_that_works_is_learned_and_used(limit: int) -> None:
    org = Org(lambda sent, _call: all_of(sent, TRIGGER, CPU) if len(sent) > limit else {})
    bench = Bench(org.answer)
    for _ in range(FAULTS_BEFORE_LEARNING):
        assert set(results(bench.apply(200))) == {WriteResult.DONE}
    learned = bench.documents.stored[SIZE_KEY]["size"]
    org.sizes.clear()

    bench.apply(200)

    assert limit / 2 < learned <= limit
    assert org.sizes == [learned] * (200 // learned) + ([200 % learned] if 200 % learned else [])


def test_a_learned_size_is_doubled_each_day() -> None:
    bench = Bench(Org(lambda _sent, _call: {}).answer)
    bench.documents.stored[SIZE_KEY] = {"size": 50, "until": 1000.0 + 86_400}
    sizes = []
    for _ in range(4):
        bench.size.refresh()
        sizes.append(bench.size.current)
        bench.now += 86_400

    assert sizes == [50, 100, 200, 200]


@pytest.mark.parametrize(
    "document",
    [{}, {"size": 0, "until": 1.0}, {"size": "50", "until": 1.0}, {"size": 50, "until": math.nan}],
)
def test_a_stored_size_that_cannot_be_read_is_not_used(document: dict[str, Any]) -> None:
    bench = Bench(Org(lambda _sent, _call: {}).answer)
    bench.documents.stored[SIZE_KEY] = document
    bench.size.refresh()

    assert bench.size.current == 200


def test_a_lock_inside_a_trigger_never_refuses_a_record_and_never_makes_batches_smaller() -> None:
    org = Org(lambda sent, _call: all_of(sent, TRIGGER, LOCK) if "3" in sent else {})
    bench = Bench(org.answer)

    outcomes = bench.apply(8)

    assert results(outcomes).count(WriteResult.DONE) == 7
    assert outcomes[3].result is WriteResult.RETRY
    assert SIZE_KEY not in bench.documents.stored


def test_a_locked_record_is_sent_once_more() -> None:
    org = Org(lambda sent, _call: all_of(["3"], "UNABLE_TO_LOCK_ROW") if "3" in sent else {})

    outcomes = Bench(org.answer).apply(8)

    assert org.sizes == [8, 1]
    assert outcomes[3].result is WriteResult.RETRY


MOST_CALLS = 4 * math.ceil(math.log2(200))
"""Calls for a batch none of whose records can be saved: the halves down to the first record, and to
four more from other places (decision 76)."""
ONE_CAUSE = {
    "BRAND_NEW_CODE": WriteResult.REJECTED,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": WriteResult.REJECTED,
    "UNKNOWN_EXCEPTION": WriteResult.RETRY,
    "UNABLE_TO_LOCK_ROW": WriteResult.RETRY,
    "QUERY_TIMEOUT": WriteResult.RETRY,
    "SERVER_UNAVAILABLE": WriteResult.RETRY,
    "STORAGE_LIMIT_EXCEEDED": WriteResult.RETRY,
    "ENTITY_IS_DELETED": WriteResult.STALE,
    "INVALID_FIELD_FOR_INSERT_UPDATE": WriteResult.REJECTED,
}
"""Errors that one record, or the size of a call, may give to all records of the call; and the
result of a record that has the error alone."""


@pytest.mark.parametrize("code", ONE_CAUSE)
def test_one_record_that_gives_its_error_to_the_whole_call_delays_nobody_else(code: str) -> None:
    org = Org(lambda sent, _call: all_of(sent, code, "the same") if "77" in sent else {})
    bench = Bench(org.answer)

    outcomes = bench.apply(200)

    assert [at for at, it in enumerate(outcomes) if it.result is not WriteResult.DONE] == [77]
    assert outcomes[77].result is ONE_CAUSE[code]
    assert outcomes[77].code == code
    assert len(org.sizes) <= 1 + 2 * math.ceil(math.log2(200))
    assert SIZE_KEY not in bench.documents.stored


WHOLE_CALL = [
    (404, "NOT_FOUND", WriteResult.STALE),
    (400, "ENTITY_IS_DELETED", WriteResult.STALE),
    (400, "UNABLE_TO_LOCK_ROW", WriteResult.RETRY),
    (413, "REQUEST_TOO_LARGE", WriteResult.REJECTED),
    (403, "FORBIDDEN", WriteResult.REJECTED),
]


@pytest.mark.parametrize(("status", "code", "result"), WHOLE_CALL)
def test_one_record_that_lets_salesforce_refuse_the_call_delays_nobody_else(
    status: int, code: str, result: WriteResult
) -> None:
    org = Org(lambda _sent, _call: {})

    def answer(method: str, url: str, body: Any) -> tuple[int, bytes]:
        if any(record["Phone"] == "77" for record in body["records"]):
            return status, json.dumps([{"errorCode": code, "message": "no"}]).encode()
        return org.answer(method, url, body)

    bench = Bench(answer)

    outcomes = bench.apply(200)

    assert [at for at, it in enumerate(outcomes) if it.result is not WriteResult.DONE] == [77]
    assert outcomes[77].result is result
    assert bench.http.calls <= 1 + 2 * math.ceil(math.log2(200))


@pytest.mark.parametrize("code", ONE_CAUSE)
def test_the_size_that_works_is_learned_whatever_the_code_is(code: str) -> None:
    org = Org(lambda sent, _call: all_of(sent, code, "the same") if len(sent) > 50 else {})
    bench = Bench(org.answer)

    assert set(results(bench.apply(120))) == {WriteResult.DONE}
    org.sizes.clear()
    assert set(results(bench.apply(120))) == {WriteResult.DONE}

    assert org.sizes == [30, 30, 30, 30]


@pytest.mark.parametrize("code", ONE_CAUSE)
def test_an_error_that_every_record_has_costs_few_calls_and_holds_few_records(code: str) -> None:
    org = Org(lambda sent, _call: all_of(sent, code, "the same"))
    bench = Bench(org.answer)

    outcomes = bench.apply(1000)

    of_first_batch = org.sizes.index(200, 1)
    assert of_first_batch <= MOST_CALLS
    assert org.sizes[of_first_batch:] == [200, 1, 1] * 4
    waiting = [it for it in outcomes if it.result is WriteResult.RETRY and not it.is_own]
    assert len(waiting) == 1000 - MAX_ALONE - 4 * MAX_ALONE_AGAIN
    if ONE_CAUSE[code] is WriteResult.REJECTED:
        assert {it.code for it in waiting} == {code}


def test_records_that_always_fail_never_hide_the_others_for_long() -> None:
    names = {"0", "50"}
    refuses_all = True
    org = Org(
        lambda sent, _call: (
            all_of(sent, "UNKNOWN_EXCEPTION") if refuses_all or names & set(sent) else {}
        )
    )
    bench = Bench(org.answer)
    bench.apply(100)
    refuses_all = False

    bench.apply(100)
    outcomes = bench.apply(100)

    assert {str(at) for at, it in enumerate(outcomes) if it.result is WriteResult.RETRY} == names
    assert set(org.saved) == {str(at) for at in range(100)} - names


def test_refusals_with_messages_of_their_own_are_not_sent_again() -> None:
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    org = Org(lambda sent, _call: {name: (code, f"{name} is no phone") for name in sent})

    outcomes = Bench(org.answer).apply(20)

    assert org.sizes == [20]
    assert set(results(outcomes)) == {WriteResult.REJECTED}


def test_refusals_that_name_a_field_are_not_sent_again() -> None:
    error = {"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["Phone"]}
    items = [{"success": False, "errors": [error]}] * 20
    bench = Bench(lambda _method, _url, _body: (200, json.dumps(items).encode()))

    outcomes = bench.apply(20)

    assert bench.http.calls == 1
    assert {it.fields for it in outcomes} == {("Phone",)}


def test_a_write_whose_response_was_lost_is_unknown_and_is_not_sent_again() -> None:
    bench = Bench(lambda _method, _url, _body: (200, b'[{"success": true'))

    assert set(results(bench.apply(4))) == {WriteResult.UNKNOWN}
    assert bench.http.calls == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_write_that_an_unavailable_salesforce_answers_is_unknown(status: int) -> None:
    bench = Bench(lambda _method, _url, _body: (status, b"[]"))

    assert set(results(bench.apply(4))) == {WriteResult.UNKNOWN}
    assert bench.http.calls == 1


def test_no_call_is_made_when_its_time_is_not_left() -> None:
    org = Org(lambda _sent, _call: {})
    bench = Bench(org.answer)
    bench.deadline.start(remaining=15)  # 10 s of it are for saving, a first call may take 10 s

    assert bench.apply(4) == []
    assert org.sizes == []


def test_the_pace_of_the_last_calls_decides_whether_another_one_is_made() -> None:
    def save_slowly(_sent: list[str], _call: int) -> dict[str, tuple[str, str]]:
        bench.now += 20
        return {}

    org = Org(save_slowly)
    bench = Bench(org.answer)
    bench.deadline.start(remaining=75)

    outcomes = bench.apply(1000)

    # After two calls, 25 s are left until the last call, and the next one may take 30 s.
    assert org.sizes == [200, 200]
    assert set(results(outcomes)) == {WriteResult.DONE}
    assert len(outcomes) == 400


def test_creations_that_were_not_sent_do_not_hide_the_outcomes_of_updates() -> None:
    org = Org(lambda _sent, _call: {})
    bench = Bench(org.answer)
    mixed = [*writes(1, creates=True), *writes(3)]

    def stop_after_the_updates(_sent: list[str], _call: int) -> dict[str, tuple[str, str]]:
        bench.deadline.start(remaining=1)
        return {}

    org._refuse = stop_after_the_updates
    outcomes = list(bench.writer.apply(mixed, ["Phone"]))

    assert results(outcomes) == [WriteResult.RETRY, *[WriteResult.DONE] * 3]


HALTS = [
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    ("API_DISABLED_FOR_ORG", "no API"),
    (TRIGGER, "entity type cannot be updated: Task"),
]
"""Errors that stop all runs, where they are errors of the org."""


@pytest.mark.parametrize("error", HALTS)
def test_an_error_of_the_org_on_one_record_of_a_call_refuses_this_record(
    error: tuple[str, str],
) -> None:
    bench = Bench(Org(lambda _sent, _call: {"2": error}).answer)

    outcomes = bench.apply(5)

    assert results(outcomes) == [
        WriteResult.DONE, WriteResult.DONE, WriteResult.REJECTED, WriteResult.DONE, WriteResult.DONE
    ]  # fmt: skip
    assert outcomes[2].code == error[0]
    assert outcomes[2].remedy


@pytest.mark.parametrize("error", HALTS)
def test_an_error_of_the_org_on_all_records_of_a_call_stops_at_once(
    error: tuple[str, str],
) -> None:
    org = Org(lambda sent, _call: all_of(sent, *error))
    bench = Bench(org.answer)

    with pytest.raises(HaltError):
        bench.apply(300)
    assert org.sizes == [200]


@pytest.mark.parametrize("error", HALTS)
def test_an_error_of_the_org_on_the_only_record_of_a_call_refuses_it_if_a_read_works(
    error: tuple[str, str],
) -> None:
    bench = Bench(Org(lambda sent, _call: all_of(sent, *error)).answer)

    outcomes = bench.apply(1)

    assert results(outcomes) == [WriteResult.REJECTED]
    assert (outcomes[0].code, bench.checks) == (error[0], 1)


def test_an_error_of_the_org_on_the_only_record_of_a_call_stops_if_a_read_has_it_too() -> None:
    bench = Bench(Org(lambda sent, _call: all_of(sent, *HALTS[1])).answer)
    bench.refusal = HaltError(StopReason.SALESFORCE_API_DISABLED, "no API")

    with pytest.raises(HaltError):
        bench.apply(1)


def test_a_refusal_of_every_call_that_nobody_knows_stops_after_few_calls() -> None:
    bench = Bench(lambda _method, _url, _body: (403, b'[{"errorCode": "FORBIDDEN"}]'))
    outcomes: list[WriteOutcome] = []

    with pytest.raises(HaltError):
        outcomes.extend(bench.writer.apply(writes(200), ["Phone"]))

    assert bench.http.calls <= MOST_CALLS
    assert WriteResult.REJECTED not in results(outcomes)


@pytest.mark.parametrize("code", ["REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG"])
def test_a_call_that_the_org_refuses_with_an_error_of_its_own_stops_at_once(code: str) -> None:
    body = json.dumps([{"errorCode": code, "message": "no"}]).encode()
    bench = Bench(lambda _method, _url, _body: (403, body))

    with pytest.raises(HaltError):
        bench.apply(200)
    assert bench.http.calls == 1


def test_a_field_that_is_described_differently_stops_the_writes_after_one_call() -> None:
    org = Org(lambda _sent, _call: {"1": ("INVALID_FIELD", "No such column")})
    bench = Bench(org.answer, redescribed=True)
    outcomes: list[WriteOutcome] = []

    with pytest.raises(UnknownFieldError):
        outcomes.extend(bench.writer.apply(writes(3), ["Phone"]))

    assert results(outcomes) == [WriteResult.DONE, WriteResult.RETRY, WriteResult.DONE]
    assert (org.sizes, bench.described) == ([3], 1)


def test_an_error_behind_the_last_outcome_is_raised_by_the_next_writes() -> None:
    org = Org(lambda _sent, _call: {"1": ("INVALID_FIELD", "No such column")})
    bench = Bench(org.answer, redescribed=True)
    some = writes(3)
    for _write, _outcome in zip(some, bench.writer.apply(some, ["Phone"]), strict=False):
        pass

    with pytest.raises(UnknownFieldError):
        bench.apply(3)
    assert results(bench.apply(1)) == [WriteResult.DONE]


def test_a_value_of_a_wrong_type_is_found_where_the_describe_is_the_same() -> None:
    def answer(_method: str, _url: str, body: Any) -> tuple[int, bytes]:
        if any(record["Phone"] == "5" for record in body["records"]):
            return 400, b'[{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize"}]'
        items = [{"success": True, "id": LEAD, "errors": []} for _ in body["records"]]
        return 200, json.dumps(items).encode()

    bench = Bench(answer)

    outcomes = bench.apply(200)

    refused = [at for at, it in enumerate(outcomes) if it.result is WriteResult.REJECTED]
    assert refused == [5]
    assert bench.http.calls <= 1 + 2 * 8
    assert bench.documents.stored == {}


LEAD = "00Q000000000001AAA"


def test_where_no_record_can_be_saved_the_calls_are_few_and_most_records_wait() -> None:
    org = Org(lambda sent, _call: all_of(sent, TRIGGER, "boom"))
    bench = Bench(org.answer)

    outcomes = bench.apply(400)

    assert results(outcomes).count(WriteResult.REJECTED) <= 7
    assert results(outcomes).count(WriteResult.RETRY) >= 393
    assert len(org.sizes) <= 60


def test_a_deadline_without_an_end_allows_every_call() -> None:
    assert no_deadline().allows(math.inf)
