"""Retry policies for tests."""

from __future__ import annotations

import random
import time
from typing import Final

from connector.retry import RetryPolicy

IMMEDIATE: Final = RetryPolicy(lambda _seconds: None, random.random, time.monotonic)
"""Repeats calls without pauses."""
