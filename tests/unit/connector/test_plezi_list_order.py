"""The order of Plezi's list: a later page newest first that has only later stamps."""

from __future__ import annotations

from typing import Any

import pytest

from connector.plezi.api import PleziResponse
from connector.plezi.api_dialect import PleziDialect
from connector.plezi.contact_codec import ContactCodec
from connector.plezi.list_order import ListOrder
from connector.plezi.list_position import Position
from connector.plezi.list_rows import ListRows

BEFORE = "2026-01-01T00:00:00.000Z"
CHANGED = "2026-01-02T00:00:00.000Z"
LATER = "2026-01-03T00:00:00.000Z"


def contact(stamp: str) -> dict[str, Any]:
    return {"id": stamp, "type": "contacts", "attributes": {"updated_at": stamp}}


@pytest.mark.parametrize(("first", "is_broken"), [(BEFORE, True), (CHANGED, False), (LATER, False)])
def test_a_later_page_with_later_stamps_is_in_order_where_the_first_contact_is_as_late(
    first: str, *, is_broken: bool
) -> None:
    requests: list[Position] = []

    def ask(position: Position, /, *, direction: str = "") -> PleziResponse:
        assert not direction
        requests.append(position)
        return PleziResponse({"data": [contact(first)]}, {})

    order = ListOrder(ask, ListRows(ContactCodec(PleziDialect())), is_known=False)
    position = Position(BEFORE, page=3, descending=True, usual_size=10, oldest=BEFORE)

    assert order.is_broken(position, [contact(CHANGED), contact(CHANGED)]) is is_broken
    assert [(each.page, each.page_size, each.descending) for each in requests] == [(1, 1, True)]
    assert not order.is_broken(position, [contact(CHANGED), contact(BEFORE)])
