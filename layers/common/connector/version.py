"""The version of the connector, shown by the status, the logs, the layer and the OpenAPI."""

from typing import Final

VERSION: Final = "0.2.0"
"""Semantic Versioning 2.0.0. CHANGELOG.md describes each version."""
