"""The memory of one process: now, and at its largest."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
HIGH_WATER = "VmHWM:"
KILOBYTE = 1024


def peak_mb() -> float:
    """Return the largest resident set of this process so far, in megabytes.

    On Linux a child inherits the `ru_maxrss` of the parent that started it; the high-water mark in
    `/proc` belongs to this program alone, so it is believed first.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(HIGH_WATER):
                return int(line.split()[1]) / KILOBYTE
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTE
    return used / KILOBYTE if sys.platform == "darwin" else used
