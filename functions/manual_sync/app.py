"""POST /sync, or a direct invocation, asks for a run now."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from connector.errors import MappingError
from connector.mapping import canonical_email, is_email_address
from connector.model import RunKind
from connector.wiring import door

MOST_PEOPLE = 200
"""People of one selected run: what one look-up in Salesforce takes, and at two calls a second what
Plezi answers within one invocation. For more, `full` is the kind to ask for."""
LONGEST_DRAFT = 200_000
"""Characters of a mapping that is not saved; half of what an item of the ledger's table holds."""


def _one_address(email: str) -> str:
    if not is_email_address(email):
        raise ValueError("must be one e-mail address")
    return email


Email = Annotated[str, BeforeValidator(canonical_email), AfterValidator(_one_address)]


class ManualSync(BaseModel):
    """What may be asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RunKind = RunKind.CHANGES
    emails: tuple[Email, ...] = Field(default=(), max_length=MOST_PEOPLE)
    mapping: dict[str, Any] | None = None
    include_unchanged: bool = False

    @model_validator(mode="after")
    def _fits(self) -> ManualSync:
        if self.kind is RunKind.FORM:
            raise ValueError("kind: a form asks by itself; choose changes, full, selected, dry_run")
        if self.kind is RunKind.SELECTED and not self.emails:
            raise ValueError("emails: name the people of a selected run")
        if self.emails and self.kind not in (RunKind.SELECTED, RunKind.DRY_RUN):
            raise ValueError("emails: only a selected run and a dry run are for some people")
        dry = self.kind is RunKind.DRY_RUN
        if (self.mapping is not None or self.include_unchanged) and not dry:
            raise ValueError("mapping, everybody: only for a dry run; save a mapping to apply it")
        if len(self.draft) > LONGEST_DRAFT:
            raise ValueError(f"mapping: longer than {LONGEST_DRAFT} characters")
        return self

    @property
    def draft(self) -> str:
        """The mapping as a document; '' for the saved one."""
        return "" if self.mapping is None else json.dumps(self.mapping, ensure_ascii=False)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Write down a run; 202 with its id, or 400 naming what cannot be asked for."""
    through_api = "httpMethod" in event
    text = (event.get("body") or "{}") if through_api else json.dumps(event)
    try:
        asked = ManualSync.model_validate_json(text)
        run_id = door().request_run(
            asked.kind, emails=asked.emails, draft=asked.draft, everybody=asked.include_unchanged
        )
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(filter(None, (".".join(map(str, it["loc"])), it["msg"])))
            for it in error.errors()
        )
        return _answer(400, {"error": wrong}) if through_api else {"error": wrong}
    except MappingError as error:
        return _answer(400, {"error": str(error)}) if through_api else {"error": str(error)}
    return _answer(202, {"run_id": run_id}) if through_api else {"run_id": run_id}


def _answer(status: int, body: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
