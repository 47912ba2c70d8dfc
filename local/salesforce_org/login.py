"""Login checks: password, security token, lockout; and the Login History with the real reasons."""

from __future__ import annotations

import string
from datetime import timedelta
from enum import Enum

from local.salesforce_org.security import OrgUser
from local.salesforce_org.state import OrgState

HOUR = timedelta(hours=1)
TOKEN_LENGTH = 24


class LoginStatus(Enum):
    """The real result of a login, with its text in Login History (no response contains it)."""

    SUCCESS = "Success"
    UNKNOWN_USER = "Failed: Invalid Username"
    WRONG_PASSWORD = "Invalid Password"
    TOKEN_NEEDED = "Failed: API security token required"
    LOCKED_OUT = "Password Lockout"
    INACTIVE = "User is Inactive"
    EXPIRED = "Failed: Password Expired"
    FLOW_BLOCKED = "Username-Password Flow Disabled"
    HOST_FORBIDDEN = "Failed: Login from this host is not allowed"
    IP_RESTRICTED = "Restricted IP"
    NOT_APPROVED = "Not Approved for Access"
    TOO_MANY = "Login Rate Exceeded"


def check_password(state: OrgState, user: OrgUser | None, presented: str) -> LoginStatus:
    """Check a password with its token; count failures, and lock the user at the limit."""
    if user is None:
        return LoginStatus.UNKNOWN_USER
    if is_locked(state, user):
        return LoginStatus.LOCKED_OUT
    if not user.is_active:
        return LoginStatus.INACTIVE
    expected = user.password + user.security_token
    if presented == expected or (presented == user.password and user.trusted_address):
        user.failed_logins = 0
        return LoginStatus.EXPIRED if password_expired(state, user) else LoginStatus.SUCCESS
    if presented == user.password:
        return LoginStatus.TOKEN_NEEDED
    _count_failure(state, user)
    return LoginStatus.WRONG_PASSWORD


def is_locked(state: OrgState, user: OrgUser) -> bool:
    """Return whether a user is locked out now; an expired lockout is removed."""
    if user.locked_until is None:
        return False
    if user.locked_until <= state.now():
        user.locked_until = None
        user.failed_logins = 0
        return False
    return True


def password_expired(state: OrgState, user: OrgUser) -> bool:
    """Return whether the password is too old, or is marked as expired."""
    days = state.switches.password_expires_days
    if user.password_expired or not days or user.password_changed_at is None:
        return user.password_expired
    return state.now() - user.password_changed_at > timedelta(days=days)


def exceeds_login_rate(state: OrgState, user: OrgUser) -> bool:
    """Return whether the user has reached the logins per hour; if not, count this login."""
    now = state.now()
    user.login_times = [t for t in user.login_times if now - t < HOUR]
    if len(user.login_times) >= state.switches.logins_per_hour:
        return True
    user.login_times.append(now)
    return False


def add_history_row(
    state: OrgState, user: OrgUser | None, login_type: str, status: LoginStatus
) -> None:
    """Add a row to Login History."""
    state.add_setup_row(
        "LoginHistory",
        {
            "UserId": user.id if user else None,
            "LoginTime": state.stamp(),
            "LoginType": login_type,
            "Status": status.value,
            "Application": "Plezi connector",
        },
    )


def reset_password(state: OrgState, user: OrgUser, password: str) -> str:
    """Change a password and return the new security token; the old token and all sessions end."""
    letters = string.ascii_letters + string.digits
    user.password = password
    user.security_token = "".join(state.rng.choices(letters, k=TOKEN_LENGTH))
    user.password_changed_at = state.now()
    user.password_expired = False
    user.failed_logins = 0
    user.locked_until = None
    state.sessions.kill_all(user.id)
    state.store.update_by_id(
        state.schema.get("User"), user.id, {"LastPasswordChangeDate": state.stamp()}
    )
    return user.security_token


def _count_failure(state: OrgState, user: OrgUser) -> None:
    user.failed_logins += 1
    limit = state.switches.max_failed_logins
    if limit and user.failed_logins >= limit:
        minutes = (
            state.switches.lockout_minutes or 60 * 24 * 365
        )  # 0: until an administrator unlocks the user
        user.locked_until = state.now() + timedelta(minutes=minutes)
