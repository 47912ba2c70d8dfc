"""The roles of the console's users: each is a group of the user pool."""

from __future__ import annotations

from collections.abc import Iterable

from connector.described_enum import DescribedEnum


class UserRole(DescribedEnum):
    """What a group of the user pool allows; the table in docs/console.md is generated from here."""

    VIEWER = "viewer", "Sees every page. Each other role includes this one."
    OPERATOR = (
        "operator",
        "Decides conflicts, retries refused writes, requests, undoes and approves runs.",
    )
    MAPPER = (
        "mapper",
        "Changes the mapping, the limits and the recipients of alerts, sets up, starts and pauses.",
    )
    PRIVACY = "privacy", "Exports and erases what is stored about a person."


def roles_from_groups(groups: Iterable[str]) -> frozenset[UserRole]:
    """Return the roles of a user's groups; other groups count for nothing."""
    known = {role.value for role in UserRole}
    roles = frozenset(UserRole(group) for group in groups if group in known)
    return roles | {UserRole.VIEWER} if roles else roles
