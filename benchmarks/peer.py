"""The peer, tap-salesforce: reads the same leads from the same simulator as the same user."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.stack.stack_file import StackFile

NAME = "tap-salesforce 2.8.1"
PYTHON = Path(".venv-bench/bin/python")
ONE_ROW = b'"type": "RECORD"'


@dataclass(frozen=True)
class PeerReading:
    """The last pass over all leads: seconds of the clock and seconds of processor time.

    `peak_mb` is the peak memory of the process, in megabytes.
    """

    seconds: float
    processor_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Peer:
    """A session of the integration user, the same user as the connector's."""

    stack: StackFile
    token: str
    fields: Sequence[str]

    @classmethod
    def log_in(cls, stack: StackFile, fields: Sequence[str]) -> Peer:
        """Log in once for all readings."""
        org = stack.salesforce
        user = org.integration_user
        response = requests.post(
            f"{org.url}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": org.consumer_key,
                "client_secret": org.consumer_secret,
                "username": user.username,
                "password": user.password + user.security_token,
            },
            verify=org.ca_bundle,
            timeout=30,
        )
        response.raise_for_status()
        return cls(stack, response.json()["access_token"], fields)

    def read(self, leads: int, passes: int) -> PeerReading:
        """Read all leads with a process of the peer, which writes the rows to a file.

        Raises `RuntimeError` if the number of rows is different.
        """
        org = self.stack.salesforce
        with tempfile.TemporaryDirectory() as folder:
            config, catalog = Path(folder, "config.json"), Path(folder, "catalog.json")
            config.write_text(json.dumps(self._config()), encoding="utf-8")
            catalog.write_text(json.dumps(self._catalog()), encoding="utf-8")
            rows_file = Path(folder, "rows.jsonl")
            with rows_file.open("wb") as output:
                done = subprocess.run(
                    [PYTHON, "-m", "benchmarks.tap_launcher", "-c", config, "-p", catalog],
                    env={
                        "PATH": os.environ["PATH"],
                        "PYTHONPATH": ".",
                        "REQUESTS_CA_BUNDLE": org.ca_bundle,
                        "PEER_TOKEN": self.token,
                        "PEER_URL": org.url,
                        "PEER_PASSES": str(passes),
                    },
                    check=False,
                    stdout=output,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            with rows_file.open("rb") as lines:
                rows = sum(ONE_ROW in line for line in lines)
        if done.returncode or rows != leads * passes:
            raise RuntimeError(
                f"{NAME} read {rows} of {leads * passes} rows: {done.stderr[-2000:]}"
            )
        measured = json.loads(done.stderr.rstrip("\n").rpartition("\n")[2])
        return PeerReading(
            measured["seconds"][-1], measured["processor_seconds"][-1], measured["peak_mb"]
        )

    def _config(self) -> dict[str, str]:
        return {
            "refresh_token": "none",
            "client_id": self.stack.salesforce.consumer_key,
            "client_secret": self.stack.salesforce.consumer_secret,
            "start_date": "2000-01-01T00:00:00Z",
            "api_type": "REST",
            "select_fields_by_default": "false",
        }

    def _catalog(self) -> dict[str, Any]:
        """Return the catalog of the peer: the Lead stream with the same fields."""
        stream: dict[str, Any] = {
            "selected": True,
            "table-key-properties": ["Id"],
            "replication-key": "SystemModstamp",
            "replication-method": "INCREMENTAL",
        }
        metadata: list[dict[str, Any]] = [{"breadcrumb": [], "metadata": stream}]
        metadata += [
            {"breadcrumb": ["properties", name], "metadata": {"selected": True}}
            for name in self.fields
        ]
        types = ["null", "string", "number", "boolean"]
        properties = {name: {"type": types} for name in self.fields}
        schema = {"type": "object", "properties": properties}
        lead = {"stream": "Lead", "tap_stream_id": "Lead", "schema": schema, "metadata": metadata}
        return {"streams": [lead]}
