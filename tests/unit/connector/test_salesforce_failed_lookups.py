"""Values whose look-up failed are looked up last, and apart from all others."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.deadline import Deadline, DeadlineError
from connector.errors import RetryError
from connector.model import LookupResult, RecordKind
from connector.salesforce.failed_lookups import FAILED_KEY, MAX_VALUES
from tests.unit.connector.salesforce_fakes import Documents, reader
from tests.unit.connector.test_salesforce_look_ups import BUSY, Queries

BAD = "p17@example.com"
EMAILS = [f"p{at:02}@example.com" for at in range(60)]
NOW = 1_795_000_000.0


class Org:
    """Answers look-ups; each query for a bad e-mail of a Lead fails after some seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.now = NOW
        self.seconds = seconds
        self.bad = [BAD]
        self.is_down = False
        self.documents = Documents()
        self.statements: list[list[str]] = []
        self._queries = Queries(self._failure)

    def _failure(self, soql: str) -> Any:
        if not any(email in soql for email in self.bad) or "FROM Lead" not in soql:
            return None
        self.now += self.seconds
        return BUSY

    def _answer(self, method: str, url: str, body: Any) -> tuple[int, bytes]:
        urls = [url] if method == "GET" else [it["url"] for it in body["compositeRequest"]]
        statements = [parse_qs(urlsplit(each).query)["q"][0] for each in urls]
        self.statements.append(statements)
        if self.is_down:
            return 503, b"[]"
        if method == "GET" and self._failure(statements[0]):
            return BUSY[0], json.dumps(BUSY[1]).encode()
        return self._queries.answer(method, url, body)

    def look_up(self, remaining: float = 300.0) -> LookupResult:
        """Look the people up in a new process, in an invocation of some seconds."""
        deadline = Deadline(lambda: self.now)
        deadline.start(remaining=remaining)
        self.statements.clear()
        some_reader, _ = reader(
            self._answer, deadline=deadline, documents=self.documents, clock=lambda: self.now
        )
        return some_reader.look_up([], EMAILS)

    def groups(self) -> list[Any]:
        groups: list[Any] = self.documents.stored.get(FAILED_KEY, {}).get("groups", [])
        return groups


def found(result: LookupResult) -> set[str]:
    return {each.email for each in result.observations}


def test_an_email_that_failed_is_asked_for_last_and_alone_in_the_next_look_up() -> None:
    org = Org()
    org.look_up()

    result = org.look_up()

    assert found(result) == set(EMAILS) - {BAD}
    assert [(each.kind, each.email) for each in result.problems] == [(RecordKind.LEAD, BAD)]
    is_guilty = [any(BAD in it and "FROM Lead" in it for it in call) for call in org.statements]
    first = is_guilty.index(True)
    assert first > 0
    assert all(len(call) == 1 for call in org.statements[first:])
    assert not any("p16@" in it for call in org.statements[first:] for it in call)


@pytest.mark.parametrize("seconds", [60, 110])
def test_a_slow_email_is_alone_after_few_look_ups_and_delays_the_others_once(
    seconds: float,
) -> None:
    org = Org(seconds)
    results = []
    for _ in range(5):
        try:
            results.append(org.look_up())
        except DeadlineError:
            assert not results  # only the first look-up may have no time for the others
        org.now += 1000

    assert len(results) >= 4
    assert len(found(results[0])) >= 30
    assert found(results[-1]) == set(EMAILS) - {BAD}
    assert {each.email for each in results[-1].problems} == {BAD}


def test_a_query_that_takes_all_the_time_of_an_invocation_is_remembered() -> None:
    org = Org(295)
    for _ in range(8):
        with suppress(DeadlineError):
            org.look_up()
        org.now += 1000

    result = org.look_up()

    assert found(result) == set(EMAILS) - {BAD}
    assert {each.email for each in result.problems} == {BAD}


def test_values_without_time_for_them_are_problems_and_nothing_is_raised() -> None:
    org = Org(110)
    with pytest.raises(DeadlineError):
        org.look_up()

    result = org.look_up(remaining=135)  # one slow call

    assert BAD in {each.email for each in result.problems}
    assert found(result) | {each.email for each in result.problems} == set(EMAILS)
    assert found(result)
    assert result.deleted == frozenset()


def test_a_value_that_is_answered_again_is_forgotten() -> None:
    org = Org()
    org.look_up()
    assert org.groups()
    org.bad.clear()

    result = org.look_up()

    assert found(result) == set(EMAILS)
    assert org.groups() == []


def test_a_failed_value_is_forgotten_after_a_day() -> None:
    org = Org()
    org.look_up()
    org.now += 25 * 3600

    org.look_up()

    assert len(org.statements[0]) == 2  # the Leads and the Contacts of all e-mails together
    assert BAD in org.statements[0][0]


def test_no_email_is_stored() -> None:
    org = Org()
    org.look_up()

    assert "@" not in json.dumps(org.documents.stored)


def test_an_org_that_answers_nothing_makes_no_value_a_failed_one() -> None:
    org = Org()
    org.is_down = True

    with pytest.raises(RetryError):
        org.look_up()

    assert org.groups() == []


def test_an_org_that_goes_down_before_the_failed_values_is_unavailable() -> None:
    org = Org()
    org.look_up()
    org.is_down = True

    with pytest.raises(RetryError):
        org.look_up()


@pytest.mark.parametrize(
    "stored", [{}, {"groups": 5}, {"groups": [5, {}, {"keys": [], "at": NOW}, {"keys": ["a"]}]}]
)
def test_a_document_that_cannot_be_used_is_ignored(stored: dict[str, Any]) -> None:
    org = Org()
    org.documents.stored[FAILED_KEY] = stored

    assert found(org.look_up()) == set(EMAILS) - {BAD}


def test_few_values_are_remembered() -> None:
    org = Org()
    groups = [{"keys": [f"{at}-{n}" for n in range(500)], "at": NOW} for at in range(10)]
    org.documents.stored[FAILED_KEY] = {"groups": groups}

    org.look_up()

    assert sum(len(group["keys"]) for group in org.groups()) <= MAX_VALUES
    assert len(org.groups()[-1]["keys"]) == 1  # the newest is kept
