"""The admins: they change the mapping while users type, and decide some held fields."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any, Final
from urllib.parse import quote

from plezi_sync.admin_api import AdminApi
from tests.e2e.random_workload.fields import BY_LEAD_FIELD, EMAIL, MEANINGS
from tests.e2e.random_workload.mapping_edits import MappingEdits

PAGE: Final = 200


class Admins:
    """The admins, and the versions of the mapping that they saved."""

    def __init__(self, api: AdminApi, randomness: Random) -> None:
        self._api = api
        self._random = randomness
        self.mapping = MappingEdits(randomness)
        self.decisions: set[tuple[str, str]] = set()
        """The e-mail and the field of each choice."""

    def call(self, method: str, path: str, body: object = None) -> Any:  # any JSON
        """Call the admin API and return its JSON. Raises `AssertionError` when it refuses."""
        response = self._api.call(method, path, None if body is None else json.dumps(body).encode())
        assert response.ok, response.text
        return response.json()

    # The mapping

    def save(self) -> None:
        """Save the mapping with the pairs of the workload, and keep all others."""
        current = self.call("GET", "/admin/mapping")
        others = [
            pair
            for pair in current["pairs"]
            if pair["direction"] != "off"
            and (pair["plezi"] == EMAIL.plezi or pair["plezi"] not in MEANINGS)
        ]
        since = time.time()
        self.call("PUT", "/admin/mapping", {**current, "pairs": [*others, *self.mapping.mapped]})
        self.mapping.note_version(since)

    def change(self) -> None:
        """Save the mapping with a random change."""
        self.mapping.change()
        self.save()

    def add_all(self) -> None:
        """Save the mapping with all pairs."""
        self.mapping.add_all()
        self.save()

    # The review queue

    def queue(self, kind: str) -> list[dict[str, Any]]:
        """Return the whole review queue of one kind."""
        people: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.call("GET", f"/admin/attention?kind={kind}&limit={PAGE}{after}")
            people += page["people"]
            if not page["next"]:
                return people
            after = f"&next={quote(page['next'])}"

    def decide(self) -> None:
        """Choose the value of one record for one held field, as a person of the queue needs it."""
        found = [
            (person["email"], hold)
            for person in self.queue("hold")
            for hold in person["holds"]
            if hold["field"] in BY_LEAD_FIELD and hold["field"] != EMAIL.lead
        ]
        if not found:
            return
        email, hold = self._random.choice(found)
        records = [it["record"] for it in hold["values"] if it["can_be_chosen"]]
        if not records:
            return
        path = f"/admin/attention/holds/{quote(email, safe='')}/{hold['field']}"
        body = json.dumps({"record": self._random.choice(records)}).encode()
        # A link that changed in the meantime is refused (409): the choice was not taken.
        is_accepted = self._api.call("POST", path, body).ok
        self.mapping.counted["decision" if is_accepted else "decision refused"] += 1
        if is_accepted:
            self.decisions.add((email, BY_LEAD_FIELD[hold["field"]].plezi))
