"""Equal populations at work: what happens to a person depends on nothing but its number.

So two of them end alike, field by field, unless something beside what people typed had a say.
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
"""People of one wave of work: half of them are known before, the others are new in it."""
COLLECTION = 200
"""Records in one call of Salesforce's collections (its limit)."""
Words = Mapping[str, str | None]


@dataclass(frozen=True)
class Edit:
    """What people do to somebody whom both sides know, and what the Lead says in the end.

    `{n}` in a value is the person's number.
    """

    what: str
    outcome: Words
    salesforce: Words = field(default_factory=dict)
    plezi: Words = field(default_factory=dict)


POLICIES = {
    "Phone": "plezi_wins",
    "MobilePhone": "salesforce_wins",
    "FirstName": "newest",
    "LastName": "newest",
    "Title": "newest",
}
"""Who wins below. By these, and with Plezi's clock ahead, it is not the instant of a write."""
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
        "a conflict that each wins for one field",
        {"Phone": "+33 111 {n}", "MobilePhone": "+33 222 {n}"},
        {"Phone": "+33 222 {n}", "MobilePhone": "+33 222 {n}"},
        {"phone": "+33 111 {n}", "mobile": "+33 111 {n}"},
    ),
    Edit(
        "a conflict that the newest wins",
        {"FirstName": "Late {n}"},
        {"FirstName": "Early {n}"},
        {"first_name": "Late {n}"},
    ),
    Edit("a field cleared in Plezi", {"Phone": None}, plezi={"phone": None}),
    Edit("a field cleared in Salesforce", {"MobilePhone": None}, {"MobilePhone": None}),
    Edit(
        "a field cleared by the loser",
        {"Phone": "+33 111 {n}"},
        {"Phone": None},
        {"phone": "+33 111 {n}"},
    ),
    Edit("a one-way field, on the wrong side", {"Title": "Wrong {n}"}, {"Title": "Wrong {n}"}),
    Edit("a one-way field, on its side", {"Title": "Right {n}"}, plezi={"function": "Right {n}"}),
)


@dataclass(frozen=True)
class Records:
    """What a side says of each person, by number: its words, apart from what is no one else's."""

    ids: dict[int, str]
    pages: dict[int, str]
    words: dict[int, dict[str, Any]]

    @classmethod
    def of(
        cls, said: Mapping[int, Mapping[str, Any]], identity: str, page: str, apart: set[str]
    ) -> Self:
        """Sort what was read: ids and addresses of pages here, words there."""
        apart = {identity, page, *apart}
        return cls(
            {number: str(words[identity]) for number, words in said.items()},
            {number: str(words[page]) for number, words in said.items()},
            {
                number: {name: word for name, word in words.items() if name not in apart}
                for number, words in said.items()
            },
        )


class Population:
    """People whose e-mails begin with one word, in several waves."""

    def __init__(self, stack: StackFile, name: str, waves: int) -> None:
        self._sales, self._marketing = SalesPerson(stack), Marketer(stack)
        self._name = name
        self.numbers = range(waves * WAVE)

    def email(self, number: int) -> str:
        """Return the e-mail of a person."""
        return f"{self._name}{number:04d}@example.com"

    def number(self, email: str) -> int | None:
        """Return whose e-mail this is; None when it is of nobody here."""
        number = email.removeprefix(self._name).partition("@")[0]
        return int(number) if number.isdecimal() and email == self.email(int(number)) else None

    def found(self) -> None:
        """Have every other person be there before the first wave, on one side."""
        old = [number for number in self.numbers if is_old(number)]
        self._create(
            in_plezi=[number for number in old if number % 4 == 0],
            in_salesforce=[number for number in old if number % 4],
        )

    def work(self, wave: int) -> None:
        """Edit the old people of a wave and let its new ones appear: Salesforce's part first."""
        numbers = self.numbers[wave * WAVE : (wave + 1) * WAVE]
        edits = {number: edit_of(number) for number in numbers if is_old(number)}
        new = [number for number in numbers if not is_old(number)]
        contacts, leads = self._known
        self._collect(
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
        self._create(  # a third of them on both sides, with a phone number of its own on each
            in_plezi=[number for number in new if number % 3 != 1],
            in_salesforce=[number for number in new if number % 3 != 2],
        )

    @cached_property
    def _known(self) -> tuple[dict[int, str], dict[int, str]]:
        """The ids of the old people on both sides, read once."""
        return self.contacts().ids, self.leads().ids

    def contacts(self) -> Records:
        """Return what Plezi says."""
        found = self._marketing.contacts().items()
        mine = {n: said for email, said in found if (n := self.number(email)) is not None}
        return Records.of(mine, "id", "url", apart={"email", "created_at", "updated_at"})

    def leads(self) -> Records:
        """Return what Salesforce says; raises `AssertionError` when a person is there twice."""
        soql = f"SELECT {LEAD_FIELDS} FROM Lead WHERE Email LIKE '{self._name}%' ORDER BY Email"
        answer = self._sales.request("GET", "query", q=soql)
        rows = answer["records"]
        while not answer["done"]:
            answer = self._sales.request("GET", answer["nextRecordsUrl"].partition(f"{API}/")[2])
            rows += answer["records"]
        mine = {n: row for row in rows if (n := self.number(row["Email"])) is not None}
        assert len(mine) == len(rows), "a person is there twice"
        return Records.of(mine, "Id", "plezi_url__c", apart={"Email", "attributes"})

    def _create(self, *, in_plezi: Iterable[int], in_salesforce: Iterable[int]) -> None:
        leads = [_lead(self.email(number), person(number)) for number in in_salesforce]
        self._collect("POST", leads)
        for number in in_plezi:
            self._marketing.add(**_contact(self.email(number), person(number)))

    def _collect(self, method: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), COLLECTION):
            part = [{"attributes": {"type": "Lead"}, **row} for row in rows[start:][:COLLECTION]]
            results = self._sales.request(method, "composite/sobjects", {"records": part})
            assert all(result["success"] for result in results), results


def is_old(number: int) -> bool:
    """Whether somebody is known before the first wave."""
    return number % 2 == 0


def edit_of(number: int) -> Edit:
    """Return what happens to an old person."""
    return EDITS[number // 2 % len(EDITS)]


def outcome_of(number: int) -> dict[str, Any]:
    """Return what an old person's Lead says in the end, of the fields that were edited."""
    return _filled(edit_of(number).outcome, number)


def _filled(words: Words, number: int) -> dict[str, Any]:
    return {
        name: word.format(n=f"{number:04d}") if word is not None else None
        for name, word in words.items()
    }


def _contact(email: str, who: Person) -> dict[str, Any]:
    return {
        "email": email,
        "first_name": who.first_name,
        "last_name": who.last_name,
        "company": who.company,
        "phone": who.phone,
        "mobile": who.mobile,
        "function": who.function,
    }


def _lead(email: str, who: Person) -> dict[str, Any]:
    return {
        "Email": email,
        "FirstName": who.first_name,
        "LastName": who.last_name,
        "Company": who.company,
        "Phone": f"{who.phone} 99",
        "MobilePhone": who.mobile,
    }
