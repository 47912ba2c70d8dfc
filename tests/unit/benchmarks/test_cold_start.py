"""The pure parts of the benchmark of cold starts. Nothing is timed here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cold_start import (
    LIMITS,
    Measurement,
    cache_tag,
    find_python,
    logical_id,
    measure,
    table,
)


def test_the_table_shows_the_ratio_to_boto3_and_whether_it_is_within_the_limit() -> None:
    lines = table(
        Measurement("boto3", 0.1),
        [
            Measurement("form_sync", 0.15),
            Measurement("sync_worker", 0.2512),
            Measurement("admin", 0.4),
        ],
        {"form_sync": 1.5, "sync_worker": 2.5},
    )
    assert lines == [
        "| import | CPU ms | ratio to boto3 | limit | |",
        "| --- | --- | --- | --- | --- |",
        "| boto3 | 100 | 1.00 | | |",
        "| form_sync | 150 | 1.50 | 1.5 | within |",
        "| sync_worker | 251 | 2.51 | 2.5 | over |",
        "| admin | 400 | 4.00 | | |",
    ]


def test_the_first_interpreter_that_is_the_one_of_lambda_is_used() -> None:
    tags = {"python3.13": None, "other": "cpython-313", "this": "cpython-311"}
    assert find_python(("python3.13", "other", "this"), tags.get) == "other"


def test_without_the_interpreter_of_lambda_the_last_candidate_is_used() -> None:
    tags = {"python3.13": None, "this": "cpython-311"}
    assert find_python(("python3.13", "this"), tags.get) == "this"


def test_a_command_that_does_not_run_is_no_interpreter(tmp_path: Path) -> None:
    placeholder = tmp_path / "python3.13"
    placeholder.write_text("#!/bin/sh\nexit 127\n", encoding="ascii")
    placeholder.chmod(0o700)
    assert cache_tag(str(placeholder)) is None
    assert cache_tag(str(tmp_path / "missing")) is None
    assert cache_tag(sys.executable) == sys.implementation.cache_tag


def test_the_imports_alternate_and_the_minimum_of_each_counts() -> None:
    names: list[str] = []
    seconds: Iterator[float] = iter((3.0, 5.0, 1.0, 6.0, 2.0, 4.0))

    def import_seconds(name: str) -> float:
        names.append(name)
        return next(seconds)

    measurements = measure(("boto3", "admin"), import_seconds, repeat=3)
    assert names == ["boto3", "admin"] * 3
    assert measurements == [Measurement("boto3", 1.0), Measurement("admin", 4.0)]


def test_every_function_with_a_limit_exists() -> None:
    folder = Path(__file__).parents[3] / "functions"
    assert all((folder / name / "app.py").is_file() for name in LIMITS)


def test_the_logical_id_of_a_function_is_its_name_in_the_template() -> None:
    assert logical_id("rotate_credentials") == "RotateCredentialsFunction"
