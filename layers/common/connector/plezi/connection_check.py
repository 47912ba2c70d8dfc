"""The connection check of Plezi: whether it is reachable and accepts the API key."""

from __future__ import annotations

from typing import Final

import requests

from connector.connection_report import Finding, Grade
from connector.errors import ConnectorError, HaltError, RetryError, StopReason
from connector.plezi.api import PleziApi
from connector.plezi.api_dialect import Pager, PleziDialect

FIRST_CONTACT: Final = {
    Pager.PAGE: {"page": "1", "per_page": "1"},
    Pager.LIMIT_OFFSET: {"offset": "0", "limit": "1"},
}


def minimal_read(api: PleziApi, dialect: PleziDialect) -> None:
    """Read one contact, once; raises `ConnectorError`s as `PleziApi.read`."""
    try:
        api.send("GET", "contacts", params=FIRST_CONTACT[dialect.pager])
    except requests.RequestException as error:
        raise RetryError("Plezi does not respond", reason=StopReason.PLEZI_UNAVAILABLE) from error


def check_tenant(api: PleziApi, dialect: PleziDialect) -> Finding:
    """Check one tenant; every error becomes a finding."""
    try:
        minimal_read(api, dialect)
    except HaltError as error:
        causes = (
            "the API key is mistyped or revoked: create a new one in Plezi, put it in the secret",
            "the tenant in the secret differs from the company's name in Plezi: correct it",
        )
        return Finding("plezi", Grade.FAILED, str(error), causes)
    except RetryError as error:
        return Finding("plezi", Grade.UNKNOWN, f"Plezi could not be checked: {error}")
    except ConnectorError as error:
        return Finding("plezi", Grade.FAILED, f"Plezi does not list contacts: {error}")
    return Finding("plezi", Grade.OK, "Plezi responds and accepts the key.")
