"""When the integration user's password was changed, in any answer of Salesforce."""

from __future__ import annotations

import pytest

from connector.salesforce.auth.password import password_changed_at
from connector.salesforce.connection import Connection


class AnsweringConnection(Connection):
    """A connection that answers every query in one way."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def read(self, path: str, **options: object) -> object:  # noqa: ARG002  # as the base
        return self._answer


def test_the_time_of_the_answer_is_returned() -> None:
    row = {"LastPasswordChangeDate": "2026-11-01T00:00:10.000+0000"}

    assert password_changed_at(AnsweringConnection({"records": [row]}), "u") == 1793491210.0


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"records": None},
        {"records": []},
        {"records": [None]},
        {"records": [{}]},
        {"records": [{"LastPasswordChangeDate": None}]},
        {"records": [{"LastPasswordChangeDate": 5}]},
        {"records": [{"LastPasswordChangeDate": "yesterday"}]},
        {"records": [{"LastPasswordChangeDate": "0001-01-01T00:00:00+23:59"}]},
    ],
)
def test_an_answer_without_a_usable_time_is_not_known(answer: object) -> None:
    assert password_changed_at(AnsweringConnection(answer), "u") is None
