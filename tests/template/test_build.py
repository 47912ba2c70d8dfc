"""The layer and the zip files of the functions, built on a machine without Python 3.13."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
MEGABYTE = 1024 * 1024
LIMIT_MEGABYTES = 60
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py")
"""Packages of the Lambda runtime."""


@pytest.fixture(scope="session")
def layer(built: Path) -> Path:
    return built / "CommonLayer" / "python"


def logical(function: str) -> str:
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def sources(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_layer_folder_has_the_package_its_requirements_and_its_makefile() -> None:
    names = {path.name for path in (ROOT / "layers/common").iterdir()}
    assert names == {"connector", "requirements.txt", "Makefile"}


def test_the_layer_has_the_whole_package(layer: Path) -> None:
    package = "connector"
    assert sources(layer / package) == sources(ROOT / "layers/common" / package)


def test_the_layer_has_every_pinned_dependency(layer: Path) -> None:
    lines = (ROOT / "layers/common/requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split(" ")[0] for line in lines if line[:1].isalnum()}
    installed = {
        f"{found.name.lower().replace('_', '-')}=={found.version}"
        for found in map(PathDistribution, layer.glob("*.dist-info"))
    }
    assert installed == pinned


def test_every_compiled_module_is_for_python_3_13_on_arm64(layer: Path) -> None:
    compiled = [path.name for path in layer.rglob("*.so")]
    assert compiled
    for name in compiled:
        assert name.endswith((".cpython-313-aarch64-linux-gnu.so", ".abi3.so"))


def test_every_wheel_is_for_python_3_13_on_arm64_or_for_all_platforms(layer: Path) -> None:
    for wheel in layer.glob("*.dist-info/WHEEL"):
        lines = wheel.read_text(encoding="utf-8").splitlines()
        for tag in (line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")):
            python, abi, platform = tag.split("-")
            assert platform == "any" or platform.endswith("_aarch64")
            assert abi in {"none", "abi3", "cp313"}
            assert python in {"py2", "py3"} or (python.startswith("cp3") and abi != "none")


def test_the_layer_is_small_and_does_not_have_boto3(layer: Path) -> None:
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
    assert size < LIMIT_MEGABYTES * MEGABYTE
    assert not (layer / "boto3").exists()
    assert not (layer / "botocore").exists()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_zip_of_a_function_has_only_its_own_folder(built: Path, function: str) -> None:
    zipped = built / logical(function)
    assert sources(zipped / "functions" / function) == sources(ROOT / "functions" / function)
    assert [path.name for path in zipped.iterdir()] == ["functions"]
    assert [path.name for path in (zipped / "functions").iterdir()] == [function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_can_be_imported_from_its_zip_and_the_layer(
    built: Path, native_layer: Path, tmp_path: Path, function: str
) -> None:
    site = Path(boto3.__file__).parents[1]
    for name in RUNTIME:
        (tmp_path / name).symlink_to(site / name)
    path = [str(native_layer), str(built / logical(function)), str(tmp_path)]
    code = (
        f"import sys; sys.path[:0] = {path!r}\n"
        "import importlib, pkgutil, connector\n"
        "for module in pkgutil.walk_packages(connector.__path__, 'connector.'):\n"
        "    importlib.import_module(module.name)\n"
        f"from functions.{function} import app\n"
        "assert callable(app.handler)\n"
    )
    # -S: without the packages of this environment, which would hide a package missing in the layer.
    completed = subprocess.run(  # noqa: S603 - this interpreter, the code above
        [sys.executable, "-I", "-S", "-c", code],
        env={},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
