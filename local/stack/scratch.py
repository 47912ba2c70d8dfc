"""A place for what is unpacked by the thousand and thrown away: in memory, where there is plenty.

The embedded AWS unpacks the layer anew for each process of a function (2,400 files, 84 MB) and
removes it with the process. A disk that discards blocks while it deletes, as those of virtual
machines may, was measured to take 3.6 ms a file: 9 s for each process, half a minute for a stack.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of our own in it, which only we may enter
NEEDED_BYTES: Final = 4 * 2**30
"""Four times what a stack of twelve function processes takes: nothing else is short of memory."""
NAME: Final = "scratch"


def make_scratch(folder: Path, memory: Path = MEMORY, needed: int = NEEDED_BYTES) -> Path:
    """Make the scratch folder of a stack anew and return its absolute path.

    It is always found at `scratch` in the stack's folder: as a link into memory, or, where there is
    no such memory or less of it free than `needed` bytes, as an ordinary folder.
    """
    remove_scratch(folder)
    place = folder.absolute() / NAME
    if memory.is_dir() and shutil.disk_usage(memory).free >= needed:
        place.symlink_to(tempfile.mkdtemp(prefix="plezi-salesforce-", dir=memory))
    else:
        place.mkdir()
    return place


def remove_scratch(folder: Path) -> None:
    """Remove the scratch folder of a stack, in memory or not. None there is fine."""
    place = folder.absolute() / NAME
    shutil.rmtree(place.resolve(), ignore_errors=True)
    if place.is_symlink():
        place.unlink()
