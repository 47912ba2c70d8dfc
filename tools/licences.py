"""The licences of the layer's dependencies, as their installed distributions declare them."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path(__file__).parents[1] / "layers/common/requirements.txt"
PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
CLASSIFIER: Final = "License :: OSI Approved :: "
LONG: Final = 60
"""Characters: a longer text is the licence itself, and not its name."""
COMMON_NAMES: Final = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Names that distributions use, and the identifiers of SPDX. `python-dateutil` says "Dual License"
and has the texts of both."""


def pinned() -> dict[str, str]:
    """Return the version of each distribution that the layer pins, by its name."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    return {match["name"]: match["version"] for match in PINNED.finditer(text)}


def licence_of(installed: Distribution) -> str:
    """Return the declared licence of a distribution; '' when it declares none."""
    metadata = installed.metadata
    named = (metadata.get_all(header) or [""] for header in ("License-Expression", "License"))
    declared = next((values[0] for values in named if values[0]), "")
    if not declared or len(declared) > LONG or "\n" in declared:
        classified = metadata.get_all("Classifier") or []
        approved = [it for it in classified if it.startswith(CLASSIFIER)]
        declared = " OR ".join(it.removeprefix(CLASSIFIER) for it in approved)
    return COMMON_NAMES.get(declared, declared)


def licence_rows() -> list[list[str]]:
    """Return the rows of the table: distribution, version, licence."""
    return [
        [f"`{name}`", version, licence_of(distribution(name))]
        for name, version in sorted(pinned().items())
    ]
