"""The version of the command line: one number for the whole product."""

from __future__ import annotations

import pytest

from connector.version import VERSION
from plezi_sync import __version__
from plezi_sync.__main__ import main


def test_the_command_line_has_the_version_of_the_connector() -> None:
    assert __version__ == VERSION


def test_the_command_line_prints_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"plezi-sync {VERSION}\n"
