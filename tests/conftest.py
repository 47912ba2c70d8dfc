"""Settings of all tests: how many examples the property tests try.

A slow machine is not a failure, so that no example has a time limit. `nightly` is for `make fuzz`.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, print_blob=True)
settings.load_profile("default")
