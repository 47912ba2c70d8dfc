"""Equal populations: what happens to a person depends only on the person's number.

Two populations therefore end equal, field by field, unless something other than user edits had an
effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from local.actors import API, LEAD_FIELDS, Marketer, SalesPerson
from local.people import Person, person
from local.stack.stack_file import StackFile

WAVE = 100
"""People in one wave of edits: half of them exist before it, the others are created in it."""
COLLECTION = 200
"""Records in one call of Salesforce's collections (its limit)."""
FieldValues = Mapping[str, str | None]


@dataclass(frozen=True)
class Edit:
    """The edits of a person who exists on both sides, and the final values of the Lead.

    `{n}` in a value is the person's number.
    """

    description: str
    outcome: FieldValues
    salesforce: FieldValues = field(default_factory=dict)
    plezi: FieldValues = field(default_factory=dict)


POLICIES = {
    "Phone": "plezi_wins",
    "MobilePhone": "salesforce_wins",
    "FirstName": "newest",
    "LastName": "newest",
    "Title": "newest",
}
"""The policies that decide the conflicts below.

With these, and Plezi's clock ahead, the time of a write decides no conflict.
"""
PLEZI_AHEAD_SECONDS = 300
EDITS = (
    Edit("one field, in Plezi", {"Phone": "+33 111 {n}"}, plezi={"phone": "+33 111 {n}"}),
    Edit("one field, in Salesforce", {"LastName": "Married {n}"}, {"LastName": "Married {n}"}),
    Edit(
        "a conflict that Plezi wins",
        {"Phone": "+33 111 {n}"},
        {"Phone": "+33 222 {n}"},
        {"phone": "+33 111 {n}"},
    ),
    Edit(
        "a conflict that Salesforce wins",
        {"MobilePhone": "+33 222 {n}"},
        {"MobilePhone": "+33 222 {n}"},
        {"mobile": "+33 111 {n}"},
    ),
    Edit(
        "a conflict in two fields, one won by each side",
        {"Phone": "+33 111 {n}", "MobilePhone": "+33 222 {n}"},
        {"Phone": "+33 222 {n}", "MobilePhone": "+33 222 {n}"},
        {"phone": "+33 111 {n}", "mobile": "+33 111 {n}"},
    ),
    Edit(
        "a conflict that the newest value wins",
        {"FirstName": "Late {n}"},
        {"FirstName": "Early {n}"},
        {"first_name": "Late {n}"},
    ),
    Edit("a field cleared in Plezi", {"Phone": None}, plezi={"phone": None}),
    Edit("a field cleared in Salesforce", {"MobilePhone": None}, {"MobilePhone": None}),
    Edit(
        "a field cleared on the side that loses the conflict",
        {"Phone": "+33 111 {n}"},
        {"Phone": None},
        {"phone": "+33 111 {n}"},
    ),
    Edit(
        "a one-way field, edited on its target side", {"Title": "Wrong {n}"}, {"Title": "Wrong {n}"}
    ),
    Edit(
        "a one-way field, edited on its source side",
        {"Title": "Right {n}"},
        plezi={"function": "Right {n}"},
    ),
)


@dataclass(frozen=True)
class Records:
    """Records of one side, by the person's number; `values` omits what is unique to a person."""

    ids: dict[int, str]
    pages: dict[int, str]
    values: dict[int, dict[str, Any]]

    @classmethod
    def of(
        cls, rows: Mapping[int, Mapping[str, Any]], identity: str, page: str, omitted: set[str]
    ) -> Self:
        """Separate the ids and the addresses of pages from the other values."""
        omitted = {identity, page, *omitted}
        return cls(
            {number: str(row[identity]) for number, row in rows.items()},
            {number: str(row[page]) for number, row in rows.items()},
            {
                number: {name: value for name, value in row.items() if name not in omitted}
                for number, row in rows.items()
            },
        )


class Population:
    """People whose e-mails start with the same name, in several waves."""

    def __init__(self, stack: StackFile, name: str, waves: int) -> None:
        self._sales, self._marketing = SalesPerson(stack), Marketer(stack)
        self._name = name
        self.numbers = range(waves * WAVE)

    def email(self, number: int) -> str:
        """Return the e-mail of a person."""
        return f"{self._name}{number:04d}@example.com"

    def number(self, email: str) -> int | None:
        """Return the number of the person with this e-mail; None when there is none."""
        number = email.removeprefix(self._name).partition("@")[0]
        return int(number) if number.isdecimal() and email == self.email(int(number)) else None

    def create_existing(self) -> None:
        """Create the people who exist before the first wave, each on one side."""
        existing = [number for number in self.numbers if exists_before(number)]
        self._create(
            in_plezi=[number for number in existing if number % 4 == 0],
            in_salesforce=[number for number in existing if number % 4],
        )

    def edit(self, wave: int) -> None:
        """Edit the existing people of a wave and create its new ones, in Salesforce first."""
        numbers = self.numbers[wave * WAVE : (wave + 1) * WAVE]
        edits = {number: edit_of(number) for number in numbers if exists_before(number)}
        new = [number for number in numbers if not exists_before(number)]
        contacts, leads = self._existing_ids
        self._send_collections(
            "PATCH",
            [
                {"Id": leads[number], **_filled(edit.salesforce, number)}
                for number, edit in edits.items()
                if edit.salesforce
            ],
        )
        for number, edit in edits.items():
            if edit.plezi:
                self._marketing.edit(contacts[number], **_filled(edit.plezi, number))
        self._create(  # a third of them on both sides, with different phone numbers
            in_plezi=[number for number in new if number % 3 != 1],
            in_salesforce=[number for number in new if number % 3 != 2],
        )

    @cached_property
    def _existing_ids(self) -> tuple[dict[int, str], dict[int, str]]:
        """The ids of the existing people on both sides, read once."""
        return self.contacts().ids, self.leads().ids

    def contacts(self) -> Records:
        """Return the records of Plezi."""
        contacts = self._marketing.contacts().items()
        rows = {n: row for email, row in contacts if (n := self.number(email)) is not None}
        return Records.of(rows, "id", "url", omitted={"email", "created_at", "updated_at"})

    def leads(self) -> Records:
        """Return the records of Salesforce. Raises `AssertionError` when a person has two Leads."""
        soql = f"SELECT {LEAD_FIELDS} FROM Lead WHERE Email LIKE '{self._name}%' ORDER BY Email"
        response = self._sales.request("GET", "query", q=soql)
        leads = response["records"]
        while not response["done"]:
            response = self._sales.request(
                "GET", response["nextRecordsUrl"].partition(f"{API}/")[2]
            )
            leads += response["records"]
        rows = {n: lead for lead in leads if (n := self.number(lead["Email"])) is not None}
        assert len(rows) == len(leads), "a person has two Leads"
        return Records.of(rows, "Id", "plezi_url__c", omitted={"Email", "attributes"})

    def _create(self, *, in_plezi: Iterable[int], in_salesforce: Iterable[int]) -> None:
        leads = [_lead(self.email(number), person(number)) for number in in_salesforce]
        self._send_collections("POST", leads)
        for number in in_plezi:
            self._marketing.add(**_contact(self.email(number), person(number)))

    def _send_collections(self, method: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), COLLECTION):
            part = [{"attributes": {"type": "Lead"}, **row} for row in rows[start:][:COLLECTION]]
            results = self._sales.request(method, "composite/sobjects", {"records": part})
            assert all(result["success"] for result in results), results


def exists_before(number: int) -> bool:
    """Whether the person exists before the first wave."""
    return number % 2 == 0


def edit_of(number: int) -> Edit:
    """Return the edit of an existing person."""
    return EDITS[number // 2 % len(EDITS)]


def outcome_of(number: int) -> dict[str, Any]:
    """Return the final values of an existing person's Lead, of the edited fields."""
    return _filled(edit_of(number).outcome, number)


def _filled(values: FieldValues, number: int) -> dict[str, Any]:
    return {
        name: value.format(n=f"{number:04d}") if value is not None else None
        for name, value in values.items()
    }


def _contact(email: str, person: Person) -> dict[str, Any]:
    return {
        "email": email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "company": person.company,
        "phone": person.phone,
        "mobile": person.mobile,
        "function": person.function,
    }


def _lead(email: str, person: Person) -> dict[str, Any]:
    return {
        "Email": email,
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Company": person.company,
        "Phone": f"{person.phone} 99",
        "MobilePhone": person.mobile,
    }
