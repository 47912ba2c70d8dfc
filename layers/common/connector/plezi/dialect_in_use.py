"""The dialect that the connector uses: what a probe found, and above it what the setting says."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Final

from connector.errors import HaltError, StopReason
from connector.plezi.api_dialect import ASSUMED, PleziDialect, overridden_keys, parse_dialect
from connector.probe_report import FoundDialect, load_found_dialect
from connector.stores import DocumentStore

REFUSAL: Final = (
    "This Plezi tenant cannot be served: {reason}. Nothing was read or written. When its API has "
    "changed, probe it again (POST /admin/plezi/probe)"
)


def dialect_of(found: FoundDialect) -> PleziDialect:
    """Return the dialect that was found; a key that this version does not know is left out."""
    known = {each.name for each in fields(PleziDialect)}
    keys = {name: value for name, value in found.keys.items() if name in known}
    try:
        return parse_dialect(json.dumps(keys))
    except HaltError:
        return ASSUMED  # it is found again by the next probe


def dialect_in_use(store: DocumentStore, tenant: str, setting: str) -> PleziDialect:
    """Return the dialect of a tenant; `setting` is PLEZI_DIALECT, which only overrides.

    Raises `HaltError` for a setting that cannot be read.
    """
    return parse_dialect(setting, dialect_of(load_found_dialect(store, tenant)))


def served_dialect(store: DocumentStore, tenant: str, setting: str) -> PleziDialect:
    """Return the dialect of a tenant that is to be synchronized.

    Raises `HaltError` as `dialect_in_use`, and for a tenant that cannot be served.
    """
    found = load_found_dialect(store, tenant)
    dialect = parse_dialect(setting, dialect_of(found))
    if reason := found.first_refusal(overridden_keys(setting)):
        raise HaltError(StopReason.PLEZI_NOT_SERVED, REFUSAL.format(reason=reason))
    return dialect
