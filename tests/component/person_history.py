"""A person with a long history, and everything that the tables and queues contain, decoded."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

import boto3
from moto.backends import get_backend

from connector.log_events import link_hash
from connector.model import ChangeHint, HintedContact, HintResult, RunKind, WorkList
from local.template_settings import table_definitions
from tests.component.admin_client import AdminClient, in_path
from tests.component.harness import REGION, Harness
from tests.component.people_fixtures import BOB
from tests.component.test_admin_people import hold_phones

FORMER: Final = "zora.former@example.com"
ZORA: Final = "zora.quill@example.com"
NAMES: Final = ("Zorafirst", "Quillfamily", "Zoracompany", "Zorajob")
PHONES: Final = ("5550111", "5550222", "5550333")
ACCOUNT: Final = "123456789012"
"""The account of moto."""


@dataclass(frozen=True)
class History:
    """The records of the person, and of somebody else with the same runs."""

    person: str
    lead: str
    bob: str

    @property
    def traces(self) -> tuple[str, ...]:
        """Everything that names the person: e-mails and their hashes, ids, values."""
        hashes = (link_hash(FORMER), link_hash(ZORA))
        return (FORMER, ZORA, *hashes, self.person, self.lead, *NAMES, *PHONES)


def live(harness: Harness, admin_client: AdminClient) -> History:
    """Let a person be met, held, decided, refused, previewed, undone, moved, and fill in a form."""
    hold_phones(admin_client)
    bob = harness.add_person(email=BOB, last_name="Roi", phone="777")
    person = harness.add_person(
        email=FORMER, first_name="Zorafirst", last_name="Quillfamily", phone="5550111"
    )
    lead = harness.add_lead(Email=FORMER, LastName="Quillfamily", Phone="5550222")
    harness.sync()
    decided = admin_client.request_ok(
        "POST", f"/admin/attention/holds/{in_path(FORMER)}/Phone", {"record": person}
    )
    harness.run_phase(decided["run_id"])
    harness.edit_person(person, last_name="Quillfamily" + "x" * 80)
    harness.sync()
    retry = f"/admin/attention/quarantine/{in_path(FORMER)}/retry"
    harness.run_phase(admin_client.request_ok("POST", retry)["run_id"])
    harness.edit_person(person, last_name="Quillfamily", function="Zorajob")
    harness.edit_person(bob, function="Buyer")
    edited = harness.sync()
    undone = admin_client.request_ok("POST", f"/admin/runs/{edited.id}/undo", {"preview": False})
    harness.run_phase(undone["run_id"])
    assert harness.engine.sync_contact(ChangeHint("t-form", FORMER)) is HintResult.RESOLVED
    harness.edit_person(person, email=ZORA)
    harness.sync()
    harness.sync(kind=RunKind.SELECTED, emails=[ZORA, BOB])
    harness.edit_person(person, company="Zoracompany")
    harness.edit_lead(lead, Phone="5550333")
    harness.dry_run()
    harness.sync()
    harness.edit_person(person, phone="5550111")
    harness.edit_lead(lead, Phone="5550222")
    harness.sync()
    waiting = harness.runtime["aws"].form_hints("LedgerTable")
    waiting.save("t-dead-letter", HintedContact(FORMER, person), harness.clock())
    harness.ledger.save_work(WorkList("stopped", 0), [BOB, FORMER, ZORA])
    keys = [lead, link_hash(FORMER), link_hash(ZORA)]
    group = {"keys": [*keys, "other"], "losses": 1, "size": 0, "at": harness.clock()}
    harness.ledger.save_document("salesforce_lost_writes", {"groups": [group], "faults": []})
    return History(person, lead, bob)


def stored_texts() -> dict[str, str]:
    """Return every item of every table, decompressed and decoded, by its key; and every queue."""
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    texts: dict[str, str] = {}
    for table in table_definitions():
        for item in dynamodb.scan(TableName=table)["Items"]:
            key = "/".join(item[name]["S"] for name in ("pk", "sk") if name in item)
            texts[f"{table}/{key}"] = f"{key} {json.dumps(decoded(item))}"
    for name, queue in get_backend("sqs")[ACCOUNT][REGION].queues.items():
        for number, message in enumerate(queue._messages):
            texts[f"{name}/{number}"] = message.body
    return texts


def found_in(texts: dict[str, str], trace: str) -> list[str]:
    """Return the keys of the items that contain a text, in any case."""
    return sorted(key for key, text in texts.items() if trace.lower() in text.lower())


def decoded(item: Any) -> dict[str, Any]:
    return {name: _value(value) for name, value in item.items()}


def _value(value: Any) -> Any:
    [(kind, content)] = value.items()
    if kind == "B":
        return zlib.decompress(content).decode(errors="surrogatepass")
    if kind == "S":
        try:
            return zlib.decompress(base64.b64decode(content, validate=True)).decode()
        except (ValueError, zlib.error):
            return content
    return sorted(content) if kind == "SS" else content


def snapshot() -> dict[str, list[Any]]:
    """Return a copy of all items by table."""
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    return {name: dynamodb.scan(TableName=name)["Items"] for name in table_definitions()}


def restore(items: dict[str, list[Any]]) -> None:
    """Put the items of a copy in the place of all others."""
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    for table, present in snapshot().items():
        for item in present:
            key = {name: item[name] for name in ("pk", "sk", "mapping", "version") if name in item}
            keys = {it["AttributeName"] for it in table_definitions()[table]["KeySchema"]}
            dynamodb.delete_item(
                TableName=table, Key={name: value for name, value in key.items() if name in keys}
            )
        for item in items[table]:
            dynamodb.put_item(TableName=table, Item=item)
