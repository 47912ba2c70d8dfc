"""The connection check of Plezi: is it reachable, and does it take the key."""

from __future__ import annotations

from typing import Final

import requests

from connector.connection_report import Finding, Grade
from connector.errors import ConnectorError, HaltError, RetryError, StopReason
from connector.plezi.api import PleziApi
from connector.settings import Pager, PleziDialect

FIRST_ONE: Final = {
    Pager.PAGE: {"page": "1", "per_page": "1"},
    Pager.LIMIT_OFFSET: {"offset": "0", "limit": "1"},
}


def minimal_read(api: PleziApi, dialect: PleziDialect) -> None:
    """Read one contact, once; raises `ConnectorError`s as `PleziApi.read`."""
    try:
        api.send("GET", "contacts", params=FIRST_ONE[dialect.pager])
    except requests.RequestException as error:
        raise RetryError("Plezi does not answer", reason=StopReason.PLEZI_UNAVAILABLE) from error


def check_tenant(api: PleziApi, dialect: PleziDialect) -> Finding:
    """Check one tenant; nothing is raised, for every trouble is a finding."""
    try:
        minimal_read(api, dialect)
    except HaltError as error:
        causes = (
            "the API key is mistyped or was revoked: make a new one in Plezi and put it",
            "the tenant in the secret is not spelt as Plezi spells the company",
        )
        return Finding("plezi", Grade.FAILED, str(error), causes)
    except RetryError as error:
        return Finding("plezi", Grade.UNKNOWN, f"Plezi could not be asked: {error}")
    except ConnectorError as error:
        return Finding("plezi", Grade.FAILED, f"Plezi does not list contacts: {error}")
    return Finding("plezi", Grade.OK, "Plezi answers and accepts the key.")
