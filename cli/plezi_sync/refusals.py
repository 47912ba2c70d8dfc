"""What an operator can do about a request that the API refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import requests

from plezi_sync.errors import RefusedError
from plezi_sync.output.texts import with_commands

SERVER_ERROR: Final = 500
REMEDIES: Final[Mapping[int, str]] = {
    400: "Correct the request as the message says.",
    403: "Check the path, that the URL includes the stage, and that the IAM identity has "
    "execute-api:Invoke on this API.",
    404: 'Check the name: `plezi-sync runs list` lists the runs, `plezi-sync why "Ana Lopez"` '
    "searches a person, `plezi-sync call GET /admin/openapi.json` shows the routes.",
    409: "Read the current version, apply the change to it, and send it again.",
    422: "Correct the request: the response lists each problem with its place.",
    429: "API Gateway limits the calls per second. Wait a few seconds, then try again.",
    502: "Follow the message if it names Plezi or Salesforce. Else the function failed: read its "
    "log (`plezi-sync logs admin`).",
    503: "The API is busy. Wait a minute, then try again.",
}
"""What the operator can do about a refusal, by HTTP status (docs/admin.md, Errors)."""


def accepted_text(response: requests.Response) -> str:
    """Return the body of an accepted response. Raises `RefusedError` for any other one."""
    if response.ok:
        return body_text(response)
    raise RefusedError(_refusal(response), response.status_code, body_text(response))


def body_text(response: requests.Response) -> str:
    """Return the body as text: without a declared encoding it is UTF-8."""
    return response.content.decode("utf-8", errors="replace")


def indented(text: str) -> str:
    """Return JSON with indentation, and any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def problem_lines(problems: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one line for each problem of a mapping or a request, with its remedy."""
    for problem in problems:
        place = " ".join(str(problem[name]) for name in ("pair", "field") if problem.get(name))
        remedy = f" Remedy: {problem['remedy']}" if problem.get("remedy") else ""
        yield f"  {place or 'request'}: {problem.get('message', '')} ({problem['code']}){remedy}"


def _refusal(response: requests.Response) -> str:
    status = response.status_code
    heading = f"The API refused the request: {status} {response.reason}".rstrip()
    lines = [heading, *_explanation(body_text(response))]
    wait = response.headers.get("Retry-After", "")
    if wait:
        lines.append(f"Try again after {wait} s.")
    elif status in REMEDIES:
        lines.append(REMEDIES[status])
    elif status >= SERVER_ERROR:
        lines.append("The log of the function `admin` contains the cause (`plezi-sync logs admin`)")
    return "\n".join(line for line in lines if line)


def _explanation(text: str) -> list[str]:
    """Return the message and the problems of an error, or its whole text where it has neither."""
    try:
        body: object = json.loads(text)
    except ValueError:
        return [text]
    if not isinstance(body, dict):
        return [text]
    message = body.get("message") or body.get("error")
    if not isinstance(message, str):
        return [indented(text)]
    listed = [problem for problem in body.get("problems") or () if "code" in problem]
    return [with_commands(message), *problem_lines(listed)]
