"""Which stored items name a person, by the kind of item, and what is left of them after an erasure.

Nothing here calls DynamoDB. The texts are searched before they are decoded: most items are about
somebody else.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from connector.aws.dynamodb.dataclass_json import to_text
from connector.aws.dynamodb.link_codec import SURROGATES
from connector.aws.dynamodb.schema import ItemKind
from connector.clean_text import canonical_email
from connector.connected_systems import PROGRESS_KEY
from connector.log_events import link_hash
from connector.model import IN_PLEZI, PersonNames, RecordKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from connector.aws.dynamodb.table import Item

ERASED: Final = "erased"
"""What stands in the place of a name where something must stand."""
SALESFORCE_ID_CHARACTERS: Final = 15
"""Characters of the shorter form of a record id (Salesforce Help, "Record ID")."""
OWN_RUN_ATTRIBUTES: Final = frozenset({"pk", "attention", "kind", "state", "phase"})
"""Attributes of a run that never name anybody."""
OTHER_LINK: Final = "link of another person"
DRY_RUN_DATA: Final = "data of a dry run"
DRY_RUN_PLAN: Final = "plan of a dry run"
RUN_LIST: Final = "list of a run's journal entries"
FORGETTING: Final = PROGRESS_KEY.format(side="")
SCRATCH_KINDS: Final = {
    "contact": ItemKind.LINK,
    "record": ItemKind.RECORD_POINTER,
    "work": ItemKind.WORK_LIST,
    "cursor": ItemKind.CURSOR,
    "written": ItemKind.DOCUMENT,
}
"""The kinds of items that a dry run stores, by the third part of their keys (`scratch`)."""


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item that names a person: what it says, and what an erasure does with it.

    `sets` are the attributes that the item has afterwards in the place of others; with `is_deleted`
    nothing is left. With neither the item belongs to somebody else. `content` is None for an item
    that goes although it is not about the person.
    """

    kind: ItemKind
    name: str
    content: object
    is_deleted: bool = False
    sets: Mapping[str, AttributeValueTypeDef] = field(default_factory=dict)


def journal_item(item: Item, names: PersonNames) -> NamedItem | None:
    """Return what an item of the journal's table has about a person, or None.

    Raises `ValueError`, `KeyError`, `TypeError` or `zlib.error` for an item that is damaged.
    """
    group, _, key = item["pk"]["S"].partition("#")
    match group:
        case "contact":
            return _entries(item, names, str(ItemKind.JOURNAL_ENTRY), owner=key)
        case "plan":
            return _entries(item, names, DRY_RUN_PLAN, owner=item["sk"]["S"].rsplit("#", 2)[0])
        case "run":
            return _run_list(item, names)
        case "audit":
            return _audit_entry(item, names)
        case _:
            return None


def ledger_item(item: Item, names: PersonNames) -> NamedItem | None:
    """Return what an item of the ledger's table has about a person, or None. Raises as above."""
    group, _, key = item["pk"]["S"].partition("#")
    reader = _LEDGER.get(group)
    return None if reader is None else reader(item, key, names)


def _entries(item: Item, names: PersonNames, kind: str, *, owner: str) -> NamedItem | None:
    """Return the journal entries of an item that are about a person: all, or some of them."""
    text = _unpacked(item["entries"])
    if owner not in names.emails and not _has_name(text, names):
        return None
    trees: list[dict[str, Any]] = json.loads(text)
    about = [it for it in trees if owner in names.emails or _is_about(it, names)]
    rest = [it for it in trees if it not in about]
    if not about:
        return None
    found = {"run_id": item["run_id"]["S"], "at": float(item["at"]["N"]), "entries": about}
    if not rest:
        return NamedItem(ItemKind.JOURNAL_ENTRY, kind, found, is_deleted=True)
    packed = zlib.compress(to_text(rest).encode(errors=SURROGATES))
    return NamedItem(ItemKind.JOURNAL_ENTRY, kind, found, sets={"entries": {"B": packed}})


def _is_about(entry: Mapping[str, Any], names: PersonNames) -> bool:
    """Return whether an entry is about a record of the person, or has one of the e-mails."""
    values = (entry.get("email"), entry.get("before"), entry.get("after"))
    emails = {canonical_email(value) for value in values if isinstance(value, str)}
    return entry.get("record_id") in names.records or bool(emails & names.emails)


def _run_list(item: Item, names: PersonNames) -> NamedItem | None:
    keys: list[list[str]] = json.loads(_unpacked(item["keys"]))
    owners = {f"contact#{email}" for email in names.emails}
    rest = [key for key in keys if key[0] not in owners]
    if len(rest) == len(keys):
        return None
    found = {"run": item["pk"]["S"].partition("#")[2], "entries": len(keys) - len(rest)}
    if not rest:
        return NamedItem(ItemKind.JOURNAL_ENTRY, RUN_LIST, found, is_deleted=True)
    packed = zlib.compress(json.dumps(rest, ensure_ascii=False).encode())
    return NamedItem(ItemKind.JOURNAL_ENTRY, RUN_LIST, found, sets={"keys": {"B": packed}})


def _audit_entry(item: Item, names: PersonNames) -> NamedItem | None:
    """Return an audit entry about the records of a person; actor, action and time are kept."""
    entry: dict[str, Any] = json.loads(item["entry"]["S"])
    subjects = str(entry.get("subject", "")).split(", ")
    if not names.all.intersection(subjects):
        return None
    rest = [ERASED if it in names.all else it for it in subjects]
    after = entry | {"subject": ", ".join(dict.fromkeys(rest))}
    return NamedItem(
        ItemKind.AUDIT_ENTRY,
        str(ItemKind.AUDIT_ENTRY),
        entry,
        sets={"entry": {"S": to_text(after)}},
    )


def _link(item: Item, email: str, names: PersonNames) -> NamedItem | None:
    is_own = email in names.emails
    try:
        text = _unpacked(item["body"])
    except (KeyError, ValueError, zlib.error):
        if not is_own:
            raise
        text = "null"  # it is deleted nevertheless
    if is_own:
        found = {"email": email, "link": json.loads(text)}
        return NamedItem(ItemKind.LINK, str(ItemKind.LINK), found, is_deleted=True)
    return NamedItem(ItemKind.LINK, OTHER_LINK, None) if _has_name(text, names) else None


def _pointer(item: Item, record: str, names: PersonNames) -> NamedItem | None:
    email = item["email"]["S"]
    if record.removeprefix(IN_PLEZI) not in names.all and email not in names.emails:
        return None
    found = {"record": record, "email": email}
    kind = ItemKind.RECORD_POINTER
    return NamedItem(kind, str(kind), found, is_deleted=True)


def _work_list(item: Item, key: str, names: PersonNames) -> NamedItem | None:
    emails: list[str] = json.loads(zlib.decompress(bytes(item["emails"]["B"])))
    rest = [email for email in emails if email not in names.emails]
    if len(rest) == len(emails):
        return None
    found = {"list": key, "emails": sorted(names.emails.intersection(emails))}
    kind = ItemKind.WORK_LIST
    if not rest:
        return NamedItem(kind, str(kind), found, is_deleted=True)
    packed = zlib.compress(json.dumps(rest, ensure_ascii=False).encode())
    return NamedItem(kind, str(kind), found, sets={"emails": {"B": packed}})


def _scratch(item: Item, key: str, names: PersonNames) -> NamedItem | None:
    """Return an item of a dry run. All of them go: no dry run is in progress to read them.

    Values that were predicted for a record that does not exist yet name nobody.
    """
    part = key.split("#")[1]
    packed = next((item[it] for it in ("body", "document", "emails") if it in item), None)
    owner = item.get("email", {"S": ""})["S"]
    text = _unpacked(packed) if packed is not None and "B" in packed else ""
    is_about = any(name in (owner, key.split("#", 2)[-1]) for name in names.all)
    is_about = is_about or _has_name(text, names)
    content = {"key": key, "content": json.loads(text or "null")} if is_about else None
    return NamedItem(SCRATCH_KINDS[part], DRY_RUN_DATA, content, is_deleted=True)


def _form_hint(item: Item, trace: str, names: PersonNames) -> NamedItem | None:
    """Return whom a form that waits was of."""
    email, contact = item["email"]["S"], item["contact_id"]["S"]
    if email not in names.emails and contact not in names.records:
        return None
    found = {"form": trace, "email": email, "contact_id": contact}
    kind = ItemKind.FORM_HINT
    return NamedItem(kind, str(kind), found, is_deleted=True)


def _run(item: Item, run: str, names: PersonNames) -> NamedItem | None:
    """Return the record of a run that names a person; the run itself stays in the history.

    People whom a run selected are replaced, not left out: a run without them is one of everybody.
    """
    sets: dict[str, AttributeValueTypeDef] = {}
    for attribute, value in item.items():
        text = value.get("S", "")
        if attribute in OWN_RUN_ATTRIBUTES or not text:
            continue
        rest = _without_names(text, names)
        if attribute == "request":
            rest = to_text(_replaced(json.loads(text), names.all))
        if rest != text:
            sets[attribute] = {"S": rest}
    if not sets:
        return None
    found = {"run": run, "named_in": sorted(sets)}
    return NamedItem(ItemKind.RUN, str(ItemKind.RUN), found, sets=sets)


def _without_names(text: str, names: PersonNames) -> str:
    """Return a message without the names. The longest first: one e-mail may end with another.

    A shorter record id is left: it may be any number, and messages name no record.
    """
    for name in sorted(names.all, key=len, reverse=True):
        if name in names.emails or len(name) >= SALESFORCE_ID_CHARACTERS:
            text = text.replace(name, ERASED)
    return text


def _replaced(tree: Any, names: Collection[str]) -> Any:  # noqa: ANN401  # any JSON
    """Return a JSON tree with names replaced."""
    match tree:
        case dict():
            return {key: _replaced(it, names) for key, it in tree.items()}
        case list():
            return [_replaced(it, names) for it in tree]
        case str() if tree in names:
            return ERASED
        case _:
            return tree


def _document(item: Item, key: str, names: PersonNames) -> NamedItem | None:
    """Return a shared document that names a person, by a name or by the hash of the log."""
    if key.startswith(f"{ERASURE_KEY}#"):
        return None
    tree = json.loads(zlib.decompress(base64.b64decode(item["document"]["S"])))
    if key.startswith(FORGETTING) and not tree.get("done"):
        return None  # its position is a key of the table, from which the next run goes on
    hidden = names.all | {link_hash(email) for email in names.emails}
    hidden |= {
        link_hash(f"{kind.value} Email {email}") for kind in RecordKind for email in names.emails
    }
    rest = _hidden(tree, hidden)
    if rest == tree:
        return None
    packed = base64.b64encode(zlib.compress(to_text(rest).encode(errors=SURROGATES)))
    found = {"document": key}
    kind = ItemKind.DOCUMENT
    return NamedItem(kind, str(kind), found, sets={"document": {"S": packed.decode("ascii")}})


def _hidden(tree: Any, names: Collection[str]) -> Any:  # noqa: ANN401  # any JSON
    """Return a JSON tree without some texts: left out of lists and as keys, else replaced."""
    match tree:
        case dict():
            return {key: _hidden(it, names) for key, it in tree.items() if key not in names}
        case list():
            kept = [it for it in tree if not (isinstance(it, str) and it in names)]
            return [_hidden(it, names) for it in kept]
        case str() if tree in names:
            return ERASED
        case _:
            return tree


def _unpacked(value: AttributeValueTypeDef) -> str:
    return zlib.decompress(bytes(value["B"])).decode(errors=SURROGATES)


def _has_name(text: str, names: PersonNames) -> bool:
    """Return whether a JSON text has one of the names as a text of its own, in any case."""
    lower = text.lower()
    return any(f'"{name.lower()}"' in lower for name in names.all)


ERASURE_KEY: Final = "erasure"
"""What the key of an erasure in progress begins with (`admin.erasure`)."""
_LEDGER: Final[Mapping[str, Callable[[Item, str, PersonNames], NamedItem | None]]] = {
    "contact": _link,
    "record": _pointer,
    "work": _work_list,
    "preview": _scratch,
    "form": _form_hint,
    "run": _run,
    "state": _document,
}
"""The kinds of items that can name a person, by the first part of their keys (`ledger`)."""
