"""The layer is reproducible, and its bill of materials lists what it has."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.template.conftest import ROOT
from tools.licences import pinned

SBOM_TOOL: Final = ROOT / ".venv-supply/bin/cyclonedx-py"


def build_layer(folder: Path) -> Path:
    """Build the layer for AWS without any cache of ours; return its folder."""
    settings = {
        "PYTHON": sys.executable,
        "ARTIFACTS_DIR": str(folder),
        "LAYER_PLATFORM": "aws",
    }
    environment = {name: text for name, text in os.environ.items() if name != "LAYER_CACHE"}
    completed = subprocess.run(
        ["make", "-C", "layers/common", "build-CommonLayer"],  # noqa: S607  # our own build
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return folder


def digest(folder: Path) -> str:
    """Return one hash of all files of a folder: names, rights to execute, contents."""
    total = hashlib.sha256()
    for path in sorted(it for it in folder.rglob("*") if it.is_file()):
        mode = "x" if path.stat().st_mode & 0o100 else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder)} {mode} {content}\n".encode())
    return total.hexdigest()


@pytest.mark.nightly  # each build downloads and unpacks all wheels: 20 s
def test_two_builds_of_the_layer_have_the_same_contents(tmp_path: Path) -> None:
    first, second = (build_layer(tmp_path / name) for name in ("first", "second"))
    assert digest(first) == digest(second)
    next(second.rglob("errors.py")).write_text("", encoding="utf-8")
    assert digest(first) != digest(second)


def test_the_bill_of_materials_lists_every_dependency_of_the_layer_with_hashes(
    tmp_path: Path,
) -> None:
    if not SBOM_TOOL.exists():
        pytest.skip("the generator is not installed: make sbom")
    target = tmp_path / "sbom.json"
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nsbom:")[2]
    assert "--output-reproducible" in recipe.partition("\n\n")[0]
    subprocess.run(  # noqa: S603  # our own tool
        [
            *(str(SBOM_TOOL), "requirements", "layers/common/requirements.txt"),
            *("--output-reproducible", "--of", "JSON", "--output-file", str(target)),
        ],
        cwd=ROOT,
        check=True,
    )

    document = json.loads(target.read_text(encoding="utf-8"))

    assert document["bomFormat"] == "CycloneDX"
    components = document["components"]
    assert {it["name"]: it["version"] for it in components} == pinned()
    for component in components:
        hashes = [each["hashes"] for each in component["externalReferences"] if "hashes" in each]
        assert hashes, component["name"]
