"""Look-ups: few calls, all pages, and one failing query fails nobody else."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.deadline import Deadline, DeadlineError
from connector.errors import RetryError, UnknownFieldError
from connector.model import Cursor, Observation, RecordKind
from connector.salesforce.lookup_queries import MAX_URL_BYTES
from tests.unit.connector.salesforce_fakes import AnsweringSession, reader

BUSY = (400, [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running"}])


def row(email: str, at: int = 1) -> dict[str, Any]:
    return {
        "Id": f"00Q{at:015d}", "Email": email, "IsDeleted": False, "IsConverted": False,
        "SystemModstamp": "2026-11-25T10:00:00.000+0000",
        "LastModifiedDate": "2026-11-25T10:00:00.000+0000", "MasterRecordId": None,
        "ConvertedContactId": None, "Phone": None, "plezi_url__c": None,
    }  # fmt: skip


class Queries:
    """Answers composite calls query by query; `fails` decides by the statement."""

    def __init__(self, fails: Any = lambda _soql: None) -> None:
        self._fails = fails
        self.statements: list[str] = []
        self.calls = 0

    def answer(self, method: str, url: str, body: Any) -> tuple[int, bytes]:
        self.calls += 1
        if "/query/01g" in url:
            return 200, json.dumps(
                {"records": [row("later@example.com", 2)], "done": True}
            ).encode()
        if method == "GET":
            [soql] = parse_qs(urlsplit(url).query)["q"]
            return 200, json.dumps(self._page(soql)).encode()
        parts = [self._part(part["url"]) for part in body["compositeRequest"]]
        assert len(parts) <= 5
        return 200, json.dumps({"compositeResponse": parts}).encode()

    def _part(self, url: str) -> dict[str, Any]:
        assert len(url.encode()) <= MAX_URL_BYTES + 100
        [soql] = parse_qs(urlsplit(url).query)["q"]
        self.statements.append(soql)
        if (failure := self._fails(soql)) is not None:
            status, content = failure
            return {"httpStatusCode": status, "body": content}
        return {"httpStatusCode": 200, "body": self._page(soql)}

    def _page(self, soql: str) -> dict[str, Any]:
        emails = re.findall(r"'(\S+?@example.com)'", soql) if "FROM Lead" in soql else []
        rows = [row(email, int(re.sub(r"\D", "", email) or 1)) for email in emails]
        return {"records": rows, "done": True}


def people(number: int) -> tuple[list[str], list[str]]:
    emails = [f"first.last{at:04}+x@example.com" for at in range(number)]
    pages = [f"https://app.plezi.co/contacts/0123456789abcdef0123{at:04}" for at in range(number)]
    return emails, pages


def test_a_thousand_new_people_need_two_calls() -> None:
    queries = Queries()
    some_reader, _ = reader(queries.answer)
    emails, pages = people(1000)

    found = some_reader.look_up([], emails, pages)

    assert {each.email for each in found.observations} == set(emails)
    assert queries.calls == 2


def test_two_hundred_new_people_and_their_pages_need_one_call() -> None:
    queries = Queries()
    some_reader, _ = reader(queries.answer)

    some_reader.look_up([], *people(200))

    assert queries.calls == 1


def test_every_value_is_asked_for_exactly_once() -> None:
    queries = Queries()
    some_reader, _ = reader(queries.answer)
    emails, _ = people(700)
    strange = [
        "o'brien@example.com",
        "a&b=c#d%e@example.com",
        "é@example.com",
        "\ud800@example.com",
    ]

    some_reader.look_up([], [*emails, *emails, *strange, "x" * 5000], [])

    statement = "".join(soql for soql in queries.statements if "FROM Lead" in soql)
    assert all(statement.count(f"'{email}'") == 1 for email in emails)
    assert r"'o\'brien@example.com'" in statement
    assert "'a&b=c#d%e@example.com'" in statement
    assert "'é@example.com'" in statement
    assert "\ud800" not in statement
    assert "xxxx" not in statement


def test_the_pages_of_a_large_result_are_all_read() -> None:
    class LargeResult(Queries):
        def _page(self, soql: str) -> dict[str, Any]:
            page = super()._page(soql)
            if "FROM Lead" in soql:
                next_page = {"done": False, "nextRecordsUrl": "/services/data/v64.0/query/01g-2000"}
                return page | next_page
            return page

    some_reader, _ = reader(LargeResult().answer)

    found = some_reader.look_up([], ["1@example.com"])

    assert {each.email for each in found.observations} == {"1@example.com", "later@example.com"}


def test_one_value_that_salesforce_cannot_look_up_is_a_problem_of_its_record_alone() -> None:
    bad = "first.last0333+x@example.com"
    queries = Queries(lambda soql: BUSY if bad in soql and "FROM Lead" in soql else None)
    some_reader, _ = reader(queries.answer)
    emails, pages = people(1000)

    found = some_reader.look_up([], emails, pages)

    assert {each.email for each in found.observations} == set(emails) - {bad}
    assert [(each.kind, each.email) for each in found.problems] == [(RecordKind.LEAD, bad)]
    assert queries.calls <= 2 + 10


def test_a_query_that_fails_once_is_repeated_in_halves() -> None:
    failures = [BUSY]
    queries = Queries(lambda _soql: failures.pop() if failures else None)
    some_reader, _ = reader(queries.answer)
    emails, pages = people(1000)

    found = some_reader.look_up([], emails, pages)

    assert {each.email for each in found.observations} == set(emails)
    assert found.problems == ()


def test_a_record_whose_query_fails_does_not_count_as_deleted() -> None:
    known = [
        Observation(RecordKind.LEAD, f"00Q{at:015d}", f"{at}@example.com", "", "", 0.0, {})
        for at in (1, 2)
    ]
    queries = Queries(lambda soql: BUSY if known[0].id in soql else None)
    bin_page = json.dumps({"records": [{"Id": known[1].id}], "done": True}).encode()
    some_reader, _ = reader(
        lambda method, url, body: (
            (200, bin_page) if "/queryAll/" in url else queries.answer(method, url, body)
        )
    )

    found = some_reader.look_up(known, ["new@example.com"])

    assert found.deleted == frozenset({known[1].id})
    assert [(each.record_id, each.email) for each in found.problems] == [
        (known[0].id, "1@example.com")
    ]


def test_a_look_up_of_which_nothing_is_answered_is_given_up_soon() -> None:
    queries = Queries(lambda _soql: BUSY)
    some_reader, _ = reader(queries.answer)

    with pytest.raises(RetryError):
        some_reader.look_up([], *people(1000))
    assert queries.calls <= 10


def test_a_field_that_salesforce_does_not_know_is_reported_at_once() -> None:
    unknown = (400, [{"errorCode": "INVALID_FIELD", "message": "No such column"}])
    queries = Queries(lambda _soql: unknown)
    some_reader, _ = reader(queries.answer)

    with pytest.raises(UnknownFieldError):
        some_reader.look_up([], *people(1000))
    assert queries.calls == 1


@pytest.mark.parametrize("content", [{}, {"compositeResponse": None}, {"compositeResponse": []}, 5])
def test_a_composite_answer_that_cannot_be_used_is_an_unavailable_salesforce(
    content: object,
) -> None:
    some_reader, _ = reader(lambda _m, _u, _b: (200, json.dumps(content).encode()))

    with pytest.raises(RetryError):
        some_reader.look_up([], *people(3))


def test_no_read_begins_when_its_time_is_not_left() -> None:
    deadline = Deadline(lambda: 0.0)
    deadline.start(remaining=15)
    queries = Queries()
    some_reader, http = reader(queries.answer, deadline=deadline)

    with pytest.raises(DeadlineError):
        some_reader.look_up([], ["1@example.com"])
    with pytest.raises(DeadlineError):
        list(some_reader.read(Cursor(RecordKind.LEAD, next_watermark="x", started_at=1.0)))
    assert isinstance(http, AnsweringSession)
    assert http.calls == 0
