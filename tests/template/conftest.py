"""Fixtures: the template as data, and the result of `sam build` without Python 3.13."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMMANDS = (
    *("bash", "cat", "cksum", "cp", "env", "find", "ls", "make", "mkdir", "mv", "rm", "sh"),
    *("test", "true", "uname"),
)
"""All commands that a build can call: python3.13 and other tools of this machine are missing."""


class _Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation: `!Ref X` is read as {"Ref": "X"}."""


def _short_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {key: value.split(".", 1) if name == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {key: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True)
class Template:
    """The parsed template."""

    document: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return every resource of a type, by its logical name."""
        return {
            name: resource
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of one resource."""
        found: dict[str, Any] = self.document["Resources"][name]["Properties"]
        return found

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the properties of every function, by its logical name."""
        found = self.of_type("AWS::Serverless::Function")
        return {name: resource["Properties"] for name, resource in found.items()}

    def default(self, value: object) -> object:
        """Return the default of a parameter that `value` refers to; else `value` itself."""
        if isinstance(value, dict) and value.get("Ref") in self.document["Parameters"]:
            return self.document["Parameters"][value["Ref"]]["Default"]
        return value

    def statements(self, function: str) -> Iterator[dict[str, Any]]:
        """Yield the policy statements of a function."""
        for policy in self.functions[function]["Policies"]:
            yield from policy["Statement"]

    def boundary(self) -> Iterator[dict[str, Any]]:
        """Yield the statements of the boundary of the functions, conditional ones included."""
        for statement in self.properties("FunctionsBoundary")["PolicyDocument"]["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def resource_names(value: object) -> Iterator[str]:
    """Yield the logical names that a piece of the template refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", inner)
            else:
                yield from resource_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from resource_names(inner)


@pytest.fixture(scope="session")
def template() -> Template:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return Template(yaml.load(text, _Loader))  # noqa: S506 - a safe loader, with constructors for tags


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the result of `sam build` for AWS."""
    folder = tmp_path_factory.mktemp("built")
    commands = folder / "bin"
    commands.mkdir()
    for name in COMMANDS:
        if (found := shutil.which(name)) is not None:
            (commands / name).symlink_to(found)
    (commands / "python3").symlink_to(ROOT / ".venv" / "bin" / "python")
    _run(
        [str(ROOT / ".venv-sam/bin/sam"), "build", "--build-dir", str(folder / "build")],
        {"PATH": str(commands), "PYTHON": sys.executable, "SAM_CLI_TELEMETRY": "0"},
    )
    return folder / "build"


@pytest.fixture(scope="session")
def native_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the layer for the embedded AWS: for this machine and this interpreter."""
    folder = tmp_path_factory.mktemp("native")
    _run(
        ["make", "-C", "layers/common", "build-CommonLayer"],
        {"LAYER_PLATFORM": "native", "PYTHON": sys.executable, "ARTIFACTS_DIR": str(folder)},
    )
    return folder / "python"


def _run(command: list[str], settings: dict[str, str]) -> None:
    cache = {"LAYER_CACHE": str(ROOT / ".build" / "layer")}
    Path(cache["LAYER_CACHE"]).mkdir(parents=True, exist_ok=True)
    completed = subprocess.run(  # noqa: S603 - our own build
        command,
        cwd=ROOT,
        env={**os.environ, **cache, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
