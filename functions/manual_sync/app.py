"""POST /sync, or a direct invocation, asks for a run now."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from connector.model import RunKind
from connector.wiring import door


class ManualSync(BaseModel):
    """What may be asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RunKind = RunKind.CHANGES


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Write down a run; 202 with its id, or 400 naming what cannot be asked for."""
    through_api = "httpMethod" in event
    text = (event.get("body") or "{}") if through_api else json.dumps(event)
    try:
        asked = ManualSync.model_validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        return _answer(400, {"error": wrong}) if through_api else {"error": wrong}
    run_id = door().request(asked.kind)
    return _answer(202, {"run_id": run_id}) if through_api else {"run_id": run_id}


def _answer(status: int, body: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
