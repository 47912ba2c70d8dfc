"""What decides whether anything may run, in the ledger's table: switch, breaker, session, calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.aws.dynamodb.table import Table
from connector.errors import StopReason
from connector.model import Breaker, SessionToken

CALLS: Final = "calls#"
HOURS_OF_DAY: Final = 24
SECONDS_OF_HOUR: Final = 3600
LOGIN_LOCK: Final = "claim#login"


class ControlStateTable(Table):
    """The start switch, the breaker, the shared session, and the calls that were used."""

    def is_enabled(self) -> bool:
        """Whether the start switch is on."""
        return bool((self.load_document("sync_switch") or {}).get("on", False))

    def set_enabled(self, *, on: bool, now: float) -> None:
        """Turn the start switch."""
        self.save_document("sync_switch", {"on": on, "since": now})

    def suspended_pairs(self) -> dict[str, str]:
        """Return the lines that could not work at the last run, with the reasons."""
        return dict(self.load_document("suspended_pairs") or {})

    def save_suspended_pairs(self, parked: Mapping[str, str]) -> None:
        """Keep which lines cannot work, and why."""
        self.save_document("suspended_pairs", parked)

    def add_calls(self, hour: int, number: int) -> None:
        """Count calls to Salesforce in an hour (hours since 1970)."""
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{CALLS}{hour}"}},
            UpdateExpression="ADD calls :number SET expires_at = :end",
            ExpressionAttributeValues={
                ":number": {"N": str(number)},
                ":end": {"N": str((hour + 2 * HOURS_OF_DAY) * SECONDS_OF_HOUR)},
            },
        )

    def calls_since(self, hour: int) -> int:
        """Return the calls to Salesforce in an hour and the 23 after it."""
        items = self._get_all(f"{CALLS}{each}" for each in range(hour, hour + HOURS_OF_DAY))
        return sum(int(item["calls"]["N"]) for item in items)

    def breaker(self) -> Breaker | None:
        """Return the open breaker, or None."""
        document = self.load_document("breaker")
        if not document:
            return None
        return Breaker(**{**document, "reason": StopReason(document["reason"])})

    def open_breaker(self, breaker: Breaker) -> None:
        """Open the breaker."""
        self.save_document(
            "breaker",
            {
                "reason": breaker.reason,
                "message": breaker.message,
                "since": breaker.since,
                "secret_version": breaker.secret_version,
            },
        )

    def clearing_allowed_until(self) -> float:
        """Return until when (our clock, seconds) a person lets runs empty many fields; 0: never."""
        return float((self.load_document("clearing_allowed") or {}).get("until", 0.0))

    def allow_clearing(self, until: float) -> None:
        """Let runs empty many fields until then, and close the breaker that this had opened."""
        self.save_document("clearing_allowed", {"until": until})
        breaker = self.breaker()
        if breaker is not None and breaker.reason == StopReason.MASS_CLEARING:
            self.close_breaker()

    def close_breaker(self) -> None:
        """Close the breaker."""
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": "state#breaker"}})

    def load_session(self) -> SessionToken | None:
        """Return the session kept, if any."""
        document = self.load_document("session")
        return SessionToken(**document) if document else None

    def save_session(self, token: SessionToken) -> None:
        """Keep a session for all invocations."""
        self.save_document(
            "session",
            {
                "access_token": token.access_token,
                "instance_url": token.instance_url,
                "secret_version": token.secret_version,
            },
        )

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Keep others from logging in for some seconds; False while somebody else does.

        A password that was reset is then refused once, however many invocations run at that time.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"pk": {"S": LOGIN_LOCK}, "until": {"N": str(now + seconds)}},
                ConditionExpression="attribute_not_exists(pk) OR #until < :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"N": str(now)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release_login_lock(self) -> None:
        """Let others log in."""
        self._client.delete_item(TableName=self._table, Key={"pk": {"S": LOGIN_LOCK}})
