"""The packages that each function loads at a cold start: only those that its role needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.template_settings import template_environment

ROOT = Path(__file__).parents[3]
REQUEST_PACKAGES = {
    *("aws_lambda_powertools", "botocore", "certifi", "dateutil", "jmespath", "six"),
    *("tenacity", "typing_extensions", "urllib3"),
}
"""What every function loads: the log, the AWS clients and the retry policy, with what they need."""
SIDES_PACKAGES = REQUEST_PACKAGES | {
    *("requests", "charset_normalizer", "idna"),
    *("simple_salesforce", "jwt", "cryptography", "more_itertools"),
}
"""What a function loads that calls both systems; simple-salesforce without its SOAP client."""
ADMIN_PACKAGES = SIDES_PACKAGES | {
    *("pydantic", "pydantic_core", "annotated_types", "typing_inspection"),
    "yaml",
}
"""What the admin API loads: it describes and checks its requests by pydantic models."""
PACKAGES = {
    "ScheduledSyncFunction": REQUEST_PACKAGES,
    "ManualSyncFunction": REQUEST_PACKAGES,
    "FormSyncFunction": REQUEST_PACKAGES,
    "FormWorkerFunction": SIDES_PACKAGES,
    "SyncWorkerFunction": SIDES_PACKAGES,
    "RotateCredentialsFunction": SIDES_PACKAGES,
    "AdminFunction": ADMIN_PACKAGES,
}
OPTIONAL_PACKAGES = {
    *("_cffi_backend", "_yaml", "awscrt", "backports", "brotli", "cffi", "packaging", "pytz"),
    "simplejson",
}
"""What a package above loads on some platforms, or when it happens to be installed."""
LIST_PACKAGES = """
import json, sys, sysconfig
ambient = set(sys.modules)
import {module}
installed = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
loaded = set()
for name, module in list(sys.modules.items()):
    if name not in ambient and str(getattr(module, "__file__", "")).startswith(installed):
        loaded.add(name.partition(".")[0])
print(json.dumps([sorted(loaded), sorted(name.partition(".")[0] for name in ambient)]))
"""


def loaded_packages(function: str) -> tuple[set[str], set[str]]:
    """Return the packages that a cold start loads, and those that the interpreter had before."""
    folder = "".join(
        f"_{letter.lower()}" if letter.isupper() else letter
        for letter in function.removesuffix("Function")
    ).lstrip("_")
    environment = {
        **os.environ,
        **template_environment(function),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "unused",
        "AWS_SECRET_ACCESS_KEY": "unused",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "common")]),
    }
    code = LIST_PACKAGES.format(module=f"functions.{folder}.app")
    output = subprocess.check_output(  # noqa: S603  # our own code
        [sys.executable, "-c", code], text=True, env=environment
    )
    loaded, ambient = json.loads(output)
    return set(loaded), set(ambient)


@pytest.mark.parametrize("function", PACKAGES)
def test_a_cold_start_loads_exactly_the_packages_of_its_role(function: str) -> None:
    loaded, ambient = loaded_packages(function)

    ignored = ambient | OPTIONAL_PACKAGES
    superfluous = sorted(loaded - ignored - PACKAGES[function])
    missing = sorted(PACKAGES[function] - ignored - loaded)
    assert not superfluous, (
        f"{function} loads {superfluous} at its cold start, which its role does not need: import "
        "them where they are used, or from a module that other roles load"
    )
    assert not missing, f"{function} no longer loads {missing}: remove them from PACKAGES"


@pytest.mark.parametrize(
    "package", ["simple_salesforce", "zeep", "lxml", "yaml", "requests", "pydantic", "boto3"]
)
def test_a_function_that_accepts_requests_loads_no_package_of_a_worker(package: str) -> None:
    assert package not in REQUEST_PACKAGES


@pytest.mark.parametrize("package", ["pydantic", "yaml", "zeep", "lxml"])
def test_a_function_that_synchronizes_loads_no_parser_that_it_does_not_use(package: str) -> None:
    assert package not in SIDES_PACKAGES
