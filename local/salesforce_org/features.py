"""Features that an administrator switches on: they add fields and objects, and cannot be undone.

`state_and_country_picklists`, `person_accounts` and `multi_currency`: Salesforce Help, "Configure
State and Country/Territory Picklists", "Person Accounts" and "Manage Multiple Currencies". Record
types are in `record_types`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import BadRequest

from local.salesforce_org import seed_data, tooling
from local.salesforce_org.schema import Field, ObjectType
from local.salesforce_org.standard_fields import checkbox, picklist, read_only, reference, text
from local.salesforce_org.state import OrgState

CURRENCIES = ("EUR", "USD", "GBP")
"""The active currencies; the first is the corporate one."""
COUNTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "FR": ("France", {}),
    "DE": ("Germany", {}),
    "US": ("United States", {"CA": "California", "NY": "New York"}),
}
"""The active countries by code: name, and states by code. A real org has some 240."""
STATES = {code: name for _, states in COUNTRIES.values() for code, name in states.items()}


def switch_on(state: OrgState, name: object) -> dict[str, Any]:
    """Switch a feature on; an unknown name is refused, one that is on stays on."""
    if not isinstance(name, str) or name not in FEATURES:
        raise BadRequest(f"'feature' is one of {', '.join(sorted(FEATURES))}")
    if name not in state.features:
        FEATURES[name](state)
        state.features.add(name)
    return {"features": sorted(state.features)}


def add_standard_field(state: OrgState, kind: ObjectType, new: Field) -> None:
    """Add a standard field that every profile may use."""
    kind.put(new)
    state.store.add_column(kind, new)
    seed_data.add_field_definition(state, kind, new)
    if new.permissionable:
        seed_data.grant_to_profiles(state, kind, new)
    tooling.mark_changed(state, kind)


def _state_and_country_picklists(state: OrgState) -> None:
    """Add the codes of the country and the state to every address."""
    for kind in state.schema:
        prefixes = [each.address for each in kind.fields.values() if each.type == "address"]
        for prefix in prefixes if kind.business else []:
            label = f"{prefix} ".lstrip()
            for part, codes in (("Country", tuple(COUNTRIES)), ("State", tuple(STATES))):
                new = picklist(f"{prefix}{part}Code", f"{label}{part} Code", codes, restricted=True)
                add_standard_field(state, kind, new)


def _person_accounts(state: OrgState) -> None:
    """Let an account be a person; a lead then needs no company."""
    account, contact = state.schema.get("Account"), state.schema.get("Contact")
    for new in (
        text("LastName", "Last Name", 80),
        text("FirstName", "First Name", 40),
        text("PersonEmail", "Email", 80, "email", id_lookup=True),
        read_only(
            reference("PersonContactId", "Contact ID", ("Contact",), "PersonContact", fixed=True)
        ),
    ):
        add_standard_field(state, account, new)
    for kind in (account, contact):
        flag = read_only(checkbox("IsPersonAccount", "Is Person Account", fixed=True))
        add_standard_field(state, kind, flag)
    lead = state.schema.get("Lead")
    lead.change("Company", nillable=True)
    tooling.mark_changed(state, lead)


def _multi_currency(state: OrgState) -> None:
    """Give every record a currency; by default the corporate one."""
    for kind in state.schema:
        if kind.business:
            new = picklist(
                "CurrencyIsoCode",
                "Currency ISO Code",
                CURRENCIES,
                restricted=True,
                nillable=False,
                defaulted=True,
                default=CURRENCIES[0],
                fixed=True,
            )
            add_standard_field(state, kind, new)


FEATURES: dict[str, Callable[[OrgState], None]] = {
    "state_and_country_picklists": _state_and_country_picklists,
    "person_accounts": _person_accounts,
    "multi_currency": _multi_currency,
}
