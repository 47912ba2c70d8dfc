"""The attributes that Plezi describes: a change during a run, and a very long list of options."""

from __future__ import annotations

import uuid
from typing import Any

from werkzeug.wrappers import Request, Response

from connector.mapping import Direction, FieldPair
from connector.model import AttentionKind, RunState, Side
from tests.component.altered_answers import (
    alter_answers,
    edit_json,
    json_answer,
    let_hours_pass,
)
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA, BOB
from tests.component.test_unusable_input import add_pair

SIZE = FieldPair("size", "Fax", Direction.BOTH)
PEOPLE = 12


def describes_attributes(request: Request) -> bool:
    return request.path.endswith("/contact_attributes")


class Tenant:
    """Answers for a tenant that takes no text for one attribute, and counts."""

    def __init__(self, *, changes_type: bool) -> None:
        self._changes_type = changes_type
        self.refused = 0
        self.described = 0

    def before(self, request: Request) -> Response | None:
        self.described += describes_attributes(request)
        if request.method != "PUT":
            return None
        data = request.get_json()["data"]
        if isinstance(data["attributes"].get(SIZE.plezi), str):
            self.refused += 1
            return json_answer({"errors": [{"detail": "size is not a number"}]}, 422)
        return json_answer({"data": data})

    def after(self, request: Request, response: Response) -> None:
        if describes_attributes(request) and self._changes_type:
            edit_json(response, self._change_type)

    @staticmethod
    def _change_type(document: Any) -> None:
        for row in document["data"]:
            if row["attributes"]["name"] == SIZE.plezi:
                row["attributes"]["type"] = "number"


def edit_everybody(harness: Harness, *, changes_type: bool) -> Tenant:
    """Let Plezi refuse the text of an attribute that is edited on every Lead."""
    add_pair(harness, SIZE, "text")
    for number in range(PEOPLE):
        harness.add_person(email=f"p{number:03}@example.com", last_name="Name", size="1")
    harness.sync()
    tenant = Tenant(changes_type=changes_type)
    alter_answers(harness, Side.PLEZI, tenant.before, tenant.after)
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Fax="42")
    harness.sync()
    return tenant


def quarantined(harness: Harness) -> int:
    return len(list(harness.ledger.emails_needing_attention(AttentionKind.QUARANTINE, 100)))


def test_an_attribute_that_changed_its_type_is_described_again_after_the_first_refusal(
    harness: Harness,
) -> None:
    tenant = edit_everybody(harness, changes_type=True)

    assert tenant.refused <= 2
    assert quarantined(harness) == 0


def test_refusals_of_unchanged_attributes_describe_them_once(harness: Harness) -> None:
    tenant = edit_everybody(harness, changes_type=False)

    assert (tenant.refused, tenant.described) == (PEOPLE, 1)
    assert quarantined(harness) == PEOPLE


def test_attributes_that_are_too_large_to_be_stored_do_not_end_the_run(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    options = [{"key": uuid.uuid4().hex} for _ in range(30_000)]
    site = {"name": "site", "type": "list", "options": options}
    row = {"type": "attributes", "id": "site", "attributes": site}

    def after(request: Request, response: Response) -> None:
        if describes_attributes(request):
            edit_json(response, lambda document: document["data"].append(row))

    alter_answers(harness, Side.PLEZI, after=after)

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert len(harness.leads(ANA)) == 1


def test_a_list_of_attributes_that_fails_for_hours_stops_nobody(harness: Harness) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()

    def before(request: Request) -> Response | None:
        return json_answer({"errors": []}, 500) if describes_attributes(request) else None

    alter_answers(harness, Side.PLEZI, before)
    let_hours_pass(harness)
    harness.add_lead(Email=BOB, LastName="Roi")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert set(harness.people()) == {ANA, BOB}
