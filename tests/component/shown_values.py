"""A system that shows some fields in another way than it stores them, and may lose one write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from connector.model import Side
from tests.component.altered_answers import alter_answers
from tests.component.harness import Harness

AN_OBJECT = {"number": "5", "country": "FR"}
WRITES = ("PUT", "PATCH")


@dataclass
class ShownValues:
    """What a system shows in the fields of its records, from now on: `fields` by their names.

    `kind` limits it to Contacts or Leads, `record` to one id, `methods` to requests with these
    methods. `loses_write`: the next update is lost before it arrives.
    """

    harness: Harness
    side: Side
    fields: Mapping[str, object] = field(default_factory=dict)
    kind: str = ""
    record: str = ""
    methods: tuple[str, ...] = ("GET", "POST", *WRITES)
    loses_write: bool = False

    def __post_init__(self) -> None:
        """Place it between a new worker and the system."""
        alter_answers(self.harness, self.side, self._before, self.alter)

    def _before(self, request: Request) -> Response | None:
        if self.loses_write and request.method in WRITES:
            self.loses_write = False
            raise requests.ReadTimeout
        return None

    def alter(self, request: Request, response: Response) -> None:
        """Change the answer to a request."""
        if not self.fields or request.method not in self.methods or not response.is_json:
            return
        document = json.loads(response.get_data())
        for row in _objects(document):
            if self._is_meant(row):
                row.update({name: it for name, it in self.fields.items() if name in row})
        response.set_data(json.dumps(document))

    def _is_meant(self, row: dict[str, Any]) -> bool:
        kind = row["attributes"].get("type") if isinstance(row.get("attributes"), dict) else None
        return self.kind in ("", kind) and self.record in ("", row.get("Id"))


def _objects(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    for member in document.values() if isinstance(document, dict) else document:  # type: ignore[attr-defined]
        if isinstance(member, dict | list):
            yield from _objects(member)
