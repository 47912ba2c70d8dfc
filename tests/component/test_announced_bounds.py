"""Announced bounds: a run stops before it overwrites more than was announced (M5, L11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connector.errors import StopReason
from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair, MappingConfig
from connector.model import ChangeHint, HintResult, Run, RunKind, RunState
from connector.planning.announced_changes import MAX_OVERWRITTEN_OF_LINK, ChangeLimits
from connector.sync.runs import SyncEngine
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness

PEOPLE = 24
TYPED = 15
LIMIT = 10
SHARED = "info@example.com"


def limit(harness: Harness, number: int = LIMIT, share: float = 0.0) -> None:
    """Let the worker have small limits."""
    limits = ChangeLimits(number, number, share)
    harness.context = replace(harness.context, change_limits=limits)
    harness.engine = SyncEngine(harness.context)


def map_description(harness: Harness, direction: Direction = Direction.BOTH) -> None:
    """Save a mapping that is new for everybody: function -> Description, Plezi wins."""
    pair = FieldPair("function", "Description", direction, ConflictPolicy.PLEZI_WINS)
    others = [each for each in DEFAULT_MAPPING.pairs if each.plezi != pair.plezi]
    mapping = MappingConfig(1, (*others, pair), DEFAULT_MAPPING.contact_filter)
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def add_people_with_descriptions(harness: Harness, typed: int = TYPED) -> None:
    """Add people whom both systems know; sales typed a description of some."""
    for number in range(PEOPLE):
        email = f"p{number:02d}@example.com"
        harness.add_person(email=email, last_name="Roi", company="Roi", function="web")
        fields = {"Description": f"typed {number}"} if number < typed else {}
        harness.add_lead(Email=email, LastName="Roi", Company="Roi", **fields)
    harness.sync()


def descriptions(harness: Harness) -> list[str]:
    found = harness.salesforce("GET", "query", q="SELECT Description FROM Lead")["records"]
    return sorted(each["Description"] or "" for each in found)


def typed_left(harness: Harness) -> int:
    return sum(each.startswith("typed") for each in descriptions(harness))


def preview(harness: Harness) -> Run:
    run, _ = harness.dry_run()
    assert run.state is RunState.DONE, run.message
    return run


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.TO_SALESFORCE])
def test_m5_a_new_pair_stops_before_it_overwrites_more_descriptions_than_the_limit(
    harness: Harness, admin_client: AdminClient, direction: Direction
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness, direction)
    limit(harness)

    run = harness.sync(kind=RunKind.FULL)

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_OVERWRITING)
    assert typed_left(harness) >= TYPED - LIMIT
    breaker = admin_client.request_ok("GET", "/admin/status")["breaker"]
    assert breaker["reason"] == "mass_overwriting"
    for part in ("Description", "Salesforce", "limit 10", "dry_run", "/admin/runs/ID/approve"):
        assert part in breaker["message"]
    assert harness.sync(kind=RunKind.FULL).state is RunState.HALTED


def test_m5_within_the_limit_the_new_pair_is_applied(harness: Harness) -> None:
    add_people_with_descriptions(harness, typed=LIMIT)
    map_description(harness)
    limit(harness)

    run = harness.sync(kind=RunKind.FULL)

    assert run.state is RunState.DONE, run.message
    assert typed_left(harness) == 0
    assert run.counts["salesforce"]["overwritten.Description"] == LIMIT


def test_m5_the_limit_is_a_share_of_all_people_where_that_is_more(harness: Harness) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness, number=1, share=TYPED / PEOPLE)

    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE
    assert typed_left(harness) == 0


def test_m5_an_approved_preview_allows_as_many_as_it_shows_and_no_more(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    harness.sync(kind=RunKind.FULL)
    run = preview(harness)
    assert run.counts["salesforce"]["overwritten.Description"] == TYPED

    approved = admin_client.request_ok("POST", f"/admin/runs/{run.id}/approve")

    assert approved["changes"]["salesforce"]["overwritten.Description"] == TYPED
    assert approved["until"] > harness.context.clock()
    assert admin_client.request_ok("GET", "/admin/status")["breaker"] is None
    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE
    assert typed_left(harness) == 0


def test_m5_a_run_stops_again_when_more_was_typed_than_the_preview_shows(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    run = preview(harness)
    admin_client.request_ok("POST", f"/admin/runs/{run.id}/approve")
    [lead] = harness.leads(f"p{TYPED:02d}@example.com")
    harness.edit_lead(lead["Id"], Description="typed after the preview")

    run = harness.sync(kind=RunKind.FULL)

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_OVERWRITING)
    assert typed_left(harness) == TYPED + 1


def test_m5_what_a_run_did_is_no_longer_allowed_for_the_next_one(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    run = preview(harness)
    admin_client.request_ok("POST", f"/admin/runs/{run.id}/approve")
    assert harness.sync(kind=RunKind.FULL).state is RunState.DONE
    for lead in harness.leads():
        email = lead["Email"]
        if email > f"p{TYPED:02d}":
            continue
        harness.edit_lead(lead["Id"], Description=f"typed again {email}")
        harness.edit_person(harness.people()[email]["id"], function="fair")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_OVERWRITING)
    assert typed_left(harness) == TYPED


def test_m5_an_approved_preview_is_out_of_date_after_four_hours(
    harness: Harness, admin_client: AdminClient
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    run = preview(harness)
    admin_client.request_ok("POST", f"/admin/runs/{run.id}/approve")
    harness.let_pass(4 * 3600 + 1)

    assert harness.sync(kind=RunKind.FULL).reason is StopReason.MASS_OVERWRITING
    assert admin_client.request("POST", f"/admin/runs/{run.id}/approve").status == 409


def test_m5_only_a_dry_run_can_be_approved(harness: Harness, admin_client: AdminClient) -> None:
    run = harness.sync()

    assert admin_client.request("POST", f"/admin/runs/{run.id}/approve").status == 404
    assert admin_client.request("POST", "/admin/runs/none/approve").status == 404


def test_m5_people_whom_an_admin_named_have_no_limit(harness: Harness) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    emails = [f"p{number:02d}@example.com" for number in range(TYPED)]

    assert harness.sync(kind=RunKind.SELECTED, emails=emails).state is RunState.DONE

    assert typed_left(harness) == 0


def test_m5_what_earlier_invocations_of_a_run_overwrote_counts(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    monkeypatch.setattr("connector.sync.resolve_phase.UNIT_LINKS", 4)
    monkeypatch.setattr("connector.sync.resolve_phase.SMALL_REST", 0)

    run = harness.sync(lambda: True, kind=RunKind.FULL)

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_OVERWRITING)
    assert run.invocations > 2
    assert typed_left(harness) >= TYPED - LIMIT
    assert run.counts["salesforce"]["overwritten.Description"] == TYPED - typed_left(harness)


def test_m5_ordinary_edits_and_edits_of_a_one_way_pair_have_no_limit(harness: Harness) -> None:
    add_people_with_descriptions(harness, typed=0)
    map_description(harness, Direction.TO_SALESFORCE)
    harness.sync(kind=RunKind.FULL)
    limit(harness)
    people = harness.people()
    for lead in harness.leads():
        harness.edit_lead(lead["Id"], Description="typed", Phone="123")
        harness.edit_person(people[lead["Email"]]["id"], function="fair")

    assert harness.sync().state is RunState.DONE

    assert set(descriptions(harness)) == {"fair"}
    assert {each["phone"] for each in harness.people().values()} == {"123"}


def test_m5_forms_of_one_day_have_the_limit_together_and_leave_the_rest_to_the_next_run(
    harness: Harness,
) -> None:
    add_people_with_descriptions(harness, typed=0)
    map_description(harness)
    harness.sync(kind=RunKind.FULL)
    limit(harness)
    people = harness.people()
    for lead in harness.leads():
        if lead["Email"] < f"p{TYPED:02d}":
            harness.edit_lead(lead["Id"], Description="typed")
            harness.edit_person(people[lead["Email"]]["id"], function="fair")
    hints = [ChangeHint(f"t{it}", email=f"p{it:02d}@example.com") for it in range(TYPED)]

    results = [harness.engine.sync_contact(hint) for hint in hints]

    assert results == [HintResult.RESOLVED] * LIMIT + [HintResult.PAUSED] * (TYPED - LIMIT)
    assert typed_left(harness) == TYPED - LIMIT
    assert harness.ledger.breaker() is None
    assert harness.sync().state is RunState.DONE
    assert typed_left(harness) == 0


def test_m5_a_form_waits_while_the_breaker_of_a_mass_overwriting_is_open(harness: Harness) -> None:
    add_people_with_descriptions(harness)
    map_description(harness)
    limit(harness)
    harness.sync(kind=RunKind.FULL)
    email = next(it["Email"] for it in harness.leads() if it["Email"] < f"p{TYPED:02d}")
    before = typed_left(harness)

    assert harness.engine.sync_contact(ChangeHint("t", email=email)) is HintResult.PAUSED

    assert typed_left(harness) == before


# Several records of one address


def add_leads_of_one_address(harness: Harness, number: int) -> None:
    for each in range(number):
        harness.add_lead(Email=SHARED, LastName=f"Name {each:02d}")


def names(harness: Harness) -> set[str]:
    return {lead["LastName"] for lead in harness.leads(SHARED)}


@pytest.mark.parametrize("number", [MAX_OVERWRITTEN_OF_LINK + 2, 19, 20, 21, 60])
def test_l11_leads_of_one_address_with_as_many_names_are_listed_and_keep_them(
    harness: Harness, admin_client: AdminClient, number: int
) -> None:
    add_leads_of_one_address(harness, number)
    typed = names(harness)
    assert len(typed) == number

    assert harness.sync().state is RunState.DONE

    assert names(harness) == typed
    assert SHARED not in harness.people()
    [listed] = admin_client.request_ok("GET", "/admin/attention", kind="shared")["people"]
    assert listed["email"] == SHARED
    harness.mark()
    assert harness.sync().state is RunState.DONE
    assert harness.calls("plezi")["writes"] == harness.calls("salesforce")["writes"] == 0


def test_l11_a_few_leads_of_one_person_are_mirrored_and_each_record_counts(
    harness: Harness,
) -> None:
    add_leads_of_one_address(harness, MAX_OVERWRITTEN_OF_LINK + 1)

    run = harness.sync()

    assert run.state is RunState.DONE
    assert len(names(harness)) == 1
    assert run.counts["salesforce"]["overwritten.LastName"] == MAX_OVERWRITTEN_OF_LINK


def test_l11_many_addresses_with_a_few_leads_each_stop_the_run_by_their_records(
    harness: Harness,
) -> None:
    limit(harness)
    for address in range(4):
        for each in range(4):
            harness.add_lead(Email=f"a{address}@example.com", LastName=f"Name {each}")

    run = harness.sync()

    assert (run.state, run.reason) == (RunState.HALTED, StopReason.MASS_OVERWRITING)
    assert len({(it["Email"], it["LastName"]) for it in harness.leads()}) == 16


@pytest.mark.parametrize("number", [19, 20])
def test_l11_an_admin_who_names_the_address_lets_its_records_be_equal(
    harness: Harness, number: int
) -> None:
    add_leads_of_one_address(harness, number)
    harness.sync()

    run: Any = harness.sync(kind=RunKind.SELECTED, emails=[SHARED])

    assert run.state is RunState.DONE
    assert len(names(harness)) == 1
    assert harness.people()[SHARED]["last_name"] in names(harness)
