"""The switches of an org: options of an administrator, an edition or Salesforce itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from werkzeug.exceptions import BadRequest

API_EDITIONS = frozenset(
    {"Enterprise Edition", "Unlimited Edition", "Developer Edition", "Performance Edition"}
)


@dataclass(slots=True)
class Switches:
    """The switches of one org; `POST /_sim/switches` changes them by name."""

    edition: str = "Enterprise Edition"
    api_add_on: bool = False  # Professional Edition has the API as a paid add-on
    is_sandbox: bool = False
    org_status: str = "active"  # or inactive, locked, maintenance
    block_oauth_password_flow: bool = False  # OauthOidcSettings.blockOAuthUnPwFlow
    password_flow_retired: bool = False  # as from 20 February 2027
    soap_login_disabled: bool = False  # the default of orgs created since Winter '26
    login_host_forbidden: bool = False  # logins are allowed at My Domain only
    external_client_app: bool = False  # such an app cannot serve the password flow
    app_installed: bool = True
    password_flow_in_app: bool = True
    client_credentials_in_app: bool = True
    jwt_flow_in_app: bool = True
    client_credentials_user: str | None = "integration@acme.example"  # the app's Run As user
    answered_scopes: str | None = "api"  # `scope` in the response of JWT and client credentials
    session_timeout_seconds: int = 7200
    session_opens_rest: bool = True  # false: "This session is not valid for use with the REST API"
    max_failed_logins: int = 10  # default of a profile's password policy (low certainty)
    lockout_minutes: int = 15
    password_expires_days: int = 0  # 0: never; an ordinary profile has 90
    logins_per_hour: int = 3600
    hidden_objects: list[str] = field(default_factory=list)
    assignment_rule_owner: str | None = (
        None  # a username: the owner that the active lead assignment rule sets
    )
    replication_to_the_minute: bool = True  # getUpdated and getDeleted ignore the seconds
    gzip: bool = True

    @property
    def api_is_on(self) -> bool:
        """Whether the edition has the API."""
        return self.edition in API_EDITIONS or self.api_add_on

    def change(self, changes: dict[str, Any]) -> None:
        """Change some switches.

        Raises:
            BadRequest: for an unknown name or a value of a wrong type.
        """
        known = {switch.name: getattr(self, switch.name) for switch in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise BadRequest(f"unknown switch {name!r}; known: {', '.join(sorted(known))}")
            current = known[name]
            expected: type | tuple[type, ...] = type(current)
            if name in {"client_credentials_user", "assignment_rule_owner", "answered_scopes"}:
                expected = (str, type(None))
            if not isinstance(value, expected):
                raise BadRequest(f"switch {name!r} takes a value like {current!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    def listing(self) -> dict[str, Any]:
        """Return all switches as a JSON object."""
        return asdict(self)
