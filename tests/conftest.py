"""Settings of all tests: how many examples the property tests try, and seldom garbage collection.

A slow machine is not a failure, so that no example has a time limit. `nightly` is for `make fuzz`.
"""

from __future__ import annotations

import gc
from typing import Final

from hypothesis import settings

YOUNG_OBJECTS: Final = 100_000
"""New objects between two collections of garbage; with 700 they take an eighth of the time."""


def pytest_collection_finish() -> None:
    """Leave what the imports and the collection made out of the garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


settings.register_profile("default", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, print_blob=True)
settings.load_profile("default")
