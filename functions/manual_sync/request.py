"""The body of POST /sync: read strictly, every problem named with its field.

It is read without pydantic: a function that only accepts requests must start fast.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from connector.bounded_json import JsonBounds, JsonBoundsError, load_json
from connector.clean_text import canonical_email, is_email_address
from connector.model import RunKind

MAX_PEOPLE: Final = 200
"""People of one selected run: what one look-up in Salesforce takes, and what Plezi answers within
one invocation at two calls a second. For more people, request a `full` run."""
MAX_DRAFT_CHARACTERS: Final = 200_000
"""Characters of a mapping that is not saved: half of the size limit of an item in DynamoDB."""
BOUNDS: Final = JsonBounds(characters=300_000, depth=10, keys=40_000)
"""A draft, with 200 e-mails beside it. A mapping of 2,000 pairs has about 15 keys each."""
KINDS: Final = (
    RunKind.CHANGES,
    RunKind.FULL,
    RunKind.SELECTED,
    RunKind.DRY_RUN,
    RunKind.VERIFY,
)
STAGED_KINDS: Final = (RunKind.CHANGES, RunKind.FULL)
"""Kinds of run that may be a first synchronization."""
MEMBERS: Final = ("kind", "emails", "mapping", "include_unchanged", "first", "skip_stages")


class InvalidRequestError(ValueError):
    """The body cannot be accepted; the text names each field with its remedy."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What a run is requested with; `draft` is the JSON of a mapping ('': the saved one)."""

    kind: RunKind
    emails: tuple[str, ...]
    draft: str
    include_unchanged: bool
    first: bool
    skip_stages: bool


def parse_sync_request(text: str) -> SyncRequest:
    """Return the request in a body; raise `InvalidRequestError` that names every problem."""
    try:
        body = load_json(text, BOUNDS)
    except JsonBoundsError as error:
        raise InvalidRequestError(f"body: {error}") from None
    except ValueError as error:
        raise InvalidRequestError("body: it is not JSON; send one JSON object") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("body: send one JSON object")
    problems = [
        f"{name}: not a member; send {', '.join(MEMBERS)}" for name in body if name not in MEMBERS
    ]
    kind = body.get("kind", RunKind.CHANGES)
    if kind not in KINDS:
        problems.append(f"kind: send one of {', '.join(KINDS)}")
    emails = _emails(body.get("emails", []), problems)
    draft = _draft(body.get("mapping"), problems)
    include_unchanged = _flag(body, "include_unchanged", problems)
    first = _flag(body, "first", problems)
    skip_stages = _flag(body, "skip_stages", problems)
    if problems:
        raise InvalidRequestError("; ".join(problems))
    request = SyncRequest(RunKind(kind), emails, draft, include_unchanged, first, skip_stages)
    _check_combination(request)
    return request


def _flag(body: dict[str, Any], name: str, problems: list[str]) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        problems.append(f"{name}: send true or false")
    return value is True


def _emails(value: Any, problems: list[str]) -> tuple[str, ...]:  # noqa: ANN401  # any JSON value
    if not isinstance(value, list) or len(value) > MAX_PEOPLE:
        problems.append(f"emails: send a list of at most {MAX_PEOPLE} e-mail addresses")
        return ()
    emails = tuple(canonical_email(each) for each in value)
    problems += [
        f"emails.{place}: must be one e-mail address"
        for place, email in enumerate(emails)
        if not is_email_address(email)
    ]
    return emails


def _draft(value: Any, problems: list[str]) -> str:  # noqa: ANN401  # any JSON value
    if value is None:
        return ""
    if not isinstance(value, dict):
        problems.append("mapping: send a mapping as a JSON object")
        return ""
    draft = json.dumps(value, ensure_ascii=False)
    if len(draft) > MAX_DRAFT_CHARACTERS:
        problems.append(f"mapping: longer than {MAX_DRAFT_CHARACTERS} characters")
    return draft


def _check_combination(request: SyncRequest) -> None:
    """Refuse members that the kind of run does not use."""
    is_dry_run = request.kind is RunKind.DRY_RUN
    if request.kind is RunKind.SELECTED and not request.emails:
        raise InvalidRequestError("emails: name the people of a selected run")
    if request.emails and request.kind is not RunKind.SELECTED and not is_dry_run:
        raise InvalidRequestError("emails: only a selected run and a dry run are for some people")
    if (request.draft or request.include_unchanged) and not is_dry_run:
        raise InvalidRequestError(
            "mapping, include_unchanged: only for a dry run; save a mapping to apply it"
        )
    if request.first and request.skip_stages:
        raise InvalidRequestError("first, skip_stages: send one of them")
    if (request.first or request.skip_stages) and request.kind not in STAGED_KINDS:
        raise InvalidRequestError("first, skip_stages: only for a run of changes or a full run")
