"""Tombstones in the ledger's table: which people were erased, without a personal value.

| key | item |
| --- | --- |
| `tombstone#<hash>` | the time of the erasure, and the hashes of all names of the same person |
| `state#tombstones` | there are tombstones, and the fingerprint of the key that made them |

A name is a canonical e-mail or a record id. Its hash is an HMAC with a key that is kept in Secrets
Manager, apart from the tables: who can read the tables, or a backup of them, cannot find out
whether an e-mail that he guesses was erased. Without a tombstone the key is never read.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from connector.aws.dynamodb.schema import ItemKind
from connector.aws.dynamodb.shared_documents import DocumentStore, UnreadableDocumentError
from connector.aws.dynamodb.table import Table, partition_key
from connector.errors import HaltError, StopReason
from connector.json_object import JsonObjectError, read_json_object
from connector.log_events import LINK_HASH_CHARACTERS
from connector.secret_version import unusable_secret

if TYPE_CHECKING:
    from connector.aws.dynamodb.table import Item

TOMBSTONE_PREFIX: Final = "tombstone#"
MARKER: Final = "tombstones"
FINGERPRINT: Final = "fingerprint of the key"
"""What is hashed to recognise the key. It is neither an e-mail nor a record id."""
LOG_PURPOSE: Final = "name in the log"
"""What stands before an e-mail that is hashed for the log: the hash is none of a tombstone, because
no e-mail has a space."""
UNNAMED: Final = "unnamed"
"""The name of a person in the log while the key cannot be read."""
MIN_KEY_CHARACTERS: Final = 32
"""At least 128 bits: the template generates 64 letters and digits, of about 6 bits each."""
OTHER_KEY: Final = (
    "the secret {name!r} has another key than the one of the tombstones, so erased people cannot "
    "be recognized: put the former version of the secret back (Secrets Manager keeps it as "
    "AWSPREVIOUS)"
)
UNREADABLE_MARKER: Final = (
    "the item state#tombstones cannot be decoded, so erased people cannot be recognized: restore "
    "it from a backup of the ledger's table"
)


class TombstoneKey:
    """The key of the hashes, read from a secret when it is first needed."""

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        self.name = name
        self._read = read

    def hash_of(self, name: str) -> str:
        """Return the hash of a name. Raises `HaltError` or `RetryError` without the key."""
        return hmac.new(self._read(), name.encode(), hashlib.sha256).hexdigest()


def parse_tombstone_key(text: str, name: str) -> bytes:
    """Return the key in a secret's text. Raises `HaltError` that names the secret, no value."""
    try:
        key = read_json_object(text).get("key")
    except JsonObjectError as error:
        raise unusable_secret(name, error.names) from None
    if not isinstance(key, str) or len(key) < MIN_KEY_CHARACTERS:
        raise unusable_secret(name, "key")
    return key.encode()


class LogNames:
    """Names people in the log, by a hash with the key of the tombstones.

    Who has an e-mail and the log cannot find its lines without the key; `plezi-sync why EMAIL
    --records` tells an administrator the name of a person.
    """

    def __init__(self, key: TombstoneKey) -> None:
        self._key = key

    def __call__(self, email: str) -> str:
        """Return the name of a canonical e-mail; without a usable key, `UNNAMED`.

        A fault is logged with it: whatever prevents the key from being read must not hide the
        fault.
        """
        try:
            return self._key.hash_of(f"{LOG_PURPOSE} {email}")[:LINK_HASH_CHARACTERS]
        except Exception:  # noqa: BLE001  # see above
            return UNNAMED


class DynamoTombstones:
    """Stores, finds and lifts tombstones."""

    def __init__(self, table: Table, key: TombstoneKey) -> None:
        self._table = table
        self._documents = DocumentStore(table)
        self._key = key

    def erased(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of some e-mails and record ids that have a tombstone.

        Raises `HaltError` when the key is not the one of the tombstones: an erased person must not
        be taken for a new one.
        """
        wanted = {name for name in names if name}
        if not wanted or not self._has_any():
            return frozenset()
        by_key = {f"{TOMBSTONE_PREFIX}{self._key.hash_of(name)}": name for name in wanted}
        items = self._table.get_all(ItemKind.TOMBSTONE, by_key)
        return frozenset(by_key[item["pk"]["S"]] for item in items)

    def add(self, names: Iterable[str], at: float) -> None:
        """Store the tombstones of the names of one person; `at` is in seconds since 1970."""
        unique = sorted(set(names))
        if not self._has_any():
            fingerprint = self._key.hash_of(FINGERPRINT)
            self._documents.save_document(MARKER, {"fingerprint": fingerprint})
        hashes = {self._key.hash_of(name) for name in unique}
        for item in self._items(hashes):
            hashes |= set(item["names"]["SS"])
        for name_hash in sorted(hashes):
            self._table.put(
                ItemKind.TOMBSTONE,
                {
                    **_key(name_hash),
                    "erased_at": {"N": str(at)},
                    "names": {"SS": sorted(hashes)},
                },
            )

    def lift(self, email: str) -> int:
        """Delete the tombstones of all names of one person; return how many there were.

        That of the e-mail is deleted last, so that this can be repeated after a crash.
        """
        if not self._has_any():
            return 0
        own = self._key.hash_of(email)
        items = self._items({own})
        hashes = [each for item in items for each in item["names"]["SS"]]
        for name_hash in sorted(hashes, key=lambda each: each == own):
            self._table.delete(ItemKind.TOMBSTONE, _key(name_hash))
        return len(hashes)

    def hash_of(self, name: str) -> str:
        """Return the hash of a name, which says nothing about it without the key."""
        return self._key.hash_of(name)

    def _items(self, hashes: Iterable[str]) -> list[Item]:
        keys = (f"{TOMBSTONE_PREFIX}{each}" for each in hashes)
        return self._table.get_all(ItemKind.TOMBSTONE, keys)

    def _has_any(self) -> bool:
        """Return whether anybody was erased; raise `HaltError` when the key is another one."""
        try:
            marker = self._documents.load_decision(MARKER)
        except UnreadableDocumentError as error:
            raise HaltError(StopReason.SECRET, UNREADABLE_MARKER) from error
        if marker is None:
            return False
        if marker.get("fingerprint") != self._key.hash_of(FINGERPRINT):
            raise HaltError(StopReason.SECRET, OTHER_KEY.format(name=self._key.name))
        return True


def _key(name_hash: str) -> Item:
    return partition_key(f"{TOMBSTONE_PREFIX}{name_hash}")
