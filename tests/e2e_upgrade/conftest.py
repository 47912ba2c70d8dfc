"""A stack that two versions are deployed on in turn. It is not the stack of `make up`."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.commands import HERE, StackCommands

FOLDER = Path(".build/e2e-upgrade")
FROM = "FROM"
"""The variable with the commit or tag of the version that is deployed first."""


@pytest.fixture(scope="session")
def other_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of the version that is deployed first: this one, where none is named."""
    name = os.environ.get(FROM, "")
    if not name:
        return HERE
    folder = tmp_path_factory.mktemp("version")
    archive = folder / "version.tar"
    finished = subprocess.run(  # noqa: S603 - the name of a commit
        ["git", "archive", "--format=tar", f"--output={archive}", name],  # noqa: S607 - of the PATH
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        pytest.fail(f"{FROM}={name} is no commit or tag of this repository: {finished.stderr}")
    source = folder / "source"
    with tarfile.open(archive) as files:
        files.extractall(source, filter="data")
    return source


@pytest.fixture
def commands() -> Iterator[StackCommands]:
    """The commands of the stack; it is brought down afterwards."""
    commands = StackCommands(FOLDER)
    commands.down()
    yield commands
    commands.down()
