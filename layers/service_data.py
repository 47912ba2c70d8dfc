"""Keep only the data of the AWS services that the connector calls.

botocore contains the data of 430 services. When it makes its first client it lists them all and
reads the end points of all, which takes about 30 ms of each cold start.

    python service_data.py FOLDER SERVICE...        FOLDER holds the package botocore
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def keep_services(data: Path, services: frozenset[str]) -> None:
    """Remove the folders and the end points of all other services from botocore's data."""
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in services:
            shutil.rmtree(folder)
    path = data / "endpoints.json"
    endpoints = json.loads(path.read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        kept = {name: it for name, it in partition["services"].items() if name in services}
        partition["services"] = kept
    path.write_text(json.dumps(endpoints), encoding="utf-8")


if __name__ == "__main__":
    keep_services(Path(sys.argv[1]) / "botocore" / "data", frozenset(sys.argv[2:]))
