"""The check of the connection, and on success the fields of both sides (product P2 to P5)."""

from __future__ import annotations

from dataclasses import dataclass

from connector.administration.fields import Fields, list_fields
from connector.administration.office import Office
from connector.checks import Checked


@dataclass(frozen=True, slots=True)
class CheckTold:
    """What the check found, and the fields to map (None while something failed)."""

    checked: Checked
    fields: Fields | None


def check_connection(office: Office, who: str) -> CheckTold:
    """Try the credentials of both sides, once; on success, describe both sides anew.

    A trouble is a finding with its causes in order, not an error: a refused login is never tried
    again with the same version of the secret.
    """
    checked = office.check()
    office.note(who, "check connection", "", "", "ok" if checked.ok else "failed")
    return CheckTold(checked, list_fields(office, refresh=True) if checked.ok else None)
