"""Rules of security that hold for the source of the connector as a whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers/common/connector"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")])
FORBIDDEN_MODULES = {
    *("pickle", "marshal", "shelve", "dill", "subprocess", "ctypes", "tempfile", "telnetlib"),
    *("xml", "lxml", "zeep", "defusedxml", "xmlrpc", "ftplib", "smtplib"),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "open"}
SECRET_WORDS = ("signature", "token", "expected", "ours", "secret")
"""Parts of the names that hold a secret in the module of signatures."""


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def called(path: Path) -> set[str]:
    return {
        node.func.id
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def compared_secrets(source: str) -> list[str]:
    """Return the names of secrets that are compared without `hmac.compare_digest`."""
    return [
        name.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(it, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for it in node.ops)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and any(word in name.id.lower() for word in SECRET_WORDS)
    ]


def test_the_sources_are_found() -> None:
    assert len(SOURCES) > 100


def test_nothing_deserializes_code_starts_a_process_or_parses_xml() -> None:
    found = {(path.name, name) for path in SOURCES for name in imported(path) & FORBIDDEN_MODULES}
    assert found == set()


def test_nothing_evaluates_a_text_or_opens_a_file() -> None:
    found = {(path.name, name) for path in SOURCES for name in called(path) & FORBIDDEN_CALLS}
    assert found == set()


def test_no_yaml_is_loaded_by_another_loader_than_ours() -> None:
    users = [path.name for path in SOURCES if "yaml" in imported(path)]
    assert users == ["yaml_file.py"]


def test_the_signature_and_the_token_are_compared_in_constant_time() -> None:
    source = (PACKAGE / "forms/signature.py").read_text(encoding="utf-8")
    assert source.count("hmac.compare_digest(") == 2
    assert compared_secrets(source) == []


@pytest.mark.parametrize(
    "source", ["token == ours", "signature in given", "if expected != given: pass"]
)
def test_a_plain_comparison_of_a_secret_would_be_found(source: str) -> None:
    assert compared_secrets(source)


def test_tls_is_verified_in_every_call() -> None:
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.keyword) and node.arg == "verify":
                assert isinstance(node.value, ast.Constant), path.name
                assert node.value.value is True, path.name
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"CERT_NONE", "_create_unverified_context"}, path.name
