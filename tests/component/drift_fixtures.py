"""Differences of many kinds that are planted in two systems which agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from connector.mapping import DEFAULT_MAPPING, ConflictPolicy, Direction, FieldPair
from connector.model import Link, LinkChange, Run, RunKind, RunState
from tests.component.admin_client import AdminClient
from tests.component.harness import Harness
from tests.component.people_fixtures import advance_clocks, lead_of

WHILE: Final = 1500
"""Seconds after which an edit is no longer recent; the session of the user lives longer."""
FORMULA: Final = "formula__c"
POLICIES: Final = {
    "FirstName": ConflictPolicy.FILL_BLANK,
    "MobilePhone": ConflictPolicy.HOLD,
}
"""The policies of the mapping that differ from the default."""

Found = set[tuple[str, str, str]]
"""The e-mail, field and cause of differences."""


@dataclass(frozen=True)
class Difference:
    """A planted difference, the fields in which it must be found, and the cause.

    `before` is done before the last run, `after` behind its back. `is_mended`: a repair makes both
    sides agree.
    """

    name: str
    causes: Mapping[str, str]
    after: Callable[[Harness, str], None]
    before: Callable[[Harness, str], None] | None = None
    is_mended: bool = False

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


def nothing(_harness: Harness, _email: str) -> None:
    """Do nothing."""


def edit_lead(**fields: Any) -> Callable[[Harness, str], None]:
    """Return an edit of a Lead, with a new modification time."""
    return lambda harness, email: harness.edit_lead(lead_of(harness, email)["Id"], **fields)


def edit_lead_silently(**fields: Any) -> Callable[[Harness, str], None]:
    """Return an edit of a Lead that leaves its modification time as it is."""

    def edit(harness: Harness, email: str) -> None:
        body = {"touch": "none", **fields}
        path = f"records/Lead/{lead_of(harness, email)['Id']}"
        harness.control("salesforce", "PATCH", path, body)

    return edit


def edit_person(**attributes: Any) -> Callable[[Harness, str], None]:
    """Return an edit of a Plezi contact, with a new modification time."""
    return lambda harness, email: harness.edit_person(
        str(harness.people()[email]["id"]), **attributes
    )


def edit_person_silently(**attributes: Any) -> Callable[[Harness, str], None]:
    """Return an edit of a Plezi contact with a time before the last reading."""

    def edit(harness: Harness, email: str) -> None:
        harness.control("plezi", "POST", "clock", {"advance": -WHILE})
        edit_person(**attributes)(harness, email)
        harness.control("plezi", "POST", "clock", {"advance": WHILE})

    return edit


def add_contact(harness: Harness, email: str) -> None:
    """Add a Contact with an Account for a person whom no Lead has."""
    account = harness.salesforce("POST", "sobjects/Account", {"Name": "Acme"})["id"]
    harness.add_contact(Email=email, AccountId=account, sync_to_plezi__c="yes")


def rename_account(harness: Harness, email: str) -> None:
    """Rename the Account of a Contact: no modification time of the Contact changes."""
    query = f"SELECT AccountId FROM Contact WHERE Email = '{email}'"
    [row] = harness.salesforce("GET", "query", q=query)["records"]
    path = f"sobjects/Account/{row['AccountId']}"
    harness.salesforce("PATCH", path, {"Name": "Globex"})


def contradict_base(harness: Harness, email: str) -> None:
    """Give each record's phone its own agreement, as a wrong recording would."""
    edit_lead_silently(Phone="contradicted")(harness, email)

    def change(link: Link) -> Link:
        [lead] = link.salesforce
        values = {**lead.values, "Phone": "contradicted"}
        [key] = [key for key in link.base[lead.id] if "Phone" in key and "Mobile" not in key]
        base = {**link.base, lead.id: {**link.base[lead.id], key: "contradicted"}}
        return replace(link, base=base).with_observation(replace(lead, values=values))

    change_link(harness, email, change)


def lose_dirty_mark(harness: Harness, email: str) -> None:
    """Let the ledger know an edit of which nothing marks the link any more."""
    edit_lead_silently(Phone="unmarked")(harness, email)

    def change(link: Link) -> Link:
        [lead] = link.salesforce
        return link.with_observation(replace(lead, values={**lead.values, "Phone": "unmarked"}))

    change_link(harness, email, change)


def change_link(harness: Harness, email: str, change: Callable[[Link], Link]) -> None:
    """Change a link in the ledger."""
    link = change(harness.ledger.load_links([email])[email])
    assert not harness.ledger.save_links([LinkChange(link)]).all_emails


def type_in_both(harness: Harness, email: str) -> None:
    """Type two mobile numbers, which the policy of the field holds."""
    edit_person(mobile="601")(harness, email)
    edit_lead(MobilePhone="602")(harness, email)


def type_in_both_again(harness: Harness, email: str) -> None:
    """Type two other numbers in a held field."""
    edit_person(mobile="603")(harness, email)
    edit_lead(MobilePhone="604")(harness, email)


def delete_person(harness: Harness, email: str) -> None:
    """Delete a Plezi contact."""
    harness.control("plezi", "DELETE", f"contacts/{harness.people()[email]['id']}")


def delete_everywhere(harness: Harness, email: str) -> None:
    """Delete the records of both systems."""
    delete_person(harness, email)
    path = f"records/Lead/{lead_of(harness, email)['Id']}"
    harness.control("salesforce", "DELETE", path)


def add_second_lead(harness: Harness, email: str) -> None:
    """Add another Lead with the same e-mail."""
    harness.add_lead(Email=email, LastName="Roi", Company="Roi")


def map_fields(harness: Harness) -> None:
    """Save the mapping of these tests: other policies, and a formula."""
    harness.control("plezi", "POST", "attributes", {"name": "formula", "type": "text"})
    metadata = {"label": "Formula", "type": "Text", "formula": "City & '-1'"}
    body = {"name": FORMULA, "Metadata": metadata}
    harness.control("salesforce", "POST", "fields/Lead", body)
    pairs = [
        replace(pair, policy=POLICIES.get(pair.salesforce, pair.policy))
        for pair in DEFAULT_MAPPING.pairs
    ]
    pairs.append(FieldPair("formula", FORMULA, Direction.TO_PLEZI))
    mapping = replace(DEFAULT_MAPPING, version=1, pairs=tuple(pairs))
    harness.context.mappings.save(mapping)  # type: ignore[attr-defined]


def let_time_pass(harness: Harness) -> None:
    """Advance all clocks, so that what was edited before is older than the next reading."""
    advance_clocks(harness, WHILE)
    harness.let_pass(WHILE)


def verify(harness: Harness, out_of_time: Any = lambda: False) -> Run:
    """Make a complete verification."""
    run = harness.sync(out_of_time, kind=RunKind.VERIFY)
    assert run.state is RunState.DONE, run.message
    return run


def found_by(harness: Harness, run: Run) -> Found:
    """Return the differences that a verification has stored."""
    return {(it.email, it.field, it.rule) for it in harness.plan(run.id)}


def repair(harness: Harness, admin_client: AdminClient, run: Run) -> Run:
    """Repair what a verification found."""
    requested = admin_client.request_ok("POST", f"/admin/runs/{run.id}/repair")
    repaired = harness.run_phase(requested["run_id"])
    assert repaired.state is RunState.DONE, repaired.message
    return repaired


UNEXPLAINED: Final = "unexplained"
JOINED: Final = ("FirstName", "Phone", "score__c", "status__c")
"""The fields that a second Lead gets from the others."""
DIFFERENCES: Final = (
    Difference("phone", {"Phone": UNEXPLAINED}, edit_lead_silently(Phone="9"), is_mended=True),
    Difference("name", {"LastName": UNEXPLAINED}, edit_lead_silently(LastName="X"), is_mended=True),
    Difference(
        "two",
        {"Phone": UNEXPLAINED, "Company": UNEXPLAINED},
        edit_lead_silently(Phone="8", Company="Globex"),
        is_mended=True,
    ),
    Difference("cleared", {"Phone": UNEXPLAINED}, edit_lead_silently(Phone=None), is_mended=True),
    Difference("row", {"Phone": UNEXPLAINED}, edit_person_silently(phone="77"), is_mended=True),
    Difference(
        "title", {"Title": UNEXPLAINED}, edit_person_silently(function="CEO"), is_mended=True
    ),
    Difference("moved", {"Email": UNEXPLAINED}, edit_person_silently(email="m@example.com")),
    Difference("unmarked", {"Phone": UNEXPLAINED}, lose_dirty_mark, is_mended=True),
    Difference("contradicted", {"Phone": UNEXPLAINED}, contradict_base),
    Difference("formula", {FORMULA: "unstamped"}, edit_lead_silently(**{FORMULA: "Lyon-1"})),
    Difference("parent", {"Company": "unstamped"}, rename_account),
    Difference("typed", {"Title": "one_way"}, nothing, edit_lead(Title="typed")),
    Difference("typed2", {"Title": "one_way"}, edit_lead_silently(Title="typed")),
    Difference("score", {"score__c": "one_way"}, nothing, edit_lead(score__c="99")),
    Difference("held", {"MobilePhone": "held"}, nothing, type_in_both),
    Difference("held2", {"MobilePhone": "held"}, type_in_both_again, type_in_both),
    Difference("kept", {"FirstName": "policy"}, edit_lead_silently(FirstName="Bob")),
    Difference("long", {"Title": "quarantined"}, nothing, edit_person(function="x" * 200)),
    Difference("new", {"Phone": "waits"}, edit_lead(Phone="5")),
    Difference("new2", {"Phone": "waits", "Company": "waits"}, edit_person(phone="5", company="N")),
    Difference("deleted", {}, delete_person),
    Difference("gone", {}, delete_everywhere),
    Difference("twice", dict.fromkeys(JOINED, "waits"), add_second_lead),
)
