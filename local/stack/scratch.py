"""The scratch folder of a stack, for temporary files: in memory, if there is enough of it.

The embedded AWS unpacks the layer for each process of a function (2,400 files, 84 MB) and deletes
it with the process. A disk that discards blocks during a deletion, which disks of virtual machines
can do, took 3.6 ms per file when measured: 9 s per process, half a minute for a stack.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a private folder is created in it (mode 700)
NEEDED_BYTES: Final = 4 * 2**30
"""Four times what a stack of twelve function processes uses, so that other programs have enough."""
NAME: Final = "scratch"


def scratch_path(folder: Path) -> Path:
    """Return the absolute path of the scratch folder of a stack, which may not exist."""
    return folder.absolute() / NAME


def make_scratch(folder: Path, memory: Path = MEMORY, needed: int = NEEDED_BYTES) -> Path:
    """Create the empty scratch folder of a stack and return its absolute path.

    The path is always `scratch` in the stack's folder. It is a link to a folder in memory, or an
    ordinary folder when there is no such memory or less than `needed` bytes of it are free.
    """
    remove_scratch(folder)
    path = scratch_path(folder)
    if memory.is_dir() and shutil.disk_usage(memory).free >= needed:
        path.symlink_to(tempfile.mkdtemp(prefix="plezi-salesforce-", dir=memory))
    else:
        path.mkdir()
    return path


def remove_scratch(folder: Path) -> None:
    """Remove the scratch folder of a stack, in memory or not. It does not have to exist."""
    path = scratch_path(folder)
    shutil.rmtree(path.resolve(), ignore_errors=True)
    if path.is_symlink():
        path.unlink()
