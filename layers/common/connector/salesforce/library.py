"""simple-salesforce without its client of the Metadata API: the only import of the library.

simple-salesforce imports zeep, a SOAP client with an XML parser, for the Metadata API, which the
connector never calls. That import takes a seventh of the CPU of a worker's cold start. So a module
without zeep stands in for `simple_salesforce.metadata` while the library is imported.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

METADATA_MODULE: Final = "simple_salesforce.metadata"


class SfdcMetadataApi:
    """Stands in for the library's client of the Metadata API."""

    def __init__(self, *_args: object, **_options: object) -> None:
        raise RuntimeError("the connector does not call Salesforce's Metadata API")


def _import_without_zeep() -> None:
    """Import simple-salesforce with a stand-in for its client of the Metadata API.

    The stand-in leaves `sys.modules` again, so that an import of the real module still works.
    """
    stand_in = ModuleType(METADATA_MODULE)
    stand_in.__dict__[SfdcMetadataApi.__name__] = SfdcMetadataApi
    sys.modules[METADATA_MODULE] = stand_in
    try:
        import simple_salesforce.api  # noqa: F401, PLC0415  # what this function is for
    finally:
        del sys.modules[METADATA_MODULE]


if "simple_salesforce" not in sys.modules:
    _import_without_zeep()

from simple_salesforce.api import Salesforce  # noqa: E402  # after the import above
from simple_salesforce.exceptions import SalesforceError  # noqa: E402
from simple_salesforce.format import format_soql  # noqa: E402

__all__ = ["Salesforce", "SalesforceError", "format_soql"]
