"""`connect set` and `connect rotate`: new credentials are tested before they are used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from plezi_sync.aws_account import CURRENT_STAGE, PENDING_STAGE
from plezi_sync.commands.connect.questions import (
    JWT_FLOW,
    PLEZI_KEYS,
    ask,
    ask_expiring,
    ask_forms,
    ask_salesforce,
    read_object,
)
from plezi_sync.errors import RefusedError, UsageError
from plezi_sync.files import read_bytes
from plezi_sync.session import Session

ACCEPTED_OUTCOMES: Final = frozenset({"promoted", "already_current"})
ROTATION: Final = "rotate_credentials"
CAUSES: Final = " Most likely causes, in order:"
"""Where the message of a refused login goes on to its causes, which the response has as a list."""


PrivateKeyFile = Annotated[
    Path | None,
    typer.Option(help="The file of the private key, for the flow jwt_bearer of Salesforce."),
]


class Secret(StrEnum):
    """The secrets of a stack."""

    SALESFORCE = "salesforce"
    PLEZI = "plezi"
    FORMS = "forms"


class Tested(StrEnum):
    """The secrets that are tested with a login."""

    SALESFORCE = "salesforce"
    PLEZI = "plezi"


def set_(
    session: Session,
    secret: Annotated[Secret, typer.Argument(help="The secret to set.")],
    *,
    private_key: PrivateKeyFile = None,
) -> None:
    """Set all keys of a secret: asked for in a terminal, else a JSON object on standard input.

    Credentials of Salesforce and Plezi are tested first, and used only if they work.
    """
    key = _private_key(secret.value, private_key)
    match secret:
        case _ if not session.machine.is_interactive:
            material = {**read_object(session), **key}
        case Secret.SALESFORCE:
            material = ask_salesforce(session, key)
        case Secret.PLEZI:
            material = ask(session, PLEZI_KEYS)
        case Secret.FORMS:
            material = ask_forms(session)
    if secret is Secret.FORMS:
        _store_forms(session, material)
        return
    _test_and_use(session, Tested(secret.value), material)


def rotate(
    session: Session,
    secret: Annotated[Tested, typer.Argument(help="The secret with an expired part.")] = (
        Tested.SALESFORCE
    ),
    *,
    private_key: PrivateKeyFile = None,
) -> None:
    """Replace the password and the security token after a reset, or the key of Plezi.

    They are asked for in a terminal, else read as a JSON object from standard input. All other keys
    stay as they are. The new credentials are tested with one login, and used only if they work.
    """
    stack = session.deployment
    current = stack.account().current_secret(stack.secret(secret.value))
    if not any(value for name, value in current.items() if name != "flow"):
        raise UsageError(
            f"The secret of {secret.value} is empty. Run: plezi-sync connect set {secret.value}"
        )
    if private_key is not None:
        new: dict[str, object] = {**_private_key(secret.value, private_key)}
    elif session.machine.is_interactive:
        new = ask_expiring(session, secret.value, current)
    else:
        new = read_object(session)
    _test_and_use(session, secret, {**current, **new})


def _private_key(secret: str, file: Path | None) -> dict[str, str]:
    """Return the members of a secret that a file of a private key gives; none without a file.

    Raises `UsageError` for another secret than that of Salesforce, or a file that cannot be read.
    """
    if file is None:
        return {}
    if secret != Secret.SALESFORCE.value:
        raise UsageError("--private-key is for the secret of Salesforce only.")
    text = read_bytes(file).decode("ascii", errors="replace")
    return {"flow": JWT_FLOW, "private_key": text}


def _store_forms(session: Session, material: Mapping[str, object]) -> None:
    session.confirm("Replace the keys that forms are signed with? Other keys are refused then.")
    stack = session.deployment
    stack.account().store_version(stack.secret("forms"), material, CURRENT_STAGE)
    session.say("Stored. The functions use it within five minutes.")


def _test_and_use(session: Session, secret: Tested, material: Mapping[str, object]) -> None:
    """Store a pending version and have it tested.

    Raises `RefusedError`, with the likely causes, when it does not work: the current one stays.
    """
    stack = session.deployment
    account, function = stack.account(), stack.function(ROTATION)
    version = account.store_version(stack.secret(secret.value), material, PENDING_STAGE)
    event = {"version": version, "secret": secret.value}
    response = account.invoke(function, event)
    result: dict[str, Any] = response if isinstance(response, dict) else {"error": str(response)}
    if session.as_json:
        session.raw(json.dumps(result, ensure_ascii=False))
    if result.get("outcome") not in ACCEPTED_OUTCOMES:
        raise RefusedError(_refusal(result))
    if session.as_json:
        return
    session.say("The new credentials work, and are in use.")
    if result.get("run_id"):
        session.say(f"Run {result['run_id']} synchronizes the edits that waited.")
        session.say(f"Next: plezi-sync runs follow {result['run_id']}")


def _refusal(result: Mapping[str, Any]) -> str:
    lines = ["The new credentials are not in use; the current ones stay."]
    message = str(result.get("message") or result.get("error") or "")
    lines.append(message.partition(CAUSES)[0])  # the causes are listed below
    lines += [f"  {place}. {cause}" for place, cause in enumerate(result.get("causes", ()), 1)]
    return "\n".join([*lines, "Correct them, then run the command again."])
