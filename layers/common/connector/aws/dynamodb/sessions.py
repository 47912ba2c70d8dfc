"""The Salesforce session that all invocations share, and the lock of the login."""

from __future__ import annotations

from typing import Final

from connector.aws.dynamodb.dataclass_json import decode, encode
from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.shared_documents import UNREADABLE, DocumentStore
from connector.aws.dynamodb.table import Condition, Table, partition_key
from connector.model import SessionToken

SESSION: Final = "session"
LOGIN_LOCK: Final = "lock#login"


class SessionStore:
    """The shared session and the login lock."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._sessions = DocumentStore(table, ItemKind.SESSION)

    def load_session(self) -> SessionToken | None:
        """Return the stored session, or None; one that cannot be decoded is replaced by a login."""
        document = self._sessions.load_document(SESSION)
        try:
            return None if document is None else decode(SessionToken, document)
        except UNREADABLE:
            return None

    def save_session(self, token: SessionToken) -> None:
        """Store a session for all invocations."""
        self._sessions.save_document(SESSION, encode(token))

    def acquire_login_lock(self, now: float, seconds: float) -> bool:
        """Take the login lock for some seconds; return False while another invocation has it.

        With the lock, a password that was changed is refused once, not once for each invocation
        that runs at that time.
        """
        try:
            self._table.put(
                ItemKind.LOGIN_LOCK,
                {**partition_key(LOGIN_LOCK), "until": {"N": str(now + seconds)}},
                Condition(
                    "attribute_not_exists(pk) OR #until < :now",
                    {"#until": "until"},
                    {":now": {"N": str(now)}},
                ),
            )
        except self._table.condition_failed:
            return False
        return True

    def release_login_lock(self) -> None:
        """Release the login lock."""
        self._table.delete(ItemKind.LOGIN_LOCK, partition_key(LOGIN_LOCK))
