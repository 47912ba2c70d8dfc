"""The console of the local stack: its address, and a demo user for each role."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from local.embedded_aws import EmbeddedAws
from local.stack.stack_file import Console, ConsoleUser

HOST: Final = "console.localhost"
"""Browsers resolve every name below localhost to this machine (RFC 6761, 6.3), and treat it as
secure, so that cookies of HTTPS work. The emulator serves custom domain names of an API."""
PATH: Final = "/console"
ROLES: Final = ("viewer", "operator", "mapper", "privacy")
"""The groups of the user pool, as template.yaml creates them."""
DEMO_PASSWORD: Final = "Console-demo-2026"
"""The password of all demo users; the pool exists on this machine only."""


def console_url(endpoint: str) -> str:
    """Return the address of the console: that of the embedded AWS with a name of its own."""
    return f"http://{HOST}:{urlsplit(endpoint).port}{PATH}"


def open_console(aws: EmbeddedAws, api_id: str, pool_id: str) -> Console:
    """Give the console its domain name, and create a demo user for each role."""
    aws.apis.create_domain_name(domainName=HOST)
    aws.apis.create_base_path_mapping(domainName=HOST, restApiId=api_id, stage="v1")
    users = [_create_user(aws, pool_id, (role,)) for role in ROLES]
    users.append(_create_user(aws, pool_id, ROLES, name="admin"))
    return Console(url=console_url(aws.endpoint), pool_id=pool_id, users=tuple(users))


def _create_user(
    aws: EmbeddedAws, pool_id: str, roles: tuple[str, ...], name: str = ""
) -> ConsoleUser:
    """Create a user as an administrator does, with a password that is not temporary."""
    email = f"{name or roles[0]}@example.com"
    aws.users.admin_create_user(
        UserPoolId=pool_id,
        Username=email,
        UserAttributes=[
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ],
        MessageAction="SUPPRESS",
        TemporaryPassword=DEMO_PASSWORD,
    )
    aws.users.admin_set_user_password(
        UserPoolId=pool_id, Username=email, Password=DEMO_PASSWORD, Permanent=True
    )
    for role in roles:
        aws.users.admin_add_user_to_group(UserPoolId=pool_id, Username=email, GroupName=role)
    return ConsoleUser(email=email, password=DEMO_PASSWORD, roles=roles)
