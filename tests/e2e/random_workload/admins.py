"""The admins: they change the mapping while users type, and decide some held fields."""

from __future__ import annotations

import json
import time
from collections import Counter
from random import Random
from typing import Any, Final
from urllib.parse import quote

from plezi_sync.admin_api import AdminApi
from tests.e2e.random_workload.evidence import Rules, Version
from tests.e2e.random_workload.fields import (
    BY_LEAD_FIELD,
    EMAIL,
    MEANINGS,
    OPT_OUT,
    REQUIRED,
    SALESFORCE,
)

DIRECTIONS: Final = ("both", "both", "to_plezi", "to_salesforce", "off")
POLICIES: Final = ("newest", "plezi_wins", "salesforce_wins", "fill_blank", "hold")
PAGE: Final = 200
UNCHANGED: Final = (EMAIL.plezi, OPT_OUT.plezi)
"""Pairs that no admin changes here: the identity, and the opt-out as long as it is agreed on."""


class Admins:
    """The admins, and the versions of the mapping that they saved."""

    def __init__(self, api: AdminApi, randomness: Random) -> None:
        self._api = api
        self._random = randomness
        self._pairs = {name: it.pair for name, it in MEANINGS.items() if it is not EMAIL}
        self._removed: set[str] = set()
        self.versions: list[Version] = []
        self.decisions: set[tuple[str, str]] = set()
        """The e-mail and the field of each choice."""
        self.counted: Counter[str] = Counter()

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
        mapped = [pair for name, pair in self._pairs.items() if name not in self._removed]
        since = time.time()
        self.call("PUT", "/admin/mapping", {**current, "pairs": [*others, *mapped]})
        pairs = {it["plezi"]: Rules(it["direction"], it["policy"]) for it in mapped}
        pairs[EMAIL.plezi] = Rules(EMAIL.direction, EMAIL.policy)
        self.versions.append(Version(since, pairs))

    def change(self) -> None:
        """Remove a pair, add it again, or change the direction or the policy of one.

        Of a field that a new Lead needs, only the policy changes: else no Lead is created.
        """
        names = [name for name in self._pairs if name not in UNCHANGED]
        name = self._random.choice(names)
        if name in self._removed:
            self._removed.discard(name)
            self.counted["pair added again"] += 1
        elif (roll := self._random.random()) < 1 / 3 and name not in REQUIRED[SALESFORCE]:
            self._removed.add(name)
            self.counted["pair removed"] += 1
        elif roll < 2 / 3 and name not in REQUIRED[SALESFORCE]:
            self._pairs[name] = {
                **self._pairs[name],
                "direction": self._random.choice(DIRECTIONS),
            }
            self.counted["direction changed"] += 1
        else:
            self._pairs[name] = {**self._pairs[name], "policy": self._random.choice(POLICIES)}
            self.counted["policy changed"] += 1
        self.save()

    def add_all(self) -> None:
        """Add all removed pairs again."""
        self.counted["pair added again"] += len(self._removed)
        self._removed.clear()
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
        self.counted["decision" if is_accepted else "decision refused"] += 1
        if is_accepted:
            self.decisions.add((email, BY_LEAD_FIELD[hold["field"]].plezi))
