"""The connection check of Plezi: whether it is reachable and accepts the API key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import requests

from connector.connection_report import Finding, Grade
from connector.errors import (
    ConnectorError,
    HaltError,
    RejectedError,
    RetryError,
    StaleError,
    StopReason,
)
from connector.plezi.api import PleziApi, TooManyRequestsError
from connector.plezi.api_dialect import Pager, PleziDialect
from connector.plezi.rate_limiter import NoSlotError
from connector.plezi.schema import KNOWN_SCHEMA

Place = Mapping[Pager, Mapping[str, str]]
"""The parameters of a list of one contact, for each pager."""
FIRST_CONTACT: Final[Place] = {
    Pager.PAGE: {"page": "1", "per_page": "1"},
    Pager.LIMIT_OFFSET: {"offset": "0", "limit": "1"},
}
SECOND_CONTACT: Final[Place] = {
    Pager.PAGE: {"page": "2", "per_page": "1"},
    Pager.LIMIT_OFFSET: {"offset": "1", "limit": "1"},
}
BEHIND_ALL_CONTACTS: Final = 5_000_000
"""A place behind the last contact: five million are more than a tenant has (assumed)."""
NO_CONTACT: Final[Place] = {
    Pager.PAGE: {"page": str(BEHIND_ALL_CONTACTS), "per_page": "1"},
    Pager.LIMIT_OFFSET: {"offset": str(BEHIND_ALL_CONTACTS), "limit": "1"},
}


def confirm_availability(
    api: PleziApi, dialect: PleziDialect, known: Place = FIRST_CONTACT
) -> Place:
    """Return the place of the list that Plezi answers, if it works; try `known` first.

    The first two contacts may be those with which every page fails; no contact is behind the last
    one. Makes one to three calls. Raises `ConnectorError`s as `PleziApi.read`.
    """
    *places, last = sorted((FIRST_CONTACT, NO_CONTACT, SECOND_CONTACT), key=lambda it: it != known)
    for place in places:
        try:
            minimal_read(api, dialect, place)
        except (NoSlotError, TooManyRequestsError):
            raise
        except (RetryError, RejectedError, StaleError):
            continue
        return place
    minimal_read(api, dialect, last)
    return last


def minimal_read(
    api: PleziApi,
    dialect: PleziDialect,
    place: Place = FIRST_CONTACT,
) -> None:
    """Read one contact, once; raises `ConnectorError`s as `PleziApi.read`."""
    _first_contact(api, dialect, place)


def _first_contact(
    api: PleziApi, dialect: PleziDialect, place: Place = FIRST_CONTACT
) -> Mapping[str, object]:
    """Read one contact, once; return its attributes by the tenant's names."""
    try:
        body = api.send("GET", "contacts", params=place[dialect.pager]).body
    except requests.RequestException as error:
        raise RetryError("Plezi does not respond", reason=StopReason.PLEZI_UNAVAILABLE) from error
    match body:
        case {"data": [{"attributes": dict(attributes)}, *_]}:
            return attributes
    return {}


def _lacking(attributes: Mapping[str, object], dialect: PleziDialect) -> list[str]:
    """Return the standard attributes that a contact does not show at all, not even as blank."""
    if not attributes or dialect.omits_blanks:
        return []
    names = {dialect.attributes.get(name, name) for name in KNOWN_SCHEMA} - {"url"}
    return sorted(names - attributes.keys())


def check_tenant(api: PleziApi, load_dialect: Callable[[], PleziDialect]) -> Finding:
    """Check one tenant, in the dialect that is valid now; every error becomes a finding."""
    try:
        dialect = load_dialect()
        attributes = _first_contact(api, dialect)
    except HaltError as error:
        causes = (
            "the API key is mistyped or revoked: create a new one in Plezi, put it in the secret",
            "the tenant in the secret differs from the company's name in Plezi: correct it",
        )
        is_refused = error.reason is StopReason.PLEZI_REFUSED
        return Finding("plezi", Grade.FAILED, str(error), causes if is_refused else ())
    except RetryError as error:
        return Finding("plezi", Grade.UNKNOWN, f"Plezi could not be checked: {error}")
    except ConnectorError as error:
        return Finding("plezi", Grade.FAILED, f"Plezi does not list contacts: {error}")
    if lacking := _lacking(attributes, dialect):
        return Finding(
            "plezi",
            Grade.WARNING,
            f"Plezi responds and accepts the key. Its first contact lacks {', '.join(lacking)}; an "
            "attribute that an answer lacks is unknown, and is not synchronized for that contact.",
            (
                'the tenant omits blank attributes: set "omits_blanks": true in PleziDialect',
                'the tenant has other names for them: set "attributes" in PleziDialect',
            ),
        )
    return Finding("plezi", Grade.OK, "Plezi responds and accepts the key.")
