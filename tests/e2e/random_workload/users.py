"""The users of both systems: they create people and edit them through the simulators' control API.

Each typing is noted with what the record showed the user before. What a system refuses has no
effect, and is counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

import requests

from local.actors import API
from tests.e2e.random_workload.evidence import Typing
from tests.e2e.random_workload.fields import (
    EMAIL,
    MEANINGS,
    OPT_OUT,
    PLEZI,
    REQUIRED,
    SALESFORCE,
    SIDES,
    Kind,
    Meaning,
    canonical,
    typed_value,
)

NAME: Final = "walk"
"""What all e-mails of the workload start with."""
PAGE_URL: Final = "plezi_url__c"
"""The field of a Lead with the address of the contact's page: it links the two records."""
FIELDS_OF_A_NEW_PERSON: Final = ("first_name", "last_name", "company", "phone")
FORM_FIELDS: Final = (
    "first_name", "company", "phone", "mobile", "birthdate", "employees", "segment", "interests",
)  # fmt: skip
ACTS: Final = (
    ("edit", 60), ("edit_several", 8), ("clear", 9), ("opt_out", 4), ("opt_in", 3),
    ("change_email", 3), ("form", 5), ("edit_both_sides", 8),
)  # fmt: skip
"""What users do, with weights."""


@dataclass
class Person:
    """One person: the first e-mail, and the ids of the records ('': none is known yet)."""

    number: int
    email: str
    plezi: str = ""
    lead: str = ""

    def record(self, side: str) -> str:
        """Return the id of the record on one side."""
        return self.plezi if side == PLEZI else self.lead


class Sales(Protocol):
    """What users need of the org: its control API, and queries."""

    def simulate(self, method: str, path: str, body: object = None) -> Any:  # JSON
        """Call the simulator's control API and return its JSON."""

    def request(self, method: str, path: str, body: object = None, **params: str) -> Any:  # JSON
        """Call one REST resource and return its JSON."""


class Marketing(Protocol):
    """What users need of the tenant: its control API, and its forms."""

    def simulate(self, method: str, path: str, body: object = None) -> Any:  # JSON
        """Call the simulator's control API and return its JSON."""

    def submit_form(self, **fields: str) -> None:
        """Submit a form of the website, as a visitor."""

    def stored_contacts(self) -> dict[str, dict[str, Any]]:
        """Return all contacts as they are stored, by e-mail in lower case."""


class Users:
    """The users, and the notes of all that they typed."""

    def __init__(
        self,
        sales: Sales,
        marketing: Marketing,
        randomness: Random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sales, self._marketing = sales, marketing
        self._random = randomness
        self._clock = clock
        self._value = 0
        self.people: list[Person] = []
        self.typings: list[Typing] = []
        self.counted: Counter[str] = Counter()

    # Records

    def show(self, side: str, record: str) -> dict[str, Any]:
        """Return a record as its system shows it to a user."""
        if side == PLEZI:
            return dict(self._marketing.simulate("GET", f"contacts/{record}"))
        return dict(self._sales.simulate("GET", f"records/Lead/{record}"))

    def find(self, person: Person, side: str) -> str:
        """Return the id of a person's record; one that the connector created is looked up."""
        if not person.plezi and person.lead:
            url = self.show(SALESFORCE, person.lead).get(PAGE_URL) or ""
            person.plezi = str(url).rpartition("/")[2]
        if not person.lead and person.plezi:
            url = self.show(PLEZI, person.plezi)["url"]
            soql = f"SELECT Id FROM Lead WHERE {PAGE_URL} = '{url}'"  # a simulated org
            rows = self._sales.request("GET", "query", q=soql)["records"]
            person.lead = str(rows[0]["Id"]) if rows else ""
        return person.record(side)

    def all_records(self) -> Iterator[tuple[str, str]]:
        """Yield the id and the e-mail of every record whose e-mail is one of the workload."""
        for email, row in self._marketing.stored_contacts().items():
            if email.startswith(NAME):
                yield str(row["id"]), email
        soql = f"SELECT Id, Email FROM Lead WHERE Email LIKE '{NAME}%'"  # constant
        page = self._sales.request("GET", "query", q=soql)
        rows = page["records"]
        while not page["done"]:
            page = self._sales.request("GET", page["nextRecordsUrl"].partition(f"{API}/")[2])
            rows += page["records"]
        yield from ((str(row["Id"]), str(row["Email"]).lower()) for row in rows)

    # Typing

    def new_value(self, meaning: Meaning, side: str) -> Any:  # of any type
        """Return a value that nobody typed before, where the type has as many."""
        self._value += 1
        if meaning is EMAIL:
            return f"{NAME}{self._value:05d}@example.org"
        return typed_value(meaning.kind, self._value, side)

    def type(self, person: Person, side: str, values: Mapping[str, Any], how: str) -> int:
        """Type values in a record; return how many fields changed."""
        record = self.find(person, side)
        if not record:
            self.counted["no record yet"] += 1
            return 0
        body = {MEANINGS[name].name(side): value for name, value in values.items()}

        def save() -> str:
            if side == PLEZI:
                self._marketing.simulate("PATCH", f"contacts/{record}", body)
            else:
                self._sales.simulate("PATCH", f"records/Lead/{record}", {"values": body})
            return record

        return self._note(person, side, record, values, how, save)

    def _note(
        self,
        person: Person,
        side: str,
        record: str,
        values: Mapping[str, Any],
        how: str,
        save: Callable[[], str],
    ) -> int:
        """Look at the record, save, and note what was typed."""
        began = self._clock()
        shown = self.show(side, record) if record else {}
        try:
            record = save()
        except requests.HTTPError as error:
            self.counted[f"refused {error.response.status_code} {side} {sorted(values)}"] += 1
            return 0
        ended = self._clock()
        changed = 0
        for name, value in values.items():
            meaning = MEANINGS[name]
            before = canonical(meaning.kind, shown.get(meaning.name(side)))
            typed = canonical(meaning.kind, value)
            if typed == before:
                continue
            changed += 1
            self.typings.append(
                Typing(
                    len(self.typings), began, ended, person.number, side, record, name, typed,
                    before, how,
                )
            )  # fmt: skip
            self.counted[f"typed {meaning.kind.value}"] += 1
        if changed:
            self.counted[how] += 1
        return changed

    # What users do

    def create(self, sides: tuple[str, ...]) -> None:
        """Create a person on one side, or on both with different values."""
        person = Person(len(self.people), f"{NAME}{len(self.people):04d}@example.com")
        self.people.append(person)
        for side in sides:
            values = {"email": person.email}
            for name in FIELDS_OF_A_NEW_PERSON:
                values[name] = self.new_value(MEANINGS[name], side)
            body = {MEANINGS[name].name(side): value for name, value in values.items()}

            def save(side: str = side, body: Mapping[str, Any] = body) -> str:
                if side == PLEZI:
                    return str(self._marketing.simulate("POST", "contacts", body)["id"])
                return str(self._sales.simulate("POST", "records/Lead", {"values": body})["id"])

            self._note(person, side, "", values, "creation", save)
            record = self.typings[-1].record
            if side == PLEZI:
                person.plezi = record
            else:
                person.lead = record

    def create_by_form(self) -> None:
        """Let a new person submit a form: Plezi creates the contact."""
        person = Person(len(self.people), f"{NAME}{len(self.people):04d}@example.com")
        self.people.append(person)
        self._submit(person, person.email, ["first_name", "last_name", "phone"])

    def act(self) -> int:
        """Do one of the things that users do; return how many fields changed."""
        names, weights = zip(*ACTS, strict=True)
        [name] = self._random.choices(names, weights)
        person = self._random.choice(self.people)
        side = self._random.choice(SIDES)
        changed: int = getattr(self, f"_{name}")(person, side)
        return changed

    def _some_meaning(self) -> Meaning:
        return self._random.choice([it for it in MEANINGS.values() if it is not EMAIL])

    def _edit(self, person: Person, side: str) -> int:
        meaning = self._some_meaning()
        return self.type(person, side, {meaning.plezi: self.new_value(meaning, side)}, "edit")

    def _edit_several(self, person: Person, side: str) -> int:
        meanings = [self._some_meaning() for _ in range(3)]
        values = {it.plezi: self.new_value(it, side) for it in meanings}
        return self.type(person, side, values, "edit")

    def _edit_both_sides(self, person: Person, side: str) -> int:
        """Two users edit the same field at about the same time."""
        meaning = self._some_meaning()
        return sum(
            self.type(person, it, {meaning.plezi: self.new_value(meaning, it)}, "edit")
            for it in sorted(SIDES, key=lambda it: it != side)
        )

    def _clear(self, person: Person, side: str) -> int:
        meaning = self._some_meaning()
        if meaning.plezi in REQUIRED[side]:
            return 0
        value = False if meaning.kind is Kind.CHECKBOX else None
        return self.type(person, side, {meaning.plezi: value}, "clear")

    def _opt_out(self, person: Person, side: str) -> int:
        return self.type(person, side, {OPT_OUT.plezi: True}, "opt-out")

    def _opt_in(self, person: Person, side: str) -> int:
        return self.type(person, side, {OPT_OUT.plezi: False}, "opt-in")

    def _change_email(self, person: Person, side: str) -> int:
        """Change the e-mail of a person whose records are linked: before, it is all they share."""
        if not self.find(person, PLEZI) or not self.find(person, SALESFORCE):
            return 0
        url = self.show(SALESFORCE, person.lead).get(PAGE_URL) or ""
        if not str(url).endswith(person.plezi):
            return 0
        return self.type(person, side, {"email": self.new_value(EMAIL, side)}, "e-mail changed")

    def _form(self, person: Person, _side: str) -> int:
        """Let a person whom Plezi knows submit a form with the e-mail that Plezi has."""
        if not (record := self.find(person, PLEZI)):
            return 0
        email = str(self.show(PLEZI, record)["email"])
        return self._submit(person, email, self._random.sample(FORM_FIELDS, 2))

    def _submit(self, person: Person, email: str, names: list[str]) -> int:
        known = bool(person.plezi)
        values = {name: self.new_value(MEANINGS[name], PLEZI) for name in names}
        texts = {name: _form_text(value) for name, value in values.items()}
        if not known:
            values["email"] = email

        def save() -> str:
            self._marketing.submit_form(email=email, **texts)
            if not person.plezi:
                [row] = self._marketing.simulate("GET", f"contacts?email={email}")["contacts"]
                person.plezi = str(row["id"])
            return person.plezi

        return self._note(person, PLEZI, person.plezi, values, "form", save)


def _form_text(value: object) -> str:
    """Return a value as a form sends it."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
