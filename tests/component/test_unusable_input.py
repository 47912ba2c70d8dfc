"""One unusable value or one unreadable contact stops nobody else (field cases S3, S4 and S5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws
from werkzeug.test import run_wsgi_app

from connector.http_session import HttpSession
from connector.mapping import DEFAULT_MAPPING, Direction, FieldPair
from connector.model import ProblemCode, RunState, Side
from local.serving import InProcessAdapter
from tests.component.harness import REGION, Harness

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ANA, BOB, EVE = "ana@example.com", "bob@example.com", "eve@example.com"
Damage = Callable[[dict[str, Any]], None]


class DamagedAnswers:
    """The simulated tenant behind a network that damages the list of contacts."""

    def __init__(self, tenant: WSGIApplication) -> None:
        self._tenant = tenant
        self.damage: Damage | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chunks, status, headers = run_wsgi_app(self._tenant, environ, buffered=True)
        body = b"".join(chunks)
        is_list = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/contacts")
        if self.damage is not None and is_list:
            document = json.loads(body)
            self.damage(document)
            body = json.dumps(document).encode()
            headers["Content-Length"] = str(len(body))
        start_response(status, list(headers.items()))
        return [body]


class DamagedHarness(Harness):
    """A harness whose Plezi can answer anything."""

    def __init__(self) -> None:
        self.answers: DamagedAnswers | None = None
        super().__init__()

    def http(self, side: Side, *, authority: str = "") -> HttpSession:
        session = super().http(side, authority=authority)
        if side is Side.PLEZI:
            self.answers = self.answers or DamagedAnswers(self.tenant)
            session.mount("https://", InProcessAdapter(self.answers))
        return session

    def damage(self, damage: Damage | None) -> None:
        """Damage the documents of the list of contacts from now on."""
        assert self.answers is not None
        self.answers.damage = damage


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> Iterator[DamagedHarness]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield DamagedHarness()


def add_pair(harness: Harness, pair: FieldPair, attribute_type: str) -> None:
    """Create the attribute of a pair in Plezi, and add the pair to the mapping."""
    body = {"name": pair.plezi, "type": attribute_type}
    harness.control("plezi", "POST", "attributes", body)
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=(*DEFAULT_MAPPING.pairs, pair))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


SIZE = FieldPair("size", "employees__c", Direction.BOTH)
VISIT = FieldPair("visit", "last_visit__c", Direction.BOTH)
VISIT_NOTE = FieldPair("visit_note", "last_visit__c", Direction.TO_PLEZI)
UNUSABLE = [
    pytest.param(SIZE, "number", int("9" * 30), id="a number of 30 digits"),
    pytest.param(VISIT, "datetime", "1200-01-01T00:00:00.000Z", id="a time before 1700"),
]


@pytest.mark.parametrize(("pair", "kind", "value"), UNUSABLE)
def test_an_unusable_value_waits_and_everything_else_arrives(
    harness: Harness, pair: FieldPair, kind: str, value: Any
) -> None:
    add_pair(harness, pair, kind)
    harness.add_person(email=ANA, last_name="Lopez", phone="111", **{pair.plezi: value})
    harness.add_person(email=BOB, last_name="Martin")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert {lead["Email"] for lead in harness.leads()} == {ANA, BOB}
    assert harness.leads(ANA)[0]["Phone"] == "111"


@pytest.mark.parametrize(("pair", "kind", "value"), UNUSABLE)
def test_an_unusable_value_is_in_quarantine_with_its_field_and_remedy(
    harness: Harness, pair: FieldPair, kind: str, value: Any
) -> None:
    add_pair(harness, pair, kind)
    person = harness.add_person(email=ANA, last_name="Lopez", **{pair.plezi: value})
    harness.sync()
    harness.sync()

    quarantine = harness.ledger.load_links([ANA])[ANA].quarantine
    assert quarantine is not None
    assert quarantine.code == ProblemCode.UNUSABLE_VALUE
    assert quarantine.fields == (pair.salesforce,)
    assert f"correct {pair.plezi} in Plezi" in quarantine.remedy

    harness.edit_person(person, **{pair.plezi: None})
    harness.sync()
    assert harness.ledger.load_links([ANA])[ANA].quarantine is None


@pytest.mark.parametrize(("pair", "kind", "value"), UNUSABLE)
def test_a_dry_run_with_an_unusable_value_is_done(
    harness: Harness, pair: FieldPair, kind: str, value: Any
) -> None:
    add_pair(harness, pair, kind)
    harness.add_person(email=ANA, last_name="Lopez", **{pair.plezi: value})

    run, entries = harness.dry_run()

    assert run.state is RunState.DONE, run.message
    assert {entry.email for entry in entries} == {ANA}


def test_an_early_time_in_a_text_attribute_stops_nobody(harness: Harness) -> None:
    add_pair(harness, VISIT_NOTE, "text")
    harness.add_person(email=ANA, last_name="Lopez", visit_note="0001-01-01T00:00:00+01:00")
    harness.add_person(email=BOB, last_name="Martin")

    run = harness.sync()

    assert run.state is RunState.DONE, run.message
    assert {lead["Email"] for lead in harness.leads()} == {ANA, BOB}


def _contact_of(document: dict[str, Any], email: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = document.get("data") or []
    return next((row for row in rows if row["attributes"]["email"] == email), None)


def nothing(_document: dict[str, Any]) -> None:
    """Show every contact as it is."""


def attributes_as_text(document: dict[str, Any]) -> None:
    if row := _contact_of(document, EVE):
        row["attributes"] = "text"


def id_as_object(document: dict[str, Any]) -> None:
    if row := _contact_of(document, EVE):
        row["id"] = {}


DAMAGES = pytest.mark.parametrize("damage", [attributes_as_text, id_as_object])


@DAMAGES
def test_an_unreadable_contact_waits_and_all_others_arrive(
    damaged: DamagedHarness, damage: Damage
) -> None:
    for email in (ANA, EVE, BOB):
        damaged.add_person(email=email, last_name="Lopez")
    damaged.damage(damage)

    run = damaged.sync()

    assert run.state is RunState.DONE, run.message
    assert {lead["Email"] for lead in damaged.leads()} == {ANA, BOB}


def test_an_unreadable_contact_is_in_quarantine(damaged: DamagedHarness) -> None:
    damaged.add_person(email=EVE, last_name="Lopez")
    damaged.sync()
    damaged.edit_person(damaged.people()[EVE]["id"], phone="1")
    damaged.damage(attributes_as_text)
    damaged.sync()

    quarantine = damaged.ledger.load_links([EVE])[EVE].quarantine
    assert quarantine is not None
    assert quarantine.code == ProblemCode.UNREADABLE_RECORD


def test_an_unreadable_contact_stays_in_quarantine_when_its_lead_is_edited(
    damaged: DamagedHarness,
) -> None:
    damaged.add_person(email=EVE, last_name="Lopez")
    damaged.sync()
    damaged.edit_person(damaged.people()[EVE]["id"], phone="1")
    damaged.damage(attributes_as_text)
    damaged.sync()

    damaged.edit_lead(damaged.leads()[0]["Id"], Title="Boss")
    damaged.sync()

    quarantine = damaged.ledger.load_links([EVE])[EVE].quarantine
    assert quarantine is not None
    assert quarantine.code == ProblemCode.UNREADABLE_RECORD


def test_a_quarantine_ends_when_the_contact_can_be_read_again(damaged: DamagedHarness) -> None:
    damaged.add_person(email=EVE, last_name="Lopez")
    damaged.sync()
    person = damaged.people()[EVE]["id"]
    damaged.edit_person(person, phone="1")
    damaged.damage(attributes_as_text)
    damaged.sync()

    damaged.damage(nothing)
    damaged.edit_person(person, phone="2")
    damaged.sync()

    assert damaged.ledger.load_links([EVE])[EVE].quarantine is None
    assert damaged.leads()[0]["Phone"] == "2"


def test_a_quarantine_ends_when_the_contact_is_as_it_was(damaged: DamagedHarness) -> None:
    damaged.add_person(email=EVE, last_name="Lopez")
    damaged.sync()
    person = damaged.people()[EVE]["id"]
    damaged.edit_person(person, last_name="Lopez")
    damaged.damage(attributes_as_text)
    damaged.sync()

    damaged.damage(nothing)
    damaged.edit_person(person, last_name="Lopez")
    damaged.sync()

    assert damaged.ledger.load_links([EVE])[EVE].quarantine is None


def test_no_contact_is_created_beside_one_that_cannot_be_read(damaged: DamagedHarness) -> None:
    damaged.add_person(email=EVE, last_name="Lopez")
    damaged.damage(attributes_as_text)
    damaged.add_lead(Email=EVE, Phone="1")
    damaged.mark()

    damaged.sync()

    assert damaged.calls("plezi")["writes"] == 0
