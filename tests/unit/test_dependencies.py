"""The dependencies of the layer: each one that the code imports is declared, and has a licence."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Final

import pytest

from tools.licences import licence_of, pinned

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = (ROOT / "layers/common/connector", ROOT / "functions")
OWN: Final = frozenset({"connector", "functions"})
NOT_IMPORTED: Final = {"boto3": "it is the name under which AWS releases botocore's versions"}
"""Declared, and imported by no module of ours."""
ALLOWED_LICENCES: Final = frozenset(
    {"MIT", "MIT-0", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "PSF-2.0"}
)
"""Licences that allow the use in a program under the MIT licence."""


def declared() -> set[str]:
    """Return the distributions of requirements/runtime.in."""
    lines = (ROOT / "requirements/runtime.in").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def runtime_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the top-level modules that are imported when a program runs, not for types only."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
        yield from runtime_imports(node)


def imported() -> set[str]:
    """Return the distributions that the code imports."""
    modules = {
        module
        for folder in SOURCES
        for path in folder.rglob("*.py")
        for module in runtime_imports(ast.parse(path.read_text(encoding="utf-8")))
    }
    owners = packages_distributions()
    foreign = modules - OWN - set(sys.stdlib_module_names)
    return {owner.lower().replace("_", "-") for module in foreign for owner in owners[module]}


def test_every_distribution_that_the_code_imports_is_declared_and_no_other() -> None:
    assert imported() | set(NOT_IMPORTED) == declared()


def test_every_declared_distribution_is_pinned() -> None:
    assert declared() <= set(pinned())


@pytest.mark.parametrize("name", sorted(pinned()))
def test_a_distribution_of_the_layer_has_a_licence_that_allows_our_use(name: str) -> None:
    choices = licence_of(distribution(name)).replace("(", "").replace(")", "").split(" OR ")
    assert set(choices) & ALLOWED_LICENCES, f"{name}: {choices}"


def test_the_installed_versions_are_those_of_the_layer() -> None:
    assert {name: distribution(name).version for name in pinned()} == pinned()
