"""`make bench`: reading unchanged leads beside tap-salesforce, plans a second, peak memory."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from benchmarks.planner import plans_per_second
from local.stack.commands import StackCommands
from local.stack.record import Stack
from local.visitors import SalesPerson

FOLDER = Path(".build/bench")
PEER = Path(".venv-bench/bin/python")
FIELDS = (
    "Id", "Email", "SystemModstamp", "LastModifiedDate", "IsDeleted", "IsConverted",
    "MasterRecordId", "plezi_url__c", "FirstName", "LastName", "Company", "Phone", "MobilePhone",
    "Title", "score__c", "status__c", "employees__c", "segment__c",
)  # fmt: skip
PLANNER_RUNS = 5


def main() -> int:
    """Measure, print a table, stop everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--leads", type=int, default=20_000, help="leads to read (%(default)s)")
    parser.add_argument("--many", type=int, default=200_000, help="for memory (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs (%(default)s)")
    asked = parser.parse_args()
    plans = statistics.median(plans_per_second() for _ in range(PLANNER_RUNS))
    print(f"planner: {plans:,.0f} plans/s (one core, one of ten fields changed)", flush=True)
    commands = StackCommands(FOLDER)
    try:
        stack = commands.up(start=False)
        sales = SalesPerson(stack)
        sales.simulate("POST", "load", {"leads": asked.leads})
        ours, peer = _beside_peer(stack, asked.leads, asked.runs)
        sales.simulate("POST", "load", {"leads": asked.many - asked.leads, "first": asked.leads})
        many = _observe(1)
    finally:
        commands.down()
    ratio = statistics.median(a / b for a, b in zip(ours["rates"], peer["rates"], strict=True))
    print(
        f"\n| reading {asked.leads:,} unchanged leads of {len(FIELDS)} fields | rows/s (median) "
        "| peak memory |\n| --- | --- | --- |\n"
        f"| observing: parsed, compared with the ledger | {statistics.median(ours['rates']):,.0f} "
        f"| {ours['peak_mb']:.0f} MB |\n"
        f"| tap-salesforce 2.8.1: parsed, written as JSON lines "
        f"| {statistics.median(peer['rates']):,.0f} | {peer['peak_mb']:.0f} MB |\n"
        f"| ratio, pair by pair | {ratio:.2f} | |\n"
        f"| observing {asked.many:,} leads (first meeting and once more) "
        f"| {asked.many / many['unchanged'][0]:,.0f} | {many['peak_mb']:.0f} MB |"
    )
    return 0


def _beside_peer(stack: Stack, leads: int, runs: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run both in turn; the first observation fills the ledger and is not counted."""
    ours: dict[str, Any] = {"rates": [], "peak_mb": 0.0}
    peer: dict[str, Any] = {"rates": [], "peak_mb": 0.0}
    _observe(0)
    for number in range(runs):
        mine = _observe(1)
        theirs_seconds, theirs_peak = _tap(stack, leads)
        ours["rates"].append(leads / mine["unchanged"][0])
        ours["peak_mb"] = max(ours["peak_mb"], mine["peak_mb"])
        peer["rates"].append(leads / theirs_seconds)
        peer["peak_mb"] = max(peer["peak_mb"], theirs_peak)
        print(
            f"pair {number + 1}: {ours['rates'][-1]:,.0f} beside {peer['rates'][-1]:,.0f} rows/s",
            flush=True,
        )
    return ours, peer


def _observe(passes: int) -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f".{os.pathsep}layers/common"}
    command = [sys.executable, "-m", "benchmarks.observer", str(FOLDER), str(passes)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _tap(stack: Stack, leads: int) -> tuple[float, float]:
    """Let the peer read all leads; return its seconds, from its first line on, and peak MB."""
    org = stack.salesforce
    answer = requests.post(
        f"{org.url}/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": org.consumer_key,
            "client_secret": org.consumer_secret,
            "username": org.sales_user.username,
            "password": org.sales_user.password + org.sales_user.security_token,
        },
        verify=org.ca_bundle,
        timeout=30,
    )
    answer.raise_for_status()
    with tempfile.TemporaryDirectory() as folder:
        config, catalog = Path(folder, "config.json"), Path(folder, "catalog.json")
        config.write_text(
            json.dumps(
                {
                    "refresh_token": "none",
                    "client_id": org.consumer_key,
                    "client_secret": org.consumer_secret,
                    "start_date": "2000-01-01T00:00:00Z",
                    "api_type": "REST",
                    "select_fields_by_default": "false",
                }
            )
        )
        catalog.write_text(json.dumps(_catalog()))
        done = subprocess.run(
            [PEER, "-m", "benchmarks.tap_launcher", "-c", config, "--properties", catalog],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": ".",
                "REQUESTS_CA_BUNDLE": org.ca_bundle,
                "PEER_TOKEN": answer.json()["access_token"],
                "PEER_URL": answer.json()["instance_url"],
            },
            check=False,
            capture_output=True,
            text=True,
        )
    rows = done.stdout.count('"type": "RECORD"')
    if done.returncode or rows != leads:
        raise RuntimeError(f"the peer read {rows} of {leads} rows: {done.stderr[-2000:]}")
    seconds, peak = done.stderr.split("\n")[-2].split()
    return float(seconds), float(peak)


def _catalog() -> dict[str, Any]:
    """The peer's catalog: the Lead stream with the same fields."""
    metadata: list[dict[str, Any]] = [
        {
            "breadcrumb": [],
            "metadata": {
                "selected": True,
                "table-key-properties": ["Id"],
                "replication-key": "SystemModstamp",
                "replication-method": "INCREMENTAL",
            },
        }
    ]
    metadata += [
        {"breadcrumb": ["properties", name], "metadata": {"selected": True}} for name in FIELDS
    ]
    properties = {name: {"type": ["null", "string", "number", "boolean"]} for name in FIELDS}
    return {
        "streams": [
            {
                "stream": "Lead",
                "tap_stream_id": "Lead",
                "schema": {"type": "object", "properties": properties},
                "metadata": metadata,
            }
        ]
    }


if __name__ == "__main__":
    sys.exit(main())
