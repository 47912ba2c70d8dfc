"""The peak memory of one process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
HIGH_WATER = "VmHWM:"
KILOBYTE = 1024


def peak_mb() -> float:
    """Return the largest resident set of this process so far, in megabytes.

    On Linux a child process inherits the `ru_maxrss` of its parent. The high-water mark in `/proc`
    belongs to this process alone, so it has priority.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(HIGH_WATER):
                return int(line.split()[1]) / KILOBYTE
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTE
    return used / KILOBYTE if sys.platform == "darwin" else used
