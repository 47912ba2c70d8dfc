"""The Salesforce session that all invocations share."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A Salesforce session that all invocations share; `repr` hides the token.

    As it is stored, its access token is sealed (`salesforce/auth/session_seal.py`).

    `org_id` is the org that the login led to ('': the login did not say).
    """

    access_token: str = field(repr=False)
    instance_url: str
    secret_version: str
    org_id: str = ""
