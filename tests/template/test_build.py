"""The layer and the zip files of the functions, built on a machine without Python 3.13."""

from __future__ import annotations

import marshal
import shutil
import subprocess
import sys
from importlib.metadata import PathDistribution
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import get_args

import pytest

from connector.aws.client_config import Service

pytestmark = pytest.mark.xdist_group("build")
ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
MEGABYTE = 1024 * 1024
LIMIT_MEGABYTES = 60
BYTECODE_HEADER_BYTES = 16
UNCHECKED_HASH = 1
"""The flags in the header of bytecode that Python does not compare with its source (PEP 552)."""


@pytest.fixture(scope="session")
def layer(built: Path) -> Path:
    return built / "CommonLayer" / "python"


def logical(function: str) -> str:
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def run_without_other_packages(code: str, folder: Path) -> None:
    # -S: without the packages of this environment, which would hide a package missing in the layer.
    completed = subprocess.run(  # noqa: S603 - this interpreter, code of a test
        [sys.executable, "-I", "-S", "-c", code],
        env={},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


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


def test_the_layer_is_small(layer: Path) -> None:
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
    assert size < LIMIT_MEGABYTES * MEGABYTE


def test_botocore_in_the_layer_has_only_the_services_that_the_connector_calls(layer: Path) -> None:
    data = layer / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == set(get_args(Service))
    assert (data / "endpoints.json").exists()


def test_without_python_3_13_the_layer_and_the_functions_have_no_bytecode(built: Path) -> None:
    assert not list(built.rglob("*.pyc"))


def test_bytecode_is_unchecked_for_its_interpreter_and_has_the_paths_on_lambda(
    native_layer: Path,
) -> None:
    for name in ("connector/errors.py", "connector/aws/sns.py", "botocore/session.py"):
        content = Path(cache_from_source(native_layer / name)).read_bytes()
        assert content[:4] == MAGIC_NUMBER
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
        code = marshal.loads(content[BYTECODE_HEADER_BYTES:])  # noqa: S302 - compiled by this build
        assert code.co_filename == f"/opt/python/{name}"


def test_every_module_of_the_connector_has_bytecode(native_layer: Path) -> None:
    modules = list((native_layer / "connector").rglob("*.py"))
    assert modules
    assert not [path for path in modules if not Path(cache_from_source(path)).exists()]


def test_a_module_that_does_not_compile_fails_the_build(tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    (functions / "admin").mkdir(parents=True)
    (functions / "admin" / "app.py").write_text("def (", encoding="utf-8")
    (tmp_path / "layers").mkdir()
    for name in ("functions/Makefile", "layers/bytecode.mk"):
        shutil.copy(ROOT / name, tmp_path / name)
    completed = subprocess.run(  # noqa: S603 - our own build
        [
            *("make", "-C", str(functions), "build-AdminFunction", "LAYER_PLATFORM=native"),
            *(f"PYTHON={sys.executable}", f"ARTIFACTS_DIR={tmp_path / 'built'}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode != 0
    assert "SyntaxError" in completed.stdout


def test_a_client_of_each_service_can_be_made_from_the_layer_alone(
    native_layer: Path, tmp_path: Path
) -> None:
    run_without_other_packages(
        f"import sys; sys.path.insert(0, {str(native_layer)!r})\n"
        "import botocore.session\n"
        "session = botocore.session.get_session()\n"
        f"for service in {get_args(Service)!r}:\n"
        "    session.create_client(service, region_name='eu-west-1')\n",
        tmp_path,
    )


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
    path = [str(native_layer), str(built / logical(function))]
    code = (
        f"import sys; sys.path[:0] = {path!r}\n"
        "import importlib, pkgutil, connector\n"
        "for module in pkgutil.walk_packages(connector.__path__, 'connector.'):\n"
        "    importlib.import_module(module.name)\n"
        f"from functions.{function} import app\n"
        "assert callable(app.handler)\n"
    )
    run_without_other_packages(code, tmp_path)
