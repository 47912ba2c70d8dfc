"""simple-salesforce is imported without zeep, and nothing else of it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connector.salesforce.library import Salesforce, SfdcMetadataApi

LAYER = Path(__file__).parents[3] / "layers" / "common"


def output_of(code: str) -> str:
    """Return what a new interpreter prints."""
    return subprocess.check_output(  # noqa: S603  # our own code
        [sys.executable, "-c", code], text=True, env={"PYTHONPATH": str(LAYER)}
    ).strip()


def test_the_import_of_the_library_loads_no_zeep_and_no_lxml() -> None:
    code = """
import sys, connector.salesforce.library
print([name for name in ("zeep", "lxml") if name in sys.modules])"""

    assert output_of(code) == "[]"


def test_the_real_client_of_the_metadata_api_can_still_be_imported() -> None:
    code = """
import connector.salesforce.library
from simple_salesforce.metadata import SfdcMetadataApi
print(SfdcMetadataApi.__module__)"""

    assert output_of(code) == "simple_salesforce.metadata"


def test_a_client_has_everything_but_the_metadata_api() -> None:
    client = Salesforce(session_id="token", instance_url="https://acme.my.salesforce.com")

    assert client.base_url.startswith("https://acme.my.salesforce.com/services/data/")


def test_the_metadata_api_is_refused_with_a_reason() -> None:
    with pytest.raises(RuntimeError, match="Metadata API"):
        SfdcMetadataApi()
