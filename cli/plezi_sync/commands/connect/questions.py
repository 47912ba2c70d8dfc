"""The keys of each secret, asked for one by one: what is secret is not shown."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plezi_sync.errors import UsageError
from plezi_sync.session import Session

SIGNING_KEY_BYTES: Final = 32
"""Random bytes of a key for forms; 24 to 64 are allowed (Standard Webhooks 1.0.0)."""
SIGNING_KEY_PREFIX: Final = "whsec_"
SALESFORCE: Final = "salesforce"
DEFAULT_FLOW: Final = "password"
JWT_FLOW: Final = "jwt_bearer"


@dataclass(frozen=True)
class Key:
    """One key of a secret: its name, what to type, and whether it may be seen and left empty."""

    name: str
    question: str
    is_secret: bool = False
    may_be_empty: bool = False


_APP: Final = (
    Key("account_url", "Account URL, as the browser shows it"),
    Key("consumer_key", "Consumer key of the app"),
)
_CONSUMER_SECRET: Final = Key("consumer_secret", "Consumer secret", is_secret=True)
_TOKEN: Final = Key("security_token", "Security token", is_secret=True, may_be_empty=True)
_PASSWORD: Final = Key("password", "Password", is_secret=True)
SALESFORCE_KEYS: Final[Mapping[str, Sequence[Key]]] = {
    "password": (*_APP, _CONSUMER_SECRET, Key("username", "User name"), _PASSWORD, _TOKEN),
    "client_credentials": (*_APP, _CONSUMER_SECRET),
    JWT_FLOW: (*_APP, Key("username", "User name")),
}
"""What each flow needs (docs/operations.md, Secrets), but a private key: it has several lines, and
is read from a file."""
PLEZI_KEYS: Final = (
    Key("api_key", "API key of Plezi", is_secret=True),
    Key("tenant", "Company name, as Plezi spells it"),
)
EXPIRING_KEYS: Final[Mapping[str, Sequence[Key]]] = {
    "password": (_PASSWORD, _TOKEN),
    "client_credentials": (_CONSUMER_SECRET,),
    "plezi": (PLEZI_KEYS[0],),
}
"""What is new after a reset, by flow of Salesforce, or for Plezi."""
SEVERAL_LINES: Final = (
    "The flow {flow!r} cannot be typed: a private key has several lines. Name its file, as in: "
    "plezi-sync connect {action} salesforce --private-key plezi-sync.key; then delete the file."
)


def read_object(session: Session) -> dict[str, object]:
    """Return the JSON object on standard input. Raises `UsageError`, which shows no part of it."""
    try:
        value: object = json.loads(session.machine.stdin().read())
    except ValueError as error:
        raise UsageError(
            "The standard input is not JSON. Pipe one JSON object, or run the command in a "
            "terminal to be asked."
        ) from error
    if not isinstance(value, dict):
        raise UsageError("The standard input must be a JSON object, as in {...}.")
    return value


def ask_salesforce(session: Session, private_key: Mapping[str, object]) -> dict[str, object]:
    """Ask for a new secret of Salesforce; `private_key` has what a file gave.

    Raises `UsageError` when a key is missing.
    """
    if private_key:
        return {**private_key, **ask(session, SALESFORCE_KEYS[JWT_FLOW])}
    choices = [flow for flow in SALESFORCE_KEYS if flow != JWT_FLOW]
    flow = session.ask(f"Flow: {' or '.join(choices)} [{DEFAULT_FLOW}] ") or DEFAULT_FLOW
    if flow not in choices:
        raise UsageError(SEVERAL_LINES.format(flow=flow, action="set"))
    return {"flow": flow, **ask(session, SALESFORCE_KEYS[flow])}


def ask_forms(session: Session) -> dict[str, object]:
    """Ask for the signing key of forms; an empty one is made, and shown once."""
    key = session.ask("Signing key, whsec_... (empty: make a new one): ", is_secret=True)
    if not key:
        random = base64.b64encode(secrets.token_bytes(SIGNING_KEY_BYTES)).decode()
        key = f"{SIGNING_KEY_PREFIX}{random}"
        session.say(f"The new signing key, for the sender of the forms: {key}")
    return {"signing_keys": [key], "tokens": []}


def ask_expiring(session: Session, secret: str, current: Mapping[str, object]) -> dict[str, object]:
    """Ask for the keys that a reset changes. Raises `UsageError` for a flow without a question."""
    flow = str(current.get("flow", DEFAULT_FLOW)) if secret == SALESFORCE else secret
    if flow not in EXPIRING_KEYS:
        raise UsageError(SEVERAL_LINES.format(flow=flow, action="rotate"))
    return ask(session, EXPIRING_KEYS[flow])


def ask(session: Session, keys: Sequence[Key]) -> dict[str, object]:
    """Ask for keys. Raises `UsageError` when one that is needed is left empty."""
    values: dict[str, object] = {}
    for key in keys:
        value = session.ask(f"{key.question}: ", is_secret=key.is_secret)
        if not value and not key.may_be_empty:
            raise UsageError(f"{key.name} is missing. Nothing was stored: run the command again.")
        values[key.name] = value
    return values
