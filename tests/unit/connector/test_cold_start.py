"""What the functions import at a cold start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIST_MODULES = """
import sys
sys.path[:0] = {paths}
import connector.bootstrap.{role}, connector.bootstrap.sides, connector.bootstrap.aws_adapters
import connector.secrets, functions.{function}.app
print("pydantic" in sys.modules, "connector.secrets" in sys.modules)
"""


@pytest.mark.parametrize(
    ("role", "function"),
    [
        ("sync_worker", "sync_worker"),
        ("form_worker", "form_worker"),
        ("rotation", "rotate_credentials"),
    ],
)
def test_a_role_that_calls_both_systems_does_not_import_pydantic(role: str, function: str) -> None:
    paths = [str(ROOT), str(ROOT / "layers" / "common")]
    code = LIST_MODULES.format(paths=paths, role=role, function=function)

    output = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603  # own code

    assert output.split() == ["False", "True"]
