"""The addresses to which the console sends a browser back: pages of its own, and no others."""

from __future__ import annotations

import re
from typing import Final

HOME: Final = "/"
LOCAL: Final = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~%?=&:@+-]*")
"""A path below the console: one slash at its beginning, and no character that a browser rewrites
(it takes a backslash for a slash, and leaves out tabs and line breaks)."""
MAX_CHARACTERS: Final = 1500


def local_path(text: str) -> str:
    """Return a path below the console as it is, and the first page for any other text."""
    return text if len(text) <= MAX_CHARACTERS and LOCAL.fullmatch(text) else HOME
