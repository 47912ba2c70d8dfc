"""Addresses in an org with state and country picklists: names and codes must belong together.

Salesforce Help, "State and Country/Territory Picklists"; the messages are from public reports.
"""

from __future__ import annotations

from typing import Any

from local.salesforce_org.errors import RefusedError
from local.salesforce_org.features import COUNTRIES
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

Values = dict[str, Any]
CODES = {name.casefold(): code for code, (name, _) in COUNTRIES.items()}


def completed(state: OrgState, kind: ObjectType, before: Row, values: Values) -> Values:
    """Return the values of a save with the names of the codes, and the codes of the names.

    `before` is the stored row, {} for a new record.

    Raises:
        RefusedError: for a country or state that the picklists do not have.
    """
    if "state_and_country_picklists" not in state.features:
        return values
    result = dict(values)
    for each in kind.fields.values():
        if each.type == "address":
            result |= _address(kind, each.address, before, values)
    return result


def _address(kind: ObjectType, prefix: str, before: Row, values: Values) -> Values:
    names = {part: f"{prefix}{part}" for part in ("Country", "CountryCode", "State", "StateCode")}
    if not any(name in values for name in names.values()):
        return {}
    row = {**before, **values}
    code = _country(kind, names, values, row)
    country, states = COUNTRIES[code] if code else (None, {})
    changes: Values = {names["Country"]: country, names["CountryCode"]: code}
    state_code = _state(kind, names, values, row, states, has_country=code is not None)
    changes[names["State"]] = states.get(state_code or "")
    changes[names["StateCode"]] = state_code
    return changes


def _country(kind: ObjectType, names: dict[str, str], values: Values, row: Values) -> str | None:
    if names["CountryCode"] in values:
        code = values[names["CountryCode"]]
        return None if code is None else str(code)
    name = row.get(names["Country"])
    if name is None:
        return None
    text = str(name).casefold()
    code = text.upper() if text.upper() in COUNTRIES else CODES.get(text)
    if code is None:
        raise _problem(
            kind,
            names["Country"],
            "There's a problem with this country, even though it may appear correct. Please select"
            " a country/territory from the list of valid countries.",
        )
    return code


def _state(  # the parts of an address, each by its name
    kind: ObjectType,
    names: dict[str, str],
    values: Values,
    row: Values,
    states: dict[str, str],
    *,
    has_country: bool,
) -> str | None:
    by_code = names["StateCode"] in values
    given = values[names["StateCode"]] if by_code else row.get(names["State"])
    if given is None:
        return None
    name = names["StateCode" if by_code else "State"]
    if not has_country:
        message = (
            "A country/territory must be specified before specifying a state value for field:"
            f" {kind.get(name).label}"
        )
        raise RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=[name])
    codes = {text.casefold(): code for code, text in states.items()}
    text = str(given)
    code = text.upper() if text.upper() in states else codes.get(text.casefold())
    if code is None:
        raise _problem(
            kind,
            name,
            "There's a problem with this state, even though it may appear correct. Please select a"
            " state from the list of valid states.",
        )
    return code


def _problem(kind: ObjectType, name: str, text: str) -> RefusedError:
    message = f"{text}: {kind.get(name).label}"
    return RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=[name])
