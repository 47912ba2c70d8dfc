"""Observe every lead of a running stack, again and again, in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.memory import peak_mb
from connector.engine.observe import observe
from connector.mapping import DEFAULT_MAPPING, BoundMapping, Direction, Line, Schema, bind
from connector.model import Counts, Cursor, Kind, Side
from connector.settings import WorkerSettings
from connector.wiring import build_world
from local.stack import record

MORE_LINES = (
    Line("employees", "employees__c", Direction.BOTH),
    Line("segment", "segment__c", Direction.BOTH),
)
"""With the default mapping and the system fields they make 18 fields of a Lead."""


def main() -> None:
    """Fill the ledger with one pass, then time passes over unchanged leads; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("passes", type=int)
    asked = parser.parse_args()
    stack = record.read(asked.folder)
    if stack is None:
        raise SystemExit(f"there is no stack in {asked.folder}")
    os.environ |= {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": stack.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": stack.aws_secret_access_key,
        "AWS_DEFAULT_REGION": stack.region,
    }
    world = build_world(
        WorkerSettings(
            ledger_table=stack.tables["ledger"],
            journal_table=stack.tables["journal"],
            mappings_table=stack.tables["mappings"],
            runs_queue_url=stack.queues["runs"],
            salesforce_secret=stack.secrets["salesforce"],
            plezi_secret=stack.secrets["plezi"],
            plezi_base_url=stack.plezi.url,
            plezi_calls_per_second=0,
            salesforce_trusted_host=stack.salesforce.url.removeprefix("https://"),
            salesforce_ca_pem=Path(stack.salesforce.ca_bundle).read_text(encoding="ascii"),
        )
    )
    schemas: dict[Kind, Schema] = {}
    for client in world.clients.values():
        schemas.update(client.schemas())
    mapping = replace(DEFAULT_MAPPING, lines=DEFAULT_MAPPING.lines + MORE_LINES)
    bound: BoundMapping = bind(mapping, schemas)
    seconds = []
    for _ in range(asked.passes + 1):
        world.ledger.checkpoint(Cursor(Kind.LEAD), "benchmark", Counts())
        begun = time.perf_counter()
        observe(
            world.ledger.cursor(Kind.LEAD),
            world.clients[Side.SALESFORCE],
            world.ledger,
            bound,
            "benchmark",
            lambda: False,
        )
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"first": seconds[0], "unchanged": seconds[1:], "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
