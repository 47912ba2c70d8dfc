"""The complete state of one org; `POST /_sim/reset` creates a new one."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from local.control import SimulatedClock
from local.salesforce_org.automation import Automation, RecordType
from local.salesforce_org.ids import IdGenerator
from local.salesforce_org.queries import Queries
from local.salesforce_org.quota import Quota
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.security import OrgUser, Security
from local.salesforce_org.sessions import Sessions
from local.salesforce_org.sharing import Sharing
from local.salesforce_org.standard_objects import standard_schema
from local.salesforce_org.store import Store
from local.salesforce_org.switches import Switches
from local.salesforce_org.transactions import Transactions
from local.salesforce_org.values import stamp


class OrgState:
    """The schema, rows, users, sessions, switches and open transactions of one org."""

    def __init__(self, clock: SimulatedClock, seed: int) -> None:
        self.clock = clock
        self.rng = random.Random(seed)  # noqa: S311  # tokens of a simulator need no secrecy
        self.ids = IdGenerator(seed)
        self.switches = Switches()
        self.schema = standard_schema()
        self.store = Store(self.schema)
        self.security = Security(self.schema, self.store)
        self.queries = Queries(self.schema, self.store, self.ids)
        self.sessions = Sessions(self.rng)
        self.quota = Quota()
        self.transactions = Transactions()
        self.automation = Automation()
        self.features: set[str] = set()
        self.record_types: list[RecordType] = []
        self.users: dict[str, OrgUser] = {}
        self.org_id = self.ids.next_id("00D")
        self.deletions: list[tuple[str, str, str]] = []  # object, id, deleted date
        self.jwt_certificates: list[str] = []
        self.refresh_tokens: dict[str, str] = {}  # the id of the user who approved the app

    @property
    def lock(self) -> Any:  # noqa: ANN401  # threading has no public type for an RLock in 3.11
        """The one lock of the org."""
        return self.store.lock

    @property
    def sharing(self) -> Sharing:
        """Which records the users may see."""
        return self.security.sharing

    def now(self) -> datetime:
        """Return the org's time."""
        return self.clock.now()

    def stamp(self) -> str:
        """Return the org's time as a stamp: whole seconds."""
        return stamp(self.now())

    def user(self, username: str) -> OrgUser | None:
        """Return the user with this name (case-insensitive), or None."""
        return self.users.get(username.lower())

    def user_of_id(self, user_id: str) -> OrgUser | None:
        """Return the user with this id, or None."""
        return next((u for u in self.users.values() if u.id == user_id), None)

    def administrator(self) -> OrgUser:
        """Return the user for the writes of the org itself."""
        return next(iter(self.users.values()))

    def system_row(self, kind: ObjectType, user_id: str, record_id: str = "") -> dict[str, Any]:
        """Return the system fields of a new row."""
        now = self.stamp()
        return {
            "Id": record_id or self.ids.next_id(kind.prefix),
            "IsDeleted": 0,
            "CreatedDate": now,
            "CreatedById": user_id,
            "LastModifiedDate": now,
            "LastModifiedById": user_id,
            "SystemModstamp": now,
        }

    def add_setup_row(self, name: str, values: dict[str, Any], record_id: str = "") -> str:
        """Add a row of a setup object as the org itself, and return its id."""
        kind = self.schema.get(name)
        author = self.administrator().id if self.users else ""
        row = self.system_row(kind, author, record_id) | values
        self.store.insert(kind, row)
        return str(row["Id"])
