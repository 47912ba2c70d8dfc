"""The subcommands: what each one does, once its arguments are parsed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import requests

from plezi_sync.admin_api import AdminApi
from plezi_sync.aws_account import AwsAccount
from plezi_sync.errors import RefusedError, UsageError
from plezi_sync.files import read_bytes, read_json_object, write_text
from plezi_sync.targets import LocalStack

MAPPING_PATH: Final = "/admin/mapping.yaml"
SYNC_PATH: Final = "/sync"
STATUS_PATH: Final = "/admin/status"
SYSTEMS_PATH: Final = "/admin/systems"
FIELDS_PATH: Final = "/admin/fields"
PROBE_PATH: Final = "/admin/plezi/probe"
MAX_PROBE_CALLS: Final = 60
"""Calls of one probe at most: a step that never fits into a call is left open after two."""
EVENTS: Final = Path("events")
DEFAULT_EVENTS: Final[Mapping[str, str]] = {
    "admin": "admin_status",
    "form_worker": "forms_queue",
    "scheduled_sync": "scheduler",
    "sync_worker": "runs_queue",
}
"""The event of a function, where it does not have the function's name."""
ACCEPTED_OUTCOMES: Final = frozenset({"promoted", "already_current"})
SERVER_ERROR: Final = 500
REMEDIES: Final[Mapping[int, str]] = {
    400: "Correct the request as the message says.",
    403: "Check the path, that the URL includes the stage, and that the IAM identity has "
    "execute-api:Invoke on this API.",
    404: "Check the path: `plezi-sync call GET /admin/openapi.json` lists the routes.",
    409: "Read the current version, apply the change to it, and send it again.",
    422: "Correct the request: the response lists each problem with its place.",
    429: "API Gateway limits the calls per second. Wait a few seconds, then try again.",
    502: "Follow the message if it names Plezi or Salesforce. Else the function failed: read its "
    "log (docs/operations.md, Logs).",
    503: "The API is busy. Wait a minute, then try again.",
}
"""What the operator can do about a refusal, by HTTP status (docs/admin.md, Refusals)."""


def call(
    api: AdminApi,
    method: str,
    path: str,
    *,
    body: Path | None = None,
    output: Path | None = None,
) -> None:
    """Send one request; print the response, or write it to a file.

    Raises `RefusedError` when the API refuses the request, and the errors of `AdminApi.call`.
    """
    content = None if body is None else read_bytes(body)
    _print_response(api, method.upper(), path, content, output)


def _print_response(
    api: AdminApi, method: str, path: str, content: bytes | None, output: Path | None = None
) -> None:
    response = api.call(method, path, content)
    text = _text(response)
    if not response.ok:
        raise RefusedError(_refusal(response, text))
    if output is None:
        print(text)
        return
    write_text(output, text)
    print(f"{output}: {len(text.splitlines())} lines")


def export_mapping(api: AdminApi, file: Path) -> None:
    """Write the current mapping to a YAML file."""
    call(api, "GET", MAPPING_PATH, output=file)


def import_mapping(api: AdminApi, file: Path) -> None:
    """Save the mapping in a YAML file. A file of an older version is refused with status 409."""
    call(api, "PUT", MAPPING_PATH, body=file)


def show_status(api: AdminApi) -> None:
    """Print the state of the synchronization."""
    call(api, "GET", STATUS_PATH)


def show_fields(api: AdminApi, *, refresh: bool) -> None:
    """Print the fields of both sides, each with what it can do; with `refresh`, as they are now."""
    call(api, "GET", f"{FIELDS_PATH}?refresh=true" if refresh else FIELDS_PATH)


def request_run(
    api: AdminApi, kind: str, *, first: bool = False, skip_stages: bool = False
) -> None:
    """Request a run of all people and print its id."""
    options = {"first": first, "skip_stages": skip_stages}
    body = {"kind": kind, **{name: True for name, is_set in options.items() if is_set}}
    _print_response(api, "POST", SYNC_PATH, json.dumps(body).encode())


def approve_preview(api: AdminApi, run_id: str) -> None:
    """Approve the preview of a dry run. Raises `RefusedError` for one that is too old."""
    _print_response(api, "POST", f"/admin/runs/{quote(run_id, safe='')}/approve", b"{}")


def show_systems(api: AdminApi) -> None:
    """Print the connected org and tenant, and others that the credentials led to."""
    call(api, "GET", SYSTEMS_PATH)


def decide_system(api: AdminApi, side: str, decision: str) -> None:
    """Decide about another org or tenant. Raises `RefusedError` when none was found."""
    body = json.dumps({"side": side, "decision": decision}).encode()
    _print_response(api, "POST", SYSTEMS_PATH, body)


def probe(api: AdminApi, contact: str, *, throwaway: bool) -> None:
    """Probe the Plezi tenant, call by call until it is done, and print the findings.

    Raises `RefusedError` when a call is refused, or the tenant cannot be asked.
    """
    body = json.dumps({"contact": contact, "throwaway": throwaway}).encode()
    for _ in range(MAX_PROBE_CALLS):
        response = api.call("POST", PROBE_PATH, body)
        if not response.ok:
            raise RefusedError(_refusal(response, _text(response)))
        report = response.json()
        if report["state"] != "running":
            break
        print(f"{report['steps_left']} steps left", file=sys.stderr)
    print(_text(response))
    if report["state"] != "done":
        raise RefusedError(report["message"] or "The probe did not end: run the command again.")


def invoke(stack: LocalStack, function: str, event: Path | None) -> None:
    """Invoke a function of the local stack, by default with its sample event from `events/`."""
    if function not in stack.functions:
        names = ", ".join(sorted(stack.functions))
        raise UsageError(f"There is no function {function!r}. Choose one of: {names}.")
    file = event or EVENTS / f"{DEFAULT_EVENTS.get(function, function)}.json"
    response = stack.account().invoke(stack.functions[function], read_json_object(file))
    print(json.dumps(response, indent=2, ensure_ascii=False))


def rotate(account: AwsAccount, secret_id: str, function: str, file: Path) -> None:
    """Store new Salesforce credentials as a pending version, then have them tested and promoted.

    Raises `RefusedError` when the credentials do not work; the current ones then stay in use.
    """
    version = account.store_pending_version(secret_id, read_json_object(file))
    response = account.invoke(function, {"version": version})
    print(json.dumps(response, indent=2, ensure_ascii=False))
    outcome = response.get("outcome") if isinstance(response, dict) else None
    if outcome not in ACCEPTED_OUTCOMES:
        raise RefusedError(
            "The new credentials are not in use; the response above says why. "
            f"Correct {file}, then run the command again."
        )


def _text(response: requests.Response) -> str:
    """Return the body; JSON is indented."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return response.text
    try:
        return json.dumps(response.json(), indent=2, ensure_ascii=False)
    except ValueError:  # a gateway between here and the API cut the body
        return response.text


def _refusal(response: requests.Response, text: str) -> str:
    status = response.status_code
    lines = [f"The API refused the request: {status} {response.reason}".rstrip(), text]
    wait = response.headers.get("Retry-After", "")
    if wait:
        lines.append(f"Try again after {wait} s.")
    elif status in REMEDIES:
        lines.append(REMEDIES[status])
    elif status >= SERVER_ERROR:
        lines.append("The log of the function `admin` contains the cause (docs/operations.md).")
    return "\n".join(line for line in lines if line)
